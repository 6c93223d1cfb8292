/*
 * A source: what brings a cell's present run messages from outside the actors: a watched descriptor, a
 * signal.
 *
 * When it happens, the source's own link goes into the cell's mailbox: no memory is needed, and one waits at
 * most. What happens is noticed elsewhere than where the cell runs: by a worker's loop, by the host's thread.
 * These find the source in a table, under a lock, and take the mailbox's reference before they give the
 * lock back (tr_source_happens); then its link may be pushed. Whoever cancels takes the source out of that
 * table, under the same lock. So a source is never looked at by somebody who does not hold it; at worst the
 * link of a cancelled one comes up in the mailbox, in whatever run there is, and is dropped.
 *
 * The link is taken out of the mailbox before it is handled, and may be pushed again from then on: what
 * happens while the handler runs is not lost. If the handler waits in troupe_receive, it may even be handled
 * within it: so each time has a message of its own, on the stack of whoever handles it.
 *
 * Two references: the cell's table, the mailbox. All else is touched only by the worker that runs the cell.
 */
#ifndef TR_SOURCE_H
#define TR_SOURCE_H

#include "core/worker.h"

struct tr_source;

struct tr_source_kind {
    /* It happened: by the worker that runs the cell, while the run that made it lives. */
    bool (*handle)(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source);
    /* The handler that it called waits in troupe_receive: what happens from here on is to be told. May be
     * NULL. */
    void (*let_go)(struct tr_worker *worker, struct tr_source *source);
    /* It was cancelled: nobody finds it from here on. By the worker that runs the cell. */
    void (*leave)(struct tr_node *node, struct tr_source *source);
};

struct tr_source {
    struct tr_link link;               /* TR_LINK_SOURCE; in the cell's mailbox while `waiting` */
    const struct tr_source_kind *kind;
    struct tr_cell *cell;
    uint64_t id;                       /* in the cell's table */
    _Atomic uint32_t references;
    _Atomic bool waiting;
    bool cancelled;
};

/* Allocates `size` bytes, zeroed, of which a tr_source is the first member. NULL: no memory. */
void *tr_source_new(size_t size, const struct tr_source_kind *kind);

/* Into the cell's table, whose reference it takes. False: no memory; it is the caller's to drop. */
bool tr_source_add(struct tr_cell *cell, struct tr_source *source);

/* NULL: there is none of this kind. */
struct tr_source *tr_source_find(struct tr_cell *cell, uint64_t id, const struct tr_source_kind *kind);

/* After it `handle` is not called. */
void tr_source_cancel(struct tr_node *node, struct tr_cell *cell, struct tr_source *source);
/* At the end of a run. */
void tr_sources_cancel_all(struct tr_node *node, struct tr_cell *cell);

/* Under the lock by which it was found. True: the caller must push its link. */
bool tr_source_happens(struct tr_source *source);

/* Its link came up, and was taken out of the mailbox. */
bool tr_source_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source);
/* Within that: its handler waits in troupe_receive. */
void tr_source_let_go(struct tr_worker *worker, struct tr_source *source);

void tr_source_drop(struct tr_source *source);

static inline struct tr_source *tr_source_of_link(struct tr_link *link) {
    return (struct tr_source *)(void *)link;
}

#endif
