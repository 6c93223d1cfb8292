/*
 * Mirrors: tr_own_schedule, call, take, sleep_for, tr_own_wait, tr_own_expect, tr_own_give, tr_owns_halt
 * (actor/core/own.c); go_idle, take_back, await (actor/core/receive.c). A change there must change this
 * model.
 *
 * One thread of an actor's own, senders, somebody who halts the node, and somebody who gives another actor a
 * thread. The mailbox is one step to push and one to advance (mailbox.pml shows why). While it handles a
 * message, the thread may call troupe_receive, whose wait may end by itself: by its timeout. The futex keeps no
 * wakes: one that comes while nobody waits is gone.
 *
 * Shown: nothing is left in the mailbox while the thread sleeps; nobody schedules a cell that is being run;
 * the thread ends when the node is halted, wherever it waits, and nobody gets its place then, where its cell may
 * still be scheduled.
 *
 * BUG 1: it goes to sleep by a store, not by a swap.
 * BUG 2: no look at `halted` between that and sleeping.
 * BUG 3: who halts the node writes over the word whatever it says.
 * BUG 4: after a timeout the cell is taken back without waiting for who is about to schedule it.
 * BUG 5: the node is halted before it is said that no more threads are given.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef MESSAGES
#define MESSAGES 2 /* of each sender */
#endif
#define SENDERS 2
#define RECEIVES 2

#define AWAKE 0
#define ASLEEP 1
#define SCHEDULED 2

byte word, mailbox, handled, receives;
bool waits;             /* in the futex */
bool guard;             /* in the mailbox */
bool closed, halted, running, ended;

inline end_sleep(before) {
    if
    :: before == ASLEEP -> waits = false
    :: else
    fi
}

proctype sender() {
    byte left = MESSAGES, before;
    bool empty_before;
    do
    :: left > 0 ->
        atomic { empty_before = mailbox == 0; mailbox++ }
        if
        :: empty_before ->
            atomic {
                before = word;
                word = SCHEDULED;
                assert(!running && before != SCHEDULED)
            }
            end_sleep(before)
        :: else
        fi;
        left--
    :: else -> break
    od
}

proctype halter() {
    byte before;
    if
    :: goto over
    :: skip
    fi;
#if BUG == 5
    halted = true;
    closed = true;
#else
    closed = true;
    halted = true;
#endif
    before = word;
#if BUG == 3
    word = AWAKE;
    end_sleep(before);
#else
    if
    :: before == ASLEEP ->
        atomic {
            before = word;
            if
            :: word == ASLEEP -> word = AWAKE
            :: else
            fi
        }
        end_sleep(before)
    :: else
    fi;
#endif
over:
    skip
}

/* Its actor never leaves it, so that only the halted node ends the thread. */
proctype giver() {
end:
    atomic { ended && !closed -> assert(false) }
}

/* Takes a link out of the mailbox. */
inline advance(more) {
    atomic {
        if
        :: guard && mailbox == 1 -> guard = false
        :: else -> handled++
        fi;
        mailbox--;
        more = mailbox > 0;
        running = more
    }
}

proctype own() {
    bool more, within; /* troupe_receive */
idle:
    if
    :: atomic { word == SCHEDULED -> word = AWAKE; running = true; within = false } goto batch
    :: else
    fi;
    if
    :: halted || within -> goto over
    :: !halted
    fi;
#if BUG == 1
    if
    :: word == AWAKE -> word = ASLEEP
    :: else -> goto idle
    fi;
#else
    atomic {
        if
        :: word == AWAKE -> word = ASLEEP
        :: else -> goto idle
        fi
    }
#endif
    if
#if BUG != 2
    :: halted -> goto awake
    :: !halted
#else
    :: true
#endif
    fi;
    atomic {
        if
        :: word == ASLEEP -> waits = true
        :: else
        fi
    }
end_asleep:
    if
    :: !waits
    :: within -> waits = false
    fi;
awake:
    atomic {
        if
        :: word == ASLEEP -> word = AWAKE
        :: else
        fi
    }
    goto idle;

over: /* nothing came: the node is halted, or the time is up */
    if
    :: !within -> goto end_thread
    :: else -> within = false
    fi;
    atomic {
        more = mailbox > 0;
        mailbox++;
        guard = true;
        if
        :: !more -> running = true
        :: else
        fi
    }
    if
    :: !more
    :: more ->
#if BUG == 4
        running = true
#else
        atomic { word == SCHEDULED -> word = AWAKE; running = true }
#endif
    fi;

batch:
    if
    :: advance(more)
    :: atomic { receives < RECEIVES && !guard -> receives++; handled++; guard = true };
        if
        :: mailbox == 1 -> advance(more); within = !more
        :: else -> advance(more)
        fi
    fi;
    if
    :: more -> goto batch
    :: else -> goto idle
    fi;
end_thread:
    ended = true
}

init {
    byte i;
    atomic {
        do
        :: i < SENDERS -> run sender(); i++
        :: else -> break
        od;
        run halter();
        run giver();
        run own()
    }
    timeout -> assert((halted && ended) || (!halted && !ended && handled == SENDERS * MESSAGES))
}
