/* Ping and pong: a ball goes to and fro n times. Where the two live is the tree's business. */
#ifndef TR_BENCH_PINGPONG_ACTORS_H
#define TR_BENCH_PINGPONG_ACTORS_H

#include "bench_troupe.h"

#define BALL_FIELDS(field) field(u64, left)
TROUPE_MESSAGE(ball, BALL_FIELDS)

/* Set by main, inherited by every process: only for the line that is printed. */
static const char *bench_work, *bench_params;

struct pong {
    char unused;
};
TROUPE_ON(pong, ball) { return troupe_reply(self, ball, .left = msg->left); }
TROUPE_ACTOR(pong, TROUPE_HANDLES(pong, ball))

struct ping {
    uint64_t n, warm;
    int64_t began;
    troupe_address pong;
};
TROUPE_START(ping, bench_start) {
    me->n = args->n;
    me->warm = args->n / 10 + 1;
    me->pong = troupe_lookup(self, "pong");
    return troupe_send(self, me->pong, ball, .left = me->n + me->warm);
}
TROUPE_ON(ping, ball) {
    if (msg->left == me->n) me->began = bench_now();
    if (msg->left > 0) return troupe_send(self, me->pong, ball, .left = msg->left - 1);
    bench_latency(bench_work, bench_params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(ping, TROUPE_STARTS(ping, bench_start), TROUPE_HANDLES(ping, ball))

static inline int pingpong_run(const char *work, const char *params, const char *tree, uint64_t n) {
    static const struct troupe_actor_type *const actors[] = { &pong_actor, &ping_actor, NULL };
    bench_work = work;
    bench_params = params;
    return bench_run(work, actors, tree, (unsigned long long)n);
}

#endif
