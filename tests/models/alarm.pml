/*
 * Mirrors: tr_alarm_set, tr_alarm_drop, drop_second, leave_wheel, tr_alarm_cancel, fire, tr_alarms_expire,
 * tr_alarm_handle, tr_alarm_handled, tr_alarm_free_link (actor/core/alarm.c); take_alarm, let_link_go,
 * take_alarm_out (actor/core/batch.c). A change there must change this model.
 *
 * One alarm, once or at intervals, in the wheel of worker 0. Both workers run its cell by turns, which may
 * cancel it at any time; worker 0 and the monitor fire it; a thread of troupe_work has a reference for a while.
 * A handler may wait in troupe_receive for the next tick, which then is handled within it. The mailbox is one
 * step to push and one to advance. `cancelled` is the cell's alone, and needs no order of its own.
 *
 * Shown: the alarm is released once, when nobody has it any more, and not touched after that; its link
 * is in the mailbox once at most; it does not happen after it was cancelled, and is not in the wheel then.
 *
 * BUG 1: cancelling looks into the wheel without its lock.
 * BUG 2: the link is free for the next tick before it has left the mailbox.
 * BUG 3: the mailbox has no reference of its own.
 * BUG 4: one of three references is dropped by a look and a store.
 * BUG 5: the link of a tick whose handler has let go of it is free again when that returns, too.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef TICKS
#define TICKS 3 /* at most */
#endif

#define MONITOR 2

byte references;
bool released, cancelled, waiting, in_wheel, in_table, periodic;
bool lock;         /* of the wheel */
byte links;        /* the alarm's, in the mailbox */
byte ticks, seen;
bool taken, let_go; /* the cell, by a worker; the tick at hand */

inline touch() { assert(!released) }

inline take_lock() { atomic { !lock -> lock = true } }

inline hold() { atomic { touch(); references++ } }

inline release() {
    atomic {
        assert(!released && !in_wheel && !in_table && links == 0);
        released = true
    }
}

/* Looked at first: who has the only reference has it alone. */
inline drop() {
    if
    :: atomic { references == 1 -> touch() }; release()
    :: else ->
        atomic {
            touch();
            assert(references > 0);
            references--;
            if
            :: references == 0 -> release()
            :: else
            fi
        }
    fi
}

#if BUG == 4
#define FEW 3
#else
#define FEW 2
#endif

inline drop_second() {
    atomic { touch(); seen = references }
    if
    :: seen <= FEW -> atomic { touch(); references = seen - 1; seen = 0 }
    :: else -> atomic { touch(); references--; seen = 0 }
    fi
}

inline cancel(was_set) {
    in_table = false;
    atomic { touch(); cancelled = true }
#if BUG != 1
    take_lock();
#endif
    atomic { touch(); was_set = in_wheel; in_wheel = false }
#if BUG != 1
    lock = false;
#endif
    if
    :: was_set -> drop_second()
    :: else
    fi;
    was_set = false;
    drop()
}

inline free_link() {
#if BUG == 2
    waiting = false;
#endif
    links--;
#if BUG != 2
    atomic { touch(); waiting = false }
#endif
}

/* It happens; `goes_on`: for a handler that may cancel it. */
inline happen(goes_on) {
    atomic {
        touch();
        assert(!cancelled && in_table);
        in_table = periodic;
        goes_on = periodic
    }
}

/* In its handler: troupe_receive. */
inline receive(goes_on, was_set) {
    let_go = true;
    free_link();
    if
    :: links > 0 ->
        links--; /* taken out */
        touch();
        if
        :: cancelled
        :: else ->
            happen(goes_on);
            if
            :: cancel(was_set)
            :: true
            fi
        fi;
        atomic { touch(); waiting = false }
        drop()
    :: true
    fi
}

inline handle(goes_on, was_set) {
    touch();
    if
    :: cancelled
    :: else ->
        happen(goes_on);
        if
        :: goes_on -> receive(goes_on, was_set)
        :: true
        fi;
        if
        :: !periodic -> drop()
        :: else
        fi
    fi;
    if
    :: !let_go -> free_link()
    :: else ->
#if BUG == 5
        atomic { touch(); waiting = false }
#else
        skip
#endif
    fi;
    drop();
    atomic { let_go = false; goes_on = false }
}

/* Under the lock. */
inline fire(pushed) {
    atomic { touch(); in_wheel = false } /* out of the wheel, into the list of those that are due */
    atomic { touch(); pushed = !waiting; waiting = true }
#if BUG != 3
    if
    :: pushed -> hold()
    :: else
    fi;
#endif
    atomic { touch(); in_wheel = periodic }
    if
    :: pushed -> atomic { touch(); links++; assert(links == 1) }
    :: else
    fi;
    pushed = false;
    if
    :: !periodic -> drop()
    :: else
    fi
}

inline expire(pushed) {
    take_lock();
    if
    :: in_wheel && ticks < TICKS -> ticks++; fire(pushed)
    :: else
    fi;
    lock = false
}

/* One turn of the cell: its mailbox, and perhaps a handler that cancels the alarm. */
inline turn(goes_on, was_set) {
    if
    :: links > 0 -> handle(goes_on, was_set)
    :: in_table -> cancel(was_set)
    fi;
    taken = false
}

proctype thread(byte me) {
    bool pushed, was_set, goes_on;
end:
    do
    :: atomic { me != MONITOR && !taken && (links > 0 || in_table) -> taken = true }; turn(goes_on, was_set)
    :: me != 1 && in_wheel && ticks < TICKS -> expire(pushed)
    od
}

proctype job() {
    drop()
}

init {
    atomic {
        if
        :: periodic = true
        :: periodic = false
        fi;
        references = 3; in_wheel = true; in_table = true;
        run thread(0); run thread(1); run thread(MONITOR); run job()
    }
    timeout -> assert(released && !in_wheel)
}
