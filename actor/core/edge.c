#include "core/edge.h"

#include <errno.h>
#include <sys/epoll.h>

static const uint32_t all = (uint32_t)EPOLLIN | (uint32_t)EPOLLOUT | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET;

struct tr_edge {
    struct tr_watched watched; /* first: a source is cast to its edge */
    struct tr_worker *owner;   /* in whose loop it is ... */
    uint64_t place;            /* ... and table */
    int fd;
};

static const struct tr_source_kind kind = { .handle = NULL }; /* its link is its cell's to handle */

static bool enter(struct tr_edge *edge, struct tr_worker *worker) {
    edge->owner = worker;
    edge->place = tr_watched_enter(worker, &edge->watched);
    if (edge->place == 0) {
        errno = ENOMEM;
        return false;
    }
    return tr_loop_watch(&worker->loop, edge->fd, edge->place, all);
}

static void leave(struct tr_edge *edge) {
    if (edge->place == 0) return;
    tr_watched_leave(edge->owner, edge->place);
    tr_loop_unwatch(&edge->owner->loop, edge->fd);
    edge->place = 0;
}

struct tr_edge *tr_edge_new(struct tr_worker *worker, struct tr_cell *cell, int fd) {
    struct tr_edge *edge = tr_source_new(sizeof *edge, &kind);
    if (edge == NULL) return NULL;
    edge->watched.source.cell = cell;
    edge->fd = fd;
    if (enter(edge, worker)) return edge;
    int error = errno;
    tr_edge_cancel(edge);
    errno = error;
    return NULL;
}

void tr_edge_cancel(struct tr_edge *edge) {
    edge->watched.source.cancelled = true;
    leave(edge);
    tr_source_drop(&edge->watched.source);
}

/* Its owner has no time for it. The kernel looks anew
 * when it is asked anew: nothing is missed. If it cannot be asked there, it stays. */
static void follow(struct tr_edge *edge, struct tr_worker *worker) {
    struct tr_worker *before = edge->owner;
    if (before == worker || worker->own != NULL) return;
    leave(edge);
    if (!enter(edge, worker)) (void)enter(edge, before);
}

struct tr_edge *tr_edge_took(struct tr_worker *worker, struct tr_link *link, uint32_t *happened) {
    struct tr_edge *edge = (struct tr_edge *)(void *)tr_source_of_link(link);
    struct tr_source *source = &edge->watched.source;
    atomic_store(&source->waiting, false);
    bool cancelled = source->cancelled;
    *happened = atomic_exchange(&edge->watched.happened, 0);
    if (!cancelled && (*happened & TR_WATCHED_ELSEWHERE) != 0) follow(edge, worker);
    tr_source_drop(source);
    return cancelled ? NULL : edge;
}

void tr_edge_again(struct tr_worker *worker, struct tr_edge *edge) {
    struct tr_source *source = &edge->watched.source;
    if (tr_source_happens(source)) tr_cell_push(worker->node, worker, source->cell, &source->link);
}
