#include "services/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"

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

/* A slash is a path's, a control character would forge a line of the log, and what is not UTF-8 could not be sent. */
bool tr_name_is_valid(const char *name) {
    if (name == NULL || name[0] == '\0' || strlen(name) > TR_NAME_MAX) return false;
    if (!tr_utf8_valid(name, strlen(name))) return false;
    for (; *name != '\0'; name++)
        if (*name == '/' || tr_utf8_is_control(name)) return false;
    return true;
}

enum troupe_status tr_name_take(struct tr_registry *registry, const char *text, struct tr_name **name) {
    if (!tr_name_is_valid(text)) return TROUPE_INVALID;
    struct tr_name **place = place_of(registry, text);
    *name = *place;
    if (*place != NULL) return TROUPE_EXISTS;
    size_t size = strlen(text) + 1;
    struct tr_name *entry = calloc(1, sizeof *entry + size);
    if (entry == NULL) return TROUPE_NO_MEMORY;
    memcpy(entry->text, text, size);
    *name = *place = entry;
    return TROUPE_OK;
}

void tr_name_drop(struct tr_registry *registry, const char *text) {
    struct tr_name **place = place_of(registry, text), *entry = *place;
    if (entry != NULL) *place = entry->next;
    free(entry);
}

enum troupe_status tr_registry_add(struct tr_registry *registry, const char *name,
                                   troupe_address address) {
    struct tr_name *entry = NULL;
    pthread_mutex_lock(&registry->lock);
    enum troupe_status status = tr_name_take(registry, name, &entry);
    if (status == TROUPE_OK) entry->address = address;
    if (status == TROUPE_EXISTS && troupe_address_equal(entry->address, address)) status = TROUPE_OK;
    pthread_mutex_unlock(&registry->lock);
    return status;
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
    tr_name_drop(registry, name);
    pthread_mutex_unlock(&registry->lock);
}
