/* Processes of an actor each, which has said that it is there and has nothing to do, until SIGTERM. */
#include "bench_troupe.h"

TROUPE_MESSAGE_EMPTY(here)

struct idler {
    char unused;
};
TROUPE_START(idler, troupe_none) {
    (void)args;
    return troupe_send_empty(self, troupe_lookup(self, "/counter"), here);
}
TROUPE_ACTOR(idler, TROUPE_STARTS(idler, troupe_none))

struct counter {
    uint64_t expected, count;
};
TROUPE_START(counter, bench_start) {
    me->expected = args->n;
    return TROUPE_OK;
}
TROUPE_ON(counter, here) {
    char params[64];
    (void)self;
    if (++me->count < me->expected) return TROUPE_OK;
    (void)snprintf(params, sizeof params, "processes:%llu", (unsigned long long)me->expected);
    bench_ready(params);
    return TROUPE_OK;
}
TROUPE_ACTOR(counter, TROUPE_STARTS(counter, bench_start), TROUPE_HANDLES(counter, here))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &counter_actor, &idler_actor, NULL };
    unsigned count = bench_variant(argc, argv, 200);
    return bench_run("idle_processes", actors,
                     "name: idle\nlog: { level: error }\ntree:\n  children:\n"
                     "    - { name: counter, actor: counter, args: { n: %u } }\n"
                     "    - { name: idler, actor: idler, count: %u, place: process }\n",
                     count, count);
}
