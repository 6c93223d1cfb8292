/*
 * Mirrors: settle, tr_lane_report (actor/place/lane_inbound.c); on_event of TR_LANE_PROGRESS, flush
 * (actor/place/lane.c); run_native (actor/core/batch.c). A change there must change this model.
 *
 * A lane's own event: messages are settled on two workers, and when enough are, the lane is told by the one
 * event that is part of it. The lane's cell is run by its mailbox; other links come in too. Batches end
 * while the mailbox is not empty. Here every settled message is enough.
 *
 * Shown: the event is in the mailbox once at most; what is settled is reported.
 *
 * BUG 1: the event is free again as soon as the lane reports, whether it has left the mailbox or not.
 * BUG 2: it is free again only after the report.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef EACH
#define EACH 2
#endif
#define PROGRESS 1
#define OTHER 2
#define GUARD 3
#define BATCH 2

chan mailbox = [8] of { byte };
byte settled[2], reported[2];
byte events;       /* the lane's own, in the mailbox */
bool told, guarded, queued;

inline push(kind) {
    atomic {
        if
        :: kind == PROGRESS -> events++; assert(events == 1)
        :: else
        fi;
        if
        :: len(mailbox) == 0 -> assert(!queued); queued = true
        :: else
        fi;
        mailbox!kind
    }
}

proctype settler(byte me) {
    byte left = EACH;
    bool was;
    do
    :: left > 0 ->
        left--;
        settled[me]++;
        atomic { was = told; told = true }
        if
        :: !was -> push(PROGRESS)
        :: else
        fi
    :: else -> break
    od
}

proctype other() {
    push(OTHER);
    push(OTHER)
}

inline flush() {
#if BUG == 1
    told = false;
#endif
    reported[0] = settled[0];
    reported[1] = settled[1];
#if BUG == 2
    told = false
#endif
}

proctype lane() {
    byte kind, i;
    bool more;
end:
    do
    :: atomic { queued -> queued = false; more = true; i = 0 };
        do
        :: more && i < BATCH ->
            mailbox?<kind>;
            if
            :: kind == GUARD ->
                flush();
                guarded = false;
                atomic { mailbox?kind; more = len(mailbox) > 0 }
            :: else ->
                if
                :: len(mailbox) == 1 && !guarded -> guarded = true; push(GUARD)
                :: else
                fi;
                atomic {
                    mailbox?kind;
                    if
                    :: kind == PROGRESS -> events--
                    :: else
                    fi
                }
#if BUG == 0
                if
                :: kind == PROGRESS -> told = false
                :: else
                fi
#endif
            fi;
            atomic { i++; kind = 0 }
        :: more && i == BATCH -> flush(); queued = true; break
        :: !more -> break
        od
    od
}

init {
    atomic { run settler(0); run settler(1); run other(); run lane() }
    timeout -> assert(reported[0] == EACH && reported[1] == EACH && events == 0 && len(mailbox) == 0)
}
