/*
 * The monitor: a thread of a node that looks after workers held up by a handler that does not return. It
 * reports them, has others take what waits behind them, and fires their timers. monitor.c tells how, and
 * when it sleeps.
 */
#ifndef TR_MONITOR_H
#define TR_MONITOR_H

#include "core/node.h"

/* Its thread inherits the signal mask of the caller. False: no memory or threads. */
bool tr_monitor_start(struct tr_node *node);
/* Ends the thread and waits for it; safe on a node without one, and twice. By the thread that ends the
 * node. */
void tr_monitor_end(struct tr_node *node);
/* After that, once no worker is left: says of the handlers that were reported that they are over. */
void tr_monitor_conclude(struct tr_node *node);
void tr_monitor_free(struct tr_node *node);

/* How long the actor of a cell, slot << 32 | generation, or all of the node were in their handlers, by samples
 * (busy.h). Any thread; 0 on a node without a monitor. */
int64_t tr_monitor_busy(struct tr_node *node, uint64_t cell);
int64_t tr_monitor_busy_total(struct tr_node *node);

/* By a worker that was on the idle mask and is not any more, before it runs anything. */
void tr_monitor_notice(struct tr_node *node);

#endif
