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

/* So many wait: raises the mark, but not over the limit: senders may have reserved room beyond it that they
 * are about to give back. Any thread. */
void tr_cell_saw(struct tr_cell *cell, uint32_t depth);

/* A batch begins. What others do meanwhile may make less than nothing of the difference: never mind. */
static inline void tr_cell_look(struct tr_cell *cell) {
    uint32_t depth = atomic_load_explicit(&cell->queued, memory_order_relaxed) -
                     atomic_load_explicit(&cell->settled, memory_order_relaxed);
    uint32_t mark = atomic_load_explicit(&cell->high_water, memory_order_relaxed);
    if ((int32_t)(depth - mark) > 0) tr_cell_saw(cell, depth);
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
    atomic_store_explicit(&cell->settled_before, atomic_load_explicit(&cell->settled, memory_order_relaxed),
                          memory_order_relaxed);
}

/* What troupe_mailbox tells, to any thread. */
enum troupe_status tr_mailbox_info(struct tr_node *node, troupe_address address,
                                   struct troupe_mailbox_info *info);

#endif
