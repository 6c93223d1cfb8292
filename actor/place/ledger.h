/*
 * The ledger of a lane: memory that two nodes share, so that after the death of one the other knows what
 * became of each message it had sent there (docs/decisions/0003).
 *
 * One half for each direction, written only by the receiving node: of each channel how many messages are
 * settled, of each worker which message it is handling. A reader believes nothing in it beyond these
 * numbers: they can only mislead about messages of this one lane.
 */
#ifndef TR_LEDGER_H
#define TR_LEDGER_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/flight.h"
#include "transport/peer.h"

enum { TR_LEDGER_SEQUENCE_BITS = 40 };

struct tr_ledger_half {
    _Atomic uint64_t current[TR_MAX_WORKERS];   /* (channel + 1) << 40 | sequence; 0: none */
    _Atomic uint64_t settled[TR_PEER_CHANNELS]; /* by channel */
};

struct tr_ledger {
    struct tr_ledger_half halves[2]; /* [0]: what the node with the lower id receives */
};

/* What became of a message that was sent to the node of this half, now dead. */
static inline enum tr_fate tr_ledger_fate(const struct tr_ledger_half *half, uint32_t channel,
                                          uint64_t sequence) {
    if (sequence <= atomic_load(&half->settled[channel])) return TR_FATE_HANDLED;
    uint64_t key = (uint64_t)(channel + 1) << TR_LEDGER_SEQUENCE_BITS | sequence;
    for (uint32_t i = 0; i < TR_MAX_WORKERS; i++)
        if (atomic_load(&half->current[i]) == key) return TR_FATE_IN_DOUBT;
    return TR_FATE_UNHANDLED;
}

#endif
