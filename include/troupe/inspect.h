/*
 * Looking at a running application: its tree, its nodes, its actors. Requests are ordinary messages, which any actor
 * on any node may ask; the replies are what tools are made of.
 *
 *     enum troupe_status status = troupe_ask(self, troupe_observer(address), troupe_inspect_actor, TROUPE_SECOND,
 *                                            .actor = address);
 *     TROUPE_ANSWER(my_tool, troupe_inspect_actor, troupe_actor_info) { ... reply->waiting, reply->high_water ... }
 *
 * An actor of Troupe's own on each node, the *observer*, answers. It changes nothing, and those who are looked at pay
 * nothing for it: times are sampled, counts are those that are kept anyway. Replies grow at the end, as all
 * messages may.
 */
#ifndef TROUPE_INSPECT_H
#define TROUPE_INSPECT_H

#include <troupe/supervisor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whom to ask: the observer of the node that this address is of, be that still valid or not. Any observer answers, for
 * it hands on what it cannot know; this one does so without a detour. Any thread. */
troupe_address troupe_observer(troupe_address address);

/* ---- An actor ---- */

/* What about this one? Answered with a troupe_actor_info. */
#define TROUPE_INSPECT_ACTOR_FIELDS(field) field(address, actor)
TROUPE_MESSAGE(troupe_inspect_actor, TROUPE_INSPECT_ACTOR_FIELDS)

/* status: enum troupe_status. GONE: the address is stale; UNREACHABLE: so is its node; LIMIT: too many such questions
 * are open there (1024), ask again. Then only `address` is filled.
 * actor: the name of its type. node, pid: where it is. own_thread: it has one of its own. waiting, limit, high_water,
 * refused: of its mailbox, as troupe_mailbox tells. handled: messages that it is done with, those that died in its hands
 * included; from the first use of its address on, and again from 0 at 2^32.
 * busy: ns in its handlers, as far as samples every 10 ms tell; 0 for an actor with a thread of its own.
 * handling: the type of the message that a worker has at hand for it at this moment; "": none.
 *
 * The rest, and in `handled` replies, notices and the messages of other nodes, only if `whole`: it comes from the
 * actor's own worker, between two handlers. If that has not come to it in 0.1 s, because a handler does not return or
 * no run is under way, you get the reply without; which of them it is, `handling` and the tree tell. path, name (as
 * registered). behaviour: what it has become, "" at first. running: the same as `whole`. starting: not ready yet. run:
 * starts but the first. uptime: ns of this run. timers: and open asks. sources: watched descriptors and signals wanted.
 * stashed: messages put aside. kept: askers that it owes an answer. A plain actor that nobody supervises, without a
 * name, timers and the like, has no path and uptime. */
#define TROUPE_ACTOR_INFO_FIELDS(field)                                                            \
    field(u32, status) field(address, address) field(str, actor) field(u64, node) field(i64, pid)  \
    field(bool, own_thread) field(u32, waiting) field(u32, limit) field(u32, high_water)           \
    field(u32, refused) field(u32, handled) field(i64, busy) field(str, handling)                  \
    field(bool, whole) field(str, path) field(str, name) field(str, behaviour)                     \
    field(bool, running) field(bool, starting) field(u32, run) field(i64, uptime)                  \
    field(u32, timers) field(u32, sources) field(u32, stashed) field(u32, kept)
TROUPE_MESSAGE(troupe_actor_info, TROUPE_ACTOR_INFO_FIELDS)

/* ---- A node ---- */

/* One of its workers. name: of its thread, as `top -H` shows it; of a single actor's, the end of its path. own_thread: it
 * is one. active: ns of CPU time that the thread has used; idle: what else has passed since it began. Of two readings
 * the differences tell the utilisation between them: active / (active + idle), as Node's eventLoopUtilization. Looking
 * for work (`spin`) is active, a handler that waits for the system is idle, but `busy`. */
#define TROUPE_WORKER_INFO_FIELDS(field)                                                           \
    field(str, name) field(bool, own_thread) field(i64, active) field(i64, idle)
TROUPE_MESSAGE(troupe_worker_info, TROUPE_WORKER_INFO_FIELDS)

/* Answered by the node's observer alone with a troupe_node_info. */
TROUPE_MESSAGE_EMPTY(troupe_inspect_node)

/* incarnation: rises with each start of its process. name: "main", the path of its actor or the name of the process
 * that several share. workers: threads of its pool; own_threads: of single actors; idle: workers that sleep. queued:
 * cells that wait for a worker. busy: ns that workers spent in handlers, sampled as above. uptime: ns. sent to blocked:
 * as in struct troupe_counts, of this node since it started. buffers, buffer_bytes, resident: of its process, the
 * latter 0 if the system does not tell. version: of Troupe. threads: each worker, those of single actors last; in a test
 * kit none. */
#define TROUPE_NODE_INFO_FIELDS(field)                                                             \
    field(u64, node) field(u32, incarnation) field(i64, pid) field(str, name) field(u32, workers)  \
    field(u32, own_threads) field(u32, idle) field(u32, queued) field(i64, busy)                   \
    field(i64, uptime) field(u64, sent) field(u64, handled) field(u64, dead_letters)               \
    field(u64, in_doubt) field(u64, refused) field(u64, blocked) field(u64, buffers)               \
    field(u64, buffer_bytes) field(u64, resident) field(str, version)                              \
    field(array(message(troupe_worker_info)), threads)
TROUPE_MESSAGE(troupe_node_info, TROUPE_NODE_INFO_FIELDS)

/* ---- The tree ---- */

/* Who is supervised by whom? under: a supervisor to begin with; no address: the root. limit: of items, 0 and at most:
 * 10,000. Answered with a troupe_tree_info once all supervisors have told of their children, each within a second. */
#define TROUPE_INSPECT_TREE_FIELDS(field) field(address, under) field(u32, limit)
TROUPE_MESSAGE(troupe_inspect_tree, TROUPE_INSPECT_TREE_FIELDS)

/* parent: the index of its supervisor among the items, UINT32_MAX for those directly under where the look began. Of
 * supervisors, the children stand together, from left to right. depth: 0 for these. complete: it is no supervisor, or
 * all its children are among the items; else it did not tell in time, or there was no more room. strategy: of a
 * complete supervisor. age: ns in this state. The others are those of troupe_child_info (supervisor.h). */
#define TROUPE_TREE_ITEM_FIELDS(field)                                                             \
    field(u32, parent) field(u32, depth) field(str, name) field(str, path) field(str, actor)       \
    field(address, address) field(bool, is_supervisor) field(bool, complete)                       \
    field(u32, strategy) field(u32, state) field(i64, age) field(u64, restarts) field(u32, restart) \
    field(str, failure) field(i64, failed_at)
TROUPE_MESSAGE(troupe_tree_item, TROUPE_TREE_ITEM_FIELDS)

/* status: enum troupe_status; the supervisor to begin with did not tell in time, is GONE, or is none (UNHANDLED).
 * complete: as of an item, for that one. */
#define TROUPE_TREE_INFO_FIELDS(field)                                                             \
    field(u32, status) field(bool, complete) field(array(message(troupe_tree_item)), items)
TROUPE_MESSAGE(troupe_tree_info, TROUPE_TREE_INFO_FIELDS)

#ifdef __cplusplus
}
#endif
#endif
