/*
 * The groups and topics that a node knows: names, and for each the members of this node and those of others. Plain
 * memory: who uses it has the lock (groups.h).
 *
 * The members are in rosters, which whoever wants to send to all of them shares instead of copying: with the lock one
 * takes a reference, and reads on without it. A roster that somebody shares is not changed any more: the table goes
 * on with a copy. So a topic that is published in while nobody comes or goes costs no copies, and thousands who come
 * one by one cost none either while nobody looks.
 *
 * Members are found by looking at all of a roster: some microseconds for ten thousand. That is for coming and going
 * only.
 */
#ifndef TR_GROUP_TABLE_H
#define TR_GROUP_TABLE_H

#include <stdatomic.h>
#include <troupe/message.h>

enum { TR_GROUPS_MAX = 65536, TR_MEMBERSHIPS_MAX = 1048576 };

enum tr_group_space { TR_GROUP, TR_TOPIC };

struct tr_roster {
    _Atomic uint32_t references; /* the table's, and one of each who shares it */
    uint32_t count, size;
    troupe_address items[];
};

struct tr_group_watch;

struct tr_group {
    struct tr_group *next;           /* in its bucket */
    uint64_t hash;
    enum tr_group_space space;
    struct tr_roster *here, *there;  /* NULL: nobody */
    struct tr_group_watch *watches;  /* groups.c: who is told */
    char name[];
};

/* All zero is empty. */
struct tr_group_table {
    struct tr_group **buckets;
    uint32_t bucket_count, count;    /* of groups; bucket_count is a power of two, or 0 */
    uint32_t memberships;
};

/* Nobody may share a roster any more. */
void tr_group_table_free(struct tr_group_table *table);

/* NULL: there is none. */
struct tr_group *tr_group_find(const struct tr_group_table *table, enum tr_group_space space, const char *name);
/* Makes it if there is none. LIMIT, NO_MEMORY: `*group` is NULL. */
enum troupe_status tr_group_make(struct tr_group_table *table, enum tr_group_space space, const char *name,
                                 struct tr_group **group);
/* Forgets it if nobody is in it and nobody watches it. */
void tr_group_tidy(struct tr_group_table *table, struct tr_group *group);
/* All of them, in no order; begins with NULL. The one before may be tidied up only once this has returned. */
struct tr_group *tr_group_next(const struct tr_group_table *table, const struct tr_group *group);

/* OK; EXISTS: it is a member already; LIMIT, NO_MEMORY. */
enum troupe_status tr_group_add(struct tr_group_table *table, struct tr_group *group, bool here,
                                troupe_address member);
/* False: it is no member. It cannot fail. */
bool tr_group_remove(struct tr_group_table *table, struct tr_group *group, bool here, troupe_address member);
/* All members of another node; `gone` is called for each, in order. */
void tr_group_remove_node(struct tr_group_table *table, struct tr_group *group, uint64_t node,
                          void (*gone)(void *context, struct tr_group *group, troupe_address member), void *context);

/* With the lock, for reading: NULL stays NULL. To be dropped, without the lock or with it. */
struct tr_roster *tr_roster_share(struct tr_roster *roster);
void tr_roster_drop(struct tr_roster *roster);

static inline uint32_t tr_roster_count(const struct tr_roster *roster) { return roster == NULL ? 0 : roster->count; }

#endif
