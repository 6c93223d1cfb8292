/* The parts of a lane: for the lane_*.c files only. */
#ifndef TR_LANE_PARTS_H
#define TR_LANE_PARTS_H

#include <stdlib.h>

#include "place/lane.h"
#include "services/tie.h"
#include "transport/socket.h"

enum tr_lane_event {
    TR_LANE_ATTACH,  /* data: struct tr_lane_offer */
    TR_LANE_REFUSED, /* number: of the offer */
    TR_LANE_DOWN,    /* number: the cause; data: struct tr_obituary, or NULL */
    TR_LANE_GONE,
    TR_LANE_LEAVE,   /* the node is about to end: behind all that its actors had sent by then */
    TR_LANE_UP,      /* number of the wire, as in the next three */
    TR_LANE_FRAME,   /* data: struct tr_wire_frame */
    TR_LANE_SENT,
    TR_LANE_LOST,
    TR_LANE_PROGRESS, /* messages that came by this lane were settled: the lane's own event */
};

/* A message packed for the other node, its bytes behind it or in `packed`: a link in the lane's mailbox, then a parcel of its peer. */
struct tr_lane_parcel {
    struct tr_link link;
    struct tr_parcel parcel;
    const struct troupe_message_type *type; /* NULL: an outcome */
    troupe_address from;
    uint64_t ask;
    int64_t deadline; /* of the ask */
    uint8_t flags;
    struct tr_packed *packed; /* of a message to many; NULL: none */
    struct tr_attachments *attachments; /* of its own; NULL: none */
};

struct tr_lane_wire; /* one connection of the lane: lane_wire.c */

struct tr_lane_refusal {
    struct tr_lane_refusal *next;
    uint64_t sequence;
    enum troupe_status status;
};

/* A channel from the other node. */
struct tr_lane_inbound {
    struct tr_inbound inbound;       /* first: cast from it */
    struct tr_lane_driver *lane;
    struct tr_lane_inbound *next;    /* of those with unreported messages */
    struct tr_endpoint to;
    struct tr_lane_ledger *ledger;   /* keeps it mapped */
    uint64_t received;               /* delivered into the mailbox */
    uint64_t reported;               /* settled, and told to the peer */
    struct tr_ledger_half *half;     /* of the ledger */
    uint64_t last_dead;              /* whoever settles: the last that was marked; 0: none */
    _Atomic(struct tr_lane_refusal *) refusals;
    bool closed;                     /* its channel is: nobody is told any more */
};

/* A mapped ledger: of the lane, and of the channels that still settle into it. The cell's only. */
struct tr_lane_ledger {
    struct tr_ledger *memory;
    uint64_t number;
    uint32_t references;
    bool shared;             /* with the other node: it tells the fate of messages */
};

/* A request on its way or under way over there. */
struct tr_lane_ask {
    struct tr_lane_ask *next;
    troupe_address from;
    uint64_t ask;
    int64_t deadline;
    bool handed_over; /* its parcel is settled: only the reply is missing */
};

enum { TR_LANE_ASK_BUCKETS = 1024, TR_CREDIT_SEGMENTS = 20, TR_CREDIT_FIRST = 64 };

struct tr_credit {
    _Atomic uint32_t unsettled; /* bounded messages on the way to this slot */
    _Atomic bool waiters;
};

struct tr_lane_driver {
    struct tr_route route; /* first: core casts it */
    struct tr_node *node;
    struct tr_cell *cell;
    struct tr_lane_host host;
    struct tr_peer *peer;
    bool carries;                    /* descriptors can go along: the other node is in another process here */
    /* senders' */
    _Atomic(struct tr_credit *) credits[TR_CREDIT_SEGMENTS]; /* by slot over there */
    struct tr_waiters waiters;
    _Atomic bool gone;               /* the other node is stopped for good */
    _Atomic bool settled;            /* nothing that came before TR_LANE_LEAVE is unsettled */
    _Atomic uint32_t down;           /* its end was told, and not taken up yet: the cause + 1; 0: no */
    _Atomic uint32_t progress;       /* settled since the lane last looked */
    _Atomic bool progress_told;
    bool told_to_leave;              /* the host's */
    /* the cell's */
    struct tr_worker *worker;        /* that runs it now */
    struct tr_lane_wire *wire;       /* the present one */
    uint64_t wires;                  /* how many were made: their numbers */
    struct tr_lane_offer offer;      /* the present one; its number 0: none */
    bool asked;                      /* the host was asked for a connection */
    bool leaving;                    /* TR_LANE_LEAVE has come */
    bool closing;                    /* the node is halted */
    bool goes;                       /* the other node is gone, once it is buried */
    struct tr_parcel *waiting, *last_waiting; /* sent while `died` */
    uint64_t known;                  /* the number of the last offer that was told of */
    bool lost;                       /* the peer is done with the present wire */
    bool sent;                       /* the wire has taken the peer's last frame, which is not told of it yet */
    bool died;                       /* the other node: to be taken up when its last frames are read */
    enum tr_cause cause;             /* of its end */
    struct tr_obituary *death;       /* the last of it, as it was told; NULL: none, or no memory */
    int64_t died_by;                 /* ... or at this time */
    int64_t retry_at;                /* when to ask for a connection again; 0: no need */
    struct tr_lane_ledger *ledger;   /* NULL: none */
    struct tr_lane_inbound *inbounds[TR_PEER_CHANNELS]; /* by channel */
    struct tr_lane_inbound *active;  /* with messages that are not reported yet */
    struct tr_event progress_event;
    const struct troupe_message_type **types; /* the other node's definitions, as known here */
    uint8_t *type_status;            /* OK, UNHANDLED (not known here), INCOMPATIBLE */
    uint32_t type_count;
    struct tr_lane_ask *asks[TR_LANE_ASK_BUCKETS];
    uint32_t ask_count, ask_sweep;   /* how many; at how many to look for forgotten ones */
    uint64_t alarm;                  /* id; 0: none */
    int64_t alarm_at, tick_at;       /* set for; when the peer wants a tick */
};

/* The half of the ledger that we read (outgoing), or write. */
struct tr_ledger_half *tr_lane_half(struct tr_lane_driver *lane, bool outgoing);

/* Of tr_peer_io: lane_inbound.c. */
bool tr_lane_defined(void *context, uint32_t index, const uint8_t *bytes, size_t size);
enum troupe_status tr_lane_opened(void *context, uint32_t channel, struct tr_endpoint to,
                                  enum tr_delivery *delivery);
void tr_lane_closed(void *context, uint32_t channel);
uint64_t tr_lane_settled_count(void *context, uint32_t channel);
enum troupe_status tr_lane_deliver(void *context, uint32_t channel, uint64_t sequence,
                                   const struct tr_payload *payload);

/* ---- lane_wire.c: by the lane's cell. A wire is a socket of this machine, or one of transport/wire.h, which posts
 * events. ---- */

/* By the present offer, whose descriptor it takes in any case. False: `error`; lane->wire is as before. */
bool tr_lane_wire_open(struct tr_lane_driver *lane, char *error, size_t size);
void tr_lane_wire_close(struct tr_lane_wire *wire);
/* Connected from the beginning; else TR_LANE_UP will say so. */
bool tr_lane_wire_is_up(const struct tr_lane_wire *wire);
uint64_t tr_lane_wire_number(const struct tr_lane_wire *wire);
/* True: it has left. Else TR_LANE_SENT says when, or tr_lane_wire_flush, or the wire is lost. */
bool tr_lane_wire_send(struct tr_lane_wire *wire, const uint8_t *frame, size_t size, const int *descriptors,
                       uint32_t count);
/* True: the frame for which it was false has left now. */
bool tr_lane_wire_flush(struct tr_lane_wire *wire);
bool tr_lane_wire_is_late(const struct tr_lane_wire *wire);
/* TR_LANE_FRAME was handled. */
void tr_lane_wire_next(struct tr_lane_wire *wire);
/* A link of kind TR_LINK_SOURCE: true if it is of the present socket. */
bool tr_lane_wire_ready(struct tr_lane_driver *lane, struct tr_link *link);
enum tr_socket_result tr_lane_wire_receive(struct tr_lane_wire *wire, struct tr_socket_frame *frame);
/* There may be more to receive. */
void tr_lane_wire_again(struct tr_lane_wire *wire, struct tr_worker *worker);

/* ---- lane.c ---- */

/* Any thread. */
void tr_lane_post(struct tr_lane_driver *lane, enum tr_lane_event code, uint64_t number, void *data);
void tr_lane_offer_drop(const struct tr_lane_offer *offer);

static inline void tr_lane_knows(struct tr_lane_driver *lane, uint64_t number) {
    if (number > lane->known) lane->known = number;
}

extern const struct tr_route_methods tr_lane_methods;
extern const struct tr_peer_io tr_lane_io;
extern const struct tr_native tr_lane_native;

static inline struct tr_lane_driver *tr_lane_of_route(struct tr_route *route) {
    return (struct tr_lane_driver *)(void *)route;
}

static inline struct tr_lane_parcel *tr_lane_parcel_of(struct tr_parcel *parcel) {
    return (struct tr_lane_parcel *)(void *)((char *)parcel - offsetof(struct tr_lane_parcel, parcel));
}

static inline void tr_lane_parcel_free(struct tr_lane_parcel *parcel) {
    tr_packed_drop(parcel->packed);
    tr_attachments_free(parcel->attachments);
    free(parcel);
}

/* NULL: no memory, or a slot that no node has. Any thread. */
struct tr_credit *tr_lane_credit(struct tr_lane_driver *lane, uint32_t slot, bool make);
/* The parcel is settled: room for another. */
void tr_lane_give_back(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel);

/* Asks that are outstanding over there. */
void tr_lane_ask_add(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel);
/* Its request is settled: `over`, and no reply will come; else only the reply is missing. */
void tr_lane_ask_settled(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel, bool over);
void tr_lane_ask_replied(struct tr_lane_driver *lane, troupe_address to, uint64_t ask);
/* The other node died: those who only waited for a reply are told. */
void tr_lane_asks_died(struct tr_lane_driver *lane);
void tr_lane_asks_free(struct tr_lane_driver *lane);

/* Messages that came by the lane and were settled: told to the peer. True: there were some. */
bool tr_lane_report(struct tr_lane_driver *lane);
void tr_lane_inbounds_free(struct tr_lane_driver *lane);

void tr_lane_ledger_drop(struct tr_lane_ledger *ledger);

#endif
