/*
 * Waits at words of shared memory that block no worker: troupe_shared_await.
 *
 * A wait is a source (core/source.h): it ends with its run, and its message is its own link. A thread waits for up to
 * 127 of them with one call of the kernel, futex_waitv, and for its bell, which rings when there is one more, or one
 * less. Before each call it looks at every word, and at the time: what is not as expected has ended. So nothing is
 * written into the region, a process that is killed leaves nothing there, and what others write there cannot do more
 * than end waits.
 *
 * A wait that was cancelled stays in the list until the thread has seen it, for the kernel may just be waking it. A
 * wake that it may have had, and nobody was told of, is passed on: somebody else at that word was to have it, and at
 * worst looks for nothing. The call tells of one word that was woken. If there were more, the others have changed,
 * or else their wakes are lost: that is why whoever notifies changes the word first.
 *
 * A kernel without futex_waitv (before Linux 5.16) has the thread look every millisecond, for as long as there is
 * something to wait for.
 *
 * References of a wait: its cell's table, the mailbox, the thread's list. It holds the region until it is in neither
 * table nor list.
 */
#include "services/waits.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/run.h"
#include "core/shared.h"
#include "core/source.h"
#include "services/services.h"

#define POLL TROUPE_MILLISECOND

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449 /* on every architecture; headers older than the kernel do not say so */
#endif
enum { WORD_SIZE_32 = 2 };  /* FUTEX_32, or FUTEX2_SIZE_U32 */

struct word {               /* struct futex_waitv, which the same headers lack */
    uint64_t value, address;
    uint32_t flags, reserved;
};

struct tr_wait {
    struct tr_source source;            /* first: a source is cast to it */
    troupe_shared *region;              /* a reference; NULL: it was never begun */
    const _Atomic uint32_t *word;
    uint32_t expected;
    int64_t until;                      /* by the monotonic clock; INT64_MAX: for ever */
    struct tr_wait_thread *thread;      /* in whose list it is; NULL: in none. Under the lock, to the end */
    bool left;                          /* out of the cell's table while it was in the list */
    enum troupe_shared_outcome outcome; /* once it has ended */
    bool told;                          /* ... and the run was told */
};

static struct tr_wait *wait_of(struct tr_source *source) { return (struct tr_wait *)(void *)source; }

static struct tr_waits *waits_of(struct tr_node *node) { return &tr_services_of(node)->waits; }

static void ring(struct tr_wait_thread *thread) {
    atomic_fetch_add(&thread->bell, 1);
    (void)tr_shared_wake(&thread->bell, 1);
}

/* ---- The thread's list: under the lock ---- */

/* Out of the list. */
static void drop(struct tr_wait *wait) {
    wait->thread = NULL;
    if (wait->left) troupe_shared_release(wait->region);
    tr_source_drop(&wait->source);
}

static void end(struct tr_waits *waits, struct tr_wait *wait, enum troupe_shared_outcome outcome) {
    wait->outcome = outcome;
    if (tr_source_happens(&wait->source))
        tr_cell_push(waits->node, NULL, wait->source.cell, &wait->source.link);
}

/* True: it has ended, one way or the other. */
static bool is_over(struct tr_waits *waits, struct tr_wait *wait, int64_t now) {
    bool differs = atomic_load(wait->word) != wait->expected;
    if (!differs && wait->until > now && !wait->left) return false;
    if (!wait->left) end(waits, wait, differs ? TROUPE_SHARED_NOT_EQUAL : TROUPE_SHARED_TIMED_OUT);
    else if (differs) (void)tr_shared_wake(wait->word, 1);
    return true;
}

/* Removes what is over. Returns when to look again. */
static int64_t look(struct tr_waits *waits, struct tr_wait_thread *thread) {
    int64_t now = tr_thread_clock(), until = INT64_MAX;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < thread->count; i++) {
        struct tr_wait *wait = thread->at[i];
        if (is_over(waits, wait, now)) {
            drop(wait);
            continue;
        }
        thread->at[kept++] = wait;
        if (wait->until < until) until = wait->until;
    }
    thread->count = kept;
    return waits->polls && kept > 0 && until > now + POLL ? now + POLL : until;
}

static void woken(struct tr_waits *waits, struct tr_wait_thread *thread, uint32_t place) {
    struct tr_wait *wait = thread->at[place];
    if (wait->left) (void)tr_shared_wake(wait->word, 1);
    else end(waits, wait, TROUPE_SHARED_WOKEN);
    thread->at[place] = thread->at[--thread->count];
    drop(wait);
}

/* ---- The thread ---- */

static struct word word_at(const _Atomic uint32_t *word, uint32_t value) {
    return (struct word){ .value = value, .address = (uintptr_t)word, .flags = WORD_SIZE_32 };
}

/* The bell, and behind it each wait: how many. */
static uint32_t list_words(struct tr_waits *waits, struct tr_wait_thread *thread, struct word *words) {
    uint32_t count = 1;
    words[0] = word_at(&thread->bell, atomic_load(&thread->bell));
    for (uint32_t i = 0; i < thread->count && !waits->polls; i++)
        words[count++] = word_at(thread->at[i]->word, thread->at[i]->expected);
    return count;
}

/* The bell alone: every kernel can. */
static void await_bell(const struct word *bell, const struct timespec *until) {
    (void)syscall(SYS_futex, bell->address, FUTEX_WAIT_BITSET, (uint32_t)bell->value, until, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

/* Which of the words was woken; 0: the bell, or none of them. */
static uint32_t await(struct tr_wait_thread *thread, const struct word *words, uint32_t count, int64_t until) {
    const struct timespec at = { until / TROUPE_SECOND, until % TROUPE_SECOND };
    const struct timespec *deadline = until == INT64_MAX ? NULL : &at;
    if (count == 1) {
        await_bell(words, deadline);
        return 0;
    }
    long place = syscall(SYS_futex_waitv, words, count, 0, deadline, CLOCK_MONOTONIC);
    if (place >= 0) return (uint32_t)place;
    if (errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT) {
        pthread_mutex_lock(&thread->waits->lock);
        thread->waits->polls = true; /* ENOSYS; or a filter that does not know the call */
        pthread_mutex_unlock(&thread->waits->lock);
    }
    return 0;
}

static void *run(void *context) {
    struct tr_wait_thread *self = context;
    struct tr_waits *waits = self->waits;
    struct word words[TR_WAITS_EACH + 1];
    pthread_mutex_lock(&waits->lock);
    while (!waits->closed) {
        int64_t until = look(waits, self);
        uint32_t count = list_words(waits, self, words);
        pthread_mutex_unlock(&waits->lock);
        uint32_t place = await(self, words, count, until);
        pthread_mutex_lock(&waits->lock);
        if (place > 0) woken(waits, self, place - 1); /* others only add behind it */
    }
    pthread_mutex_unlock(&waits->lock);
    return NULL;
}

/* ---- The cell's worker ---- */

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct {
        struct tr_message header;
        struct troupe_shared_waited body;
    } message = { .header.type = &troupe_shared_waited_message,
                  .body = { source->id, (uint32_t)wait_of(source)->outcome } };
    wait_of(source)->told = true;
    tr_source_cancel(worker->node, cell, source);
    return tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
}

static void leave_list(struct tr_wait *wait) {
    wait->left = true;
    ring(wait->thread);
}

/* It is in no list, or not any more. */
static void leave_region(struct tr_wait *wait) {
    if (wait->region == NULL) return;
    if (!wait->told && wait->outcome == TROUPE_SHARED_WOKEN) (void)tr_shared_wake(wait->word, 1);
    troupe_shared_release(wait->region);
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct tr_waits *waits = waits_of(node);
    struct tr_wait *wait = wait_of(source);
    pthread_mutex_lock(&waits->lock);
    if (wait->thread != NULL) leave_list(wait);
    else leave_region(wait);
    pthread_mutex_unlock(&waits->lock);
}

static const struct tr_source_kind kind = { .handle = handle, .leave = leave };

static void start(struct tr_waits *waits, struct tr_wait_thread *thread) {
    thread->waits = waits;
    thread->alive = tr_thread_start(&thread->thread, "waits", run, thread);
}

/* Under the lock. NULL: there is no room, or no thread: `*status` says. */
static struct tr_wait_thread *find_thread(struct tr_waits *waits, enum troupe_status *status) {
    *status = TROUPE_NO_MEMORY;
    if (waits->threads == NULL) waits->threads = calloc(TR_WAIT_THREADS, sizeof *waits->threads);
    for (uint32_t i = 0; waits->threads != NULL && i < TR_WAIT_THREADS; i++) {
        struct tr_wait_thread *thread = &waits->threads[i];
        *status = TROUPE_LIMIT;
        if (thread->count == TR_WAITS_EACH) continue;
        if (!thread->alive) start(waits, thread);
        *status = thread->alive ? TROUPE_OK : TROUPE_SYSTEM;
        return thread->alive ? thread : NULL;
    }
    return NULL;
}

static void add(struct tr_wait_thread *thread, struct tr_wait *wait, troupe_shared *region) {
    wait->region = troupe_shared_keep(region);
    wait->thread = thread;
    atomic_fetch_add(&wait->source.references, 1);
    thread->at[thread->count++] = wait;
    ring(thread);
}

static enum troupe_status begin(struct tr_node *node, struct tr_wait *wait, troupe_shared *region) {
    enum troupe_status status;
    struct tr_waits *waits = waits_of(node);
    pthread_mutex_lock(&waits->lock);
    waits->node = node;
    struct tr_wait_thread *thread = find_thread(waits, &status);
    if (thread != NULL) add(thread, wait, region);
    pthread_mutex_unlock(&waits->lock);
    return status;
}

static const char *what_is_wrong(const troupe_self *self, const _Atomic uint32_t *word, int64_t timeout) {
    if (!tr_class_accepts(atomic_load(&self->cell->class), &troupe_shared_waited_message))
        return "the actor does not handle troupe_shared_waited";
    if (word == NULL) return "the offset is outside of the region, or no multiple of 4";
    return timeout < 0 ? "its timeout is less than 0" : NULL;
}

static enum troupe_status refuse(troupe_self *self, const char *why, enum troupe_status status) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no wait at shared memory: %s", why);
    return status;
}

static struct tr_wait *wait_new(troupe_self *self) {
    struct tr_wait *wait = tr_source_new(sizeof *wait, &kind);
    if (wait == NULL || tr_source_add(self->cell, &wait->source)) return wait;
    tr_source_drop(&wait->source);
    return NULL;
}

enum troupe_status troupe_shared_await(troupe_self *self, troupe_shared_waiter *waiter, troupe_shared *region,
                                       size_t offset, uint32_t expected, int64_t timeout) {
    struct tr_node *node = self->worker->node;
    const _Atomic uint32_t *word = tr_shared_word(region, offset);
    if (waiter != NULL) waiter->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    const char *wrong = what_is_wrong(self, word, timeout);
    if (wrong != NULL) return refuse(self, wrong, TROUPE_INVALID);
    if (node->options.time != NULL) return refuse(self, "a test kit has no thread for it", TROUPE_SYSTEM);
    struct tr_wait *wait = wait_new(self);
    if (wait == NULL) return TROUPE_NO_MEMORY;
    int64_t now = tr_thread_clock();
    wait->word = word;
    wait->expected = expected;
    wait->until = timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
    enum troupe_status status = begin(node, wait, region);
    if (status != TROUPE_OK) tr_source_cancel(node, self->cell, &wait->source);
    else if (waiter != NULL) waiter->id = wait->source.id;
    return status;
}

enum troupe_status troupe_shared_unwait(troupe_self *self, troupe_shared_waiter waiter) {
    struct tr_source *found = tr_source_find(self->cell, waiter.id, &kind);
    if (found == NULL) return TROUPE_GONE;
    tr_source_cancel(self->worker->node, self->cell, found);
    return TROUPE_OK;
}

/* ---- The beginning and the end ---- */

void tr_waits_init(struct tr_waits *waits) {
    *waits = (struct tr_waits){ .closed = false };
    pthread_mutex_init(&waits->lock, NULL);
}

static void end_thread(struct tr_wait_thread *thread) {
    if (!thread->alive) return;
    ring(thread);
    pthread_join(thread->thread, NULL);
    thread->alive = false;
    while (thread->count > 0) drop(thread->at[--thread->count]);
}

void tr_waits_close(struct tr_waits *waits) {
    pthread_mutex_lock(&waits->lock);
    waits->closed = true;
    pthread_mutex_unlock(&waits->lock);
    for (uint32_t i = 0; waits->threads != NULL && i < TR_WAIT_THREADS; i++) end_thread(&waits->threads[i]);
}

void tr_waits_free(struct tr_waits *waits) {
    free(waits->threads);
    pthread_mutex_destroy(&waits->lock);
}
