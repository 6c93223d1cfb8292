#include "services/group_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_BUCKETS = 16, FIRST_ROOM = 4 };

/* ---- Rosters ---- */

struct tr_roster *tr_roster_share(struct tr_roster *roster) {
    if (roster != NULL) atomic_fetch_add_explicit(&roster->references, 1, memory_order_relaxed);
    return roster;
}

void tr_roster_drop(struct tr_roster *roster) {
    if (roster != NULL && atomic_fetch_sub_explicit(&roster->references, 1, memory_order_acq_rel) == 1) free(roster);
}

/* What was read by those who have dropped it, was read before this. */
static bool is_shared(struct tr_roster *roster) {
    return atomic_load_explicit(&roster->references, memory_order_acquire) > 1;
}

static struct tr_roster *roster_new(uint32_t size) {
    struct tr_roster *roster = malloc(sizeof *roster + size * sizeof roster->items[0]);
    if (roster == NULL) return NULL;
    atomic_init(&roster->references, 1);
    roster->count = 0;
    roster->size = size;
    return roster;
}

/* Puts another in its place, that nobody shares. */
static bool renew(struct tr_roster **place, uint32_t size) {
    struct tr_roster *fresh = roster_new(size), *old = *place;
    if (fresh == NULL) return false;
    fresh->count = tr_roster_count(old);
    if (fresh->count > 0) memcpy(fresh->items, old->items, fresh->count * sizeof fresh->items[0]);
    tr_roster_drop(old);
    *place = fresh;
    return true;
}

static bool add(struct tr_roster **place, troupe_address member) {
    struct tr_roster *roster = *place;
    uint32_t count = tr_roster_count(roster);
    bool full = roster == NULL || count == roster->size;
    if (full && !renew(place, count < FIRST_ROOM ? FIRST_ROOM : count * 2)) return false;
    if (!full && is_shared(roster) && !renew(place, roster->size)) return false;
    (*place)->items[(*place)->count++] = member;
    return true;
}

static uint32_t find(const struct tr_roster *roster, troupe_address member) {
    for (uint32_t i = 0; i < tr_roster_count(roster); i++)
        if (troupe_address_equal(roster->items[i], member)) return i;
    return UINT32_MAX;
}

/* Without memory for a copy those who share it see, at worst, one who stays twice and one who has just left not at
 * all: neither is a crash, and whoever leaves has left. */
static void remove_at(struct tr_roster **place, uint32_t at) {
    struct tr_roster *roster = *place;
    if (roster->count == 1) {
        *place = NULL;
        tr_roster_drop(roster);
        return;
    }
    if (is_shared(roster) && renew(place, roster->size)) roster = *place;
    memmove(&roster->items[at], &roster->items[at + 1], (roster->count - at - 1) * sizeof roster->items[0]);
    roster->count--;
}

/* ---- The table ---- */

static uint64_t hash_of(enum tr_group_space space, const char *name) { return tr_hash_text(name) + (uint64_t)space; }

static struct tr_group **bucket_of(const struct tr_group_table *table, uint64_t hash) {
    return &table->buckets[hash & (table->bucket_count - 1)];
}

struct tr_group *tr_group_find(const struct tr_group_table *table, enum tr_group_space space, const char *name) {
    uint64_t hash = hash_of(space, name);
    struct tr_group *group = table->bucket_count == 0 ? NULL : *bucket_of(table, hash);
    while (group != NULL && (group->hash != hash || group->space != space || strcmp(group->name, name) != 0))
        group = group->next;
    return group;
}

static void put(struct tr_group_table *table, struct tr_group *group) {
    struct tr_group **bucket = bucket_of(table, group->hash);
    group->next = *bucket;
    *bucket = group;
}

static bool grow(struct tr_group_table *table) {
    struct tr_group_table old = *table;
    uint32_t size = old.bucket_count == 0 ? FIRST_BUCKETS : old.bucket_count * 2;
    struct tr_group **buckets = calloc(size, sizeof *buckets);
    if (buckets == NULL) return false;
    table->buckets = buckets;
    table->bucket_count = size;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        for (struct tr_group *group = old.buckets[i], *next; group != NULL; group = next) {
            next = group->next;
            put(table, group);
        }
    free(old.buckets);
    return true;
}

static struct tr_group *group_new(enum tr_group_space space, const char *name) {
    size_t size = strlen(name) + 1;
    struct tr_group *group = calloc(1, sizeof *group + size);
    if (group == NULL) return NULL;
    group->space = space;
    group->hash = hash_of(space, name);
    memcpy(group->name, name, size);
    return group;
}

enum troupe_status tr_group_make(struct tr_group_table *table, enum tr_group_space space, const char *name,
                                 struct tr_group **group) {
    *group = tr_group_find(table, space, name);
    if (*group != NULL) return TROUPE_OK;
    if (table->count == TR_GROUPS_MAX) return TROUPE_LIMIT;
    if (table->count == table->bucket_count && !grow(table)) return TROUPE_NO_MEMORY;
    *group = group_new(space, name);
    if (*group == NULL) return TROUPE_NO_MEMORY;
    put(table, *group);
    table->count++;
    return TROUPE_OK;
}

void tr_group_tidy(struct tr_group_table *table, struct tr_group *group) {
    if (group->here != NULL || group->there != NULL || group->watches != NULL) return;
    struct tr_group **at = bucket_of(table, group->hash);
    while (*at != group) at = &(*at)->next;
    *at = group->next;
    table->count--;
    free(group);
}

struct tr_group *tr_group_next(const struct tr_group_table *table, const struct tr_group *group) {
    if (group != NULL && group->next != NULL) return group->next;
    uint32_t i = group == NULL ? 0 : (uint32_t)(bucket_of(table, group->hash) - table->buckets) + 1;
    while (i < table->bucket_count && table->buckets[i] == NULL) i++;
    return i < table->bucket_count ? table->buckets[i] : NULL;
}

void tr_group_table_free(struct tr_group_table *table) {
    for (struct tr_group *group = tr_group_next(table, NULL), *next; group != NULL; group = next) {
        next = tr_group_next(table, group);
        tr_roster_drop(group->here);
        tr_roster_drop(group->there);
        free(group);
    }
    free(table->buckets);
    *table = (struct tr_group_table){ 0 };
}

/* ---- Members ---- */

static struct tr_roster **roster_of(struct tr_group *group, bool here) { return here ? &group->here : &group->there; }

enum troupe_status tr_group_add(struct tr_group_table *table, struct tr_group *group, bool here,
                                troupe_address member) {
    struct tr_roster **place = roster_of(group, here);
    if (find(*place, member) != UINT32_MAX) return TROUPE_EXISTS;
    if (table->memberships == TR_MEMBERSHIPS_MAX) return TROUPE_LIMIT;
    if (!add(place, member)) return TROUPE_NO_MEMORY;
    table->memberships++;
    return TROUPE_OK;
}

bool tr_group_remove(struct tr_group_table *table, struct tr_group *group, bool here, troupe_address member) {
    struct tr_roster **place = roster_of(group, here);
    uint32_t at = find(*place, member);
    if (at == UINT32_MAX) return false;
    remove_at(place, at);
    table->memberships--;
    return true;
}

static uint32_t count_of_node(const struct tr_roster *roster, uint64_t node) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < tr_roster_count(roster); i++) count += roster->items[i].node == node;
    return count;
}

/* Those who stay move up; the others are told of by the way. */
static void sift(struct tr_group *group, struct tr_roster *roster, uint64_t node,
                 void (*gone)(void *context, struct tr_group *group, troupe_address member), void *context) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < roster->count; i++) {
        troupe_address member = roster->items[i];
        if (member.node != node) roster->items[kept++] = member;
        else gone(context, group, member);
    }
    roster->count = kept;
}

void tr_group_remove_node(struct tr_group_table *table, struct tr_group *group, uint64_t node,
                          void (*gone)(void *context, struct tr_group *group, troupe_address member), void *context) {
    uint32_t count = count_of_node(group->there, node);
    if (count == 0) return;
    if (is_shared(group->there)) (void)renew(&group->there, group->there->size); /* else as in remove_at */
    sift(group, group->there, node, gone, context);
    table->memberships -= count;
    if (group->there->count > 0) return;
    tr_roster_drop(group->there);
    group->there = NULL;
}
