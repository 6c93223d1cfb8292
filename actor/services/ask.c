/*
 * Asks: each ends exactly once, for the run that asked (contract 5).
 *
 * An ask is an alarm, its deadline, with a copy of the request; its id is its place in the cell's table.
 * Whatever comes first takes it out of that table: the reply, an outcome (the request became a dead
 * letter, or its receiver died), or the deadline. What comes later finds nothing under that id, for ids
 * have serials. When the run ends, its alarms are cancelled, and with them its asks.
 */
#include "services/ask.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/run.h"
#include "core/send.h"
#include "services/names.h"
#include "services/services.h"
#include "services/topic.h"

static struct tr_ask *ask_of(struct tr_alarm *alarm) { return (struct tr_ask *)(void *)alarm; }

static void release(struct tr_pool *pool, struct tr_alarm *alarm) {
    tr_message_recycle(pool, ask_of(alarm)->request);
    tr_pool_give(pool, alarm, alarm->link.memory);
}

static enum troupe_status answer(struct tr_worker *worker, struct tr_cell *cell,
                                 const struct tr_ask *ask, enum troupe_status outcome,
                                 const void *reply) {
    struct troupe_answer end = { .outcome = outcome,
                                 .request = tr_message_body(ask->request),
                                 .reply = reply };
    return ask->entry->thunk(&worker->self, cell->state, &end);
}

static void time_out(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    worker->self.message = NULL;
    tr_handling_own(worker, cell, ask_of(alarm)->request->type);
    enum troupe_status status = answer(worker, cell, ask_of(alarm), TROUPE_TIMEOUT, NULL);
    tr_handling_ended(worker);
    tr_run_after(worker, cell, status);
}

/* Late, or of an ask that is a timer's id by accident: not an ask that waits. */
static struct tr_ask *waiting_ask(struct tr_cell *cell, uint64_t id) {
    struct tr_alarm *alarm =
        cell->more == NULL ? NULL : tr_ids_find(&cell->more->alarms, id);
    return alarm == NULL || alarm->fire != time_out ? NULL : ask_of(alarm);
}

/* A failure that says OK has no reply to show: it came from a node that does not keep the rules. */
static enum troupe_status outcome_of(const struct tr_message *message, const struct tr_ask *ask) {
    enum troupe_status status = (enum troupe_status)message->link.status;
    if ((message->link.flags & TR_MESSAGE_OUTCOME) != 0)
        return status == TROUPE_OK ? TROUPE_FAILED : status;
    bool any = ask->entry->reply == NULL; /* the test kit's */
    return any || message->type == ask->entry->reply ? TROUPE_OK : TROUPE_WRONG_REPLY;
}

static enum troupe_status reply_arrived(struct tr_worker *worker, struct tr_cell *cell,
                                struct tr_message *message, bool *late) {
    if ((message->link.flags & TR_MESSAGE_BOND) != 0) return TROUPE_OK; /* taken up when it arrived */
    struct tr_ask *ask = cell->life != TR_LIFE_RUNNING ? NULL : waiting_ask(cell, message->ask);
    if (ask == NULL) {
        *late = true;
        return TROUPE_OK;
    }
    if (worker->node->options.trace >= 0 && message->type != NULL) tr_trace_message(worker, message);
    enum troupe_status outcome = outcome_of(message, ask);
    const void *reply = outcome == TROUPE_OK ? tr_message_body(message) : NULL;
    if (message->type == NULL) tr_handling_own(worker, cell, ask->request->type); /* it has no type to name */
    tr_alarm_take(cell, message->ask);
    enum troupe_status status = answer(worker, cell, ask, outcome, reply);
    tr_alarm_drop(&worker->pool, &ask->alarm);
    return status;
}

/* ---- Asking ---- */

static struct tr_ask *ask_new(troupe_self *self, const struct troupe_entry *entry,
                              const struct troupe_message_type *type, const void *message,
                              enum troupe_status *status, struct tr_codec_error *error) {
    uint8_t memory;
    struct tr_pool *pool = &self->worker->pool;
    struct tr_ask *ask = tr_pool_take(pool, sizeof *ask, &memory);
    *status = TROUPE_NO_MEMORY;
    if (ask == NULL) return NULL;
    *ask = (struct tr_ask){ .alarm = { .link.memory = memory, .fire = time_out, .release = release },
                            .entry = entry };
    ask->request = tr_message_new(tr_memory_of(self->worker->node, self->worker), type, message, status,
                                  error);
    if (ask->request != NULL) return ask;
    tr_pool_give(pool, ask, memory);
    return NULL;
}

/* A copy of the copy: of what is large there is one. */
static enum troupe_status send_request(troupe_self *self, troupe_address to,
                                       const struct tr_ask *ask) {
    struct tr_outgoing outgoing = { .to = to, .from = troupe_self_address(self),
                                    .type = ask->request->type, .body = tr_message_body(ask->request),
                                    .ask = ask->alarm.id, .flags = TR_MESSAGE_ASKED,
                                    .deadline = ask->alarm.timer.due };
    return tr_send(self->worker->node, self->worker, &outgoing);
}

static struct tr_ask *refuse(troupe_self *self, const struct troupe_message_type *type,
                             enum troupe_status reason, const char *why, enum troupe_status *status) {
    if (why[0] != '\0')
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not asked: %s: %s", type->name,
               why);
    *status = reason;
    return NULL;
}

static const char *what_is_wrong(const struct troupe_entry *entry,
                                 const struct troupe_message_type *reply, int64_t timeout) {
    if (entry == NULL) return "the actor has no answer handler for it";
    if (reply != NULL && entry->reply != NULL && entry->reply != reply) return "its answer handler takes another reply";
    return timeout <= 0 ? "its timeout is not more than 0" : NULL;
}

struct tr_ask *tr_ask_open(troupe_self *self, const struct troupe_message_type *type,
                           const struct troupe_message_type *reply, const void *message, int64_t timeout,
                           enum troupe_status *status) {
    struct tr_codec_error error;
    const struct troupe_entry *entry = tr_class_answer(atomic_load(&self->cell->class), type);
    if (self->cell->ended) return refuse(self, type, TROUPE_STOPPING, "", status);
    const char *wrong = what_is_wrong(entry, reply, timeout);
    if (wrong != NULL) return refuse(self, type, TROUPE_INVALID, wrong, status);
    error.text[0] = '\0';
    struct tr_ask *ask = ask_new(self, entry, type, message, status, &error);
    if (ask == NULL) return refuse(self, type, *status, error.text, status);
    if (tr_alarm_set(self->worker, self->cell, &ask->alarm, timeout, 0) != 0) return ask;
    release(&self->worker->pool, &ask->alarm);
    return refuse(self, type, TROUPE_NO_MEMORY, "", status);
}

void tr_ask_close(troupe_self *self, struct tr_ask *ask) {
    tr_alarm_cancel(self->worker, self->cell, ask->alarm.id);
}

enum troupe_status troupe_ask_message(troupe_self *self, troupe_address to, int64_t timeout,
                                      const struct troupe_message_type *type, const void *message) {
    enum troupe_status status;
    struct tr_ask *ask = tr_ask_open(self, type, NULL, message, timeout, &status);
    if (ask == NULL) {
        tr_bump(&self->worker->flight->refused); /* not even sent */
        return status;
    }
    status = send_request(self, to, ask);
    if (status != TROUPE_OK) tr_ask_close(self, ask);
    return status;
}

/* Before anybody is told that it is gone. */
static void cell_ended(struct tr_node *node, struct tr_cell *cell) {
    tr_name_release(node, cell);
    tr_groups_leave_all(node, cell);
}

const struct tr_hooks tr_services_hooks = { .reply = reply_arrived,
                                            .reserve_name = tr_name_reserve,
                                            .give_up_name = tr_name_give_up,
                                            .cell_ended = cell_ended,
                                            .dead_letter = tr_topic_dead_letter,
                                            .bond_told = tr_tie_told,
                                            .bonds_began = tr_ties_began,
                                            .bonds_ended = tr_ties_ended };
