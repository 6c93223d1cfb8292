#include "core/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/alarm.h"
#include "core/log.h"
#include "core/monitor.h"
#include "core/own.h"
#include "core/run.h"
#include "core/send.h"
#include "core/thread.h"
#include "core/watch.h"

/* Generations of different incarnations of a node do not meet. */
enum { GENERATIONS_EACH = 1 << 16 };

/* ---- Workers ---- */

bool tr_worker_init(struct tr_worker *worker, struct tr_node *node, uint32_t index) {
    worker->node = node;
    worker->index = index;
    worker->self.worker = worker;
    worker->flight = &node->flight->workers[index];
    worker->random = index * 7919 + 1;
    worker->pool.depot = &node->depot;
    tr_timer_wheel_init(&worker->wheel, tr_node_clock(node));
    pthread_mutex_init(&worker->wheel_lock, NULL);
    pthread_mutex_init(&worker->watches.lock, NULL);
    return tr_loop_init(&worker->loop, tr_watch_ready, worker);
}

static void *worker_thread(void *context) {
    struct tr_worker *worker = context;
    struct tr_node *node = worker->node;
    tr_utilisation_begin(&worker->utilisation);
    tr_worker_main(worker);
    pthread_mutex_lock(&node->end_lock);
    node->workers_ended++;
    pthread_cond_signal(&node->end_changed);
    pthread_mutex_unlock(&node->end_lock);
    return NULL;
}

static void make_end(struct tr_node *node) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&node->end_lock, NULL);
    pthread_cond_init(&node->end_changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void tr_node_pin(struct tr_node *node, pthread_t thread, uint32_t n) {
    if (node->options.core_count == 0) return;
    uint32_t core = node->options.cores[n % node->options.core_count];
    if (!tr_thread_pin(thread, core))
        tr_log(node, TROUPE_WARNING, NULL, "a thread is not pinned to core %u: %s", core, strerror(errno));
}

/* "main 1", or "/counter/0" where there is but one. */
static void name_worker(struct tr_worker *worker) {
    const struct tr_node *node = worker->node;
    char name[TR_THREAD_NAME_SIZE];
    const char *of = node->options.name == NULL ? "worker" : node->options.name;
    snprintf(name, sizeof name, node->worker_count > 1 ? "%.12s %u" : "%s", tr_thread_name(of), worker->index);
    memcpy(worker->name, name, sizeof name);
}

static bool start_threads(struct tr_node *node) {
    if (node->options.time != NULL) return true;
    if (!tr_monitor_start(node)) return false;
    for (; node->threads < node->worker_count; node->threads++) {
        struct tr_worker *worker = &node->workers[node->threads];
        name_worker(worker);
        if (!tr_thread_start(&worker->thread, worker->name, worker_thread, worker)) return false;
        tr_node_pin(node, worker->thread, node->threads);
    }
    return true;
}

static void tell_to_halt(struct tr_node *node) {
    pthread_mutex_lock(&node->end_lock);
    tr_owns_halt(node);
    pthread_mutex_unlock(&node->end_lock);
    for (uint32_t i = 0; i < node->threads; i++) tr_loop_wake(&node->workers[i].loop);
}

static void join(struct tr_node *node) {
    for (uint32_t i = 0; i < node->threads; i++) pthread_join(node->workers[i].thread, NULL);
    tr_owns_join(node);
    tr_monitor_end(node);
    tr_monitor_conclude(node);
}

static void halt(struct tr_node *node) {
    tell_to_halt(node);
    join(node);
}

/* ---- Making ---- */

static bool make_flight(struct tr_node *node) {
    node->flight = node->options.flight;
    if (node->flight != NULL) return true;
    void *page = mmap(NULL, sizeof *node->flight, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    node->own_flight = page != MAP_FAILED;
    node->flight = node->own_flight ? page : NULL;
    return node->own_flight;
}

static bool make_workers(struct tr_node *node) {
    size_t size = node->options.workers * sizeof(struct tr_worker);
    node->workers = aligned_alloc(128, (size + 127) / 128 * 128);
    if (node->workers == NULL) return false;
    memset(node->workers, 0, size);
    for (; node->worker_count < node->options.workers; node->worker_count++)
        if (!tr_worker_init(&node->workers[node->worker_count], node, node->worker_count)) return false;
    return true;
}

void tr_worker_free(struct tr_worker *worker) {
    tr_loop_free(&worker->loop);
    tr_pool_free(&worker->pool);
    tr_ids_free(&worker->watches.ids);
    pthread_mutex_destroy(&worker->watches.lock);
    pthread_mutex_destroy(&worker->wheel_lock);
}

static void release(struct tr_node *node) {
    for (uint32_t i = 0; i < node->worker_count; i++) tr_worker_free(&node->workers[i]);
    tr_monitor_free(node);
    free(node->workers);
    tr_owns_free(node);
    tr_inject_destroy(&node->inject);
    tr_waiters_free(&node->waiters);
    tr_depot_free(&node->depot);
    tr_types_free(&node->types);
    tr_cells_free(&node->cells);
    if (node->own_flight) munmap(node->flight, sizeof *node->flight);
    pthread_cond_destroy(&node->end_changed);
    pthread_mutex_destroy(&node->end_lock);
    free(node);
}

static bool learn_type(struct tr_node *node, const struct troupe_message_type *type) {
    struct tr_codec_error error;
    if (type == NULL || tr_types_index(&node->types, type) != UINT32_MAX) return true;
    bool sound = tr_codec_check_type(type, &error);
    tr_log(node, TROUPE_ERROR, NULL, "message type %s is refused: %s", type->name,
           sound ? "there are too many types, or it has too many fields" : error.text);
    return false;
}

static bool learn_entries(struct tr_node *node, const struct troupe_entry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const struct troupe_behaviour *behaviour = entries[i].behaviour;
        if (!learn_type(node, entries[i].message) || !learn_type(node, entries[i].reply)) return false;
        if (behaviour != NULL && !learn_entries(node, behaviour->entries, behaviour->entry_count))
            return false;
    }
    return true;
}

/* What its handlers handle can be named after a crash, and is known to other nodes from the start. */
static bool learn_types(struct tr_node *node) {
    const struct tr_classes *classes = node->options.classes;
    for (uint32_t i = 0; i < classes->count; i++) {
        const struct troupe_actor_type *type = classes->items[i].type;
        if (!learn_entries(node, type->entries, type->entry_count)) return false;
    }
    return true;
}

struct tr_node *tr_node_new(const struct tr_node_options *options) {
    struct tr_node *node = calloc(1, sizeof *node);
    if (node == NULL) return NULL;
    node->options = *options;
    node->id = options->id;
    tr_cells_init(&node->cells, options->reserved_slots, TR_DEFAULT_CELLS,
                  options->incarnation * GENERATIONS_EACH);
    make_end(node);
    tr_inject_init(&node->inject);
    tr_waiters_init(&node->waiters);
    tr_depot_init(&node->depot);
    bool made = make_flight(node);
    tr_types_init(&node->types, node->flight);
    if (made && make_workers(node) && learn_types(node) && start_threads(node)) return node;
    halt(node);
    release(node);
    return NULL;
}

/* ---- The end ----
 *
 * With the workers gone, this thread plays the first one: it ends what still runs and empties what is
 * still queued, so that every message is accounted for and every state released. */

static void drain(struct tr_worker *worker) {
    struct tr_run_link *link;
    while ((link = tr_worker_find(worker)) != NULL) tr_cell_run(worker, tr_cell_of_link(link));
}

static void end_cell(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_node *node = worker->node;
    uint32_t generation = atomic_load(&cell->generation);
    if (cell->turn == TR_TURN_NATIVE) return;
    if (cell->life == TR_LIFE_RUNNING)
        tr_stop(node, worker, (troupe_address){ node->id, cell->slot, generation }, TR_STOP_ORDERLY,
                (troupe_address){ 0 });
    if (cell->life == TR_LIFE_DOWN) tr_forget(node, worker, cell, generation);
}

/* Lanes have no run that could end: only their alarms. */
static void end_natives(struct tr_node *node) {
    uint32_t slot = 0;
    for (struct tr_cell *cell; (cell = tr_cells_next(&node->cells, &slot)) != NULL;)
        if (cell->turn == TR_TURN_NATIVE) tr_alarms_cancel_all(&node->workers[0], cell);
    slot = 0;
    for (struct tr_cell *cell; (cell = tr_cells_next(&node->cells, &slot)) != NULL;)
        if (cell->turn == TR_TURN_NATIVE) tr_run_free_more(cell);
}

static void end_cells(struct tr_node *node) {
    struct tr_worker *worker = &node->workers[0];
    tr_owns_dissolve(node);
    /* Supervised ones start, if that was under way, then stop, and are then forgotten. */
    for (int round = 0; round < 3; round++) {
        uint32_t slot = 0;
        for (struct tr_cell *cell; (cell = tr_cells_next(&node->cells, &slot)) != NULL;)
            end_cell(worker, cell);
        drain(worker);
    }
    end_natives(node);
}

void tr_node_halt(struct tr_node *node) {
    atomic_store(&node->stopping, true);
    halt(node);
}

static bool have_ended(const struct tr_node *node) {
    return node->workers_ended == node->threads && node->owns_running == 0;
}

/* True: all workers have ended, and joining them does not wait. */
static bool have_ended_by(struct tr_node *node, int64_t at) {
    const struct timespec deadline = { at / TROUPE_SECOND, at % TROUPE_SECOND };
    int late = 0;
    pthread_mutex_lock(&node->end_lock);
    while (!have_ended(node) && late == 0)
        late = pthread_cond_timedwait(&node->end_changed, &node->end_lock, &deadline);
    bool all = have_ended(node);
    pthread_mutex_unlock(&node->end_lock);
    return all;
}

bool tr_node_halt_within(struct tr_node *node, int64_t within) {
    int64_t now = tr_thread_clock();
    atomic_store(&node->stopping, true);
    tell_to_halt(node);
    bool ended = have_ended_by(node, within > INT64_MAX - now ? INT64_MAX : now + within);
    if (ended) join(node);
    else tr_monitor_end(node); /* nobody is left to read what it would say */
    return ended;
}

void tr_node_drain(struct tr_node *node) { end_cells(node); }

void tr_node_free(struct tr_node *node) { release(node); }
