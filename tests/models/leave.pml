/*
 * Mirrors: tr_lane_leave, flush, on_event of TR_LANE_LEAVE (actor/place/lane.c); tr_hosted_leave
 * (actor/place/host_nodes.c); see_off (actor/place/host.c). A change there must change this model.
 *
 * A node that ends. An actor sends by two lanes and ends, its supervisor in the other node hears of that and
 * has the node stopped. The report of its end may overtake what it had sent before, for that is on other
 * channels, or has not yet left the mailbox of its lane. The host asks each lane by an event, behind all that
 * was sent, and ends the node when both have answered. The end cuts off what is not settled.
 *
 * Shown: nothing is cut off that was sent before the stop; the node does end.
 *
 * BUG 1: lanes say after each batch, when they have let the peer send, whether all is settled; no one asks.
 * BUG 2: they say so before they let the peer send.
 * BUG 3: they are asked by a flag, past what is in the mailbox.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef EACH
#define EACH 2
#endif
#define PARCEL 1
#define REPORT 2 /* of the actor's end: the second lane's */
#define ACK 3
#define LEAVE 4

chan mailbox[2] = [8] of { byte };
byte held[2], unsent[2], under_way[2];
bool settled[2], leaving[2];
bool report_unsent, report_under_way, stop, cut;
byte unsettled;

proctype actor() {
    byte i;
    for (i : 1 .. EACH) {
        atomic { unsettled++; mailbox[0]!PARCEL }
        atomic { unsettled++; mailbox[1]!PARCEL }
    }
    atomic { unsettled++; mailbox[1]!REPORT }
}

inline handle(kind) {
    if
    :: kind == PARCEL -> held[me]++; unsent[me]++
    :: kind == REPORT -> held[me]++; report_unsent = true
    :: kind == ACK -> held[me]--
    :: kind == LEAVE -> leaving[me] = true
    fi
}

/* One frame or several, in any order of channels. */
inline send() {
    do
    :: unsent[me] > 0 -> atomic { unsent[me]--; under_way[me]++ }
    :: me == 1 && report_unsent -> atomic { report_unsent = false; report_under_way = true }
    :: unsent[me] == 0 && !(me == 1 && report_unsent) -> break
    od
}

inline flush() {
#if BUG == 2
    settled[me] = held[me] == 0;
#endif
    send();
#if BUG == 0 || BUG == 3
    if
    :: leaving[me] -> settled[me] = held[me] == 0
    :: else
    fi
#elif BUG == 1
    settled[me] = held[me] == 0
#endif
}

proctype lane(byte me) {
    byte kind;
    bool busy;
end:
    do
    :: cut -> break
    :: atomic { !cut && nempty(mailbox[me]) -> mailbox[me]?kind; handle(kind); kind = 0; busy = true }
    :: busy && !cut -> flush(); busy = false
#if BUG == 3
    :: leaving[me] && !settled[me] && !cut -> flush()
#endif
    od
}

proctype other_node() {
end:
    do
    :: atomic { !cut && under_way[0] > 0 -> under_way[0]--; unsettled--; mailbox[0]!ACK }
    :: atomic { !cut && under_way[1] > 0 -> under_way[1]--; unsettled--; mailbox[1]!ACK }
    :: atomic { !cut && report_under_way ->
            report_under_way = false; unsettled--; stop = true; mailbox[1]!ACK }
    od
}

proctype host() {
    stop;
#if BUG == 0
    mailbox[0]!LEAVE;
    mailbox[1]!LEAVE;
#elif BUG == 3
    leaving[0] = true;
    leaving[1] = true;
#endif
    settled[0];
    settled[1];
    atomic { assert(unsettled == 0); cut = true }
}

init {
#if BUG == 1 || BUG == 2
    settled[0] = true;
    settled[1] = true;
#endif
    atomic { run actor(); run lane(0); run lane(1); run other_node(); run host() }
    timeout -> assert(cut)
}
