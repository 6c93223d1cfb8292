/*
 * What a supervisor decides. Pure: events in, actions out, no clock, no thread; the supervisor actor and
 * the simulation drive this code. OTP's supervisor(3) gives the words and the meanings: one_for_one,
 * one_for_all, rest_for_one; permanent, transient, temporary; start from left to right, each child ready
 * before the next begins; stop from right to left; intensity and period.
 *
 * Nothing here waits: starting and stopping a child are actions, answered by events.
 */
#ifndef TR_SUPERVISION_H
#define TR_SUPERVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rules.h"

struct tr_supervision;

/* Why a run ended. */
enum tr_exit {
    TR_EXIT_NORMAL,   /* its work was done (troupe_exit) */
    TR_EXIT_SHUTDOWN, /* stopped, as the supervisor or someone else had asked */
    TR_EXIT_FAILED,   /* everything else: failure, crash, lost node, kill */
};

struct tr_child_rules {
    enum tr_restart restart;
    int64_t shutdown; /* ns, TR_INFINITY, TR_KILL */
};

struct tr_supervision_rules {
    enum tr_strategy strategy;
    uint32_t restarts; /* at most so many (one time is kept for each) ... */
    int64_t within;    /* ... in so many ns, the bounds included */
    uint32_t child_count;
    const struct tr_child_rules *children; /* copied */
};

/* Actions. Called from within the event functions; must not call back. `run` counts a child's starts
 * from 1 and comes back in its events, so that a late event of an earlier run is known as such. */
struct tr_supervision_io {
    /* Start the child; answer with started, or with exited: whatever its reason, the start failed then.
     * `flush`: it is restarted because of a sibling: its mailbox becomes dead letters (unless it opted
     * out). */
    void (*start)(void *context, uint32_t child, uint64_t run, bool flush);
    /* Stop it in order; answer with exited. `kill`: at once, without its stop handler; it may follow the
     * other. A child that was starting answers with exited alone, or with started first. */
    void (*stop)(void *context, uint32_t child, uint64_t run, bool kill);
    /* It will not be started again while its siblings live: its address goes stale, its mailbox becomes
     * dead letters. Not called once all are being stopped for good: `stopped` speaks for every child. */
    void (*forget)(void *context, uint32_t child);
    /* All children are started: tell the parent. Once, unless it gives up or is stopped before. */
    void (*started)(void *context);
    /* Everything is stopped. `gave_up`: more restarts than allowed, or a child that could not be
     * started at first; else as asked by tr_supervision_stop. The last action. */
    void (*stopped)(void *context, bool gave_up);
    /* Call tr_supervision_tick at this time; INT64_MAX: none. Replaces the one before. */
    void (*timer)(void *context, int64_t at);
};

/* Takes copies of all it is given. NULL: no memory. */
struct tr_supervision *tr_supervision_new(const struct tr_supervision_rules *rules,
                                          const struct tr_supervision_io *io, void *context);
/* At any time: it stops nothing. NULL is fine. */
void tr_supervision_free(struct tr_supervision *supervision);

/* Events. Times are from 0 on; an earlier `now` than before counts as the one before. */
void tr_supervision_start(struct tr_supervision *supervision, int64_t now);
void tr_supervision_started(struct tr_supervision *supervision, uint32_t child, uint64_t run, int64_t now);
void tr_supervision_exited(struct tr_supervision *supervision, uint32_t child, uint64_t run,
                           enum tr_exit why, int64_t now);
/* All children that `lost` (one entry for each child) names and that live have FAILED, at once and for one
 * reason: the death of a node. However many are started again for it, it counts as one restart. */
void tr_supervision_lost(struct tr_supervision *supervision, const bool *lost, int64_t now);
void tr_supervision_tick(struct tr_supervision *supervision, int64_t now);
/* Once is enough; before the start, too. */
void tr_supervision_stop(struct tr_supervision *supervision, int64_t now);

/* How many restarts of this child there were, those that failed to start included. */
uint32_t tr_supervision_restarts(const struct tr_supervision *supervision, uint32_t child);

#endif
