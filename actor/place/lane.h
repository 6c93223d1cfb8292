/*
 * A lane: the way from one node of this process to another node, here or elsewhere. It drives the peer
 * protocol over a wire, and is the route by which core sends.
 *
 * Who runs what: senders pack their message on their own worker, take credit, and push the parcel into
 * the mailbox of the lane's cell (lane_send.c). All else happens in that cell: the peer machine, frames
 * in and out, acks (lane.c, lane_inbound.c, lane_ask.c), and the socket to a process of this machine (lane_wire.c). The
 * threads of other wires and the host only push events to it.
 */
#ifndef TR_LANE_H
#define TR_LANE_H

#include "core/alarm.h"
#include "core/waiters.h"
#include "place/control.h"
#include "place/ledger.h"
#include "transport/wire.h"

struct tr_lane_driver;

/* What a lane asks of the host: any thread. */
struct tr_lane_host {
    /* A lane from `node` to `peer` is needed, a newer one than `known`: tr_lane_attach follows, or tr_lane_down, or _gone. */
    void (*connect)(void *host, uint64_t node, uint64_t peer, uint64_t known);
    /* The wire is bound (`url`), or could not be (`error`, url NULL). */
    void (*listening)(void *host, uint64_t lane, const char *url, const char *error);
    void *host;
};

/* What the keeper arranged. */
struct tr_lane_offer {
    uint64_t lane;            /* number */
    bool listen;
    int socket;               /* connected already, the lane's from now on; -1: none, but ... */
    char url[96];             /* ... to be listened on, or dialled */
    uint8_t token[TR_PEER_TOKEN_SIZE];
    uint64_t ledger;          /* number: one for each pair of incarnations */
    struct tr_ledger *memory; /* mapped by the caller; the lane's from now on. NULL: no ledger */
};

/* NULL: no memory. Adds itself to the routes of the node. Called by the host's thread, as all below. `carries`: all its
 * connections will be sockets of this machine, by which descriptors can go along. */
struct tr_lane_driver *tr_lane_new(struct tr_node *node, uint64_t peer, uint64_t incarnation, bool carries,
                                   const struct tr_lane_host *host);
/* The node is about to end. True once all is settled that was sent before the first call: ask again. */
bool tr_lane_leave(struct tr_lane_driver *lane);
/* When the workers of the node are halted: cuts the connection and settles everything; from here on
 * sends are refused. */
void tr_lane_close(struct tr_lane_driver *lane);
/* When the node is drained. */
void tr_lane_free(struct tr_lane_driver *lane);

/* Try this connection. Takes the offer's memory and socket. */
void tr_lane_attach(struct tr_lane_driver *lane, const struct tr_lane_offer *offer);
/* This offer is off (0: any): if a lane is still needed, ask again. */
void tr_lane_refused(struct tr_lane_driver *lane, uint64_t number);
/* The other node's incarnation is over. If it crashed, what it was handling is to blame; if it stopped in
 * order, what waited there is gone, not lost by a death. */
void tr_lane_down(struct tr_lane_driver *lane, enum tr_cause cause, const struct troupe_death *death);
/* It will not come back unless it is started again: what waits becomes dead letters. */
void tr_lane_gone(struct tr_lane_driver *lane);
/* A supervisor has started it again: gone no longer. Any thread. */
void tr_lane_wanted(struct tr_lane_driver *lane);

#endif
