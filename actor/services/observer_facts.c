/* What the observer may read of cells, workers and the process from any thread. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/depth.h"
#include "core/monitor.h"
#include "core/own.h"
#include "core/worker.h"
#include "services/observer.h"
#include "services/services.h"

/* ---- An actor ---- */

/* The name of a type may stay behind in a program without its code: it is copied from the page that has them all. */
static void name_of_type(const struct tr_flight *flight, uint64_t type, char name[TR_HANDLING_SIZE]) {
    for (uint32_t i = 0; i < TR_FLIGHT_TYPES; i++) {
        uint64_t known = atomic_load_explicit(&flight->types[i].type, memory_order_acquire);
        if (known == 0) return;
        if (known == type) snprintf(name, TR_HANDLING_SIZE, "%s", flight->types[i].name);
    }
}

static void find_handling(struct tr_node *node, troupe_address actor, char name[TR_HANDLING_SIZE]) {
    const uint64_t cell = (uint64_t)actor.slot << 32 | actor.generation;
    for (uint32_t i = 0; i < TR_MAX_WORKERS; i++) {
        const struct tr_flight_worker *worker = &node->flight->workers[i];
        uint32_t serial = atomic_load(&worker->current_serial);
        if (serial == 0 || atomic_load(&worker->current_cell) != cell) continue;
        uint64_t type = atomic_load(&worker->current_type);
        if (type != 0 && atomic_load(&worker->current_serial) == serial) name_of_type(node->flight, type, name);
    }
}

void tr_observe_cell(struct tr_node *node, struct tr_cell *cell, troupe_address actor,
                     struct troupe_actor_info *info, char handling[TR_HANDLING_SIZE]) {
    struct troupe_mailbox_info mailbox;
    handling[0] = '\0';
    info->status = tr_mailbox_info(node, actor, &mailbox);
    if (info->status != TROUPE_OK) return;
    info->actor = atomic_load(&cell->class)->type->name;
    info->node = node->id;
    info->pid = getpid();
    info->own_thread = atomic_load(&cell->home) != 0;
    info->waiting = mailbox.waiting;
    info->limit = mailbox.limit;
    info->high_water = mailbox.high_water;
    info->refused = mailbox.refused;
    info->handled = atomic_load(&cell->settled) - atomic_load(&cell->settled_before);
    info->busy = tr_monitor_busy(node, (uint64_t)actor.slot << 32 | actor.generation);
    find_handling(node, actor, handling);
    info->handling = handling;
}

/* ---- A node ---- */

static uint64_t resident(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t queued(struct tr_node *node) {
    uint32_t count = (uint32_t)tr_inject_size(&node->inject);
    for (uint32_t i = 0; i < node->worker_count; i++) {
        count += tr_runqueue_size(&node->workers[i].queue);
        count += atomic_load(&node->workers[i].next) != NULL;
    }
    return count;
}

static void add_thread(const struct tr_worker *worker, struct tr_observed_threads *threads) {
    struct troupe_worker_info *item = &threads->items[threads->count];
    if (!tr_utilisation_read(&worker->utilisation, &item->active, &item->idle)) return;
    item->own_thread = worker->own != NULL;
    item->name = memcpy(threads->names[threads->count++], worker->name, sizeof worker->name);
}

static uint32_t own_threads(struct tr_node *node, struct tr_observed_threads *threads) {
    pthread_mutex_lock(&node->end_lock);
    uint32_t count = node->owns_running;
    for (uint32_t i = 0; i < node->owns_used; i++)
        if (node->owns[i].life == TR_OWN_RUNNING) add_thread(&node->owns[i].worker, threads);
    pthread_mutex_unlock(&node->end_lock);
    return count;
}

static void add_counts(const struct tr_node *node, struct troupe_node_info *info) {
    struct troupe_counts counts = { 0 };
    tr_flight_counts(node->flight, &counts);
    info->sent = counts.sent;
    info->handled = counts.handled;
    info->dead_letters = counts.dead_letters;
    info->in_doubt = counts.in_doubt;
    info->refused = counts.refused;
    info->blocked = counts.blocked;
}

static void add_buffers(struct tr_node *node, struct troupe_node_info *info) {
    struct troupe_buffer_counts counts = { 0 };
    tr_buffers_count(node->options.buffers, &counts);
    info->buffers = counts.live;
    info->buffer_bytes = counts.bytes;
}

void tr_observe_node(struct tr_node *node, struct troupe_node_info *info, struct tr_observed_threads *threads) {
    const struct tr_services *services = tr_services_of(node);
    threads->count = 0;
    for (uint32_t i = 0; i < node->worker_count; i++) add_thread(&node->workers[i], threads);
    *info = (struct troupe_node_info){ .node = node->id, .incarnation = node->options.incarnation, .pid = getpid(),
                                       .name = services->name, .workers = node->worker_count,
                                       .own_threads = own_threads(node, threads), .idle = atomic_load(&node->idle),
                                       .queued = queued(node), .busy = tr_monitor_busy_total(node),
                                       .uptime = tr_node_clock(node) - services->began,
                                       .resident = resident(), .version = TROUPE_VERSION };
    info->threads.items = threads->items;
    info->threads.count = threads->count;
    add_counts(node, info);
    add_buffers(node, info);
}
