/*
 * Actors that say in what kind of process they run, a line each on standard output, and do then what they are told.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

/* variables: of the environment, to be told. */
#define GUISE(field) field(array(str), variables)
TROUPE_MESSAGE(guise, GUISE)
#define DO(field) field(str, deed)
TROUPE_MESSAGE(do_it, DO)
#define TELL(field) field(str, to) field(str, deed)
TROUPE_MESSAGE(tell, TELL)

static void say(const char *format, const char *who, const char *what) {
    char line[512];
    int size = snprintf(line, sizeof line, format, who, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

struct guise_actor { int unused; };

static volatile bool forever = true;

/* So fast that the system is asked for more than any limit allows before anybody looks; little of it is used. */
static void burst(void) {
    enum { USED = 64 << 20, CHUNK = 1 << 30 };
    char *memory = malloc(USED);
    if (memory != NULL) memset(memory, 1, USED);
    while (malloc(CHUNK) != NULL) continue;
    abort();
}

/* A MiB each five milliseconds or so. */
static void hoard(void) {
    enum { PIECE = 1 << 20 };
    while (forever) {
        char *piece = malloc(PIECE);
        if (piece == NULL) abort();
        memset(piece, 1, PIECE);
        usleep(5000);
    }
}

static void do_for_ever(const char *deed) {
    if (strcmp(deed, "deaf") == 0) signal(SIGABRT, SIG_IGN);
    if (strcmp(deed, "burst") == 0) burst();
    if (strcmp(deed, "hoard") == 0) hoard();
    while (forever && (strcmp(deed, "spin") == 0 || strcmp(deed, "deaf") == 0)) continue;
}

TROUPE_MESSAGE_EMPTY(nap)
TROUPE_MESSAGE_EMPTY(napped)

TROUPE_WORK(sleep_a_while, nap, napped) {
    usleep(1000000);
    return troupe_work_done_empty(work, napped);
}

TROUPE_START(guise_actor, guise) {
    for (uint32_t i = 0; i < args->variables.count; i++) {
        const char *value = getenv(args->variables.items[i]);
        say("env %s %s\n", args->variables.items[i], value == NULL ? "(unset)" : value);
    }
    say("ready %s%s\n", troupe_self_path(self), "");
    return TROUPE_OK;
}

static bool is_deed(const struct do_it *msg, const char *deed) { return strcmp(msg->deed, deed) == 0; }

TROUPE_ON(guise_actor, do_it) {
    if (is_deed(msg, "fail")) return TROUPE_FAIL(self, "as it was told");
    if (is_deed(msg, "print")) printf("one line\nand another\n"); /* not flushed */
    if (is_deed(msg, "print")) fprintf(stderr, "a %c word\n", '\001');
    if (is_deed(msg, "last words")) {
        printf("an output without an end");
        fprintf(stderr, "an error without an end");
        fflush(stdout);
        raise(SIGKILL);
    }
    if (is_deed(msg, "block")) usleep(1000000);
    if (is_deed(msg, "block")) say("done %s%s\n", troupe_self_path(self), "");
    if (is_deed(msg, "work")) return troupe_work_empty(self, sleep_a_while, TROUPE_MINUTE, nap);
    do_for_ever(msg->deed);
    return TROUPE_OK;
}

TROUPE_ANSWER(guise_actor, nap, napped) {
    say("done %s%s\n", troupe_self_path(self), "");
    return outcome;
}

TROUPE_ACTOR(guise_actor, TROUPE_STARTS(guise_actor, guise), TROUPE_HANDLES(guise_actor, do_it),
    TROUPE_ANSWERS(guise_actor, nap, napped))

/* Comes after the others in the tree: they run by then. Told once, be they restarted or not. */
struct teller { int unused; };

TROUPE_START(teller, tell) {
    say("told %s %s\n", args->to, args->deed);
    return troupe_send(self, troupe_lookup(self, args->to), do_it, .deed = args->deed);
}

TROUPE_ACTOR(teller, TROUPE_STARTS(teller, tell))

int main(int argc, char **argv) { return troupe_main(argc, argv, &guise_actor_actor, &teller_actor, NULL); }
