/*
 * How full a mailbox is, and the most it ever was. Nothing is done for each message: senders reserve room
 * and the consumer counts what is settled (send.c, batch.c), and the difference is looked at when a batch
 * begins and when a message finds no room.
 */
#ifndef TR_DEPTH_H
#define TR_DEPTH_H

#include "core/worker.h"

/* How many wait. What is settled between the two looks is not counted twice. */
static inline uint32_t tr_cell_depth(struct tr_cell *cell) {
    uint32_t queued = atomic_load(&cell->queued);
    uint32_t depth = queued - atomic_load(&cell->settled);
    return depth > INT32_MAX ? 0 : depth;
}

/* So many wait: raises the mark. Senders may have reserved room over the limit and be about to give it
 * back: that is not counted. Any thread. */
static inline void tr_cell_saw(struct tr_cell *cell, uint32_t depth) {
    uint32_t limit = atomic_load_explicit(&cell->limit, memory_order_relaxed);
    uint32_t mark = atomic_load_explicit(&cell->high_water, memory_order_relaxed);
    if (depth > limit) depth = limit;
    while (depth > mark && !atomic_compare_exchange_weak(&cell->high_water, &mark, depth)) {
    }
}

/* A message found no room. */
static inline void tr_cell_saw_full(struct tr_cell *cell) {
    atomic_fetch_add_explicit(&cell->refused, 1, memory_order_relaxed);
    tr_cell_saw(cell, UINT32_MAX);
}

/* Another actor has the cell now. */
static inline void tr_cell_saw_nothing(struct tr_cell *cell) {
    atomic_store_explicit(&cell->high_water, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->refused, 0, memory_order_relaxed);
}

/* What troupe_mailbox tells, to any thread. */
enum troupe_status tr_mailbox_info(struct tr_node *node, troupe_address address,
                                   struct troupe_mailbox_info *info);

#endif
