/* What a supervisor hears of besides reports of its children (core/report.h) and requests (troupe/supervisor.h). */
#ifndef TR_SUPERVISOR_H
#define TR_SUPERVISOR_H

#include <troupe/death.h>

/* A node is dead, with all that ran on it. `death` is of its process: whoever was on it fills in the rest. */
#define TR_NODE_DOWN_FIELDS(field) field(u64, node) field(message(troupe_death), death)
TROUPE_MESSAGE(tr_node_down, TR_NODE_DOWN_FIELDS)

/* The time that the machine had asked for. */
TROUPE_MESSAGE_EMPTY(tr_supervisor_tick)

#endif
