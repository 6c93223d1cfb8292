/* What buffer.c and buffer_file.c share; nobody else includes this. */
#ifndef TR_BUFFER_PARTS_H
#define TR_BUFFER_PARTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/buffer.h"

/* What the tree compares: the bytes of a buffer, or those that are looked for. */
struct tr_range {
    uintptr_t start;
    size_t size; /* at least 1 */
};

struct tr_buffer {
    struct tr_range range;       /* first: the tree's pointers are cast to it */
    _Atomic uint64_t references;
    uint64_t held;               /* by the program: part of `references`; under the lock */
    _Atomic int descriptor;      /* of a file with the same bytes; -1: none */
    uint64_t offset;             /* of the range in it */
    void *mapped;                /* NULL: the bytes are behind this header */
    size_t mapped_size;
    _Alignas(max_align_t) uint8_t bytes[];
};

/* With one reference, the caller's; its range, mapping and descriptor are set. False: no memory; it is as before. */
bool tr_buffer_enter(struct tr_buffers *buffers, struct tr_buffer *buffer);
/* With a reference for the caller. NULL: not within a buffer. */
struct tr_buffer *tr_buffer_find(struct tr_buffers *buffers, const void *data, size_t size);
void tr_buffer_drop(struct tr_buffers *buffers, struct tr_buffer *buffer);

#endif
