#include "services/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void tr_registry_init(struct tr_registry *registry) {
    memset(registry, 0, sizeof *registry);
    pthread_mutex_init(&registry->lock, NULL);
}

void tr_registry_free(struct tr_registry *registry) {
    for (uint32_t i = 0; i < TR_NAME_BUCKETS; i++) {
        while (registry->buckets[i] != NULL) {
            struct tr_name *name = registry->buckets[i];
            registry->buckets[i] = name->next;
            free(name);
        }
    }
    pthread_mutex_destroy(&registry->lock);
}

/* Where the name hangs, or would. */
static struct tr_name **place_of(struct tr_registry *registry, const char *name) {
    uint64_t hash = tr_hash(name, strlen(name));
    struct tr_name **place = &registry->buckets[hash % TR_NAME_BUCKETS];
    while (*place != NULL && strcmp((*place)->text, name) != 0) place = &(*place)->next;
    return place;
}

static enum troupe_status add_locked(struct tr_registry *registry, const char *name,
                                     troupe_address address) {
    struct tr_name **place = place_of(registry, name);
    if (*place != NULL)
        return troupe_address_equal((*place)->address, address) ? TROUPE_OK : TROUPE_EXISTS;
    size_t size = strlen(name) + 1;
    struct tr_name *entry = malloc(sizeof *entry + size);
    if (entry == NULL) return TROUPE_NO_MEMORY;
    entry->next = NULL;
    entry->address = address;
    memcpy(entry->text, name, size);
    *place = entry;
    return TROUPE_OK;
}

enum troupe_status tr_registry_add(struct tr_registry *registry, const char *name,
                                   troupe_address address) {
    if (name == NULL || name[0] == '\0' || strlen(name) > TR_NAME_MAX) return TROUPE_INVALID;
    pthread_mutex_lock(&registry->lock);
    enum troupe_status status = add_locked(registry, name, address);
    pthread_mutex_unlock(&registry->lock);
    return status;
}

void tr_registry_set(struct tr_registry *registry, const char *name, troupe_address address) {
    pthread_mutex_lock(&registry->lock);
    struct tr_name *entry = *place_of(registry, name);
    if (entry != NULL) entry->address = address;
    pthread_mutex_unlock(&registry->lock);
}

troupe_address tr_registry_find(struct tr_registry *registry, const char *name) {
    pthread_mutex_lock(&registry->lock);
    struct tr_name *entry = *place_of(registry, name);
    troupe_address address = entry == NULL ? (troupe_address){ 0 } : entry->address;
    pthread_mutex_unlock(&registry->lock);
    return address;
}

void tr_registry_remove(struct tr_registry *registry, const char *name) {
    pthread_mutex_lock(&registry->lock);
    struct tr_name **place = place_of(registry, name), *entry = *place;
    if (entry != NULL) *place = entry->next;
    pthread_mutex_unlock(&registry->lock);
    free(entry);
}
