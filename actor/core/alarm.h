/*
 * An alarm: something that happens to a cell's present run at a certain time: a timer's tick, or the
 * deadline of an ask.
 *
 * It sits in the wheel of the worker that set it and, when due, goes into the cell's mailbox by its own
 * link: no memory is needed to fire. A cell moves between workers, so cancelling may happen on another
 * one than the wheel's: then the alarm is handed to its owner through the owner's inbox.
 *
 * Its memory is counted: one reference each for the cell's table, the wheel, the mailbox, the inbox.
 */
#ifndef TR_ALARM_H
#define TR_ALARM_H

#include "core/timer.h"
#include "core/worker.h"

struct tr_alarm {
    struct tr_link link;     /* TR_LINK_ALARM; in the cell's mailbox while `waiting` */
    struct tr_timer timer;   /* in the owner's wheel */
    struct tr_worker *owner;
    struct tr_cell *cell;
    uint64_t id;             /* in the cell's table */
    int64_t interval;        /* 0: once */
    _Atomic uint32_t references;
    _Atomic bool cancelled;
    _Atomic bool waiting;
    bool in_wheel;           /* the owner's */
    struct tr_alarm *next;   /* in the owner's inbox */
    /* It happens: called by the worker that runs the cell, while the run that set it lives. */
    void (*fire)(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm);
    /* The last reference is gone: frees what the alarm is part of. */
    void (*release)(struct tr_alarm *alarm);
};

/* Sets an alarm of the cell that `worker` is running: `fire` and `release` are filled in, the rest is
 * zero. Takes it. 0: no memory, nothing was taken. */
uint64_t tr_alarm_set(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm,
                      int64_t delay, int64_t interval);

/* By the worker that runs the cell. False: it has happened, or never was. After it, `fire` is not called. */
bool tr_alarm_cancel(struct tr_worker *worker, struct tr_cell *cell, uint64_t id);
/* At the end of a run. */
void tr_alarms_cancel_all(struct tr_worker *worker, struct tr_cell *cell);

/* A reference of the caller's own, while it works with the alarm. */
void tr_alarm_hold(struct tr_alarm *alarm);
void tr_alarm_drop(struct tr_alarm *alarm);

/* Called when its link comes up in the mailbox; and once the link is out of it. */
void tr_alarm_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm);
void tr_alarm_handled(struct tr_alarm *alarm);

/* The owner's turn: fires what is due; takes out what others cancelled. */
void tr_alarms_expire(struct tr_worker *worker, int64_t now);
void tr_alarms_drain(struct tr_worker *worker);

static inline struct tr_alarm *tr_alarm_of_link(struct tr_link *link) {
    return (struct tr_alarm *)(void *)link;
}

#endif
