/*
 * The wire format: a frame is a row of entries, an entry is a msgpack array whose first item is its
 * kind. What each entry means is the peer's business and in docs/wire.md; here are only its bytes.
 */
#ifndef TR_FRAME_H
#define TR_FRAME_H

#include <troupe/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "transport/peer.h"
#include "transport/proof.h"

enum { TR_FRAME_NONCE_SIZE = 16 };

/* The numbers are the protocol's: never change one. */
enum tr_entry_kind {
    TR_ENTRY_HELLO,      /* the dialer speaks first */
    TR_ENTRY_WELCOME,    /* the listener's hello, with its proof */
    TR_ENTRY_PROOF,      /* the dialer's proof */
    TR_ENTRY_RESUME,     /* what was received on a channel before */
    TR_ENTRY_RESUMED,    /* no more of those */
    TR_ENTRY_DEFINITION, /* the sender's next definition */
    TR_ENTRY_OPEN,       /* binds a channel of the sender's to an endpoint of the receiver's */
    TR_ENTRY_ACCEPT,     /* the endpoint is there */
    TR_ENTRY_REFUSE,     /* the endpoint is not there, or no longer: takes nothing beyond count */
    TR_ENTRY_DATA,       /* one payload */
    TR_ENTRY_ACK,        /* so many are settled */
    TR_ENTRY_DEAD,       /* this one became a dead letter; those before it are settled */
    TR_ENTRY_CLOSE,      /* the sender is done with the channel */
    TR_ENTRY_CLOSED,     /* so is the receiver: its number is free */
    TR_ENTRY_BEAT,       /* still here */
    TR_ENTRY_DATA_WITH,  /* one payload, with the next descriptors of its frame; from version 2 on */
    TR_ENTRY_KINDS
};

struct tr_hello {
    uint32_t oldest, newest; /* protocol versions spoken */
    uint64_t node, incarnation;
    uint64_t remote_node; /* whom the speaker expects */
    uint8_t nonce[TR_FRAME_NONCE_SIZE];
};

/* Which fields count depends on the kind: see the table in frame.c. */
struct tr_entry {
    enum tr_entry_kind kind;
    uint32_t channel;
    uint64_t count; /* messages, or the number of one; descriptors */
    struct tr_endpoint to;
    enum tr_delivery delivery;
    enum troupe_status status;
    const uint8_t *bytes; /* read: within the frame */
    uint32_t size;
    uint8_t proof[TR_PROOF_SIZE];
    struct tr_hello hello;
};

enum {
    TR_FRAME_ENTRY_ROOM = 32, /* more than any entry takes beyond its `bytes`, greetings aside */
    TR_FRAME_GREETING_ROOM = 256, /* more than any greeting takes */
    TR_FRAME_MAX = TR_PEER_MAX_PAYLOAD + TR_FRAME_ENTRY_ROOM /* no valid frame is larger */
};

void tr_frame_put(struct tr_bytes *out, const struct tr_entry *entry);
/* Reads one entry; call while bytes are left. False: the cursor's error says why. */
bool tr_frame_next(struct tr_cursor *cursor, struct tr_entry *entry);
const char *tr_entry_name(enum tr_entry_kind kind);

/* What a proof is made over: the role, then both hellos, in a layout of fixed size. */
enum { TR_FRAME_TRANSCRIPT_SIZE = 1 + 2 * (2 * 4 + 3 * 8 + TR_FRAME_NONCE_SIZE) };
void tr_frame_transcript(bool of_dialer, const struct tr_hello *dialer,
                         const struct tr_hello *listener,
                         uint8_t transcript[TR_FRAME_TRANSCRIPT_SIZE]);

#endif
