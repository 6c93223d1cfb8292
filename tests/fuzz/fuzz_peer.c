/*
 * A peer in every state, fed with frames that nobody vouches for, between the ordinary events of
 * its life. Whatever the bytes are: no crash, no reading beyond the frame, every parcel settled
 * once, nothing left at the end. The callbacks of peer_side.h abort when they are told what cannot
 * be.
 *
 * The input: one byte for the starting point, then steps of one byte and what the step wants.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/peer_side.h"

enum { SLOTS = 6 };

static struct side victim, partner;
static uint64_t incarnation;
static int role; /* the victim's */

struct input {
    const uint8_t *at, *end;
};

static uint8_t next(struct input *input) { return input->at < input->end ? *input->at++ : 0; }

/* A partner without a past, as after a death. */
static void replace_partner(bool told) {
    side_stop(&partner);
    if (told) tr_peer_died(victim.peer, true);
    side_start(&partner, 1 - role, ++incarnation, true);
}

static void reach(uint8_t stage, int64_t now) {
    tr_peer_disconnected(victim.peer);
    tr_peer_disconnected(partner.peer);
    side_connect(&victim, 7, now);
    side_connect(&partner, 7, now);
    for (uint8_t i = 0; i < stage; i++) {
        side_pass(&partner, &victim, now);
        side_pass(&victim, &partner, now);
    }
    if (stage >= 3) sides_talk(&victim, &partner, now);
}

static int numbers[TR_PEER_FRAME_DESCRIPTORS]; /* as if of descriptors */

static void feed(struct input *input, uint32_t descriptors, int64_t now) {
    size_t size = next(input), left = (size_t)(input->end - input->at);
    if (size > left) size = left;
    uint8_t *frame = malloc(size + 1); /* of its own, so that reading beyond it is seen */
    if (frame == NULL) abort();
    memcpy(frame, input->at, size);
    input->at += size;
    tr_peer_frame_with(victim.peer, frame, size, numbers, descriptors, now);
    free(frame);
}

static void settle_some(struct input *input, int64_t now) {
    struct side_channel *channel = &victim.channels[next(input) % SIDE_CHANNELS];
    if (!channel->open || channel->settled == channel->received) return;
    if (next(input) % 4 == 0)
        tr_peer_refused(victim.peer, (uint32_t)(channel - victim.channels), channel->settled + 1,
                        TROUPE_FLUSHED);
    channel->settled++;
    tr_peer_progress(victim.peer, now);
}

static void submit_some(struct input *input) {
    uint8_t kind = next(input);
    struct tr_parcel *parcel = side_parcel('f', kind % SLOTS, 1 + kind);
    parcel->definitions = kind / 64;
    parcel->once = kind % 16 == 0;
    parcel->descriptors = numbers;
    parcel->descriptor_count = kind % 8 == 1 ? 1 + kind / 8 : 0;
    tr_peer_submit(victim.peer, parcel);
}

static void step(struct input *input, int64_t now) {
    struct side_frame frame;
    uint8_t what = next(input);
    switch (what % 12) {
    case 0: submit_some(input); break;
    case 1: tr_peer_flush(victim.peer, now); break;
    case 2: settle_some(input, now); break;
    case 3: tr_peer_tick(victim.peer, now); break;
    case 4:
        if (side_take(&victim, &frame, now)) free(frame.bytes);
        break;
    case 5: side_pass(&victim, &partner, now); break;
    case 6: side_pass(&partner, &victim, now); break;
    case 7:
        tr_peer_endpoint_gone(victim.peer, (struct tr_endpoint){ next(input) % SLOTS, 1 });
        break;
    case 8:
        if (next(input) % 2 == 0) replace_partner(what >= 128);
        reach(next(input) % 4, now);
        break;
    default: feed(input, what < 192 ? 0 : what % 4, now); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = { data, data + size };
    uint8_t start = next(&input);
    int64_t now = 0;
    role = start & 1;
    incarnation = 1;
    side_start(&victim, role, 1, (start & 2) != 0);
    side_start(&partner, 1 - role, 1, true);
    reach(start / 4 % 4, now);
    while (input.at < input.end) {
        step(&input, now);
        now += 2 * TROUPE_MILLISECOND;
        victim.payloads[255] = '\0';
    }
    tr_peer_abandon(victim.peer, TROUPE_STOPPING);
    for (int i = 0; i < SIDE_CHANNELS; i++)
        if (victim.channels[i].open) abort();
    side_stop(&victim);
    side_stop(&partner);
    return 0;
}
