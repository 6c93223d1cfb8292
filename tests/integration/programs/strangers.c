/* Another program, for actors of one that does not have their type: guises.c, with which it shares a message. */
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>
#include <unistd.h>

#define DO(field) field(str, deed)
TROUPE_MESSAGE(do_it, DO)

static void say(const char *format, const char *who, const char *what) {
    char line[512];
    int size = snprintf(line, sizeof line, format, who, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

struct stranger { int unused; };

TROUPE_START(stranger, troupe_none) {
    say("ready %s%s\n", troupe_self_path(self), "");
    return TROUPE_OK;
}

TROUPE_ON(stranger, do_it) {
    say("stranger %s: %s\n", troupe_self_path(self), msg->deed);
    return TROUPE_OK;
}

TROUPE_ACTOR(stranger, TROUPE_STARTS(stranger, troupe_none), TROUPE_HANDLES(stranger, do_it))

int main(int argc, char **argv) { return troupe_main(argc, argv, &stranger_actor, NULL); }
