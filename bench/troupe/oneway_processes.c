/* One process sends to another as fast as it is allowed to, and the receiver tells the rate. */
#include "bench_troupe.h"

#define ITEM_FIELDS(field) field(u64, number)
TROUPE_MESSAGE(item, ITEM_FIELDS)
TROUPE_MESSAGE_EMPTY(go_on)

enum { BATCH = 256 };

struct sink {
    uint64_t n, seen;
    int64_t began;
};
TROUPE_START(sink, bench_start) {
    me->n = args->n;
    return TROUPE_OK;
}
TROUPE_ON(sink, item) {
    if (me->seen++ == 0) me->began = bench_now();
    if (me->seen < me->n) return TROUPE_OK;
    bench_rate("oneway_processes", "lane:ipc", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(sink, TROUPE_STARTS(sink, bench_start), TROUPE_HANDLES(sink, item))

struct source {
    uint64_t n, sent;
    troupe_address sink;
};

/* A batch at a time, then a message to itself, so that others get their turn; FULL waits for ready. */
static enum troupe_status source_push(troupe_self *self, struct source *me) {
    for (unsigned i = 0; i < BATCH && me->sent < me->n; i++) {
        enum troupe_status status = troupe_send(self, me->sink, item, .number = me->sent);
        if (status == TROUPE_FULL) return TROUPE_OK;
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "send: %s", troupe_status_text(status));
        me->sent++;
    }
    return me->sent < me->n ? troupe_send_empty(self, troupe_self_address(self), go_on) : TROUPE_OK;
}

TROUPE_START(source, bench_start) {
    me->n = args->n;
    me->sink = troupe_lookup(self, "sink");
    return source_push(self, me);
}
TROUPE_ON(source, go_on) { return source_push(self, me); }
TROUPE_ON(source, troupe_ready) { return source_push(self, me); }
TROUPE_ACTOR(source, TROUPE_STARTS(source, bench_start), TROUPE_HANDLES(source, go_on, troupe_ready))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &sink_actor, &source_actor, NULL };
    unsigned long long n = bench_count(argc, argv, 500000);
    return bench_run("oneway_processes", actors,
                     "name: oneway_processes\nthreads: 1\ntree:\n  children:\n"
                     "    - { name: sink, actor: sink, args: { n: %llu } }\n"
                     "    - { name: source, actor: source, args: { n: %llu }, place: process }\n",
                     n, n);
}
