/*
 * Actors that log. Each says so many lines, numbered, of about so many bytes; in its first `deaths` runs it
 * kills its process right after the last one. What is done is said on standard output, "done PATH". The
 * counter, which starts last, tells all that they may begin, and at the end shuts down if it is to.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

enum { AT_ONCE = 50, LONGEST = 6000 };

#define TASK(field) field(u32, lines) field(u32, size) field(u32, deaths) field(str, last)
TROUPE_MESSAGE(task, TASK)
#define GOAL(field) field(u32, of) field(bool, end)
TROUPE_MESSAGE(goal, GOAL)
TROUPE_MESSAGE_EMPTY(more)
TROUPE_MESSAGE_EMPTY(done)

struct speaker {
    uint32_t lines, size, deaths, said;
    char last[64];
    char filling[LONGEST + 1];
};

TROUPE_START(speaker, task) {
    me->lines = args->lines;
    me->deaths = args->deaths;
    me->size = args->size < LONGEST ? args->size : LONGEST;
    snprintf(me->last, sizeof me->last, "%s", args->last);
    memset(me->filling, 'x', me->size);
    if (troupe_self_run(self) == 0) return TROUPE_OK; /* the counter says when */
    return troupe_send_empty(self, troupe_self_address(self), more);
}

static void say_done(troupe_self *self) {
    char line[300];
    int size = snprintf(line, sizeof line, "done %s\n", troupe_self_path(self));
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

/* The ways in which a process can end, right after it has said something. */
static void die(const char *last) {
    if (*last != '\0') fprintf(stderr, "%s\n", last);
    kill(getpid(), SIGKILL);
    pause();
}

static enum troupe_status finish(troupe_self *self, struct speaker *me) {
    troupe_address counter = troupe_lookup(self, "/counter");
    if (troupe_self_run(self) < me->deaths) die(me->last);
    say_done(self);
    return troupe_send_empty(self, counter, done);
}

TROUPE_ON(speaker, more) {
    (void)msg;
    for (int i = 0; i < AT_ONCE && me->said < me->lines; i++, me->said++)
        troupe_log_with(self, TROUPE_INFO, "said", troupe_number("n", me->said),
                        troupe_text("filling", me->filling), troupe_whom("who", troupe_self_address(self)));
    if (me->said < me->lines) return troupe_send_empty(self, troupe_self_address(self), more);
    return finish(self, me);
}
TROUPE_ACTOR(speaker, TROUPE_STARTS(speaker, task), TROUPE_HANDLES(speaker, more))

struct counter {
    uint32_t of, done;
    bool end;
};
TROUPE_START(counter, goal) {
    enum troupe_status status = TROUPE_OK;
    me->of = args->of;
    me->end = args->end;
    for (uint32_t i = 0; i < me->of && status == TROUPE_OK; i++) {
        char path[32];
        snprintf(path, sizeof path, "/speaker/%u", (unsigned)i);
        status = troupe_send_empty(self, troupe_lookup(self, path), more);
    }
    return status;
}
TROUPE_ON(counter, done) {
    (void)msg;
    if (++me->done == me->of && me->end) troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(counter, TROUPE_STARTS(counter, goal), TROUPE_HANDLES(counter, done))

int main(int argc, char **argv) { return troupe_main(argc, argv, &speaker_actor, &counter_actor, NULL); }
