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
    for (uint32_t i = 0; i < TR_WAITER_BUCKETS; i++) free_list(waiters->buckets[i]);
    pthread_mutex_destroy(&waiters->lock);
}

static bool is_there(const struct tr_waiter *list, troupe_address to, troupe_address who) {
    for (; list != NULL; list = list->next)
        if (troupe_address_equal(list->who, who) && troupe_address_equal(list->to, to)) return true;
    return false;
}

bool tr_waiters_add(struct tr_waiters *waiters, troupe_address to, troupe_address who) {
    struct tr_waiter **bucket = &waiters->buckets[to.slot % TR_WAITER_BUCKETS];
    pthread_mutex_lock(&waiters->lock);
    bool there = is_there(*bucket, to, who);
    struct tr_waiter *waiter = there ? NULL : malloc(sizeof *waiter);
    if (waiter != NULL) {
        *waiter = (struct tr_waiter){ .next = *bucket, .to = to, .who = who };
        *bucket = waiter;
    }
    pthread_mutex_unlock(&waiters->lock);
    return there || waiter != NULL;
}

struct tr_waiter *tr_waiters_take(struct tr_waiters *waiters, uint32_t slot) {
    struct tr_waiter *taken = NULL;
    pthread_mutex_lock(&waiters->lock);
    for (struct tr_waiter **at = &waiters->buckets[slot % TR_WAITER_BUCKETS]; *at != NULL;) {
        struct tr_waiter *waiter = *at;
        if (waiter->to.slot != slot) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = taken;
        taken = waiter;
    }
    pthread_mutex_unlock(&waiters->lock);
    return taken;
}
