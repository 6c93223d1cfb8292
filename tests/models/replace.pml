/*
 * Mirrors: tr_start, forget_stop, tr_notify, set_stop (actor/core/send.c); tr_cell_ring (actor/core/worker.c);
 * take_wake, take_wake_out, take_one (actor/core/batch.c); tr_run_system, obey_all, obey, take_stop,
 * tr_run_is_asked_to_stop (actor/core/run.c). A change there must change this model.
 *
 * A supervised cell on a thread of its own, and what the runs of a supervisor order there, one after the other.
 * Each starts the actor; each but the last is killed, and has the actor killed, or is cut off before it can. The
 * last one stops it in the end. Somebody else asks for a stop at any time. A start handler waits for messages until
 * it is told to stop, or returns. The mailbox is one step to push and one to advance (mailbox.pml).
 *
 * Shown: of two runs in the cell the first has ended before the other begins; the last start is obeyed; the stop
 * behind it ends that run, and no kill that was meant for one before.
 *
 * BUG 1: a start is dropped when there is a run.
 * BUG 2: of starts that came together each is obeyed.
 * BUG 3: who waits looks for a stop alone.
 * BUG 4: who waits takes the notices.
 * BUG 5: a start leaves a stop as it is.
 * BUG 6: who waits does not see the stop that came with its start.
 * BUG 7: stops are alike, so that another one may be taken than was looked at.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef RUNS
#define RUNS 2 /* of the supervisor */
#endif
#if BUG == 7
#define UNIQUE(how, number) (how)
#else
#define UNIQUE(how, number) (how + number)
#endif
#define ORDERLY 10 /* + number */
#define KILL 20

chan mailbox = [2] of { bit }; /* the wake */
bool waking, orders, begun[RUNS + 1];
byte notices;                  /* a bit for the start by each run */
byte stop, life;               /* the run that is in the cell, by the run of the supervisor */

inline ring(was) {
    atomic { was = waking; waking = true; orders = true }
    if
    :: !was -> assert(len(mailbox) == 0); mailbox!1
    :: else
    fi;
    was = false
}

inline ask_to_stop(how, was) {
    atomic {
        if
        :: stop < how -> stop = how
        :: else
        fi
    }
    ring(was)
}

proctype supervisors() {
    byte n = 1;
    bool was;
    do
    :: n <= RUNS ->
#if BUG != 5
        if
        :: stop != 0 -> stop = 0
        :: else
        fi;
#endif
        notices = notices | (1 << n);
        ring(was);
        if
        :: n < RUNS -> ask_to_stop(UNIQUE(KILL, n), was)
        :: n < RUNS
        :: n == RUNS ->
            if
            :: true -> begun[RUNS] /* it has to come without a stop that helps it */
            :: true
            fi;
            ask_to_stop(UNIQUE(ORDERLY, n), was)
        fi;
        n++
    :: else -> break
    od
}

proctype somebody() {
    bool was;
    if
    :: ask_to_stop(UNIQUE(ORDERLY, 0), was)
    :: true
    fi
}

inline take_wake(was) {
    mailbox?_;
    atomic { waking = false; was = orders };
    if
    :: was -> ring(was)
    :: else
    fi
}

/* Within the handler of the present run. */
inline wait(told, was) {
    told = false;
    do
    :: told -> break
    :: !told && orders ->
        orders = false;
#if BUG == 3
        told = stop != 0;
#else
        atomic { told = stop != 0 || notices != 0 };
#endif
#if BUG == 4
        atomic { told = stop != 0; notices = 0 };
#endif
        if
        :: told -> orders = true
        :: else
        fi
    :: !told && !orders -> atomic { len(mailbox) > 0 || orders };
        if
        :: !orders && len(mailbox) > 0 -> take_wake(was)
        :: else
        fi
    od
}

inline begin(n, told, was) {
    assert(life == 0 && !begun[n]);
    life = n;
    begun[n] = true;
#if BUG != 6
    if
    :: stop != 0 -> orders = true
    :: else
    fi;
#endif
    if
    :: wait(told, was)
    :: true
    fi
}

/* The last of those that came together; the others are overtaken. */
inline obey(taken, n, told, was) {
    n = 1;
    do
    :: n > RUNS -> break
#if BUG == 2
    :: n <= RUNS && (taken & (1 << n)) != 0 ->
#else
    :: n <= RUNS && (taken >> n) == 1 ->
#endif
#if BUG == 1
        if
        :: life == 0 -> begin(n, told, was)
        :: else
        fi;
#else
        life = 0;
        begin(n, told, was);
#endif
        n++
    :: else -> n++
    od;
    n = 0
}

inline obey_stop(seen) {
    seen = stop;
    if
    :: seen != 0 && notices != 0
    :: else ->
        atomic {
            if
            :: seen != 0 && stop == seen -> stop = 0
            :: else -> seen = 0
            fi
        };
        if
        :: seen == 0
        :: seen != 0 ->
            assert(seen < KILL || life != RUNS);
            life = 0
        fi
    fi;
    seen = 0
}

proctype worker() {
    byte taken, n, seen;
    bool told, was;
end:
    do
    :: len(mailbox) > 0 ->
        if
        :: orders ->
            orders = false;
            atomic { taken = notices; notices = 0 };
            obey(taken, n, told, was);
            taken = 0;
            obey_stop(seen)
        :: else
        fi;
        if
        :: len(mailbox) > 0 -> take_wake(was)
        :: else
        fi
    :: len(mailbox) == 0 && orders && !waking -> assert(false) /* nobody would look */
    od
}

init {
    atomic { run supervisors(); run somebody(); run worker() }
    timeout -> assert(begun[RUNS] && life == 0 && notices == 0 && stop == 0 && !waking)
}
