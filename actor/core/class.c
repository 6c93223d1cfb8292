#include "core/class.h"

#include <stdlib.h>
#include <string.h>

#include "core/report.h"

/* At most half full, so that probes are short and end. */
static bool make_handlers(struct tr_handlers *handlers, uint32_t count) {
    uint32_t size = 4;
    while (size < 2 * count + 1) size *= 2;
    handlers->mask = size - 1;
    handlers->slots = calloc(size, sizeof(struct troupe_entry *));
    return handlers->slots != NULL;
}

/* Of two for the same message the first one counts. */
static void add_handlers(struct tr_handlers *handlers, const struct troupe_entry *entries, uint32_t count) {
    for (uint32_t e = 0; e < count; e++) {
        const struct troupe_entry *entry = &entries[e];
        if (entry->role != TROUPE_ROLE_HANDLE) continue;
        if (entry->message == NULL) {
            handlers->any = entry;
            continue;
        }
        uint32_t i = tr_type_hash(entry->message) & handlers->mask;
        while (handlers->slots[i] != NULL && handlers->slots[i]->message != entry->message)
            i = (i + 1) & handlers->mask;
        if (handlers->slots[i] == NULL) handlers->slots[i] = entry;
    }
}

static void add_entry(struct tr_class *class, const struct troupe_entry *entry) {
    switch (entry->role) {
    case TROUPE_ROLE_START:
        class->start = entry->thunk;
        class->start_type = entry->message;
        break;
    case TROUPE_ROLE_STOP: class->stop = entry->thunk; break;
    case TROUPE_ROLE_BEHAVIOUR: class->variant_count++; break;
    case TROUPE_ROLE_HANDLE: break; /* in the table */
    case TROUPE_ROLE_ANSWER: break; /* looked up in the entries: rare and few */
    }
}

/* ---- Behaviours ---- */

static bool make_accepts(struct tr_class *class) {
    const struct troupe_actor_type *type = class->type;
    uint32_t count = type->entry_count;
    for (uint32_t i = 0; i < type->entry_count; i++)
        if (type->entries[i].behaviour != NULL) count += type->entries[i].behaviour->entry_count;
    if (!make_handlers(&class->accepts, count)) return false;
    add_handlers(&class->accepts, type->entries, type->entry_count);
    for (uint32_t i = 0; i < type->entry_count; i++) {
        const struct troupe_behaviour *behaviour = type->entries[i].behaviour;
        if (behaviour != NULL) add_handlers(&class->accepts, behaviour->entries, behaviour->entry_count);
    }
    return true;
}

static bool make_variant(struct tr_class *class, struct tr_class *variant,
                         const struct troupe_behaviour *behaviour) {
    *variant = *class;
    variant->behaviour = behaviour;
    if (!make_handlers(&variant->handlers, behaviour->entry_count)) return false;
    add_handlers(&variant->handlers, behaviour->entries, behaviour->entry_count);
    return true;
}

/* Once the class has all that they are to have, too. */
static bool make_variants(struct tr_class *class) {
    uint32_t made = 0;
    struct tr_class *variants = calloc(class->variant_count, sizeof *variants);
    if (variants == NULL) return false;
    bool all = true;
    for (uint32_t i = 0; i < class->type->entry_count; i++) {
        const struct troupe_behaviour *behaviour = class->type->entries[i].behaviour;
        if (behaviour != NULL) all = make_variant(class, &variants[made++], behaviour) && all;
    }
    class->variants = variants;
    return all;
}

const struct tr_class *tr_class_variant(const struct tr_class *class,
                                        const struct troupe_behaviour *behaviour) {
    if (behaviour == NULL) return class;
    for (uint32_t i = 0; i < class->variant_count; i++)
        if (class->variants[i].behaviour == behaviour) return &class->variants[i];
    return NULL;
}

/* ---- Classes ---- */

/* Also what was made half. */
static void class_free(struct tr_class *class) {
    if (class->accepts.slots != class->handlers.slots) free(class->accepts.slots);
    for (uint32_t i = 0; class->variants != NULL && i < class->variant_count; i++)
        free(class->variants[i].handlers.slots);
    free(class->variants);
    free(class->handlers.slots);
    *class = (struct tr_class){ 0 };
}

static bool class_init(struct tr_class *class, const struct troupe_actor_type *type) {
    *class = (struct tr_class){ .type = type, .start_type = &troupe_none_message };
    if (!make_handlers(&class->handlers, type->entry_count)) return false;
    add_handlers(&class->handlers, type->entries, type->entry_count);
    for (uint32_t i = 0; i < type->entry_count; i++) add_entry(class, &type->entries[i]);
    class->accepts = class->handlers;
    if (class->variant_count > 0 && !make_accepts(class)) return false;
    class->wants_ready = tr_class_accepts(class, &troupe_ready_message);
    class->wants_undelivered = tr_class_accepts(class, &troupe_undelivered_message);
    class->stops_others = tr_class_names(class, &tr_stopping_message);
    return class->variant_count == 0 || make_variants(class);
}

bool tr_classes_init(struct tr_classes *classes, const struct troupe_actor_type *const *actors) {
    uint32_t count = 0;
    while (actors[count] != NULL) count++;
    *classes = (struct tr_classes){ .items = calloc(count + 1, sizeof *classes->items) };
    if (classes->items == NULL) return false;
    for (; classes->count < count; classes->count++) {
        if (class_init(&classes->items[classes->count], actors[classes->count])) continue;
        class_free(&classes->items[classes->count]);
        tr_classes_free(classes);
        return false;
    }
    return true;
}

void tr_classes_free(struct tr_classes *classes) {
    for (uint32_t i = 0; i < classes->count; i++) class_free(&classes->items[i]);
    free(classes->items);
    *classes = (struct tr_classes){ 0 };
}

const struct tr_class *tr_class_of(const struct tr_classes *classes,
                                   const struct troupe_actor_type *type) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (classes->items[i].type == type) return &classes->items[i];
    return NULL;
}

const struct tr_class *tr_class_named(const struct tr_classes *classes, const char *name) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (strcmp(classes->items[i].type->name, name) == 0) return &classes->items[i];
    return NULL;
}

const struct troupe_entry *tr_class_answer(const struct tr_class *class,
                                           const struct troupe_message_type *request) {
    for (uint32_t i = 0; i < class->type->entry_count; i++) {
        const struct troupe_entry *entry = &class->type->entries[i];
        if (entry->role != TROUPE_ROLE_ANSWER) continue;
        if (entry->message == request || entry->message == NULL) return entry;
    }
    return NULL;
}
