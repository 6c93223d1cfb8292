/*
 * A message inside a node: one allocation, header and struct and all that the struct points to. It
 * travels by pointer, and whoever holds the pointer owns it. Large parts are in buffers that several
 * messages share (buffer.h): those it refers to are listed at the end of the allocation. So are the fields
 * that have its descriptors, which it owns, and closes when it is freed.
 *
 * A link is what a mailbox queues: a message, or one of the few other things a cell can be sent.
 */
#ifndef TR_MESSAGE_H
#define TR_MESSAGE_H

#include <stdatomic.h>
#include <troupe/message.h>

#include "core/codec.h"
#include "core/pool.h"

enum tr_link_kind {
    TR_LINK_MESSAGE, /* struct tr_message */
    TR_LINK_START,   /* struct tr_message: the run of a cell that was taken for it begins, with this */
    TR_LINK_WAKE,    /* the cell's own: look at the system lane */
    TR_LINK_EVENT,   /* struct tr_event, for native cells */
    TR_LINK_ALARM,   /* struct tr_alarm */
    TR_LINK_SOURCE,  /* struct tr_source */
    TR_LINK_PARCEL,  /* a message packed for another node: the lane's */
};

struct tr_link {
    _Atomic(struct tr_link *) next;
    uint8_t kind;     /* enum tr_link_kind */
    uint8_t flags;    /* TR_MESSAGE_... */
    uint8_t attempts; /* runs that this message brought down */
    uint8_t status;   /* enum troupe_status of a TR_MESSAGE_OUTCOME */
    uint32_t memory : 8;  /* of a message: what tr_pool_take said of it */
    uint32_t shares : 24; /* of a message: how far behind its body the list of its shares is, in units of
                           * 8 bytes; 0: it has none */
};

enum {
    TR_MESSAGE_ASKED = 1,     /* `ask` wants a reply */
    TR_MESSAGE_REPLY = 2,     /* the reply to `ask` */
    TR_MESSAGE_OUTCOME = 4,   /* with REPLY: no body, `status` says how the ask failed */
    TR_MESSAGE_BOND = 8,      /* with REPLY and SYSTEM: of monitors and links, from another node. It was taken up when
                               * it arrived; in the mailbox it only keeps its place */
    TR_MESSAGE_SYSTEM = 16,   /* Troupe's own: not bounded, not counted by contract 3 */
    TR_MESSAGE_FORWARDED = 32, /* sent by another than `from`, which may be of any node */
    TR_MESSAGE_ASIDE = 64,    /* was put aside: has no room in the mailbox any more; not for lanes */
};

struct tr_inbound;

struct tr_message {
    struct tr_link link;
    const struct troupe_message_type *type; /* NULL for an outcome */
    troupe_address from;
    uint32_t slot, generation; /* of the receiver */
    uint64_t ask;              /* id of an ask, by the flags; else 0 */
    struct tr_inbound *inbound; /* the channel it came by from another node; NULL: this node */
};

static inline void *tr_message_body(struct tr_message *message) { return message + 1; }

static inline struct tr_message *tr_message_of(struct tr_link *link) {
    return (struct tr_message *)(void *)link;
}

/* Where a message gets its memory. */
struct tr_memory {
    struct tr_pool *pool;       /* the calling worker's, or NULL */
    struct tr_buffers *buffers; /* the node's: for large parts */
};

/* A copy of `body` and what it points to; large parts that are in buffers are shared. NULL: `error` says why,
 * and `*status` is INVALID, TOO_BIG, LIMIT or NO_MEMORY. Everything but link, as far as it is about memory, and
 * type is zero. */
struct tr_message *tr_message_new(struct tr_memory memory, const struct troupe_message_type *type,
                                  const void *body, enum troupe_status *status,
                                  struct tr_codec_error *error);

/* The same from packed bytes of another node. */
struct tr_message *tr_message_unpack(struct tr_memory memory, const struct troupe_message_type *type,
                                     const uint8_t *data, size_t size, enum troupe_status *status,
                                     struct tr_codec_error *error);
/* With what came along (NULL: nothing): what the message keeps of that is its own then. */
struct tr_message *tr_message_unpack_with(struct tr_memory memory, const struct troupe_message_type *type,
                                          const uint8_t *data, size_t size, const struct tr_arrived *arrived,
                                          enum troupe_status *status, struct tr_codec_error *error);

/* One without a type and a body. NULL: no memory. */
struct tr_message *tr_message_empty(struct tr_pool *pool);

/* One without a body: how an ask failed. NULL: no memory. */
struct tr_message *tr_message_outcome(uint64_t ask, enum troupe_status status);

void tr_message_free(struct tr_message *message);
/* The same, for whoever has a pool at hand. */
void tr_message_recycle(struct tr_pool *pool, struct tr_message *message);

/* What native cells (lanes, the host) are sent: by anyone, from any thread. Allocated by the sender,
 * freed by the receiver. */
struct tr_event {
    struct tr_link link;
    uint32_t code; /* the receiver's own enum */
    uint64_t number;
    void *data;
};

struct tr_event *tr_event_new(uint32_t code, uint64_t number, void *data);

#endif
