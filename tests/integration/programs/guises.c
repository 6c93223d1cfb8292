/*
 * Actors that say in what kind of process they run, a line each on standard output, and do then what they are told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

/* variables: of the environment, to be told. deed: what it does as soon as it has started; "": nothing. */
#define GUISE(field) field(array(str), variables) field(str, deed)
TROUPE_MESSAGE(guise, GUISE)
#define DO(field) field(str, deed)
TROUPE_MESSAGE(do_it, DO)

static void say(const char *format, const char *who, const char *what) {
    char line[512];
    int size = snprintf(line, sizeof line, format, who, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

struct guise_actor { int unused; };

TROUPE_START(guise_actor, guise) {
    for (uint32_t i = 0; i < args->variables.count; i++) {
        const char *value = getenv(args->variables.items[i]);
        say("env %s %s\n", args->variables.items[i], value == NULL ? "(unset)" : value);
    }
    say("ready %s%s\n", troupe_self_path(self), "");
    if (args->deed[0] == '\0') return TROUPE_OK;
    return troupe_send(self, troupe_self_address(self), do_it, .deed = args->deed);
}

static bool is_deed(const struct do_it *msg, const char *deed) { return strcmp(msg->deed, deed) == 0; }

TROUPE_ON(guise_actor, do_it) {
    if (is_deed(msg, "fail")) return TROUPE_FAIL(self, "as it was told");
    return TROUPE_OK;
}

TROUPE_ACTOR(guise_actor, TROUPE_STARTS(guise_actor, guise), TROUPE_HANDLES(guise_actor, do_it))

int main(int argc, char **argv) { return troupe_main(argc, argv, &guise_actor_actor, NULL); }
