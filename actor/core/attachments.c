#include "core/attachments.h"

#include <stdlib.h>

#include "core/descriptor.h"

static uint32_t add(struct tr_attachments *attachments, int descriptor) {
    attachments->descriptors[attachments->count] = descriptor;
    return attachments->count++;
}

uint32_t tr_attach_descriptor(struct tr_attachments *attachments, int descriptor, enum troupe_status *status) {
    *status = TROUPE_TOO_BIG;
    if (attachments->count - attachments->parts == TROUPE_MAX_DESCRIPTORS) return UINT32_MAX;
    int made = tr_descriptor_duplicate(descriptor, status);
    return made < 0 ? UINT32_MAX : add(attachments, made);
}

uint32_t tr_attach_part(struct tr_attachments *attachments, const void *data, size_t size, uint64_t *offset) {
    if (attachments->parts == TR_MAX_PARTS) return UINT32_MAX;
    int file = tr_buffers_file(attachments->buffers, data, size, offset);
    if (file < 0) return UINT32_MAX;
    attachments->parts++;
    return add(attachments, file);
}

void tr_attachments_close(struct tr_attachments *attachments) {
    tr_descriptors_close(attachments->descriptors, attachments->count);
    attachments->count = attachments->parts = 0;
}

struct tr_attachments *tr_attachments_move(struct tr_attachments *attachments) {
    struct tr_attachments *moved = malloc(sizeof *moved);
    if (moved == NULL) return NULL;
    *moved = *attachments;
    attachments->count = attachments->parts = 0;
    return moved;
}

void tr_attachments_free(struct tr_attachments *attachments) {
    if (attachments == NULL) return;
    tr_attachments_close(attachments);
    free(attachments);
}
