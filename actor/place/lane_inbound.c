/*
 * What comes in by a lane: channels, the types of the other node, and messages, which are checked,
 * unpacked and put into the mailbox of their receiver.
 *
 * Every message of a channel goes through its receiver's mailbox, even one that cannot be unpacked: that
 * one is a tombstone with the reason of its death. So the messages of a channel settle in their order,
 * and the count of settled ones says exactly which.
 *
 * Settling happens on the worker that ran the receiver: a refusal, if it is one, is noted first, for the
 * lane and in the ledger, then the count in the ledger is raised. The lane reads the count first and then
 * the refusals, so that it never acknowledges a message whose refusal it has not seen; and whoever reads the
 * ledger after our death knows what was handled from what was not.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pack.h"
#include "core/log.h"
#include "core/send.h"
#include "place/lane_parts.h"

enum { PROGRESS_AT = TR_PEER_WINDOW / 4 }; /* settled messages that are worth waking the lane */

/* ---- Settling ---- */

static void note_refusal(struct tr_lane_inbound *inbound, uint64_t sequence,
                         enum troupe_status status) {
    struct tr_lane_refusal *refusal = malloc(sizeof *refusal);
    if (refusal == NULL) return; /* its sender is not told, and takes it for handled */
    *refusal = (struct tr_lane_refusal){ .sequence = sequence, .status = status };
    refusal->next = atomic_load(&inbound->refusals);
    while (!atomic_compare_exchange_weak(&inbound->refusals, &refusal->next, refusal)) {
    }
}

/* Of the messages that were handled only those need writing that come a window after a dead one. */
static void mark(struct tr_lane_inbound *inbound, uint64_t sequence, bool dead) {
    bool clean = inbound->last_dead == 0 || sequence - inbound->last_dead > TR_PEER_WINDOW;
    if (!dead && clean) return;
    tr_ledger_mark(inbound->half, inbound->inbound.channel, sequence, dead);
    if (dead) inbound->last_dead = sequence;
}

static void settle(struct tr_inbound *base, struct tr_worker *worker, enum troupe_status status) {
    struct tr_lane_inbound *inbound = (struct tr_lane_inbound *)(void *)base;
    struct tr_lane_driver *lane = inbound->lane;
    uint64_t sequence = atomic_load_explicit(base->settled, memory_order_relaxed) + 1;
    if (status != TROUPE_OK) note_refusal(inbound, sequence, status);
    mark(inbound, sequence, status != TROUPE_OK);
    atomic_store_explicit(base->settled, sequence, memory_order_release);
    if (atomic_fetch_add_explicit(&lane->progress, 1, memory_order_relaxed) + 1 < PROGRESS_AT) return;
    if (!atomic_exchange(&lane->progress_told, true))
        tr_cell_push(lane->node, worker, lane->cell, &lane->progress_event.link);
}

static struct tr_lane_refusal *take_refusals(struct tr_lane_inbound *inbound) {
    struct tr_lane_refusal *stack = atomic_exchange(&inbound->refusals, NULL), *queue = NULL;
    while (stack != NULL) {
        struct tr_lane_refusal *next = stack->next;
        stack->next = queue;
        queue = stack;
        stack = next;
    }
    return queue;
}

static bool report(struct tr_lane_driver *lane, struct tr_lane_inbound *inbound) {
    uint64_t settled = atomic_load_explicit(inbound->inbound.settled, memory_order_acquire);
    struct tr_lane_refusal *refusal = take_refusals(inbound);
    while (refusal != NULL) {
        struct tr_lane_refusal *next = refusal->next;
        if (!inbound->closed)
            tr_peer_refused(lane->peer, inbound->inbound.channel, refusal->sequence, refusal->status);
        free(refusal);
        refusal = next;
    }
    bool some = inbound->reported != settled;
    inbound->reported = settled;
    return some;
}

static void inbound_free(struct tr_lane_inbound *inbound) {
    struct tr_lane_refusal *refusal = take_refusals(inbound);
    while (refusal != NULL) {
        struct tr_lane_refusal *next = refusal->next;
        free(refusal);
        refusal = next;
    }
    tr_lane_ledger_drop(inbound->ledger);
    free(inbound);
}

static bool is_idle(struct tr_lane_inbound *inbound) {
    return atomic_load_explicit(&inbound->inbound.users, memory_order_acquire) == 0 &&
           inbound->reported == inbound->received;
}

bool tr_lane_report(struct tr_lane_driver *lane) {
    bool some = false;
    atomic_store(&lane->progress, 0);
    for (struct tr_lane_inbound **at = &lane->active; *at != NULL;) {
        struct tr_lane_inbound *inbound = *at;
        some = report(lane, inbound) || some;
        if (!is_idle(inbound)) {
            at = &inbound->next;
            continue;
        }
        *at = inbound->next;
        inbound->next = inbound; /* not listed */
        if (inbound->closed) inbound_free(inbound);
    }
    return some;
}

/* ---- Channels ---- */

static struct tr_cell *receiver_of(struct tr_lane_driver *lane, struct tr_endpoint to) {
    struct tr_cell *cell = tr_cells_at(&lane->node->cells, to.slot);
    bool there = cell != NULL && atomic_load(&cell->generation) == to.generation &&
                 atomic_load(&cell->class) != NULL;
    return there ? cell : NULL;
}

static struct tr_lane_inbound *inbound_new(struct tr_lane_driver *lane, uint32_t channel,
                                           struct tr_endpoint to) {
    struct tr_lane_inbound *inbound = calloc(1, sizeof *inbound);
    if (inbound == NULL) return NULL;
    struct tr_ledger_half *half = tr_lane_half(lane, false);
    inbound->lane = lane;
    inbound->to = to;
    inbound->next = inbound;
    inbound->half = half;
    inbound->ledger = lane->ledger;
    lane->ledger->references++;
    inbound->inbound = (struct tr_inbound){ .settled = &half->settled[channel],
                                            .current = half->current, .node = lane->route.node,
                                            .channel = channel, .settle = settle };
    tr_ledger_open(half, channel);
    return inbound;
}

enum troupe_status tr_lane_opened(void *context, uint32_t channel, struct tr_endpoint to,
                                  enum tr_delivery *delivery) {
    struct tr_lane_driver *lane = context;
    struct tr_cell *cell = receiver_of(lane, to);
    if (cell == NULL) return TROUPE_GONE;
    *delivery = atomic_load(&cell->at_least_once) ? TR_AT_LEAST_ONCE : TR_AT_MOST_ONCE;
    lane->inbounds[channel] = inbound_new(lane, channel, to);
    return lane->inbounds[channel] == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

void tr_lane_closed(void *context, uint32_t channel) {
    struct tr_lane_driver *lane = context;
    struct tr_lane_inbound *inbound = lane->inbounds[channel];
    if (inbound == NULL) return;
    lane->inbounds[channel] = NULL;
    inbound->closed = true;
    if (inbound->next == inbound) inbound_free(inbound);
}

uint64_t tr_lane_settled_count(void *context, uint32_t channel) {
    struct tr_lane_driver *lane = context;
    return lane->inbounds[channel] == NULL ? 0 : lane->inbounds[channel]->reported;
}

void tr_lane_inbounds_free(struct tr_lane_driver *lane) {
    for (uint32_t i = 0; i < TR_PEER_CHANNELS; i++)
        if (lane->inbounds[i] != NULL) tr_lane_closed(lane, i);
    tr_lane_report(lane);
}

/* ---- Types ---- */

static bool make_room(struct tr_lane_driver *lane, uint32_t index) {
    if (index < lane->type_count) return true;
    uint32_t count = (index + 64) / 64 * 64;
    const struct troupe_message_type **types = realloc(lane->types, count * sizeof *types);
    if (types != NULL) lane->types = types;
    uint8_t *status = realloc(lane->type_status, count);
    if (status != NULL) lane->type_status = status;
    if (types == NULL || status == NULL) return false;
    memset(types + lane->type_count, 0, (count - lane->type_count) * sizeof *types);
    memset(status + lane->type_count, TROUPE_MALFORMED, count - lane->type_count);
    lane->type_count = count;
    return true;
}

bool tr_lane_defined(void *context, uint32_t index, const uint8_t *bytes, size_t size) {
    struct tr_lane_driver *lane = context;
    char schema[TR_MAX_SCHEMA + 1], name[TR_MAX_SCHEMA + 1];
    if (size > TR_MAX_SCHEMA || !make_room(lane, index)) return false;
    memcpy(schema, bytes, size);
    schema[size] = '\0';
    size_t length = strcspn(schema, "(");
    memcpy(name, schema, length);
    name[length] = '\0';
    const struct troupe_message_type *type = tr_types_named(&lane->node->types, name);
    bool fits = type != NULL && tr_codec_compatible(type, schema);
    lane->types[index] = type;
    lane->type_status[index] =
        (uint8_t)(fits ? TROUPE_OK : type == NULL ? TROUPE_UNHANDLED : TROUPE_INCOMPATIBLE);
    if (type != NULL && !fits)
        tr_log(lane->node, TROUPE_ERROR, NULL,
               "node %llu has another message %s: theirs is %s; their messages of it are refused",
               (unsigned long long)lane->route.node, name, schema);
    return true;
}

/* ---- Messages ---- */

struct envelope {
    const struct troupe_message_type *type;
    enum troupe_status status; /* why the message is dead; OK: it is not */
    troupe_address from;
    uint8_t flags, outcome;
    uint64_t ask;
    struct tr_cursor body;
    struct tr_arrived arrived;
};

enum {
    FLAGS = TR_MESSAGE_ASKED | TR_MESSAGE_REPLY | TR_MESSAGE_OUTCOME | TR_MESSAGE_SYSTEM | TR_MESSAGE_FORWARDED |
            TR_MESSAGE_BOND
};

static void read_type(struct tr_lane_driver *lane, struct envelope *envelope, bool none, uint64_t index) {
    bool outcome = (envelope->flags & TR_MESSAGE_OUTCOME) != 0;
    if (none != outcome || (!none && index >= lane->type_count))
        envelope->status = TROUPE_MALFORMED;
    else if (!none) {
        envelope->type = lane->types[index];
        envelope->status = (enum troupe_status)lane->type_status[index];
    }
}

/* A code that only newer nodes know means a failure here. */
static void read_outcome(struct envelope *envelope) {
    struct tr_cursor *cursor = &envelope->body;
    uint64_t code = tr_read_uint(cursor, UINT32_MAX);
    if (code == TROUPE_OK || tr_cursor_left(cursor) > 0) tr_cursor_fail(cursor, "not an outcome");
    envelope->outcome = (uint8_t)(code < TROUPE_STATUS_COUNT ? code : TROUPE_FAILED);
}

/* The sender's node, of a forwarded message alone. */
static void read_origin(struct envelope *envelope, uint32_t parts) {
    struct tr_cursor *cursor = &envelope->body;
    bool forwarded = (envelope->flags & TR_MESSAGE_FORWARDED) != 0;
    uint64_t node = parts == 6 ? tr_read_uint(cursor, UINT64_MAX) : 0;
    if (forwarded != (parts == 6)) tr_cursor_fail(cursor, "a forwarded message, and no other, has its sender's node");
    if (forwarded && envelope->from.generation != 0) envelope->from.node = node;
}

/* The kernel has dropped what this process has no room for. */
static void lack_descriptors(struct tr_lane_driver *lane, struct envelope *envelope) {
    envelope->status = TROUPE_LIMIT;
    tr_log(lane->node, TROUPE_ERROR, NULL,
           "from node %llu: %s: its descriptors did not arrive: this process may have no more open (ulimit -n)",
           (unsigned long long)lane->route.node, envelope->type == NULL ? "an outcome" : envelope->type->name);
}

static void read_envelope(struct tr_lane_driver *lane, const struct tr_payload *payload,
                          struct envelope *envelope) {
    struct tr_cursor *cursor = &envelope->body;
    *envelope = (struct envelope){ .arrived = { payload->descriptors, payload->descriptor_count } };
    tr_cursor_init(cursor, payload->bytes, payload->size);
    uint32_t parts = tr_read_array(cursor);
    if (parts != 5 && parts != 6) tr_cursor_fail(cursor, "an envelope has five parts, or six");
    bool none = tr_read_nil(cursor);
    uint64_t index = none ? 0 : tr_read_uint(cursor, UINT32_MAX);
    uint32_t slot = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    uint32_t generation = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    if (generation != 0) envelope->from = (troupe_address){ lane->route.node, slot, generation };
    envelope->flags = (uint8_t)tr_read_uint(cursor, FLAGS);
    envelope->ask = tr_read_uint(cursor, UINT64_MAX);
    read_origin(envelope, parts);
    if (none) read_outcome(envelope);
    if (!tr_cursor_ok(cursor) || (envelope->flags & ~FLAGS) != 0) envelope->status = TROUPE_MALFORMED;
    else read_type(lane, envelope, none, index);
    if (payload->missing && envelope->status == TROUPE_OK) lack_descriptors(lane, envelope);
}

static struct tr_message *unpack(struct tr_lane_driver *lane, struct envelope *envelope) {
    struct tr_codec_error error = { 0 };
    if (envelope->status == TROUPE_OK && envelope->type == NULL)
        return tr_message_outcome(envelope->ask, (enum troupe_status)envelope->outcome);
    struct tr_message *message =
        envelope->status != TROUPE_OK
            ? NULL
            : tr_message_unpack_with(tr_memory_of(lane->node, NULL), envelope->type, envelope->body.at,
                                     tr_cursor_left(&envelope->body), &envelope->arrived, &envelope->status, &error);
    if (message == NULL && error.text[0] != '\0')
        tr_log(lane->node, TROUPE_ERROR, NULL, "from node %llu: %s: %s",
               (unsigned long long)lane->route.node, envelope->type->name, error.text);
    return message;
}

/* A reply that cannot be read still ends its ask: with the reason. */
static struct tr_message *unreadable_reply(struct envelope *envelope) {
    bool unknown = envelope->status == TROUPE_UNHANDLED || envelope->status == TROUPE_INCOMPATIBLE;
    enum troupe_status outcome = unknown ? TROUPE_WRONG_REPLY : envelope->status;
    envelope->status = TROUPE_OK;
    envelope->flags |= TR_MESSAGE_OUTCOME;
    return tr_message_outcome(envelope->ask, outcome);
}

/* Stands in the mailbox for what could not be unpacked. */
static struct tr_message *tombstone(struct envelope *envelope) {
    bool reply = tr_cursor_ok(&envelope->body) && (envelope->flags & TR_MESSAGE_REPLY) != 0;
    if (reply) return unreadable_reply(envelope);
    struct tr_message *message = tr_message_outcome(0, envelope->status);
    if (message != NULL) message->type = envelope->type;
    return message;
}

static void address(struct tr_message *message, const struct envelope *envelope,
                    struct tr_lane_inbound *inbound) {
    message->from = envelope->from;
    message->slot = inbound->to.slot;
    message->generation = inbound->to.generation;
    message->ask = envelope->ask;
    message->inbound = &inbound->inbound;
    message->link.flags = envelope->status == TROUPE_OK ? envelope->flags : 0;
}

static void list(struct tr_lane_driver *lane, struct tr_lane_inbound *inbound) {
    if (inbound->next != inbound) return;
    inbound->next = lane->active;
    lane->active = inbound;
}

/* What does not wait for its turn in the mailbox. False: no memory; the message is freed. */
static bool take_up(struct tr_lane_driver *lane, struct tr_message *message) {
    const troupe_address to = { lane->node->id, message->slot, message->generation };
    bool bond = (message->link.flags & TR_MESSAGE_BOND) != 0;
    if (!bond && (message->link.flags & TR_MESSAGE_REPLY) != 0) tr_lane_ask_replied(lane, to, message->ask);
    if (!bond || tr_bond_arrived(lane->node, lane->worker, message)) return true;
    message->inbound = NULL;
    tr_message_free(message);
    return false;
}

enum troupe_status tr_lane_deliver(void *context, uint32_t channel, uint64_t sequence,
                                   const struct tr_payload *payload) {
    struct tr_lane_driver *lane = context;
    struct tr_lane_inbound *inbound = lane->inbounds[channel];
    struct envelope envelope;
    read_envelope(lane, payload, &envelope);
    struct tr_message *message = unpack(lane, &envelope);
    if (message == NULL) message = tombstone(&envelope);
    if (message == NULL) return TROUPE_NO_MEMORY;
    address(message, &envelope, inbound);
    if (!take_up(lane, message)) return TROUPE_NO_MEMORY;
    atomic_fetch_add(&inbound->inbound.users, 1);
    inbound->received = sequence;
    list(lane, inbound);
    tr_send_inbound(lane->node, lane->worker, message);
    return TROUPE_OK;
}
