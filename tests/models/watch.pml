/*
 * Mirrors: tr_watch_ready, handle, let_go, ask_again, leave, tr_watch_set (actor/core/watch.c);
 * tr_source_happens, tr_source_handle, tr_source_let_go, tr_source_cancel (actor/core/source.c); take_source
 * (actor/core/batch.c). A change there must change this model.
 *
 * One watch in the loop of worker 0; both workers run its cell by turns, which may pause it, resume it and
 * cancel it at any time. The kernel reports once for each time it is asked; what it reported may still be in
 * the hands of worker 0 when the watch is gone. A handler may wait in troupe_receive for the next event, which
 * then is handled within it. Somebody outside writes a few bytes; a handler reads all there are. The mailbox is
 * one step to push and one to take out.
 *
 * Shown: the watch is released once, when nobody has it any more, and not touched after that; its link is in the
 * mailbox once at most; nothing is handled after it was cancelled, or while it is paused; when all is quiet and
 * the watch is on, nothing is left to read.
 *
 * BUG 1: the table gives the lock back before the mailbox's reference is taken.
 * BUG 2: the link is free again only after the kernel was asked for the next event.
 * BUG 3: a watch that was changed while its handler ran is not asked for in the end.
 * BUG 4: the mailbox has no reference of its own.
 * BUG 5: a handler that waits asks for the next event neither then nor in the end.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef BYTES
#define BYTES 2
#endif

byte references, links, unread, left = BYTES, changes = 3;
bool released, cancelled, waiting, handling, wanted, in_table, in_loop_table;
bool armed, reported; /* by the kernel: one event to come; one in the hands of worker 0 */
bool locked, taken;

inline touch() { assert(!released) }

inline lock() { atomic { !locked -> locked = true } }

inline unlock() { locked = false }

inline drop() {
    atomic {
        touch();
        assert(references > 0);
        references--;
        if
        :: references == 0 -> assert(!in_table && !in_loop_table && links == 0); released = true
        :: else
        fi
    }
}

inline arm() { atomic { touch(); armed = true } }

/* tr_watch_ready: worker 0 has an event. */
inline ready(push, found) {
    lock();
    found = in_loop_table;
#if BUG == 1
    unlock();
#endif
    if
    :: found -> atomic { touch(); push = !waiting; waiting = true }
    :: else -> push = false
    fi;
#if BUG != 4
    if
    :: push -> atomic { touch(); references++ }
    :: else
    fi;
#endif
#if BUG != 1
    unlock();
#endif
    if
    :: push -> atomic { touch(); links++; assert(links == 1) }
    :: else
    fi;
    atomic { push = false; found = false }
}

inline cancel() {
    in_table = false;
    atomic { touch(); cancelled = true }
    lock();
    in_loop_table = false;
    unlock();
    armed = false;
    drop()
}

/* What a handler may do, this one's or another one's. */
inline set(on) {
    wanted = on;
    if
    :: on && !handling && !waiting -> arm()
    :: else
    fi
}

inline change() {
    if
    :: changes > 0 && in_table ->
        changes--;
        if
        :: set(true)
        :: set(false)
        :: cancel()
        fi
    :: true
    fi
}

inline ask_again() {
    if
    :: handling ->
        handling = false;
#if BUG == 3
        if
        :: !cancelled && wanted && changes == 3 -> arm()
        :: else
        fi
#else
        if
        :: !cancelled && wanted -> arm()
        :: else
        fi
#endif
    :: else
    fi
}

inline take_out() {
    atomic { touch(); links--; assert(links == 0) }
#if BUG != 2
    waiting = false
#endif
}

inline end_handling() {
    ask_again();
#if BUG == 2
    waiting = false;
#endif
    drop()
}

/* In its handler: troupe_receive. */
inline receive() {
#if BUG == 5
    handling = false;
#else
    ask_again();
#endif
    if
    :: links > 0 ->
        take_out();
        if
        :: !cancelled && wanted ->
            handling = true;
            unread = 0;
            change()
        :: else
        fi;
        end_handling()
    :: true
    fi
}

inline handle() {
    take_out();
    if
    :: !cancelled && wanted ->
        handling = true;
        assert(in_table);
        unread = 0;
        change();
        if
        :: receive()
        :: true
        fi
    :: else
    fi;
    end_handling()
}

/* One turn of the cell: its mailbox, or a handler of some other message. */
inline turn() {
    if
    :: links > 0 -> handle()
    :: changes > 0 && in_table -> change()
    fi;
    taken = false
}

proctype worker(byte me) {
    bool push, found;
end:
    do
    :: atomic { !taken && (links > 0 || (changes > 0 && in_table)) -> taken = true }; turn()
    :: atomic { me == 0 && armed && unread > 0 -> armed = false; reported = true }
    :: atomic { me == 0 && reported -> reported = false }; ready(push, found)
    od
}

proctype outside() {
    do
    :: left > 0 -> atomic { left--; unread++ }
    :: else -> break
    od
}

init {
    atomic {
        references = 1; in_table = true; in_loop_table = true; wanted = true; armed = true;
        run worker(0); run worker(1); run outside()
    }
    timeout -> assert(in_table || released); assert(!in_table || !wanted || unread == 0)
}
