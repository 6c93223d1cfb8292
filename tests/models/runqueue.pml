/*
 * Mirrors: tr_runqueue_push, tr_runqueue_pop, tr_runqueue_spill, tr_runqueue_steal (actor/core/runqueue.c). A change there
 * must change this model.
 *
 * A ring of four, an owner that pushes, pops and spills, two thieves with rings of their own; the second one steals
 * from the first one too. Counters begin below their end, so that they wrap around; fewer links are pushed
 * than there are counts, as within one theft in 2^32.
 *
 * Shown: each link is taken once, by one worker, and none is lost.
 *
 * BUG 1: a thief takes by a look and a store.
 * BUG 2: the owner pops by a store, as if there were no thieves.
 * BUG 3: a thief makes its loot visible before it is its own.
 * BUG 4: the owner spills by a store, as if there were no thieves.
 */
#ifndef BUG
#define BUG 0
#endif

#define SIZE 4
#define COUNTS 8
#ifndef LINKS
#define LINKS 4
#endif

typedef queue { byte head; byte tail; byte slots[SIZE] }
queue q[3];
bool taken[LINKS + 1];
byte count_taken;

#define LENGTH(t, h) ((t + COUNTS - h) % COUNTS)

inline got(link) {
    atomic {
        assert(link > 0 && !taken[link]);
        taken[link] = true;
        count_taken++;
        link = 0
    }
}

/* Only the owner moves tail: its own look at it is no step. ok: there was room. */
inline push(me, link, ok, h) {
    h = q[me].head;
    atomic { ok = LENGTH(q[me].tail, h) < SIZE; h = 0 }
    if
    :: ok -> q[me].slots[q[me].tail % SIZE] = link; q[me].tail = (q[me].tail + 1) % COUNTS
    :: else
    fi
}

inline take(from, h, n, ok) {
    atomic {
        if
        :: q[from].head == h -> q[from].head = (h + n) % COUNTS; ok = true
        :: else -> h = q[from].head; ok = false
        fi
    }
}

inline pop(me, link, ok, h) {
    h = q[me].head;
    ok = false;
    do
    :: !ok && h != q[me].tail ->
        link = q[me].slots[h % SIZE];
#if BUG == 2
        q[me].head = (h + 1) % COUNTS; ok = true
#else
        take(me, h, 1, ok)
#endif
    :: ok -> break
    :: else -> link = 0; break
    od;
    atomic { ok = false; h = 0 }
}

/* Two at most, read once they are the owner's; n is what is left of them. */
inline spill(me, link, ok, h, n) {
    h = q[me].head;
    ok = false;
    do
    :: !ok && h != q[me].tail ->
        n = (LENGTH(q[me].tail, h) > 1 -> 2 : 1);
#if BUG == 4
        q[me].head = (h + n) % COUNTS; ok = true
#else
        take(me, h, n, ok)
#endif
    :: ok && n > 0 -> link = q[me].slots[h % SIZE]; got(link); atomic { h = (h + 1) % COUNTS; n-- }
    :: else -> break
    od;
    atomic { ok = false; h = 0; n = 0 }
}

/* The first is in `link`, 0: none; others in the ring of `me`. */
inline steal(from, me, link, ok, h, n, room, i) {
    room = SIZE - LENGTH(q[me].tail, q[me].head);
    h = q[from].head;
    do
    :: n = LENGTH(q[from].tail, h);
        if
        :: n == 0 -> link = 0; break
        :: n > SIZE -> h = q[from].head
        :: else ->
            n = n - n / 2;
            if
            :: n > room + 1 -> n = room + 1
            :: else
            fi;
            i = 1;
            do
            :: i < n ->
                q[me].slots[(q[me].tail + i - 1) % SIZE] = q[from].slots[(h + i) % SIZE];
                i++
            :: else -> break
            od;
            link = q[from].slots[h % SIZE];
#if BUG == 3
            q[me].tail = (q[me].tail + n - 1) % COUNTS;
#endif
#if BUG == 1
            ok = q[from].head == h;
            if
            :: ok -> q[from].head = (h + n) % COUNTS
            :: else -> h = q[from].head
            fi;
#else
            take(from, h, n, ok);
#endif
            if
            :: ok ->
#if BUG != 3
                q[me].tail = (q[me].tail + n - 1) % COUNTS;
#endif
                break
            :: else
            fi
        fi
    od;
    atomic { ok = false; h = 0; n = 0; room = 0; i = 0 }
}

proctype owner() {
    byte link = 1, popped, h, n;
    bool ok;
    do
    :: link <= LINKS ->
        push(0, link, ok, h);
        if
        :: ok -> link++
        :: else
        fi;
        if
        :: true
        :: spill(0, popped, ok, h, n)
        :: pop(0, popped, ok, h);
            if
            :: popped > 0 -> got(popped)
            :: else
            fi
        fi
    :: else -> break
    od;
    do
    :: pop(0, popped, ok, h);
        if
        :: popped > 0 -> got(popped)
        :: else -> break
        fi
    od
}

proctype thief(byte me; byte thefts) {
    byte link, from, h, n, room, i;
    bool ok;
    do
    :: thefts > 0 ->
        thefts--;
        if
        :: from = 0
        :: me == 2 -> from = 1
        fi;
        steal(from, me, link, ok, h, n, room, i);
        if
        :: link > 0 -> got(link)
        :: else
        fi;
        if
        :: true
        :: pop(me, link, ok, h);
            if
            :: link > 0 -> got(link)
            :: else
            fi
        fi
    :: else -> break
    od;
    do
    :: pop(me, link, ok, h);
        if
        :: link > 0 -> got(link)
        :: else -> break
        fi
    od
}

init {
    atomic {
        q[0].head = COUNTS - 2; q[0].tail = COUNTS - 2;
        q[1].head = COUNTS - 1; q[1].tail = COUNTS - 1;
        run owner(); run thief(1, 1); run thief(2, 1)
    }
    timeout -> assert(count_taken == LINKS)
}
