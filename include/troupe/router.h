/*
 * Routers: one address for many actors that do the same work.
 *
 *     - { name: work, actor: troupe_router, args: { group: workers } }
 *     - { name: users, actor: troupe_router, args: { policy: hash, key: user, children: /user } }
 *
 *     troupe_spawn(self, &router, troupe_router, troupe_routing, .policy = "random", .group = "workers");
 *
 * A router is one of Troupe's own actors, in every program: it is configured, spawned and supervised like any other
 * (it need not be given to troupe_main). It takes messages of every type that some actor of the program handles, and
 * hands each on to one of its members, or to all, by troupe_forward: the message keeps its sender, a request is
 * answered by whoever gets it in the end.
 *
 * Its members are those of a group, which come and go while it runs, or the children of a configured `count`, or the
 * children of a supervisor with `strategy: dynamic`, of which it keeps so many. At most 1024; never the router itself.
 *
 * One message from one sender by a router to one member keeps its order; but the policies other than hash give the
 * next message to another member.
 *
 * What nobody takes is a dead letter: its sender hears of it by troupe_undelivered, and the ask that it carries ends
 * with the reason. `gone`: there is no member, or none that lives. `full`: no member has room. `unhandled`: those who
 * have room do not handle it; a request to a broadcasting router; no such key in the message.
 */
#ifndef TROUPE_ROUTER_H
#define TROUPE_ROUTER_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The start message of a router.
 *
 * policy:
 *   "round_robin", or ""   to one after the other. One that is full, or gone, is passed over: the next is tried.
 *   "random"               to any of them; then as above.
 *   "hash"                 to the same member as all messages with the same value in their field `key`; a full one is
 *                          not passed over. When a member comes or goes, only the share of the keys moves that is its
 *                          own (consistent hashing, 64 points for each member).
 *   "broadcast"            a copy to every member; one that is full or does not handle it loses it, as in a topic.
 *
 * Who the members are, one of these:
 *   group      the members of this group (troupe/group.h), as this node knows them
 *   children   the children of the configuration under this path: "/counter" of a `count`
 *   pool       the path of a supervisor with `strategy: dynamic` and a `child` in the configuration, of which the
 *              router starts `size` children and uses all that there are; messages wait until it has tried. What it
 *              cannot have (the pool is full, a child does not start), it asks for again every second
 *
 * key: for "hash": the name of a field in each message; numbers, texts, bytes, flags, addresses.
 * A start that makes no sense fails, and the log says why. */
#define TROUPE_ROUTING_FIELDS(field)                                                               \
    field(str, policy) field(str, group) field(str, children) field(str, pool) field(u32, size) field(str, key)
TROUPE_MESSAGE(troupe_routing, TROUPE_ROUTING_FIELDS)

/* Asked of a router itself, and answered with a troupe_member_count: how many members it has ... */
TROUPE_MESSAGE_EMPTY(troupe_count_members)

/* ... or its pool is to have so many from now on, 1 to 1024: more are started, or the youngest are stopped, in order;
 * the answer comes at once. */
#define TROUPE_RESIZE_FIELDS(field) field(u32, size)
TROUPE_MESSAGE(troupe_resize, TROUPE_RESIZE_FIELDS)

/* status: OK; INVALID: not such a size, or the router has no pool. count: of the members as they are now. */
#define TROUPE_MEMBER_COUNT_FIELDS(field) field(u32, status) field(u32, count)
TROUPE_MESSAGE(troupe_member_count, TROUPE_MEMBER_COUNT_FIELDS)

TROUPE_ACTOR_DECLARE(troupe_router)

#ifdef __cplusplus
}
#endif
#endif
