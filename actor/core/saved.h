/*
 * What a run has left for those after it (troupe_save): a packed message with the name of its type. It is packed
 * where the actor is, kept so by the supervisor, and unpacked in the start handler that asks for it: so nobody on
 * the way needs to know the type.
 */
#ifndef TR_SAVED_H
#define TR_SAVED_H

#include <troupe/message.h>

enum { TR_SAVED_NAME = 1024 }; /* how long the name of a type that is saved may be */

struct tr_saved {
    uint32_t size;  /* of the message */
    uint32_t type;  /* where in `bytes` the name of its type is: behind the message */
    uint8_t bytes[];
};

static inline const char *tr_saved_type(const struct tr_saved *saved) {
    return (const char *)saved->bytes + saved->type;
}

/* Copies. NULL: no memory. */
struct tr_saved *tr_saved_new(const char *type, struct troupe_bytes message);

#endif
