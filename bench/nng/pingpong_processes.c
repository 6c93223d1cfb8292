/* Round trips over an abstract unix socket between two processes: blocking, then with aios. */
#include "pair.h"

/* Each variant has two fresh processes, for a fork after NNG's first call is fatal to it. */
static void child_main(const char *url, uint64_t bounces, bool aio) {
    nng_socket s = pair_dial(url);
    struct bouncer pong;
    if (aio) {
        bouncer_init(&pong, s, bounces);
        nng_recv_aio(s, pong.receive);
    } else {
        pair_pong(s, bounces);
    }
    for (;;) pause(); /* its parent ends it */
}

static int64_t bounce(nng_socket s, uint64_t n) {
    struct bouncer ping;
    bouncer_init(&ping, s, n - 1);
    int64_t began = bench_now();
    bouncer_serve(&ping);
    while (sem_wait(&ping.done) != 0) continue;
    int64_t took = bench_now() - began;
    bouncer_fini(&ping);
    return took;
}

static void parent_main(const char *url, uint64_t n, uint64_t warm, bool aio) {
    nng_socket s = pair_listen(url);
    if (aio) {
        (void)bounce(s, warm);
        bench_latency("pingpong_processes", "api:aio,size:64", n, bounce(s, n));
    } else {
        pair_ping(s, warm);
        int64_t began = bench_now();
        pair_ping(s, n);
        bench_latency("pingpong_processes", "api:calls,size:64", n, bench_now() - began);
    }
}

static int run(uint64_t n, bool aio) {
    char url[64];
    (void)snprintf(url, sizeof url, "abstract://bench-pingpong-%d", (int)getpid());
    const uint64_t warm = n / 10 + 1;
    pid_t child = fork_child();
    if (child == 0) child_main(url, n + warm, aio);
    parent_main(url, n, warm, aio);
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

int main(int argc, char **argv) {
    uint64_t n = bench_count(argc, argv, 20000);
    for (int aio = 0; aio < 2; aio++) {
        pid_t one = fork();
        int status;
        if (one == 0) _exit(run(n, aio != 0));
        if (one < 0 || waitpid(one, &status, 0) != one || status != 0) return 1;
    }
    return 0;
}
