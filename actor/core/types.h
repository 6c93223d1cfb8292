/* The message types that this node has met, numbered from 0 in the order it met them: the numbers that
 * packed messages carry, and the definitions that lanes send ahead of them. Only ever added to. */
#ifndef TR_TYPES_H
#define TR_TYPES_H

#include <pthread.h>
#include <stdatomic.h>
#include <troupe/message.h>

#include "core/flight.h"

enum { TR_MAX_TYPES = 1024, TR_TYPE_PLACES = 4096, TR_MAX_SCHEMA = 4096 };

struct tr_types {
    pthread_mutex_t lock; /* for adding */
    _Atomic uint32_t count;
    const struct troupe_message_type *items[TR_MAX_TYPES];
    char *schemas[TR_MAX_TYPES];
    _Atomic uint32_t places[TR_TYPE_PLACES]; /* index + 1, open addressing by type; 0: free */
    struct tr_flight *flight;
};

void tr_types_init(struct tr_types *types, struct tr_flight *flight);
void tr_types_free(struct tr_types *types);

/* The number of a type; UINT32_MAX: the codec refuses it (tr_codec_check_type), too many types, a schema
 * over TR_MAX_SCHEMA, or no memory. Any thread; without a lock when it is known. */
uint32_t tr_types_index(struct tr_types *types, const struct troupe_message_type *type);

/* By number (below count), or NULL. Any thread. */
const struct troupe_message_type *tr_types_at(struct tr_types *types, uint32_t index);
/* `count(word:str,n:u64)` */
const char *tr_types_schema(struct tr_types *types, uint32_t index);
/* By name, as in the schema of another node; NULL: not known here. Any thread; takes the lock. */
const struct troupe_message_type *tr_types_named(struct tr_types *types, const char *name);

#endif
