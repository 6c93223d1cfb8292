/*
 * The peer: its life cycle, its connections, its timers.
 *
 * The happy path. The dialer says hello, the listener answers welcome with a proof that it knows
 * the token, the dialer answers with its own. Then each side lists what it has received from this
 * very incarnation before, the sender takes up its channels where they were, and the peer is up. A
 * parcel goes into the queue of its endpoint's channel; the first one opens it. Frames gather
 * entries of many channels; one frame at a time is with the transport. The receiver hands payloads
 * to the driver, counts what is settled, and tells the sender, which hands the parcels back.
 *
 * What can fail. A connection: everything that is not settled stays in its channel, and the lists
 * of the next connection say from where to transmit again. An incarnation: tr_peer_bury settles
 * what it had received; what it had not, and what wants to be delivered at least once, waits for
 * the next one. An endpoint: its channel is refused at a certain count; what is beyond goes back,
 * what is below still settles, then both sides close the channel and its number is free. The other
 * side's bytes: the first entry that is wrong ends the connection, and nothing that it says can
 * make us hold more than a bounded amount of memory, or settle what is not ours to settle.
 *
 * Nothing is allocated for a message. Parcels are linked through themselves; channels that have
 * something to do are linked in lists, so that no step walks over those that have not.
 *
 * One thread at a time; whoever owns the peer sees to that.
 */
#include "transport/peer_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const bool allowed_moves[TR_PEER_PHASES][TR_PEER_PHASES] = {
    /* to                      DISCONNECTED GREETING PROVING RESUMING UP */
    [TR_PEER_DISCONNECTED] = { false, true, false, false, false },
    [TR_PEER_GREETING] = { true, false, true, true, false }, /* listener, dialer */
    [TR_PEER_PROVING] = { true, false, false, true, false },
    [TR_PEER_RESUMING] = { true, false, false, false, true },
    [TR_PEER_UP] = { true, false, false, false, false },
};

void tr_peer_move(struct tr_peer *peer, enum tr_peer_phase to) {
    tr_assert(allowed_moves[peer->phase][to]);
    peer->phase = to;
}

void tr_links_push(struct tr_links *links, struct tr_link *link) {
    if (link->queued) return;
    link->queued = true;
    link->next = NULL;
    if (links->first == NULL)
        links->first = link;
    else
        links->last->next = link;
    links->last = link;
    links->count++;
}

void *tr_links_pop(struct tr_links *links) {
    struct tr_link *link = links->first;
    if (link == NULL) return NULL;
    links->first = link->next;
    links->count--;
    link->queued = false;
    return link->owner;
}

void tr_links_clear(struct tr_links *links) {
    while (tr_links_pop(links) != NULL) {
    }
}

static int64_t or_default(int64_t value, int64_t otherwise) {
    return value > 0 ? value : otherwise;
}

struct tr_peer *tr_peer_new(const struct tr_peer_options *options, const struct tr_peer_io *io,
                            void *context) {
    struct tr_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) return NULL;
    peer->options = *options;
    peer->options.heartbeat = or_default(options->heartbeat, TROUPE_SECOND);
    peer->options.patience = or_default(options->patience, 5 * TROUPE_SECOND);
    peer->options.ack_delay = or_default(options->ack_delay, 5 * TROUPE_MILLISECOND);
    peer->io = *io;
    peer->context = context;
    peer->greeting = TR_ENTRY_KINDS;
    peer->ack_at = peer->asked_at = INT64_MAX;
    return peer;
}

void tr_peer_free(struct tr_peer *peer) {
    if (peer == NULL) return;
    tr_assert(peer->held == 0);
    for (uint32_t i = 0; i < peer->outbound_count; i++)
        free(peer->outbound[i]);
    for (uint32_t i = 0; i < peer->inbound_room; i++) {
        if (peer->inbound[i] == NULL) continue;
        free(peer->inbound[i]->dead);
        free(peer->inbound[i]);
    }
    free(peer->outbound);
    free(peer->free_numbers);
    free(peer->inbound);
    tr_endpoints_free(&peer->outbound_by_endpoint);
    tr_endpoints_free(&peer->inbound_by_endpoint);
    tr_bytes_free(&peer->out);
    explicit_bzero(peer->options.token, sizeof peer->options.token);
    free(peer);
}

/* Every nonce is new, and none tells the next: the seed stays here. */
static void make_hello(struct tr_peer *peer) {
    uint8_t proof[TR_PROOF_SIZE];
    uint64_t connection = ++peer->connections;
    tr_proof_make((const uint8_t *)peer->options.nonce_seed, sizeof peer->options.nonce_seed,
                  (const uint8_t *)&connection, sizeof connection, proof);
    peer->mine = (struct tr_hello){ .oldest = TR_PEER_VERSION_OLDEST,
                                    .newest = TR_PEER_VERSION_NEWEST,
                                    .node = peer->options.node,
                                    .incarnation = peer->options.incarnation,
                                    .remote_node = peer->options.remote_node };
    memcpy(peer->mine.nonce, proof, sizeof peer->mine.nonce);
}

static void reset_connection(struct tr_peer *peer) {
    peer->greeting = TR_ENTRY_KINDS;
    peer->listing = peer->in_flight = peer->large_first = peer->beat_due = peer->acks_due = false;
    peer->listed = 0;
    peer->definitions_sent = peer->definitions_received = 0;
    peer->ack_at = INT64_MAX;
}

void tr_peer_set_dialer(struct tr_peer *peer, bool dialer) {
    tr_assert(peer->phase == TR_PEER_DISCONNECTED);
    peer->options.dialer = dialer;
}

void tr_peer_set_told(struct tr_peer *peer, bool told) {
    tr_assert(peer->phase == TR_PEER_DISCONNECTED);
    peer->told = told;
}

void tr_peer_connected(struct tr_peer *peer, const uint8_t token[TR_PEER_TOKEN_SIZE], int64_t now) {
    tr_peer_disconnected(peer);
    memcpy(peer->options.token, token, TR_PEER_TOKEN_SIZE);
    make_hello(peer);
    tr_peer_move(peer, TR_PEER_GREETING);
    peer->now = peer->heard_at = now;
    peer->beat_at = now + peer->options.heartbeat;
    if (peer->options.dialer) peer->greeting = TR_ENTRY_HELLO;
    tr_peer_flush(peer, now);
    tr_peer_arm(peer);
}

void tr_peer_disconnected(struct tr_peer *peer) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    tr_peer_move(peer, TR_PEER_DISCONNECTED);
    reset_connection(peer);
    peer->asked_at = INT64_MAX;
    peer->io.timer(peer->context, INT64_MAX);
}

void tr_peer_lose(struct tr_peer *peer, const char *why) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    tr_peer_disconnected(peer);
    peer->io.lost(peer->context, why);
}

void tr_peer_sent(struct tr_peer *peer, int64_t now) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    peer->in_flight = false;
    tr_peer_flush(peer, now);
}

static bool silence_counts(const struct tr_peer *peer) { return !peer->told || peer->phase != TR_PEER_UP; }

/* Asks for the earliest of our times; a later one is asked for when the earlier has come. */
void tr_peer_arm(struct tr_peer *peer) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    int64_t at = silence_counts(peer) ? peer->heard_at + peer->options.patience : INT64_MAX;
    if (silence_counts(peer) && peer->beat_at < at) at = peer->beat_at;
    if (peer->ack_at < at) at = peer->ack_at;
    if (at >= peer->asked_at) return;
    peer->asked_at = at;
    peer->io.timer(peer->context, at);
}

/* A beat that cannot leave because the transport is busy is not missed: that frame is one. */
static void look_at_beat(struct tr_peer *peer, int64_t now) {
    if (now < peer->beat_at || !silence_counts(peer)) return;
    peer->beat_at = now + peer->options.heartbeat;
    peer->beat_due = peer->phase >= TR_PEER_RESUMING && !peer->in_flight;
}

static void look_at_acks(struct tr_peer *peer, int64_t now) {
    if (now < peer->ack_at) return;
    peer->ack_at = INT64_MAX;
    peer->acks_due = true;
}

void tr_peer_tick(struct tr_peer *peer, int64_t now) {
    if (now >= peer->asked_at) peer->asked_at = INT64_MAX;
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    if (silence_counts(peer) && now - peer->heard_at >= peer->options.patience) {
        bool greeted = peer->phase >= TR_PEER_RESUMING;
        tr_peer_lose(peer, greeted ? "the other side has been silent too long"
                                   : "the other side did not finish the handshake");
        return;
    }
    look_at_beat(peer, now);
    look_at_acks(peer, now);
    tr_peer_flush(peer, now);
    tr_peer_arm(peer);
}

uint64_t tr_peer_held(const struct tr_peer *peer) { return peer->held; }

bool tr_peer_knows_descriptors(const struct tr_peer *peer) {
    return peer->theirs.newest >= TR_PEER_VERSION_DESCRIPTORS;
}

bool tr_peer_is_up(const struct tr_peer *peer) { return peer->phase == TR_PEER_UP; }
