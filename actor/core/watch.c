#include "core/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <troupe/io.h>
#include <unistd.h>

#include "core/log.h"
#include "core/run.h"

enum { BESIDE_STDIO = 3 };

struct tr_watch {
    struct tr_source source;   /* first: a source is cast to its watch */
    struct tr_worker *owner;   /* in whose loop it is ... */
    uint64_t place;            /* ... and table */
    int told;                  /* the caller's descriptor ... */
    int fd;                    /* ... and the duplicate */
    uint32_t wanted;           /* enum troupe_events; 0: paused */
    bool handling;             /* its handler runs, and asks for more in the end, or when it waits */
    _Atomic uint32_t happened; /* EPOLL...: not yet told */
};

static struct tr_watch *watch_of(struct tr_source *source) { return (struct tr_watch *)(void *)source; }

static uint32_t to_epoll(uint32_t events) {
    return (uint32_t)EPOLLONESHOT | ((events & TROUPE_READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & TROUPE_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static uint32_t from_epoll(uint32_t happened, uint32_t wanted) {
    uint32_t ready = (happened & EPOLLIN) != 0 ? TROUPE_READABLE : 0;
    ready |= (happened & EPOLLOUT) != 0 ? TROUPE_WRITABLE : 0;
    ready &= wanted;
    if ((happened & EPOLLHUP) != 0) ready |= TROUPE_HANGUP | wanted;
    if ((happened & EPOLLERR) != 0) ready |= TROUPE_FAULT | wanted;
    return ready;
}

/* ---- The worker's table: under its lock ---- */

static bool add_place(struct tr_watch *watch) {
    struct tr_watches *watches = &watch->owner->watches;
    pthread_mutex_lock(&watches->lock);
    watch->place = tr_ids_add(&watches->ids, watch);
    pthread_mutex_unlock(&watches->lock);
    return watch->place != 0;
}

static void remove_place(struct tr_watch *watch) {
    struct tr_watches *watches = &watch->owner->watches;
    pthread_mutex_lock(&watches->lock);
    tr_ids_remove(&watches->ids, watch->place);
    pthread_mutex_unlock(&watches->lock);
}

void tr_watch_ready(void *context, uint64_t place, uint32_t events) {
    struct tr_worker *worker = context;
    pthread_mutex_lock(&worker->watches.lock);
    struct tr_watch *watch = tr_ids_find(&worker->watches.ids, place);
    if (watch != NULL) atomic_fetch_or(&watch->happened, events);
    bool push = watch != NULL && tr_source_happens(&watch->source);
    pthread_mutex_unlock(&worker->watches.lock);
    if (push) tr_cell_push(worker->node, worker, watch->source.cell, &watch->source.link);
}

/* ---- The rest: the worker that runs the cell ---- */

/* What is registered cannot be refused, unless somebody closed a descriptor that is not theirs. */
static void arm(struct tr_worker *worker, struct tr_watch *watch) {
    if (tr_loop_rewatch(&watch->owner->loop, watch->fd, watch->place, to_epoll(watch->wanted))) return;
    tr_log(worker->node, TROUPE_ERROR, troupe_self_path(&worker->self),
           "a descriptor is not watched any more, somebody has closed number %d: %s", watch->fd,
           strerror(errno));
}

/* Once for each handler: it may have done so before it returned. */
static void ask_again(struct tr_worker *worker, struct tr_watch *watch) {
    if (!watch->handling) return;
    watch->handling = false;
    if (!watch->source.cancelled && watch->wanted != 0) arm(worker, watch);
}

static void let_go(struct tr_worker *worker, struct tr_source *source) {
    ask_again(worker, watch_of(source));
}

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct tr_watch *watch = watch_of(source);
    uint32_t happened = atomic_exchange(&watch->happened, 0);
    if (watch->wanted == 0) return false;
    struct {
        struct tr_message header;
        struct troupe_descriptor body;
    } message = { .header.type = &troupe_descriptor_message,
                  .body = { watch->told, from_epoll(happened, watch->wanted), source->id } };
    bool wanted = message.body.events != 0;
    watch->handling = true;
    bool handled = wanted && tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
    if (wanted && !handled) watch->wanted = 0; /* it would be ready again at once */
    ask_again(worker, watch);
    return handled;
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct tr_watch *watch = watch_of(source);
    (void)node;
    remove_place(watch);
    tr_loop_unwatch(&watch->owner->loop, watch->fd);
    close(watch->fd);
}

static const struct tr_source_kind kind = { .handle = handle, .let_go = let_go, .leave = leave };

struct tr_watch *tr_watch_find(struct tr_cell *cell, uint64_t id) {
    struct tr_source *source = tr_source_find(cell, id, &kind);
    return source == NULL ? NULL : watch_of(source);
}

uint64_t tr_watch_id(const struct tr_watch *watch) { return watch->source.id; }

int tr_watch_descriptor(const struct tr_watch *watch) { return watch->told; }

/* One that waits, or whose handler runs, is asked for more when that is done. */
void tr_watch_set(struct tr_worker *worker, struct tr_watch *watch, uint32_t events) {
    watch->wanted = events;
    if (events != 0 && !watch->handling && !atomic_load(&watch->source.waiting)) arm(worker, watch);
}

void tr_watch_cancel(struct tr_node *node, struct tr_cell *cell, struct tr_watch *watch) {
    tr_source_cancel(node, cell, &watch->source);
}

/* ---- Making ---- */

static bool begin(struct tr_watch *watch, struct tr_cell *cell) {
    if (!tr_source_add(cell, &watch->source) || !add_place(watch)) {
        errno = ENOMEM;
        return false;
    }
    return tr_loop_watch(&watch->owner->loop, watch->fd, watch->place, to_epoll(watch->wanted));
}

static void give_up(struct tr_node *node, struct tr_cell *cell, struct tr_watch *watch) {
    int error = errno;
    if (watch->source.id != 0) {
        tr_watch_cancel(node, cell, watch);
    } else {
        if (watch->fd >= 0) close(watch->fd);
        tr_source_drop(&watch->source);
    }
    errno = error;
}

struct tr_watch *tr_watch_new(struct tr_worker *worker, struct tr_cell *cell, int fd, uint32_t events) {
    struct tr_watch *watch = tr_source_new(sizeof *watch, &kind);
    if (watch == NULL) return NULL;
    watch->owner = worker;
    watch->wanted = events;
    watch->told = fd;
    watch->fd = fcntl(fd, F_DUPFD_CLOEXEC, BESIDE_STDIO);
    if (watch->fd >= 0 && begin(watch, cell)) return watch;
    give_up(worker->node, cell, watch);
    return NULL;
}
