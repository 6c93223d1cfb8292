/*
 * Mirrors: tr_schedule (actor/core/worker.c); tr_cell_ring; tr_own_give, tr_own_leave (actor/core/own.c);
 * tr_spawn, tr_start, tr_notify (actor/core/send.c); take_one (actor/core/batch.c); tr_run_system, take_notices,
 * retire (actor/core/run.c). A change there must change this model.
 *
 * One slot and the actors that live in it, one after the other, each on the pool or on a thread of its own.
 * Each gets a start and a message, which is its end. Somebody with an old address sends into the slot at
 * any time, messages and words about bonds. The mailbox is one step to push and one to advance (mailbox.pml), the wake is always in it
 * (wake.pml).
 *
 * Shown: each actor is started once, where it lives, before its message is handled, and ends; the cell is
 * run by one at a time; nobody schedules it with a thread that has ended.
 *
 * BUG 1: a start is obeyed wherever it comes up.
 * BUG 2: the slot is free before the cell is the pool's again.
 * BUG 3: a start that is left where it is does not raise the flag again.
 * BUG 4: who pushes looks at the home before the exchange.
 * BUG 5: notices are taken that came after the home was looked at.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef LATE
#define LATE 1 /* messages with an old address */
#endif
#define LIVES 3
#define POOL 0
#define WAKE 100
#define STALE 101

chan mailbox = [8] of { byte };   /* WAKE, STALE, or the number of the life it is for */
byte scheduled[LIVES + 1];        /* 0: of the pool; n: of the thread of life n */
bool ended[LIVES + 1];            /* threads */
byte home, notice, life, handled, running;
byte place[LIVES + 1];            /* where each is to live */
bool orders, slot_free = true, said; /* said: a word, for whoever lived here */

inline push(kind, where, was_empty) {
#if BUG == 4
    where = home;
#endif
    atomic { was_empty = len(mailbox) == 0; mailbox!kind }
    if
    :: was_empty ->
#if BUG != 4
        where = home;
#endif
        atomic {
            assert(!ended[where]);
            scheduled[where]++
        }
    :: else
    fi;
    where = 0;
    was_empty = false
}

proctype spawner() {
    byte n = 1, where;
    bool was_empty;
    do
    :: n <= LIVES ->
        atomic { slot_free -> slot_free = false }
        if
        :: home = n; place[n] = n
        :: true /* the pool's */
        fi;
        notice = n;
        orders = true;
        push(WAKE, where, was_empty);
        push(n, where, was_empty);
        n++
    :: else -> break
    od
}

proctype late() {
    byte left = LATE, where;
    bool was_empty;
    do
    :: left > 0 -> push(STALE, where, was_empty); left--
    :: left > 0 -> said = true; orders = true; push(WAKE, where, was_empty); left--
    :: else -> break
    od
}

proctype worker(byte me) {
    byte kind, taken, where;
    bool more, leaving, word;
end_idle:
    do
    :: atomic { scheduled[me] > 0 -> scheduled[me]--; running++; assert(running == 1) };
        more = true;
        do
        :: more ->
            if
            :: orders ->
                orders = false;
look:           atomic { taken = notice; word = said }; /* the lane, as it is */
                if
#if BUG != 1
                :: (taken != 0 || word) && home != me ->
                    taken = 0;
#if BUG != 3
                    orders = true;
#endif
                    running--;
                    where = home;
                    atomic {
                        assert(!ended[where]);
                        scheduled[where]++;
                        where = 0
                    }
                    break
#endif
                :: else
                fi;
                atomic {
                    if
#if BUG == 5
                    :: true -> taken = notice; notice = 0; said = false
#else
                    :: notice == taken && said == word -> notice = 0; said = false
                    :: else -> goto look
#endif
                    fi
                }
                if
                :: taken != 0 -> assert(life == 0 && place[taken] == me); life = taken; taken = 0
                :: else
                fi
            :: else
            fi;
            mailbox?<kind>;
            if
            :: kind < WAKE ->
                assert(life == kind);
                handled++;
                life = 0;
#if BUG == 2
                slot_free = true;
#endif
                if
                :: me != POOL -> home = POOL; leaving = true
                :: else
                fi;
#if BUG != 2
                slot_free = true
#endif
            :: else
            fi;
            atomic {
                mailbox?kind;
                kind = 0;
                more = len(mailbox) > 0;
                if
                :: !more -> running--
                :: else
                fi
            }
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
    timeout -> assert(handled == LIVES && life == 0 && len(mailbox) == 0 && notice == 0)
}
