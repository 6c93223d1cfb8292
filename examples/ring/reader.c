/* The reader is never blocked: when the ring is empty, a message comes once there is more. */
#include <inttypes.h>

#include "ring.h"

struct reader {
    troupe_shared *region;
    struct troupe_asker asker;
    uint32_t left;
    uint64_t sum;
};

/* What the other side says of the ring is only believed as far as it makes sense. */
static enum troupe_status read_all(troupe_self *self, struct reader *me, uint32_t written) {
    struct ring *ring = ring_of(me->region);
    uint32_t at = atomic_load(&ring->read), count = written - at;
    if (count > RING_SIZE) return TROUPE_FAIL(self, "a ring of %d cannot hold %" PRIu32 " numbers", RING_SIZE, count);
    for (; at != written && me->left > 0; me->left--) me->sum += ring->numbers[at++ % RING_SIZE];
    atomic_store(&ring->read, at);
    troupe_shared_notify(me->region, RING_READ, 1);
    return TROUPE_OK;
}

static enum troupe_status go_on(troupe_self *self, struct reader *me) {
    uint32_t written = atomic_load(&ring_of(me->region)->written);
    enum troupe_status status = read_all(self, me, written);
    if (status != TROUPE_OK) return status;
    if (me->left == 0) return troupe_answer_later(self, me->asker, summed, .sum = me->sum);
    return troupe_shared_await(self, NULL, me->region, RING_WRITTEN, written, INT64_MAX);
}

TROUPE_ON(reader, open_ring) {
    if (me->region != NULL) return TROUPE_FAIL(self, "a second ring");
    enum troupe_status status = troupe_shared_open(msg->memory, sizeof(struct ring), &me->region);
    if (status != TROUPE_OK) return TROUPE_FAIL(self, "this is no ring: %s", troupe_status_text(status));
    me->asker = troupe_keep_asker(self);
    me->left = msg->numbers;
    return go_on(self, me);
}

TROUPE_ON(reader, troupe_shared_waited) { return go_on(self, me); }

TROUPE_STOP(reader) { troupe_shared_release(me->region); }
TROUPE_ACTOR(reader, TROUPE_STOPS(reader), TROUPE_HANDLES(reader, open_ring, troupe_shared_waited))
