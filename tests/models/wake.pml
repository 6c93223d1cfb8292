/*
 * Mirrors: tr_cell_ring (actor/core/worker.c); tr_notify, tr_start, set_stop (actor/core/send.c); take_wake,
 * take_one, tr_take_out, take_wake_out, tr_take_within (actor/core/batch.c); tr_run_system, take_notices,
 * take_stop, tr_run_is_asked_to_stop, hear_of_bonds (actor/core/run.c). A change there must change this model.
 *
 * A cell without a run, two workers. One thread starts a run, sends it a message, then stops it; another
 * sends another notice, a word about a bond; a third one sends messages; a fourth stops the run before, too late. The new run
 * lives on the pool, which both workers are; or it lives on a thread of its own, the second worker, and its
 * handlers may receive. The mailbox is one step to push and one to advance (mailbox.pml shows why), and who
 * schedules the cell knows its home (home.pml shows why).
 *
 * Shown: the wake is in the mailbox once at most; every notice is seen; the message of a run is not
 * handled before its start, nor elsewhere than at its home; a stop behind a start ends that run; the mailbox
 * is not empty while a handler runs.
 *
 * BUG 1: no second look after the wake has left the mailbox.
 * BUG 2: the system lane is looked at by the flag of the wake.
 * BUG 3: a stop is dropped while its start has not been seen.
 * BUG 4: the bell of the orders is silenced after they were taken.
 * BUG 5: a stop is taken that is not the one that was seen.
 * BUG 6: within a handler, the bell is silenced before the wake is out of the mailbox.
 * BUG 7: a handler that has learnt of a stop does not leave the orders to be seen again.
 * BUG 8: nor does a worker that finds a start that is not for it.
 * BUG 9: what is taken is not what was looked at.
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
#define GUARD 4
#define POOL 0
#define OWN 1
#define OLD 1      /* a stop of the run before */
#define NEW 2

chan mailbox = [8] of { byte };
byte wakes;        /* in the mailbox */
byte queued[2], running; /* for the pool, for the thread of its own */
byte stop;
byte place, home;  /* where the run is to live; where the cell is at home */
bool waking, orders, started, stopped, other_seen, first_handled, guarded;
byte notices;      /* a set */

inline push(kind) {
    atomic {
        if
        :: len(mailbox) == 0 -> assert(queued[POOL] + queued[OWN] + running == 0); queued[home]++
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
    home = place;
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

inline obey_all(taken, seen) {
    if
    :: taken & START -> assert(!started && home == at); started = true
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
        :: notices != 0
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

inline run_system(taken, seen, away) {
#if BUG != 4
    orders = false;
#endif
    do
    :: taken = notices;
        away = taken != 0 && home != at;
        if
        :: away -> break
        :: else
        fi;
        atomic {
            if
#if BUG == 9
            :: true -> taken = notices; notices = 0; break
#else
            :: notices == taken -> notices = 0; break
            :: else
#endif
            fi
        }
    od;
    if
    :: away ->
#if BUG != 8
        orders = true;
#endif
        taken = 0
    :: else -> obey_all(taken, seen)
    fi
}

/* Within a handler, which ends when it is to stop, or may be: starts wait for its end, words do not. */
inline hear_of_bonds(asked, taken) {
    do
    :: taken = notices;
        asked = taken & START;
        if
        :: asked -> break
        :: else
        fi;
        atomic {
            if
            :: notices == taken -> notices = 0; break
            :: else
            fi
        }
    od;
    if
    :: !asked && (taken & OTHER) -> other_seen = true
    :: else
    fi;
    taken = 0
}

inline is_asked_to_stop(asked, taken) {
    if
    :: orders ->
        orders = false;
        if
        :: stop == NEW -> asked = true
        :: else -> hear_of_bonds(asked, taken)
        fi;
#if BUG != 7
        if
        :: asked -> orders = true
        :: else
        fi
#endif
    :: else
    fi
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

inline take_out(kind) {
    if
    :: len(mailbox) == 1 && !guarded -> guarded = true; push(GUARD)
    :: else
    fi;
    atomic {
        mailbox?kind;
        assert(len(mailbox) > 0);
        if
        :: kind == WAKE -> wakes--
        :: else
        fi
    }
}

inline silence(was) {
    atomic { waking = false; was = orders }
}

inline look_again(was) {
    if
    :: was -> wake_up(was)
    :: else
    fi
}

inline handle(kind) {
    if
    :: kind == FIRST -> atomic { assert(started && home == at); first_handled = true }
    :: else
    fi
}

/* Until it is to stop, or there is nothing more, or the handler has enough. */
inline receive(kind, asked, was, taken) {
    take_out(kind);
    do
    :: is_asked_to_stop(asked, taken);
        mailbox?<kind>;
        if
        :: asked || (kind == GUARD && len(mailbox) == 1) -> break
        :: else
        fi;
        if
        :: kind == GUARD -> guarded = false; mailbox?kind
        :: kind == WAKE ->
#if BUG == 6
            silence(was);
            take_out(kind);
#else
            take_out(kind);
            silence(was);
#endif
            look_again(was)
        :: else ->
            take_out(kind);
            handle(kind);
            if
            :: true
            :: true -> break
            fi
        fi
    od;
    asked = false
}

proctype worker(byte at) {
    byte kind, taken, seen;
    bool more, was, away, asked;
end:
    do
    :: atomic { queued[at] > 0 -> queued[at]--; running++; assert(running == 1) };
        more = true;
        do
        :: more ->
            if
            :: HAS_ORDERS -> run_system(taken, seen, away)
            :: else
            fi;
            if
            :: away -> atomic { running--; queued[home]++; more = false; away = false }
            :: else ->
                mailbox?<kind>;
                handle(kind);
                if
                :: at == OWN && started && !stopped && (kind == FIRST || kind == PLAIN) ->
                    receive(kind, asked, was, taken)
                :: true ->
                    if
                    :: kind == GUARD -> guarded = false
                    :: else
                    fi;
                    advance(kind, more);
                    if
                    :: kind == WAKE ->
                        silence(was);
#if BUG != 1
                        look_again(was)
#endif
                    :: else
                    fi
                fi
            fi;
            kind = 0
        :: else -> break
        od
    od
}

init {
    atomic {
        if
        :: place = POOL; run worker(POOL); run worker(POOL)
        :: place = OWN; run worker(POOL); run worker(OWN)
        fi;
        run starter(); run other(); run sender(); run stopper()
    }
    timeout -> assert(notices == 0 && other_seen && first_handled && stopped && stop != NEW && !waking && !guarded)
}
