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
    struct tr_watched watched; /* first: a source is cast to its watch */
    struct tr_worker *owner;   /* in whose loop it is ... */
    uint64_t place;            /* ... and table */
    int told;                  /* the caller's descriptor ... */
    int fd;                    /* ... and the duplicate */
    uint32_t wanted;           /* enum troupe_events; 0: paused */
    bool handling;             /* its handler runs, and asks for more in the end, or when it waits */
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

uint64_t tr_watched_enter(struct tr_worker *owner, struct tr_watched *watched) {
    pthread_mutex_lock(&owner->watches.lock);
    uint64_t place = tr_ids_add(&owner->watches.ids, watched);
    pthread_mutex_unlock(&owner->watches.lock);
    return place;
}

void tr_watched_leave(struct tr_worker *owner, uint64_t place) {
    pthread_mutex_lock(&owner->watches.lock);
    tr_ids_remove(&owner->watches.ids, place);
    pthread_mutex_unlock(&owner->watches.lock);
}

/* `caller`: the worker whose thread this is; NULL: none. */
static void happens(struct tr_worker *owner, struct tr_worker *caller, uint64_t place, uint32_t events) {
    pthread_mutex_lock(&owner->watches.lock);
    struct tr_watched *watched = tr_ids_find(&owner->watches.ids, place);
    if (watched != NULL) atomic_fetch_or(&watched->happened, events);
    bool push = watched != NULL && tr_source_happens(&watched->source);
    pthread_mutex_unlock(&owner->watches.lock);
    if (push) tr_cell_push(owner->node, caller, watched->source.cell, &watched->source.link);
}

void tr_watch_ready(void *worker, uint64_t place, uint32_t events) { happens(worker, worker, place, events); }

void tr_watch_ready_elsewhere(void *worker, uint64_t place, uint32_t events) {
    happens(worker, NULL, place, events | TR_WATCHED_ELSEWHERE);
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
    if (!watch->watched.source.cancelled && watch->wanted != 0) arm(worker, watch);
}

static void let_go(struct tr_worker *worker, struct tr_source *source) {
    ask_again(worker, watch_of(source));
}

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct tr_watch *watch = watch_of(source);
    uint32_t happened = atomic_exchange(&watch->watched.happened, 0);
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
    tr_watched_leave(watch->owner, watch->place);
    tr_loop_unwatch(&watch->owner->loop, watch->fd);
    close(watch->fd);
}

static const struct tr_source_kind kind = { .handle = handle, .let_go = let_go, .leave = leave };

struct tr_watch *tr_watch_find(struct tr_cell *cell, uint64_t id) {
    struct tr_source *source = tr_source_find(cell, id, &kind);
    return source == NULL ? NULL : watch_of(source);
}

uint64_t tr_watch_id(const struct tr_watch *watch) { return watch->watched.source.id; }

int tr_watch_descriptor(const struct tr_watch *watch) { return watch->told; }

/* One that waits, or whose handler runs, is asked for more when that is done. */
void tr_watch_set(struct tr_worker *worker, struct tr_watch *watch, uint32_t events) {
    watch->wanted = events;
    if (events != 0 && !watch->handling && !atomic_load(&watch->watched.source.waiting)) arm(worker, watch);
}

void tr_watch_cancel(struct tr_node *node, struct tr_cell *cell, struct tr_watch *watch) {
    tr_source_cancel(node, cell, &watch->watched.source);
}

/* ---- Making ---- */

static bool begin(struct tr_watch *watch, struct tr_cell *cell) {
    if (!tr_source_add(cell, &watch->watched.source) ||
        (watch->place = tr_watched_enter(watch->owner, &watch->watched)) == 0) {
        errno = ENOMEM;
        return false;
    }
    return tr_loop_watch(&watch->owner->loop, watch->fd, watch->place, to_epoll(watch->wanted));
}

static void give_up(struct tr_node *node, struct tr_cell *cell, struct tr_watch *watch) {
    int error = errno;
    if (watch->watched.source.id != 0) {
        tr_watch_cancel(node, cell, watch);
    } else {
        if (watch->fd >= 0) close(watch->fd);
        tr_source_drop(&watch->watched.source);
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
