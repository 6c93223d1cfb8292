/*
 * A handler that does not return holds up more than its actor: what is queued with its worker, the cell in
 * the LIFO slot (for which nobody else was woken), and the timers in its wheel. Every tick, as long as any
 * worker is busy, the monitor looks at each busy one:
 *
 *   - its timers that are due are fired. A worker that has its turns comes before the monitor; this is for
 *     the one that is held up, by one handler or by many slow ones;
 *   - if it has begun nothing since the last look, and something waits in its queue or LIFO slot, an idle
 *     worker is woken, which will steal it;
 *   - if it has begun nothing since the last look, the descriptors in its loop are looked at;
 *   - if it is in the same handler as at the last look, blocked.c decides what to say about that.
 *
 * So what waits behind a handler waits for two ticks at most, if a worker is idle. Workers with one actor of
 * their own may block as they like: nothing waits behind it, and they are not looked at.
 *
 * Sleeping. While all workers are on the idle mask there is nothing to look at, and after a few such looks
 * the monitor says that it is asleep, looks at the mask once more, and sleeps until it is woken. A worker
 * that wakes up leaves the mask, and then looks whether the monitor is asleep: whoever comes second sees
 * the other, because both are sequentially consistent. The few looks are for programs that do a little
 * again and again: they pay for a wake each time only if the pauses are long, when it does not matter.
 */
#include "core/monitor.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/alarm.h"
#include "core/blocked.h"
#include "core/busy.h"
#include "core/log.h"
#include "core/thread.h"
#include "core/watch.h"

#define TICK (10 * TROUPE_MILLISECOND)

enum { IDLE_LOOKS = 10 }; /* with every worker idle, before it sleeps */

/* What is remembered of a worker. */
struct watched {
    struct tr_blocked blocked;
    uint32_t turns; /* as of the last look, if it was busy then */
    bool busy;
};

struct tr_monitor {
    struct tr_node *node;
    pthread_t thread;
    pthread_mutex_t lock; /* for all to the next line */
    pthread_cond_t wake;
    bool ending;
    _Atomic bool asleep;
    struct tr_busy times;
    struct watched workers[]; /* as many as the node has */
};

/* ---- Reports ---- */

static void tell(struct tr_node *node, const struct tr_blocked_news *news) {
    const struct troupe_message_type *type = (const void *)(uintptr_t)news->what.type;
    troupe_address who = { node->id, (uint32_t)(news->what.cell >> 32), (uint32_t)news->what.cell };
    double seconds = (double)news->lasted / (double)TROUPE_SECOND;
    char path[TR_PATH_SIZE];
    tr_node_path(node, who, path, sizeof path);
    if (news->kind == TR_BLOCKED_FIRST)
        atomic_fetch_add(&node->flight->workers[TR_MAX_WORKERS].blocked, 1);
    if (news->kind == TR_BLOCKED_OVER)
        tr_log(node, TROUPE_WARNING, path, "was handling %s for %.3f s", type->name, seconds);
    else
        tr_log(node, TROUPE_WARNING, path,
               "has been handling %s for %.3f s: its worker can run nothing else meanwhile; what blocks "
               "belongs in troupe_work, or on a thread of its own (place: { thread: own })",
               type->name, seconds);
}

/* What the worker is handling now, whole or as if it were nothing. */
static struct tr_sight look_into(const struct tr_flight_worker *worker) {
    struct tr_sight sight = { .serial = atomic_load(&worker->current_serial) };
    sight.type = atomic_load(&worker->current_type);
    sight.cell = atomic_load(&worker->current_cell);
    if (atomic_load(&worker->current_serial) != sight.serial) sight.type = 0;
    return sight;
}

/* Blocked or not, whoever is at work there is noted. */
static void look_at_handler(struct tr_monitor *monitor, uint32_t index, int64_t now) {
    struct tr_node *node = monitor->node;
    struct tr_sight sight = look_into(&node->flight->workers[index]);
    struct tr_blocked_news news =
        tr_blocked_look(&monitor->workers[index].blocked, sight, now, node->options.blocked);
    if (sight.type != 0) tr_busy_add(&monitor->times, sight.cell, TICK);
    if (news.kind != TR_BLOCKED_NOTHING) tell(node, &news);
}

/* ---- A look at every worker ---- */

static bool has_work(struct tr_worker *worker) {
    return atomic_load(&worker->next) != NULL || tr_runqueue_size(&worker->queue) > 0;
}

/* True: something waits behind what it has been doing since the last look. */
static bool look_at(struct tr_monitor *monitor, uint32_t index, bool busy, int64_t now) {
    struct watched *watched = &monitor->workers[index];
    struct tr_worker *worker = &monitor->node->workers[index];
    uint32_t turns = atomic_load(&worker->ticks);
    bool held_up = busy && watched->busy && watched->turns == turns;
    watched->busy = busy;
    watched->turns = turns;
    look_at_handler(monitor, index, now);
    if (busy) {
        tr_alarms_expire(worker, NULL);
        atomic_store_explicit(&worker->slice_over, true, memory_order_relaxed);
    }
    if (held_up && atomic_load_explicit(&worker->loop.watches, memory_order_relaxed) > 0)
        tr_loop_look(&worker->loop, tr_watch_ready_elsewhere);
    return held_up && has_work(worker);
}

static void look(struct tr_monitor *monitor, uint64_t idle) {
    struct tr_node *node = monitor->node;
    int64_t now = tr_node_clock(node);
    bool waits = false;
    for (uint32_t i = 0; i < node->worker_count; i++)
        if (look_at(monitor, i, (idle >> i & 1) == 0, now)) waits = true;
    if (waits || tr_inject_size(&node->inject) > 0) tr_wake_one(node);
}

/* ---- Sleeping: with the lock ---- */

static bool all_idle(const struct tr_node *node, uint64_t mask) {
    return mask == UINT64_MAX >> (64 - node->worker_count);
}

static void sleep_until_noticed(struct tr_monitor *monitor) {
    struct tr_node *node = monitor->node;
    atomic_store(&monitor->asleep, true);
    while (!monitor->ending && atomic_load(&monitor->asleep) &&
           all_idle(node, atomic_load(&node->idle_mask)))
        pthread_cond_wait(&monitor->wake, &monitor->lock);
    atomic_store(&monitor->asleep, false);
}

void tr_monitor_notice(struct tr_node *node) {
    struct tr_monitor *monitor = node->monitor;
    if (!atomic_load(&monitor->asleep) || !atomic_exchange(&monitor->asleep, false)) return;
    pthread_mutex_lock(&monitor->lock);
    pthread_cond_signal(&monitor->wake);
    pthread_mutex_unlock(&monitor->lock);
}

static void sleep_a_tick(struct tr_monitor *monitor) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += TICK;
    at.tv_sec += at.tv_nsec / TROUPE_SECOND;
    at.tv_nsec %= TROUPE_SECOND;
    int late = 0;
    while (!monitor->ending && late == 0)
        late = pthread_cond_timedwait(&monitor->wake, &monitor->lock, &at);
}

/* ---- The thread ---- */

static void *run(void *context) {
    struct tr_monitor *monitor = context;
    uint32_t idle_looks = 0;
    pthread_mutex_lock(&monitor->lock);
    for (;;) {
        if (idle_looks == IDLE_LOOKS) sleep_until_noticed(monitor);
        sleep_a_tick(monitor);
        if (monitor->ending) break;
        pthread_mutex_unlock(&monitor->lock);
        uint64_t idle = atomic_load(&monitor->node->idle_mask);
        look(monitor, idle);
        idle_looks = !all_idle(monitor->node, idle) ? 0 : idle_looks < IDLE_LOOKS ? idle_looks + 1 : 1;
        pthread_mutex_lock(&monitor->lock);
    }
    pthread_mutex_unlock(&monitor->lock);
    return NULL;
}

/* ---- Beginning and end ---- */

static struct tr_monitor *make(struct tr_node *node) {
    struct tr_monitor *monitor =
        calloc(1, sizeof *monitor + node->worker_count * sizeof monitor->workers[0]);
    if (monitor == NULL) return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monitor->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&monitor->lock, NULL);
    pthread_mutex_init(&monitor->times.lock, NULL);
    monitor->node = node;
    return monitor;
}

bool tr_monitor_start(struct tr_node *node) {
    node->monitor = make(node);
    if (node->monitor == NULL) return false;
    if (tr_thread_start(&node->monitor->thread, "monitor", run, node->monitor)) return true;
    node->monitor->ending = true; /* nothing to wait for */
    return false;
}

void tr_monitor_end(struct tr_node *node) {
    struct tr_monitor *monitor = node->monitor;
    if (monitor == NULL || monitor->ending) return;
    pthread_mutex_lock(&monitor->lock);
    monitor->ending = true;
    pthread_cond_signal(&monitor->wake);
    pthread_mutex_unlock(&monitor->lock);
    pthread_join(monitor->thread, NULL);
}

void tr_monitor_conclude(struct tr_node *node) {
    struct tr_monitor *monitor = node->monitor;
    if (monitor == NULL) return;
    int64_t now = tr_node_clock(node);
    for (uint32_t i = 0; i < node->worker_count; i++) look_at_handler(monitor, i, now);
}

void tr_monitor_free(struct tr_node *node) {
    struct tr_monitor *monitor = node->monitor;
    if (monitor == NULL) return;
    pthread_cond_destroy(&monitor->wake);
    pthread_mutex_destroy(&monitor->lock);
    pthread_mutex_destroy(&monitor->times.lock);
    free(monitor);
}

int64_t tr_monitor_busy(struct tr_node *node, uint64_t cell) {
    return node->monitor == NULL ? 0 : tr_busy_of(&node->monitor->times, cell);
}

int64_t tr_monitor_busy_total(struct tr_node *node) {
    return node->monitor == NULL ? 0 : tr_busy_total(&node->monitor->times);
}
