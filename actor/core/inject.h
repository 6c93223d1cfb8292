/*
 * The node's shared queue: work from threads that are no workers, and what a worker's full queue spilled.
 * First in, first out, without bound: the links are embedded in what is queued. A mutex guards it; whether
 * there is anything is known without it. Any thread.
 */
#ifndef TR_INJECT_H
#define TR_INJECT_H

#include <pthread.h>

#include "core/runqueue.h"

struct tr_inject {
    pthread_mutex_t mutex;
    struct tr_run_link *first, *last;
    _Atomic uint32_t count;
};

void tr_inject_init(struct tr_inject *inject);
/* It must be empty. */
void tr_inject_destroy(struct tr_inject *inject);

void tr_inject_push(struct tr_inject *inject, struct tr_run_link *link);
/* A chain of `count` links through `next`, from first to last. */
void tr_inject_push_batch(struct tr_inject *inject, struct tr_run_link *first, struct tr_run_link *last,
                          uint32_t count);

/* NULL: empty. */
struct tr_run_link *tr_inject_pop(struct tr_inject *inject);
/* At most `limit` links, as a chain that ends with NULL; how many is put into *count. */
struct tr_run_link *tr_inject_pop_batch(struct tr_inject *inject, uint32_t limit, uint32_t *count);

/* A moment old. */
uint32_t tr_inject_size(const struct tr_inject *inject);

#endif
