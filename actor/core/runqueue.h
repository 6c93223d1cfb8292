/*
 * A worker's own run queue: a ring of fixed size, first in, first out. One owner pushes and pops; any
 * number of thieves take half of what is there. No locks, nothing allocated.
 *
 * What is queued is a link embedded in the cell; the queue never follows it, it only hands it on. A link
 * must not be in two queues.
 */
#ifndef TR_RUNQUEUE_H
#define TR_RUNQUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Embedded in what is run: `next` belongs to the queue it is in. */
struct tr_run_link {
    struct tr_run_link *next; /* in the shared queue, and on the way there */
};

enum {
    TR_RUNQUEUE_SIZE = 256, /* a power of two */
    /* Few at a time: where work is divided, the oldest hold the most below them, and the shared queue runs
     * them before what is newer here: memory grows with how many went there. */
    TR_RUNQUEUE_SPILL = 8,
    TR_CACHE_LINE = 64,
};

/* Zero-initialised is empty. */
struct tr_runqueue {
    _Atomic uint32_t head; /* counts what was taken; by owner and thieves */
    char apart[TR_CACHE_LINE - sizeof(uint32_t)];
    _Atomic uint32_t tail; /* counts what was pushed; by the owner */
    _Atomic(struct tr_run_link *) slots[TR_RUNQUEUE_SIZE];
};

/* The owner. False: full, nothing was taken. */
bool tr_runqueue_push(struct tr_runqueue *queue, struct tr_run_link *link);
/* The owner. NULL: empty. */
struct tr_run_link *tr_runqueue_pop(struct tr_runqueue *queue);

/* The owner: takes the oldest ones out, TR_RUNQUEUE_SPILL at most, as a chain through `next` from *first to
 * *last, and returns how many they are. 0: empty. */
uint32_t tr_runqueue_spill(struct tr_runqueue *queue, struct tr_run_link **first,
                           struct tr_run_link **last);

/* By the owner of `into`: takes the older half, rounded up, of another worker's queue, as far as it was
 * there at the `end` that tr_runqueue_end said once, and `into` has room: the oldest is returned, the others
 * are pushed into `into`, in their order. NULL: none. */
struct tr_run_link *tr_runqueue_steal(struct tr_runqueue *from, struct tr_runqueue *into, uint32_t end);

/* Any thread: what is pushed from now on comes behind it. */
static inline uint32_t tr_runqueue_end(const struct tr_runqueue *queue) { return atomic_load(&queue->tail); }

/* The owner: the oldest; NULL: empty. A thief may take it meanwhile. */
struct tr_run_link *tr_runqueue_peek(struct tr_runqueue *queue);

/* Any thread; exact for the owner while nobody steals, else a moment old. */
uint32_t tr_runqueue_size(const struct tr_runqueue *queue);

#endif
