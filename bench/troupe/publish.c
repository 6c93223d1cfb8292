/* One publisher to the subscribers of a topic; the time ends when each has told that it has all of its share. Counted
 * are the messages that arrive. The publisher has at most so many under way as the mailboxes hold: it waits for a
 * word of each subscriber. */
#include "bench_troupe.h"

#define ITEM_FIELDS(field) field(u64, number)
#define PART_FIELDS(field) field(u64, n) field(address, starter)
TROUPE_MESSAGE(item, ITEM_FIELDS)
TROUPE_MESSAGE(part, PART_FIELDS)
TROUPE_MESSAGE_EMPTY(caught_up)

enum { BATCH = 512, MOST_SUBSCRIBERS = 64 };

static unsigned subscribers; /* set by main, inherited by every process */

struct sink {
    uint64_t n;
    troupe_address starter;
};
TROUPE_START(sink, part) {
    me->starter = args->starter;
    enum troupe_status status = troupe_subscribe(self, "items");
    return status == TROUPE_OK ? troupe_send_empty(self, me->starter, caught_up) : status;
}
TROUPE_ON(sink, item) {
    if (msg->number != me->n++) return TROUPE_FAIL(self, "out of order");
    return me->n % BATCH == 0 ? troupe_send_empty(self, me->starter, caught_up) : TROUPE_OK;
}
TROUPE_ACTOR(sink, TROUPE_STARTS(sink, part), TROUPE_HANDLES(sink, item))

struct starter {
    uint64_t n, published;
    unsigned waited_for;
    int64_t began;
};

static enum troupe_status publish(troupe_self *self, struct starter *me) {
    me->waited_for = subscribers;
    for (unsigned i = 0; i < BATCH; i++) {
        enum troupe_status status = troupe_publish(self, "items", item, .number = me->published++);
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "publish: %s", troupe_status_text(status));
    }
    return TROUPE_OK;
}
TROUPE_START(starter, bench_start) {
    me->n = args->n / subscribers / BATCH * BATCH;
    me->waited_for = subscribers;
    for (unsigned i = 0; i < subscribers; i++) {
        enum troupe_status status = troupe_spawn(self, NULL, sink, part, .starter = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, caught_up) {
    if (--me->waited_for > 0) return TROUPE_OK;
    if (me->began == 0) me->began = bench_now();
    if (me->published < me->n) return publish(self, me);
    char params[64];
    (void)snprintf(params, sizeof params, "subscribers:%u,mailbox:1024", subscribers);
    bench_rate("publish", params, me->n * subscribers, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, caught_up))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &sink_actor, NULL };
    subscribers = bench_variant(argc, argv, 64);
    if (subscribers == 0 || subscribers > MOST_SUBSCRIBERS) return 1;
    return bench_run_starter("publish", "auto", bench_count(argc, argv, 2000000), actors);
}
