/*
 * Groups and topics of a node: the table, who is told of its changes, and the actor that tells the other nodes.
 *
 * Whoever joins or leaves changes the table of its node at once, by itself, under a lock. With the same lock its
 * node's watchers get their notices, and the change is listed for the groups actor, which tells the other nodes:
 * so all hear of the changes of one member in their order.
 *
 * The groups actors of the nodes make a star. Main's is the hub: each of the others tells it of its own members, and
 * hears from it of all others'. Only what a node says of its own members counts, and only while the hub knows it as
 * alive (groups_agent.c). When main dies, all nodes are ended: so the hub is nothing that could be missing.
 *
 * Of a topic the other nodes need not know who has subscribed, only where somebody has: there a topic's member is the
 * groups actor of a node (topic.c).
 */
#ifndef TR_GROUPS_H
#define TR_GROUPS_H

#include <pthread.h>

#include "core/cell.h"
#include "services/group_table.h"

/* That an actor is a member: kept by its cell (struct tr_cell_more), and, as a change, listed for the other nodes. */
struct tr_membership {
    struct tr_membership *next;
    bool topic, joined;
    troupe_address member;
    char name[];
};

struct tr_groups {
    uint64_t hub;               /* the node whose groups actor is the hub */
    pthread_rwlock_t lock;      /* for all to the next line */
    struct tr_group_table table;
    struct tr_membership *first, *last; /* changes of this node's own, not yet taken by the groups actor */
    bool relays;                /* there is another node to be told */
    bool woken;                 /* the groups actor knows that there are some */
    /* any thread */
    _Atomic uint32_t dead_letter_subscribers;
};

/* `relays`: this node is not the hub. */
void tr_groups_init(struct tr_groups *groups, uint64_t hub, bool relays);
void tr_groups_free(struct tr_groups *groups);

static inline troupe_address tr_groups_address(uint64_t node) {
    return (troupe_address){ node, TR_GROUPS_SLOT, TR_BOUND_GENERATION };
}

/* A member of this node leaves all it is in, for its cell ends. By the worker that runs it. */
void tr_groups_leave_all(struct tr_node *node, struct tr_cell *cell);

/* Who is in it; NULL: nobody. To be dropped (tr_roster_drop). Any thread. */
void tr_groups_share(struct tr_groups *groups, enum tr_group_space space, const char *name, struct tr_roster **here,
                     struct tr_roster **there);

/* ---- For the groups actor ---- */

/* A member of another node came or went. The same again changes nothing. LIMIT, NO_MEMORY. */
enum troupe_status tr_groups_apply(struct tr_node *node, struct tr_worker *worker, bool topic, bool joined,
                                   const char *name, troupe_address member);
/* The members of another node are gone with it. */
void tr_groups_lose_node(struct tr_node *node, struct tr_worker *worker, uint64_t lost);
/* The changes of this node's members since the last call, to be freed one by one. */
struct tr_membership *tr_groups_take(struct tr_groups *groups);
/* With the lock: all memberships but those of one node, one by one. From here on there is somebody to be told. */
void tr_groups_tell_all(struct tr_node *node, uint64_t but,
                        void (*tell)(void *context, const struct tr_group *group, troupe_address member),
                        void *context);

/* The changes that are listed are to be taken. */
TROUPE_MESSAGE_EMPTY(tr_groups_changed)

/* A node that has begun wants to hear of the others, and will tell of itself. */
#define TR_GROUPS_ATTACH_FIELDS(field) field(u64, incarnation)
TROUPE_MESSAGE(tr_groups_attach, TR_GROUPS_ATTACH_FIELDS)

#define TR_GROUP_CHANGE_FIELDS(field) field(bool, topic) field(bool, joined) field(str, name) field(address, member)
TROUPE_MESSAGE(tr_group_change, TR_GROUP_CHANGE_FIELDS)

/* incarnation: of the node that says it. */
#define TR_GROUPS_NEWS_FIELDS(field) field(u64, incarnation) field(array(message(tr_group_change)), changes)
TROUPE_MESSAGE(tr_groups_news, TR_GROUPS_NEWS_FIELDS)

/* This incarnation of a node is over: its host tells the hub, and the hub the others. */
#define TR_GROUPS_DOWN_FIELDS(field) field(u64, node) field(u64, incarnation)
TROUPE_MESSAGE(tr_groups_down, TR_GROUPS_DOWN_FIELDS)

#endif
