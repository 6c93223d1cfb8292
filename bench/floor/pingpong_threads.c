/* The floor of a ping-pong between two threads: one shared word, handed over by a futex (asleep), and by
 * spinning (awake, which needs two free cores: on one it is as slow as the scheduler's slices). */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../bench.h"

enum { SPINS_BEFORE_YIELD = 2000 };

static struct {
    _Alignas(64) _Atomic uint32_t turn; /* even: ping's, odd: pong's */
    bool sleeps;
    uint32_t last;
} table;

static void await_turn(uint32_t turn) {
    unsigned spins = 0;
    for (;;) {
        uint32_t now = atomic_load_explicit(&table.turn, memory_order_acquire);
        if (now == turn) return;
        if (table.sleeps) syscall(SYS_futex, &table.turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
        else if (++spins % SPINS_BEFORE_YIELD == 0) sched_yield();
    }
}

static void pass_on(uint32_t turn) {
    atomic_store_explicit(&table.turn, turn + 1, memory_order_release);
    if (table.sleeps) syscall(SYS_futex, &table.turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *pong_main(void *unused) {
    for (uint32_t turn = 1; turn < table.last; turn += 2) {
        await_turn(turn);
        pass_on(turn);
    }
    return unused;
}

static int64_t play(bool sleeps, uint32_t round_trips) {
    pthread_t pong;
    table.sleeps = sleeps;
    table.last = 2 * round_trips;
    atomic_store(&table.turn, 0);
    int64_t began = bench_now();
    if (pthread_create(&pong, NULL, pong_main, NULL) != 0) exit(1);
    for (uint32_t turn = 0; turn < table.last; turn += 2) {
        await_turn(turn);
        pass_on(turn);
    }
    await_turn(table.last);
    int64_t took = bench_now() - began;
    pthread_join(pong, NULL);
    return took;
}

int main(int argc, char **argv) {
    uint32_t n = (uint32_t)bench_count(argc, argv, 100000);
    bench_latency("pingpong_threads", "handoff:asleep", n, play(true, n));
    bench_latency("pingpong_threads", "handoff:spinning", n, play(false, n));
    return 0;
}
