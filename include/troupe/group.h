/*
 * Groups: actors that belong together, found by one name from every node of the application.
 *
 *     TROUPE_START(worker, job) { return troupe_join(self, "workers"); }
 *
 *     TROUPE_ON(dispatcher, troupe_joined) { ... msg->members ... }
 *     TROUPE_ON(dispatcher, troupe_left) { ... }
 *     TROUPE_START(dispatcher, job) { return troupe_group_watch(self, "workers"); }
 *
 * A group exists as long as it has members; nobody makes or removes one. An actor may be in any number of groups,
 * once in each. It is a member from its join until it leaves, its cell ends for good, or its process dies: as
 * with its name, a restart of a supervised actor in the same process changes nothing (what is sent to it meanwhile
 * waits for the next run), and its start handler may join again.
 *
 * As in Erlang's pg, whose words these are: on its own node a change is seen when the call returns; other nodes see
 * it a moment later, all changes of one member in their order. Nodes agree as soon as the changes have stopped; a
 * node that has just begun knows its own members first, and those of the others a moment later.
 *
 * Group names are as those of actors: 1 to 64 bytes of UTF-8 without slashes and control characters. A node knows at
 * most 65,536 groups and topics (troupe/topic.h), and 1,048,576 memberships in all of them.
 *
 * As everything in actor.h, to be called from within a handler.
 */
#ifndef TROUPE_GROUP_H
#define TROUPE_GROUP_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes this actor a member; one that is changes nothing. INVALID (the name: the log says why), LIMIT, NO_MEMORY,
 * STOPPING (it is about to end). */
enum troupe_status troupe_join(troupe_self *self, const char *group) TROUPE_MUST_USE;

/* NOT_FOUND: it is no member. */
enum troupe_status troupe_leave(troupe_self *self, const char *group);

/* Who is in the group, as far as this node knows: those of this node first, each lot in the order in which they
 * joined. Writes at most `capacity` addresses and returns how many members there are; 0 as well for what is no name.
 * A look into memory. */
size_t troupe_members(troupe_self *self, const char *group, troupe_address *addresses, size_t capacity);

/* What a watched group's members do. The first troupe_joined after troupe_group_watch says who is in the group
 * already, perhaps nobody; from then on each member that comes is in one troupe_joined and each that goes in one
 * troupe_left. Up to 1024 members in one message; the first may thus be several. */
#define TROUPE_JOINED_FIELDS(field) field(str, group) field(array(address), members)
TROUPE_MESSAGE(troupe_joined, TROUPE_JOINED_FIELDS)
TROUPE_MESSAGE(troupe_left, TROUPE_JOINED_FIELDS)

/* Gives this actor, for the rest of its run, a troupe_joined or troupe_left for each change, in their order: those
 * of the two that it handles. They have no sender, are not counted by contract 3 and not bounded by the mailbox's
 * limit. Watching a group again changes nothing. INVALID (the name, or the actor handles neither: the log says
 * which), LIMIT, NO_MEMORY, STOPPING. */
enum troupe_status troupe_group_watch(troupe_self *self, const char *group) TROUPE_MUST_USE;

/* After this no change of the group is told, even one that waits already. GONE: it was not watched. */
enum troupe_status troupe_group_unwatch(troupe_self *self, const char *group);

#ifdef __cplusplus
}
#endif
#endif
