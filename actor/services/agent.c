#include "services/agent.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/death.h"
#include "core/log.h"
#include "core/report.h"
#include "core/saved.h"
#include "core/send.h"
#include "services/services.h"

struct tr_agent {
    char unused;
};

static struct tr_run_spec spec_of(const struct tr_start_child *msg) {
    return (struct tr_run_spec){ .path = msg->path, .owner = msg->owner, .key = msg->key, .run = msg->run,
                                 .mailbox_limit = msg->mailbox_limit, .drop_newest = msg->drop_newest,
                                 .at_least_once = msg->at_least_once, .flush = msg->flush };
}

/* Only those are another node's to start and to forget. */
static bool is_configured(const struct tr_node *node, uint32_t slot) {
    return slot >= TR_FIRST_SLOT && slot < node->options.reserved_slots;
}

/* The node that the message at hand comes from has the supervisor of this cell; what we say ourselves is so. */
static bool may_order(const troupe_self *self, uint32_t slot) {
    struct tr_node *node = self->worker->node;
    const struct tr_inbound *inbound = self->message->inbound;
    return inbound == NULL || tr_services_of(node)->supervisor_of(node, slot).node == inbound->node;
}

/* Another class over the state of a running actor would corrupt it. */
static bool may_be(const struct tr_node *node, struct tr_cell *cell, const struct tr_class *class) {
    return class != NULL && cell != NULL &&
           (!is_configured(node, cell->slot) || atomic_load(&cell->class) == class);
}

enum troupe_status tr_agent_begin(struct tr_node *node, struct tr_worker *worker, troupe_address address,
                                  struct tr_run_spec *start, const char *actor, struct troupe_bytes args,
                                  struct tr_codec_error *error) {
    enum troupe_status status = TROUPE_NOT_FOUND;
    struct tr_cell *cell = tr_cells_at(&node->cells, address.slot);
    start->class = tr_class_named(node->options.classes, actor);
    if (!may_be(node, cell, start->class)) return status;
    start->args = tr_message_unpack(tr_memory_of(node, worker), start->class->start_type, args.data, args.size,
                                    &status, error);
    if (start->args == NULL) return status;
    status = tr_start(node, worker, cell, address.generation, start);
    if (status != TROUPE_OK) tr_message_free(start->args);
    return status;
}

/* What cannot be started is reported as a run that failed at once. */
static enum troupe_status start(struct tr_node *node, struct tr_worker *worker,
                                const struct tr_start_child *msg, struct tr_codec_error *error) {
    struct tr_run_spec start = spec_of(msg);
    troupe_address address = { node->id, msg->slot, TR_BOUND_GENERATION };
    if (!is_configured(node, msg->slot)) return TROUPE_NOT_FOUND;
    if (msg->saved_type[0] != '\0') {
        start.saved = tr_saved_new(msg->saved_type, msg->saved);
        if (start.saved == NULL) return TROUPE_NO_MEMORY;
    }
    enum troupe_status status = tr_agent_begin(node, worker, address, &start, msg->actor, msg->args, error);
    if (status != TROUPE_OK) free(start.saved);
    return status;
}

TROUPE_ON(tr_agent, tr_start_child) {
    char why[512];
    struct tr_codec_error error = { 0 };
    struct tr_node *node = self->worker->node;
    if (!may_order(self, msg->slot)) return TROUPE_OK;
    enum troupe_status status = start(node, self->worker, msg, &error);
    if (status == TROUPE_OK) return TROUPE_OK;
    snprintf(why, sizeof why, "cannot start actor %s: %s%s%s", msg->actor, troupe_status_text(status),
             error.text[0] == '\0' ? "" : ": ", error.text);
    troupe_address who = { node->id, msg->slot, TR_BOUND_GENERATION };
    struct tr_exited exited = {
        .key = msg->key, .run = msg->run,
        .death = tr_death_unborn(who, msg->path, msg->actor, msg->run, status, why)
    };
    tr_send_system(node, self->worker, msg->owner, &tr_exited_message, &exited);
    return TROUPE_OK;
}

TROUPE_ON(tr_agent, tr_stop_cell) {
    struct tr_node *node = self->worker->node;
    troupe_address to = { node->id, msg->slot, msg->generation };
    if (msg->kill && !may_order(self, msg->slot)) return TROUPE_OK;
    tr_stop(node, self->worker, to, msg->kill ? TR_STOP_KILL : TR_STOP_ORDERLY, msg->by);
    return TROUPE_OK;
}

TROUPE_ON(tr_agent, tr_forget_child) {
    struct tr_node *node = self->worker->node;
    struct tr_cell *cell = tr_cells_at(&node->cells, msg->slot);
    if (is_configured(node, msg->slot) && may_order(self, msg->slot)) tr_forget(node, self->worker, cell, TR_BOUND_GENERATION);
    return TROUPE_OK;
}

TROUPE_ON(tr_agent, tr_orphaned) {
    struct tr_node *node = self->worker->node;
    if (self->message->inbound == NULL) tr_services_of(node)->end_orphans(node, msg->node);
    return TROUPE_OK;
}

TROUPE_ACTOR(tr_agent, TROUPE_HANDLES(tr_agent, tr_start_child, tr_stop_cell, tr_forget_child, tr_orphaned))
