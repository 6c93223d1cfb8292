/*
 * One side of a connection for tests: a peer with a small world behind it that notes all it is
 * told. Frames that it sends are kept until a test moves, changes or drops them.
 *
 * Endpoints: slot 90 and above are not there; odd slots want at_least_once. A payload whose first
 * byte is 'x' becomes a dead letter on arrival (full). Nothing is settled before the test says so.
 */
#ifndef TESTS_PEER_SIDE_H
#define TESTS_PEER_SIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/frame.h"
#include "transport/peer.h"

enum { SIDE_FRAMES = 64, SIDE_CHANNELS = 64, SIDE_NO_SLOT = 90 };

struct side_frame {
    uint8_t *bytes;
    size_t size;
    int descriptors[TR_PEER_FRAME_DESCRIPTORS]; /* numbers: nothing here is open */
    uint32_t count;
};

struct side_channel {
    bool open;
    struct tr_endpoint to;
    uint64_t received, settled;
};

struct side {
    struct tr_peer *peer;
    struct side_frame frames[SIDE_FRAMES]; /* sent, and not yet taken */
    int first, end;
    bool sending;
    int ups, losses, opens, closes, definitions, delivered, settlements;
    uint64_t remote_incarnation;
    const char *why;
    int64_t timer;
    struct side_channel channels[SIDE_CHANNELS];
    int descriptors[256]; /* numbers that were delivered, in order */
    uint32_t descriptor_count;
    char payloads[256];  /* first bytes of what was delivered, in order */
    char outcomes[4096]; /* "payload=status" or "payload=status!" (counted there), spaces between */
    enum tr_fate fates[64];    /* by sequence */
    size_t definition_size;
};

static inline void side_send(void *context, const uint8_t *bytes, size_t size, const int *descriptors,
                             uint32_t count) {
    struct side *side = context;
    if (side->sending || side->end - side->first == SIDE_FRAMES) abort();
    struct side_frame *frame = &side->frames[side->end++ % SIDE_FRAMES];
    frame->bytes = malloc(size);
    frame->size = size;
    memcpy(frame->bytes, bytes, size);
    frame->count = count;
    for (uint32_t i = 0; i < count; i++) frame->descriptors[i] = descriptors[i];
    side->sending = true;
}

static inline void side_up(void *context, uint64_t remote_incarnation) {
    struct side *side = context;
    side->ups++;
    side->remote_incarnation = remote_incarnation;
}

static inline void side_lost(void *context, const char *why) {
    struct side *side = context;
    side->losses++;
    side->why = why;
}

static inline const uint8_t *side_definition(void *context, uint32_t index, size_t *size) {
    static uint8_t definitions[100 * 1024];
    struct side *side = context;
    *size = side->definition_size;
    definitions[0] = (uint8_t)index;
    return definitions;
}

static inline bool side_defined(void *context, uint32_t index, const uint8_t *bytes, size_t size) {
    struct side *side = context;
    side->definitions++;
    return size > 0 && bytes[0] == (uint8_t)index;
}

static inline enum troupe_status side_opened(void *context, uint32_t channel, struct tr_endpoint to,
                                             enum tr_delivery *delivery) {
    struct side *side = context;
    if (channel >= SIDE_CHANNELS || to.slot >= SIDE_NO_SLOT) return TROUPE_GONE;
    side->opens++;
    side->channels[channel] = (struct side_channel){ .open = true, .to = to };
    *delivery = to.slot % 2 == 0 ? TR_AT_MOST_ONCE : TR_AT_LEAST_ONCE;
    return TROUPE_OK;
}

static inline enum troupe_status side_deliver(void *context, uint32_t channel, uint64_t sequence,
                                              const struct tr_payload *payload) {
    struct side *side = context;
    struct side_channel *to = &side->channels[channel];
    if (!to->open || sequence != ++to->received) abort();
    if (payload->size > 0) side->payloads[side->delivered % 255] = (char)payload->bytes[0];
    side->delivered++;
    for (uint32_t i = 0; i < payload->descriptor_count; i++) {
        side->descriptors[side->descriptor_count++ % 256] = payload->descriptors[i];
        payload->descriptors[i] = -1;
    }
    if (payload->missing) return TROUPE_LIMIT;
    return payload->size > 0 && payload->bytes[0] == 'x' ? TROUPE_FULL : TROUPE_OK;
}

static inline uint64_t side_settled_count(void *context, uint32_t channel) {
    struct side *side = context;
    if (!side->channels[channel].open) abort();
    return side->channels[channel].settled;
}

static inline void side_closed(void *context, uint32_t channel) {
    struct side *side = context;
    if (!side->channels[channel].open) abort();
    side->channels[channel].open = false;
    side->closes++;
}

static inline void side_settled(void *context, struct tr_parcel *parcel, enum troupe_status status,
                                bool counted_there) {
    static const char *const names[] = {
#define SIDE_NAME(code, name, text) name,
        TROUPE_STATUS_LIST(SIDE_NAME)
#undef SIDE_NAME
    };
    struct side *side = context;
    size_t used = strlen(side->outcomes);
    side->settlements++;
    if (used + 32 < sizeof side->outcomes)
        snprintf(side->outcomes + used, sizeof side->outcomes - used, "%s%c=%s%s",
                 used > 0 ? " " : "", parcel->bytes[0], names[status], counted_there ? "!" : "");
    free((uint8_t *)(uintptr_t)parcel->bytes);
    free(parcel);
}

static inline enum tr_fate side_fate(void *context, uint32_t channel, uint64_t sequence) {
    struct side *side = context;
    (void)channel;
    return side->fates[sequence % 64];
}

static inline void side_timer(void *context, int64_t at) {
    struct side *side = context;
    side->timer = at;
}

/* Side 0 dials, side 1 listens. */
static inline struct tr_peer_options side_options(int number, uint64_t incarnation) {
    return (struct tr_peer_options){ .node = (uint64_t)number + 100,
                                     .incarnation = incarnation,
                                     .remote_node = 101 - (uint64_t)number,
                                     .dialer = number == 0,
                                     .nonce_seed = { incarnation, (uint64_t)number } };
}

static inline void side_start_with(struct side *side, const struct tr_peer_options *options,
                                   bool with_fate) {
    static const struct tr_peer_io io = {
        side_send,    side_up,            side_lost,   side_definition, side_defined, side_opened,
        side_deliver, side_settled_count, side_closed, side_settled,    side_fate,    side_timer
    };
    struct tr_peer_io mine = io;
    if (!with_fate) mine.fate = NULL;
    memset(side, 0, sizeof *side);
    side->definition_size = 3;
    side->timer = INT64_MAX;
    side->peer = tr_peer_new(options, &mine, side);
    if (side->peer == NULL) abort();
}

static inline void side_start(struct side *side, int number, uint64_t incarnation, bool with_fate) {
    struct tr_peer_options options = side_options(number, incarnation);
    side_start_with(side, &options, with_fate);
}

static inline void side_drop_frames(struct side *side) {
    while (side->first < side->end)
        free(side->frames[side->first++ % SIDE_FRAMES].bytes);
    side->sending = false;
}

static inline void side_stop(struct side *side) {
    tr_peer_abandon(side->peer, TROUPE_STOPPING);
    side_drop_frames(side);
    tr_peer_free(side->peer);
    side->peer = NULL;
}

static inline void side_connect(struct side *side, uint8_t token_byte, int64_t now) {
    uint8_t token[TR_PEER_TOKEN_SIZE] = { token_byte };
    side_drop_frames(side);
    side->sending = false;
    tr_peer_connected(side->peer, token, now);
}

/* The transport takes what the side has sent; false: there is nothing. */
static inline bool side_take(struct side *side, struct side_frame *frame, int64_t now) {
    *frame = (struct side_frame){ .bytes = NULL };
    if (side->first == side->end) return false;
    *frame = side->frames[side->first++ % SIDE_FRAMES];
    if (!side->sending) return true;
    side->sending = false;
    tr_peer_sent(side->peer, now);
    return true;
}

static inline bool side_pass(struct side *from, struct side *to, int64_t now) {
    struct side_frame frame;
    if (!side_take(from, &frame, now)) return false;
    tr_peer_frame_with(to->peer, frame.bytes, frame.size, frame.descriptors, frame.count, now);
    free(frame.bytes);
    return true;
}

/* Until neither has anything to say. */
static inline void sides_talk(struct side *a, struct side *b, int64_t now) {
    bool more = true;
    while (more) {
        more = side_pass(a, b, now);
        more = side_pass(b, a, now) || more;
    }
}

static inline void sides_connect(struct side *a, struct side *b, int64_t now) {
    tr_peer_disconnected(a->peer);
    tr_peer_disconnected(b->peer);
    side_connect(b, 7, now);
    side_connect(a, 7, now);
    sides_talk(a, b, now);
}

static inline struct tr_parcel *side_parcel(char name, uint32_t slot, size_t size) {
    struct tr_parcel *parcel = calloc(1, sizeof *parcel);
    uint8_t *bytes = calloc(1, size);
    if (parcel == NULL || bytes == NULL) abort();
    bytes[0] = (uint8_t)name;
    parcel->to = (struct tr_endpoint){ slot, 1 };
    parcel->bytes = bytes;
    parcel->size = (uint32_t)size;
    return parcel;
}

static inline void side_submit(struct side *side, const char *names, uint32_t slot) {
    for (; *names != '\0'; names++)
        tr_peer_submit(side->peer, side_parcel(*names, slot, 4));
}

/* The channel that the other side has opened to the slot; -1: none. */
static inline int side_channel_to(const struct side *side, uint32_t slot) {
    for (int i = 0; i < SIDE_CHANNELS; i++)
        if (side->channels[i].open && side->channels[i].to.slot == slot) return i;
    return -1;
}

static inline void side_settle(struct side *side, uint32_t slot, uint64_t count, int64_t now) {
    int channel = side_channel_to(side, slot);
    if (channel < 0) abort();
    side->channels[channel].settled += count;
    tr_peer_progress(side->peer, now);
}

static inline void side_inject(struct side *side, const struct tr_entry *entry, int64_t now) {
    struct tr_bytes out = { 0 };
    tr_frame_put(&out, entry);
    tr_peer_frame(side->peer, out.data, out.size, now);
    tr_bytes_free(&out);
}

#endif
