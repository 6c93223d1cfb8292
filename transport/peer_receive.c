/*
 * Frames in: checking, channels of the other side's, payloads, and the acks that are owed for them.
 *
 * A table says which entries are allowed when; whatever is not is the end of the connection, and so is
 * every count, channel or size that cannot be. For each channel only numbers are kept, and for its last
 * TR_PEER_WINDOW messages one byte each: why it became a dead letter. The window makes that enough: who
 * sends message n has heard about all up to n - TR_PEER_WINDOW, and repeats of what it has heard are
 * never needed.
 *
 * Channels of which something is not settled, or not said, are in `busy`. An ack waits for a frame that
 * leaves anyway, at most ack_delay; a frame of payloads looks at a few busy channels, an ack that is due
 * at all of them.
 */
#include "transport/peer_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum {
    FIRST_ROOM = 16,
    COMPANY = 64,  /* busy channels that a frame of payloads looks at */
    GLANCE = 8     /* and that each call of tr_peer_progress does */
};

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

static struct tr_inbound *find(const struct tr_peer *peer, uint32_t number) {
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
    *channel = (struct tr_inbound){ .answer = answer, .busy = busy, .number = number, .dead = dead };
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

static const char *take_open(struct tr_peer *peer, const struct tr_entry *entry) {
    if (find(peer, entry->channel) != NULL) return "open: a channel that is open";
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

static const char *take_close(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_inbound *channel = find(peer, entry->channel);
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
        struct tr_inbound *channel = find(peer, i);
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

/* ---- Payloads ---- */

static void set_dead(struct tr_inbound *channel, uint64_t sequence, uint8_t why) {
    uint8_t *slot = &channel->dead[sequence % TR_PEER_WINDOW];
    channel->dead_count += (uint32_t)(why != 0) - (uint32_t)(*slot != 0);
    *slot = why;
}

static const char *take_data(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_inbound *channel = find(peer, entry->channel);
    if (channel == NULL || channel->state == TR_INBOUND_CLOSED) return "data: no such channel";
    if (channel->state == TR_INBOUND_REFUSED) return NULL; /* was under way; its sender will hear */
    if (channel->accept_due) return "data: a channel that was not yet accepted";
    if (entry->size > TR_PEER_MAX_PAYLOAD) return "data: too large";
    if (channel->received - channel->reported >= TR_PEER_WINDOW) return "data: beyond the window";
    uint64_t sequence = ++channel->received;
    set_dead(channel, sequence, 0);
    enum troupe_status status =
        peer->io.deliver(peer->context, entry->channel, sequence, entry->bytes, entry->size);
    tr_links_push(&peer->busy, &channel->busy);
    if (status == TROUPE_OK) return NULL;
    set_dead(channel, sequence, (uint8_t)status);
    tr_peer_progress(peer, peer->now);
    return NULL;
}

void tr_peer_refused(struct tr_peer *peer, uint32_t number, uint64_t sequence,
                     enum troupe_status reason) {
    struct tr_inbound *channel = find(peer, number);
    if (channel == NULL || !channel->known) return;
    tr_assert(sequence > channel->reported && sequence <= channel->received && reason != TROUPE_OK);
    set_dead(channel, sequence, (uint8_t)reason);
}

static const char *take_definition(struct tr_peer *peer, const struct tr_entry *entry) {
    if (peer->definitions_received == TR_PEER_DEFINITIONS) return "definition: too many";
    if (entry->size > TR_PEER_MAX_PAYLOAD) return "definition: too large";
    uint32_t index = peer->definitions_received++;
    bool usable = peer->io.defined(peer->context, index, entry->bytes, entry->size);
    return usable ? NULL : "definition: unusable";
}

/* ---- Acks ---- */

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
        struct tr_inbound *channel = find(peer, i);
        if (channel == NULL || channel->received == 0) continue;
        channel->told = channel->received > TR_PEER_WINDOW ? channel->received - TR_PEER_WINDOW : 0;
        tr_links_push(&peer->busy, &channel->busy);
        peer->progressed = peer->acks_due = true;
    }
}

/* ---- Frames ---- */

static const char *take_beat(struct tr_peer *peer, const struct tr_entry *entry) {
    (void)peer;
    (void)entry;
    return NULL;
}

enum {
    GREETING = 1 << TR_PEER_GREETING,
    PROVING = 1 << TR_PEER_PROVING,
    RESUMING = 1 << TR_PEER_RESUMING,
    UP = 1 << TR_PEER_UP
};

static const struct rule {
    tr_peer_take *take;
    unsigned phases;
} rules[TR_ENTRY_KINDS] = {
    [TR_ENTRY_HELLO] = { tr_peer_take_hello, GREETING },
    [TR_ENTRY_WELCOME] = { tr_peer_take_welcome, GREETING },
    [TR_ENTRY_PROOF] = { tr_peer_take_proof, PROVING },
    [TR_ENTRY_RESUME] = { tr_peer_take_resume, RESUMING },
    [TR_ENTRY_RESUMED] = { tr_peer_take_resumed, RESUMING },
    [TR_ENTRY_DEFINITION] = { take_definition, UP },
    [TR_ENTRY_OPEN] = { take_open, UP },
    [TR_ENTRY_ACCEPT] = { tr_peer_take_accept, UP },
    [TR_ENTRY_REFUSE] = { tr_peer_take_refuse, RESUMING | UP },
    [TR_ENTRY_DATA] = { take_data, UP },
    [TR_ENTRY_ACK] = { tr_peer_take_ack, UP },
    [TR_ENTRY_DEAD] = { tr_peer_take_dead, UP },
    [TR_ENTRY_CLOSE] = { take_close, UP },
    [TR_ENTRY_CLOSED] = { tr_peer_take_closed, UP },
    [TR_ENTRY_BEAT] = { take_beat, RESUMING | UP },
};

static const char *take_entry(struct tr_peer *peer, struct tr_cursor *cursor) {
    struct tr_entry entry;
    if (!tr_frame_next(cursor, &entry)) return cursor->error;
    const struct rule *rule = &rules[entry.kind];
    if ((rule->phases & 1U << peer->phase) == 0) return "an entry that is not allowed now";
    return rule->take(peer, &entry);
}

static const char *check_size(const struct tr_peer *peer, size_t size) {
    if (size == 0) return "an empty frame";
    size_t most = peer->phase < TR_PEER_RESUMING ? TR_FRAME_GREETING_ROOM : TR_FRAME_MAX;
    return size > most ? "a frame that is too large" : NULL;
}

static const char *take_frame(struct tr_peer *peer, const uint8_t *frame, size_t size) {
    struct tr_cursor cursor;
    const char *why = check_size(peer, size);
    tr_cursor_init(&cursor, frame, size);
    while (why == NULL && tr_cursor_left(&cursor) > 0) {
        why = take_entry(peer, &cursor);
        if (why == NULL && size > TR_PEER_MAX_FRAME && tr_cursor_left(&cursor) > 0)
            why = "several entries in a large frame";
    }
    return why;
}

void tr_peer_frame(struct tr_peer *peer, const uint8_t *frame, size_t size, int64_t now) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    peer->now = peer->heard_at = now;
    const char *why = take_frame(peer, frame, size);
    if (why != NULL) {
        tr_peer_lose(peer, why);
        return;
    }
    tr_peer_flush(peer, now);
    tr_peer_arm(peer);
}
