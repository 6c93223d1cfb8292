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

struct tr_cell *tr_node_take(struct tr_node *node, uint32_t pick) {
    if (tr_node_runnable(node) == 0) return NULL;
    for (; pick > 0; pick--) tr_inject_push(&node->inject, tr_inject_pop(&node->inject));
    return tr_cell_of_link(tr_inject_pop(&node->inject));
}

void tr_node_give_back(struct tr_node *node, struct tr_cell *cell) { tr_inject_push(&node->inject, &cell->run_link); }

/* The end of a slice ends a batch after its first message. */
void tr_node_run(struct tr_node *node, struct tr_cell *cell) {
    struct tr_worker *worker = &node->workers[0];
    atomic_store_explicit(&worker->slice_over, true, memory_order_relaxed);
    tr_cell_run(worker, cell);
}

int64_t tr_node_next(struct tr_node *node) { return tr_alarms_next(&node->workers[0]); }
