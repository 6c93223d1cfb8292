#include "core/class.h"

#include <stdlib.h>
#include <string.h>

#include "core/report.h"

/* At most half full, so that probes are short and end. */
static uint32_t table_size(uint32_t handlers) {
    uint32_t size = 4;
    while (size < 2 * handlers + 1) size *= 2;
    return size;
}

static void add_handler(struct tr_class *class, const struct troupe_entry *entry) {
    uint32_t i = tr_type_hash(entry->message) & class->mask;
    while (class->handlers[i] != NULL) i = (i + 1) & class->mask;
    class->handlers[i] = entry;
}

static void add_entry(struct tr_class *class, const struct troupe_entry *entry) {
    switch (entry->role) {
    case TROUPE_ROLE_HANDLE: add_handler(class, entry); break;
    case TROUPE_ROLE_START:
        class->start = entry->thunk;
        class->start_type = entry->message;
        break;
    case TROUPE_ROLE_STOP: class->stop = entry->thunk; break;
    case TROUPE_ROLE_ANSWER: break; /* looked up in the entries: rare and few */
    }
}

static bool class_init(struct tr_class *class, const struct troupe_actor_type *type) {
    uint32_t size = table_size(type->entry_count);
    *class = (struct tr_class){ .type = type, .start_type = &troupe_none_message, .mask = size - 1 };
    class->handlers = calloc(size, sizeof(struct troupe_entry *));
    if (class->handlers == NULL) return false;
    for (uint32_t i = 0; i < type->entry_count; i++) add_entry(class, &type->entries[i]);
    class->wants_ready = tr_class_handler(class, &troupe_ready_message) != NULL;
    class->wants_undelivered = tr_class_handler(class, &troupe_undelivered_message) != NULL;
    class->stops_others = tr_class_handler(class, &tr_stopping_message) != NULL;
    return true;
}

bool tr_classes_init(struct tr_classes *classes, const struct troupe_actor_type *const *actors) {
    uint32_t count = 0;
    while (actors[count] != NULL) count++;
    *classes = (struct tr_classes){ .items = calloc(count + 1, sizeof *classes->items) };
    if (classes->items == NULL) return false;
    for (; classes->count < count; classes->count++) {
        if (class_init(&classes->items[classes->count], actors[classes->count])) continue;
        tr_classes_free(classes);
        return false;
    }
    return true;
}

void tr_classes_free(struct tr_classes *classes) {
    for (uint32_t i = 0; i < classes->count; i++) free(classes->items[i].handlers);
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
        if (entry->role == TROUPE_ROLE_ANSWER && entry->message == request) return entry;
    }
    return NULL;
}
