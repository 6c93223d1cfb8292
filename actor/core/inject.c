/*
 * A list under a mutex: it is not the fast path, workers push into their own queues. Looking is frequent
 * however, so that `count` is read first, and the mutex taken only if there is something.
 *
 * `count` is written under the mutex, with sequential consistency: a worker that says it is idle and then
 * sees 0 here is seen idle by whoever pushes after that.
 */
#include "core/inject.h"

#include <stddef.h>

#include "base/assert.h"

void tr_inject_init(struct tr_inject *inject) {
    *inject = (struct tr_inject){ .first = NULL };
    int failed = pthread_mutex_init(&inject->mutex, NULL);
    tr_assert(failed == 0);
}

void tr_inject_destroy(struct tr_inject *inject) {
    tr_assert(inject->first == NULL);
    pthread_mutex_destroy(&inject->mutex);
}

void tr_inject_push(struct tr_inject *inject, struct tr_run_link *link) {
    tr_inject_push_batch(inject, link, link, 1);
}

void tr_inject_push_batch(struct tr_inject *inject, struct tr_run_link *first, struct tr_run_link *last,
                          uint32_t count) {
    tr_assert(count > 0);
    last->next = NULL;
    pthread_mutex_lock(&inject->mutex);
    if (inject->first == NULL) inject->first = first;
    else inject->last->next = first;
    inject->last = last;
    atomic_fetch_add(&inject->count, count);
    pthread_mutex_unlock(&inject->mutex);
}

struct tr_run_link *tr_inject_pop(struct tr_inject *inject) {
    uint32_t count;
    return tr_inject_pop_batch(inject, 1, &count);
}

/* Cuts the first `count` links off; there are as many. Under the mutex. */
static struct tr_run_link *cut(struct tr_inject *inject, uint32_t count) {
    struct tr_run_link *first = inject->first, *last = first;
    for (uint32_t i = 1; i < count; i++) last = last->next;
    inject->first = last->next;
    last->next = NULL;
    if (inject->first != NULL) __builtin_prefetch(inject->first, 1); /* for whoever is next */
    else inject->last = NULL;
    atomic_fetch_sub(&inject->count, count);
    return first;
}

struct tr_run_link *tr_inject_pop_batch(struct tr_inject *inject, uint32_t limit, uint32_t *count) {
    struct tr_run_link *first = NULL;
    *count = 0;
    if (limit == 0 || atomic_load(&inject->count) == 0) return NULL;
    pthread_mutex_lock(&inject->mutex);
    uint32_t there = atomic_load(&inject->count);
    *count = there < limit ? there : limit;
    if (*count > 0) first = cut(inject, *count);
    pthread_mutex_unlock(&inject->mutex);
    return first;
}

uint32_t tr_inject_size(const struct tr_inject *inject) {
    return atomic_load(&inject->count);
}
