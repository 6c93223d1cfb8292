/*
 * Mirrors: reserve, is_below, give_back, wait_for_room, refuse_full, tr_tell_waiters (actor/core/send.c),
 * tr_cell_depth (actor/core/send.h), count_settled and the end of tr_cell_run (actor/core/batch.c),
 * tr_waiters_add, tr_waiters_take (actor/core/waiters.c). A lane's credit (take_credit, want_ready,
 * tell_if_ready in actor/place/lane_send.c) is the same with one counter. A change there must change this
 * model.
 *
 * A mailbox for one message, or for LIMIT. Two senders want troupe_ready and wait for it when refused, until theirs are
 * sent; a third one only tries. One worker, or another, runs the cell.
 *
 * Of those who wait one is told at a time, or all when nothing waits in the mailbox.
 *
 * Shown: who was refused and wants to know is told; a sender is refused only while others have reserved
 * all the room.
 *
 * BUG 1: a sender that does not wait looks at nobody else's waiting.
 * BUG 2: a sender that waits does not look once more itself.
 * BUG 3: what is queued and settled is compared without a sign.
 * BUG 4: whoever leaves some untold does not look whether anybody will come to tell them.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef LIMIT
#define LIMIT 1
#endif
#define WANTING 2
#define EACH 1
#define TRIES 2
#define COUNTS 256

byte queued = COUNTS - 1, settled = COUNTS - 1, seen = COUNTS - 1; /* they wrap around */
byte held;                    /* ghost: reservations that are neither given back nor settled */
byte mailbox, running;
bool scheduled;
bool waiters;
bool table[WANTING], told[WANTING];
byte sent;

/* Is q - s less than n? */
#if BUG == 3
#define BELOW(q, s, n) (((q) + COUNTS - (s)) % COUNTS < (n))
#else
#define BELOW(q, s, n) ((((q) + COUNTS - (s)) % COUNTS + COUNTS / 2) % COUNTS < (n) + COUNTS / 2)
#endif

#define TABLE (table[0] || table[1])

/* Who is told first is left open. */
inline tell(who) {
    told[who] = true;
    table[who] = false
}

inline tell_ready(q, s) {
    do
    :: waiters ->
        q = queued;
        s = settled;
        if
        :: !BELOW(q, s, LIMIT / 2 + 1) -> break
        :: else
        fi;
        /* Nothing waits there: all are told. Else one is. */
        q = (BELOW(q, s, 1) -> 1 : 0);
        atomic { s = waiters; waiters = false }
        if
        :: s == 0 -> break
        :: else
        fi;
        atomic {
            if
            :: table[0] -> tell(0)
            :: table[1] -> tell(1)
            :: else
            fi;
            if
            :: q == 1 && table[0] -> tell(0)
            :: q == 1 && table[1] -> tell(1)
            :: else
            fi;
            s = (TABLE -> 1 : 0)
        }
        if
        :: s == 0 -> break
        :: else
        fi;
        waiters = true;
#if BUG == 4
        break
#else
        q = queued;
        s = settled;
        if
        :: !BELOW(q, s, 1) -> break
        :: else
        fi
#endif
    :: else -> break
    od;
    atomic { q = 0; s = 0 }
}

inline reserve(ok, q, s) {
    atomic { q = queued; queued = queued + 1; held++ }
    s = seen;
    if
    :: BELOW(q, s, LIMIT) -> ok = true
    :: else ->
        s = settled;
        seen = s;
        if
        :: BELOW(q, s, LIMIT) -> ok = true
        :: else ->
            ok = false;
            assert((q + COUNTS - s) % COUNTS >= LIMIT && (q + COUNTS - s) % COUNTS < COUNTS / 2);
            atomic { queued = queued - 1; held-- }
        fi
    fi;
    atomic { q = 0; s = 0 }
}

inline deliver() {
    atomic {
        sent++;
        if
        :: mailbox == 0 -> assert(!scheduled && running == 0); scheduled = true
        :: else
        fi;
        mailbox++
    }
}

proctype wanting(byte me) {
    byte left = EACH, q, s;
    bool ok;
    do
    :: left > 0 ->
        reserve(ok, q, s);
        if
        :: ok -> deliver(); left--
        :: else ->
            table[me] = true;
            waiters = true;
#if BUG != 2
            tell_ready(q, s);
#endif
            atomic { told[me] -> told[me] = false }
        fi
    :: else -> break
    od
}

proctype trying() {
    byte left = TRIES, q, s;
    bool ok;
    do
    :: left > 0 ->
        left--;
        reserve(ok, q, s);
        if
        :: ok -> deliver()
        :: else ->
#if BUG != 1
            tell_ready(q, s)
#endif
        fi
    :: else -> break
    od
}

proctype worker() {
    byte q, s;
    bool more;
end:
    do
    :: atomic { scheduled -> scheduled = false; running++; assert(running == 1) };
        more = true;
        do
        :: more ->
            atomic { settled = settled + 1; held-- }
            atomic {
                mailbox--;
                more = mailbox > 0;
                if
                :: !more -> running--
                :: else
                fi
            }
        :: else -> break
        od;
        tell_ready(q, s)
    od
}

init {
    atomic { run wanting(0); run wanting(1); run trying(); run worker(); run worker() }
    timeout -> assert(sent >= WANTING * EACH && mailbox == 0 && held == 0 && queued == settled)
}
