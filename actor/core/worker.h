/*
 * A worker: a thread that runs cells. See worker.c for how it finds work, and run.c for what running a
 * cell means.
 */
#ifndef TR_WORKER_H
#define TR_WORKER_H

#include "core/ids.h"
#include "core/loop.h"
#include "core/node.h"
#include "core/steal.h"
#include "core/timer.h"
#include "core/utilisation.h"

/* What is at hand may be done with before its handler has returned. */
enum tr_let_go {
    TR_LET_NOT,
    TR_LET_SETTLED, /* it is settled: tr_let_go */
    TR_LET_ASIDE,   /* it is to be put aside, unless the handler fails: troupe_stash */
};

/* What a handler is given as `self`: the cell and message at hand. Part of its worker. */
struct troupe_self {
    struct tr_worker *worker;
    struct tr_cell *cell;
    struct tr_message *message; /* NULL in start, stop, answer */
    bool answered;              /* the ask at hand has its reply */
    bool kept;                  /* ... or its asker was kept */
    bool counted;               /* what is at hand is a message, not a tick or the like */
    uint8_t let_go;             /* enum tr_let_go: of what is at hand */
    uint8_t declined;           /* enum troupe_status: tr_decline */
    bool nested;                /* within a handler that troupe_receive called */
    bool starting;              /* within the start handler */
    struct tr_link *at_hand;    /* what is being handled and is no message: in the mailbox, but for a source */
    const struct tr_saved *saved; /* within the start handler: what earlier runs have left; NULL: nothing */
    struct tr_message *unpacked;  /* the same, once it was asked for */
    bool unready;               /* the start handler says that readiness comes later: tr_run_ready */
    int64_t now;                /* 0: not read yet in this batch */
    char failure[512];          /* the text of TROUPE_FAIL */
    const char *cause;          /* the death that is the reason for it: a supervisor gives up; else NULL */
};

/* The descriptors of actors in a worker's loop (watch.h): cancelled by whichever worker runs the actor. */
struct tr_watches {
    pthread_mutex_t lock;
    struct tr_ids ids; /* struct tr_watch */
};

struct tr_own;

struct tr_worker {
    struct troupe_self self;
    struct tr_node *node;
    uint32_t index;
    struct tr_flight_worker *flight;
    struct tr_runqueue queue;
    _Atomic(struct tr_run_link *) next; /* the LIFO slot: what was scheduled last runs first */
    uint32_t next_runs;                 /* in a row from the LIFO slot */
    _Atomic uint32_t ticks;             /* turns; read by the monitor */
    bool owes_word;                     /* what it was woken for may be more than one can do */
    uint32_t random;
    struct tr_observed observed[TR_MAX_POOL]; /* of the others, by their index */
    struct tr_slots slots;
    struct tr_pool pool;
    struct tr_loop loop;
    struct tr_watches watches;
    struct tr_timer_wheel wheel;
    pthread_mutex_t wheel_lock;         /* for `wheel`, and all alarms in it (alarm.h) */
    _Atomic bool has_alarms;            /* false: none is in `wheel`. Written under its lock; only the worker
                                         * itself, which sets them, may rely on it without. */
    _Atomic bool parked;
    _Atomic bool slice_over;            /* set by the monitor at each look: others are to have a turn */
    struct tr_own *own;                 /* the thread of a single actor; NULL: one of the pool */
    pthread_t thread;
    struct tr_utilisation utilisation;
    char name[TR_THREAD_NAME_SIZE];     /* of its thread */
    char path[256];                     /* for troupe_self_path */
};

static inline struct tr_cell *tr_cell_of_link(struct tr_run_link *link) {
    return (struct tr_cell *)(void *)((char *)link - offsetof(struct tr_cell, run_link));
}

/* It will be run soon, or sent to: its cache lines are fetched meanwhile. Among many actors each line has to
 * come from memory, and three at once take no longer than one. */
static inline void tr_cell_expect(const struct tr_cell *cell) {
    __builtin_prefetch(&cell->mailbox, 1);
    __builtin_prefetch(&cell->front, 1);
    __builtin_prefetch(&cell->wake, 1);
}

static inline bool tr_worker_slice_is_over(const struct tr_worker *worker) {
    return atomic_load_explicit(&worker->slice_over, memory_order_relaxed);
}

/* Queues a cell to run; it must not be queued or running. `worker` is the calling thread's, or NULL. */
void tr_schedule(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell);

/* The same for a cell that had its turn: behind all others. */
void tr_schedule_last(struct tr_worker *worker, struct tr_cell *cell);

/* Wakes an idle worker, unless one is looking for work already. */
void tr_wake_one(struct tr_node *node);

/* Pushes a link into a cell's mailbox, bounded by nothing. Any thread. */
static inline void tr_cell_push(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                                struct tr_link *link) {
    if (tr_mailbox_push(&cell->mailbox, &cell->front, link)) tr_schedule(node, worker, cell);
}

/* Makes the cell look at its system lane, where the caller has put something. Any thread; cannot fail. */
void tr_cell_ring(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell);

/* Runs a scheduled cell for one batch (run.c). */
void tr_cell_run(struct tr_worker *worker, struct tr_cell *cell);

void *tr_worker_main(void *worker);

/* Gives a worker that is all zero what it works with. False: no descriptors. */
bool tr_worker_init(struct tr_worker *worker, struct tr_node *node, uint32_t index);
/* Once its thread has ended. */
void tr_worker_free(struct tr_worker *worker);

/* Timers that are due, alarms that others cancelled; descriptors, if it is their turn. */
void tr_worker_look_around(struct tr_worker *worker);
/* Until the next timer: INT64_MAX: there is none. */
int64_t tr_worker_time_to_sleep(struct tr_worker *worker);

/* The next cell to run, of this worker's queues, the shared one, or anyone's; NULL: none. */
struct tr_run_link *tr_worker_find(struct tr_worker *worker);

static inline struct tr_pool *tr_worker_pool(struct tr_worker *worker) {
    return worker == NULL ? NULL : &worker->pool;
}

/* For messages that are made on the calling thread; `worker` as ever. */
static inline struct tr_memory tr_memory_of(const struct tr_node *node, struct tr_worker *worker) {
    return (struct tr_memory){ tr_worker_pool(worker), node->options.buffers };
}

/* Slots at hand are for threads that stay. */
static inline struct tr_slots *tr_worker_slots(struct tr_worker *worker) {
    return worker == NULL || worker->own != NULL ? NULL : &worker->slots;
}

/* Is this worker one that may run the cell? */
static inline bool tr_is_at_home(const struct tr_worker *worker, struct tr_cell *cell) {
    uint8_t home = worker->own == NULL ? 0 : (uint8_t)(worker->index - TR_MAX_POOL + 1);
    return atomic_load_explicit(&cell->home, memory_order_acquire) == home;
}

/* Now, read once in a batch. */
static inline int64_t tr_worker_now(struct tr_worker *worker) {
    if (worker->self.now == 0) worker->self.now = tr_node_clock(worker->node);
    return worker->self.now;
}

/* The counters of the calling thread: the worker's own, or the shared ones. */
static inline struct tr_flight_worker *tr_counters(struct tr_node *node, struct tr_worker *worker) {
    return worker != NULL ? worker->flight : &node->flight->workers[TR_MAX_WORKERS];
}

static inline void tr_count(struct tr_worker *worker, _Atomic uint64_t *counter) {
    if (worker != NULL) tr_bump(counter);
    else atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
