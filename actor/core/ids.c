#include "core/ids.h"

#include <stdbool.h>
#include <stdlib.h>

static bool grow(struct tr_ids *ids) {
    uint32_t size = ids->size == 0 ? 4 : ids->size * 2;
    struct tr_id_entry *entries = realloc(ids->entries, size * sizeof *entries);
    if (entries == NULL) return false;
    for (uint32_t i = size; i-- > ids->size;) {
        entries[i] = (struct tr_id_entry){ .serial = ids->first_serial + 1, .next_free = ids->free };
        ids->free = i + 1;
    }
    ids->entries = entries;
    ids->size = size;
    return true;
}

uint64_t tr_ids_add(struct tr_ids *ids, void *value) {
    if (ids->free == 0 && !grow(ids)) return 0;
    uint32_t place = ids->free;
    struct tr_id_entry *entry = &ids->entries[place - 1];
    ids->free = entry->next_free;
    ids->count++;
    entry->value = value;
    return (uint64_t)entry->serial << 32 | place;
}

static struct tr_id_entry *find(const struct tr_ids *ids, uint64_t id) {
    uint32_t place = (uint32_t)id;
    if (place == 0 || place > ids->size) return NULL;
    struct tr_id_entry *entry = &ids->entries[place - 1];
    return entry->value != NULL && entry->serial == (uint32_t)(id >> 32) ? entry : NULL;
}

void *tr_ids_find(const struct tr_ids *ids, uint64_t id) {
    struct tr_id_entry *entry = find(ids, id);
    return entry == NULL ? NULL : entry->value;
}

void *tr_ids_remove(struct tr_ids *ids, uint64_t id) {
    struct tr_id_entry *entry = find(ids, id);
    if (entry == NULL) return NULL;
    void *value = entry->value;
    entry->value = NULL;
    entry->serial++;
    entry->next_free = ids->free;
    ids->free = (uint32_t)id;
    ids->count--;
    return value;
}

void tr_ids_free(struct tr_ids *ids) {
    free(ids->entries);
    *ids = (struct tr_ids){ 0 };
}
