/* The supervisor actor: drives supervision.h for one supervisor of the configured tree. */
#ifndef TR_SUPERVISOR_H
#define TR_SUPERVISOR_H

#include <troupe/death.h>

/* Starts it: which of the node's specs it is. */
#define TR_SUPERVISE_FIELDS(field) field(u32, index)
TROUPE_MESSAGE(tr_supervise, TR_SUPERVISE_FIELDS)

/* A node is dead, with all that ran on it. `death` is of its process: whoever was on it fills in the rest. */
#define TR_NODE_DOWN_FIELDS(field) field(u64, node) field(message(troupe_death), death)
TROUPE_MESSAGE(tr_node_down, TR_NODE_DOWN_FIELDS)

/* The time that the machine had asked for. */
TROUPE_MESSAGE_EMPTY(tr_supervisor_tick)

#endif
