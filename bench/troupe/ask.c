/* Round trips of a message and its reply, then of an ask and its answer, between the same two actors on
 * one worker: what an ask costs more. */
#include "bench_troupe.h"

#define BALL_FIELDS(field) field(u64, left)
TROUPE_MESSAGE(ball, BALL_FIELDS)
TROUPE_MESSAGE(question, BALL_FIELDS)

struct server {
    char unused;
};
TROUPE_ON(server, ball) { return troupe_reply(self, ball, .left = msg->left); }
TROUPE_ON(server, question) { return troupe_reply(self, ball, .left = msg->left); }
TROUPE_ACTOR(server, TROUPE_HANDLES(server, ball, question))

struct client {
    uint64_t n, warm;
    int64_t began;
    troupe_address server;
};
static enum troupe_status client_ask(troupe_self *self, struct client *me, uint64_t left) {
    return troupe_ask(self, me->server, question, 5 * TROUPE_SECOND, .left = left);
}
TROUPE_START(client, bench_start) {
    me->n = args->n;
    me->warm = args->n / 10 + 1;
    me->server = troupe_lookup(self, "server");
    return troupe_send(self, me->server, ball, .left = me->n + me->warm);
}
TROUPE_ON(client, ball) {
    if (msg->left == me->n) me->began = bench_now();
    if (msg->left > 0) return troupe_send(self, me->server, ball, .left = msg->left - 1);
    bench_latency("ask", "metric:message,workers:1", me->n, bench_now() - me->began);
    return client_ask(self, me, me->n + me->warm);
}
TROUPE_ANSWER(client, question, ball) {
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "ask: %s", troupe_status_text(outcome));
    if (reply->left == me->n) me->began = bench_now();
    if (reply->left > 0) return client_ask(self, me, reply->left - 1);
    bench_latency("ask", "metric:ask,timeout:5s,workers:1", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(client, TROUPE_STARTS(client, bench_start), TROUPE_HANDLES(client, ball),
             TROUPE_ANSWERS(client, question, ball))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &server_actor, &client_actor, NULL };
    return bench_run("ask", actors,
                     "name: ask\nthreads: 1\ntree:\n  children:\n"
                     "    - { name: server, actor: server }\n"
                     "    - { name: client, actor: client, args: { n: %llu } }\n",
                     (unsigned long long)bench_count(argc, argv, 1000000));
}
