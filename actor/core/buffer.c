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
#include "core/buffer_parts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/descriptor.h"

/* Ranges of the tree do not overlap; one that overlaps with them is equal to the one it meets. */
static int compare(const void *left, const void *right) {
    const struct tr_range *a = left, *b = right;
    if (a->start >= b->start + b->size) return 1;
    return b->start >= a->start + a->size ? -1 : 0;
}

void tr_buffers_init(struct tr_buffers *buffers) {
    *buffers = (struct tr_buffers){ .tree = NULL };
    buffers->descriptors = tr_descriptors_ours();
    pthread_rwlock_init(&buffers->lock, NULL);
}

static void buffer_free(void *node) {
    struct tr_buffer *buffer = node;
    tr_descriptor_close(atomic_load(&buffer->descriptor));
    if (buffer->mapped != NULL) munmap(buffer->mapped, buffer->mapped_size);
    free(buffer);
}

void tr_buffers_free(struct tr_buffers *buffers) {
    tdestroy(buffers->tree, buffer_free);
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
    const struct tr_range first = { (uintptr_t)data, 1 };
    struct tr_range *const *found = tfind(&first, &buffers->tree, compare);
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

void tr_buffer_drop(struct tr_buffers *buffers, struct tr_buffer *buffer) {
    if (atomic_fetch_sub_explicit(&buffer->references, 1, memory_order_acq_rel) > 1) return;
    pthread_rwlock_wrlock(&buffers->lock);
    take_out(buffers, buffer);
    pthread_rwlock_unlock(&buffers->lock);
    buffer_free(buffer);
}

bool tr_buffer_enter(struct tr_buffers *buffers, struct tr_buffer *buffer) {
    atomic_init(&buffer->references, 1);
    pthread_rwlock_wrlock(&buffers->lock);
    bool inserted = insert(buffers, buffer);
    pthread_rwlock_unlock(&buffers->lock);
    return inserted;
}

/* With one reference: the caller's. */
static struct tr_buffer *make(struct tr_buffers *buffers, size_t size, uint64_t held) {
    if (size == 0) size = 1; /* it must have an address of its own */
    if (size > SIZE_MAX / 2) return NULL;
    struct tr_buffer *buffer = malloc(sizeof *buffer + size);
    if (buffer == NULL) return NULL;
    buffer->range = (struct tr_range){ (uintptr_t)buffer->bytes, size };
    buffer->held = held;
    buffer->mapped = NULL;
    buffer->offset = 0;
    atomic_init(&buffer->descriptor, -1);
    if (tr_buffer_enter(buffers, buffer)) return buffer;
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
    tr_buffer_drop(buffers, buffer);
    return TROUPE_OK;
}

/* ---- For messages ---- */

struct tr_buffer *tr_buffer_find(struct tr_buffers *buffers, const void *data, size_t size) {
    pthread_rwlock_rdlock(&buffers->lock);
    struct tr_buffer *buffer = look_up(buffers, data, size);
    if (buffer != NULL && !refer(buffer)) buffer = NULL;
    pthread_rwlock_unlock(&buffers->lock);
    return buffer;
}

const void *tr_shares_take(struct tr_shares *shares, const void *data, size_t size) {
    struct tr_buffer *buffer = tr_buffer_find(shares->buffers, data, size);
    if (buffer == NULL) {
        void *copy = tr_shares_make(shares, size);
        return copy == NULL ? NULL : memcpy(copy, data, size);
    }
    shares->items[shares->count++] = (struct tr_share){ .buffer = buffer };
    return data;
}

void *tr_shares_make(struct tr_shares *shares, size_t size) {
    struct tr_buffer *buffer = make(shares->buffers, size, 0);
    if (buffer == NULL) return NULL;
    shares->items[shares->count++] = (struct tr_share){ .buffer = buffer };
    return buffer->bytes;
}

void tr_shares_own(struct tr_shares *shares, int *field) {
    shares->items[shares->count++] = (struct tr_share){ .descriptor = field };
}

void tr_shares_release(struct tr_shares *shares) {
    while (shares->count > 0) {
        struct tr_share *share = &shares->items[--shares->count];
        if (share->buffer != NULL) tr_buffer_drop(shares->buffers, share->buffer);
        else tr_descriptor_close(*share->descriptor);
    }
}
