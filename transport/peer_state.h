/*
 * What the files of the peer share; nobody else includes this. The essay is in peer.c.
 *
 *   peer.c          life cycle, connection, timers
 *   peer_greet.c    the handshake, and what was received before
 *   peer_send.c     channels out, frames out
 *   peer_settle.c   what became of parcels: acks, dead letters, refusals, deaths
 *   peer_inbound.c  channels in
 *   peer_acks.c     acks owed
 *   peer_receive.c  frames in
 */
#ifndef TR_PEER_STATE_H
#define TR_PEER_STATE_H

#include "base/bytes.h"
#include "transport/endpoints.h"
#include "transport/frame.h"
#include "transport/peer.h"

enum { TR_PEER_VERSION_OLDEST = 1, TR_PEER_VERSION_NEWEST = 2 };
/* From this one on, payloads may have descriptors. */
enum { TR_PEER_VERSION_DESCRIPTORS = 2 };

/* A connection. Every state leads back to DISCONNECTED; the table of moves is in peer.c. */
enum tr_peer_phase {
    TR_PEER_DISCONNECTED,
    TR_PEER_GREETING, /* waits for hello (listener) or welcome (dialer) */
    TR_PEER_PROVING,  /* listener: waits for the dialer's proof */
    TR_PEER_RESUMING, /* the other side is who it should be, and says what it has received */
    TR_PEER_UP,
    TR_PEER_PHASES
};

/* A channel of ours. The table of moves is in peer_send.c. */
enum tr_outbound_state {
    TR_OUTBOUND_FREE,
    TR_OUTBOUND_OPENING, /* waits for accept or refuse; no payload leaves yet */
    TR_OUTBOUND_OPEN,
    TR_OUTBOUND_REFUSED, /* takes nothing more; `sent` of its messages are there, not all settled */
    TR_OUTBOUND_CLOSING, /* all settled; waits for closed */
    TR_OUTBOUND_STATES
};

/* A channel of the other side's. The table of moves is in peer_inbound.c. */
enum tr_inbound_state {
    TR_INBOUND_FREE,
    TR_INBOUND_OPEN,
    TR_INBOUND_REFUSED, /* takes nothing more; until the other side closes it */
    TR_INBOUND_CLOSED,  /* forgotten, but for saying so */
    TR_INBOUND_STATES
};

/* First in, first out; a link is in its list at most once. */
struct tr_link {
    struct tr_link *next;
    void *owner;
    bool queued;
};

struct tr_links {
    struct tr_link *first, *last;
    uint32_t count;
};

void tr_links_push(struct tr_links *links, struct tr_link *link); /* nothing if it is queued */
void *tr_links_pop(struct tr_links *links);                       /* its owner; NULL: empty */
void tr_links_clear(struct tr_links *links);

struct tr_outbound {
    struct tr_link todo; /* in peer->todo while it may have something to send */
    uint32_t number;
    enum tr_outbound_state state;
    bool announced; /* OPENING: open is under way; CLOSING: close is */
    bool mentioned; /* RESUMING: the other side knows it */
    enum tr_delivery delivery;
    struct tr_endpoint to;
    uint64_t sent, settled;          /* messages, counted from the opening */
    struct tr_parcel *first, *last;  /* all that are not settled, in order */
    struct tr_parcel *unsent;        /* from here on not transmitted */
};

struct tr_inbound {
    struct tr_link answer; /* in peer->answers while it has something to say */
    struct tr_link busy;   /* in peer->busy while not all is settled and reported */
    uint32_t number;
    enum tr_inbound_state state;
    bool known; /* to the driver: opened, and not yet closed */
    bool accept_due, refuse_due;
    enum tr_delivery delivery;
    enum troupe_status refusal;
    struct tr_endpoint to;
    uint64_t received;
    uint64_t reported; /* settled, and said so */
    uint64_t told;     /* the same on this connection: less where it must be said again */
    uint32_t dead_count;
    uint8_t *dead; /* the last TR_PEER_WINDOW messages: why each is a dead letter, or 0 */
};

struct tr_peer {
    struct tr_peer_options options;
    struct tr_peer_io io;
    void *context;
    enum tr_peer_phase phase;

    /* the other node */
    bool remote_known, remote_dead; /* ever proved to be there; and since then declared dead */
    uint64_t remote_incarnation;    /* the last one that proved itself */

    /* this connection */
    struct tr_hello mine, theirs;
    uint64_t connections; /* made so far: each has a nonce of its own */
    enum tr_entry_kind greeting; /* what to say next in the handshake; TR_ENTRY_KINDS: nothing */
    bool listing;         /* our list of what was received is not yet said to its end */
    uint32_t listed;      /* channels in that were looked at for it */
    bool in_flight;       /* a frame is with the transport */
    bool large_first;     /* the next frame begins with a payload that must travel alone */
    bool beat_due, acks_due;
    bool told; /* no beats: see tr_peer_set_told */
    bool progressed;      /* something may have been settled since all of `busy` was looked at */
    uint32_t definitions_sent, definitions_received;
    int64_t now, heard_at, beat_at, ack_at; /* ack_at: INT64_MAX while no ack waits */
    int64_t asked_at;     /* when tick was asked for; INT64_MAX: it was not */
    struct tr_bytes out;
    int out_descriptors[TR_PEER_FRAME_DESCRIPTORS];
    uint32_t out_count;   /* of these, that go with `out` */
    int *in_descriptors;  /* of the frame at hand, that no payload has had yet */
    uint32_t in_count;

    /* channels out */
    struct tr_outbound **outbound; /* by number; kept for reuse until the peer is freed */
    uint32_t outbound_count, outbound_room;
    uint32_t *free_numbers;        /* as much room as `outbound` */
    uint32_t free_count;
    struct tr_endpoints outbound_by_endpoint; /* those that take parcels */
    struct tr_links todo;
    uint64_t held;

    /* channels in */
    struct tr_inbound **inbound; /* by number, NULL where there never was one */
    uint32_t inbound_room;
    struct tr_endpoints inbound_by_endpoint; /* the open ones */
    struct tr_links answers, busy;
};

/* peer.c */
void tr_peer_move(struct tr_peer *peer, enum tr_peer_phase to);
void tr_peer_lose(struct tr_peer *peer, const char *why);
void tr_peer_arm(struct tr_peer *peer);

/* Entry handlers return NULL, or what is wrong with the entry. */
typedef const char *tr_peer_take(struct tr_peer *peer, const struct tr_entry *entry);

/* Both sides speak of descriptors. */
bool tr_peer_knows_descriptors(const struct tr_peer *peer);

/* peer_greet.c */
void tr_peer_greet(struct tr_peer *peer);
void tr_peer_put_greeting(struct tr_peer *peer);
void tr_peer_put_list(struct tr_peer *peer);
tr_peer_take tr_peer_take_hello, tr_peer_take_welcome, tr_peer_take_proof, tr_peer_take_resume,
    tr_peer_take_resumed;

/* peer_send.c */
void tr_outbound_move(struct tr_outbound *channel, enum tr_outbound_state to);
/* Puts the channel on the todo list if it has something to say. */
void tr_outbound_wake(struct tr_peer *peer, struct tr_outbound *channel);
/* The channel takes no more parcels: the next one for its endpoint opens another. */
void tr_outbound_unbind(struct tr_peer *peer, struct tr_outbound *channel);
/* It is empty: its number may be used again. */
void tr_outbound_release(struct tr_peer *peer, struct tr_outbound *channel);
bool tr_peer_fits(struct tr_peer *peer, size_t size);

/* peer_settle.c */
/* The other incarnation is dead, or forgotten. with_fate: ask io->fate. */
void tr_peer_bury(struct tr_peer *peer, bool crashed, bool with_fate);
/* Takes the next one off the channel that was not transmitted, and hands it back. */
void tr_peer_give_up_next(struct tr_peer *peer, struct tr_outbound *channel, enum troupe_status status);
/* Hands all parcels from `parcel` on back. */
void tr_peer_settle_chain(struct tr_peer *peer, struct tr_parcel *parcel,
                          enum troupe_status status);
tr_peer_take tr_peer_take_accept, tr_peer_take_refuse, tr_peer_take_ack, tr_peer_take_dead,
    tr_peer_take_closed;

/* peer_inbound.c */
struct tr_inbound *tr_inbound_find(const struct tr_peer *peer, uint32_t number); /* NULL: none */
void tr_inbound_release(struct tr_inbound *channel);
void tr_peer_forget_inbound(struct tr_peer *peer);
void tr_peer_put_answers(struct tr_peer *peer);
tr_peer_take tr_peer_take_open, tr_peer_take_close;

/* peer_acks.c */
void tr_inbound_set_dead(struct tr_inbound *channel, uint64_t sequence, uint8_t why);
void tr_peer_resume_inbound(struct tr_peer *peer);
void tr_peer_put_acks(struct tr_peer *peer);

#endif
