/*
 * A cell: what an address names. It outlives the runs of the actor in it, and its memory is never given
 * back while the node lives, so that an old address can always be looked at and found stale.
 *
 * Life of a cell (tr_cell_move):
 *
 *     EMPTY -> RUNNING -> EMPTY            an actor that nobody supervises
 *     EMPTY -> DOWN -> RUNNING -> DOWN     a configured one: bound, started, waiting for a restart
 *              DOWN -> EMPTY               forgotten by its supervisor
 *     EMPTY -> RUNNING -> DOWN             one that code has added to a supervisor, its first run
 *
 * Everything but the senders' part is touched only by the worker that runs the cell; which worker that
 * is, the mailbox decides: whoever finds it empty schedules the cell, and it is queued once at most.
 *
 * A cell is three cache lines. Senders write to the first; the worker that handles a queue of messages
 * stays on the second and finds there, again, what it needs to know of the first. So a busy receiver does
 * not fetch, for each message, the line that its senders are writing to.
 */
#ifndef TR_CELL_H
#define TR_CELL_H

#include <pthread.h>

#include "base/assert.h"
#include "core/class.h"
#include "core/ids.h"
#include "core/mailbox.h"
#include "core/route.h"
#include "core/runqueue.h"

struct tr_bonds;
struct tr_idle;
struct tr_membership;
struct tr_node;
struct tr_worker;
struct tr_cell;

enum tr_life { TR_LIFE_EMPTY, TR_LIFE_RUNNING, TR_LIFE_DOWN };

enum {
    TR_AGENT_SLOT = 1,       /* Troupe's own actors, on every node (services.h): the agent ... */
    TR_GROUPS_SLOT = 2,      /* ... who keeps the groups ... */
    TR_OBSERVER_SLOT = 3,    /* ... who tells what is going on */
    TR_FIRST_SLOT = 4,       /* the first configured cell */
    TR_BOUND_GENERATION = 1, /* of all these, and of the configured cells: known to all from the start */
};

/* What a cell does that is no actor: lanes and the host. Called by the worker that runs it. */
struct tr_native {
    /* Takes the link: an event, or a message for a lane's node. */
    void (*handle)(void *context, struct tr_worker *worker, struct tr_link *link);
    /* The mailbox is empty for now, or the batch is over. */
    void (*flush)(void *context, struct tr_worker *worker);
};

/* What a worker does with a cell whose turn it is. */
enum tr_turn {
    TR_TURN_PLAIN,
    TR_TURN_NATIVE,  /* lanes and the host: see tr_cell_native */
    TR_TURN_WATCHED, /* an actor that waits for silence: idle.h */
};

/* How to begin a run. */
struct tr_run_spec {
    const struct tr_class *class;
    struct tr_message *args;   /* taken */
    const char *path;          /* NULL: unnamed */
    const char *name;          /* to register; NULL: none */
    troupe_address owner;      /* its supervisor: told of the start and the end; or none */
    uint64_t key;              /* the owner's name for it */
    uint32_t run;              /* 0, 1, ... */
    uint32_t mailbox_limit;    /* 0: the node's default */
    bool drop_newest;
    bool at_least_once;
    bool flush;                /* what waits in the mailbox becomes dead letters */
    bool own_thread;           /* of a cell that tr_bind or tr_spawn makes */
    struct tr_saved *saved;    /* taken: what earlier runs have left; NULL: nothing */
    struct tr_cell_more *more; /* taken: for a cell that has none yet; NULL: made when it is needed */
    struct tr_notice *words;   /* of bonds, for a new cell, to be read before the start: taken on success */
};

enum tr_notice_kind { TR_NOTICE_START, TR_NOTICE_FORGET, TR_NOTICE_BOND };

/* On the system lane. */
struct tr_notice {
    struct tr_notice *next;
    uint8_t kind;             /* enum tr_notice_kind; BOND: the hooks' own (node.h) */
    uint8_t memory;           /* what tr_pool_take said of it */
    uint32_t generation;
};

/* START and FORGET. */
struct tr_order {
    struct tr_notice notice;  /* first: a notice is cast to it */
    struct tr_run_spec start; /* its strings follow the order */
};

static inline struct tr_order *tr_order_of(struct tr_notice *notice) { return (struct tr_order *)(void *)notice; }

/* What rings when there is something on the system lane. */
enum tr_bell {
    TR_BELL_WAKE = 1,   /* `wake` is in the mailbox, or about to be */
    TR_BELL_ORDERS = 2, /* there are notices or a stop: to be looked at before the next message */
};

enum tr_stop { TR_STOP_NONE, TR_STOP_ORDERLY, TR_STOP_KILL };
enum { TR_STOP_SHIFT = 30 };

static inline enum tr_stop tr_stop_how(uint64_t stop) {
    return (enum tr_stop)(stop >> TR_STOP_SHIFT & 3);
}

/* The part that few cells need. */
struct tr_cell_more {
    char *path, *name;
    troupe_address owner;
    uint64_t key;
    uint32_t run;
    uint32_t stashed;                 /* how many are in `stash` */
    uint32_t otherwise;               /* messages done with that took no room: not in `settled` */
    troupe_address stopped_by;        /* whoever asked for its stop, as far as that is known */
    bool unready;                     /* this run has not become ready yet */
    bool ignored;                     /* ... and will not, for it has nothing to do */
    int64_t started;
    struct tr_ids alarms;             /* timers and deadlines of asks: struct tr_alarm */
    struct tr_ids sources;            /* watched descriptors, signals: struct tr_source */
    struct tr_ids kept;               /* struct troupe_asker: to be answered later */
    struct tr_link *stash;            /* the last of those put aside, which refers to the first; NULL: none */
    struct tr_idle *idle;             /* NULL: it never waited for silence */
    struct tr_membership *memberships; /* the services': groups and topics that it is in */
    struct tr_bonds *bonds;           /* monitors and links, of the hooks; NULL: none, ever, or since its run ended */
};

struct tr_cell {
    /* -- senders write here -- */
    struct tr_mailbox mailbox;
    _Atomic(const struct tr_class *) class; /* of the present or last run; NULL: native or never used */
    _Atomic uint32_t queued;     /* messages pushed ... */
    _Atomic uint32_t settled_seen; /* `settled`, as a sender last looked */
    _Atomic uint32_t generation; /* of the address that is valid now */
    _Atomic uint32_t limit;      /* of queued - settled */
    _Atomic bool drop_newest;    /* over the limit: taken, and dead */
    _Atomic bool at_least_once;  /* a message whose handler failed is handled again */
    _Atomic bool waiters;        /* somebody was refused and wants troupe_ready */
    _Atomic uint8_t home;        /* 0: any worker of the pool runs it; else one of its own: see own.h */
    _Atomic uint32_t refused;    /* messages that found it full */
    _Atomic(struct tr_notice *) notices;
    _Atomic uint64_t stop;       /* generation << 32 | enum tr_stop << TR_STOP_SHIFT | a number that is its own */
    _Atomic uint32_t high_water; /* the most that waited, as far as anybody saw: tr_cell_saw */
    /* -- the consumer's -- */
    struct tr_mailbox_front front __attribute__((aligned(64)));
    void *state;
    const struct tr_class *running; /* `class` of the present run */
    struct tr_link *held;        /* taken from the mailbox, to be handled before it; see held_last */
    struct tr_cell_more *more;
    struct tr_run_link run_link;
    _Atomic uint32_t settled;    /* messages done with */
    uint32_t slot;
    uint32_t run_generation;     /* `generation` */
    uint8_t life;
    uint8_t turn;                /* enum tr_turn */
    bool ended;                  /* troupe_exit was called: the run is to end with `end_status` */
    _Atomic uint8_t bell;        /* enum tr_bell */
    /* -- the consumer's, seldom needed -- */
    struct tr_link wake __attribute__((aligned(64))), guard;
    struct tr_link *held_last;
    uint8_t end_status;          /* enum troupe_status: OK or STOPPING */
    bool guarded;                /* `guard` is in the mailbox */
    _Atomic uint32_t settled_before; /* `settled`, when the actor that is there now was spawned */
    _Alignas(16) char small_state[16]; /* a state that fits is kept here */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct tr_cell) == 192, "a cell is three cache lines");

/* What a native cell has for its state. */
struct tr_native_state {
    const struct tr_native *methods;
    void *context;
};

static inline struct tr_native_state *tr_cell_native(struct tr_cell *cell) {
    return (struct tr_native_state *)(void *)cell->small_state;
}

/* By the consumer, or before anybody knows the cell. */
static inline void tr_cell_set_generation(struct tr_cell *cell, uint32_t generation) {
    cell->run_generation = generation;
    atomic_store_explicit(&cell->generation, generation, memory_order_release);
}

/* Takes the head out of the mailbox: tr_mailbox_advance. */
static inline bool tr_cell_advance(struct tr_cell *cell) {
    return tr_mailbox_advance(&cell->mailbox, &cell->front);
}

/* ---- The table of cells ---- */

enum { TR_CELL_SEGMENTS = 26, TR_CELL_FIRST = 64 };

struct tr_cells {
    _Atomic(struct tr_cell *) segments[TR_CELL_SEGMENTS];
    pthread_mutex_t lock;    /* for all below */
    uint32_t *free;          /* slots to use again; workers keep some of their own */
    uint32_t free_count, free_size;
    uint32_t next, limit;    /* never used yet; the most there may be */
    uint32_t base_generation;
};

/* Slots below `reserved` are for tr_cells_at only; generations begin after `base_generation`. */
void tr_cells_init(struct tr_cells *cells, uint32_t reserved, uint32_t limit, uint32_t base_generation);
void tr_cells_free(struct tr_cells *cells);

/* The cell of a slot, or NULL if its segment does not exist. Any thread. */
struct tr_cell *tr_cells_at(struct tr_cells *cells, uint32_t slot);
/* The same, and makes the segment. NULL: no memory, or over the limit. */
struct tr_cell *tr_cells_make(struct tr_cells *cells, uint32_t slot);
/* Slots that a worker has at hand, so that most spawns and ends take no lock. Zero-initialised is empty. */
enum { TR_SLOTS_AT_HAND = 128 };
struct tr_slots {
    uint32_t count;
    struct tr_cell *items[TR_SLOTS_AT_HAND];
};

/* An EMPTY cell that nobody else gets until tr_cells_release. `slots`: the calling worker's, or NULL. */
struct tr_cell *tr_cells_take(struct tr_cells *cells, struct tr_slots *slots,
                              enum troupe_status *status);
/* One that never had an address, so that nobody's late message can come up in it. NULL: no memory, or
 * over the limit. */
struct tr_cell *tr_cells_take_unused(struct tr_cells *cells);
void tr_cells_release(struct tr_cells *cells, struct tr_slots *slots, struct tr_cell *cell);

/* The first cell from `*slot` on that was ever used; NULL: no more. For the end of a node. */
struct tr_cell *tr_cells_next(struct tr_cells *cells, uint32_t *slot);

/* Moves the life of a cell along the table; asserts that the move is allowed. */
static inline void tr_cell_move(struct tr_cell *cell, enum tr_life to) {
    static const uint8_t allowed[] = {
        [TR_LIFE_EMPTY] = 1 << TR_LIFE_RUNNING | 1 << TR_LIFE_DOWN,
        [TR_LIFE_RUNNING] = 1 << TR_LIFE_EMPTY | 1 << TR_LIFE_DOWN,
        [TR_LIFE_DOWN] = 1 << TR_LIFE_EMPTY | 1 << TR_LIFE_RUNNING,
    };
    tr_assert((allowed[cell->life] >> to & 1) != 0);
    cell->life = (uint8_t)to;
}

/* NULL: no memory. */
struct tr_cell_more *tr_cell_more(struct tr_cell *cell);

/* An order with copies of the strings. Takes start->args on success. */
struct tr_notice *tr_notice_start(struct tr_pool *pool, const struct tr_run_spec *start,
                                  uint32_t generation);
/* START, FORGET. */
void tr_notice_free(struct tr_pool *pool, struct tr_notice *notice);

#endif
