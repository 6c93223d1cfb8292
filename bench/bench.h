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

/* The second argument: which variant of the work (how many senders, how many threads). */
static inline unsigned bench_variant(int argc, char **argv, unsigned standard) {
    unsigned variant = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : standard;
    return variant > 0 ? variant : 1;
}

static inline int64_t bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One value of a unit that is better when it is lower, per item of `count`. */
static inline void bench_each(const char *work, const char *params, uint64_t count, double total,
                              const char *unit) {
    printf("work=%s params=%s,n:%llu value=%.4f unit=%s better=lower\n", work, params,
           (unsigned long long)count, total / (double)count, unit);
    fflush(stdout);
}

static inline void bench_latency(const char *work, const char *params, uint64_t count, int64_t ns) {
    bench_each(work, params, count, (double)ns / 1000.0, "us");
}

static inline void bench_rate(const char *work, const char *params, uint64_t count, int64_t ns) {
    printf("work=%s params=%s,n:%llu value=%.0f unit=per_s better=higher\n", work, params,
           (unsigned long long)count, (double)count * 1e9 / (double)ns);
    fflush(stdout);
}

/* For works that are measured from outside (idle): it begins now, and lasts until SIGTERM. */
static inline void bench_ready(const char *params) {
    printf("ready params=%s\n", params);
    fflush(stdout);
}

/* The generator that the programs in every language use: a linear one of 32 bits, its upper half. */
static inline uint32_t bench_random(uint32_t *state) {
    *state = *state * 69069u + 1u;
    return *state >> 16;
}

/* Work for the processor alone: so many steps of it. */
static inline uint32_t bench_burn(uint32_t steps) {
    uint32_t x = steps;
    while (steps-- > 0) x = x * 69069u + 1u;
    return x;
}

#endif
