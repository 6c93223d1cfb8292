/*
 * Silence: an actor is told when nothing has come for so long (include/troupe/behaviour.h).
 *
 * A cell that wants it has turns of another kind (TR_TURN_WATCHED): after each link that is something to the actor,
 * the time is noted. To be able to do so after a handler, which might have emptied the mailbox and so have given
 * the cell to another worker, the guard is put behind such a link before it is handled (batch.c). All other cells
 * pay nothing.
 *
 * The alarm is set for the moment when the silence would be long enough, and not touched by what comes: when it
 * goes off too early it is set again, for the rest. So one alarm is set in each `time`, however much comes.
 */
#ifndef TR_IDLE_H
#define TR_IDLE_H

#include "core/alarm.h"

struct tr_idle {
    int64_t time;               /* of silence */
    int64_t last;               /* when something came: when its handler had returned */
    uint64_t alarm;             /* 0: told, and nothing has come since */
    struct tr_message *message; /* the troupe_idle that is handled */
};

/* Is what comes next in the mailbox, or is held, something to the actor? */
bool tr_idle_is_disturbed(struct tr_cell *cell);

/* That was handled; the run may have ended with it. May end it: there is no memory for the alarm. */
void tr_idle_disturbed(struct tr_worker *worker, struct tr_cell *cell);

/* It would go off and find that something came meanwhile. */
bool tr_idle_is_early(struct tr_worker *worker, struct tr_cell *cell, const struct tr_alarm *alarm);

/* At the end of a run, with its alarms cancelled. */
void tr_idle_end(struct tr_worker *worker, struct tr_cell *cell);

#endif
