/*
 * A buffer is one allocation, a header and the bytes behind it. A message says nothing but where its bytes
 * are; whether that is within a buffer is found in a tree of all buffers by address. Only parts of
 * TROUPE_SHARED_SIZE and more are looked up, and a look-up costs less than a hundredth of the copy that it
 * saves: a lock for readers and a few comparisons.
 *
 * `references` counts messages and holders; whoever takes it to 0 takes the buffer out of the tree and
 * frees it. Between the two, a look-up may still come upon it, by a pointer that nobody has a right to
 * any more: it is not found then.
 */
#include "core/buffer.h"

#include <search.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* What the tree compares: the bytes of a buffer, or those that are looked for. */
struct range {
    uintptr_t start;
    size_t size; /* at least 1 */
};

struct tr_buffer {
    struct range range;         /* first: the tree's pointers are cast to it */
    _Atomic uint64_t references;
    uint64_t held;              /* by the program: part of `references`; under the lock */
    _Alignas(max_align_t) uint8_t bytes[];
};

/* Ranges of the tree do not overlap; one that overlaps with them is equal to the one it meets. */
static int compare(const void *left, const void *right) {
    const struct range *a = left, *b = right;
    if (a->start >= b->start + b->size) return 1;
    return b->start >= a->start + a->size ? -1 : 0;
}

void tr_buffers_init(struct tr_buffers *buffers) {
    *buffers = (struct tr_buffers){ .tree = NULL };
    pthread_rwlock_init(&buffers->lock, NULL);
}

void tr_buffers_free(struct tr_buffers *buffers) {
    tdestroy(buffers->tree, free);
    pthread_rwlock_destroy(&buffers->lock);
}

void tr_buffers_count(struct tr_buffers *buffers, struct troupe_buffer_counts *counts) {
    pthread_rwlock_rdlock(&buffers->lock);
    *counts = buffers->counts;
    pthread_rwlock_unlock(&buffers->lock);
}

/* ---- The tree: under the lock ---- */

static bool insert(struct tr_buffers *buffers, struct tr_buffer *buffer) {
    if (tsearch(&buffer->range, &buffers->tree, compare) == NULL) return false;
    buffers->counts.live++;
    buffers->counts.made++;
    buffers->counts.bytes += buffer->range.size;
    return true;
}

static void take_out(struct tr_buffers *buffers, struct tr_buffer *buffer) {
    void *found = tdelete(&buffer->range, &buffers->tree, compare);
    tr_assert(found != NULL);
    buffers->counts.live--;
    buffers->counts.bytes -= buffer->range.size;
}

static struct tr_buffer *look_up(struct tr_buffers *buffers, const void *data, size_t size) {
    const struct range first = { (uintptr_t)data, 1 };
    struct range *const *found = tfind(&first, &buffers->tree, compare);
    if (found == NULL) return NULL;
    size_t before = first.start - (*found)->start;
    return size <= (*found)->size - before ? (struct tr_buffer *)(void *)*found : NULL;
}

/* ---- References ---- */

static bool refer(struct tr_buffer *buffer) {
    uint64_t references = atomic_load_explicit(&buffer->references, memory_order_relaxed);
    while (references != 0)
        if (atomic_compare_exchange_weak_explicit(&buffer->references, &references, references + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

static void drop(struct tr_buffers *buffers, struct tr_buffer *buffer) {
    if (atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel) > 1) return;
    pthread_rwlock_wrlock(&buffers->lock);
    take_out(buffers, buffer);
    pthread_rwlock_unlock(&buffers->lock);
    free(buffer);
}

/* With one reference: the caller's. */
static struct tr_buffer *make(struct tr_buffers *buffers, size_t size, uint64_t held) {
    if (size == 0) size = 1; /* it must have an address of its own */
    if (size > SIZE_MAX / 2) return NULL;
    struct tr_buffer *buffer = malloc(sizeof *buffer + size);
    if (buffer == NULL) return NULL;
    buffer->range = (struct range){ (uintptr_t)buffer->bytes, size };
    atomic_init(&buffer->references, 1);
    buffer->held = held;
    pthread_rwlock_wrlock(&buffers->lock);
    bool inserted = insert(buffers, buffer);
    pthread_rwlock_unlock(&buffers->lock);
    if (inserted) return buffer;
    free(buffer);
    return NULL;
}

/* ---- For programs ---- */

void *tr_buffers_make(struct tr_buffers *buffers, size_t size) {
    struct tr_buffer *buffer = make(buffers, size, 1);
    return buffer == NULL ? NULL : buffer->bytes;
}

static bool hold(struct tr_buffers *buffers, const void *data, size_t size) {
    pthread_rwlock_wrlock(&buffers->lock);
    struct tr_buffer *buffer = look_up(buffers, data, size);
    bool held = buffer != NULL && refer(buffer);
    if (held) buffer->held++;
    pthread_rwlock_unlock(&buffers->lock);
    return held;
}

const void *tr_buffers_keep(struct tr_buffers *buffers, const void *data, size_t size) {
    if (hold(buffers, data, size)) return data;
    if (data == NULL && size > 0) return NULL;
    void *copy = tr_buffers_make(buffers, size);
    if (copy != NULL && size != 0) memcpy(copy, data, size);
    return copy;
}

enum troupe_status tr_buffers_release(struct tr_buffers *buffers, const void *data) {
    if (data == NULL) return TROUPE_OK;
    pthread_rwlock_wrlock(&buffers->lock);
    struct tr_buffer *buffer = look_up(buffers, data, 1);
    bool held = buffer != NULL && buffer->held > 0;
    if (held) buffer->held--;
    pthread_rwlock_unlock(&buffers->lock);
    if (!held) return TROUPE_INVALID;
    drop(buffers, buffer);
    return TROUPE_OK;
}

/* ---- For messages ---- */

static struct tr_buffer *find(struct tr_buffers *buffers, const void *data, size_t size) {
    pthread_rwlock_rdlock(&buffers->lock);
    struct tr_buffer *buffer = look_up(buffers, data, size);
    if (buffer != NULL && !refer(buffer)) buffer = NULL;
    pthread_rwlock_unlock(&buffers->lock);
    return buffer;
}

const void *tr_shares_take(struct tr_shares *shares, const void *data, size_t size) {
    struct tr_buffer *buffer = find(shares->buffers, data, size);
    if (buffer == NULL) {
        void *copy = tr_shares_make(shares, size);
        return copy == NULL ? NULL : memcpy(copy, data, size);
    }
    shares->items[shares->count++] = buffer;
    return data;
}

void *tr_shares_make(struct tr_shares *shares, size_t size) {
    struct tr_buffer *buffer = make(shares->buffers, size, 0);
    if (buffer == NULL) return NULL;
    shares->items[shares->count++] = buffer;
    return buffer->bytes;
}

void tr_shares_release(struct tr_shares *shares) {
    while (shares->count > 0) drop(shares->buffers, shares->items[--shares->count]);
}
