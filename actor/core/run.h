/* The runs of actors in their cells: run.c begins and ends them, deliver.c handles messages. Everything
 * here is called by the worker that runs the cell. */
#ifndef TR_RUN_H
#define TR_RUN_H

#include "core/worker.h"

/* Does what the system lane asks for: starts, stops, forgets. False: that is for another worker to do, which
 * is to run the cell from here on (own.h). */
bool tr_run_system(struct tr_worker *worker, struct tr_cell *cell);

/* Within a handler that waits: is the run asked to stop? Then the orders wait until the handler has returned. Or over,
 * because of a link? Then its end does (`failed` of own.h). */
bool tr_run_is_asked_to_stop(struct tr_worker *worker, struct tr_cell *cell);

/* Tells the supervisor that the run is ready; after `self->unready`, for the actor itself to call. */
void tr_run_ready(struct tr_worker *worker, struct tr_cell *cell);

/* Ends the present run: OK, done; STOPPING, asked to; else failed, with the text in self->failure. Within
 * troupe_receive: as soon as the handler that called it has returned. */
void tr_run_end(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status,
                bool killed);

/* The same, because of a link with another that has ended, or cannot be reached: with the same reason. */
void tr_run_end_linked(struct tr_worker *worker, struct tr_cell *cell, const struct troupe_death *other);

/* Begins the run of a cell that tr_spawn took for it. Its message stays the caller's. */
void tr_run_begin(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *args);

/* After a handler that was not one of a message: ends the run if it failed or asked for it. */
void tr_run_after(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status);

/* What only some cells need: path, name, timers, sources, askers. All of these must be cancelled. */
void tr_run_free_more(struct tr_cell *cell);

/* Around the handling of what is no counted message (ticks, starts, stops): the flight recorder names it. */
void tr_handling_own(struct tr_worker *worker, const struct tr_cell *cell,
                     const struct troupe_message_type *type);
void tr_handling_ended(struct tr_worker *worker);

/* Handles a message of Troupe's own making for the run: a tick, a ready descriptor. May end the run. False: it is dropped,
 * for what the actor is now has no handler for it. */
bool tr_deliver_own(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message);

/* `return tr_decline(self, reason);` in a handler of Troupe's own: the message at hand becomes a dead letter, and the run
 * goes on. */
enum { TR_DECLINED = 128 };
static inline enum troupe_status tr_decline(troupe_self *self, enum troupe_status reason) {
    self->declined = (uint8_t)reason;
    return (enum troupe_status)TR_DECLINED;
}

/* What became of the link that was handled. */
enum tr_handled {
    TR_DONE,
    TR_AGAIN,  /* the run failed and the message is to be handled by the next one */
    TR_LET_GO, /* done, and neither in the mailbox nor unsettled any more: tr_let_go */
    TR_PUT_ASIDE, /* not done, and not in the mailbox any more, which has room for another */
};

/* Handles a message of the RUNNING cell, or declares it dead. */
enum tr_handled tr_deliver(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message);

/* The message at hand counts as handled, though its handler runs on. */
void tr_settle_early(struct tr_worker *worker, struct tr_message *message);

/* For troupe_receive. Settles what is at hand, and takes it out of the mailbox, so that what is behind it
 * can be handled; it stays valid until its handler returns. */
void tr_let_go(struct tr_worker *worker, struct tr_cell *cell);
/* Handles what comes next within the present handler; the cell stays the caller's. OTHER: it was nothing
 * that is handled. */
enum tr_taken { TR_TOOK_NOTHING, TR_TOOK_OTHER, TR_TOOK_ONE };
enum tr_taken tr_take_within(struct tr_worker *worker, struct tr_cell *cell);

/* So that taking the head off does not empty the mailbox: the cell stays the caller's. */
void tr_guard_behind(struct tr_worker *worker, struct tr_cell *cell);
/* Takes the head out of the mailbox although it is to live on; the cell stays the caller's. */
struct tr_link *tr_take_out(struct tr_worker *worker, struct tr_cell *cell);
/* Puts a link that was taken out before, or behind, what is held. */
void tr_hold_first(struct tr_cell *cell, struct tr_link *link);
void tr_hold_last(struct tr_cell *cell, struct tr_link *link);

/* Puts a message that is out of the mailbox behind those put aside. The cell has its `more`. */
void tr_stash_add(struct tr_cell *cell, struct tr_message *message);
/* All of those go before what is held; returns how many. */
uint32_t tr_stash_hold(struct tr_cell *cell);

/* A line of the trace: who told whom what, or what happened to whom. */
void tr_trace_message(struct tr_worker *worker, const struct tr_message *message);
void tr_trace_life_line(struct tr_worker *worker, struct tr_cell *cell, const char *what);
static inline void tr_trace_life(struct tr_worker *worker, struct tr_cell *cell, const char *what) {
    if (worker->node->options.trace >= 0) tr_trace_life_line(worker, cell, what);
}

#endif
