/*
 * Mirrors: tr_cell_ring (actor/core/worker.c); notify, tr_start, set_stop (actor/core/send.c); take_wake,
 * take_one (actor/core/batch.c); tr_run_system, obey_stop (actor/core/run.c). A change there
 * must change this model.
 *
 * A cell without a run, two workers. One thread starts a run, sends it a message, then stops it; another
 * sends another notice; a third one sends messages; a fourth stops the run before, too late. The mailbox is one step to push and one to advance
 * (mailbox.pml shows why).
 *
 * Shown: the wake is in the mailbox once at most; every notice is seen; the message of a run is not
 * handled before its start; a stop behind a start ends that run.
 *
 * BUG 1: no second look after the wake has left the mailbox.
 * BUG 2: the system lane is looked at by the flag of the wake.
 * BUG 3: a stop is dropped while its start has not been seen.
 * BUG 4: the bell of the orders is silenced after they were taken.
 * BUG 5: a stop is taken that is not the one that was seen.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef PLAINS
#define PLAINS 2 /* messages of the third one */
#endif
#define START 1
#define OTHER 2
#define WAKE 1
#define PLAIN 2
#define FIRST 3    /* the message behind the start */
#define OLD 1      /* a stop of the run before */
#define NEW 2

chan mailbox = [8] of { byte };
byte wakes;        /* in the mailbox */
byte queued, running;
byte stop;
bool waking, orders, started, stopped, other_seen, first_handled;
byte notices;      /* a set */

inline push(kind) {
    atomic {
        if
        :: len(mailbox) == 0 -> queued++; assert(queued == 1 && running == 0)
        :: else
        fi;
        if
        :: kind == WAKE -> wakes++; assert(wakes == 1)
        :: else
        fi;
        mailbox!kind
    }
}

inline wake_up(was) {
    atomic { was = waking; waking = true; orders = true }
    if
    :: !was -> push(WAKE)
    :: else
    fi;
    was = false
}

proctype starter() {
    bool was;
    stop = 0;
    notices = notices | START;
    wake_up(was);
    push(FIRST);
    stop = NEW;
    wake_up(was)
}

proctype stopper() {
    bool was;
    atomic {
        if
        :: stop < OLD -> stop = OLD
        :: else
        fi
    }
    wake_up(was)
}

proctype other() {
    bool was;
    notices = notices | OTHER;
    wake_up(was)
}

proctype sender() {
    byte left = PLAINS;
    do
    :: left > 0 -> push(PLAIN); left--
    :: else -> break
    od
}

inline run_system(taken, seen) {
#if BUG != 4
    orders = false;
#endif
    atomic { taken = notices; notices = 0 }
    if
    :: taken & START -> assert(!started); started = true
    :: else
    fi;
    if
    :: taken & OTHER -> other_seen = true
    :: else
    fi;
    seen = stop;
    if
    :: seen != 0 ->
        if
#if BUG != 3
        :: (!started || stopped) && notices != 0
#endif
        :: else ->
            atomic {
                if
#if BUG == 5
                :: true -> seen = stop; stop = 0
#else
                :: stop == seen -> stop = 0
                :: else -> seen = 0
#endif
                fi;
                if
                :: started && seen == NEW -> stopped = true
                :: else
                fi
            }
        fi
    :: else
    fi;
    seen = 0;
#if BUG == 4
    orders = false;
#endif
    taken = 0
}

#if BUG == 2
#define HAS_ORDERS (waking)
#else
#define HAS_ORDERS (orders)
#endif

inline advance(kind, more) {
    atomic {
        mailbox?kind;
        more = len(mailbox) > 0;
        if
        :: kind == WAKE -> wakes--
        :: else
        fi;
        if
        :: !more -> running--
        :: else
        fi
    }
}

proctype worker() {
    byte kind, taken, seen;
    bool more, was;
end:
    do
    :: atomic { queued > 0 -> queued--; running++; assert(running == 1) };
        more = true;
        do
        :: more ->
            if
            :: HAS_ORDERS -> run_system(taken, seen)
            :: else
            fi;
            mailbox?<kind>;
            if
            :: kind == FIRST -> atomic { assert(started); first_handled = true }
            :: else
            fi;
            advance(kind, more);
            if
            :: kind == WAKE ->
                atomic { waking = false; was = orders }
#if BUG != 1
                if
                :: was -> wake_up(was)
                :: else
                fi
#endif
            :: else
            fi;
            kind = 0
        :: else -> break
        od
    od
}

init {
    atomic { run starter(); run other(); run sender(); run stopper(); run worker(); run worker() }
    timeout -> assert(notices == 0 && other_seen && first_handled && stopped && stop != NEW && !waking)
}
