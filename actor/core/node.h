/*
 * A node: one runtime, with its own id, cells and workers. Several can live in one process: nothing
 * here is global.
 */
#ifndef TR_NODE_H
#define TR_NODE_H

#include "core/cell.h"
#include "core/flight.h"
#include "core/inject.h"
#include "core/thread.h"
#include "core/types.h"
#include "core/waiters.h"

struct troupe_death;
struct tr_worker;
struct tr_bonds;
struct tr_monitor;
struct tr_own;
struct tr_logger;
struct troupe_death;

enum { TR_DEFAULT_MAILBOX = 1024, TR_DEFAULT_CELLS = 16 * 1024 * 1024 };

/* A message that became a dead letter. */
struct tr_dead_news {
    troupe_address to, from;
    const struct troupe_message_type *type; /* NULL: a reply */
    enum troupe_status reason;
};

/* What core leaves to the rooms above it. */
struct tr_hooks {
    /* A reply to an ask of this cell's present run. What the answer handler returned; `*late`: nobody
     * waits for this reply any more. */
    enum troupe_status (*reply)(struct tr_worker *worker, struct tr_cell *cell,
                                struct tr_message *message, bool *late);
    /* An actor of this name is about to be spawned there. Any thread, as giving it up again, when it could
     * not be spawned. */
    enum troupe_status (*reserve_name)(struct tr_node *node, const char *name, troupe_address address);
    void (*give_up_name)(struct tr_node *node, const char *name, troupe_address address);
    /* The cell is about to be EMPTY: its name is free again before anybody is told. */
    void (*cell_ended)(struct tr_node *node, struct tr_cell *cell);
    /* A notice of the kind BOND has come up, and is taken; `valid`: for the cell that is there now. May end its run.
     * Only who bonds cells needs this and the next two. */
    void (*bond_told)(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice, bool valid);
    /* A run has begun in a cell that had bonds before. May end it. */
    void (*bonds_began)(struct tr_worker *worker, struct tr_cell *cell);
    /* The run that had them is over, and all is done that comes before anybody is told (NULL: there was none, and
     * the cell is forgotten). Takes the bonds. */
    void (*bonds_ended)(struct tr_worker *worker, troupe_address who, struct tr_bonds *bonds,
                        const struct troupe_death *death);
    /* The path of a configured actor, here or on another node; NULL: it is none. */
    const char *(*path_of)(struct tr_node *node, troupe_address address);
    /* The way to a node to which there is none yet; NULL: there is no such node. Any thread. */
    struct tr_route *(*route)(struct tr_node *node, uint64_t id);
    /* A message of the program's became a dead letter here. Any thread. NULL: nobody is told. */
    void (*dead_letter)(struct tr_node *node, struct tr_worker *worker, const struct tr_dead_news *news);
};

/* Somebody who watches every run of the node: the test kit. Called by the worker that runs the cell. */
struct tr_watcher {
    /* The run is about to call its start handler. With anything but OK it fails instead, for the reason that is in
     * self->failure then. */
    enum troupe_status (*begins)(void *context, struct tr_worker *worker, struct tr_cell *cell);
    /* It is over; its cell is not EMPTY yet. */
    void (*ended)(void *context, struct tr_cell *cell, const struct troupe_death *death);
    void *context;
};

struct tr_node_options {
    uint64_t id;
    const char *name;                 /* for people; NULL: none */
    uint32_t incarnation;
    uint32_t workers;
    int64_t spin;                     /* ns that a worker without work looks for some before it sleeps */
    const uint32_t *cores;            /* workers and threads of actors are pinned to, in turn ... */
    uint32_t core_count;              /* ... 0: they are not */
    uint32_t reserved_slots;          /* slots below this are bound, never taken */
    const struct tr_classes *classes;
    const struct tr_hooks *hooks;
    struct tr_flight *flight;         /* shared memory, or NULL: its own */
    int trace;                        /* descriptor for the trace, or -1; stays the caller's */
    struct tr_buffers *buffers;       /* of the process */
    const struct tr_logger *logger;   /* NULL: all to standard error, for people */
    void *services;                   /* the services' own state of this node */
    void *application;                /* for the rooms above: the host */
    int64_t blocked;                  /* ns in one handler before it is reported; INT64_MAX: never */
    bool serialize;                   /* pack and unpack every message, so that no placement hides a bug */
    const struct tr_watcher *watcher; /* NULL: nobody watches */
    const int64_t *time;              /* NULL: the monotonic clock. Else this is the time, and the node has no threads:
                                       * it is stepped (step.h) */
};

enum { TR_STOPPERS = 64 };

/* Who asked for a stop, by its number: for the report of the death, until so many others have been asked for. */
struct tr_stopper {
    _Atomic uint32_t number;
    _Atomic uint64_t node, place; /* place: slot << 32 | generation */
};

struct tr_node {
    struct tr_node_options options;
    uint64_t id;
    struct tr_cells cells;
    struct tr_routes routes;
    struct tr_types types;
    struct tr_waiters waiters;
    struct tr_depot depot;             /* of the workers' pools */
    struct tr_inject inject;
    struct tr_flight *flight;
    bool own_flight;
    struct tr_worker *workers;
    struct tr_monitor *monitor;
    uint32_t worker_count;
    uint32_t threads;                 /* of the workers; 0: the node is stepped */
    _Atomic uint32_t idle;            /* workers parked, or about to be */
    _Atomic uint64_t idle_mask;
    _Atomic uint32_t searching;       /* awake without work, looking for some */
    _Atomic bool stopping;            /* refuses spawns and sends from outside */
    _Atomic bool halted;              /* workers are to end */
    struct tr_own *owns;              /* threads of single actors; made when the first is needed */
    pthread_mutex_t end_lock;         /* for all to the next line */
    pthread_cond_t end_changed;
    uint32_t workers_ended;           /* threads that only wait to be joined */
    uint32_t owns_used, owns_running; /* of `owns`: places that were ever used; threads that have not ended */
    bool owns_closed;                 /* no more are made */
    /* any thread */
    _Atomic int64_t log_next;         /* when the next line about dead letters may be written */
    _Atomic uint32_t log_dropped;
    _Atomic uint32_t stops;           /* that were asked for */
    struct tr_stopper stoppers[TR_STOPPERS];
};

/* NULL: no memory, no descriptors, no threads; errno says. Its workers are running when it returns. */
struct tr_node *tr_node_new(const struct tr_node_options *options);

/* The end, in three steps. Halt: the workers end after their present batch; from here on only this
 * thread may use the node. Drain: every run ends, every mailbox is emptied into dead letters. Free. */
void tr_node_halt(struct tr_node *node);
/* The same, but gives up on workers whose handler does not return within `within` ns. False: some are
 * stuck, and the node can be neither drained nor freed. */
bool tr_node_halt_within(struct tr_node *node, int64_t within);
void tr_node_drain(struct tr_node *node);
void tr_node_free(struct tr_node *node);

/* Pins the n-th of its threads, if they are pinned. */
void tr_node_pin(struct tr_node *node, pthread_t thread, uint32_t n);

static inline int64_t tr_node_clock(const struct tr_node *node) {
    return node->options.time == NULL ? tr_thread_clock() : *node->options.time;
}

#endif
