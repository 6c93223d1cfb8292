#include "core/types.h"

#include <stdlib.h>
#include <string.h>

#include "core/class.h"
#include "core/codec.h"

void tr_types_init(struct tr_types *types, struct tr_flight *flight) {
    memset(types, 0, sizeof *types);
    pthread_mutex_init(&types->lock, NULL);
    types->flight = flight;
}

void tr_types_free(struct tr_types *types) {
    for (uint32_t i = 0; i < types->count; i++) free(types->schemas[i]);
    pthread_mutex_destroy(&types->lock);
}

/* The index, or UINT32_MAX with `*place` where it would go. */
static uint32_t find(struct tr_types *types, const struct troupe_message_type *type, uint32_t *place) {
    for (*place = tr_type_hash(type) % TR_TYPE_PLACES;; *place = (*place + 1) % TR_TYPE_PLACES) {
        uint32_t found = atomic_load_explicit(&types->places[*place], memory_order_acquire);
        if (found == 0) return UINT32_MAX;
        if (types->items[found - 1] == type) return found - 1;
    }
}

static char *schema_of(const struct troupe_message_type *type) {
    size_t size = troupe_message_schema(type, NULL, 0) + 1;
    char *schema = size > TR_MAX_SCHEMA ? NULL : malloc(size);
    if (schema != NULL) troupe_message_schema(type, schema, size);
    return schema;
}

static uint32_t add(struct tr_types *types, const struct troupe_message_type *type) {
    uint32_t place, index = find(types, type, &place);
    if (index != UINT32_MAX) return index;
    index = types->count;
    if (index == TR_MAX_TYPES || !tr_codec_check_type(type, NULL)) return UINT32_MAX;
    char *schema = schema_of(type);
    if (schema == NULL) return UINT32_MAX;
    types->items[index] = type;
    types->schemas[index] = schema;
    tr_flight_name(types->flight, type);
    atomic_store_explicit(&types->count, index + 1, memory_order_release);
    atomic_store_explicit(&types->places[place], index + 1, memory_order_release);
    return index;
}

uint32_t tr_types_index(struct tr_types *types, const struct troupe_message_type *type) {
    uint32_t place, index = find(types, type, &place);
    if (index != UINT32_MAX) return index;
    pthread_mutex_lock(&types->lock);
    index = add(types, type);
    pthread_mutex_unlock(&types->lock);
    return index;
}

const struct troupe_message_type *tr_types_at(struct tr_types *types, uint32_t index) {
    uint32_t count = atomic_load_explicit(&types->count, memory_order_acquire);
    return index < count ? types->items[index] : NULL;
}

const char *tr_types_schema(struct tr_types *types, uint32_t index) { return types->schemas[index]; }

const struct troupe_message_type *tr_types_named(struct tr_types *types, const char *name) {
    const struct troupe_message_type *found = NULL;
    pthread_mutex_lock(&types->lock);
    for (uint32_t i = 0; i < types->count && found == NULL; i++)
        if (strcmp(types->items[i]->name, name) == 0) found = types->items[i];
    pthread_mutex_unlock(&types->lock);
    return found;
}
