/* 1 MiB from one process to another, filled anew for each message. The receiver looks at every page and answers.
 * First one message at a time, then eight under way. */
#include "bench_troupe.h"

#include <string.h>

enum { PAYLOAD = 1024 * 1024, PAGE = 4096, UNDER_WAY = 8 };

#define MADE_FIELDS(field) field(bytes, data)
TROUPE_MESSAGE(made, MADE_FIELDS)
#define SEEN_FIELDS(field) field(u64, sum)
TROUPE_MESSAGE(seen, SEEN_FIELDS)

/* ---- The receiver ---- */

struct sink {
    char unused;
};
TROUPE_ON(sink, made) {
    uint64_t sum = 0;
    for (size_t i = 0; i < msg->data.size; i += PAGE) sum += ((const uint8_t *)msg->data.data)[i];
    return troupe_reply(self, seen, .sum = sum);
}
TROUPE_ACTOR(sink, TROUPE_HANDLES(sink, made))

/* ---- The sender ---- */

struct source {
    uint64_t n, sent, answered, under_way;
    int64_t began;
    troupe_address sink;
};

static int value_of(uint64_t number) { return (int)(number % 251) + 1; }

static enum troupe_status push(troupe_self *self, struct source *me) {
    uint8_t *data = troupe_buffer(self, PAYLOAD);
    if (data == NULL) return TROUPE_FAIL(self, "no memory");
    memset(data, value_of(me->sent++), PAYLOAD);
    enum troupe_status status = troupe_send(self, me->sink, made, .data = { data, PAYLOAD });
    (void)troupe_buffer_release(self, data);
    return status;
}

static enum troupe_status begin(troupe_self *self, struct source *me, uint64_t under_way) {
    me->sent = me->answered = 0;
    me->under_way = under_way;
    me->began = bench_now();
    while (me->sent < under_way && me->sent < me->n)
        if (push(self, me) != TROUPE_OK) return TROUPE_FAIL(self, "not taken");
    return TROUPE_OK;
}

TROUPE_START(source, bench_start) {
    me->n = args->n;
    me->sink = troupe_lookup(self, "sink");
    return begin(self, me, 1);
}

TROUPE_ON(source, seen) {
    uint64_t expected = (uint64_t)value_of(me->answered) * (PAYLOAD / PAGE);
    if (msg->sum != expected) return TROUPE_FAIL(self, "other bytes than were sent");
    if (++me->answered < me->n) return me->sent < me->n ? push(self, me) : TROUPE_OK;
    bool first = me->under_way == 1;
    bench_latency("payload_processes", first ? "lane:ipc,metric:one" : "lane:ipc,metric:eight", me->n,
                  bench_now() - me->began);
    if (first) return begin(self, me, UNDER_WAY);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(source, TROUPE_STARTS(source, bench_start), TROUPE_HANDLES(source, seen))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &sink_actor, &source_actor, NULL };
    return bench_run("payload_processes", actors,
                     "name: payload_processes\nthreads: 1\ntree:\n  children:\n"
                     "    - { name: sink, actor: sink, place: process }\n"
                     "    - { name: source, actor: source, args: { n: %llu } }\n",
                     (unsigned long long)bench_count(argc, argv, 2000));
}
