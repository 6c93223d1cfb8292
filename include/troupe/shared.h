/*
 * Shared memory with atomic wait and notify, between threads and between processes: Node's SharedArrayBuffer
 * and Atomics.
 *
 *     troupe_shared *region;
 *     if (troupe_shared_new(4096, &region) != TROUPE_OK) ...
 *     _Atomic uint32_t *word = troupe_shared_data(region);
 *
 *     atomic_store(word, 1);                                       change the word first, then say so
 *     troupe_shared_notify(region, 0, 1);
 *
 *     while (atomic_load(word) == 0)                               in a thread that may block, or ...
 *         troupe_shared_wait(region, 0, 0, 5 * TROUPE_SECOND);
 *     troupe_shared_await(self, NULL, region, 0, 0, INT64_MAX);    ... in any other: a message comes
 *
 * A region is a descriptor of memory (memfd) and its mapping here. Whoever is given the descriptor, in a message (the
 * kind `descriptor` of message.h) or otherwise, maps the same memory by troupe_shared_open. Its size never changes: it is sealed, so that nobody's truncating makes reading
 * a crash. When the last process that has it is gone, however that ended, so is the region.
 *
 * The atomic operations are C11's own (stdatomic.h) on objects in the region, as long as they are lock-free, for a
 * lock would be the process's: atomic_is_lock_free tells; uint32_t and uint64_t are, on all that Troupe runs on.
 * What is in a region is as trustworthy as all who have it: an index read from it is checked before it is used, once
 * it has been copied. Pointers mean nothing there. Who holds a lock of yours in it may be killed: prefer words that
 * one side writes and the other reads, and monitor the other side (troupe/monitor.h).
 *
 * Waiting follows the rules of the kernel's futex: a waiter may be woken for nothing, and looks again. So whoever
 * notifies changes the word before, else a waiter that is just about to wait misses it.
 */
#ifndef TROUPE_SHARED_H
#define TROUPE_SHARED_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The size of a region, at most: 1 GiB. */
enum { TROUPE_SHARED_MOST = 1 << 30 };

typedef struct troupe_shared troupe_shared;

/* A region of `size` bytes, all 0, with one reference, the caller's. All its memory is there from the start, so that
 * a lack of it is found out here. Belongs to no actor: who makes it in a start handler releases it in the stop handler.
 * INVALID (0 bytes, or no place for `region`), TOO_BIG, LIMIT (no descriptors left), NO_MEMORY, SYSTEM; then `*region`
 * is NULL. Any thread, all of these up to troupe_shared_notify. */
enum troupe_status troupe_shared_new(size_t size, troupe_shared **region) TROUPE_MUST_USE;

/* Maps the region of a descriptor, which stays the caller's. INVALID: it is none: not a memfd of ordinary pages,
 * sealed against shrinking and growing and writable, of at least `least` bytes (0: any number), or not open. TOO_BIG,
 * LIMIT, NO_MEMORY. One process may map a region several times; each mapping is one for itself. */
enum troupe_status troupe_shared_open(int descriptor, size_t least, troupe_shared **region) TROUPE_MUST_USE;

/* Another reference: returns `region`. The last to release one unmaps it. NULL is fine, in both. */
troupe_shared *troupe_shared_keep(troupe_shared *region);
void troupe_shared_release(troupe_shared *region);

/* Aligned to a page. */
void *troupe_shared_data(const troupe_shared *region);
size_t troupe_shared_size(const troupe_shared *region);
/* To be given to others. Stays the region's, which closes it. */
int troupe_shared_descriptor(const troupe_shared *region);

/* ---- Waiting ---- */

enum troupe_shared_outcome {
    TROUPE_SHARED_WOKEN,     /* by a notify, or for nothing */
    TROUPE_SHARED_NOT_EQUAL, /* the word is not what was expected */
    TROUPE_SHARED_TIMED_OUT,
    TROUPE_SHARED_INVALID    /* the offset is outside of the region or no multiple of 4, or the timeout is negative */
};

/* Waits at the 32-bit word at `offset` if it is `expected`. `timeout` in nanoseconds; INT64_MAX: for ever. Blocks its
 * thread: only for handlers of an actor with a thread of its own, calls of troupe_work and threads that are no
 * actor's; another handler holds up its worker, which is reported (`blocked`). Nothing ends such a wait but what it
 * waits for, a stop of the actor neither. With 0 it only looks. */
enum troupe_shared_outcome troupe_shared_wait(const troupe_shared *region, size_t offset, uint32_t expected,
                                              int64_t timeout);

/* Wakes up to `count` of those that wait at the word, in whatever process, of either kind; UINT32_MAX: all. Returns how
 * many there were to wake; -1: the offset is invalid, as above. */
int64_t troupe_shared_notify(const troupe_shared *region, size_t offset, uint32_t count);

/* ---- Waiting without blocking ---- */

/* A wait of this actor. Zero is none. */
typedef struct troupe_shared_waiter {
    uint64_t id;
} troupe_shared_waiter;

/* A wait has ended: its id, and how: enum troupe_shared_outcome. */
#define TROUPE_SHARED_WAITED_FIELDS(field) field(u64, waiter) field(u32, outcome)
TROUPE_MESSAGE(troupe_shared_waited, TROUPE_SHARED_WAITED_FIELDS)

/* Gives this actor one troupe_shared_waited when it would have been woken: Atomics.waitAsync. NOT_EQUAL too comes as a
 * message. The wait ends with the run, and holds a reference of the region meanwhile. `waiter` may be NULL. Like
 * ticks, these messages are not counted by contract 3 and not bounded by the mailbox's limit.
 *
 * One thread of the node waits for 127 of them (futex_waitv). While it turns from one to the next it may miss a
 * notify that changes nothing: it looks at the words. Where the kernel is older than Linux 5.16 it looks every
 * millisecond, and notify does not count these waits.
 * Errors: INVALID (the log says why: as above, or the actor does not handle troupe_shared_waited), LIMIT (1016 waits
 * a node), SYSTEM (no threads left; or in a test kit, where time stands still), NO_MEMORY, STOPPING. */
enum troupe_status troupe_shared_await(troupe_self *self, troupe_shared_waiter *waiter, troupe_shared *region,
                                       size_t offset, uint32_t expected, int64_t timeout);

/* After this no message of the wait is handled, even one that is in the mailbox. GONE: it has ended, or never was. */
enum troupe_status troupe_shared_unwait(troupe_self *self, troupe_shared_waiter waiter);

#ifdef __cplusplus
}
#endif
#endif
