/*
 * `head` and `tail` count for ever, wrapping around; tail - head is the number of links in the ring.
 *
 * The owner alone writes slots and moves tail, so that pushing is a store. Everybody takes by moving
 * head with a compare and exchange, having read the slots before: who wins owns what was between the
 * old head and the new one, who loses forgets what was read and looks again.
 *
 * Why a thief may read slots that are not its own yet. Between its look at head and its exchange the
 * owner may have popped those links and pushed others over them. Then head has moved and the exchange
 * fails. Slots are atomic, so that such a read is stale but defined. (Head would have to go around all
 * its 2^32 values within one theft to be mistaken for the same.)
 *
 * Orders. Push publishes a slot by storing tail (release), which thieves load (acquire). A thief is done
 * with its slots when it exchanges head (release); the owner loads head (acquire) before it writes over
 * them. Slots themselves need none.
 *
 * Push and the thief's look at tail are sequentially consistent besides: a worker that has said it is
 * idle and then finds nothing here is seen idle by whoever pushes after that (worker.c).
 */
#include "core/runqueue.h"

#include <stddef.h>

#include "base/assert.h"

_Static_assert((TR_RUNQUEUE_SIZE & (TR_RUNQUEUE_SIZE - 1)) == 0, "counts wrap around within the ring");

static struct tr_run_link *slot_read(struct tr_runqueue *queue, uint32_t at) {
    return atomic_load_explicit(&queue->slots[at % TR_RUNQUEUE_SIZE], memory_order_relaxed);
}

static void slot_write(struct tr_runqueue *queue, uint32_t at, struct tr_run_link *link) {
    atomic_store_explicit(&queue->slots[at % TR_RUNQUEUE_SIZE], link, memory_order_relaxed);
}

/* Everything from *head on, `count` of them, is the caller's. False: *head is what it is by now. */
static bool take(struct tr_runqueue *queue, uint32_t *head, uint32_t count) {
    return atomic_compare_exchange_strong_explicit(&queue->head, head, *head + count,
                                                   memory_order_acq_rel, memory_order_acquire);
}

bool tr_runqueue_push(struct tr_runqueue *queue, struct tr_run_link *link) {
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    if (tail - head == TR_RUNQUEUE_SIZE) return false;
    slot_write(queue, tail, link);
    atomic_store(&queue->tail, tail + 1);
    return true;
}

struct tr_run_link *tr_runqueue_pop(struct tr_runqueue *queue) {
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    while (head != tail) {
        struct tr_run_link *link = slot_read(queue, head);
        if (take(queue, &head, 1)) return link;
    }
    return NULL;
}

/* Chained only after they were taken: until then a thief may own them. Slots that were taken stay as they
 * are until the owner itself pushes. */
static struct tr_run_link *chain(struct tr_runqueue *queue, uint32_t head, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) slot_read(queue, head + i - 1)->next = slot_read(queue, head + i);
    return slot_read(queue, head + count - 1);
}

uint32_t tr_runqueue_spill(struct tr_runqueue *queue, struct tr_run_link **first,
                           struct tr_run_link **last) {
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    while (head != tail) {
        uint32_t from = head, size = tail - head;
        uint32_t count = size < TR_RUNQUEUE_SPILL ? size : TR_RUNQUEUE_SPILL;
        if (!take(queue, &head, count)) continue;
        *first = slot_read(queue, from);
        *last = chain(queue, from, count);
        return count;
    }
    return 0;
}

/* How many of `size` to take: half, rounded up; one goes to the caller, the others must fit. */
static uint32_t share(uint32_t size, uint32_t room) {
    uint32_t half = size - size / 2;
    return half > room + 1 ? room + 1 : half;
}

/* The first one is returned, the others are written behind the end of `into`, where nobody looks yet. */
static struct tr_run_link *copy(struct tr_runqueue *from, uint32_t head, uint32_t count,
                                struct tr_runqueue *into, uint32_t tail) {
    for (uint32_t i = 1; i < count; i++) slot_write(into, tail + i - 1, slot_read(from, head + i));
    return slot_read(from, head);
}

/* Of `size` from `head` on, those before `end`, which may have been taken long ago. */
static uint32_t before(uint32_t end, uint32_t head, uint32_t size) {
    uint32_t old = end - head;
    return old <= size ? old : 0;
}

struct tr_run_link *tr_runqueue_steal(struct tr_runqueue *from, struct tr_runqueue *into, uint32_t end) {
    tr_assert(from != into);
    uint32_t tail = atomic_load_explicit(&into->tail, memory_order_relaxed);
    uint32_t room = TR_RUNQUEUE_SIZE - (tail - atomic_load_explicit(&into->head, memory_order_acquire));
    uint32_t head = atomic_load_explicit(&from->head, memory_order_acquire);
    for (;;) {
        uint32_t size = atomic_load(&from->tail) - head;
        if (size == 0) return NULL;
        if (size > TR_RUNQUEUE_SIZE) { /* head is older than tail: look again */
            head = atomic_load_explicit(&from->head, memory_order_acquire);
            continue;
        }
        uint32_t count = share(size, room), old = before(end, head, size);
        if (old == 0) return NULL;
        if (count > old) count = old;
        struct tr_run_link *first = copy(from, head, count, into, tail);
        if (!take(from, &head, count)) continue;
        atomic_store_explicit(&into->tail, tail + count - 1, memory_order_release);
        return first;
    }
}

uint32_t tr_runqueue_size(const struct tr_runqueue *queue) {
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    uint32_t size = atomic_load_explicit(&queue->tail, memory_order_acquire) - head;
    return size < TR_RUNQUEUE_SIZE ? size : TR_RUNQUEUE_SIZE;
}

struct tr_run_link *tr_runqueue_peek(struct tr_runqueue *queue) {
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    return head == tail ? NULL : slot_read(queue, head);
}
