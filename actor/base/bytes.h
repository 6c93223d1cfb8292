/*
 * A growable, bounded run of bytes: what packers write into.
 *
 * Failure is sticky: once a write did not fit (over the limit, or no memory) the buffer is
 * `failed`, later writes do nothing, and the writer looks once at the end. Zero-initialised is
 * empty and without a limit; tr_bytes_free returns it there.
 */
#ifndef TR_BYTES_H
#define TR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tr_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* 0: none but memory */
    bool failed;
};

void tr_bytes_append(struct tr_bytes *bytes, const void *data, size_t size);

/* Forgets the contents and the failure, keeps the memory. */
void tr_bytes_clear(struct tr_bytes *bytes);
void tr_bytes_free(struct tr_bytes *bytes);

#endif
