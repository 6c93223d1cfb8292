/* The writer has a thread of its own, and blocks when the ring is full. It makes the ring, and hands its descriptor to
 * the reader: the only message that carries none of the numbers. */
#include <inttypes.h>
#include <stdio.h>

#include "ring.h"

#define WRITE(field) field(u32, numbers)
TROUPE_MESSAGE(write_numbers, WRITE)
TROUPE_MESSAGE_EMPTY(begin)

struct writer {
    troupe_shared *region;
    uint32_t numbers;
};

TROUPE_START(writer, write_numbers) {
    me->numbers = args->numbers;
    enum troupe_status status = troupe_shared_new(sizeof(struct ring), &me->region);
    if (status != TROUPE_OK) return status;
    status = troupe_ask(self, troupe_lookup(self, "/reader"), open_ring, TROUPE_MINUTE,
                        .memory = troupe_shared_descriptor(me->region), .numbers = me->numbers);
    return status != TROUPE_OK ? status : troupe_send_empty(self, troupe_self_address(self), begin);
}

/* False: the reader has not made room in time. */
static bool await_room(struct writer *me, uint32_t written) {
    struct ring *ring = ring_of(me->region);
    for (uint32_t read; written - (read = atomic_load(&ring->read)) >= RING_SIZE;)
        if (troupe_shared_wait(me->region, RING_READ, read, 5 * TROUPE_SECOND) == TROUPE_SHARED_TIMED_OUT) return false;
    return true;
}

TROUPE_ON(writer, begin) {
    struct ring *ring = ring_of(me->region);
    for (uint32_t i = 0; i < me->numbers; i++) {
        if (!await_room(me, i)) return TROUPE_FAIL(self, "nobody reads");
        ring->numbers[i % RING_SIZE] = i;
        atomic_store(&ring->written, i + 1);
        troupe_shared_notify(me->region, RING_WRITTEN, 1);
    }
    return TROUPE_OK;
}

TROUPE_ANSWER(writer, open_ring, summed) {
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "the reader: %s", troupe_status_text(outcome));
    printf("%" PRIu32 " numbers through the ring, the sum is %" PRIu64 "\n", me->numbers, reply->sum);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_STOP(writer) { troupe_shared_release(me->region); }
TROUPE_ACTOR(writer, TROUPE_STARTS(writer, write_numbers), TROUPE_STOPS(writer), TROUPE_HANDLES(writer, begin),
             TROUPE_ANSWERS(writer, open_ring, summed))

int main(int argc, char **argv) { return troupe_main(argc, argv, &writer_actor, &reader_actor, NULL); }
