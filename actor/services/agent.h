/*
 * The agent: an actor on every node, at a slot that all know, which starts and stops cells there for
 * supervisors on other nodes. What a supervisor has on its own node it starts and stops itself, in the same way. Only
 * the node of a cell's own supervisor may have it started, killed or forgotten; anybody may have it stopped in order.
 */
#ifndef TR_AGENT_H
#define TR_AGENT_H

#include <troupe/message.h>

#include "core/cell.h"

/* Begin a run in a bound cell. Answered with tr_started or tr_exited (core/report.h) to `owner`. saved_type: "":
 * nothing is saved. */
#define TR_START_CHILD_FIELDS(field)                                                               \
    field(u32, slot) field(str, actor) field(bytes, args) field(str, path) field(address, owner)   \
    field(u64, key) field(u32, run) field(u32, mailbox_limit) field(bool, drop_newest)             \
    field(bool, at_least_once) field(bool, flush) field(str, saved_type) field(bytes, saved)
TROUPE_MESSAGE(tr_start_child, TR_START_CHILD_FIELDS)

/* End the run in a cell; `kill`: without its stop handler. `by`: who wants it; or none. */
#define TR_STOP_CELL_FIELDS(field) field(u32, slot) field(u32, generation) field(bool, kill) field(address, by)
TROUPE_MESSAGE(tr_stop_cell, TR_STOP_CELL_FIELDS)

/* A bound cell will not run again. */
#define TR_FORGET_CHILD_FIELDS(field) field(u32, slot)
TROUPE_MESSAGE(tr_forget_child, TR_FORGET_CHILD_FIELDS)

/* From this node alone: another one has died, with its supervisors. Those of their children that are here end; what was
 * still to be started for them has come before this, and what their next runs start comes after it. */
#define TR_ORPHANED_FIELDS(field) field(u64, node)
TROUPE_MESSAGE(tr_orphaned, TR_ORPHANED_FIELDS)

struct tr_node;
struct tr_worker;
struct tr_codec_error;

/* Begins a run in a cell of this node, as the agent does and a supervisor for its children here: `start` but for
 * `class`, `actor`, and the start message, packed. With any code but OK nothing was taken. */
enum troupe_status tr_agent_begin(struct tr_node *node, struct tr_worker *worker, troupe_address cell,
                                  struct tr_run_spec *start, const char *actor, struct troupe_bytes args,
                                  struct tr_codec_error *error);

static inline troupe_address tr_agent_address(uint64_t node) {
    return (troupe_address){ node, TR_AGENT_SLOT, TR_BOUND_GENERATION };
}

#endif
