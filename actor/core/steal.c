#include "core/steal.h"

#include "core/node.h"
#include "core/worker.h"

enum { LATE = 10000 }; /* ns: much more than to hand a message on, much less than to wake a thread */

static uint32_t ticks_of(const struct tr_worker *worker) {
    return atomic_load_explicit(&worker->ticks, memory_order_relaxed);
}

static void look(struct tr_observed *seen, struct tr_worker *victim, int64_t now) {
    *seen = (struct tr_observed){ .at = now,
                                .tail = tr_runqueue_end(&victim->queue),
                                .old = seen->tail,
                                .ticks = ticks_of(victim) };
}

static struct tr_run_link *take_next(struct tr_worker *victim) {
    if (atomic_load_explicit(&victim->next, memory_order_relaxed) == NULL) return NULL;
    return atomic_exchange_explicit(&victim->next, NULL, memory_order_acq_rel);
}

static struct tr_run_link *take_late(struct tr_worker *worker, struct tr_worker *victim, int64_t now) {
    struct tr_observed *seen = &worker->observed[victim->index];
    bool due = now - seen->at >= LATE;
    bool same_turn = due && seen->ticks == ticks_of(victim);
    if (due) look(seen, victim, now);
    struct tr_run_link *link = tr_runqueue_steal(&victim->queue, &worker->queue, seen->old);
    return link == NULL && same_turn ? take_next(victim) : link;
}

static struct tr_run_link *take_any(struct tr_worker *worker, struct tr_worker *victim, int64_t now) {
    (void)now;
    struct tr_run_link *link =
        tr_runqueue_steal(&victim->queue, &worker->queue, tr_runqueue_end(&victim->queue));
    return link != NULL ? link : take_next(victim);
}

/* Begins with another one each time, so that thieves do not all go to the same. */
static struct tr_run_link *go_round(struct tr_worker *worker, int64_t now,
                                    struct tr_run_link *(*take)(struct tr_worker *worker,
                                                                struct tr_worker *victim, int64_t now)) {
    struct tr_node *node = worker->node;
    worker->random = worker->random * 1664525u + 1013904223u;
    uint32_t first = (worker->random >> 16) % node->worker_count;
    for (uint32_t i = 0; i < node->worker_count; i++) {
        struct tr_worker *victim = &node->workers[(first + i) % node->worker_count];
        struct tr_run_link *link = victim == worker ? NULL : take(worker, victim, now);
        if (link != NULL) return link;
    }
    return NULL;
}

struct tr_run_link *tr_steal_late(struct tr_worker *worker, int64_t now) {
    return go_round(worker, now, take_late);
}

struct tr_run_link *tr_steal(struct tr_worker *worker) { return go_round(worker, 0, take_any); }
