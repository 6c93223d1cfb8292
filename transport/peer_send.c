/*
 * Channels out, and the making of frames.
 *
 * A channel is opened by the first parcel for its endpoint and waits for the answer before anything
 * is transmitted: so it is known, for whatever was transmitted, how the receiver wants it after a
 * death. Channels with something to say queue up in `todo`; each fills frames until it has nothing
 * left, its window is used up, or the frame is full, and then lets the others go first.
 *
 * A frame begins with answers and acks, so that a flood of payloads does not hold them back, and
 * goes on with payloads. An entry that would burst the frame waits for the next; one that is too
 * large for any ordinary frame gets the next frame for itself. The descriptors of its payloads go with the frame, in
 * their order.
 */
#include "transport/peer_state.h"

#include <stdlib.h>

#include "base/assert.h"

enum { FIRST_ROOM = 16, KEPT_CAPACITY = 2 * TR_PEER_MAX_FRAME };

static const bool allowed_moves[TR_OUTBOUND_STATES][TR_OUTBOUND_STATES] = {
    /* to                     FREE  OPENING OPEN REFUSED CLOSING */
    [TR_OUTBOUND_FREE] = { false, true, false, false, false },
    [TR_OUTBOUND_OPENING] = { true, false, true, false, true }, /* FREE: empty after a death */
    [TR_OUTBOUND_OPEN] = { true, true, false, true, false },    /* OPENING: again, after a death */
    [TR_OUTBOUND_REFUSED] = { true, false, false, false, true },
    [TR_OUTBOUND_CLOSING] = { true, false, false, false, false },
};

void tr_outbound_move(struct tr_outbound *channel, enum tr_outbound_state to) {
    tr_assert(allowed_moves[channel->state][to]);
    channel->state = to;
}

static bool has_work(const struct tr_outbound *channel) {
    switch (channel->state) {
    case TR_OUTBOUND_OPENING:
    case TR_OUTBOUND_CLOSING: return !channel->announced;
    case TR_OUTBOUND_OPEN:
        return channel->unsent != NULL && channel->sent - channel->settled < TR_PEER_WINDOW;
    default: return false;
    }
}

void tr_outbound_wake(struct tr_peer *peer, struct tr_outbound *channel) {
    if (has_work(channel)) tr_links_push(&peer->todo, &channel->todo);
}

void tr_outbound_unbind(struct tr_peer *peer, struct tr_outbound *channel) {
    tr_endpoints_remove(&peer->outbound_by_endpoint, channel->to);
}

void tr_outbound_release(struct tr_peer *peer, struct tr_outbound *channel) {
    tr_assert(channel->first == NULL);
    tr_outbound_move(channel, TR_OUTBOUND_FREE);
    peer->free_numbers[peer->free_count++] = channel->number;
}

/* ---- Submitting ---- */

static bool make_room(struct tr_peer *peer) {
    if (peer->outbound_count < peer->outbound_room) return true;
    uint32_t room = peer->outbound_room == 0 ? FIRST_ROOM : peer->outbound_room * 2;
    struct tr_outbound **channels = realloc(peer->outbound, room * sizeof *channels);
    if (channels == NULL) return false;
    peer->outbound = channels;
    uint32_t *numbers = realloc(peer->free_numbers, room * sizeof *numbers);
    if (numbers == NULL) return false;
    peer->free_numbers = numbers;
    peer->outbound_room = room;
    return true;
}

static enum troupe_status make_channel(struct tr_peer *peer) {
    if (peer->outbound_count == TR_PEER_CHANNELS) return TROUPE_LIMIT;
    if (!make_room(peer)) return TROUPE_NO_MEMORY;
    struct tr_outbound *channel = calloc(1, sizeof *channel);
    if (channel == NULL) return TROUPE_NO_MEMORY;
    channel->number = peer->outbound_count++;
    channel->todo.owner = channel;
    peer->outbound[channel->number] = channel;
    peer->free_numbers[peer->free_count++] = channel->number;
    return TROUPE_OK;
}

static enum troupe_status open_channel(struct tr_peer *peer, struct tr_endpoint to,
                                       struct tr_outbound **opened) {
    enum troupe_status status = peer->free_count > 0 ? TROUPE_OK : make_channel(peer);
    if (status != TROUPE_OK) return status;
    uint32_t number = peer->free_numbers[peer->free_count - 1];
    if (!tr_endpoints_add(&peer->outbound_by_endpoint, to, number)) return TROUPE_NO_MEMORY;
    peer->free_count--;
    struct tr_outbound *channel = *opened = peer->outbound[number];
    tr_outbound_move(channel, TR_OUTBOUND_OPENING);
    channel->to = to;
    channel->announced = channel->mentioned = false;
    channel->sent = channel->settled = 0;
    return TROUPE_OK;
}

static enum troupe_status find_channel(struct tr_peer *peer, const struct tr_parcel *parcel,
                                       struct tr_outbound **found) {
    if (parcel->size > TR_PEER_MAX_PAYLOAD || parcel->descriptor_count > TR_PEER_DESCRIPTORS) return TROUPE_TOO_BIG;
    uint32_t number = tr_endpoints_find(&peer->outbound_by_endpoint, parcel->to);
    if (number == UINT32_MAX) return open_channel(peer, parcel->to, found);
    *found = peer->outbound[number];
    return TROUPE_OK;
}

void tr_peer_submit(struct tr_peer *peer, struct tr_parcel *parcel) {
    tr_assert(parcel->definitions <= TR_PEER_DEFINITIONS);
    struct tr_outbound *channel = NULL;
    enum troupe_status status = find_channel(peer, parcel, &channel);
    if (status != TROUPE_OK) {
        peer->io.settled(peer->context, parcel, status, false);
        return;
    }
    parcel->next = NULL;
    parcel->sequence = 0;
    parcel->attempts = 0;
    if (channel->first == NULL)
        channel->first = parcel;
    else
        channel->last->next = parcel;
    channel->last = parcel;
    if (channel->unsent == NULL) channel->unsent = parcel;
    peer->held++;
    tr_outbound_wake(peer, channel);
}

/* ---- Frames ---- */

bool tr_peer_fits(struct tr_peer *peer, size_t size) {
    size_t needed = size + TR_FRAME_ENTRY_ROOM;
    if (peer->out.size == 0 || peer->out.size + needed <= TR_PEER_MAX_FRAME) return true;
    if (needed > TR_PEER_MAX_FRAME) peer->large_first = true;
    return false;
}

/* False: the frame is full. */
static bool put_definitions(struct tr_peer *peer, uint32_t needed) {
    while (peer->definitions_sent < needed) {
        size_t size = 0;
        struct tr_entry entry = { .kind = TR_ENTRY_DEFINITION };
        entry.bytes = peer->io.definition(peer->context, peer->definitions_sent, &size);
        tr_assert(size <= TR_PEER_MAX_PAYLOAD);
        entry.size = (uint32_t)size;
        if (!tr_peer_fits(peer, size)) return false;
        tr_frame_put(&peer->out, &entry);
        peer->definitions_sent++;
    }
    return true;
}

static bool descriptors_fit(const struct tr_peer *peer, const struct tr_parcel *parcel) {
    return peer->out_count + parcel->descriptor_count <= TR_PEER_FRAME_DESCRIPTORS;
}

static void put_descriptors(struct tr_peer *peer, const struct tr_parcel *parcel) {
    for (uint32_t i = 0; i < parcel->descriptor_count; i++)
        peer->out_descriptors[peer->out_count++] = parcel->descriptors[i];
}

static bool put_payload(struct tr_peer *peer, struct tr_outbound *channel) {
    struct tr_parcel *parcel = channel->unsent;
    bool with = parcel->descriptor_count > 0;
    if (with && !tr_peer_knows_descriptors(peer)) {
        tr_peer_give_up_next(peer, channel, TROUPE_INCOMPATIBLE);
        return true;
    }
    if (!put_definitions(peer, parcel->definitions)) return false;
    if (!tr_peer_fits(peer, parcel->size) || (with && !descriptors_fit(peer, parcel))) return false;
    if (with) put_descriptors(peer, parcel);
    parcel->sequence = ++channel->sent;
    channel->unsent = parcel->next;
    struct tr_entry entry;
    entry.kind = with ? TR_ENTRY_DATA_WITH : TR_ENTRY_DATA;
    entry.channel = channel->number;
    entry.count = parcel->descriptor_count;
    entry.bytes = parcel->bytes;
    entry.size = parcel->size;
    tr_frame_put(&peer->out, &entry);
    return true;
}

static bool put_announcement(struct tr_peer *peer, struct tr_outbound *channel) {
    if (!tr_peer_fits(peer, 0)) return false;
    bool opening = channel->state == TR_OUTBOUND_OPENING;
    tr_frame_put(&peer->out, &(struct tr_entry){ .kind = opening ? TR_ENTRY_OPEN : TR_ENTRY_CLOSE,
                                                 .channel = channel->number,
                                                 .to = channel->to });
    channel->announced = true;
    return true;
}

/* False: the frame is full. `some`: something of this channel is in it. */
static bool put_channel(struct tr_peer *peer, struct tr_outbound *channel, bool *some) {
    *some = false;
    while (has_work(channel)) {
        bool opened = channel->state == TR_OUTBOUND_OPEN;
        if (!(opened ? put_payload(peer, channel) : put_announcement(peer, channel))) return false;
        *some = true;
    }
    return true;
}

/* A channel that found no room stays first in line; one that found some goes to the end. */
static void put_todo(struct tr_peer *peer) {
    while (peer->todo.first != NULL) {
        struct tr_outbound *channel = peer->todo.first->owner;
        bool some, done = put_channel(peer, channel, &some);
        if (done || some) {
            tr_links_pop(&peer->todo);
            tr_outbound_wake(peer, channel);
        }
        if (!done) return;
    }
}

static void put_work(struct tr_peer *peer) {
    bool large_first = peer->large_first;
    peer->large_first = false;
    if (large_first) put_todo(peer);
    if (peer->out.size > 0) return;
    tr_peer_put_answers(peer);
    bool company = peer->out.size > 0 || peer->todo.first != NULL;
    if (peer->acks_due || (peer->progressed && company)) tr_peer_put_acks(peer);
    put_todo(peer);
}

static void build(struct tr_peer *peer) {
    if (peer->greeting != TR_ENTRY_KINDS) {
        tr_peer_put_greeting(peer);
        return;
    }
    if (peer->phase < TR_PEER_RESUMING) return;
    if (peer->listing) tr_peer_put_list(peer);
    if (peer->phase == TR_PEER_UP && !peer->listing) put_work(peer);
    if (peer->beat_due && peer->out.size == 0)
        tr_frame_put(&peer->out, &(struct tr_entry){ .kind = TR_ENTRY_BEAT });
    peer->beat_due = false;
}

void tr_peer_flush(struct tr_peer *peer, int64_t now) {
    if (peer->phase == TR_PEER_DISCONNECTED || peer->in_flight) return;
    tr_bytes_clear(&peer->out);
    peer->out_count = 0;
    build(peer);
    if (peer->out.failed) {
        tr_peer_lose(peer, "no memory for a frame");
        return;
    }
    if (peer->out.size == 0) return;
    peer->in_flight = true;
    peer->beat_at = now + peer->options.heartbeat;
    peer->io.send(peer->context, peer->out.data, peer->out.size, peer->out_descriptors, peer->out_count);
    if (peer->out.capacity > KEPT_CAPACITY) tr_bytes_free(&peer->out);
}
