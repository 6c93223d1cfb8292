/* Sending: the one way a message enters a mailbox or a lane. */
#ifndef TR_SEND_H
#define TR_SEND_H

#include "core/worker.h"

/* Sends a copy to a cell of this node or another, with the codes of troupe_send. `worker` is the calling
 * thread's, or NULL. Flags ASKED and REPLY go with `outgoing->ask`. Replies are not bounded. */
enum troupe_status tr_send(struct tr_node *node, struct tr_worker *worker,
                           const struct tr_outgoing *outgoing);

/* To many: troupe_send_many. `outgoing` is for all of them, but for `to`. */
enum troupe_status tr_send_many(struct tr_node *node, struct tr_worker *worker,
                                const struct tr_outgoing *outgoing, const troupe_address *to,
                                size_t count, enum troupe_status *statuses);

/* Troupe's own messages: not bounded, not counted. */
enum troupe_status tr_send_system(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                                  const struct troupe_message_type *type, const void *body);

/* How an ask failed. */
enum troupe_status tr_send_outcome(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                                   uint64_t ask, enum troupe_status status);

/* A message that came from another node, for a cell of this one: always taken, into the mailbox or
 * among the dead letters, so that its channel settles in order. Takes it. */
void tr_send_inbound(struct tr_node *node, struct tr_worker *worker, struct tr_message *message);

/* Ends the run in a cell of this node or another: troupe_stop_actor. `by`: who wants it; or none. */
enum troupe_status tr_stop(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                           enum tr_stop how, troupe_address by);

/* Puts a notice on the system lane of a cell, whose memory is never given back: so that may have become another's.
 * Any thread; cannot fail. */
void tr_notify(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice);

/* Whoever asked for the stop that a cell has; none: it is not known any more. */
troupe_address tr_stopped_by(struct tr_node *node, uint64_t stop);

/* Makes the configured cell of a slot: its address is valid from now on, and what is sent there waits for
 * the first run. Before the node has any work. False: no memory. */
bool tr_bind(struct tr_node *node, uint32_t slot, const struct tr_run_spec *start);

/* Begins a run in a cell of this node whose life is EMPTY or DOWN. Takes start->args on success. */
enum troupe_status tr_start(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                            uint32_t generation, const struct tr_run_spec *start);

/* A new cell with a run in it: troupe_spawn. */
enum troupe_status tr_spawn(struct tr_node *node, struct tr_worker *worker, const struct tr_run_spec *start,
                            troupe_address *address);

/* Ends a supervised cell that is DOWN for good. */
void tr_forget(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
               uint32_t generation);

/* A cell that runs no actor: lanes, the host. */
struct tr_cell *tr_native_new(struct tr_node *node, const struct tr_native *native, void *context);

/* Those who were refused may send again. Safe on a cell that is not the caller's. */
void tr_tell_waiters(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell);
static inline void tr_tell_ready(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell) {
    if (atomic_load(&cell->waiters)) tr_tell_waiters(node, worker, cell);
}

#endif
