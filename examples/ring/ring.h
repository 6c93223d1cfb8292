/* A ring of numbers in shared memory, with one writer and one reader, each in whatever process. */
#ifndef RING_H
#define RING_H

#include <stdatomic.h>
#include <troupe.h>

enum { RING_SIZE = 1024 }; /* a power of two */

/* `written` and `read` only rise (and wrap): what is between them waits in the ring. Each is written by one side, so
 * that nobody holds anything that the other must wait for, dead or alive. */
struct ring {
    _Atomic uint32_t written __attribute__((aligned(64)));
    _Atomic uint32_t read __attribute__((aligned(64)));
    uint32_t numbers[RING_SIZE];
};

/* Where to wait: the reader for numbers, the writer for room. */
#define RING_WRITTEN offsetof(struct ring, written)
#define RING_READ offsetof(struct ring, read)

static inline struct ring *ring_of(troupe_shared *region) { return (struct ring *)troupe_shared_data(region); }

/* The descriptor of the ring goes to the reader with this. */
#define OPEN_RING(field) field(descriptor, memory) field(u32, numbers)
TROUPE_MESSAGE(open_ring, OPEN_RING)

#define SUMMED(field) field(u64, sum)
TROUPE_MESSAGE(summed, SUMMED)

TROUPE_ACTOR_DECLARE(writer)
TROUPE_ACTOR_DECLARE(reader)

#endif
