/*
 * Frames in: checking, and handing on to who knows.
 *
 * A table says which entries are allowed when; whatever is not is the end of the connection, and so
 * is every count, channel or size that cannot be.
 */
#include "transport/peer_state.h"

/* What was announced and did not come cannot have been the other side's doing: the kernel drops descriptors for which
 * a process has no room, the last first. The payload's receiver side says what becomes of it. */
static struct tr_payload payload_of(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_payload payload = { .bytes = entry->bytes, .size = entry->size };
    if (entry->kind != TR_ENTRY_DATA_WITH) return payload;
    uint32_t announced = (uint32_t)entry->count;
    payload.missing = announced > peer->in_count;
    payload.descriptors = peer->in_descriptors;
    payload.descriptor_count = payload.missing ? peer->in_count : announced;
    peer->in_descriptors += payload.descriptor_count;
    peer->in_count -= payload.descriptor_count;
    return payload;
}

static const char *deliver(struct tr_peer *peer, struct tr_inbound *channel, const struct tr_payload *payload) {
    uint64_t sequence = ++channel->received;
    tr_inbound_set_dead(channel, sequence, 0);
    enum troupe_status status = peer->io.deliver(peer->context, channel->number, sequence, payload);
    tr_links_push(&peer->busy, &channel->busy);
    if (status == TROUPE_OK) return NULL;
    tr_inbound_set_dead(channel, sequence, (uint8_t)status);
    tr_peer_progress(peer, peer->now);
    return NULL;
}

static const char *take_data(struct tr_peer *peer, const struct tr_entry *entry) {
    struct tr_inbound *channel = tr_inbound_find(peer, entry->channel);
    const struct tr_payload payload = payload_of(peer, entry);
    if (channel == NULL || channel->state == TR_INBOUND_CLOSED) return "data: no such channel";
    if (channel->state == TR_INBOUND_REFUSED) return NULL; /* was under way; its sender will hear */
    if (channel->accept_due) return "data: a channel that was not yet accepted";
    if (entry->size > TR_PEER_MAX_PAYLOAD) return "data: too large";
    if (channel->received - channel->reported >= TR_PEER_WINDOW) return "data: beyond the window";
    return deliver(peer, channel, &payload);
}

static const char *take_data_with(struct tr_peer *peer, const struct tr_entry *entry) {
    if (!tr_peer_knows_descriptors(peer)) return "data: descriptors, of which its version knows nothing";
    if (entry->count == 0 || entry->count > TR_PEER_DESCRIPTORS) return "data: a count of descriptors that cannot be";
    return take_data(peer, entry);
}

static const char *take_definition(struct tr_peer *peer, const struct tr_entry *entry) {
    if (peer->definitions_received == TR_PEER_DEFINITIONS) return "definition: too many";
    if (entry->size > TR_PEER_MAX_PAYLOAD) return "definition: too large";
    uint32_t index = peer->definitions_received++;
    bool usable = peer->io.defined(peer->context, index, entry->bytes, entry->size);
    return usable ? NULL : "definition: unusable";
}

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
    [TR_ENTRY_OPEN] = { tr_peer_take_open, UP },
    [TR_ENTRY_ACCEPT] = { tr_peer_take_accept, UP },
    [TR_ENTRY_REFUSE] = { tr_peer_take_refuse, RESUMING | UP },
    [TR_ENTRY_DATA] = { take_data, UP },
    [TR_ENTRY_ACK] = { tr_peer_take_ack, UP },
    [TR_ENTRY_DEAD] = { tr_peer_take_dead, UP },
    [TR_ENTRY_CLOSE] = { tr_peer_take_close, UP },
    [TR_ENTRY_CLOSED] = { tr_peer_take_closed, UP },
    [TR_ENTRY_BEAT] = { take_beat, RESUMING | UP },
    [TR_ENTRY_DATA_WITH] = { take_data_with, UP },
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
    return why != NULL || peer->in_count == 0 ? why : "descriptors that belong to no payload";
}

void tr_peer_frame(struct tr_peer *peer, const uint8_t *frame, size_t size, int64_t now) {
    tr_peer_frame_with(peer, frame, size, NULL, 0, now);
}

void tr_peer_frame_with(struct tr_peer *peer, const uint8_t *frame, size_t size, int *descriptors, uint32_t count,
                        int64_t now) {
    if (peer->phase == TR_PEER_DISCONNECTED) return;
    peer->now = peer->heard_at = now;
    peer->in_descriptors = descriptors;
    peer->in_count = count;
    const char *why = take_frame(peer, frame, size);
    if (why != NULL) {
        tr_peer_lose(peer, why);
        return;
    }
    tr_peer_flush(peer, now);
    tr_peer_arm(peer);
}
