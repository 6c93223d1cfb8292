/*
 * Mirrors: tr_alarm_set, cancel, hand_to_owner, leave_wheel, fire, tr_alarms_drain, tr_alarm_handle,
 * tr_alarm_handled (actor/core/alarm.c); take_alarm (actor/core/batch.c). A change there must change this
 * model.
 *
 * One alarm, once or at intervals, in the wheel of worker 0; both workers run its cell by turns, which
 * may cancel it at any time. The mailbox is one step to push and one to advance.
 *
 * Shown: the alarm is released once, when nobody has it any more, and not touched after that; its link
 * is in the mailbox once at most; it does not happen after it was cancelled.
 *
 * BUG 1: the inbox has no reference of its own.
 * BUG 2: the link is free for the next tick before it has left the mailbox.
 * BUG 3: the mailbox has no reference of its own.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef TICKS
#define TICKS 3 /* at most */
#endif

byte references;
bool released, cancelled, waiting, in_wheel, in_table, in_inbox, periodic;
byte links;        /* the alarm's, in the mailbox */
byte ticks;
bool taken;        /* the cell, by a worker */

inline touch() { assert(!released) }

inline hold() { atomic { touch(); references++ } }

inline drop() {
    atomic {
        touch();
        assert(references > 0);
        references--;
        if
        :: references == 0 ->
            assert(!in_wheel && !in_table && links == 0 && !in_inbox);
            released = true
        :: else
        fi
    }
}

inline leave_wheel() {
    touch();
    if
    :: in_wheel -> in_wheel = false; drop()
    :: else
    fi
}

inline cancel(me) {
    in_table = false;
    atomic { touch(); cancelled = true }
    if
    :: me == 0 -> leave_wheel()
    :: else ->
#if BUG != 1
        hold();
#endif
        atomic { touch(); in_inbox = true }
    fi;
    drop()
}

inline handle() {
    touch();
    if
    :: cancelled
    :: else ->
        atomic {
            touch();
            assert(!cancelled && in_table); /* it happens */
            in_table = periodic
        }
        if
        :: !periodic -> drop()
        :: else
        fi
    fi;
#if BUG == 2
    waiting = false;
#endif
    links--;
#if BUG != 2
    atomic { touch(); waiting = false }
#endif
    drop()
}

inline fire(again, pushed) {
    atomic { touch(); again = periodic && !cancelled }
    touch();
    if
    :: !cancelled -> atomic { touch(); pushed = !waiting; waiting = true }
    :: else -> pushed = false
    fi;
#if BUG != 3
    if
    :: pushed -> hold()
    :: else
    fi;
#endif
    atomic { touch(); in_wheel = again }
    if
    :: pushed -> atomic { touch(); links++; assert(links == 1) }
    :: else
    fi;
    if
    :: !again -> drop()
    :: else
    fi;
    atomic { again = false; pushed = false }
}

/* One turn of the cell: its mailbox, and perhaps a handler that cancels the alarm. */
inline turn(me) {
    if
    :: links > 0 -> handle()
    :: in_table -> cancel(me)
    fi;
    taken = false
}

proctype worker(byte me) {
    bool again, pushed;
end:
    do
    :: atomic { !taken && (links > 0 || in_table) -> taken = true }; turn(me)
    :: me == 0 && in_wheel && ticks < TICKS -> ticks++; fire(again, pushed)
    :: atomic { me == 0 && in_inbox -> in_inbox = false }; leave_wheel(); drop()
    od
}

init {
    atomic {
        if
        :: periodic = true
        :: periodic = false
        fi;
        references = 2; in_wheel = true; in_table = true;
        run worker(0); run worker(1)
    }
    timeout -> assert(released)
}
