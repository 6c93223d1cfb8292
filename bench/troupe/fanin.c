/* Many senders to one receiver, on all workers: contention on one mailbox. The time begins before the
 * senders do, for what they queue before the receiver looks is part of the work. */
#include "bench_troupe.h"

#define ITEM_FIELDS(field) field(u64, number)
TROUPE_MESSAGE(item, ITEM_FIELDS)
TROUPE_MESSAGE_EMPTY(go_on)

enum { BATCH = 128 };

static unsigned senders; /* set by main, inherited by every process */

struct sink {
    uint64_t n, seen;
    int64_t began;
};
TROUPE_START(sink, bench_start) {
    me->n = args->n;
    me->began = bench_now(); /* the tree starts the sources when this has returned */
    return TROUPE_OK;
}
TROUPE_ON(sink, item) {
    if (++me->seen < me->n) return TROUPE_OK;
    char params[64];
    (void)snprintf(params, sizeof params, "senders:%u,mailbox:1024", senders);
    bench_rate("fanin", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(sink, TROUPE_STARTS(sink, bench_start), TROUPE_HANDLES(sink, item))

struct source {
    uint64_t left;
    troupe_address sink;
};

/* A batch at a time, then a message to itself, so that others get their turn; FULL waits for ready. */
static enum troupe_status source_push(troupe_self *self, struct source *me) {
    for (unsigned i = 0; i < BATCH && me->left > 0; i++) {
        enum troupe_status status = troupe_send(self, me->sink, item, .number = me->left);
        if (status == TROUPE_FULL) return TROUPE_OK;
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "send: %s", troupe_status_text(status));
        me->left--;
    }
    return me->left > 0 ? troupe_send_empty(self, troupe_self_address(self), go_on) : TROUPE_OK;
}

TROUPE_START(source, bench_start) {
    me->left = args->n;
    me->sink = troupe_lookup(self, "sink");
    return source_push(self, me);
}
TROUPE_ON(source, go_on) { return source_push(self, me); }
TROUPE_ON(source, troupe_ready) { return source_push(self, me); }
TROUPE_ACTOR(source, TROUPE_STARTS(source, bench_start), TROUPE_HANDLES(source, go_on, troupe_ready))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &sink_actor, &source_actor, NULL };
    uint64_t n = bench_count(argc, argv, 2000000);
    senders = bench_variant(argc, argv, 5);
    unsigned long long each = n / senders > 0 ? n / senders : 1;
    return bench_run("fanin", actors,
                     "name: fanin\nthreads: auto\ntree:\n  children:\n"
                     "    - { name: sink, actor: sink, args: { n: %llu } }\n"
                     "    - { name: source, actor: source, count: %u, args: { n: %llu } }\n",
                     each * senders, senders, each);
}
