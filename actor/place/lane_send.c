/*
 * Sending by a lane: on the sender's own worker the message is packed into its parcel, and credit is
 * taken for the receiver's slot, so that a slow receiver stops its own senders and nobody else. Then the
 * parcel goes into the mailbox of the lane's cell.
 *
 * The parcel's bytes are an envelope, [type number or nil, sender's slot and generation, flags, ask id, and the
 * sender's node if it is another than this], and the packed message behind it (docs/wire.md, "Payloads"). To another
 * process of this machine descriptors go along, those of its fields and those of files that its large parts are in.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pack.h"
#include "core/dead.h"
#include "core/send.h"
#include "place/lane_parts.h"
#include "services/agent.h"

_Static_assert((int)TR_MAX_ATTACHMENTS <= (int)TR_PEER_DESCRIPTORS, "what is packed can travel");

/* ---- Credit ---- */

static struct tr_credit *make_segment(struct tr_lane_driver *lane, uint32_t number, size_t size) {
    struct tr_credit *none = NULL, *segment = calloc(1, size);
    if (segment == NULL) return NULL;
    if (atomic_compare_exchange_strong(&lane->credits[number], &none, segment)) return segment;
    free(segment);
    return none;
}

struct tr_credit *tr_lane_credit(struct tr_lane_driver *lane, uint32_t slot, bool make) {
    uint64_t place = (uint64_t)slot + TR_CREDIT_FIRST;
    uint32_t number = (uint32_t)(63 - __builtin_clzll(place)) - 6;
    if (number >= TR_CREDIT_SEGMENTS) return NULL;
    uint64_t first = (uint64_t)TR_CREDIT_FIRST << number;
    struct tr_credit *segment = atomic_load_explicit(&lane->credits[number], memory_order_acquire);
    if (segment == NULL && make)
        segment = make_segment(lane, number, first * sizeof(struct tr_credit));
    return segment == NULL ? NULL : segment + (place - first);
}

static bool is_bounded(uint8_t flags) {
    return (flags & (TR_MESSAGE_REPLY | TR_MESSAGE_SYSTEM)) == 0;
}

static enum troupe_status take_credit(struct tr_lane_driver *lane, uint32_t slot) {
    struct tr_credit *credit = tr_lane_credit(lane, slot, true);
    if (credit == NULL) return TROUPE_GONE;
    if (atomic_fetch_add(&credit->unsettled, 1) < TR_PEER_WINDOW) return TROUPE_OK;
    atomic_fetch_sub(&credit->unsettled, 1);
    return TROUPE_FULL;
}

static void tell_ready(struct tr_lane_driver *lane, struct tr_worker *worker, uint32_t slot) {
    bool more;
    struct tr_waiter *waiter = tr_waiters_take(&lane->waiters, slot, UINT32_MAX, &more);
    while (waiter != NULL) {
        struct tr_waiter *next = waiter->next;
        struct troupe_ready ready = { .to = waiter->to };
        tr_send_system(lane->node, worker, waiter->who, &troupe_ready_message, &ready);
        free(waiter);
        waiter = next;
    }
}

/* Half is free again: those who were refused are told. */
static void tell_if_ready(struct tr_lane_driver *lane, struct tr_worker *worker,
                          struct tr_credit *credit, uint32_t slot) {
    if (atomic_load(&credit->unsettled) > TR_PEER_WINDOW / 2 || !atomic_load(&credit->waiters)) return;
    if (atomic_exchange(&credit->waiters, false)) tell_ready(lane, worker, slot);
}

static void give_back(struct tr_lane_driver *lane, struct tr_worker *worker, uint32_t slot) {
    struct tr_credit *credit = tr_lane_credit(lane, slot, false);
    atomic_fetch_sub(&credit->unsettled, 1);
    tell_if_ready(lane, worker, credit, slot);
}

void tr_lane_give_back(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel) {
    if (is_bounded(parcel->flags)) give_back(lane, lane->worker, parcel->parcel.to.slot);
}

static void want_ready(struct tr_route *route, struct tr_worker *worker, troupe_address to,
                       troupe_address who) {
    struct tr_lane_driver *lane = tr_lane_of_route(route);
    struct tr_credit *credit = tr_lane_credit(lane, to.slot, true);
    if (credit == NULL || !tr_waiters_add(&lane->waiters, to, who)) return;
    atomic_store(&credit->waiters, true);
    tell_if_ready(lane, worker, credit, to.slot);
}

/* ---- Packing ---- */

/* Only then the other node has to be told whose message it is. */
static bool is_foreign(const struct tr_lane_driver *lane, const struct tr_outgoing *outgoing) {
    return (outgoing->flags & TR_MESSAGE_FORWARDED) != 0 && outgoing->from.node != lane->node->id &&
           !troupe_address_is_none(outgoing->from);
}

static void pack_envelope(struct tr_bytes *bytes, const struct tr_outgoing *outgoing, uint32_t type,
                          bool foreign) {
    uint8_t own_flags = (uint8_t)(outgoing->flags & ~TR_MESSAGE_FORWARDED);
    tr_pack_array(bytes, foreign ? 6 : 5);
    if (outgoing->type == NULL) tr_pack_nil(bytes);
    else tr_pack_uint(bytes, type);
    tr_pack_uint(bytes, outgoing->from.slot);
    tr_pack_uint(bytes, outgoing->from.generation);
    tr_pack_uint(bytes, foreign ? outgoing->flags : own_flags);
    tr_pack_uint(bytes, outgoing->ask);
    if (foreign) tr_pack_uint(bytes, outgoing->from.node);
    if (outgoing->type == NULL) tr_pack_uint(bytes, outgoing->status);
}

static enum troupe_status refuse(struct tr_lane_driver *lane, const struct tr_outgoing *outgoing,
                                 struct tr_bytes *bytes, const struct tr_codec_error *error) {
    enum troupe_status status = bytes->failed && error->text[0] == '\0' ? TROUPE_NO_MEMORY
                                                                        : error->status;
    if (error->text[0] != '\0') tr_refusal_log(lane->node, outgoing, error->text);
    tr_bytes_free(bytes);
    return status;
}

/* Behind what is in `bytes` already; empty if it cannot be packed. `attachments`: what goes along, or NULL. */
static enum troupe_status pack_payload(struct tr_lane_driver *lane, const struct tr_outgoing *outgoing,
                                       uint32_t type, struct tr_bytes *bytes, struct tr_attachments **attachments) {
    struct tr_codec_error error = { .status = TROUPE_NO_MEMORY };
    struct tr_attachments along;
    tr_attachments_init(&along, lane->node->options.buffers);
    pack_envelope(bytes, outgoing, type, is_foreign(lane, outgoing));
    bool packed = outgoing->type == NULL || tr_codec_pack_with(outgoing->type, outgoing->body, bytes,
                                                               lane->carries ? &along : NULL, &error);
    *attachments = packed && along.count > 0 ? tr_attachments_move(&along) : NULL;
    if (packed && !bytes->failed && along.count == 0) return TROUPE_OK;
    tr_attachments_close(&along);
    tr_attachments_free(*attachments);
    *attachments = NULL;
    return refuse(lane, outgoing, bytes, &error);
}

static void go_along(struct tr_parcel *parcel, const struct tr_attachments *attachments) {
    if (attachments == NULL) return;
    parcel->descriptors = attachments->descriptors;
    parcel->descriptor_count = attachments->count;
}

static const struct tr_lane_parcel no_parcel;

/* The buffer that is packed into becomes the parcel. */
static enum troupe_status pack_alone(struct tr_lane_driver *lane, const struct tr_outgoing *outgoing,
                                     uint32_t type, struct tr_lane_parcel **made) {
    struct tr_bytes bytes = { .limit = sizeof no_parcel + TR_PEER_MAX_PAYLOAD };
    struct tr_attachments *attachments;
    tr_bytes_append(&bytes, &no_parcel, sizeof no_parcel);
    enum troupe_status status = pack_payload(lane, outgoing, type, &bytes, &attachments);
    if (status != TROUPE_OK) return status;
    *made = (struct tr_lane_parcel *)(void *)bytes.data;
    (*made)->parcel.bytes = bytes.data + sizeof no_parcel;
    (*made)->parcel.size = (uint32_t)(bytes.size - sizeof no_parcel);
    (*made)->attachments = attachments;
    go_along(&(*made)->parcel, attachments);
    return TROUPE_OK;
}

/* Of a message to many: the first of its receivers on other nodes is the one that it is packed for. */
static enum troupe_status pack_once(struct tr_lane_driver *lane, const struct tr_outgoing *outgoing,
                                    uint32_t type, struct tr_lane_parcel **made) {
    struct tr_packed *packed = outgoing->packed;
    if (packed->attachments != NULL && !lane->carries) return pack_alone(lane, outgoing, type, made);
    struct tr_lane_parcel *parcel = calloc(1, sizeof *parcel);
    enum troupe_status status = parcel == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    packed->bytes.limit = TR_PEER_MAX_PAYLOAD;
    if (status == TROUPE_OK && packed->bytes.size == 0)
        status = pack_payload(lane, outgoing, type, &packed->bytes, &packed->attachments);
    if (status != TROUPE_OK) {
        free(parcel);
        return status;
    }
    atomic_fetch_add_explicit(&packed->references, 1, memory_order_relaxed);
    parcel->packed = packed;
    parcel->parcel.bytes = packed->bytes.data;
    parcel->parcel.size = (uint32_t)packed->bytes.size;
    go_along(&parcel->parcel, packed->attachments);
    *made = parcel;
    return TROUPE_OK;
}

/* An order of Troupe's own is for the incarnation that it was given to. What somebody waits for an answer to is
 * for the next one, too, if this one is down: as messages are. */
static bool is_order(uint8_t flags) {
    return (flags & (TR_MESSAGE_SYSTEM | TR_MESSAGE_ASKED)) == TR_MESSAGE_SYSTEM;
}

static enum troupe_status pack(struct tr_lane_driver *lane, const struct tr_outgoing *outgoing,
                               struct tr_lane_parcel **made) {
    uint32_t type = outgoing->type == NULL ? 0 : tr_types_index(&lane->node->types, outgoing->type);
    if (type == UINT32_MAX) return TROUPE_LIMIT;
    enum troupe_status status =
        (outgoing->packed == NULL ? pack_alone : pack_once)(lane, outgoing, type, made);
    if (status != TROUPE_OK) return status;
    struct tr_lane_parcel *parcel = *made;
    parcel->link.kind = TR_LINK_PARCEL;
    parcel->type = outgoing->type;
    parcel->from = outgoing->from;
    parcel->ask = outgoing->ask;
    parcel->deadline = outgoing->deadline;
    parcel->flags = outgoing->flags;
    parcel->parcel.to = (struct tr_endpoint){ outgoing->to.slot, outgoing->to.generation };
    parcel->parcel.definitions = outgoing->type == NULL ? 0 : type + 1;
    parcel->parcel.once = (outgoing->flags & ~TR_MESSAGE_FORWARDED) != 0;
    parcel->parcel.mortal = is_order(outgoing->flags);
    return TROUPE_OK;
}

static enum troupe_status send_by_lane(struct tr_route *route, struct tr_worker *worker,
                                       const struct tr_outgoing *outgoing) {
    struct tr_lane_driver *lane = tr_lane_of_route(route);
    struct tr_lane_parcel *parcel = NULL;
    bool bounded = is_bounded(outgoing->flags);
    if (atomic_load(&lane->gone)) return TROUPE_GONE;
    enum troupe_status status = bounded ? take_credit(lane, outgoing->to.slot) : TROUPE_OK;
    if (status != TROUPE_OK) return status;
    status = pack(lane, outgoing, &parcel);
    if (status != TROUPE_OK) {
        if (bounded) give_back(lane, worker, outgoing->to.slot);
        return status;
    }
    if ((outgoing->flags & TR_MESSAGE_SYSTEM) == 0)
        tr_count(worker, &tr_counters(lane->node, worker)->sent_remote);
    tr_cell_push(lane->node, worker, lane->cell, &parcel->link);
    return TROUPE_OK;
}

static enum troupe_status stop_by_lane(struct tr_route *route, struct tr_worker *worker,
                                       troupe_address to, troupe_address by) {
    struct tr_lane_driver *lane = tr_lane_of_route(route);
    struct tr_stop_cell stop = { .slot = to.slot, .generation = to.generation, .by = by };
    return tr_send_system(lane->node, worker, tr_agent_address(to.node), &tr_stop_cell_message, &stop);
}

const struct tr_route_methods tr_lane_methods = { .send = send_by_lane, .want_ready = want_ready,
                                                  .stop = stop_by_lane };
