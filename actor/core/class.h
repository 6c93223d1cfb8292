/*
 * A class: what the runtime made of a troupe_actor_type, so that finding a handler is one probe of a
 * small hash table. Made once at start-up, never changed, shared by every node of the process.
 */
#ifndef TR_CLASS_H
#define TR_CLASS_H

#include <troupe/actor.h>

struct tr_class {
    const struct troupe_actor_type *type;
    const struct troupe_message_type *start_type; /* troupe_none if it takes no arguments */
    troupe_thunk start, stop;                     /* NULL: none */
    const struct troupe_entry **handlers;         /* open addressing by message type */
    uint32_t mask;                                /* of `handlers` */
    bool wants_ready, wants_undelivered;          /* it handles these notices */
    bool stops_others;                            /* ... and tr_stopping: its stop handler runs also at a kill */
};

struct tr_classes {
    struct tr_class *items;
    uint32_t count;
};

/* The actors must have passed the check of the configuration room. `actors` ends with NULL. */
bool tr_classes_init(struct tr_classes *classes, const struct troupe_actor_type *const *actors);
void tr_classes_free(struct tr_classes *classes);

/* NULL: not one of this program's. */
const struct tr_class *tr_class_of(const struct tr_classes *classes,
                                   const struct troupe_actor_type *type);
const struct tr_class *tr_class_named(const struct tr_classes *classes, const char *name);

static inline uint32_t tr_type_hash(const struct troupe_message_type *type) {
    return (uint32_t)(((uintptr_t)type * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

/* NULL: the class has no handler for this message. */
static inline const struct troupe_entry *tr_class_handler(const struct tr_class *class,
                                                          const struct troupe_message_type *type) {
    for (uint32_t i = tr_type_hash(type) & class->mask;; i = (i + 1) & class->mask) {
        const struct troupe_entry *entry = class->handlers[i];
        if (entry == NULL || entry->message == type) return entry;
    }
}

/* The TROUPE_ANSWER for a request; NULL: none. */
const struct troupe_entry *tr_class_answer(const struct tr_class *class,
                                           const struct troupe_message_type *request);

#endif
