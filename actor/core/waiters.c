#include "core/waiters.h"

#include <stdlib.h>
#include <string.h>

void tr_waiters_init(struct tr_waiters *waiters) {
    memset(waiters, 0, sizeof *waiters);
    pthread_mutex_init(&waiters->lock, NULL);
}

static void free_list(struct tr_waiter *list) {
    while (list != NULL) {
        struct tr_waiter *next = list->next;
        free(list);
        list = next;
    }
}

void tr_waiters_free(struct tr_waiters *waiters) {
    for (uint32_t i = 0; i < TR_WAITER_BUCKETS; i++) free_list(waiters->queues[i].first);
    pthread_mutex_destroy(&waiters->lock);
}

static struct tr_waiter **pair_of(struct tr_waiters *waiters, troupe_address to, troupe_address who) {
    uint64_t both = ((uint64_t)to.slot << 32 | who.slot) * UINT64_C(0x9E3779B97F4A7C15);
    struct tr_waiter **at = &waiters->pairs[both >> 32 & (TR_WAITER_BUCKETS - 1)];
    while (*at != NULL && !(troupe_address_equal((*at)->who, who) && troupe_address_equal((*at)->to, to)))
        at = &(*at)->next_pair;
    return at;
}

static void append(struct tr_waiter_queue *queue, struct tr_waiter *waiter) {
    if (queue->first == NULL) queue->first = waiter;
    else queue->last->next = waiter;
    queue->last = waiter;
}

bool tr_waiters_add(struct tr_waiters *waiters, troupe_address to, troupe_address who) {
    pthread_mutex_lock(&waiters->lock);
    struct tr_waiter **pair = pair_of(waiters, to, who);
    bool there = *pair != NULL;
    if (!there && (*pair = malloc(sizeof **pair)) != NULL) {
        **pair = (struct tr_waiter){ .to = to, .who = who };
        append(&waiters->queues[to.slot % TR_WAITER_BUCKETS], *pair);
        there = true;
    }
    pthread_mutex_unlock(&waiters->lock);
    return there;
}

/* Behind `before`, or the first. */
static void take_out(struct tr_waiters *waiters, struct tr_waiter_queue *queue, struct tr_waiter *before,
                     struct tr_waiter *waiter) {
    struct tr_waiter **pair = pair_of(waiters, waiter->to, waiter->who);
    *pair = waiter->next_pair;
    if (before == NULL) queue->first = waiter->next;
    else before->next = waiter->next;
    if (queue->last == waiter) queue->last = before;
    waiter->next = NULL;
}

struct tr_waiter *tr_waiters_take(struct tr_waiters *waiters, uint32_t slot, uint32_t most, bool *more) {
    struct tr_waiter_queue *queue = &waiters->queues[slot % TR_WAITER_BUCKETS], taken = { 0 };
    struct tr_waiter *before = NULL, *next;
    *more = false;
    pthread_mutex_lock(&waiters->lock);
    for (struct tr_waiter *waiter = queue->first; waiter != NULL && !*more; waiter = next) {
        next = waiter->next;
        if (waiter->to.slot != slot) {
            before = waiter;
        } else if (most == 0) {
            *more = true;
        } else {
            take_out(waiters, queue, before, waiter);
            append(&taken, waiter);
            most--;
        }
    }
    pthread_mutex_unlock(&waiters->lock);
    return taken.first;
}
