/*
 * A deep copy inside a node: struct, then whatever its fields point to, in one run of memory.
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

#include <string.h>

struct copier {
    struct tr_layout layout;
    uint64_t worst; /* bytes when packed, never too few */
    struct tr_codec_error *error;
};

/* No struct takes more bytes packed than this times its size: with one i8 at the greatest depth it
 * is a byte in memory, a header for each level and two bytes packed. A number alone takes its size
 * and a tag at most, an address four tags; a header of text or an array is five bytes. */
enum { WORST_FACTOR = TR_CODEC_MAX_DEPTH + 1 + 2, WORST_TAGS = 4, WORST_HEADER = 5 };

static uint64_t worst_item(const struct troupe_field *field) {
    uint64_t size = tr_codec_item_size(field);
    return field->nested != NULL ? size * WORST_FACTOR : size + WORST_TAGS;
}

static bool copy_pointers(struct copier *copier, const struct troupe_message_type *type,
                          const uint8_t *from, uint8_t *into, int depth);

static bool reserve(struct copier *copier, uint64_t size, size_t alignment, uint8_t **at) {
    if (tr_layout_reserve(&copier->layout, size, alignment, at)) return true;
    return tr_codec_fail(copier->error, TROUPE_TOO_BIG, tr_codec_too_big);
}

static bool copy_str(struct copier *copier, const uint8_t *from, uint8_t *into) {
    const char *text;
    uint8_t *at;
    memcpy(&text, from, sizeof text);
    if (text == NULL) text = "";
    size_t size = strlen(text);
    if (!reserve(copier, (uint64_t)size + 1, 1, &at)) return false;
    copier->worst += size + WORST_HEADER;
    if (into == NULL)
        return tr_utf8_valid(text, size) ||
               tr_codec_fail(copier->error, TROUPE_INVALID, "not valid UTF-8");
    memcpy(at, text, size + 1);
    memcpy(into, &at, sizeof at);
    return true;
}

static bool copy_bytes(struct copier *copier, const uint8_t *from, uint8_t *into) {
    struct troupe_bytes bytes;
    uint8_t *at;
    memcpy(&bytes, from, sizeof bytes);
    if (bytes.data == NULL && bytes.size != 0)
        return tr_codec_fail(copier->error, TROUPE_INVALID, "NULL with a size");
    if (!reserve(copier, bytes.size, TR_CODEC_ALIGNMENT, &at)) return false;
    copier->worst += bytes.size + WORST_HEADER;
    if (into == NULL) return true;
    if (bytes.size != 0) memcpy(at, bytes.data, bytes.size);
    bytes.data = bytes.size == 0 ? NULL : at;
    memcpy(into, &bytes, sizeof bytes);
    return true;
}

static bool copy_value(struct copier *copier, const struct troupe_field *field, const uint8_t *from,
                       uint8_t *into, int depth) {
    if (field->kind == TROUPE_KIND_STR) return copy_str(copier, from, into);
    if (field->kind == TROUPE_KIND_BYTES) return copy_bytes(copier, from, into);
    return copy_pointers(copier, field->nested, from, into, depth + 1);
}

/* Items that are structs with pointers arrive as they are, for copy_value to bend. */
static bool copy_items(struct copier *copier, const struct troupe_field *field,
                       struct tr_any_array array, uint8_t *into, int depth) {
    size_t size = tr_codec_item_size(field);
    const uint8_t *from = array.items;
    if (into != NULL && array.count != 0) memcpy(into, from, array.count * size);
    if (tr_codec_is_flat(field)) return true;
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
    uint8_t *at;
    memcpy(&array, from, sizeof array);
    if (array.items == NULL && array.count != 0)
        return tr_codec_fail(copier->error, TROUPE_INVALID, "NULL with a count");
    uint64_t size = (uint64_t)array.count * tr_codec_item_size(field);
    if (!reserve(copier, size, TR_CODEC_ALIGNMENT, &at)) return false;
    copier->worst += array.count * worst_item(field) + WORST_HEADER;
    if (!copy_items(copier, field, array, at, depth)) return false;
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
    bool packed = tr_codec_pack(type, message, &bytes, error);
    tr_bytes_free(&bytes);
    return packed;
}

bool tr_codec_measure_copy(const struct troupe_message_type *type, const void *message,
                           size_t *needed, struct tr_codec_error *error) {
    struct copier copier = { { NULL, type->size }, (uint64_t)type->size * WORST_FACTOR, error };
    if (!copy_pointers(&copier, type, message, NULL, 0)) return tr_codec_fail_at_top(error);
    if (copier.worst > TR_CODEC_MAX_SIZE && !packs(type, message, error)) return false;
    *needed = copier.layout.used;
    return true;
}

void tr_codec_copy(const struct troupe_message_type *type, const void *message, void *memory) {
    struct copier copier = { { memory, type->size }, 0, NULL };
    memcpy(memory, message, type->size);
    copy_pointers(&copier, type, message, memory, 0);
}
