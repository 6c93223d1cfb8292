/*
 * Routes: from a node id to the way there. The one seam between core, services and transport: core
 * knows only that some other nodes can be handed a message.
 */
#ifndef TR_ROUTE_H
#define TR_ROUTE_H

#include <stdlib.h>
#include <troupe/actor.h>

#include "core/message.h"

struct tr_worker;
struct tr_route;

/* A message on its way out, not yet copied. */
struct tr_outgoing {
    troupe_address to, from;
    const struct troupe_message_type *type; /* NULL: an outcome */
    const void *body;
    uint64_t ask;
    int64_t deadline; /* of an ask */
    uint8_t flags;  /* TR_MESSAGE_... */
    uint8_t status; /* of an outcome */
    bool told;      /* to many: the log says already what is wrong with it */
    bool lossy;     /* published: whoever is full or does not handle it has a dead letter; nobody is refused */
    struct tr_packed *packed; /* NULL: to this receiver alone */
};

/* The payload of a message to many: the same for each, on whichever node. The first lane that has to, packs
 * it; parcels refer to it. */
struct tr_packed {
    _Atomic uint64_t references; /* the sender's, and a parcel's each */
    struct tr_bytes bytes;       /* empty: not packed yet; the sender's thread alone writes */
    struct tr_attachments *attachments; /* NULL: none */
};

static inline void tr_packed_drop(struct tr_packed *packed) {
    if (packed == NULL || atomic_fetch_sub_explicit(&packed->references, 1, memory_order_acq_rel) > 1)
        return;
    tr_bytes_free(&packed->bytes);
    tr_attachments_free(packed->attachments);
    free(packed);
}

/* The driver of a lane implements these. */
struct tr_route_methods {
    /* Takes a copy or refuses, with the codes of troupe_send. Any thread; `worker` may be NULL. */
    enum troupe_status (*send)(struct tr_route *route, struct tr_worker *worker,
                               const struct tr_outgoing *outgoing);
    /* An actor may be refused with FULL: it wants troupe_ready. */
    void (*want_ready)(struct tr_route *route, struct tr_worker *worker, troupe_address to,
                       troupe_address who);
    /* Ends a cell over there: reliable, never refused but by UNREACHABLE. */
    enum troupe_status (*stop)(struct tr_route *route, struct tr_worker *worker, troupe_address to,
                               troupe_address by);
};

struct tr_route {
    const struct tr_route_methods *methods;
    uint64_t node;
};

/* A channel by which messages come in from another node. Lives while any of them does. */
struct tr_inbound {
    _Atomic uint64_t *settled;  /* in the ledger: how many of the channel's messages are settled */
    _Atomic uint64_t *current;  /* in the ledger, by worker: channel << 40 | sequence being handled */
    uint64_t node;              /* the other one */
    uint32_t channel;
    _Atomic uint32_t users;     /* messages that refer to it */
    /* The next message in order is settled: handled (OK) or a dead letter. Raises `settled`. Called by
     * the worker that runs the cell; quick. */
    void (*settle)(struct tr_inbound *inbound, struct tr_worker *worker, enum troupe_status status);
};

/* A message that came by it is freed: the last touch. */
static inline void tr_inbound_release(struct tr_inbound *inbound) {
    atomic_fetch_sub_explicit(&inbound->users, 1, memory_order_release);
}

static inline void tr_inbound_settle(struct tr_inbound *inbound, struct tr_worker *worker,
                                     enum troupe_status status) {
    inbound->settle(inbound, worker, status);
}

enum { TR_MAX_ROUTES = 1024 };

struct tr_routes {
    _Atomic(struct tr_route *) items[TR_MAX_ROUTES]; /* open addressing by node id; only ever added to */
};

/* NULL: no way there is known. Any thread. */
struct tr_route *tr_routes_find(struct tr_routes *routes, uint64_t node);
/* False: full. The route must outlive the table. One thread at a time. */
bool tr_routes_add(struct tr_routes *routes, struct tr_route *route);

#endif
