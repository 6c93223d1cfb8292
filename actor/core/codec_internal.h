/* What the files of the codec share: errors with a path, memory laid out, sizes of kinds. */
#ifndef TR_CODEC_INTERNAL_H
#define TR_CODEC_INTERNAL_H

#include "core/codec.h"

/* Any array field: the struct types of message.h have this layout, whatever their items are. */
struct tr_any_array {
    const void *items;
    uint32_t count;
};

/*
 * Memory that is added up in a first pass and handed out in a second, by the same calls in the same
 * order: `base` is NULL in the first. Never beyond TR_CODEC_MAX_SIZE, with what is shared.
 */
struct tr_layout {
    uint8_t *base;
    size_t used;   /* by the message */
    size_t shared; /* of these in buffers, rounded down to a multiple of the alignment */
};

enum { TR_CODEC_ALIGNMENT = 8 }; /* of every array; the strictest of all kinds */

/* False when it would be too much. `*at` is NULL in the first pass. */
static inline bool tr_layout_reserve(struct tr_layout *layout, uint64_t size, size_t alignment,
                                     uint8_t **at) {
    size_t start = (layout->used + alignment - 1) & ~(alignment - 1);
    *at = NULL;
    if (start > TR_CODEC_MAX_SIZE || size > TR_CODEC_MAX_SIZE - start) return false;
    layout->used = start + (size_t)size;
    if (layout->base != NULL) *at = layout->base + (start - layout->shared);
    return true;
}

/* A part that goes into a buffer: it counts, and leaves no gap. */
static inline bool tr_layout_share(struct tr_layout *layout, uint64_t size, size_t alignment) {
    size_t before = layout->used;
    size_t start = (before + alignment - 1) & ~(alignment - 1);
    if (start > TR_CODEC_MAX_SIZE || size > TR_CODEC_MAX_SIZE - start) return false;
    layout->used = start + (size_t)size;
    layout->shared += (layout->used - before) & ~(size_t)(TR_CODEC_ALIGNMENT - 1);
    return true;
}

/* What is not: the bytes of the allocation. */
static inline size_t tr_layout_own(const struct tr_layout *layout) {
    return layout->used - layout->shared;
}

/* Bytes of one value of the field's kind: of one item, if the field is an array. */
size_t tr_codec_item_size(const struct troupe_field *field);

/* A kind whose value is all in its place: no pointers, however deep, and no descriptors. */
bool tr_codec_is_flat(const struct troupe_field *field);

/* Each returns false, so that a failure is one line. The path is put in front on the way out, from
 * the inside to the outside: it costs nothing while all is well. */
bool tr_codec_fail(struct tr_codec_error *error, enum troupe_status status, const char *reason);
bool tr_codec_fail_in_field(struct tr_codec_error *error, const char *name);
bool tr_codec_fail_in_item(struct tr_codec_error *error, uint32_t index);
/* At the outermost level: something that has no field gets the word "message". */
bool tr_codec_fail_at_top(struct tr_codec_error *error);

/* Whether packing succeeds, as far as that is about sizes: descriptors are not looked at. */
bool tr_codec_pack_trial(const struct troupe_message_type *type, const void *message, struct tr_bytes *out,
                         struct tr_codec_error *error);

/* One more of a message, `*count` so far: neither 0 nor too many. */
bool tr_codec_check_descriptor(int descriptor, uint32_t *count, struct tr_codec_error *error);
/* Why one could not be duplicated. */
bool tr_codec_fail_descriptor(struct tr_codec_error *error, enum troupe_status status);

/* An attached part: an ext of this type, of the place of its file (one byte), where it begins there (8) and its
 * size (4), both big-endian. */
enum { TR_CODEC_PART = 1, TR_CODEC_PART_SIZE = 13 };

extern const char tr_codec_too_big[];
extern const char tr_codec_too_deep[];

#endif
