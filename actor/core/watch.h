/*
 * A watch: a source (source.h) that is a descriptor in the loop of the worker that made it.
 *
 * The loop knows it by a number, its place in a table of that worker: what the kernel still says of a watch
 * that is gone finds nothing there. The kernel is asked for one event at a time (EPOLLONESHOT). After the
 * handler has returned, or when it waits in troupe_receive, whichever worker runs it asks for the next: until
 * then the descriptor is quiet, and as the kernel looks anew each time it is asked, nothing is missed.
 *
 * What is watched is a duplicate of the caller's descriptor, so that it is nobody else's to close, and no
 * other file can come to have its number: docs/decisions/0011-watches-have-duplicates.md.
 *
 * Pausing asks the kernel for nothing: an event that still comes is dropped, and no more are asked for.
 */
#ifndef TR_WATCH_H
#define TR_WATCH_H

#include "core/source.h"

struct tr_watch;

/* Watches a descriptor for the run in the cell that `worker` runs. NULL: errno; ENOMEM too. */
struct tr_watch *tr_watch_new(struct tr_worker *worker, struct tr_cell *cell, int fd, uint32_t events);

/* NULL: there is none. By the worker that runs the cell, all of these. */
struct tr_watch *tr_watch_find(struct tr_cell *cell, uint64_t id);
uint64_t tr_watch_id(const struct tr_watch *watch);
/* The one that the actor gave. */
int tr_watch_descriptor(const struct tr_watch *watch);
void tr_watch_set(struct tr_worker *worker, struct tr_watch *watch, uint32_t events);
void tr_watch_cancel(struct tr_node *node, struct tr_cell *cell, struct tr_watch *watch);

/* ---- What a worker's loop tells: watches, and the edges of native cells (edge.h) ---- */

/* In `happened`: said by another thread than the worker's. No event of epoll. */
#define TR_WATCHED_ELSEWHERE (UINT32_C(1) << 25)

/* Begins whatever the loop of a worker knows by a place in its table. */
struct tr_watched {
    struct tr_source source;
    _Atomic uint32_t happened; /* EPOLL...: not yet told */
};

/* Its place in the table of that worker; 0: no memory. Any thread, both. */
uint64_t tr_watched_enter(struct tr_worker *owner, struct tr_watched *watched);
void tr_watched_leave(struct tr_worker *owner, uint64_t place);

/* The worker's loop says that something is ready: a tr_loop_ready whose context is the worker. */
void tr_watch_ready(void *worker, uint64_t place, uint32_t events);
/* The same, said to another thread, because the worker has not looked for long. */
void tr_watch_ready_elsewhere(void *worker, uint64_t place, uint32_t events);

#endif
