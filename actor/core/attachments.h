/*
 * What goes along with the bytes of a packed message, from one process to another: descriptors, of its fields and of
 * its large parts. The bytes refer to them by their place in the list, to each once.
 */
#ifndef TR_ATTACHMENTS_H
#define TR_ATTACHMENTS_H

#include "core/buffer.h"

enum {
    TR_MAX_PARTS = 16, /* large parts of one message that are files; further ones are in its bytes */
    TR_MAX_ATTACHMENTS = TROUPE_MAX_DESCRIPTORS + TR_MAX_PARTS,
};

/* Of a message on its way out; owned. All zero but `buffers` is empty. */
struct tr_attachments {
    struct tr_buffers *buffers;
    uint32_t count, parts; /* `parts`: so many of them are files of large parts */
    int descriptors[TR_MAX_ATTACHMENTS];
};

/* A duplicate of a field's. UINT32_MAX: `*status` is INVALID (not open), LIMIT (no descriptors left), or TOO_BIG (too
 * many in one message). */
uint32_t tr_attach_descriptor(struct tr_attachments *attachments, int descriptor, enum troupe_status *status);
/* A file with these bytes from `*offset` on. UINT32_MAX: not to be had; they go in line. */
uint32_t tr_attach_part(struct tr_attachments *attachments, const void *data, size_t size, uint64_t *offset);
/* Closes all. */
void tr_attachments_close(struct tr_attachments *attachments);

static inline void tr_attachments_init(struct tr_attachments *attachments, struct tr_buffers *buffers) {
    attachments->buffers = buffers;
    attachments->count = attachments->parts = 0;
}

/* On the heap, for longer, and empty what it was made from. NULL: no memory; then that is as before. */
struct tr_attachments *tr_attachments_move(struct tr_attachments *attachments);
/* Closes all. NULL is nothing. */
void tr_attachments_free(struct tr_attachments *attachments);

/* Of a message that has come. Whoever takes one puts -1 in its place; the owner of the list closes what is left. */
struct tr_arrived {
    int *descriptors;
    uint32_t count;
};

#endif
