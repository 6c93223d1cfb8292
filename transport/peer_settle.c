/*
 * What becomes of parcels: each is handed back exactly once, from here.
 *
 * Acks count: all up to n are settled. `dead` says the same, and that the n-th was a dead letter.
 * Both are repeated after a reconnect, and what is known already is passed over. `refuse` cuts the
 * channel at a count: what is beyond goes back, what is below is settled as ever. A death settles
 * what was transmitted by what the ledger says about it, or, without one, as in doubt.
 */
#include "transport/peer_state.h"

#include "base/assert.h"

static void hand_back(struct tr_peer *peer, struct tr_parcel *parcel, enum troupe_status status,
                      bool counted_there) {
    tr_assert(peer->held > 0);
    peer->held--;
    parcel->next = NULL;
    peer->io.settled(peer->context, parcel, status, counted_there);
}

void tr_peer_settle_chain(struct tr_peer *peer, struct tr_parcel *parcel,
                          enum troupe_status status) {
    while (parcel != NULL) {
        struct tr_parcel *next = parcel->next;
        hand_back(peer, parcel, status, false);
        parcel = next;
    }
}

static struct tr_parcel *before_unsent(const struct tr_outbound *channel) {
    struct tr_parcel *before = channel->first == channel->unsent ? NULL : channel->first;
    while (before != NULL && before->next != channel->unsent) before = before->next;
    return before;
}

void tr_peer_give_up_next(struct tr_peer *peer, struct tr_outbound *channel, enum troupe_status status) {
    struct tr_parcel *parcel = channel->unsent, *before = before_unsent(channel);
    if (before == NULL) channel->first = parcel->next;
    else before->next = parcel->next;
    if (channel->last == parcel) channel->last = before;
    channel->unsent = parcel->next;
    hand_back(peer, parcel, status, false);
}

/* The oldest parcel of the channel, which has been transmitted. */
static void settle_first(struct tr_peer *peer, struct tr_outbound *channel,
                         enum troupe_status status) {
    struct tr_parcel *parcel = channel->first;
    channel->settled++;
    tr_assert(channel->settled <= channel->sent && parcel->sequence == channel->settled);
    channel->first = parcel->next;
    hand_back(peer, parcel, status, status != TROUPE_OK);
}

static void settle_to(struct tr_peer *peer, struct tr_outbound *channel, uint64_t count) {
    while (channel->settled < count)
        settle_first(peer, channel, TROUPE_OK);
}

/* Some were settled: the window has room, or a refused channel is empty. */
static void after_settling(struct tr_peer *peer, struct tr_outbound *channel) {
    if (channel->state == TR_OUTBOUND_REFUSED && channel->settled == channel->sent) {
        tr_outbound_move(channel, TR_OUTBOUND_CLOSING);
        channel->announced = false;
    }
    if (peer->phase == TR_PEER_UP) tr_outbound_wake(peer, channel);
}

static struct tr_outbound *find(const struct tr_peer *peer, const struct tr_entry *entry) {
    if (entry->channel >= peer->outbound_count) return NULL;
    struct tr_outbound *channel = peer->outbound[entry->channel];
    return channel->state == TR_OUTBOUND_FREE ? NULL : channel;
}

const char *tr_peer_take_accept(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_outbound *channel = find(peer, entry);
    if (channel == NULL || channel->state != TR_OUTBOUND_OPENING || !channel->announced)
        return "accept: a channel that is not being opened";
    tr_outbound_move(channel, TR_OUTBOUND_OPEN);
    channel->delivery = entry->delivery;
    tr_outbound_wake(peer, channel);
    return NULL;
}

const char *tr_peer_take_ack(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_outbound *channel = find(peer, entry);
    if (channel == NULL || channel->state == TR_OUTBOUND_OPENING) return "ack: no such channel";
    if (entry->count > channel->sent) return "ack: more than was sent";
    settle_to(peer, channel, entry->count);
    after_settling(peer, channel);
    return NULL;
}

const char *tr_peer_take_dead(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_outbound *channel = find(peer, entry);
    if (channel == NULL || channel->state == TR_OUTBOUND_OPENING) return "dead: no such channel";
    if (entry->count == 0 || entry->count > channel->sent)
        return "dead: a message that was not sent";
    if (entry->count <= channel->settled) return NULL;
    settle_to(peer, channel, entry->count - 1);
    settle_first(peer, channel, entry->status);
    after_settling(peer, channel);
    return NULL;
}

/* ---- Refused channels ---- */

/* Takes all parcels beyond the first `count` messages off the channel. */
static struct tr_parcel *cut(struct tr_outbound *channel, uint64_t count) {
    struct tr_parcel *kept = NULL, *rest = channel->first;
    for (uint64_t i = channel->settled; i < count; i++) {
        kept = rest;
        rest = rest->next;
    }
    if (kept == NULL)
        channel->first = NULL;
    else
        kept->next = NULL;
    channel->last = kept;
    channel->unsent = NULL;
    channel->sent = count;
    return rest;
}

static void refuse(struct tr_peer *peer, struct tr_outbound *channel,
                   const struct tr_entry *entry) {
    bool opening = channel->state == TR_OUTBOUND_OPENING;
    tr_outbound_unbind(peer, channel);
    tr_outbound_move(channel, opening ? TR_OUTBOUND_CLOSING : TR_OUTBOUND_REFUSED);
    channel->announced = false;
    tr_peer_settle_chain(peer, cut(channel, entry->count), entry->status);
    after_settling(peer, channel);
}

/* Said again in the list of a new connection, about a channel that we know to be refused. */
static const char *refused_again(struct tr_peer *peer, struct tr_outbound *channel,
                                 uint64_t count) {
    if (peer->phase != TR_PEER_RESUMING) return "refuse: twice";
    return count == channel->sent ? NULL : "refuse: another count than before";
}

const char *tr_peer_take_refuse(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_outbound *channel = find(peer, entry);
    if (channel == NULL || (channel->state == TR_OUTBOUND_OPENING && !channel->announced))
        return "refuse: no such channel";
    if (peer->phase == TR_PEER_RESUMING && channel->mentioned) return "refuse: listed twice";
    channel->mentioned = true;
    if (channel->state == TR_OUTBOUND_REFUSED || channel->state == TR_OUTBOUND_CLOSING)
        return refused_again(peer, channel, entry->count);
    if (entry->count < channel->settled || entry->count > channel->sent)
        return "refuse: a count that cannot be";
    refuse(peer, channel, entry);
    return NULL;
}

const char *tr_peer_take_closed(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_outbound *channel = find(peer, entry);
    if (channel == NULL || channel->state != TR_OUTBOUND_CLOSING || !channel->announced)
        return "closed: a channel that is not being closed";
    tr_outbound_release(peer, channel);
    return NULL;
}

/* ---- Deaths ---- */

struct burial {
    bool crashed, with_fate;
    bool again; /* the channel's receiver wants what it has not handled again */
};

static enum tr_fate fate_of(struct tr_peer *peer, const struct burial *burial,
                            const struct tr_outbound *channel, const struct tr_parcel *parcel) {
    if (!burial->with_fate) return TR_FATE_IN_DOUBT;
    return peer->io.fate(peer->context, channel->number, parcel->sequence);
}

/* Whether the next incarnation gets one that was transmitted; otherwise `status` says what became
 * of it. */
static bool is_kept(const struct burial *burial, const struct tr_outbound *channel,
                    struct tr_parcel *parcel, enum tr_fate fate, enum troupe_status *status) {
    bool again = burial->again && !parcel->once && !parcel->mortal;
    *status = fate == TR_FATE_HANDLED    ? TROUPE_OK
              : fate == TR_FATE_IN_DOUBT ? TROUPE_IN_DOUBT
                                         : TROUPE_NODE_DIED;
    if (fate == TR_FATE_HANDLED || fate == TR_FATE_DEAD || !again) return false;
    bool suspect = fate == TR_FATE_IN_DOUBT && burial->crashed &&
                   (burial->with_fate || parcel->sequence == channel->settled + 1);
    if (suspect) parcel->attempts++;
    *status = TROUPE_POISON;
    return parcel->attempts < TR_PEER_POISON_LIMIT;
}

/* What stays in the channel: of those that were transmitted the kept ones, then all others but the
 * mortal. */
static void bury_parcels(struct tr_peer *peer, const struct burial *burial,
                         struct tr_outbound *channel) {
    struct tr_parcel *parcel = channel->first, **end = &channel->first;
    struct tr_parcel *last = NULL, *next;
    bool sent = true;
    for (; parcel != NULL; parcel = next) {
        enum troupe_status status = TROUPE_NODE_DIED;
        next = parcel->next;
        if (parcel == channel->unsent) sent = false;
        enum tr_fate fate = sent ? fate_of(peer, burial, channel, parcel) : TR_FATE_UNHANDLED;
        bool kept = sent ? is_kept(burial, channel, parcel, fate, &status) : !parcel->mortal;
        if (kept) {
            *end = last = parcel;
            end = &parcel->next;
        } else {
            hand_back(peer, parcel, status, fate == TR_FATE_DEAD);
        }
    }
    *end = NULL;
    channel->last = last;
}

static void bury_channel(struct tr_peer *peer, const struct burial *burial,
                         struct tr_outbound *channel) {
    bool bound = channel->state == TR_OUTBOUND_OPENING || channel->state == TR_OUTBOUND_OPEN;
    bury_parcels(peer, burial, channel);
    channel->sent = channel->settled = 0;
    channel->unsent = channel->first;
    channel->announced = false;
    if (channel->first != NULL) {
        tr_assert(bound);
        if (channel->state != TR_OUTBOUND_OPENING) tr_outbound_move(channel, TR_OUTBOUND_OPENING);
        return;
    }
    if (bound) tr_outbound_unbind(peer, channel);
    tr_outbound_release(peer, channel);
}

void tr_peer_bury(struct tr_peer *peer, bool crashed, bool with_fate) {
    struct burial burial = { .crashed = crashed, .with_fate = with_fate && peer->io.fate != NULL };
    peer->remote_dead = peer->remote_known;
    tr_peer_forget_inbound(peer);
    for (uint32_t i = 0; i < peer->outbound_count; i++) {
        struct tr_outbound *channel = peer->outbound[i];
        if (channel->state == TR_OUTBOUND_FREE) continue;
        burial.again = channel->state == TR_OUTBOUND_OPEN && channel->delivery == TR_AT_LEAST_ONCE;
        bury_channel(peer, &burial, channel);
    }
}

void tr_peer_died(struct tr_peer *peer, bool crashed) {
    tr_peer_lose(peer, "the other node died");
    tr_peer_bury(peer, crashed, true);
}

void tr_peer_abandon(struct tr_peer *peer, enum troupe_status status) {
    tr_peer_lose(peer, "the other node was given up");
    peer->remote_dead = peer->remote_known;
    tr_peer_forget_inbound(peer);
    for (uint32_t i = 0; i < peer->outbound_count; i++) {
        struct tr_outbound *channel = peer->outbound[i];
        if (channel->state == TR_OUTBOUND_FREE) continue;
        if (channel->state <= TR_OUTBOUND_OPEN) tr_outbound_unbind(peer, channel);
        struct tr_parcel *rest = channel->first;
        channel->first = channel->unsent = NULL;
        tr_outbound_release(peer, channel);
        tr_peer_settle_chain(peer, rest, status);
    }
    tr_assert(peer->held == 0);
}
