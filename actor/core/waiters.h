/* Who was refused with FULL, and by whom: actors that want troupe_ready. One table for a node or a lane,
 * behind a lock: the slow path. Each pair is kept once, and those who wait for one receiver are told in the order in
 * which they came. */
#ifndef TR_WAITERS_H
#define TR_WAITERS_H

#include <pthread.h>
#include <troupe/message.h>

struct tr_waiter {
    struct tr_waiter *next;      /* in its queue, or of what was taken */
    struct tr_waiter *next_pair; /* of the same hash */
    troupe_address to, who;
};

enum { TR_WAITER_BUCKETS = 256 };

struct tr_waiter_queue {
    struct tr_waiter *first, *last;
};

struct tr_waiters {
    pthread_mutex_t lock;
    struct tr_waiter_queue queues[TR_WAITER_BUCKETS]; /* by the slot of `to` */
    struct tr_waiter *pairs[TR_WAITER_BUCKETS];       /* by both */
};

void tr_waiters_init(struct tr_waiters *waiters);
void tr_waiters_free(struct tr_waiters *waiters);

/* False: no memory. */
bool tr_waiters_add(struct tr_waiters *waiters, troupe_address to, troupe_address who);

/* The first `most` who wait for this slot, whatever the generation: a list that the caller frees. `*more`: there are
 * others. */
struct tr_waiter *tr_waiters_take(struct tr_waiters *waiters, uint32_t slot, uint32_t most, bool *more);

#endif
