/*
 * Mirrors: tr_mailbox_push, tr_mailbox_advance (actor/core/mailbox.h); tr_guard_behind, tr_take_out, take_guard,
 * take_watched, tr_cell_run (actor/core/batch.c). A change there must change this model.
 *
 * Three senders, two of them of two links; one cell; two workers. The consumer handles a link while it is the head, or takes it out
 * to live on, with the guard behind it if it is the last; or it puts the guard there, handles the link while it is
 * the head, and looks at the cell once more afterwards.
 *
 * Shown: each link is handled once, those of a sender in their order; no two workers run the cell; it is
 * queued once at most; a link that left the mailbox is not touched any more; nothing is left lying.
 *
 * BUG 1: the mailbox becomes empty in two steps, a look and a store.
 * BUG 2: the head leaves the mailbox before it is handled.
 * BUG 3: a link is taken out without the guard.
 * BUG 4: the cell is looked at once more without the guard.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef LINKS
#define LINKS 5
#endif
#define GUARD (LINKS + 1)
#define BATCH 2

byte next[LINKS + 2], tail, head;
bool gone[LINKS + 2];      /* handled, and its memory the consumer's again */
byte queued;       /* in a run queue */
byte running;      /* workers that run the cell */
byte handled;
byte last_handled; /* of the first sender, which sends 1 and 2 */
bool guarded;

/* A link to push; `before` is the pusher's own. The store of next is no step of its own: nobody sees it. */
inline push(link, before) {
    atomic { next[link] = 0; before = tail; tail = link }
    if
    :: before == 0 -> head = link; atomic { queued++; assert(queued == 1 && running == 0) }
    :: else -> atomic { assert(!gone[before]); next[before] = link }
    fi;
    before = 0
}

proctype sender(byte link; byte end) {
    byte before;
    do
    :: link < end -> push(link, before); link++
    :: else -> break
    od
}

/* more: the cell is still the caller's. */
inline advance(link, following, more) {
    atomic { assert(!gone[link]); following = next[link] }
    if
    :: following == 0 ->
#if BUG == 1
        if
        :: tail == link -> atomic { tail = 0; more = false; running-- }
        :: else -> atomic { next[link] != 0 -> following = next[link] }; head = following; more = true
        fi
#else
        atomic {
            if
            :: tail == link -> tail = 0; more = false; running--
            :: else -> more = true
            fi
        }
        if
        :: more -> atomic { next[link] != 0 -> following = next[link] }; head = following
        :: else
        fi
#endif
    :: else -> head = following; more = true
    fi;
    following = 0
}

inline use(link) {
    atomic {
        assert(!gone[link]);
        if
        :: link <= 2 -> assert(link == last_handled + 1); last_handled = link
        :: else
        fi;
        handled++
    }
}

inline guard_behind(link, before) {
    if
    :: next[link] == 0 && !guarded -> guarded = true; push(GUARD, before)
    :: else
    fi
}

proctype worker() {
    byte link, following, before, i;
    bool more;
end:
    do
    :: atomic { queued > 0 -> queued--; running++; assert(running == 1) };
        i = 0; more = true;
        do
        :: more && i < BATCH ->
            link = head;
            if
            :: link == GUARD -> guarded = false; advance(link, following, more)
#if BUG == 2
            :: link != GUARD -> advance(link, following, more); use(link); gone[link] = true
#else
            :: link != GUARD -> use(link); advance(link, following, more); gone[link] = true
#endif
            :: link != GUARD -> /* taken out */
#if BUG != 3
                guard_behind(link, before);
#endif
                advance(link, following, more);
                assert(more);
                use(link);
                gone[link] = true
            :: link != GUARD -> /* watched */
#if BUG != 4
                guard_behind(link, before);
#endif
                use(link);
                advance(link, following, more);
                gone[link] = true;
                assert(more) /* the cell is ours to look at */
            fi;
            link = 0; i++
        :: more && i == BATCH -> atomic { running--; queued++; assert(queued == 1) }; break
        :: !more -> break
        od
    od
}

init {
    atomic { run sender(1, 3); run sender(3, 4); run sender(4, LINKS + 1); run worker(); run worker() }
    timeout -> assert(handled == LINKS && tail == 0 && queued == 0 && running == 0)
}
