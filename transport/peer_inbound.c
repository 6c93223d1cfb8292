/*
 * Channels of the other side's: opening, refusing, closing.
 *
 * All the memory that a channel ever needs is taken when it is opened, so that nothing can fail
 * later: some numbers, and for its last TR_PEER_WINDOW messages one byte each: why it became a dead
 * letter. A channel whose endpoint goes away is refused at what it has received, and stays until
 * all of that is settled and the other side has closed it: what was received never hangs in the
 * air.
 */
#include "transport/peer_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { FIRST_ROOM = 16 };

static const bool allowed_moves[TR_INBOUND_STATES][TR_INBOUND_STATES] = {
    /* to                    FREE  OPEN REFUSED CLOSED */
    [TR_INBOUND_FREE] = { false, true, true, false },
    [TR_INBOUND_OPEN] = { true, false, true, false }, /* FREE: the other incarnation is dead */
    [TR_INBOUND_REFUSED] = { true, false, false, true },
    [TR_INBOUND_CLOSED] = { true, false, false, false },
};

static void move(struct tr_inbound *channel, enum tr_inbound_state to) {
    tr_assert(allowed_moves[channel->state][to]);
    channel->state = to;
}

struct tr_inbound *tr_inbound_find(const struct tr_peer *peer, uint32_t number) {
    if (number >= peer->inbound_room) return NULL;
    struct tr_inbound *channel = peer->inbound[number];
    return channel == NULL || channel->state == TR_INBOUND_FREE ? NULL : channel;
}

/* ---- Opening ---- */

static bool make_room(struct tr_peer *peer, uint32_t number) {
    uint32_t room = peer->inbound_room == 0 ? FIRST_ROOM : peer->inbound_room;
    while (room <= number)
        room *= 2;
    if (room == peer->inbound_room) return true;
    struct tr_inbound **channels = realloc(peer->inbound, room * sizeof(*channels));
    if (channels == NULL) return false;
    memset(channels + peer->inbound_room, 0, (room - peer->inbound_room) * sizeof(*channels));
    peer->inbound = channels;
    peer->inbound_room = room;
    return true;
}

/* All the memory that the channel will ever need, so that nothing can fail later. */
static struct tr_inbound *make_channel(struct tr_peer *peer, uint32_t number) {
    if (!make_room(peer, number)) return NULL;
    if (peer->inbound[number] == NULL) {
        peer->inbound[number] = calloc(1, sizeof **peer->inbound);
        if (peer->inbound[number] == NULL) return NULL;
    }
    struct tr_inbound *channel = peer->inbound[number];
    struct tr_link answer = channel->answer, busy = channel->busy; /* may be queued: left alone */
    uint8_t *dead = calloc(1, TR_PEER_WINDOW);
    if (dead == NULL) return NULL;
    *channel =
        (struct tr_inbound){ .answer = answer, .busy = busy, .number = number, .dead = dead };
    channel->answer.owner = channel->busy.owner = channel;
    return channel;
}

void tr_inbound_release(struct tr_inbound *channel) {
    move(channel, TR_INBOUND_FREE);
    free(channel->dead);
    channel->dead = NULL;
}

static void answer(struct tr_peer *peer, struct tr_inbound *channel) {
    tr_links_push(&peer->answers, &channel->answer);
}

static void refuse(struct tr_peer *peer, struct tr_inbound *channel, enum troupe_status why) {
    move(channel, TR_INBOUND_REFUSED);
    tr_endpoints_remove(&peer->inbound_by_endpoint, channel->to);
    channel->refusal = why;
    channel->refuse_due = true;
    answer(peer, channel);
}

const char *tr_peer_take_open(struct tr_peer *peer, const struct tr_entry *entry) {
    if (tr_inbound_find(peer, entry->channel) != NULL) return "open: a channel that is open";
    if (tr_endpoints_find(&peer->inbound_by_endpoint, entry->to) != UINT32_MAX)
        return "open: a second channel to one endpoint";
    struct tr_inbound *channel = make_channel(peer, entry->channel);
    if (channel == NULL) return "no memory for a channel";
    if (!tr_endpoints_add(&peer->inbound_by_endpoint, entry->to, entry->channel)) {
        free(channel->dead);
        channel->dead = NULL;
        return "no memory for a channel";
    }
    move(channel, TR_INBOUND_OPEN);
    channel->to = entry->to;
    enum troupe_status status =
        peer->io.opened(peer->context, entry->channel, entry->to, &channel->delivery);
    channel->known = channel->accept_due = status == TROUPE_OK;
    if (status != TROUPE_OK) refuse(peer, channel, status);
    answer(peer, channel);
    return NULL;
}

void tr_peer_endpoint_gone(struct tr_peer *peer, struct tr_endpoint endpoint) {
    uint32_t number = tr_endpoints_find(&peer->inbound_by_endpoint, endpoint);
    if (number != UINT32_MAX) refuse(peer, peer->inbound[number], TROUPE_GONE);
}

/* ---- Closing ---- */

static void tell_closed(struct tr_peer *peer, struct tr_inbound *channel) {
    if (channel->known) peer->io.closed(peer->context, channel->number);
    channel->known = false;
}

const char *tr_peer_take_close(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_inbound *channel = tr_inbound_find(peer, entry->channel);
    if (channel == NULL || channel->state != TR_INBOUND_REFUSED || channel->refuse_due)
        return "close: a channel that was not refused";
    if (channel->reported != channel->received) return "close: not all is settled";
    tell_closed(peer, channel);
    move(channel, TR_INBOUND_CLOSED);
    answer(peer, channel);
    return NULL;
}

void tr_peer_forget_inbound(struct tr_peer *peer) {
    tr_links_clear(&peer->answers);
    tr_links_clear(&peer->busy);
    tr_endpoints_free(&peer->inbound_by_endpoint);
    for (uint32_t i = 0; i < peer->inbound_room; i++) {
        struct tr_inbound *channel = tr_inbound_find(peer, i);
        if (channel == NULL) continue;
        tell_closed(peer, channel);
        tr_inbound_release(channel);
    }
}

/* Refusal comes instead of acceptance when both are due: nothing can have been received. */
static void put_answer(struct tr_peer *peer, struct tr_inbound *channel) {
    struct tr_entry entry = { .kind = TR_ENTRY_CLOSED, .channel = channel->number };
    if (channel->state == TR_INBOUND_CLOSED) {
        tr_inbound_release(channel);
    } else if (channel->refuse_due) {
        entry.kind = TR_ENTRY_REFUSE;
        entry.status = channel->refusal;
        entry.count = channel->received;
    } else if (channel->accept_due) {
        entry.kind = TR_ENTRY_ACCEPT;
        entry.delivery = channel->delivery;
    } else {
        return; /* said in the list of this connection */
    }
    channel->accept_due = channel->refuse_due = false;
    tr_frame_put(&peer->out, &entry);
}

void tr_peer_put_answers(struct tr_peer *peer) {
    while (peer->answers.first != NULL && tr_peer_fits(peer, 0))
        put_answer(peer, tr_links_pop(&peer->answers));
}
