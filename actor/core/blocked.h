/*
 * How long a worker has been in one handler, and what to say about it. Pure: what was seen, and when, in;
 * what is to be reported out.
 *
 * A handler that was seen for `limit` is reported, again whenever that time has doubled, and once more when
 * it is over. Times count from the first look at a handler, so that they are short by less than the time
 * between two looks, and at the end long by less than that.
 */
#ifndef TR_BLOCKED_H
#define TR_BLOCKED_H

#include <stdbool.h>
#include <stdint.h>

/* What a worker was seen handling. */
struct tr_sight {
    uint32_t serial; /* of two sights with the same one, the handler is the same */
    uint64_t type;   /* of the flight recorder; 0: no handler */
    uint64_t cell;
};

/* Zero-initialised has seen nothing. */
struct tr_blocked {
    struct tr_sight seen;
    int64_t since; /* seen first */
    int64_t next;  /* ns after which it is reported next */
    bool told;
};

enum tr_blocked_kind {
    TR_BLOCKED_NOTHING,
    TR_BLOCKED_FIRST, /* it has been handling this for the limit, and goes on */
    TR_BLOCKED_AGAIN, /* ... and for twice as long as it was when last reported */
    TR_BLOCKED_OVER,  /* what was reported has ended */
};

struct tr_blocked_news {
    enum tr_blocked_kind kind;
    struct tr_sight what;
    int64_t lasted; /* ns */
};

/* One look, `now` not before the last one. `limit` in ns, more than 0; INT64_MAX: never reported. */
struct tr_blocked_news tr_blocked_look(struct tr_blocked *blocked, struct tr_sight sight, int64_t now,
                                       int64_t limit);

#endif
