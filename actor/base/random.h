/*
 * Random numbers from a seed: the same seed gives the same numbers on every machine, which is what
 * simulations, jitter and stealing want. Not for secrets: those come from getrandom.
 *
 * xoshiro256** with its state filled by splitmix64, so that any seed will do, 0 included. One
 * thread.
 */
#ifndef TR_RANDOM_H
#define TR_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct tr_random {
    uint64_t state[4];
};

static inline uint64_t tr_random_mix(uint64_t *seed) {
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void tr_random_seed(struct tr_random *random, uint64_t seed) {
    for (int i = 0; i < 4; i++)
        random->state[i] = tr_random_mix(&seed);
}

static inline uint64_t tr_random_rotate(uint64_t value, int by) {
    return (value << by) | (value >> (64 - by));
}

static inline uint64_t tr_random_next(struct tr_random *random) {
    uint64_t *s = random->state;
    uint64_t result = tr_random_rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = tr_random_rotate(s[3], 45);
    return result;
}

/* 0 <= result < bound; 0 for a bound of 0. Every value equally likely: the numbers that would
 * favour the small ones are drawn again. */
static inline uint64_t tr_random_below(struct tr_random *random, uint64_t bound) {
    if (bound == 0) return 0;
    uint64_t unfair = (UINT64_MAX - bound + 1) % bound; /* 2^64 mod bound */
    uint64_t value = tr_random_next(random);
    while (value < unfair)
        value = tr_random_next(random);
    return value % bound;
}

/* 0 <= result < 1. */
static inline double tr_random_unit(struct tr_random *random) {
    return (double)(tr_random_next(random) >> 11) * 0x1.0p-53;
}

static inline bool tr_random_one_in(struct tr_random *random, uint64_t n) {
    return tr_random_below(random, n) == 0;
}

#endif
