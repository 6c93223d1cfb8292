/*
 * An edge: a descriptor that a native cell watches, in the loop of a worker.
 *
 * It tells each time when there is more to read, room to write again, or an end (EPOLLET): the kernel is asked once,
 * and whoever is told reads and writes until the kernel has no more, or says itself that it will go on
 * (tr_edge_again). What happens comes as a link of kind TR_LINK_SOURCE into the cell's mailbox, one at most.
 *
 * The worker in whose loop it is may be held up by a handler. Then the monitor looks into that loop; an edge told
 * by it (TR_WATCHED_ELSEWHERE) moves to the loop of whoever runs its cell.
 */
#ifndef TR_EDGE_H
#define TR_EDGE_H

#include "core/watch.h"

struct tr_edge;

/* The descriptor stays the caller's, who cancels the edge before closing it. NULL: errno. All of these by the worker
 * that runs the cell; cancel, when the node is halted, by anyone. */
struct tr_edge *tr_edge_new(struct tr_worker *worker, struct tr_cell *cell, int fd);
void tr_edge_cancel(struct tr_edge *edge);

/* The link came up: the edge, and what has happened (EPOLL...); NULL: it was cancelled. */
struct tr_edge *tr_edge_took(struct tr_worker *worker, struct tr_link *link, uint32_t *happened);
/* As if it had happened once more: behind what waits for the cell. */
void tr_edge_again(struct tr_worker *worker, struct tr_edge *edge);

#endif
