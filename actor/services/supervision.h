/*
 * What a supervisor decides. Pure: events in, actions out, no clock, no thread; the supervisor actor and
 * the simulation drive this code. OTP's supervisor(3) gives the words and the meanings: one_for_one,
 * one_for_all, rest_for_one, and dynamic, which is its simple_one_for_one; permanent, transient, temporary;
 * start from left to right, each child ready before the next begins; stop from right to left; intensity and
 * period; significant children. Backoff and a deadline for being ready are additions.
 *
 * Nothing here waits: starting and stopping a child are actions, answered by events. So requests are served
 * at any time. services/supervision.c has the essay.
 */
#ifndef TR_SUPERVISION_H
#define TR_SUPERVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rules.h"

struct tr_supervision;

enum { TR_MAX_CHILDREN = 1 << 20 };

/* A child of one supervisor. When it is forgotten its index is given to another, with the next serial. */
typedef struct tr_child_id {
    uint32_t index, serial;
} tr_child_id;

/* Why a run ended. */
enum tr_exit {
    TR_EXIT_NORMAL,   /* its work was done (troupe_exit) */
    TR_EXIT_SHUTDOWN, /* stopped, as the supervisor or someone else had asked */
    TR_EXIT_FAILED,   /* everything else: failure, crash, lost node, kill */
};

struct tr_child_rules {
    enum tr_restart restart;
    int64_t shutdown; /* ns, TR_INFINITY, TR_KILL */
    int64_t ready;    /* ns from its start until it must be ready; TR_INFINITY */
    bool significant; /* its own end counts for auto_shutdown */
};

struct tr_supervision_rules {
    enum tr_strategy strategy;
    enum tr_auto_shutdown auto_shutdown;
    uint32_t restarts;     /* at most so many ... */
    int64_t within;        /* ... in so many ns, the bounds included */
    uint32_t max_children; /* at once; 0: TR_MAX_CHILDREN, which is the most */
    struct tr_backoff_rules backoff;
    uint64_t seed;         /* of the jitter */
};

enum tr_child_state {
    TR_CHILD_GONE,     /* forgotten; its entry is free */
    TR_CHILD_DOWN,     /* waits for its turn to be started */
    TR_CHILD_STARTING, /* asked to; not answered */
    TR_CHILD_RUNNING,
    TR_CHILD_STOPPING, /* asked to; not answered */
    TR_CHILD_KILLING,
    TR_CHILD_ENDED,    /* not judged yet */
    TR_CHILD_WAITING,  /* for the end of its backoff */
    TR_CHILD_RESTING,  /* kept; runs again when asked for, or with its siblings */
};

/* What became of a request. */
enum tr_answer {
    TR_ANSWER_OK,
    TR_ANSWER_IGNORED,    /* it had nothing to do: it does not run */
    TR_ANSWER_FAILED,     /* it did not start, or was stopped before it was ready */
    TR_ANSWER_RUNNING,    /* it must not run for this */
    TR_ANSWER_RESTARTING, /* it is about to run, or to be judged: it must rest for this */
    TR_ANSWER_NOT_FOUND,
    TR_ANSWER_INVALID,
    TR_ANSWER_STOPPING,   /* all are being stopped for good */
    TR_ANSWER_LIMIT,      /* max_children; or so many requests wait already */
    TR_ANSWER_NO_MEMORY,
};

/* Why everything was stopped. */
enum tr_over {
    TR_OVER_ASKED,    /* tr_supervision_stop */
    TR_OVER_GAVE_UP,  /* more restarts than allowed, or a child that could not be started at first */
    TR_OVER_FINISHED, /* significant children were done: auto_shutdown */
};

/* Actions. Called from within the functions below; must not call back. `run` counts a child's starts
 * from 1 and comes back in its events, so that a late event of an earlier run is known as such. */
struct tr_supervision_io {
    /* Start the child; answer with started or ignored; or with exited: whatever its reason, the start
     * failed then. `flush`: it is restarted because of a sibling: its mailbox becomes dead letters (unless
     * it opted out). */
    void (*start)(void *context, tr_child_id child, uint64_t run, bool flush);
    /* Stop it in order; answer with exited. `kill`: at once, without its stop handler; it may follow the
     * other. A child that was starting answers with exited alone, or with started first. */
    void (*stop)(void *context, tr_child_id child, uint64_t run, bool kill);
    /* It rests, and no sibling can bring it back: its address goes stale, its mailbox becomes dead letters.
     * How to start it is kept: a request may bring it back. */
    void (*rest)(void *context, tr_child_id child);
    /* As rest, and for good: there is no such child any more. Neither is called once all are being stopped
     * for good: `stopped` speaks for every child. */
    void (*forget)(void *context, tr_child_id child);
    /* Exactly once for each request. Of a child that is then forgotten: before that. */
    void (*answer)(void *context, uint64_t request, enum tr_answer answer, tr_child_id child);
    /* All children are started: tell the parent. Once, unless it gives up or is stopped before. */
    void (*started)(void *context);
    /* Everything is stopped. The last action, but for answers to what is asked after it. */
    void (*stopped)(void *context, enum tr_over over);
    /* Call tr_supervision_tick at this time; INT64_MAX: none. Replaces the one before. */
    void (*timer)(void *context, int64_t at);
};

/* Takes copies of all it is given. NULL: no memory. */
struct tr_supervision *tr_supervision_new(const struct tr_supervision_rules *rules,
                                          const struct tr_supervision_io *io, void *context);
/* At any time: it stops nothing, and answers nothing. NULL is fine. */
void tr_supervision_free(struct tr_supervision *supervision);

/* One more child, to the right of those there are. No action: before the start it waits for that, later for
 * tr_supervision_launch, which must follow at once. INVALID: significant, but permanent, or with no
 * auto_shutdown, or dynamic. LIMIT, NO_MEMORY, STOPPING. */
enum tr_answer tr_supervision_add(struct tr_supervision *supervision, const struct tr_child_rules *rules,
                                  tr_child_id *id);

/* One that was just added, as if it had not been: instead of launching it. No action. */
void tr_supervision_drop(struct tr_supervision *supervision, tr_child_id id);

/* Events. Times are from 0 on; an earlier `now` than before counts as the one before. Those of a child that
 * is unknown, of an earlier run, or out of place change nothing. */
void tr_supervision_start(struct tr_supervision *supervision, int64_t now);
void tr_supervision_started(struct tr_supervision *supervision, tr_child_id child, uint64_t run,
                            int64_t now);
/* Its start handler said that there is nothing to do; the run has ended. No failure. */
void tr_supervision_ignored(struct tr_supervision *supervision, tr_child_id child, uint64_t run,
                            int64_t now);
void tr_supervision_exited(struct tr_supervision *supervision, tr_child_id child, uint64_t run,
                           enum tr_exit why, int64_t now);
/* Those of these children that live have FAILED, at once and for one reason: the death of a node. However
 * many are started again for it, it counts as one restart. */
void tr_supervision_lost(struct tr_supervision *supervision, const tr_child_id *children, uint32_t count,
                         int64_t now);
void tr_supervision_tick(struct tr_supervision *supervision, int64_t now);
/* Once is enough; before the start, too. */
void tr_supervision_stop(struct tr_supervision *supervision, int64_t now);

/* Requests: each number (not 0) is answered once, at once or later. */

/* Starts one that was just added: OK, IGNORED; FAILED: it is forgotten, and no restart is counted. */
void tr_supervision_launch(struct tr_supervision *supervision, tr_child_id child, uint64_t request,
                           int64_t now);
/* Stops a child. It rests then; temporary and dynamic children are forgotten. OK when it has ended. */
void tr_supervision_terminate(struct tr_supervision *supervision, tr_child_id child, uint64_t request,
                              int64_t now);
/* Starts one that rests: as launch, but one that fails rests. RUNNING, RESTARTING; INVALID (dynamic). */
void tr_supervision_restart(struct tr_supervision *supervision, tr_child_id child, uint64_t request,
                            int64_t now);
/* Forgets one that rests. RUNNING, RESTARTING; INVALID (dynamic). */
void tr_supervision_delete(struct tr_supervision *supervision, tr_child_id child, uint64_t request,
                           int64_t now);

/* ---- Looking ---- */

struct tr_child_look {
    enum tr_child_state state;
    int64_t since;     /* of that state */
    uint64_t restarts; /* starts but the first, those that failed included */
};

/* False: there is no such child. */
bool tr_supervision_look(const struct tr_supervision *supervision, tr_child_id child,
                         struct tr_child_look *look);
/* From left to right. False: there is none, or no more. */
bool tr_supervision_first(const struct tr_supervision *supervision, tr_child_id *child);
bool tr_supervision_next(const struct tr_supervision *supervision, tr_child_id *child);
/* How many there are, and how many of them live: from the start to the end of a run. */
uint32_t tr_supervision_count(const struct tr_supervision *supervision, uint32_t *living);

#endif
