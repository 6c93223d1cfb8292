/* Round trips over inproc between two NNG sockets of one process: blocking, which crosses threads, then
 * with aios, whose callbacks on both sides run one after the other on the same thread of NNG's pool. */
#include <pthread.h>

#include "pair.h"

static uint64_t count;

static void *pong_main(void *context) {
    pair_pong(*(nng_socket *)context, 2 * count);
    return NULL;
}

static void with_calls(nng_socket a, nng_socket b) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, pong_main, &b), "thread");
    pair_ping(a, count);
    int64_t began = bench_now();
    pair_ping(a, count);
    bench_latency("pingpong_inproc", "api:calls,size:64", count, bench_now() - began);
    pthread_join(thread, NULL);
}

static int64_t bounce(nng_socket a, nng_socket b, uint64_t n) {
    struct bouncer ping, pong;
    bouncer_init(&ping, a, n - 1);
    bouncer_init(&pong, b, n);
    int64_t began = bench_now();
    nng_recv_aio(b, pong.receive);
    bouncer_serve(&ping);
    while (sem_wait(&ping.done) != 0) continue;
    int64_t took = bench_now() - began;
    bouncer_fini(&ping);
    bouncer_fini(&pong);
    return took;
}

int main(int argc, char **argv) {
    count = bench_count(argc, argv, 20000);
    nng_socket b = pair_listen("inproc://bench"), a = pair_dial("inproc://bench");
    with_calls(a, b);
    (void)bounce(a, b, count / 10 + 1);
    bench_latency("pingpong_inproc", "api:aio,placed_by:pool,size:64", count, bounce(a, b, count));
    nng_close(a);
    nng_close(b);
    return 0;
}
