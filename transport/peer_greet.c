/*
 * The handshake, and taking up what another connection left.
 *
 * Each side makes a nonce; each proves the token by an HMAC over its role and both hellos, nonces,
 * nodes, incarnations and versions included: a proof is of no use on another connection, in the
 * other direction or for another node, and nobody in between can change what was said. Nothing that
 * a hello claims has any effect before its proof was checked. A greeting travels alone in its
 * frame.
 *
 * Then each side lists the channels that it knows of the other incarnation: `resume` says how many
 * messages arrived, `refuse` that it takes none beyond a count. A channel of ours that is missing
 * there either never got through (it is opened again) or was being closed (then it is closed now).
 * One that had been accepted cannot be missing.
 */
#include "transport/peer_state.h"

#include <string.h>

#include "base/assert.h"

static void make_proof(const struct tr_peer *peer, bool of_dialer, uint8_t proof[TR_PROOF_SIZE]) {
    uint8_t transcript[TR_FRAME_TRANSCRIPT_SIZE];
    bool dialer = peer->options.dialer;
    tr_frame_transcript(of_dialer, dialer ? &peer->mine : &peer->theirs,
                        dialer ? &peer->theirs : &peer->mine, transcript);
    tr_proof_make(peer->options.token, TR_PEER_TOKEN_SIZE, transcript, sizeof transcript, proof);
}

void tr_peer_put_greeting(struct tr_peer *peer) {
    struct tr_entry entry = { .kind = peer->greeting, .hello = peer->mine };
    if (peer->greeting != TR_ENTRY_HELLO) make_proof(peer, peer->options.dialer, entry.proof);
    tr_frame_put(&peer->out, &entry);
    peer->greeting = TR_ENTRY_KINDS;
}

static const char *check_incarnation(const struct tr_peer *peer, uint64_t incarnation) {
    if (!peer->remote_known || incarnation > peer->remote_incarnation) return NULL;
    if (incarnation < peer->remote_incarnation) return "an older incarnation of the other node";
    return peer->remote_dead ? "an incarnation that is known to be dead" : NULL;
}

static const char *check_hello(const struct tr_peer *peer, const struct tr_hello *hello) {
    if (hello->oldest > TR_PEER_VERSION_NEWEST || hello->newest < TR_PEER_VERSION_OLDEST ||
        hello->oldest > hello->newest)
        return "no version of the protocol that both sides speak";
    if (hello->node != peer->options.remote_node) return "another node than expected";
    if (hello->remote_node != peer->options.node) return "the other side expected another node";
    return check_incarnation(peer, hello->incarnation);
}

static bool is_proved(const struct tr_peer *peer, const uint8_t proof[TR_PROOF_SIZE]) {
    uint8_t expected[TR_PROOF_SIZE];
    make_proof(peer, !peer->options.dialer, expected);
    return tr_proof_equal(expected, proof);
}

/* The other side is who it says: only now its incarnation counts. */
static void believe(struct tr_peer *peer) {
    uint64_t incarnation = peer->theirs.incarnation;
    if (peer->remote_known && !peer->remote_dead && incarnation != peer->remote_incarnation)
        tr_peer_bury(peer, false, false);
    peer->remote_known = true;
    peer->remote_dead = false;
    peer->remote_incarnation = incarnation;
    tr_peer_move(peer, TR_PEER_RESUMING);
    for (uint32_t i = 0; i < peer->outbound_count; i++)
        peer->outbound[i]->mentioned = false;
    tr_links_clear(&peer->todo);
    tr_links_clear(&peer->answers);
    peer->listing = true;
}

const char *tr_peer_take_hello(struct tr_peer *peer, const struct tr_entry *entry) {
    if (peer->options.dialer) return "two dialers";
    const char *why = check_hello(peer, &entry->hello);
    if (why != NULL) return why;
    peer->theirs = entry->hello;
    peer->greeting = TR_ENTRY_WELCOME;
    tr_peer_move(peer, TR_PEER_PROVING);
    return NULL;
}

static const char wrong_proof[] = "the other side does not know the token";

const char *tr_peer_take_welcome(struct tr_peer *peer, const struct tr_entry *entry) {
    if (!peer->options.dialer) return "two listeners";
    const char *why = check_hello(peer, &entry->hello);
    if (why != NULL) return why;
    peer->theirs = entry->hello;
    if (!is_proved(peer, entry->proof)) return wrong_proof;
    peer->greeting = TR_ENTRY_PROOF;
    believe(peer);
    return NULL;
}

const char *tr_peer_take_proof(struct tr_peer *peer, const struct tr_entry *entry) {
    if (!is_proved(peer, entry->proof)) return wrong_proof;
    believe(peer);
    return NULL;
}

/* ---- What we have received ---- */

/* A closed one is not mentioned: so the other side knows that it is. */
static void put_known(struct tr_peer *peer, struct tr_inbound *channel) {
    struct tr_entry entry = { .kind = TR_ENTRY_RESUME,
                              .channel = channel->number,
                              .count = channel->received,
                              .delivery = channel->delivery };
    if (channel->state == TR_INBOUND_CLOSED) {
        tr_inbound_release(channel);
        return;
    }
    if (channel->state == TR_INBOUND_REFUSED) {
        entry.kind = TR_ENTRY_REFUSE;
        entry.status = channel->refusal;
    }
    channel->accept_due = channel->refuse_due = false;
    tr_frame_put(&peer->out, &entry);
}

void tr_peer_put_list(struct tr_peer *peer) {
    for (; peer->listed < peer->inbound_room; peer->listed++) {
        struct tr_inbound *channel = peer->inbound[peer->listed];
        if (channel == NULL || channel->state == TR_INBOUND_FREE) continue;
        if (!tr_peer_fits(peer, 0)) return;
        put_known(peer, channel);
    }
    if (!tr_peer_fits(peer, 0)) return;
    tr_frame_put(&peer->out, &(struct tr_entry){ .kind = TR_ENTRY_RESUMED });
    peer->listing = false;
    tr_peer_resume_inbound(peer);
}

/* ---- What the other side has received ---- */

static void rewind_to(struct tr_outbound *channel, uint64_t received) {
    struct tr_parcel *parcel = channel->first;
    for (uint64_t i = channel->settled; i < received; i++)
        parcel = parcel->next;
    channel->unsent = parcel;
    channel->sent = received;
}

const char *tr_peer_take_resume(struct tr_peer *peer, const struct tr_entry *entry) {
    if (entry->channel >= peer->outbound_count) return "resume: no such channel";
    struct tr_outbound *channel = peer->outbound[entry->channel];
    bool opening = channel->state == TR_OUTBOUND_OPENING && channel->announced;
    if (channel->mentioned || (!opening && channel->state != TR_OUTBOUND_OPEN))
        return "resume: a channel that is not open";
    if (entry->count < channel->settled || entry->count > channel->sent)
        return "resume: a count that cannot be";
    if (opening) tr_outbound_move(channel, TR_OUTBOUND_OPEN);
    channel->mentioned = true;
    channel->delivery = entry->delivery;
    rewind_to(channel, entry->count);
    return NULL;
}

static const char *take_up(struct tr_peer *peer, struct tr_outbound *channel) {
    if (!channel->mentioned) {
        if (channel->state == TR_OUTBOUND_OPEN || channel->state == TR_OUTBOUND_REFUSED)
            return "resumed: an accepted channel is missing";
        if (channel->state == TR_OUTBOUND_CLOSING) {
            if (!channel->announced) return "resumed: a refused channel is missing";
            tr_outbound_release(peer, channel);
        }
    }
    channel->announced = false;
    tr_outbound_wake(peer, channel);
    return NULL;
}

const char *tr_peer_take_resumed(struct tr_peer *peer, const struct tr_entry *entry) {
    (void)entry;
    for (uint32_t i = 0; i < peer->outbound_count; i++) {
        const char *why = take_up(peer, peer->outbound[i]);
        if (why != NULL) return why;
    }
    tr_peer_move(peer, TR_PEER_UP);
    peer->io.up(peer->context, peer->remote_incarnation);
    return NULL;
}
