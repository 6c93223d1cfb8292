/* What the works about processes share, where no framework starts them: a child does what it is told to, tells that it is
 * ready by one byte, and waits for its end. */
#ifndef TR_BENCH_PROCESSES_H
#define TR_BENCH_PROCESSES_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

typedef void (*bench_begin)(void); /* what a child does before it is ready */

struct bench_child {
    pid_t pid;
    int ready; /* one byte comes here */
};

__attribute__((noreturn)) static inline void bench_be_child(bench_begin begin, int ready) {
    begin();
    if (write(ready, "r", 1) != 1) _exit(1);
    for (;;) pause(); /* its parent ends it */
}

/* `again`: this program, to be executed in the child, which comes back by bench_was_spawned; NULL: none. */
static inline struct bench_child bench_fork(bench_begin begin, const char *again) {
    int ends[2];
    char number[16];
    if (pipe(ends) != 0) exit(1);
    pid_t pid = fork();
    if (pid < 0) exit(1);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ends[0]);
        (void)snprintf(number, sizeof number, "%d", ends[1]);
        if (again != NULL) (void)execl("/proc/self/exe", again, "child", number, (char *)NULL);
        if (again == NULL) bench_be_child(begin, ends[1]);
        _exit(1);
    }
    (void)close(ends[1]);
    return (struct bench_child){ pid, ends[0] };
}

static inline void bench_was_spawned(int argc, char **argv, bench_begin begin) {
    if (argc == 3 && strcmp(argv[1], "child") == 0) bench_be_child(begin, atoi(argv[2]));
}

static inline void bench_await(const struct bench_child *child) {
    char byte;
    if (read(child->ready, &byte, 1) != 1) exit(1);
    (void)close(child->ready);
}

static inline void bench_end(const struct bench_child *child) {
    if (kill(child->pid, SIGKILL) != 0 || waitpid(child->pid, NULL, 0) != child->pid) exit(1);
}

/* So many bytes, each page of its own, that stay. */
static inline bool bench_fill(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE) != 0) return false;
    memset(memory, 1, size);
    return true;
}

/* One after the other: `fork`, `spawn` (fork and exec), `crash` (from the kill of one to the next one's readiness), or
 * `fork_from_2GiB`, by a process of that size. */
static inline int bench_start_processes(int argc, char **argv, bench_begin begin) {
    bench_was_spawned(argc, argv, begin);
    uint64_t n = bench_count(argc, argv, 30);
    const char *how = argc > 2 ? argv[2] : "fork";
    bool spawn = strcmp(how, "spawn") == 0, crash = strcmp(how, "crash") == 0;
    char params[64];
    int64_t took = 0;
    (void)snprintf(params, sizeof params, "metric:%s", how);
    if (strcmp(how, "fork_from_2GiB") == 0 && !bench_fill((size_t)2 << 30)) return 1;
    struct bench_child child = bench_fork(begin, spawn ? argv[0] : NULL);
    bench_await(&child);
    for (uint64_t i = 0; i < n; i++) {
        if (!crash) bench_end(&child);
        int64_t began = bench_now();
        if (crash) bench_end(&child);
        child = bench_fork(begin, spawn ? argv[0] : NULL);
        bench_await(&child);
        took += bench_now() - began;
    }
    bench_end(&child);
    bench_latency("start_processes", params, n, took);
    return 0;
}

/* So many of them, until SIGTERM. */
static inline int bench_idle_processes(int argc, char **argv, bench_begin begin) {
    unsigned count = bench_variant(argc, argv, 200);
    char params[64];
    for (unsigned i = 0; i < count; i++) {
        struct bench_child child = bench_fork(begin, NULL);
        bench_await(&child);
    }
    (void)snprintf(params, sizeof params, "processes:%u", count);
    bench_ready(params);
    (void)pause();
    return 0;
}

#endif
