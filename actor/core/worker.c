/*
 * How a worker finds work.
 *
 * (The threads of single actors are not spoken of here: they look for nothing, see own.h.)
 *
 * It looks, in this order, at its LIFO slot (the cell that the last handler sent to: its message is
 * still in the cache), its own queue, the node's shared queue (work from outside threads and what a full
 * queue spilled), and then at the queues and LIFO slots of the other workers. Two exceptions keep it
 * fair: after a few turns in a row the LIFO slot goes to the end of the queue, and every so many turns, and
 * whenever the monitor says that a slice of time is over, the shared queue is looked at first. The end of
 * a slice also ends the batch of the cell at hand, so that slow handlers do not make turns long.
 *
 * Going to sleep. A worker that found nothing searches for a moment (`spin:` in the configuration). What it
 * takes from others, steal.h tells: if it leaves something to its owner, it naps and looks again. Otherwise
 * it puts itself on the idle mask, looks at every queue once more, and parks in its loop until its next timer. Whoever queues work that another worker could take wakes
 * one idle worker, unless one is searching already: that one will find it, and the last to stop searching
 * looks once more after it has said so. One may have been woken for the work of several; so whoever comes
 * from searching or from sleep wakes the next as soon as it has work, if there is more. A cell that goes to a
 * LIFO slot wakes nobody: its worker takes it next.
 *
 * The order of the two sides (queue, then look for the idle; go idle, then look at the queues) is what
 * guarantees that no work is left lying while all sleep; both use sequentially consistent operations:
 * pushing into a queue is one (runqueue.c, inject.c), and so is going idle.
 */
#include "core/worker.h"

#include "core/alarm.h"
#include "core/monitor.h"
#include "core/own.h"
#include "core/steal.h"
#include "core/thread.h"

enum {
    LIFO_IN_A_ROW = 16, /* then the queue has a turn */
    SHARED_EVERY = 61,  /* turns between looks at the shared queue first */
    POLL_EVERY = 64,    /* turns between looks at timers and descriptors */
    ROUNDS_PER_LOOK = 8, /* of a search, at the clock */
    NAP = 10000,         /* ns; the kernel makes some 80 us of it */
};

void tr_wake_one(struct tr_node *node) {
    if (atomic_load(&node->idle) == 0 || atomic_load(&node->searching) > 0) return;
    uint64_t mask = atomic_load(&node->idle_mask);
    while (mask != 0) {
        uint32_t index = (uint32_t)__builtin_ctzll(mask);
        if (atomic_compare_exchange_weak(&node->idle_mask, &mask, mask & ~(UINT64_C(1) << index))) {
            atomic_fetch_sub(&node->idle, 1);
            tr_loop_wake(&node->workers[index].loop);
            return;
        }
    }
}

/* Into the worker's own queue; the oldest of a full one go to the shared queue. */
static void enqueue(struct tr_worker *worker, struct tr_run_link *link) {
    while (!tr_runqueue_push(&worker->queue, link)) {
        struct tr_run_link *first, *last;
        uint32_t count = tr_runqueue_spill(&worker->queue, &first, &last);
        if (count > 0) tr_inject_push_batch(&worker->node->inject, first, last, count);
    }
}

/* Where there are no others, nobody takes from the LIFO slot but its owner. */
static struct tr_run_link *swap_next(struct tr_worker *worker, struct tr_run_link *link) {
    if (worker->node->worker_count > 1)
        return atomic_exchange_explicit(&worker->next, link, memory_order_acq_rel);
    struct tr_run_link *before = atomic_load_explicit(&worker->next, memory_order_relaxed);
    atomic_store_explicit(&worker->next, link, memory_order_relaxed);
    return before;
}

/* Others only take from the LIFO slot: while it is empty, its owner may simply fill it. */
static struct tr_run_link *put_next(struct tr_worker *worker, struct tr_run_link *link) {
    if (atomic_load_explicit(&worker->next, memory_order_relaxed) != NULL) return swap_next(worker, link);
    atomic_store_explicit(&worker->next, link, memory_order_release);
    return NULL;
}

void tr_schedule(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_run_link *link = &cell->run_link;
    uint8_t home = atomic_load_explicit(&cell->home, memory_order_acquire);
    if (home != 0) {
        tr_own_schedule(node, home);
        return;
    }
    if (worker == NULL || worker->own != NULL) {
        tr_inject_push(&node->inject, link);
    } else {
        link = put_next(worker, link);
        if (link == NULL) return;
        enqueue(worker, link);
    }
    tr_wake_one(node);
}

void tr_schedule_last(struct tr_worker *worker, struct tr_cell *cell) {
    if (worker->own != NULL || !tr_is_at_home(worker, cell)) {
        tr_schedule(worker->node, worker, cell);
        return;
    }
    /* Behind all others: those of the shared queue come when this worker's own queue is empty. */
    if (tr_inject_size(&worker->node->inject) > 0) tr_inject_push(&worker->node->inject, &cell->run_link);
    else enqueue(worker, &cell->run_link);
    tr_wake_one(worker->node);
}

void tr_cell_ring(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell) {
    uint8_t before = atomic_fetch_or(&cell->bell, TR_BELL_WAKE | TR_BELL_ORDERS);
    if ((before & TR_BELL_WAKE) == 0) tr_cell_push(node, worker, cell, &cell->wake);
}

/* ---- Finding work ---- */

static struct tr_run_link *take_next(struct tr_worker *worker) {
    if (atomic_load_explicit(&worker->next, memory_order_relaxed) == NULL) return NULL;
    return swap_next(worker, NULL);
}

/* The oldest of the queue; the one behind it is fetched meanwhile. */
static struct tr_run_link *take_queued(struct tr_worker *worker) {
    struct tr_run_link *link = tr_runqueue_pop(&worker->queue);
    struct tr_run_link *next = link == NULL ? NULL : tr_runqueue_peek(&worker->queue);
    if (next != NULL) tr_cell_expect(tr_cell_of_link(next));
    return link;
}

/* The LIFO slot, unless it had its share: then what is in it waits behind the queue. */
static struct tr_run_link *local_work(struct tr_worker *worker) {
    struct tr_run_link *link = take_next(worker);
    if (link != NULL && worker->next_runs++ < LIFO_IN_A_ROW) return link;
    worker->next_runs = 0;
    if (link != NULL) enqueue(worker, link);
    return take_queued(worker);
}

static bool has_queued(const struct tr_node *node) {
    bool found = false;
    for (uint32_t i = 0; i < node->worker_count && !found; i++)
        found = tr_runqueue_size(&node->workers[i].queue) > 0;
    return found;
}

static uint32_t ticks_of(const struct tr_worker *worker) {
    return atomic_load_explicit(&worker->ticks, memory_order_relaxed);
}

static struct tr_run_link *find_work(struct tr_worker *worker, bool shared_first) {
    struct tr_run_link *link = NULL;
    if (shared_first) link = tr_inject_pop(&worker->node->inject);
    if (link == NULL) link = local_work(worker);
    if (link == NULL) link = tr_inject_pop(&worker->node->inject);
    return link;
}

static struct tr_run_link *find_elsewhere(struct tr_worker *worker, int64_t now) {
    struct tr_run_link *link = tr_steal_late(worker, now);
    return link != NULL ? link : tr_inject_pop(&worker->node->inject);
}

static struct tr_run_link *spin(struct tr_worker *worker) {
    int64_t now = tr_thread_clock(), until = now + worker->node->options.spin;
    struct tr_run_link *link = find_elsewhere(worker, now);
    for (uint32_t i = 1; link == NULL && now < until; i++) {
        tr_spin(i);
        if (i % ROUNDS_PER_LOOK == 0) now = tr_thread_clock();
        link = find_elsewhere(worker, now);
    }
    return link;
}

/* There is work, but it is not late: when the nap is over, it is, or its owner has done it. One worker waits so;
 * nobody is woken meanwhile. */
static bool is_to_nap(struct tr_worker *worker) {
    struct tr_node *node = worker->node;
    return atomic_load(&node->searching) == 1 && !atomic_load(&node->halted) && has_queued(node);
}

static struct tr_run_link *nap(struct tr_worker *worker) {
    tr_loop_nap(&worker->loop, NAP);
    tr_worker_look_around(worker);
    struct tr_run_link *link = find_work(worker, true);
    return link != NULL ? link : find_elsewhere(worker, tr_thread_clock());
}

static struct tr_run_link *search(struct tr_worker *worker) {
    struct tr_node *node = worker->node;
    if (node->options.spin <= 0) return NULL;
    atomic_fetch_add(&node->searching, 1);
    struct tr_run_link *link = spin(worker);
    while (link == NULL && is_to_nap(worker)) link = nap(worker);
    atomic_fetch_sub(&node->searching, 1);
    return link;
}

struct tr_run_link *tr_worker_find(struct tr_worker *worker) {
    struct tr_run_link *link = find_work(worker, false);
    return link != NULL ? link : tr_steal(worker);
}

/* ---- Sleeping ---- */

static void become_idle(struct tr_worker *worker) {
    atomic_fetch_or(&worker->node->idle_mask, UINT64_C(1) << worker->index);
    atomic_fetch_add(&worker->node->idle, 1);
}

/* Somebody may have taken it off the mask already, to wake it. */
static void become_busy(struct tr_worker *worker) {
    uint64_t bit = UINT64_C(1) << worker->index;
    if ((atomic_fetch_and(&worker->node->idle_mask, ~bit) & bit) != 0)
        atomic_fetch_sub(&worker->node->idle, 1);
}

int64_t tr_worker_time_to_sleep(struct tr_worker *worker) {
    int64_t next = tr_alarms_next(worker);
    if (next == INT64_MAX) return INT64_MAX;
    int64_t now = tr_node_clock(worker->node);
    return next > now ? next - now : 0;
}

static struct tr_run_link *park(struct tr_worker *worker) {
    become_idle(worker);
    struct tr_run_link *link = tr_inject_pop(&worker->node->inject);
    if (link == NULL) link = tr_steal(worker);
    if (link == NULL && !atomic_load(&worker->node->halted))
        tr_loop_park(&worker->loop, tr_worker_time_to_sleep(worker));
    become_busy(worker);
    tr_monitor_notice(worker->node);
    return link;
}

/* ---- The thread ---- */

void tr_worker_look_around(struct tr_worker *worker) {
    tr_alarms_expire(worker, worker);
    if (atomic_load_explicit(&worker->loop.watches, memory_order_relaxed) > 0)
        tr_loop_park(&worker->loop, 0);
}

/* Took work while others may sleep: whoever queued more meanwhile woke nobody, because this worker was
 * searching, or woken for all of it. It passes the word on, if there is any left, in whatever queue. So it
 * does when several of its descriptors became ready while it was parked: the worker that it woke may have
 * been itself. */
static void share_the_rest(struct tr_worker *worker) {
    struct tr_node *node = worker->node;
    if (tr_inject_size(&node->inject) > 0 || has_queued(node)) tr_wake_one(node);
}

/* Nothing in its own queue or the shared one. What woke it may be in any queue: whatever it takes next, now
 * or in its next turn, there may be more, of which nobody was told. */
static struct tr_run_link *get_work(struct tr_worker *worker) {
    struct tr_run_link *link = search(worker);
    if (link == NULL) link = park(worker);
    tr_worker_look_around(worker);
    worker->owes_word = true;
    return link;
}

static void keep_word(struct tr_worker *worker) {
    worker->owes_word = false;
    share_the_rest(worker);
}

static void turn(struct tr_worker *worker) {
    uint32_t ticks = ticks_of(worker);
    atomic_store_explicit(&worker->ticks, ticks + 1, memory_order_relaxed);
    bool over = tr_worker_slice_is_over(worker);
    if (over) atomic_store_explicit(&worker->slice_over, false, memory_order_relaxed);
    if (over || ticks % POLL_EVERY == 0) tr_worker_look_around(worker);
    struct tr_run_link *link = find_work(worker, over || ticks % SHARED_EVERY == 0);
    if (link == NULL) link = get_work(worker);
    if (link == NULL) return;
    if (worker->owes_word) keep_word(worker);
    tr_cell_run(worker, tr_cell_of_link(link));
}

void *tr_worker_main(void *context) {
    struct tr_worker *worker = context;
    while (!atomic_load_explicit(&worker->node->halted, memory_order_acquire)) turn(worker);
    return NULL;
}
