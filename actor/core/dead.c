#include "core/dead.h"

#include "core/log.h"
#include "core/send.h"

static const int64_t log_interval = TROUPE_SECOND / 4;

void tr_loss_log(struct tr_node *node, const char *what, troupe_address to, const char *type,
                 enum troupe_status reason) {
    int64_t now = tr_node_clock(node), next = atomic_load(&node->log_next);
    if (now < next || !atomic_compare_exchange_strong(&node->log_next, &next, now + log_interval)) {
        atomic_fetch_add(&node->log_dropped, 1);
        return;
    }
    char path[TR_PATH_SIZE];
    uint32_t more = atomic_exchange(&node->log_dropped, 0);
    tr_log(node, TROUPE_WARNING, tr_node_path(node, to, path, sizeof path),
           "%s: %s: %s%s", what, type, troupe_status_text(reason),
           more > 0 ? " (and others since the last such line)" : "");
}

void tr_refusal_log(struct tr_node *node, const struct tr_outgoing *outgoing, const char *why) {
    char path[TR_PATH_SIZE];
    if (outgoing->told) return;
    tr_log(node, TROUPE_ERROR, tr_node_path(node, outgoing->from, path, sizeof path), "not sent: %s: %s",
           outgoing->type->name, why);
}

/* What the asker is told: how its ask ended, in the words of an ask. */
static enum troupe_status ask_outcome(enum troupe_status reason) {
    switch (reason) {
    case TROUPE_FAILED:
    case TROUPE_POISON:
    case TROUPE_NODE_DIED:
    case TROUPE_SENDER_DIED:
    case TROUPE_IN_DOUBT: return TROUPE_DIED;
    case TROUPE_FLUSHED: return TROUPE_GONE;
    default: return reason;
    }
}

/* One on another node knows itself whether it does. Its message was put aside or forwarded here. */
static bool wants_undelivered(struct tr_node *node, troupe_address who) {
    if (who.node != node->id) return !troupe_address_is_none(who);
    struct tr_cell *cell = tr_cells_at(&node->cells, who.slot);
    const struct tr_class *class = cell == NULL ? NULL : atomic_load(&cell->class);
    return class != NULL && class->wants_undelivered;
}

static void tell_undelivered(struct tr_node *node, struct tr_worker *worker, troupe_address from,
                             troupe_address to, const char *type, enum troupe_status reason) {
    if (!wants_undelivered(node, from)) return;
    struct troupe_undelivered notice = { .to = to, .message = type, .reason = (uint32_t)reason };
    tr_send_system(node, worker, from, &troupe_undelivered_message, &notice);
}

void tr_tell_asker(struct tr_node *node, struct tr_worker *worker, troupe_address from, uint64_t ask,
                   enum troupe_status reason) {
    if (ask != 0) tr_send_outcome(node, worker, from, ask, ask_outcome(reason));
}

void tr_tell_sender(struct tr_node *node, struct tr_worker *worker, troupe_address from,
                    troupe_address to, const char *type, uint64_t ask, enum troupe_status reason) {
    tr_tell_asker(node, worker, from, ask, reason);
    tell_undelivered(node, worker, from, to, type, reason);
}

static void count_dead(struct tr_node *node, struct tr_worker *worker,
                       const struct tr_message *message, enum troupe_status reason) {
    if (message->inbound != NULL) return; /* its sender counts it */
    tr_count(worker, &tr_counters(node, worker)->dead_local[reason]);
}

void tr_dead_letter_tell(struct tr_node *node, struct tr_worker *worker, const struct tr_dead_news *news) {
    const struct tr_hooks *hooks = node->options.hooks;
    if (hooks->dead_letter != NULL) hooks->dead_letter(node, worker, news);
}

/* The sender of a message from another node is told by that node, from its lane's ack. */
void tr_dead_letter_keep(struct tr_node *node, struct tr_worker *worker, struct tr_message *message,
                         enum troupe_status reason) {
    uint64_t ask = (message->link.flags & TR_MESSAGE_ASKED) != 0 ? message->ask : 0;
    if ((message->link.flags & TR_MESSAGE_SYSTEM) == 0) {
        troupe_address to = { node->id, message->slot, message->generation };
        const char *type = message->type == NULL ? "a reply" : message->type->name;
        count_dead(node, worker, message, reason);
        tr_loss_log(node, "dead letter", to, type, reason);
        if (message->inbound == NULL)
            tr_tell_sender(node, worker, message->from, to, type, ask, reason);
        tr_dead_letter_tell(node, worker, &(struct tr_dead_news){ to, message->from, message->type, reason });
    } else if (message->inbound == NULL) {
        tr_tell_asker(node, worker, message->from, ask, reason);
    }
    bool taken_up = (message->link.flags & TR_MESSAGE_BOND) != 0;
    if (message->inbound != NULL) tr_inbound_settle(message->inbound, worker, taken_up ? TROUPE_OK : reason);
}

void tr_dead_letter(struct tr_node *node, struct tr_worker *worker, struct tr_message *message,
                    enum troupe_status reason) {
    tr_dead_letter_keep(node, worker, message, reason);
    tr_message_free(message);
}
