#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

/* Doubles, so that appending stays linear; never beyond the limit. */
static size_t next_capacity(const struct tr_bytes *bytes, size_t needed) {
    size_t capacity = bytes->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : bytes->capacity;
    while (capacity < needed && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity < needed) capacity = needed;
    if (bytes->limit != 0 && capacity > bytes->limit) capacity = bytes->limit;
    return capacity;
}

static bool grow(struct tr_bytes *bytes, size_t size) {
    if (size > SIZE_MAX - bytes->size) return false;
    size_t needed = bytes->size + size;
    if (bytes->limit != 0 && needed > bytes->limit) return false;
    size_t capacity = next_capacity(bytes, needed);
    uint8_t *data = realloc(bytes->data, capacity);
    if (data == NULL) return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

/* The limit may have been lowered below the capacity, so that room in memory is not room enough. */
static bool fits(const struct tr_bytes *bytes, size_t size) {
    size_t end = bytes->capacity;
    if (bytes->limit != 0 && bytes->limit < end) end = bytes->limit;
    return bytes->size <= end && size <= end - bytes->size;
}

void tr_bytes_append(struct tr_bytes *bytes, const void *data, size_t size) {
    if (bytes->failed || size == 0) return;
    if (!fits(bytes, size) && !grow(bytes, size)) {
        bytes->failed = true;
        return;
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void tr_bytes_clear(struct tr_bytes *bytes) {
    bytes->size = 0;
    bytes->failed = false;
}

void tr_bytes_free(struct tr_bytes *bytes) {
    free(bytes->data);
    *bytes = (struct tr_bytes){ 0 };
}
