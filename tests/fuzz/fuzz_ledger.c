/*
 * The ledger of a process that wrote there what it liked before it died. The sender's peer asks it what became of
 * each message: whatever it reads, each parcel is settled once, or kept for the next incarnation.
 *
 * The input: how many messages are sent, how many of them are acknowledged, whether it crashed; then patches of
 * the ledger, each a byte of place and eight of value.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "lib/peer_side.h"
#include "place/ledger.h"

enum { MOST = 40 };

static struct side sender, receiver;
static struct tr_ledger_half half;

static uint64_t number(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

/* The places that count for channel 0, and the workers'. */
static _Atomic uint64_t *place(uint8_t where) {
    if (where == 0) return &half.settled[0];
    if (where < 4) return &half.dead[0][where - 1];
    return &half.current[where];
}

static void patch(const uint8_t *data, size_t size, bool undo) {
    for (; size >= 9; data += 9, size -= 9) *place(data[0]) = undo ? 0 : number(data + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) return 0;
    int count = data[0] % MOST;
    side_start(&sender, 0, 1, true);
    side_start(&receiver, 1, 1, true);
    side_connect(&sender, 7, 0);
    side_connect(&receiver, 7, 0);
    sides_talk(&sender, &receiver, 0);
    for (int i = 0; i < count; i++) tr_peer_submit(sender.peer, side_parcel('l', data[2] & 1, 10));
    tr_peer_flush(sender.peer, 0);
    sides_talk(&sender, &receiver, 0);
    struct side_channel *channel = &receiver.channels[0];
    channel->settled = channel->received == 0 ? 0 : data[1] % (channel->received + 1);
    tr_peer_progress(receiver.peer, 0);
    tr_peer_tick(receiver.peer, TROUPE_SECOND / 100);
    sides_talk(&sender, &receiver, TROUPE_SECOND / 100);
    patch(data + 3, size - 3, false);
    for (uint64_t i = 0; i < 64; i++) sender.fates[i] = tr_ledger_fate(&half, 0, i);
    int settled = sender.settlements;
    tr_peer_died(sender.peer, (data[2] & 2) != 0);
    tr_assert((uint64_t)(sender.settlements - settled) <= (uint64_t)count);
    tr_assert(tr_peer_held(sender.peer) == (uint64_t)(count - sender.settlements));
    patch(data + 3, size - 3, true);
    tr_peer_abandon(sender.peer, TROUPE_STOPPING);
    tr_assert(sender.settlements == count);
    side_stop(&sender);
    side_stop(&receiver);
    return 0;
}
