/*
 * An alarm: something that happens to a cell's present run at a certain time: a timer's tick, or the
 * deadline of an ask.
 *
 * It sits in the wheel of the worker that set it and, when due, goes into the cell's mailbox by its own
 * link: no memory is needed to fire. A cell moves between workers, so cancelling may happen on another
 * one than the wheel's; and the monitor fires what is due while a handler holds the wheel's worker up. So
 * each wheel has a lock. Firing is one step under it, from the wheel into the mailbox and, for the next
 * time, into the wheel again: what was cancelled before does not fire, and ticks come in the order in
 * which they were due, whoever fires them.
 *
 * Its memory is counted: one reference each for the cell's table, the wheel, the mailbox.
 */
#ifndef TR_ALARM_H
#define TR_ALARM_H

#include "core/timer.h"
#include "core/worker.h"

struct tr_alarm {
    struct tr_link link;     /* TR_LINK_ALARM; in the cell's mailbox while `waiting` */
    struct tr_timer timer;   /* in the owner's wheel, under its lock */
    struct tr_worker *owner;
    struct tr_cell *cell;
    uint64_t id;             /* in the cell's table */
    int64_t interval;        /* 0: once */
    _Atomic uint32_t references;
    bool cancelled;          /* the cell's */
    _Atomic bool waiting;
    /* It happens: called by the worker that runs the cell, while the run that set it lives. */
    void (*fire)(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm);
    /* The last reference is gone: frees what the alarm is part of. `pool`: as for tr_alarm_drop. */
    void (*release)(struct tr_pool *pool, struct tr_alarm *alarm);
};

/* Sets an alarm of the cell that `worker` is running: `fire` and `release` are filled in, the rest is
 * zero. Takes it. 0: no memory, nothing was taken. */
uint64_t tr_alarm_set(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm,
                      int64_t delay, int64_t interval);

/* By the worker that runs the cell; `worker` may be NULL. False: it has happened, or never was. After it,
 * `fire` is not called. */
bool tr_alarm_cancel(struct tr_worker *worker, struct tr_cell *cell, uint64_t id);
/* The same, but the alarm lives on, with a reference that is the caller's. NULL for false. */
struct tr_alarm *tr_alarm_take(struct tr_cell *cell, uint64_t id);
/* At the end of a run. */
void tr_alarms_cancel_all(struct tr_worker *worker, struct tr_cell *cell);

/* A reference of the caller's own, while it works with the alarm. `pool`: of the calling worker, for the
 * memory, or NULL. */
void tr_alarm_hold(struct tr_alarm *alarm);
void tr_alarm_drop(struct tr_pool *pool, struct tr_alarm *alarm);

/* Called when its link comes up in the mailbox (false: it was cancelled, and nothing was done); and once the
 * link is out of it. */
bool tr_alarm_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm);
void tr_alarm_handled(struct tr_worker *worker, struct tr_alarm *alarm);
/* The same in two steps: the link may be pushed again from here on, and the mailbox's reference is the caller's
 * to drop. For a handler that waits in troupe_receive, and may be given the next tick of its timer there. */
void tr_alarm_free_link(struct tr_alarm *alarm);

/* Fires what is due in a worker's wheel. `caller`: the calling thread's worker, or NULL. Any thread. */
void tr_alarms_expire(struct tr_worker *owner, struct tr_worker *caller);
/* When that has something to do; INT64_MAX: there is no alarm. Any thread. */
int64_t tr_alarms_next(struct tr_worker *owner);

static inline struct tr_alarm *tr_alarm_of_link(struct tr_link *link) {
    return (struct tr_alarm *)(void *)link;
}

#endif
