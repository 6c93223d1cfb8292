/*
 * The ledger of a lane: memory that two nodes share, so that after the death of one the other knows what
 * became of each message it had sent there (docs/decisions/0003).
 *
 * One half for each direction, written only by the receiving node: of each channel how many messages are
 * settled, and which of them were dead letters; of each worker which message it is handling. A reader
 * believes nothing in it beyond these numbers: they can only mislead about messages of this one lane.
 *
 * A mark stands for its message and for the one a window later; by then the sender has heard of the first.
 * So it is set or taken back before the count covers its message.
 */
#ifndef TR_LEDGER_H
#define TR_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/flight.h"
#include "transport/peer.h"

enum { TR_LEDGER_SEQUENCE_BITS = 40 };

struct tr_ledger_half {
    _Atomic uint64_t current[TR_MAX_WORKERS];   /* (channel + 1) << 40 | sequence; 0: none */
    _Atomic uint64_t settled[TR_PEER_CHANNELS]; /* by channel */
    _Atomic uint64_t dead[TR_PEER_CHANNELS][TR_PEER_WINDOW / 64]; /* a bit for each message of the window */
};

struct tr_ledger {
    struct tr_ledger_half halves[2]; /* [0]: what the node with the lower id receives */
};

/* The channel begins; its number may have been another's. */
static inline void tr_ledger_open(struct tr_ledger_half *half, uint32_t channel) {
    atomic_store(&half->settled[channel], 0);
    for (size_t i = 0; i < TR_PEER_WINDOW / 64; i++)
        atomic_store_explicit(&half->dead[channel][i], 0, memory_order_relaxed);
}

/* By the one who settles the message, before its count is raised. */
static inline void tr_ledger_mark(struct tr_ledger_half *half, uint32_t channel, uint64_t sequence,
                                  bool dead) {
    _Atomic uint64_t *word = &half->dead[channel][sequence % TR_PEER_WINDOW / 64];
    uint64_t bit = UINT64_C(1) << sequence % 64, marks = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, dead ? marks | bit : marks & ~bit, memory_order_relaxed);
}

static inline bool tr_ledger_is_dead(const struct tr_ledger_half *half, uint32_t channel,
                                     uint64_t sequence) {
    return (atomic_load(&half->dead[channel][sequence % TR_PEER_WINDOW / 64]) >> sequence % 64 & 1) != 0;
}

/* What became of a message that was sent to the node of this half, now dead. */
static inline enum tr_fate tr_ledger_fate(const struct tr_ledger_half *half, uint32_t channel,
                                          uint64_t sequence) {
    if (sequence <= atomic_load(&half->settled[channel]))
        return tr_ledger_is_dead(half, channel, sequence) ? TR_FATE_DEAD : TR_FATE_HANDLED;
    uint64_t key = (uint64_t)(channel + 1) << TR_LEDGER_SEQUENCE_BITS | sequence;
    for (uint32_t i = 0; i < TR_MAX_WORKERS; i++)
        if (atomic_load(&half->current[i]) == key) return TR_FATE_IN_DOUBT;
    return TR_FATE_UNHANDLED;
}

#endif
