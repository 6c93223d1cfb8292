#include "core/own.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/alarm.h"
#include "core/thread.h"

enum { AWAKE, ON_FUTEX, IN_LOOP, SCHEDULED };

enum { SPINS_PER_LOOK = 32 }; /* at the clock */

/* ---- Waking ---- */

static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t timeout) {
    struct timespec wait = { timeout / TROUPE_SECOND, timeout % TROUPE_SECOND };
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout == INT64_MAX ? NULL : &wait, NULL, 0);
}

static void end_sleep(struct tr_own *own, uint32_t asleep) {
    if (asleep == ON_FUTEX) syscall(SYS_futex, &own->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    else if (asleep == IN_LOOP) tr_loop_wake(&own->worker.loop);
}

void tr_own_schedule(struct tr_node *node, uint8_t home) {
    struct tr_own *own = &node->owns[home - 1];
    end_sleep(own, atomic_exchange(&own->word, SCHEDULED));
}

/* Does not touch a word that says SCHEDULED: that is not to be lost. */
static void call(struct tr_own *own) {
    uint32_t asleep = atomic_load(&own->word);
    if (asleep != ON_FUTEX && asleep != IN_LOOP) return;
    if (atomic_compare_exchange_strong(&own->word, &asleep, AWAKE)) end_sleep(own, asleep);
}

/* ---- Sleeping ---- */

/* Nobody schedules a cell twice: once the word says so, it is this thread's. */
static bool take(struct tr_own *own) {
    if (atomic_load_explicit(&own->word, memory_order_acquire) != SCHEDULED) return false;
    atomic_store_explicit(&own->word, AWAKE, memory_order_relaxed);
    return true;
}

static bool is_over(struct tr_own *own) {
    return atomic_load(&own->worker.node->halted) || atomic_load(&own->leaving);
}

static void sleep_for(struct tr_own *own, int64_t time) {
    bool watches = atomic_load_explicit(&own->worker.loop.watches, memory_order_relaxed) > 0;
    uint32_t asleep = watches ? IN_LOOP : ON_FUTEX, before = AWAKE;
    if (!atomic_compare_exchange_strong(&own->word, &before, asleep)) return;
    if (!is_over(own)) {
        if (watches) tr_loop_park(&own->worker.loop, time);
        else futex_wait(&own->word, asleep, time);
    }
    before = asleep;
    atomic_compare_exchange_strong(&own->word, &before, AWAKE);
}

/* In the hope that sleeping is not worth it. */
static bool spin_for(struct tr_own *own, int64_t time) {
    if (time <= 0) return false;
    int64_t until = tr_thread_clock() + time;
    for (uint32_t spins = 1;; spins++) {
        if (atomic_load_explicit(&own->word, memory_order_relaxed) == SCHEDULED) return true;
        if (spins % SPINS_PER_LOOK == 0 && tr_thread_clock() >= until) return false;
        tr_spin(spins);
    }
}

static int64_t time_to_sleep(struct tr_worker *worker, int64_t until) {
    int64_t timer = tr_worker_time_to_sleep(worker);
    if (until == INT64_MAX) return timer;
    int64_t left = until - tr_node_clock(worker->node);
    return left < timer ? left : timer;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

bool tr_own_wait(struct tr_worker *worker, int64_t until) {
    struct tr_own *own = worker->own;
    for (;;) {
        tr_worker_look_around(worker);
        if (take(own)) return true;
        if (is_over(own)) return false;
        int64_t time = time_to_sleep(worker, until);
        if (time <= 0 && until <= tr_node_clock(worker->node)) return false;
        if (time > 0 && !spin_for(own, least(time, worker->node->options.spin)))
            sleep_for(own, time);
    }
}

void tr_own_expect(struct tr_worker *worker) {
    while (!take(worker->own)) sched_yield();
}

/* ---- The thread ---- */

static void *run(void *context) {
    struct tr_own *own = context;
    struct tr_node *node = own->worker.node;
    tr_utilisation_begin(&own->worker.utilisation);
    while (!is_over(own) && tr_own_wait(&own->worker, INT64_MAX)) {
        atomic_store_explicit(&own->worker.slice_over, false, memory_order_relaxed);
        tr_cell_run(&own->worker, own->cell);
    }
    pthread_mutex_lock(&node->end_lock);
    own->life = TR_OWN_ENDED;
    node->owns_running--;
    pthread_cond_signal(&node->end_changed);
    pthread_mutex_unlock(&node->end_lock);
    return NULL;
}

void tr_own_leave(struct tr_node *node, struct tr_cell *cell) {
    uint8_t home = atomic_load(&cell->home);
    if (home == 0) return;
    struct tr_own *own = &node->owns[home - 1];
    atomic_store(&cell->home, 0);
    atomic_store(&own->leaving, true);
}

/* ---- Making: under the node's end_lock ---- */

static bool make_table(struct tr_node *node) {
    if (node->owns != NULL) return true;
    void *memory = mmap(NULL, TR_MAX_OWN * sizeof *node->owns, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    node->owns = memory;
    return true;
}

/* A place whose thread has ended, before one that was never used. */
static struct tr_own *find_place(struct tr_node *node) {
    for (uint32_t i = 0; i < node->owns_used; i++)
        if (node->owns[i].life != TR_OWN_RUNNING) return &node->owns[i];
    return node->owns_used < TR_MAX_OWN ? &node->owns[node->owns_used++] : NULL;
}

/* Whoever was here has left it, and with it whatever was scheduled. */
static bool init(struct tr_own *own, struct tr_node *node, uint32_t place) {
    tr_assert(own->cell == NULL || atomic_load(&own->cell->home) != place + 1);
    if (own->life == TR_OWN_ENDED) pthread_join(own->worker.thread, NULL);
    if (own->cell != NULL) tr_worker_free(&own->worker); /* it was used before */
    memset(own, 0, sizeof *own);
    own->worker.own = own;
    return tr_worker_init(&own->worker, node, TR_MAX_POOL + place);
}

static enum troupe_status start(struct tr_node *node, struct tr_own *own, struct tr_cell *cell,
                                const char *name) {
    uint32_t place = (uint32_t)(own - node->owns);
    if (!init(own, node, place)) return TROUPE_SYSTEM;
    own->cell = cell;
    strncpy(own->worker.name, tr_thread_name(name), sizeof own->worker.name - 1);
    if (!tr_thread_start(&own->worker.thread, name, run, own)) return TROUPE_SYSTEM;
    tr_node_pin(node, own->worker.thread, node->worker_count + place);
    own->life = TR_OWN_RUNNING;
    node->owns_running++;
    atomic_store_explicit(&cell->home, (uint8_t)(place + 1), memory_order_release);
    return TROUPE_OK;
}

enum troupe_status tr_own_give(struct tr_node *node, struct tr_cell *cell, const char *name) {
    enum troupe_status status = TROUPE_STOPPING;
    if (node->options.time != NULL) return TROUPE_OK; /* stepped: it runs like the others */
    pthread_mutex_lock(&node->end_lock);
    if (!node->owns_closed) {
        struct tr_own *own = NULL;
        status = make_table(node) ? TROUPE_LIMIT : TROUPE_NO_MEMORY;
        if (node->owns != NULL) own = find_place(node);
        if (own != NULL) status = start(node, own, cell, name);
    }
    pthread_mutex_unlock(&node->end_lock);
    return status;
}

/* ---- The end of the node ---- */

void tr_owns_halt(struct tr_node *node) {
    node->owns_closed = true;
    atomic_store(&node->halted, true);
    for (uint32_t i = 0; i < node->owns_used; i++) call(&node->owns[i]);
}

void tr_owns_join(struct tr_node *node) {
    for (uint32_t i = 0; i < node->owns_used; i++) {
        pthread_mutex_lock(&node->end_lock);
        bool is_free = node->owns[i].life == TR_OWN_FREE;
        pthread_mutex_unlock(&node->end_lock);
        if (is_free) continue;
        pthread_join(node->owns[i].worker.thread, NULL);
        node->owns[i].life = TR_OWN_FREE;
    }
}

void tr_owns_dissolve(struct tr_node *node) {
    for (uint32_t i = 0; i < node->owns_used; i++) {
        struct tr_own *own = &node->owns[i];
        if (own->cell == NULL || atomic_load(&own->cell->home) != i + 1) continue; /* has left it */
        atomic_store(&own->cell->home, 0);
        if (take(own)) tr_inject_push(&node->inject, &own->cell->run_link);
    }
}

void tr_owns_free(struct tr_node *node) {
    for (uint32_t i = 0; i < node->owns_used; i++)
        if (node->owns[i].cell != NULL) tr_worker_free(&node->owns[i].worker);
    if (node->owns != NULL) munmap(node->owns, TR_MAX_OWN * sizeof *node->owns);
}
