/*
 * What the two kinds of wire share: sockets of NNG for inproc (wire_pair.c), its byte streams for all
 * else (wire_stream.c). The one file that names NNG's headers.
 */
#ifndef TR_WIRE_INSIDE_H
#define TR_WIRE_INSIDE_H

#include "transport/wire.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include <pthread.h>

enum wire_state {
    WIRE_WAITING,   /* no connection yet: -> CONNECTED, LOST, CLOSING */
    WIRE_CONNECTED, /* -> LOST, CLOSING */
    WIRE_LOST,      /* for good: -> CLOSING */
    WIRE_CLOSING
};

/* Where frames come from and go to. Each is called once the struct tr_wire is complete; none under a
 * lock. Codes are NNG's. */
struct wire_kind {
    size_t size; /* of the struct that begins with a struct tr_wire */
    /* Starts; `bound` is written when it listens. After a failure `close` follows. */
    int (*open)(struct tr_wire *wire, const char *url, char *bound, size_t bound_size);
    /* Submits a copy; wire->sending is set already. On failure nothing was submitted. */
    int (*send)(struct tr_wire *wire, const uint8_t *bytes, size_t size);
    void (*next)(struct tr_wire *wire);
    /* The wire has just become LOST: ends what is under way. */
    void (*lost)(struct tr_wire *wire);
    /* Stops every callback and releases all but the struct; safe on what is half open. */
    void (*close)(struct tr_wire *wire);
};

struct scheme {
    const char *prefix;
    const struct wire_kind *kind;
};

struct tr_wire {
    struct tr_wire_events events;
    void *context;
    const struct scheme *scheme;
    size_t max_frame;
    bool dials;

    pthread_mutex_t telling; /* held while up, frame or down is told */
    bool silent;             /* down is told, or close has begun */

    pthread_mutex_t lock;    /* guards what follows; never held while the caller is told something */
    enum wire_state state;
    bool sending;            /* submitted, `sent` not told */
};

/* A received frame: the bytes follow, or are NNG's message. */
struct tr_wire_frame {
    nng_msg *message;
    size_t size;
    uint8_t bytes[];
};

extern const struct wire_kind wire_pair_kind;
extern const struct wire_kind wire_stream_kind;

enum wire_state wire_state(struct tr_wire *wire);
/* Makes the move if the table allows it. */
bool wire_move(struct tr_wire *wire, enum wire_state to);
/* The connection is over, or never comes: tells `down` unless it was told. */
void wire_lose(struct tr_wire *wire);
/* False: too late, it was not told. */
bool wire_tell_up(struct tr_wire *wire);
/* Takes the frame in any case. */
void wire_tell_frame(struct tr_wire *wire, struct tr_wire_frame *frame);
void wire_tell_sent(struct tr_wire *wire, bool ok);

#endif
