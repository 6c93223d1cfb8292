/*
 * A class: what the runtime made of a troupe_actor_type, so that finding a handler is one probe of a
 * small hash table. Made once at start-up, never changed, shared by every node of the process.
 *
 * Each behaviour of an actor is a class too, a variant that differs in its handlers alone. A cell's `class`, which
 * senders look at, stays the actor's own: it accepts what any of the variants handles. Which of them is at work
 * (`running`) is known to the worker that runs the cell.
 */
#ifndef TR_CLASS_H
#define TR_CLASS_H

#include <troupe/behaviour.h>

/* Open addressing by message type. */
struct tr_handlers {
    const struct troupe_entry **slots;
    uint32_t mask;
    const struct troupe_entry *any; /* for what has no handler of its own; NULL: there is none */
};

struct tr_class {
    const struct troupe_actor_type *type;
    const struct troupe_message_type *start_type; /* troupe_none if it takes no arguments */
    troupe_thunk start, stop;                     /* NULL: none */
    struct tr_handlers handlers;
    struct tr_handlers accepts;                   /* those of all variants; `handlers` if there are none */
    const struct troupe_behaviour *behaviour;     /* of a variant, else NULL */
    struct tr_class *variants;
    uint32_t variant_count;
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

/* NULL: there is none. An entry without a message stands for all that have none of their own: the test kit's. */
static inline const struct troupe_entry *tr_handlers_find(const struct tr_handlers *handlers,
                                                          const struct troupe_message_type *type) {
    for (uint32_t i = tr_type_hash(type) & handlers->mask;; i = (i + 1) & handlers->mask) {
        const struct troupe_entry *entry = handlers->slots[i];
        if (entry == NULL) return handlers->any;
        if (entry->message == type) return entry;
    }
}

/* NULL: the class has no handler for this message. */
static inline const struct troupe_entry *tr_class_handler(const struct tr_class *class,
                                                          const struct troupe_message_type *type) {
    return tr_handlers_find(&class->handlers, type);
}

/* Does it, or what it may become, handle this message? */
static inline bool tr_class_accepts(const struct tr_class *class, const struct troupe_message_type *type) {
    return tr_handlers_find(&class->accepts, type) != NULL;
}

/* The same, but for a handler of just this message. */
static inline bool tr_class_names(const struct tr_class *class, const struct troupe_message_type *type) {
    const struct troupe_entry *entry = tr_handlers_find(&class->accepts, type);
    return entry != NULL && entry->message == type;
}

/* The TROUPE_ANSWER for a request; NULL: none. */
const struct troupe_entry *tr_class_answer(const struct tr_class *class,
                                           const struct troupe_message_type *request);

/* The variant of an actor's own class; NULL as behaviour: the class itself. NULL: it has no such behaviour. */
const struct tr_class *tr_class_variant(const struct tr_class *class,
                                        const struct troupe_behaviour *behaviour);

#endif
