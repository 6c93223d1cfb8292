/*
 * Mirrors: tr_wake_one, tr_schedule, search, is_to_nap, become_idle, become_busy, park, share_the_rest, get_work, turn
 * (actor/core/worker.c); tr_steal_late, tr_steal (actor/core/steal.c); tr_loop_park, tr_loop_wake (actor/core/loop.c). A change there must
 * change this model.
 *
 * Two workers, and two pushers from outside. One cell is long: its handler never returns, and may queue
 * another cell with its own worker before. Or three workers, two long cells, and one pusher: then the
 * workers' own queues, which would be too much to explore, are left out. So is the LIFO slot, which wakes
 * nobody by design.
 *
 * Shown: no cell is left lying while a worker sleeps, although all others are busy for ever.
 *
 * BUG 1: no look at the queues between going idle and sleeping.
 * BUG 2: the idle are looked at before the cell is queued.
 * BUG 3: who found work while searching does not pass the word on.
 * BUG 4: who was woken takes its work without passing the word on (with three workers).
 * BUG 5: what has not waited long is left even by the last look before sleeping.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#define LONG (WORKERS - 1)
#if WORKERS == 2
#define OWN_QUEUES 1
#define SHORT 2
#else
#define OWN_QUEUES 0
#define SHORT 1
#endif

byte shared_long, shared_short; /* the shared queue: cells of either kind */
byte own[WORKERS];              /* the workers' queues: short cells */
byte mask, idle, searching;
byte wakes[WORKERS];            /* eventfd */
byte done, stuck, children;

inline wake_one(i) {
    if
    :: idle == 0 || searching > 0
    :: else ->
        atomic {
            i = 0;
            do
            :: i < WORKERS && !(mask & (1 << i)) -> i++
            :: else -> break
            od;
            if
            :: i < WORKERS -> mask = mask & ~(1 << i)
            :: else
            fi
        }
        if
        :: i < WORKERS -> idle--; wakes[i]++
        :: else
        fi
    fi;
    i = 0
}

proctype pusher(byte longs; byte shorts) {
    byte i;
    do
    :: longs + shorts > 0 ->
#if BUG == 2
        wake_one(i);
#endif
        atomic {
            if
            :: longs > 0 -> shared_long++; longs--
            :: shorts > 0 -> shared_short++; shorts--
            fi
        }
#if BUG != 2
        wake_one(i)
#endif
    :: else -> break
    od
}

/* found: 0 none, 1 short, 2 long. */
inline take_shared(found) {
    atomic {
        if
        :: shared_long > 0 -> shared_long--; found = 2
        :: shared_short > 0 -> shared_short--; found = 1
        :: else
        fi
    }
}

#if OWN_QUEUES
inline take_own(i, found) {
    atomic {
        if
        :: own[i] > 0 -> own[i]--; found = 1
        :: else
        fi
    }
}

inline steal(i, me, found) {
    i = 0;
    do
    :: i < WORKERS && found == 0 ->
        if
        :: i != me -> take_own(i, found)
        :: else
        fi;
        i++
    :: else -> i = 0; break
    od
}
#else
inline take_own(i, found) { skip }
inline steal(i, me, found) { skip }
#endif

inline find_work(me, found) {
    take_own(me, found);
    if
    :: found == 0 -> take_shared(found)
    :: else
    fi
}

inline share_the_rest(i, left) {
    left = shared_long + shared_short > 0;
#if OWN_QUEUES
    do
    :: i < WORKERS && !left -> left = own[i] > 0; i++
    :: else -> i = 0; break
    od;
#endif
    if
    :: left -> wake_one(i)
    :: else
    fi;
    left = false
}

proctype worker(byte me) {
    byte i, found;
    bool left, owes_word;
    do
    :: find_work(me, found);
        if
        :: found == 0 ->
            searching++;
#if OWN_QUEUES
            do
            :: found == 0 -> /* what has not waited long is left, and looked at again after a nap: steal.h */
                take_shared(found);
                if
                :: searching == 1 && own[0] + own[1] > 0
                :: else -> break
                fi
            :: found == 0 -> steal(i, me, found)
            :: else -> break
            od;
#else
            take_shared(found);
#endif
            searching--;
            if
            :: found == 0 ->
                mask = mask | (1 << me);
                idle++;
#if BUG != 1
                take_shared(found);
#if BUG != 5
                if
                :: found == 0 -> steal(i, me, found)
                :: else
                fi;
#endif
#endif
                if
                :: found == 0 ->
end_asleep:         atomic { wakes[me] > 0 -> wakes[me] = 0 }
                :: else
                fi;
                atomic {
                    left = mask & (1 << me);
                    mask = mask & ~(1 << me)
                }
                if
                :: left -> idle--
                :: else
                fi;
                left = false
            :: else
            fi;
#if BUG == 4
            owes_word = found != 0
#elif BUG != 3
            owes_word = true
#endif
        :: else
        fi;
        if
        :: found != 0 && owes_word -> owes_word = false; share_the_rest(i, left)
        :: else
        fi;
        if
        :: found == 2 ->
#if OWN_QUEUES
            if
            :: atomic { own[me]++; children++ }; wake_one(i)
            :: true
            fi;
#endif
            stuck++;
end_long:   false
        :: found == 1 -> atomic { done++; found = 0 }
        :: else
        fi
    od
}

init {
    byte i;
    atomic {
#if OWN_QUEUES
        run pusher(LONG, 1);
        run pusher(0, SHORT - 1);
#else
        run pusher(LONG, SHORT);
#endif
        do
        :: i < WORKERS -> run worker(i); i++
        :: else -> break
        od
    }
    timeout -> assert(stuck == LONG && done == SHORT + children)
}
