/*
 * Calls that block, each on a thread of its own for as long as it takes.
 *
 * A call is an ask of the actor that wants it (ask.c), whose reply comes from a thread instead of another
 * actor. So there is one deadline, one answer handler, and one rule for replies that come too late or to
 * a run that has ended. The job holds a reference of the ask, for the request is kept there; that is never
 * changed, and whoever drops the last reference frees it. A job that has the only one when its turn comes
 * is a call that nobody waits for any more, and is not made.
 *
 * Threads are made when calls wait and none is idle, up to the limit, and end by themselves. One that has
 * ended is joined by the next that takes its place, or at the end. They handle no messages and are no
 * workers: what they send, they send as outside threads do. With a limit of none the call is made at once, by
 * the worker that asks for it: a node that is stepped has no other thread.
 */
#include "services/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe/work.h>

#include "core/log.h"
#include "core/send.h"
#include "core/thread.h"
#include "services/ask.h"
#include "services/services.h"

#define IDLE (2 * TROUPE_SECOND)
#define PATIENCE (TROUPE_SECOND / 10) /* before the log tells what the end waits for */

struct troupe_job {
    struct troupe_job *next;
    const struct troupe_work_type *type;
    struct tr_node *node;
    struct tr_ask *ask;   /* a reference */
    troupe_address asker;
    uint64_t id;          /* of the ask */
    bool replied;
};

enum life { FREE, ALIVE, ENDED };

struct tr_work_thread {
    struct tr_work_pool *pool;
    enum life life;
    pthread_t thread;
    const struct troupe_work_type *doing; /* NULL: nothing */
};

/* ---- A call ---- */

static void job_free(struct troupe_job *job) {
    tr_alarm_drop(NULL, &job->ask->alarm);
    free(job);
}

enum troupe_status troupe_work_reply(troupe_job *work, const struct troupe_message_type *type,
                                     const void *message) {
    if (work->replied || type != work->type->reply) return TROUPE_INVALID;
    struct tr_outgoing outgoing = { .to = work->asker, .type = type, .body = message, .ask = work->id,
                                    .flags = TR_MESSAGE_REPLY };
    enum troupe_status status = tr_send(work->node, NULL, &outgoing);
    work->replied = status == TROUPE_OK;
    return status;
}

/* By the actor: the deadline has not come, and the run that asked lives. Once not, never again. */
static bool is_awaited(struct troupe_job *job) {
    return atomic_load_explicit(&job->ask->alarm.references, memory_order_acquire) > 1;
}

static void make_call(struct troupe_job *job) {
    if (!is_awaited(job)) return;
    enum troupe_status status = job->type->call(job, tr_message_body(job->ask->request));
    if (status == TROUPE_OK) status = TROUPE_NO_REPLY;
    if (!job->replied) tr_send_outcome(job->node, NULL, job->asker, job->id, status);
}

/* ---- A thread; under the lock but for the call itself ---- */

static struct timespec time_in(int64_t delay) {
    int64_t now = tr_thread_clock(), at = delay > INT64_MAX - now ? INT64_MAX : now + delay;
    return (struct timespec){ at / TROUPE_SECOND, at % TROUPE_SECOND };
}

static struct troupe_job *take_first(struct tr_work_pool *pool) {
    struct troupe_job *job = pool->first;
    if (job == NULL) return NULL;
    pool->first = job->next;
    pool->count--;
    return job;
}

/* NULL: it has waited long enough. */
static struct troupe_job *await_job(struct tr_work_pool *pool) {
    const struct timespec at = time_in(IDLE);
    int late = 0;
    pool->idle++;
    while (pool->first == NULL && !pool->closed && late == 0)
        late = pthread_cond_timedwait(&pool->queued, &pool->lock, &at);
    pool->idle--;
    return take_first(pool);
}

static void *run(void *context) {
    struct tr_work_thread *self = context;
    struct tr_work_pool *pool = self->pool;
    struct troupe_job *job;
    pthread_mutex_lock(&pool->lock);
    while ((job = await_job(pool)) != NULL) {
        self->doing = job->type;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        make_call(job);
        job_free(job);
        pthread_mutex_lock(&pool->lock);
        self->doing = NULL;
        pool->busy--;
    }
    self->life = ENDED;
    pool->alive--;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool start_thread(struct tr_work_pool *pool) {
    struct tr_work_thread *place = pool->threads;
    while (place->life == ALIVE) place++; /* there is one: fewer are alive than there may be */
    if (place->life == ENDED) pthread_join(place->thread, NULL);
    place->life = FREE;
    place->pool = pool;
    if (!tr_thread_start(&place->thread, "work", run, place)) return false;
    place->life = ALIVE;
    pool->alive++;
    return true;
}

/* ---- Asking for a call ---- */

/* As many as wait have somebody who will come for them. */
static bool has_hands(struct tr_work_pool *pool) {
    if (pool->count < pool->idle || pool->alive == pool->limit) return true;
    return start_thread(pool) || pool->alive > 0;
}

static enum troupe_status enqueue(struct tr_work_pool *pool, struct troupe_job *job) {
    if (pool->closed) return TROUPE_STOPPING;
    if (pool->count == TR_WORK_QUEUE) return TROUPE_FULL;
    if (!has_hands(pool)) return TROUPE_SYSTEM;
    if (pool->first == NULL) pool->first = job;
    else pool->last->next = job;
    pool->last = job;
    pool->count++;
    pthread_cond_signal(&pool->queued);
    return TROUPE_OK;
}

static enum troupe_status hand_over(struct tr_work_pool *pool, struct troupe_job *job) {
    pthread_mutex_lock(&pool->lock);
    enum troupe_status status = enqueue(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

static enum troupe_status submit(troupe_self *self, const struct troupe_work_type *work,
                                 struct tr_ask *ask) {
    struct tr_node *node = self->worker->node;
    struct tr_work_pool *pool = &tr_services_of(node)->work;
    struct troupe_job *job = calloc(1, sizeof *job);
    if (job == NULL) return TROUPE_NO_MEMORY;
    *job = (struct troupe_job){ .type = work, .node = node, .ask = ask, .id = ask->alarm.id,
                                .asker = troupe_self_address(self) };
    tr_alarm_hold(&ask->alarm);
    enum troupe_status status = pool->limit == 0 ? TROUPE_OK : hand_over(pool, job);
    if (status == TROUPE_OK && pool->limit == 0) make_call(job);
    if (status != TROUPE_OK || pool->limit == 0) job_free(job);
    return status;
}

enum troupe_status troupe_work_message(troupe_self *self, const struct troupe_work_type *work,
                                       int64_t timeout, const void *request) {
    enum troupe_status status;
    struct tr_ask *ask = tr_ask_open(self, work->request, work->reply, request, timeout, &status);
    if (ask == NULL) return status;
    status = submit(self, work, ask);
    if (status != TROUPE_OK) tr_ask_close(self, ask);
    return status;
}

/* ---- Making, and the end ---- */

bool tr_work_init(struct tr_work_pool *pool, uint32_t threads) {
    pthread_condattr_t attributes;
    *pool = (struct tr_work_pool){ .limit = threads };
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->queued, &attributes);
    pthread_cond_init(&pool->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    pool->threads = calloc(threads + 1, sizeof *pool->threads); /* one that is not used: there may be none */
    return pool->threads != NULL;
}

static void describe(const struct tr_work_pool *pool, char *text, size_t size) {
    size_t used = 0;
    if (size > 0) text[0] = '\0';
    for (uint32_t i = 0; i < pool->limit && used < size; i++)
        if (pool->threads[i].life == ALIVE && pool->threads[i].doing != NULL)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                     pool->threads[i].doing->name);
}

void tr_work_describe(struct tr_work_pool *pool, char *text, size_t size) {
    pthread_mutex_lock(&pool->lock);
    describe(pool, text, size);
    pthread_mutex_unlock(&pool->lock);
}

static void drop_queued(struct tr_work_pool *pool) {
    struct troupe_job *job;
    while ((job = take_first(pool)) != NULL) job_free(job);
}

/* A thread without a call ends at once: the time is for the others. */
static bool await_end(struct tr_work_pool *pool, int64_t within) {
    const struct timespec at = time_in(within);
    int late = 0;
    while (pool->alive > 0 && late == 0) late = pthread_cond_timedwait(&pool->ended, &pool->lock, &at);
    while (pool->alive > 0 && pool->busy == 0) pthread_cond_wait(&pool->ended, &pool->lock);
    return pool->alive == 0;
}

static void tell(struct tr_work_pool *pool, struct tr_node *node) {
    char text[256];
    describe(pool, text, sizeof text);
    tr_log(node, TROUPE_WARNING, NULL, "the end waits for calls of troupe_work: %s", text);
}

bool tr_work_close(struct tr_work_pool *pool, struct tr_node *node, int64_t within) {
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    drop_queued(pool);
    pthread_cond_broadcast(&pool->queued);
    bool ended = await_end(pool, within < PATIENCE ? within : PATIENCE);
    if (!ended) tell(pool, node);
    if (!ended && within > PATIENCE) ended = await_end(pool, within - PATIENCE);
    pthread_mutex_unlock(&pool->lock);
    return ended;
}

void tr_work_free(struct tr_work_pool *pool) {
    if (pool->threads == NULL) return;
    for (uint32_t i = 0; i < pool->limit; i++)
        if (pool->threads[i].life == ENDED) pthread_join(pool->threads[i].thread, NULL);
    free(pool->threads);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->queued);
    pthread_mutex_destroy(&pool->lock);
}
