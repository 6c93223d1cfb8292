/*
 * The test kit of include/troupe/test.h, inside.
 *
 * A kit is a host in one-process mode that is stepped (place/host.h), with one node that is stepped (core/step.h): the
 * supervisors, agents, timers, names and the keeper's machine are the real ones. The kit owns the time, and is the
 * only thread. kit.c begins and ends it; kit_run.c steps it; kit_probe.c is the actor that stands for the test;
 * kit_expect.c looks at what that got; kit_watch.c keeps what became of the runs; kit_faults.c makes some fail, or
 * hang; kit_report.c says what a failed test needs to know.
 *
 * Between two steps nobody runs on the node's worker. Then its `self` is the probe's, so that the test can do what
 * handlers do: whoever has stepped puts it back (tr_kit_be_probe).
 */
#ifndef TR_KIT_H
#define TR_KIT_H

#include <troupe/test.h>

#include "app/program.h"
#include "base/random.h"
#include "core/death.h"
#include "core/log.h"
#include "core/worker.h"
#include "place/host.h"

enum { TR_KIT_GOTS = 65536, TR_KIT_ENDS = 1024, TR_KIT_TAIL = 64 * 1024, TR_KIT_TEXT = 8192 };

enum tr_got_kind { TR_GOT_MESSAGE, TR_GOT_ANSWER };

/* What the probe got. */
struct tr_got {
    struct tr_got *next;
    enum tr_got_kind kind;
    enum troupe_status outcome; /* of an answer */
    struct tr_message *message; /* a copy; NULL: an answer without a reply */
    struct troupe_asker asker;  /* of a message */
};

/* The end of a run. */
struct tr_kit_end {
    struct tr_kit_end *next;
    struct tr_death death;
};

/* Runs that are to fail in their beginning. */
struct tr_kit_refusal {
    struct tr_kit_refusal *next;
    uint32_t times;
    char path[TR_PATH_SIZE], why[256];
};

/* An actor that gets no turn. */
struct tr_kit_held {
    struct tr_kit_held *next;
    struct tr_cell *cell;
    bool waits; /* it is to run: taken, and to be given back */
};

/* Text of which the last part is kept. */
struct tr_kit_tail {
    char *text, *taken; /* terminated; what was asked for last */
    size_t size;
};

struct troupe_test {
    struct troupe_test_options options;
    struct tr_program program;
    struct tr_logger logger;
    struct tr_watcher watcher;
    struct tr_host *host;
    struct tr_node *node;
    int64_t time;
    struct tr_random random;
    int trace;               /* descriptor, or -1 */
    troupe_address probe;
    uint32_t probes;         /* that took the place of the first one */
    struct tr_got *first, *last, *taken;
    uint32_t got;            /* how many, without `taken` */
    struct tr_kit_end *ends, *last_end, *taken_end;
    uint32_t end_count;
    struct tr_kit_refusal *refusals;
    struct tr_kit_held *held;
    struct tr_kit_tail log, life;
    char mistakes[TR_KIT_TEXT];
};

/* ---- kit_run.c ---- */
/* False: there is no end to it. */
bool tr_kit_settle(troupe_test *kit);
/* Lets time pass until something is due, `until` at the latest, and settles then. */
bool tr_kit_pass(troupe_test *kit, int64_t until);
/* So much later, or when a kit's time ends. */
int64_t tr_kit_after(const troupe_test *kit, int64_t duration);
/* When something is due; INT64_MAX: nothing. */
int64_t tr_kit_next(troupe_test *kit);
void tr_kit_be_probe(troupe_test *kit);
/* This one handles all that it has been sent, and nobody else has a turn. */
void tr_kit_catch_up(troupe_test *kit, const struct tr_cell *cell);
/* Before the node ends. */
void tr_kit_let_all_go(troupe_test *kit);

/* ---- kit_probe.c ---- */
TROUPE_ACTOR_DECLARE(tr_probe)
/* Among the node's actors, before it is stepped. False: no memory. */
bool tr_kit_start_probe(troupe_test *kit);
void tr_kit_free_got(struct tr_got *got);

/* ---- kit_watch.c ---- */
void tr_kit_watch(troupe_test *kit);
void tr_kit_unwatch(troupe_test *kit);

/* ---- kit_faults.c ---- */
/* The cell of the run that is under way there; NULL: there is none. */
struct tr_cell *tr_kit_running(troupe_test *kit, troupe_address address);
/* Is the run that begins at this path to fail? Why; NULL: it is not. */
const char *tr_kit_refuses(troupe_test *kit, const char *path);
/* NULL: it is not held. */
struct tr_kit_held *tr_kit_held_of(troupe_test *kit, const struct tr_cell *cell);
void tr_kit_let_killed_go(troupe_test *kit);
/* Before the node ends. */
void tr_kit_let_all_go(troupe_test *kit);
void tr_kit_free_faults(troupe_test *kit);

/* ---- kit_tail.c ---- */
void tr_kit_tail_add(struct tr_kit_tail *tail, const char *text, size_t size);
/* Valid until the next time. */
const char *tr_kit_tail_take(struct tr_kit_tail *tail);
void tr_kit_tail_free(struct tr_kit_tail *tail);

/* ---- kit_report.c ---- */
void tr_kit_print_got(const struct tr_got *got, char *text, size_t size);
/* Tells whoever runs the test: what is wrong, and how things stand. May not return. */
void tr_kit_fail(troupe_test *kit, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same before there is a kit. */
void tr_kit_fail_early(const struct troupe_test_options *options, const char *file, int line, const char *text);

#endif
