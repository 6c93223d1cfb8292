/*
 * Mirrors: tr_spawn, begin, set_stop (actor/core/send.c); tr_cell_ring (actor/core/worker.c); take_start,
 * take_wake, take_one (actor/core/batch.c); tr_run_begin, take_stop, is_to_be_started, retire
 * (actor/core/run.c). A change there must change this model.
 *
 * One slot and the actors that nobody supervises in it, one after the other, each on the pool or on a thread
 * of its own. The start of each is in the mailbox, as a link like the others. Whoever spawned it sends it a
 * message and asks it to stop; it ends by that. Somebody with an old address sends into the slot and asks
 * for stops at any time, once with an address that he guessed. The mailbox is one step to push and one to
 * advance (mailbox.pml), the bell rings as in wake.pml.
 *
 * Shown: each actor begins once, where it lives, before its message is handled; it is stopped, and by a stop
 * of its own; the cell is run by one at a time; nobody schedules it with a thread that has ended.
 *
 * BUG 1: a stop of an actor that has not begun is dropped.
 * BUG 2: nobody looks for a stop when it has begun.
 * BUG 3: a start is obeyed wherever it comes up.
 * BUG 4: a start that is left where it is is not scheduled again.
 * BUG 5: a stop is obeyed whatever run it is of.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef LATE
#define LATE 1 /* messages with an old address */
#endif
#define LIVES 2
#define POOL 0
#define WAKE 100
#define STALE 101
#define FIRST 10 /* + n: the message of life n; n alone: its start */

chan mailbox = [8] of { byte };
byte scheduled[LIVES + 1]; /* 0: of the pool; n: of the thread of life n */
bool ended[LIVES + 1];     /* threads */
byte place[LIVES + 1];     /* where each is to live */
byte home, running, life, generation = 1, stop, begun, stopped;
bool waking, orders, slot_free = true;

inline schedule(where) {
    where = home;
    atomic {
        assert(!ended[where]);
        scheduled[where]++;
        where = 0
    }
}

inline push(kind, where, was_empty) {
    atomic { was_empty = len(mailbox) == 0; mailbox!kind }
    if
    :: was_empty -> schedule(where)
    :: else
    fi;
    was_empty = false
}

inline ring(where, was_empty, was) {
    atomic { was = waking; waking = true; orders = true }
    if
    :: !was -> push(WAKE, where, was_empty)
    :: else
    fi;
    was = false
}

inline ask_to_stop(whom) {
    atomic {
        if
        :: stop < whom -> stop = whom
        :: else
        fi
    }
}

proctype spawner() {
    byte n = 1, where;
    bool was_empty, was;
    do
    :: n <= LIVES ->
        atomic { slot_free -> slot_free = false }
        if
        :: home = n; place[n] = n
        :: true /* the pool's */
        fi;
        if
        :: stop != 0 -> stop = 0
        :: else
        fi;
        push(n, where, was_empty);
        push(FIRST + n, where, was_empty);
        ask_to_stop(n);
        ring(where, was_empty, was);
        n++
    :: else -> break
    od
}

proctype late() {
    byte left = LATE, where, whom;
    bool was_empty, was;
    do
    :: left > 0 -> push(STALE, where, was_empty); left--
    :: else -> break
    od;
    if
    :: whom = 1
    :: whom = 2
    fi;
    if
    :: generation == whom -> ask_to_stop(whom); ring(where, was_empty, was)
    :: else
    fi
}

inline obey_stop(seen, leaving, me) {
    seen = stop;
    if
#if BUG != 1
    :: seen != 0 && life == 0 && seen == generation -> seen = 0 /* to be started */
#endif
    :: else ->
        atomic {
            if
            :: stop == seen -> stop = 0
            :: else -> seen = 0
            fi
        }
    fi;
    if
#if BUG == 5
    :: seen != 0 && life != 0 ->
        assert(seen == life);
#else
    :: seen != 0 && seen == generation && life != 0 ->
#endif
        stopped++;
        life = 0;
        generation++;
        if
        :: me != POOL -> home = POOL; leaving = true
        :: else
        fi;
        slot_free = true
    :: else
    fi;
    seen = 0
}

proctype worker(byte me) {
    byte kind, where, seen;
    bool more, leaving, was_empty, was;
end_idle:
    do
    :: atomic { scheduled[me] > 0 -> scheduled[me]--; running++; assert(running == 1) };
        more = true;
        do
        :: more ->
            if
            :: orders -> orders = false; obey_stop(seen, leaving, me)
            :: else
            fi;
            mailbox?<kind>;
            if
#if BUG != 3
            :: kind <= LIVES && home != me ->
                running--;
                kind = 0;
#if BUG != 4
                schedule(where);
#endif
                break
#endif
            :: kind <= LIVES && (home == me || BUG == 3) ->
                assert(life == 0 && generation == kind && place[kind] == me);
                life = kind;
                begun++;
#if BUG != 2
                if
                :: stop != 0 -> obey_stop(seen, leaving, me)
                :: else
                fi
#endif
            :: kind > FIRST && kind < WAKE -> assert(begun >= kind - FIRST)
            :: else
            fi;
            atomic {
                was = kind == WAKE;
                mailbox?kind;
                kind = 0;
                more = len(mailbox) > 0;
                if
                :: !more -> running--
                :: else
                fi
            }
            if
            :: was ->
                atomic { waking = false; was = orders };
                if
                :: was -> ring(where, was_empty, was)
                :: else
                fi
            :: else
            fi
        :: else -> break
        od;
        if
        :: leaving -> break
        :: else
        fi
    od;
    ended[me] = true
}

init {
    byte i;
    atomic {
        run spawner();
        run late();
        do
        :: i <= LIVES -> run worker(i); i++
        :: else -> break
        od
    }
    timeout -> assert(begun == LIVES && stopped == LIVES && life == 0 && len(mailbox) == 0 && slot_free)
}
