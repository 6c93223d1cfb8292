/*
 * The acks that are owed for what was received.
 *
 * The driver counts what is settled; from here the other side hears of it. Channels of which
 * something is not settled, or not said, are in `busy`. An ack waits for a frame that leaves
 * anyway, at most ack_delay; a frame of payloads looks at a few busy channels, an ack that is due
 * at all of them.
 *
 * After a reconnect all is said again that may have been lost. The window makes that little: who
 * sends message n has heard about all up to n - TR_PEER_WINDOW.
 */
#include "transport/peer_state.h"

#include "base/assert.h"

enum {
    COMPANY = 64, /* busy channels that a frame of payloads looks at */
    GLANCE = 8    /* and that each call of tr_peer_progress does */
};

void tr_inbound_set_dead(struct tr_inbound *channel, uint64_t sequence, uint8_t why) {
    uint8_t *slot = &channel->dead[sequence % TR_PEER_WINDOW];
    channel->dead_count += (uint32_t)(why != 0) - (uint32_t)(*slot != 0);
    *slot = why;
}

void tr_peer_refused(struct tr_peer *peer, uint32_t number, uint64_t sequence,
                     enum troupe_status reason) {
    struct tr_inbound *channel = tr_inbound_find(peer, number);
    if (channel == NULL || !channel->known) return;
    tr_assert(sequence > channel->reported && sequence <= channel->received && reason != TROUPE_OK);
    tr_inbound_set_dead(channel, sequence, (uint8_t)reason);
}

static bool put_settled(struct tr_peer *peer, struct tr_inbound *channel, enum tr_entry_kind kind,
                        uint64_t count) {
    if (!tr_peer_fits(peer, 0)) return false;
    struct tr_entry entry = { .kind = kind, .channel = channel->number, .count = count };
    if (kind == TR_ENTRY_DEAD)
        entry.status = (enum troupe_status)channel->dead[count % TR_PEER_WINDOW];
    tr_frame_put(&peer->out, &entry);
    channel->told = count;
    if (channel->reported < count) channel->reported = count;
    return true;
}

/* False: the frame is full; what is missing is said in the next. */
static bool put_ack(struct tr_peer *peer, struct tr_inbound *channel) {
    uint64_t settled = peer->io.settled_count(peer->context, channel->number);
    tr_assert(settled >= channel->reported && settled <= channel->received);
    for (uint64_t n = channel->told + 1; channel->dead_count > 0 && n <= settled; n++) {
        if (channel->dead[n % TR_PEER_WINDOW] == 0) continue;
        if (!put_settled(peer, channel, TR_ENTRY_DEAD, n)) return false;
    }
    return settled == channel->told || put_settled(peer, channel, TR_ENTRY_ACK, settled);
}

static bool put_acks_of(struct tr_peer *peer, uint32_t channels) {
    for (; channels > 0; channels--) {
        struct tr_inbound *channel = tr_links_pop(&peer->busy);
        if (!channel->known) continue;
        bool said = put_ack(peer, channel);
        if (channel->told < channel->received) tr_links_push(&peer->busy, &channel->busy);
        if (!said) return false;
    }
    return true;
}

/* Due acks that do not fit stay due: the next frame goes on with them. */
void tr_peer_put_acks(struct tr_peer *peer) {
    uint32_t all = peer->busy.count;
    uint32_t some = peer->acks_due || all < COMPANY ? all : COMPANY;
    if (!put_acks_of(peer, some) || some < all) return;
    peer->progressed = peer->acks_due = false;
    peer->ack_at = INT64_MAX;
}

static bool window_is_half_used(struct tr_peer *peer) {
    bool half = false;
    for (uint32_t i = 0; i < GLANCE && i < peer->busy.count; i++) {
        struct tr_inbound *channel = tr_links_pop(&peer->busy);
        tr_links_push(&peer->busy, &channel->busy);
        if (!channel->known) continue;
        uint64_t settled = peer->io.settled_count(peer->context, channel->number);
        half = half || (settled > channel->told && settled - channel->told >= TR_PEER_WINDOW / 2);
    }
    return half;
}

void tr_peer_progress(struct tr_peer *peer, int64_t now) {
    peer->progressed = true;
    if (peer->phase != TR_PEER_UP || peer->acks_due) return;
    if (peer->ack_at == INT64_MAX) peer->ack_at = now + peer->options.ack_delay;
    tr_peer_arm(peer);
    if (!window_is_half_used(peer)) return;
    peer->acks_due = true;
    tr_peer_flush(peer, now);
}

/* Where the last connection left the sender is not known: at least where the window says. */
void tr_peer_resume_inbound(struct tr_peer *peer) {
    for (uint32_t i = 0; i < peer->inbound_room; i++) {
        struct tr_inbound *channel = tr_inbound_find(peer, i);
        if (channel == NULL || channel->received == 0) continue;
        channel->told = channel->received > TR_PEER_WINDOW ? channel->received - TR_PEER_WINDOW : 0;
        tr_links_push(&peer->busy, &channel->busy);
        peer->progressed = peer->acks_due = true;
    }
}
