/* All that is to run is put into the shared queue, so that there is one order: the one in which it came. */
#include "core/step.h"

#include "core/alarm.h"

static void gather(struct tr_worker *worker) {
    struct tr_inject *queue = &worker->node->inject;
    struct tr_run_link *link;
    while ((link = tr_runqueue_pop(&worker->queue)) != NULL) tr_inject_push(queue, link);
    link = atomic_exchange(&worker->next, NULL);
    if (link != NULL) tr_inject_push(queue, link);
}

uint32_t tr_node_runnable(struct tr_node *node) {
    tr_worker_look_around(&node->workers[0]);
    gather(&node->workers[0]);
    return tr_inject_size(&node->inject);
}

/* The end of a slice ends a batch after its first message. */
static void run_one(struct tr_worker *worker, struct tr_run_link *link) {
    atomic_store_explicit(&worker->slice_over, true, memory_order_relaxed);
    tr_cell_run(worker, tr_cell_of_link(link));
}

bool tr_node_step(struct tr_node *node, uint32_t pick) {
    if (tr_node_runnable(node) == 0) return false;
    for (; pick > 0; pick--) tr_inject_push(&node->inject, tr_inject_pop(&node->inject));
    run_one(&node->workers[0], tr_inject_pop(&node->inject));
    return true;
}

int64_t tr_node_next(struct tr_node *node) { return tr_alarms_next(&node->workers[0]); }
