/* What every benchmark program in C shares: its count, the clock, and the line it prints. */
#ifndef TR_BENCH_H
#define TR_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t bench_count(int argc, char **argv, uint64_t standard) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : standard;
    return count > 0 ? count : 1;
}

static inline int64_t bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void bench_latency(const char *work, const char *params, uint64_t count, int64_t ns) {
    printf("work=%s params=%s,n:%llu value=%.4f unit=us better=lower\n", work, params,
           (unsigned long long)count, (double)ns / 1000.0 / (double)count);
    fflush(stdout);
}

static inline void bench_rate(const char *work, const char *params, uint64_t count, int64_t ns) {
    printf("work=%s params=%s,n:%llu value=%.0f unit=per_s better=higher\n", work, params,
           (unsigned long long)count, (double)count * 1e9 / (double)ns);
    fflush(stdout);
}

#endif
