/*
 * The peer protocol: what two nodes say to each other. Pure: events in, actions out through a table
 * of callbacks; no I/O, no clock, no thread. The lane driver, the simulator and the fuzzer drive
 * this code.
 *
 * See docs/wire.md for the bytes and the rules; the essay is in peer.c.
 */
#ifndef TR_PEER_H
#define TR_PEER_H

#include <troupe/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tr_peer;

/* A numbered endpoint of the other node. What lives there is not transport's business. */
struct tr_endpoint {
    uint32_t slot;
    uint32_t generation;
};

/* One payload on its way to an endpoint. The caller allocates it and fills `to`, `bytes`, `size`,
 * `definitions`, and `descriptors` with their count, if it has any; from tr_peer_submit on it belongs to the peer, until it is handed back, exactly
 * once, through io->settled. */
struct tr_parcel {
    struct tr_parcel *next; /* the peer's */
    struct tr_endpoint to;
    uint32_t definitions;   /* how many of this node's definitions the payload relies on */
    uint32_t size;
    const uint8_t *bytes;
    const int *descriptors; /* that go along, each time that it is transmitted; the caller's to close in the end */
    uint32_t descriptor_count;
    uint64_t sequence;      /* the peer's: its number on its channel, from 1 */
    uint32_t attempts;      /* the peer's: runs that it may have brought down */
    bool once;              /* never reaches a second incarnation, whatever is wanted */
    bool mortal;            /* only for the present incarnation: dies with it, transmitted or not */
};

/* One payload that has come. */
struct tr_payload {
    const uint8_t *bytes;
    size_t size;
    int *descriptors;       /* that came along: who takes one puts -1 in its place */
    uint32_t descriptor_count;
    bool missing;           /* there were more, which did not arrive */
};

/* What became of a message that was transmitted to a node that died: read from the ledger. */
enum tr_fate { TR_FATE_UNHANDLED, TR_FATE_HANDLED, TR_FATE_DEAD, TR_FATE_IN_DOUBT };

/* How the receiver of a channel wants its messages after a death. */
enum tr_delivery { TR_AT_MOST_ONCE, TR_AT_LEAST_ONCE };

enum {
    TR_PEER_TOKEN_SIZE = 32,
    TR_PEER_WINDOW = 1024,           /* unsettled messages on one channel, at most */
    TR_PEER_CHANNELS = 65536,        /* open channels in one direction, at most */
    TR_PEER_MAX_FRAME = 64 * 1024,   /* frames are filled to about this */
    TR_PEER_MAX_PAYLOAD = 16 * 1024 * 1024 + 1024, /* large ones travel alone, up to this */
    TR_PEER_DEFINITIONS = 65536,     /* definitions of one node, at most */
    TR_PEER_DESCRIPTORS = 32,        /* of one payload, at most */
    TR_PEER_FRAME_DESCRIPTORS = 64,  /* of one frame, at most: the kernel passes 253 */
    TR_PEER_POISON_LIMIT = 3
};

struct tr_peer_options {
    uint64_t node, incarnation;      /* ours */
    uint64_t remote_node;            /* whom we expect */
    bool dialer;                     /* we say hello first */
    uint8_t token[TR_PEER_TOKEN_SIZE]; /* both sides know it; proved, never sent */
    uint64_t nonce_seed[2];          /* unpredictable */
    int64_t heartbeat;               /* ns of silence before we say something; 0: 1 s */
    int64_t patience;                /* ns of silence before the connection is lost; 0: 5 s */
    int64_t ack_delay;               /* ns that a settled message may wait for its ack; 0: 5 ms */
};

/* Actions. Called from within the tr_peer_ functions, never afterwards; none may call back into the
 * same peer. `context` is tr_peer_new's. */
struct tr_peer_io {
    /* Send these bytes, and duplicates of these descriptors with them. One frame at a time: the next only after
     * tr_peer_sent. Both are valid during the call. */
    void (*send)(void *context, const uint8_t *frame, size_t size, const int *descriptors, uint32_t count);
    /* The handshake is done / the connection is of no use any more: close it. `why` is static
     * text. Told once for each tr_peer_connected at most; the peer is disconnected by then. */
    void (*up)(void *context, uint64_t remote_incarnation);
    void (*lost)(void *context, const char *why);
    /* The i-th definition of this node (opaque bytes, dense from 0), valid until the peer is
     * freed. */
    const uint8_t *(*definition)(void *context, uint32_t index, size_t *size);
    /* The other node's i-th definition. False: unusable; the reason is logged by the driver. */
    bool (*defined)(void *context, uint32_t index, const uint8_t *bytes, size_t size);
    /* The other node opens a channel to a local endpoint: is it there, and what does it want?
     * A status other than TROUPE_OK refuses, and closes the channel. */
    enum troupe_status (*opened)(void *context, uint32_t channel, struct tr_endpoint to,
                                 enum tr_delivery *delivery);
    /* A payload for the endpoint of an open channel. A status other than TROUPE_OK: it became a
     * dead letter here, for that reason; it is reported to its sender. The driver counts it when it
     * settles, not before: until then a death of this node makes it one of the sender's. */
    enum troupe_status (*deliver)(void *context, uint32_t channel, uint64_t sequence,
                                  const struct tr_payload *payload);
    /* How many messages of the channel are settled here (handled or dead), in order from 1; counts
     * those refused by `deliver` too, once those before them are settled. Called until `closed`. */
    uint64_t (*settled_count)(void *context, uint32_t channel);
    /* A channel of the other node's is closed: forget it. Its messages may still be under way here
     * (the other node is dead); they are not reported to anybody. */
    void (*closed)(void *context, uint32_t channel);
    /* The parcel is the caller's again. OK: it was handled there. Another status with
     * `counted_there`: it became a dead letter over there; else it becomes one here (or
     * IN_DOUBT). */
    void (*settled)(void *context, struct tr_parcel *parcel, enum troupe_status status,
                    bool counted_there);
    /* Within tr_peer_died: what became of a transmitted message, DEAD if it became a dead letter
     * over there. NULL: all are in doubt, and of each channel only the oldest is suspected of the
     * crash. */
    enum tr_fate (*fate)(void *context, uint32_t channel, uint64_t sequence);
    /* Call tr_peer_tick at this time (the earliest asked for counts; INT64_MAX: none). */
    void (*timer)(void *context, int64_t at);
};

/* NULL: no memory. Starts disconnected. */
struct tr_peer *tr_peer_new(const struct tr_peer_options *options, const struct tr_peer_io *io,
                            void *context);
/* Settles nothing: call tr_peer_abandon first. */
void tr_peer_free(struct tr_peer *peer);

/* Takes the parcel. It waits while there is no connection, or no room in the window. What can never
 * leave is handed back at once: TOO_BIG, LIMIT (channels), NO_MEMORY. INCOMPATIBLE, later: it has descriptors, and the
 * other side speaks a version of the protocol that knows of none. */
void tr_peer_submit(struct tr_peer *peer, struct tr_parcel *parcel);
/* Builds and sends a frame if there is anything to send and the transport is free. */
void tr_peer_flush(struct tr_peer *peer, int64_t now);
/* The transport has taken the last frame. */
void tr_peer_sent(struct tr_peer *peer, int64_t now);
/* Which side says hello on the next connection, where that is not always the same. Only while
 * there is none. */
void tr_peer_set_dialer(struct tr_peer *peer, bool dialer);
/* The end of the next connection is told by what carries it, whatever becomes of the other side: once it is up nobody
 * has to say that he is still here, and silence means nothing. Only while there is none. */
void tr_peer_set_told(struct tr_peer *peer, bool told);
/* A fresh connection (the token may be new) / it is gone (nothing if it is already lost). After
 * `lost`, events of the old connection are not to be passed on. */
void tr_peer_connected(struct tr_peer *peer, const uint8_t token[TR_PEER_TOKEN_SIZE], int64_t now);
void tr_peer_disconnected(struct tr_peer *peer);
/* A frame of the present connection. Hostile until checked: whatever is wrong with it ends in
 * `lost`. */
void tr_peer_frame(struct tr_peer *peer, const uint8_t *frame, size_t size, int64_t now);
/* The same with the descriptors that came along: some may be missing at the end, but none more than the frame says.
 * The list stays the caller's, who closes what is left in it (not -1) afterwards. */
void tr_peer_frame_with(struct tr_peer *peer, const uint8_t *frame, size_t size, int *descriptors, uint32_t count,
                        int64_t now);
void tr_peer_tick(struct tr_peer *peer, int64_t now);
/* Some messages were settled locally: an ack may be due (it is sent with the next frame, or after
 * ack_delay, or at once when the window of a channel is half used up). */
void tr_peer_progress(struct tr_peer *peer, int64_t now);
/* One message of an inbound channel became a dead letter after it had been delivered: before
 * settled_count covers it, and not after `closed`. */
void tr_peer_refused(struct tr_peer *peer, uint32_t channel, uint64_t sequence,
                     enum troupe_status reason);
/* A local endpoint is gone for good: no more of its messages are taken; those that were taken still
 * settle. */
void tr_peer_endpoint_gone(struct tr_peer *peer, struct tr_endpoint endpoint);
/* The other node's incarnation is dead; a higher one may follow. A connection that is left is lost.
 * Closes the channels of both sides. Settles what was transmitted by `fate` and
 * each channel's delivery: handled; dead: NODE_DIED, counted there; unhandled: NODE_DIED, or kept
 * for the next incarnation; in doubt: IN_DOUBT, or kept, with one more attempt when `crashed` (it
 * died by itself), POISON past the limit. */
void tr_peer_died(struct tr_peer *peer, bool crashed);
/* Settles everything with this status, loses the connection, and closes the channels; the other
 * incarnation counts as dead. For a node that will not come back, and before tr_peer_free. */
void tr_peer_abandon(struct tr_peer *peer, enum troupe_status status);
/* Parcels that the peer holds. */
uint64_t tr_peer_held(const struct tr_peer *peer);
/* True once connected and shaken hands. */
bool tr_peer_is_up(const struct tr_peer *peer);

#endif
