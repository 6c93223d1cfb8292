/* The children of a supervisor, in tables: by the machine's id, by name, by address. Each lookup is a probe, however
 * many there are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"
#include "services/supervisor_parts.h"

enum { FIRST_SIZE = 16, INDEX_BITS = 20, SERIAL_BITS = 12, EPOCH_SHIFT = INDEX_BITS + SERIAL_BITS };

_Static_assert(TR_MAX_CHILDREN <= 1 << INDEX_BITS, "an index of a child fits into a key");

/* ---- One ---- */

static char *put(char **memory, const void *data, size_t size) {
    char *copy = memcpy(*memory, data, size);
    *memory += size;
    return copy;
}

struct tr_kin *tr_kin_new(const struct tr_child_spec *spec, const char *path, const char *name) {
    const char *slash = strcmp(path, "/") == 0 ? "" : "/";
    size_t name_size = strlen(name) + 1, actor_size = strlen(spec->actor) + 1;
    size_t path_size = strlen(path) + strlen(slash) + name_size;
    struct tr_kin *kin = malloc(sizeof *kin + name_size + actor_size + path_size);
    uint8_t *args = malloc(spec->args_size + 1);
    if (kin == NULL || args == NULL) {
        free(kin);
        free(args);
        return NULL;
    }
    if (spec->args_size > 0) memcpy(args, spec->args, spec->args_size);
    *kin = (struct tr_kin){ .spec = *spec, .added = true, .args = args };
    kin->spec.args = args;
    char *memory = kin->memory;
    kin->spec.name = put(&memory, name, name_size);
    kin->spec.actor = put(&memory, spec->actor, actor_size);
    kin->spec.path = memory;
    snprintf(memory, path_size, "%s%s%s", path, slash, name);
    return kin;
}

void tr_kin_drop_args(struct tr_kin *kin) {
    free(kin->args);
    kin->args = NULL;
    kin->spec.args = NULL;
    kin->spec.args_size = 0;
}

void tr_kin_free(struct tr_kin *kin) {
    if (kin == NULL) return;
    free(kin->args);
    free(kin);
}

/* ---- Chains ---- */

static uint32_t hash_place(troupe_address address) {
    return (uint32_t)(((address.node << 32 ^ address.slot) * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static struct tr_kin **name_chain(const struct tr_kindred *kindred, const char *name) {
    return &kindred->names[tr_hash_text(name) & (kindred->size - 1)];
}

static struct tr_kin **place_chain(const struct tr_kindred *kindred, troupe_address address) {
    return &kindred->places[hash_place(address) & (kindred->size - 1)];
}

static void join_name(struct tr_kindred *kindred, struct tr_kin *kin) {
    struct tr_kin **chain = name_chain(kindred, kin->spec.name);
    kin->next_by_name = *chain;
    *chain = kin;
}

static void join_place(struct tr_kindred *kindred, struct tr_kin *kin) {
    if (troupe_address_is_none(kin->address)) return;
    struct tr_kin **chain = place_chain(kindred, kin->address);
    kin->next_by_place = *chain;
    *chain = kin;
}

static void part_place(struct tr_kindred *kindred, const struct tr_kin *kin) {
    if (troupe_address_is_none(kin->address)) return;
    struct tr_kin **at = place_chain(kindred, kin->address);
    while (*at != kin) at = &(*at)->next_by_place;
    *at = kin->next_by_place;
}

static void part_name(struct tr_kindred *kindred, const struct tr_kin *kin) {
    struct tr_kin **at = name_chain(kindred, kin->spec.name);
    while (*at != kin) at = &(*at)->next_by_name;
    *at = kin->next_by_name;
}

/* ---- Room ---- */

static void join_again(struct tr_kindred *kindred) {
    for (uint32_t i = 0; i < kindred->indexes; i++) {
        if (kindred->by_index[i] == NULL) continue;
        join_name(kindred, kindred->by_index[i]);
        join_place(kindred, kindred->by_index[i]);
    }
}

static bool grow_tables(struct tr_kindred *kindred) {
    uint32_t size = kindred->size == 0 ? FIRST_SIZE : kindred->size * 2;
    struct tr_kin **names = calloc(size, sizeof *names), **places = calloc(size, sizeof *places);
    if (names == NULL || places == NULL) {
        free(names);
        free(places);
        return false;
    }
    free(kindred->names);
    free(kindred->places);
    kindred->names = names;
    kindred->places = places;
    kindred->size = size;
    join_again(kindred);
    return true;
}

static bool grow_index(struct tr_kindred *kindred, uint32_t index) {
    uint32_t indexes = kindred->indexes == 0 ? FIRST_SIZE : kindred->indexes * 2;
    if (index < kindred->indexes) return true;
    if (indexes <= index) indexes = index + 1;
    struct tr_kin **by_index = realloc(kindred->by_index, indexes * sizeof(struct tr_kin *));
    if (by_index == NULL) return false;
    memset(by_index + kindred->indexes, 0, (indexes - kindred->indexes) * sizeof(struct tr_kin *));
    kindred->by_index = by_index;
    kindred->indexes = indexes;
    return true;
}

/* ---- All ---- */

bool tr_kindred_add(struct tr_kindred *kindred, struct tr_kin *kin, tr_child_id id, uint64_t epoch) {
    bool full = kindred->count == kindred->size;
    if (!grow_index(kindred, id.index) || (full && !grow_tables(kindred))) return false;
    tr_assert(kindred->by_index[id.index] == NULL);
    uint64_t serial = id.serial % (1u << SERIAL_BITS);
    kin->id = id;
    kin->key = epoch << EPOCH_SHIFT | serial << INDEX_BITS | id.index;
    kin->number = ++kindred->numbers;
    kindred->by_index[id.index] = kin;
    kindred->count++;
    if (kin->spec.is_supervisor) kindred->supervisors++;
    join_name(kindred, kin);
    join_place(kindred, kin);
    return true;
}

void tr_kindred_remove(struct tr_kindred *kindred, struct tr_kin *kin) {
    part_place(kindred, kin);
    part_name(kindred, kin);
    kindred->by_index[kin->id.index] = NULL;
    kindred->count--;
    if (kin->spec.is_supervisor) kindred->supervisors--;
}

void tr_kindred_move(struct tr_kindred *kindred, struct tr_kin *kin, troupe_address address) {
    part_place(kindred, kin);
    kin->address = address;
    join_place(kindred, kin);
}

struct tr_kin *tr_kindred_of(const struct tr_kindred *kindred, tr_child_id id) {
    struct tr_kin *kin = id.index < kindred->indexes ? kindred->by_index[id.index] : NULL;
    return kin != NULL && kin->id.serial == id.serial ? kin : NULL;
}

struct tr_kin *tr_kindred_keyed(const struct tr_kindred *kindred, uint64_t key) {
    uint32_t index = (uint32_t)key % (1u << INDEX_BITS);
    struct tr_kin *kin = index < kindred->indexes ? kindred->by_index[index] : NULL;
    return kin != NULL && kin->key == key ? kin : NULL;
}

struct tr_kin *tr_kindred_named(const struct tr_kindred *kindred, const char *name) {
    struct tr_kin *kin = kindred->size == 0 ? NULL : *name_chain(kindred, name);
    while (kin != NULL && strcmp(kin->spec.name, name) != 0) kin = kin->next_by_name;
    return kin;
}

struct tr_kin *tr_kindred_at(const struct tr_kindred *kindred, troupe_address address) {
    struct tr_kin *kin = kindred->size == 0 ? NULL : *place_chain(kindred, address);
    while (kin != NULL && !troupe_address_equal(kin->address, address)) kin = kin->next_by_place;
    return kin;
}

void tr_kindred_free(struct tr_kindred *kindred) {
    for (uint32_t i = 0; i < kindred->indexes; i++) {
        struct tr_kin *kin = kindred->by_index[i];
        if (kin == NULL) continue;
        free(kin->saved);
        free(kin->failure);
        if (kin->added) tr_kin_free(kin);
    }
    free(kindred->by_index);
    free(kindred->names);
    free(kindred->places);
}
