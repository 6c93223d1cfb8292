/* The floor of taking turns at a word of shared memory: the bare futex between two threads, and between two
 * processes. */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench.h"

static _Atomic uint32_t *turn;
static uint32_t last;

static void play(uint32_t next) {
    for (; next < last; next += 2) {
        for (uint32_t now; (now = atomic_load(turn)) != next;) syscall(SYS_futex, turn, FUTEX_WAIT, now, NULL, NULL, 0);
        atomic_store(turn, next + 1);
        syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void *pong_main(void *unused) {
    play(1);
    return unused;
}

static void between_threads(uint64_t n) {
    pthread_t pong;
    int64_t began = bench_now();
    if (pthread_create(&pong, NULL, pong_main, NULL) != 0) exit(1);
    play(0);
    pthread_join(pong, NULL);
    bench_latency("shared_wait", "placed_by:thread,metric:block", n, bench_now() - began);
}

static void between_processes(uint64_t n) {
    int64_t began = bench_now();
    pid_t pong = fork();
    if (pong < 0) exit(1);
    if (pong == 0) {
        play(1);
        _exit(0);
    }
    play(0);
    (void)waitpid(pong, NULL, 0);
    bench_latency("shared_wait", "placed_by:process,metric:block", n, bench_now() - began);
}

int main(int argc, char **argv) {
    uint64_t n = bench_count(argc, argv, 100000);
    last = 2 * (uint32_t)n;
    turn = mmap(NULL, sizeof *turn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (turn == MAP_FAILED) return 1;
    between_threads(n);
    atomic_store(turn, 0);
    between_processes(n);
    return 0;
}
