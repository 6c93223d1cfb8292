/*
 * A deep copy inside a node: struct, then whatever its fields point to, in one run of memory, but for
 * parts of TROUPE_SHARED_SIZE and more: these are referred to where they are in a buffer, and copied into
 * one where they are not. Descriptors are duplicated.
 *
 * As in codec_unpack.c one walk serves both passes; in the first there is no memory. Only what has
 * pointers is walked: a struct is copied whole, then its pointers are bent to their copies.
 *
 * A copy is refused wherever packing would be: the same program must not work with threads and fail
 * with processes. Packed bytes can be more than the memory (a u8 of 200 takes two), but rarely so
 * many that it matters: the walk adds up the worst case too, and only when that is over the limit
 * the message is packed for a try.
 */
#include "base/bytes.h"
#include "base/utf8.h"
#include "core/codec_internal.h"
#include "core/descriptor.h"

#include <string.h>

struct copier {
    struct tr_layout layout;
    uint64_t worst; /* bytes when packed, never too few */
    uint32_t shared; /* parts in buffers */
    uint32_t descriptors;
    struct tr_shares *shares;
    struct tr_codec_error *error;
};

/* No struct takes more bytes packed than this times its size: with one i8 at the greatest depth it
 * is a byte in memory, a header for each level and two bytes packed. A number alone takes its size
 * and a tag at most, an address four tags; a header of text or an array is five bytes. */
enum { WORST_FACTOR = TR_CODEC_MAX_DEPTH + 1 + 2, WORST_ADDRESS = 4, WORST_HEADER = 5 };

static uint64_t worst_item(const struct troupe_field *field) {
    uint64_t size = tr_codec_item_size(field);
    if (field->nested != NULL) return size * WORST_FACTOR;
    return size + (field->kind == TROUPE_KIND_ADDRESS ? WORST_ADDRESS : 1);
}

static bool copy_pointers(struct copier *copier, const struct troupe_message_type *type,
                          const uint8_t *from, uint8_t *into, int depth);

static bool reserve(struct copier *copier, uint64_t size, size_t alignment, uint8_t **at) {
    if (tr_layout_reserve(&copier->layout, size, alignment, at)) return true;
    return tr_codec_fail(copier->error, TROUPE_TOO_BIG, tr_codec_too_big);
}

static bool share(struct copier *copier, const void *from, uint64_t size, size_t alignment,
                  const void **at) {
    if (!tr_layout_share(&copier->layout, size, alignment))
        return tr_codec_fail(copier->error, TROUPE_TOO_BIG, tr_codec_too_big);
    copier->shared++;
    *at = NULL;
    if (copier->layout.base == NULL) return true;
    *at = tr_shares_take(copier->shares, from, (size_t)size);
    return *at != NULL || tr_codec_fail(copier->error, TROUPE_NO_MEMORY, "out of memory");
}

/* A part without pointers; `*at` is where its copy is, in the second pass. */
static bool copy_part(struct copier *copier, const void *from, uint64_t size, size_t alignment,
                      const void **at) {
    uint8_t *own;
    if (size >= TROUPE_SHARED_SIZE) return share(copier, from, size, alignment, at);
    if (!reserve(copier, size, alignment, &own)) return false;
    if (own != NULL && size != 0) memcpy(own, from, (size_t)size);
    *at = own;
    return true;
}

static bool copy_str(struct copier *copier, const uint8_t *from, uint8_t *into) {
    const char *text;
    const void *at;
    memcpy(&text, from, sizeof text);
    if (text == NULL) text = "";
    size_t size = strlen(text);
    if (!copy_part(copier, text, (uint64_t)size + 1, 1, &at)) return false;
    copier->worst += size + WORST_HEADER;
    if (into == NULL)
        return tr_utf8_valid(text, size) ||
               tr_codec_fail(copier->error, TROUPE_INVALID, "not valid UTF-8");
    memcpy(into, &at, sizeof at);
    return true;
}

static bool copy_bytes(struct copier *copier, const uint8_t *from, uint8_t *into) {
    struct troupe_bytes bytes;
    const void *at;
    memcpy(&bytes, from, sizeof bytes);
    if (bytes.data == NULL && bytes.size != 0)
        return tr_codec_fail(copier->error, TROUPE_INVALID, "NULL with a size");
    if (!copy_part(copier, bytes.data, bytes.size, TR_CODEC_ALIGNMENT, &at)) return false;
    copier->worst += bytes.size + WORST_HEADER;
    if (into == NULL) return true;
    bytes.data = bytes.size == 0 ? NULL : at;
    memcpy(into, &bytes, sizeof bytes);
    return true;
}

static bool copy_descriptor(struct copier *copier, const uint8_t *from, uint8_t *into) {
    enum troupe_status status;
    int descriptor, *copy = (int *)(void *)into;
    memcpy(&descriptor, from, sizeof descriptor);
    if (!tr_codec_check_descriptor(descriptor, &copier->descriptors, copier->error)) return false;
    if (copy == NULL) return true;
    *copy = descriptor < 0 ? -1 : tr_descriptor_duplicate(descriptor, &status);
    if (descriptor < 0) return true;
    if (*copy < 0) return tr_codec_fail_descriptor(copier->error, status);
    tr_shares_own(copier->shares, copy);
    return true;
}

static bool copy_value(struct copier *copier, const struct troupe_field *field, const uint8_t *from,
                       uint8_t *into, int depth) {
    if (field->kind == TROUPE_KIND_DESCRIPTOR) return copy_descriptor(copier, from, into);
    if (field->kind == TROUPE_KIND_STR) return copy_str(copier, from, into);
    if (field->kind == TROUPE_KIND_BYTES) return copy_bytes(copier, from, into);
    return copy_pointers(copier, field->nested, from, into, depth + 1);
}

/* Items that are structs with pointers arrive as they are, for copy_value to bend. */
static bool copy_items(struct copier *copier, const struct troupe_field *field,
                       struct tr_any_array array, const void **at, int depth) {
    size_t size = tr_codec_item_size(field);
    const uint8_t *from = array.items;
    uint8_t *into;
    if (!reserve(copier, (uint64_t)array.count * size, TR_CODEC_ALIGNMENT, &into)) return false;
    if (into != NULL && array.count != 0) memcpy(into, from, array.count * size);
    *at = into;
    for (uint32_t i = 0; i < array.count; i++) {
        uint8_t *item = into == NULL ? NULL : into + i * size;
        if (!copy_value(copier, field, from + i * size, item, depth))
            return tr_codec_fail_in_item(copier->error, i);
    }
    return true;
}

static bool copy_array(struct copier *copier, const struct troupe_field *field, const uint8_t *from,
                       uint8_t *into, int depth) {
    struct tr_any_array array;
    const void *at;
    memcpy(&array, from, sizeof array);
    if (array.items == NULL && array.count != 0)
        return tr_codec_fail(copier->error, TROUPE_INVALID, "NULL with a count");
    uint64_t size = (uint64_t)array.count * tr_codec_item_size(field);
    bool copied = tr_codec_is_flat(field) ? copy_part(copier, array.items, size, TR_CODEC_ALIGNMENT, &at)
                                          : copy_items(copier, field, array, &at, depth);
    if (!copied) return false;
    copier->worst += array.count * worst_item(field) + WORST_HEADER;
    if (into == NULL) return true;
    array.items = array.count == 0 ? NULL : at;
    memcpy(into, &array, sizeof array);
    return true;
}

static bool copy_pointers(struct copier *copier, const struct troupe_message_type *type,
                          const uint8_t *from, uint8_t *into, int depth) {
    if (!type->has_pointers) return true;
    if (depth > TR_CODEC_MAX_DEPTH)
        return tr_codec_fail(copier->error, TROUPE_INVALID, tr_codec_too_deep);
    const struct troupe_field *fields = type->fields();
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct troupe_field *field = &fields[i];
        uint8_t *at = into == NULL ? NULL : into + field->offset;
        if (!field->array && tr_codec_is_flat(field)) continue;
        bool copied = field->array ? copy_array(copier, field, from + field->offset, at, depth)
                                   : copy_value(copier, field, from + field->offset, at, depth);
        if (!copied) return tr_codec_fail_in_field(copier->error, field->name);
    }
    return true;
}

static bool packs(const struct troupe_message_type *type, const void *message,
                  struct tr_codec_error *error) {
    struct tr_bytes bytes = { .limit = TR_CODEC_MAX_SIZE };
    bool packed = tr_codec_pack_trial(type, message, &bytes, error);
    tr_bytes_free(&bytes);
    return packed;
}

bool tr_codec_measure_copy(const struct troupe_message_type *type, const void *message,
                           struct tr_codec_size *needed, struct tr_codec_error *error) {
    struct copier copier = { .layout = { .used = type->size },
                             .worst = (uint64_t)type->size * WORST_FACTOR, .error = error };
    if (!copy_pointers(&copier, type, message, NULL, 0)) return tr_codec_fail_at_top(error);
    if (copier.worst > TR_CODEC_MAX_SIZE && !packs(type, message, error)) return false;
    *needed = (struct tr_codec_size){ tr_layout_own(&copier.layout), copier.shared, copier.descriptors };
    return true;
}

bool tr_codec_copy(const struct troupe_message_type *type, const void *message, void *memory,
                   struct tr_shares *shares, struct tr_codec_error *error) {
    struct copier copier = { .layout = { .base = memory, .used = type->size }, .shares = shares, .error = error };
    memcpy(memory, message, type->size);
    return copy_pointers(&copier, type, message, memory, 0) || tr_codec_fail_at_top(error);
}
