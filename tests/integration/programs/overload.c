/*
 * Producers that send ten times as much as their consumers can handle, for so long, and then wait until all
 * of it is settled. Every producer and every consumer says at the end what it counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <troupe.h>

#define CONSUME(field) field(u32, each)
TROUPE_MESSAGE(consume, CONSUME)
#define PRODUCE(field) field(str, to) field(bool, waits) field(u32, seconds) field(u32, burst)
TROUPE_MESSAGE(produce, PRODUCE)
#define JUDGE(field) field(u32, producers)
TROUPE_MESSAGE(judge_start, JUDGE)
#define WORK(field) field(u64, n) field(bytes, load)
TROUPE_MESSAGE(work, WORK)
TROUPE_MESSAGE_EMPTY(settle)
TROUPE_MESSAGE_EMPTY(settled)
TROUPE_MESSAGE_EMPTY(tick)
TROUPE_MESSAGE_EMPTY(stop)
TROUPE_MESSAGE_EMPTY(done)

/* ---- Consumers: so many us for each message ---- */

struct consumer {
    struct timespec each;
    uint64_t handled;
};
TROUPE_START(consumer, consume) {
    me->each.tv_nsec = args->each * TROUPE_MICROSECOND;
    return TROUPE_OK;
}
TROUPE_STOP(consumer) {
    struct troupe_mailbox_info info;
    (void)troupe_mailbox(self, troupe_self_address(self), &info);
    printf("consumer %s handled=%" PRIu64 " waiting=%u limit=%u high_water=%u refused=%u\n",
           troupe_self_path(self), me->handled, info.waiting, info.limit, info.high_water, info.refused);
    fflush(stdout);
}
TROUPE_ON(consumer, work) {
    nanosleep(&me->each, NULL);
    me->handled++;
    return TROUPE_OK;
}
TROUPE_ON(consumer, settle) { return troupe_reply_empty(self, settled); }
TROUPE_ACTOR(consumer, TROUPE_STARTS(consumer, consume), TROUPE_STOPS(consumer),
    TROUPE_HANDLES(consumer, work, settle))

/* ---- Producers ---- */

struct producer {
    troupe_address to;
    uint32_t burst;
    bool waits, waiting, stopped;
    troupe_timer timer;
    uint64_t taken, refused, readies, dropped, asks_refused, asks_dropped;
};

TROUPE_START(producer, produce) {
    me->to = troupe_lookup(self, args->to);
    me->burst = args->burst;
    me->waits = args->waits;
    enum troupe_status status = troupe_after_empty(self, NULL, args->seconds * TROUPE_SECOND, stop);
    return status == TROUPE_OK ? troupe_every_empty(self, &me->timer, 10 * TROUPE_MILLISECOND, tick) : status;
}

TROUPE_ON(producer, tick) {
    static const unsigned char load[400];
    for (uint32_t i = 0; i < me->burst && !me->waiting; i++) {
        enum troupe_status status =
            troupe_send(self, me->to, work, .n = me->taken, .load = { .data = load, .size = sizeof load });
        if (status != TROUPE_OK && status != TROUPE_FULL) return status;
        if (status == TROUPE_OK) me->taken++;
        else me->refused++;
        me->waiting = status == TROUPE_FULL && me->waits;
    }
    return TROUPE_OK;
}

static enum troupe_status ask_whether_settled(troupe_self *self, struct producer *me) {
    enum troupe_status status = troupe_ask_empty(self, me->to, settle, TROUPE_MINUTE);
    if (status == TROUPE_OK) return TROUPE_OK;
    me->asks_refused++;
    return troupe_after_empty(self, NULL, 50 * TROUPE_MILLISECOND, stop);
}
TROUPE_ON(producer, stop) {
    if (!me->stopped) (void)troupe_cancel(self, me->timer);
    me->stopped = true;
    return ask_whether_settled(self, me);
}
TROUPE_ANSWER(producer, settle, settled) {
    if (outcome == TROUPE_FULL) {
        me->asks_dropped++;
        return troupe_after_empty(self, NULL, 50 * TROUPE_MILLISECOND, stop);
    }
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "settle: %s", troupe_status_name(outcome));
    printf("producer %s taken=%" PRIu64 " refused=%" PRIu64 " readies=%" PRIu64 " dropped=%" PRIu64
           " asks_refused=%" PRIu64 " asks_dropped=%" PRIu64 "\n", troupe_self_path(self), me->taken,
           me->refused, me->readies, me->dropped, me->asks_refused, me->asks_dropped);
    fflush(stdout);
    return troupe_send_empty(self, troupe_lookup(self, "/judge"), done);
}
TROUPE_ON(producer, troupe_ready) {
    me->readies++;
    me->waiting = false;
    return TROUPE_OK;
}
TROUPE_ON(producer, troupe_undelivered) {
    if (strcmp(msg->message, "work") == 0 && msg->reason == TROUPE_FULL) me->dropped++;
    return TROUPE_OK;
}
TROUPE_ACTOR(producer, TROUPE_STARTS(producer, produce),
    TROUPE_HANDLES(producer, tick, stop, troupe_ready, troupe_undelivered),
    TROUPE_ANSWERS(producer, settle, settled))

/* ---- The end ---- */

struct judge {
    uint32_t producers;
};
TROUPE_START(judge, judge_start) {
    me->producers = args->producers;
    return TROUPE_OK;
}
TROUPE_ON(judge, done) {
    if (--me->producers == 0) troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(judge, TROUPE_STARTS(judge, judge_start), TROUPE_HANDLES(judge, done))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &consumer_actor, &producer_actor, &judge_actor, NULL);
}
