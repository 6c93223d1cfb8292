/*
 * What happens to one message that came to the head of a running cell.
 */
#include <stdlib.h>
#include <string.h>

#include "core/dead.h"
#include "core/look.h"
#include "core/own.h"
#include "core/run.h"
#include "core/send.h"

enum { POISON_LIMIT = 3 };

/* ---- Around a handler: the flight recorder and the ledger know what is being handled ---- */

static void begin_handling(struct tr_worker *worker, struct tr_cell *cell,
                           const struct tr_message *message) {
    const struct tr_inbound *inbound = message->inbound;
    uint64_t place = (uint64_t)cell->slot << 32 | message->generation;
    tr_flight_handling(worker->flight, place, message->type, inbound != NULL);
    if (inbound == NULL) return;
    uint64_t next = atomic_load_explicit(inbound->settled, memory_order_relaxed) + 1;
    atomic_store_explicit(&inbound->current[worker->index],
                          (uint64_t)(inbound->channel + 1) << 40 | next, memory_order_release);
}

/* Only after the counter or the ledger says that the message is settled, or that it is not: what is
 * settled is not in doubt, whatever is still said to be handled. */
static void end_handling(struct tr_worker *worker, const struct tr_inbound *inbound) {
    atomic_store_explicit(&worker->flight->current_type, 0, memory_order_release);
    if (inbound != NULL)
        atomic_store_explicit(&inbound->current[worker->index], 0, memory_order_release);
}

void tr_handling_own(struct tr_worker *worker, const struct tr_cell *cell,
                     const struct troupe_message_type *type) {
    uint64_t place = (uint64_t)cell->slot << 32 | cell->run_generation;
    tr_flight_handling(worker->flight, place, type, true);
}

void tr_handling_ended(struct tr_worker *worker) { end_handling(worker, NULL); }

bool tr_deliver_own(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message) {
    const struct troupe_entry *entry = tr_class_handler(cell->running, message->type);
    if (entry == NULL) { /* no longer: it has become something else */
        tr_loss_log(worker->node, "dropped", troupe_self_address(&worker->self), message->type->name,
                    TROUPE_UNHANDLED);
        return false;
    }
    worker->self.message = message;
    worker->self.answered = worker->self.kept = false;
    worker->self.let_go = TR_LET_NOT;
    tr_handling_own(worker, cell, message->type);
    enum troupe_status status = entry->thunk(&worker->self, cell->state, tr_message_body(message));
    tr_handling_ended(worker);
    tr_run_after(worker, cell, status);
    worker->self.message = NULL;
    return true;
}

static enum troupe_status call(struct tr_worker *worker, struct tr_cell *cell,
                               struct tr_message *message, const struct troupe_entry *entry,
                               bool *late) {
    worker->self.message = message;
    worker->self.answered = worker->self.kept = false;
    worker->self.let_go = TR_LET_NOT;
    worker->self.counted = true;
    if ((message->link.flags & TR_MESSAGE_REPLY) != 0)
        return worker->node->options.hooks->reply(worker, cell, message, late);
    if (worker->node->options.trace >= 0) tr_trace_message(worker, message);
    return entry->thunk(&worker->self, cell->state, tr_message_body(message));
}

/* ---- Afterwards ---- */

static void settle(struct tr_worker *worker, struct tr_message *message) {
    if (message->inbound != NULL) tr_inbound_settle(message->inbound, worker, TROUPE_OK);
    else if ((message->link.flags & TR_MESSAGE_SYSTEM) == 0) tr_bump(&worker->flight->handled_local);
}

static void close_ask(struct tr_worker *worker, const struct tr_message *message,
                      enum troupe_status outcome) {
    if ((message->link.flags & TR_MESSAGE_ASKED) == 0) return;
    if (worker->self.answered || worker->self.kept) return;
    tr_send_outcome(worker->node, worker, message->from, message->ask, outcome);
}

static bool is_delivered_again(struct tr_cell *cell, const struct tr_message *message) {
    return atomic_load_explicit(&cell->at_least_once, memory_order_relaxed) &&
           (message->link.flags & (TR_MESSAGE_ASKED | TR_MESSAGE_REPLY | TR_MESSAGE_SYSTEM)) == 0;
}

static enum tr_handled fail(struct tr_worker *worker, struct tr_cell *cell,
                            struct tr_message *message, enum troupe_status status) {
    bool again = is_delivered_again(cell, message) && ++message->link.attempts < POISON_LIMIT;
    enum troupe_status reason =
        message->link.attempts >= POISON_LIMIT ? TROUPE_POISON : TROUPE_FAILED;
    if (worker->self.answered) message->link.flags &= (uint8_t)~TR_MESSAGE_ASKED;
    tr_run_end(worker, cell, status, false);
    if (cell->life == TR_LIFE_EMPTY) again = false; /* no next run: nobody supervises it */
    if (!again) tr_dead_letter_keep(worker->node, worker, message, reason);
    return again ? TR_AGAIN : TR_DONE;
}

/* OK: it was declined, and that is no failure. */
static enum troupe_status decline(struct tr_worker *worker, struct tr_message *message, enum troupe_status status) {
    enum troupe_status reason = (enum troupe_status)worker->self.declined;
    if ((int)status != TR_DECLINED || reason == TROUPE_OK) return status;
    worker->self.declined = TROUPE_OK;
    tr_dead_letter_keep(worker->node, worker, message, reason);
    return TROUPE_OK;
}

void tr_settle_early(struct tr_worker *worker, struct tr_message *message) {
    settle(worker, message);
    end_handling(worker, message->inbound);
}

/* What is left when a handler has returned whose message was settled before. */
static enum tr_handled end_settled(struct tr_worker *worker, struct tr_cell *cell,
                                   const struct tr_message *message, enum troupe_status status) {
    bool failed = status != TROUPE_OK || worker->own->failed != TROUPE_OK;
    close_ask(worker, message, failed ? TROUPE_DIED : TROUPE_NO_REPLY);
    tr_handling_ended(worker);
    tr_run_after(worker, cell, status);
    worker->self.message = NULL;
    return TR_LET_GO;
}

/* For the node it came from it is handled: from here on it is one of this node's. */
static void settle_channel(struct tr_worker *worker, struct tr_message *message) {
    struct tr_inbound *inbound = message->inbound;
    if ((message->link.flags & TR_MESSAGE_SYSTEM) == 0) tr_bump(&worker->flight->sent_local);
    tr_inbound_settle(inbound, worker, TROUPE_OK);
    end_handling(worker, inbound);
    message->inbound = NULL;
    tr_inbound_release(inbound);
}

static enum tr_handled put_aside(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message) {
    if (cell->front.head == &message->link) tr_take_out(worker, cell); /* it is not one that was held */
    tr_stash_add(cell, message);
    if (message->inbound != NULL) settle_channel(worker, message);
    else end_handling(worker, NULL);
    worker->self.message = NULL;
    tr_run_after(worker, cell, TROUPE_OK);
    return TR_PUT_ASIDE;
}

/* False: it fails, though it was to be put aside. */
static bool end_let_go(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message,
                       enum troupe_status status, enum tr_handled *handled) {
    if (worker->self.let_go == TR_LET_SETTLED) *handled = end_settled(worker, cell, message, status);
    else if (status == TROUPE_OK) *handled = put_aside(worker, cell, message);
    else worker->self.let_go = TR_LET_NOT;
    return worker->self.let_go != TR_LET_NOT;
}

static enum tr_handled handle(struct tr_worker *worker, struct tr_cell *cell,
                              struct tr_message *message, const struct troupe_entry *entry) {
    bool late = false;
    struct tr_inbound *inbound = message->inbound;
    enum tr_handled handled = TR_DONE;
    begin_handling(worker, cell, message);
    enum troupe_status status = call(worker, cell, message, entry, &late);
    worker->self.counted = false;
    if (worker->self.let_go != TR_LET_NOT && end_let_go(worker, cell, message, status, &handled))
        return handled;
    if (late) tr_dead_letter_keep(worker->node, worker, message, TROUPE_TIMEOUT);
    else if (status == TROUPE_OK) {
        close_ask(worker, message, TROUPE_NO_REPLY);
        settle(worker, message);
    } else {
        status = decline(worker, message, status);
        if (status != TROUPE_OK) handled = fail(worker, cell, message, status);
    }
    end_handling(worker, inbound);
    worker->self.message = NULL;
    if (status == TROUPE_OK) tr_run_after(worker, cell, status);
    return handled;
}

enum tr_handled tr_deliver(struct tr_worker *worker, struct tr_cell *cell,
                           struct tr_message *message) {
    const struct troupe_entry *entry = NULL;
    enum troupe_status dead = TROUPE_OK;
    bool reply = (message->link.flags & TR_MESSAGE_REPLY) != 0;
    if (message->link.status != 0 && !reply)
        dead = (enum troupe_status)message->link.status; /* it came so from another node */
    else if (message->generation != cell->run_generation || cell->life == TR_LIFE_EMPTY)
        dead = TROUPE_GONE;
    else if (!reply) {
        entry = tr_class_handler(cell->running, message->type);
        if (entry == NULL && tr_is_look(&message->link)) {
            tr_look_answer(worker, cell, message);
            return TR_DONE;
        }
        if (entry == NULL) dead = TROUPE_UNHANDLED;
    }
    if (dead == TROUPE_OK) return handle(worker, cell, message, entry);
    tr_dead_letter_keep(worker->node, worker, message, dead);
    return TR_DONE;
}
