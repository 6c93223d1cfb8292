/*
 * A node that is stepped: it has one worker and no threads, its time is what somebody else says, and its actors run
 * when somebody calls tr_node_run, in the thread that calls it. So nothing happens by chance: the test kit.
 *
 * What would be done by other threads is done in place: calls of troupe_work (services/work.c); an actor that asks
 * for a thread of its own has none, and cannot wait in troupe_receive. Nobody watches for handlers that do not return.
 */
#ifndef TR_STEP_H
#define TR_STEP_H

#include "core/node.h"

/* How many cells are to run, those included whose timers are due or whose descriptors are ready by now. */
uint32_t tr_node_runnable(struct tr_node *node);

/* Takes the one that has waited longest, or as many later as `pick` says, less than there are: those then wait
 * behind all others. NULL: there is none. Whoever takes it must run it, or give it back: it waits behind all others
 * again. */
struct tr_cell *tr_node_take(struct tr_node *node, uint32_t pick);
void tr_node_give_back(struct tr_node *node, struct tr_cell *cell);

/* It has a turn, for one message. */
void tr_node_run(struct tr_node *node, struct tr_cell *cell);

/* When its next timer is due; INT64_MAX: there is none. May be too early, but is always later than what was due. */
int64_t tr_node_next(struct tr_node *node);

#endif
