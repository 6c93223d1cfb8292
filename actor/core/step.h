/*
 * A node that is stepped: it has one worker and no threads, its time is what somebody else says, and its actors run
 * when somebody calls tr_node_step, in the thread that calls it. So nothing happens by chance: the test kit.
 *
 * What would be done by other threads is done in place: calls of troupe_work (services/work.c); an actor that asks
 * for a thread of its own has none, and cannot wait in troupe_receive. Nobody watches for handlers that do not return.
 */
#ifndef TR_STEP_H
#define TR_STEP_H

#include "core/node.h"

/* How many cells are to run, those included whose timers are due or whose descriptors are ready by now. */
uint32_t tr_node_runnable(struct tr_node *node);

/* One of them has a turn, for one message: the one that has waited longest, or as many later as `pick` says, which then
 * wait behind all others. False: there is none. */
bool tr_node_step(struct tr_node *node, uint32_t pick);

/* When its next timer is due; INT64_MAX: there is none. May be too early, but is always later than what was due. */
int64_t tr_node_next(struct tr_node *node);

#endif
