/* One sender to many receivers in turn, on all workers; the time ends when each has told that it has all
 * of its share. */
#include "bench_troupe.h"

#define ITEM_FIELDS(field) field(u64, number)
#define PART_FIELDS(field) field(u64, n) field(address, starter)
TROUPE_MESSAGE(item, ITEM_FIELDS)
TROUPE_MESSAGE(part, PART_FIELDS)
TROUPE_MESSAGE_EMPTY(go_on)
TROUPE_MESSAGE_EMPTY(finished)

enum { BATCH = 128, MOST_RECEIVERS = 64 };

static unsigned receivers; /* set by main, inherited by every process */

struct sink {
    uint64_t left;
    troupe_address starter;
};
TROUPE_START(sink, part) {
    me->left = args->n;
    me->starter = args->starter;
    return TROUPE_OK;
}
TROUPE_ON(sink, item) {
    return --me->left > 0 ? TROUPE_OK : troupe_send_empty(self, me->starter, finished);
}
TROUPE_ACTOR(sink, TROUPE_STARTS(sink, part), TROUPE_HANDLES(sink, item))

struct starter {
    uint64_t n, sent;
    unsigned finished;
    int64_t began;
    troupe_address sinks[MOST_RECEIVERS];
};

/* A batch at a time, then a message to itself; FULL waits for ready of the one that is full. */
static enum troupe_status starter_push(troupe_self *self, struct starter *me) {
    for (unsigned i = 0; i < BATCH && me->sent < me->n; i++) {
        enum troupe_status status =
            troupe_send(self, me->sinks[me->sent % receivers], item, .number = me->sent);
        if (status == TROUPE_FULL) return TROUPE_OK;
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "send: %s", troupe_status_text(status));
        me->sent++;
    }
    return me->sent < me->n ? troupe_send_empty(self, troupe_self_address(self), go_on) : TROUPE_OK;
}
TROUPE_START(starter, bench_start) {
    uint64_t each = args->n / receivers;
    me->n = each * receivers;
    for (unsigned i = 0; i < receivers; i++) {
        enum troupe_status status = troupe_spawn(self, &me->sinks[i], sink, part, .n = each,
                                                 .starter = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
    }
    me->began = bench_now();
    return starter_push(self, me);
}
TROUPE_ON(starter, go_on) { return starter_push(self, me); }
TROUPE_ON(starter, troupe_ready) { return starter_push(self, me); }
TROUPE_ON(starter, finished) {
    if (++me->finished < receivers) return TROUPE_OK;
    char params[64];
    (void)snprintf(params, sizeof params, "receivers:%u,mailbox:1024", receivers);
    bench_rate("fanout", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start),
             TROUPE_HANDLES(starter, go_on, troupe_ready, finished))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &sink_actor, NULL };
    receivers = bench_variant(argc, argv, 8);
    if (receivers > MOST_RECEIVERS) return 1;
    return bench_run_starter("fanout", "auto", bench_count(argc, argv, 2000000), actors);
}
