/*
 * From msgpack to struct, out of bytes that may be anything.
 *
 * One walk over the bytes serves both passes, so that they cannot disagree: in the first the layout
 * has no memory and every destination is NULL; what the second will need is added up and held
 * against the limit before anyone allocates. A count is believed only as far as there are bytes for
 * it (the cursor sees to that) and memory for its items (the layout does): an array of a million
 * one-byte items that become structs of a kilobyte fails at its header.
 *
 * The second pass runs over bytes that the first accepted; a failure there is a mistake of the
 * caller's, unless it is about a large part: there is no memory for its buffer, or the file that it is in is not
 * what was said of it. A file is checked only then, when it is mapped: it cannot change any more, so what is checked
 * once holds.
 */
#include "base/assert.h"
#include "base/pack.h"
#include "base/utf8.h"
#include "core/codec_internal.h"

#include <string.h>

struct unpacker {
    struct tr_cursor cursor;
    struct tr_layout layout;
    const struct tr_arrived *arrived; /* NULL: nothing */
    uint32_t used;   /* of these, by place: each belongs to one part or field */
    uint32_t shared; /* parts in buffers */
    uint32_t descriptors;
    struct tr_shares *shares;
    bool excused;    /* the second pass may fail for this */
    struct tr_codec_error *error;
};

_Static_assert(TR_MAX_ATTACHMENTS <= 32, "`used` has a bit for each");

static bool unpack_message(struct unpacker *unpacker, const struct troupe_message_type *type,
                           uint8_t *into, int depth);

/* What the cursor found, if anything. */
static bool check(struct unpacker *unpacker) {
    if (tr_cursor_ok(&unpacker->cursor)) return true;
    return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, unpacker->cursor.error);
}

static bool reserve(struct unpacker *unpacker, uint64_t size, size_t alignment, uint8_t **at) {
    if (tr_layout_reserve(&unpacker->layout, size, alignment, at)) return true;
    return tr_codec_fail(unpacker->error, TROUPE_TOO_BIG, tr_codec_too_big);
}

static void store(uint8_t *into, const void *value, size_t size) {
    if (into != NULL) memcpy(into, value, size);
}

static bool share(struct unpacker *unpacker, uint64_t size, size_t alignment, uint8_t **at) {
    if (!tr_layout_share(&unpacker->layout, size, alignment))
        return tr_codec_fail(unpacker->error, TROUPE_TOO_BIG, tr_codec_too_big);
    unpacker->shared++;
    *at = NULL;
    if (unpacker->layout.base == NULL) return true;
    *at = tr_shares_make(unpacker->shares, (size_t)size);
    unpacker->excused = *at == NULL;
    return *at != NULL || tr_codec_fail(unpacker->error, TROUPE_NO_MEMORY, "out of memory");
}

/* Memory for a part without pointers; `*at` is NULL in the first pass. */
static bool place(struct unpacker *unpacker, uint64_t size, size_t alignment, uint8_t **at) {
    return size >= TROUPE_SHARED_SIZE ? share(unpacker, size, alignment, at)
                                      : reserve(unpacker, size, alignment, at);
}

/* ---- What came along ---- */

/* Each at most once: nobody else owns it. */
static bool use(struct unpacker *unpacker, uint64_t place) {
    const struct tr_arrived *arrived = unpacker->arrived;
    if (arrived == NULL || place >= arrived->count || place >= TR_MAX_ATTACHMENTS)
        return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "refers to a descriptor that did not come along");
    if ((unpacker->used & 1U << place) != 0)
        return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "refers to another field's descriptor");
    unpacker->used |= 1U << place;
    return true;
}

struct part {
    uint32_t place, size;
    uint64_t offset;
};

static uint64_t get_number(const uint8_t *from, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) number = number << 8 | from[i];
    return number;
}

static bool read_part(struct unpacker *unpacker, struct part *part) {
    const uint8_t *at = tr_read_ext(&unpacker->cursor, TR_CODEC_PART, TR_CODEC_PART_SIZE);
    if (!check(unpacker)) return false;
    *part = (struct part){ at[0], (uint32_t)get_number(at + 9, 4), get_number(at + 1, 8) };
    if (!use(unpacker, part->place)) return false;
    return part->size >= TROUPE_SHARED_SIZE ||
           tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "too small for a part of its own");
}

/* A part in a file, of items of a size; `*at` is NULL in the first pass. */
static bool unpack_part(struct unpacker *unpacker, size_t item, const uint8_t **at, uint32_t *size) {
    struct part part;
    enum troupe_status status;
    *at = NULL;
    if (!read_part(unpacker, &part)) return false;
    if (part.offset % (item < TR_CODEC_ALIGNMENT ? item : TR_CODEC_ALIGNMENT) != 0 || part.size % item != 0)
        return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "not at its alignment in its file");
    if (!tr_layout_share(&unpacker->layout, part.size, TR_CODEC_ALIGNMENT))
        return tr_codec_fail(unpacker->error, TROUPE_TOO_BIG, tr_codec_too_big);
    unpacker->shared++;
    *size = part.size;
    if (unpacker->layout.base == NULL) return true;
    *at = tr_shares_map(unpacker->shares, &unpacker->arrived->descriptors[part.place], part.offset, part.size, &status);
    if (*at != NULL) return true;
    unpacker->excused = true;
    return tr_codec_fail(unpacker->error, status, status == TROUPE_NO_MEMORY
                                                      ? "out of memory"
                                                      : "not in a sealed file in memory of at least its size");
}

/* What is wrong with the contents of a part shows when it is mapped. */
static bool fail_contents(struct unpacker *unpacker, const char *why) {
    unpacker->excused = true;
    return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, why);
}

static bool unpack_str_part(struct unpacker *unpacker, uint8_t *into) {
    const uint8_t *at;
    uint32_t size;
    if (!unpack_part(unpacker, 1, &at, &size)) return false;
    if (at == NULL) return true;
    if (memchr(at, '\0', size) != at + size - 1) return fail_contents(unpacker, "a str that does not end at its end");
    if (!tr_utf8_valid((const char *)at, size - 1)) return fail_contents(unpacker, "not valid UTF-8");
    store(into, &at, sizeof at);
    return true;
}

static bool unpack_bytes_part(struct unpacker *unpacker, uint8_t *into) {
    struct troupe_bytes bytes;
    const uint8_t *at;
    if (!unpack_part(unpacker, 1, &at, &bytes.size)) return false;
    bytes.data = at;
    store(into, &bytes, sizeof bytes);
    return true;
}

static bool are_bools(const uint8_t *at, uint32_t size) {
    uint8_t bits = 0;
    for (uint32_t i = 0; i < size; i++) bits |= at[i];
    return bits <= 1;
}

static bool unpack_array_part(struct unpacker *unpacker, const struct troupe_field *field, uint8_t *into) {
    const uint8_t *at;
    uint32_t size;
    size_t item = tr_codec_item_size(field);
    if (field->nested != NULL || !tr_codec_is_flat(field))
        return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "an array whose items cannot be in a file");
    if (!unpack_part(unpacker, item, &at, &size)) return false;
    if (at != NULL && field->kind == TROUPE_KIND_BOOL && !are_bools(at, size))
        return fail_contents(unpacker, "a bool that is none");
    struct tr_any_array array = { at, (uint32_t)(size / item) };
    store(into, &array, sizeof array);
    return true;
}

static bool unpack_descriptor(struct unpacker *unpacker, uint8_t *into) {
    struct tr_cursor *cursor = &unpacker->cursor;
    int *field = (int *)(void *)into;
    if (field != NULL) *field = -1;
    if (tr_read_nil(cursor)) return true;
    uint64_t place = tr_read_uint(cursor, UINT8_MAX);
    if (!check(unpacker) || !use(unpacker, place)) return false;
    if (++unpacker->descriptors > TROUPE_MAX_DESCRIPTORS)
        return tr_codec_fail_descriptor(unpacker->error, TROUPE_TOO_BIG);
    if (field == NULL) return true;
    *field = unpacker->arrived->descriptors[place];
    unpacker->arrived->descriptors[place] = -1;
    tr_shares_own(unpacker->shares, field);
    return true;
}

/* ---- What is in the bytes ---- */

static bool unpack_str(struct unpacker *unpacker, uint8_t *into) {
    if (tr_next_is_ext(&unpacker->cursor)) return unpack_str_part(unpacker, into);
    uint32_t size;
    uint8_t *at;
    const char *text = tr_read_str(&unpacker->cursor, &size);
    if (!check(unpacker) || !place(unpacker, (uint64_t)size + 1, 1, &at)) return false;
    if (into == NULL) return true;
    memcpy(at, text, size);
    at[size] = '\0';
    store(into, &at, sizeof at);
    return true;
}

static bool unpack_bytes(struct unpacker *unpacker, uint8_t *into) {
    if (tr_next_is_ext(&unpacker->cursor)) return unpack_bytes_part(unpacker, into);
    uint32_t size;
    uint8_t *at;
    const void *data = tr_read_bin(&unpacker->cursor, &size);
    if (!check(unpacker) || !place(unpacker, size, TR_CODEC_ALIGNMENT, &at)) return false;
    if (into == NULL) return true;
    memcpy(at, data, size);
    struct troupe_bytes bytes = { size == 0 ? NULL : at, size };
    store(into, &bytes, sizeof bytes);
    return true;
}

static bool unpack_address(struct unpacker *unpacker, uint8_t *into) {
    struct tr_cursor *cursor = &unpacker->cursor;
    struct troupe_address address;
    uint32_t count = tr_read_array(cursor);
    if (tr_cursor_ok(cursor) && count != 3) tr_cursor_fail(cursor, "not an address of three parts");
    address.node = tr_read_uint(cursor, UINT64_MAX);
    address.slot = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    address.generation = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    store(into, &address, sizeof address);
    return check(unpacker);
}

#define DEFINE_SIGNED(name, min, max)                                                              \
    static bool unpack_##name(struct unpacker *unpacker, uint8_t *into) {                          \
        name##_t value = (name##_t)tr_read_int(&unpacker->cursor, (min), (max));                   \
        store(into, &value, sizeof value);                                                         \
        return check(unpacker);                                                                    \
    }
#define DEFINE_UNSIGNED(name, max)                                                                 \
    static bool unpack_##name(struct unpacker *unpacker, uint8_t *into) {                          \
        name##_t value = (name##_t)tr_read_uint(&unpacker->cursor, (max));                         \
        store(into, &value, sizeof value);                                                         \
        return check(unpacker);                                                                    \
    }
DEFINE_SIGNED(int8, INT8_MIN, INT8_MAX)
DEFINE_SIGNED(int16, INT16_MIN, INT16_MAX)
DEFINE_SIGNED(int32, INT32_MIN, INT32_MAX)
DEFINE_SIGNED(int64, INT64_MIN, INT64_MAX)
DEFINE_UNSIGNED(uint8, UINT8_MAX)
DEFINE_UNSIGNED(uint16, UINT16_MAX)
DEFINE_UNSIGNED(uint32, UINT32_MAX)
DEFINE_UNSIGNED(uint64, UINT64_MAX)

static bool unpack_bool(struct unpacker *unpacker, uint8_t *into) {
    bool value = tr_read_bool(&unpacker->cursor);
    store(into, &value, sizeof value);
    return check(unpacker);
}

static bool unpack_f64(struct unpacker *unpacker, uint8_t *into) {
    double value = tr_read_f64(&unpacker->cursor);
    store(into, &value, sizeof value);
    return check(unpacker);
}

static bool unpack_value(struct unpacker *unpacker, const struct troupe_field *field, uint8_t *into,
                         int depth) {
    switch (field->kind) {
    case TROUPE_KIND_I8: return unpack_int8(unpacker, into);
    case TROUPE_KIND_I16: return unpack_int16(unpacker, into);
    case TROUPE_KIND_I32: return unpack_int32(unpacker, into);
    case TROUPE_KIND_I64: return unpack_int64(unpacker, into);
    case TROUPE_KIND_U8: return unpack_uint8(unpacker, into);
    case TROUPE_KIND_U16: return unpack_uint16(unpacker, into);
    case TROUPE_KIND_U32: return unpack_uint32(unpacker, into);
    case TROUPE_KIND_U64: return unpack_uint64(unpacker, into);
    case TROUPE_KIND_BOOL: return unpack_bool(unpacker, into);
    case TROUPE_KIND_F64: return unpack_f64(unpacker, into);
    case TROUPE_KIND_STR: return unpack_str(unpacker, into);
    case TROUPE_KIND_BYTES: return unpack_bytes(unpacker, into);
    case TROUPE_KIND_ADDRESS: return unpack_address(unpacker, into);
    case TROUPE_KIND_MESSAGE: return unpack_message(unpacker, field->nested, into, depth + 1);
    case TROUPE_KIND_DESCRIPTOR: return unpack_descriptor(unpacker, into);
    case TROUPE_KIND_COUNT: break;
    }
    return tr_codec_fail(unpacker->error, TROUPE_INVALID, "of an unknown kind");
}

static bool unpack_array(struct unpacker *unpacker, const struct troupe_field *field, uint8_t *into,
                         int depth) {
    if (tr_next_is_ext(&unpacker->cursor)) return unpack_array_part(unpacker, field, into);
    uint8_t *items;
    size_t size = tr_codec_item_size(field);
    uint32_t count = tr_read_array(&unpacker->cursor);
    if (!check(unpacker)) return false;
    bool placed = (tr_codec_is_flat(field) ? place : reserve)(unpacker, (uint64_t)count * size,
                                                              TR_CODEC_ALIGNMENT, &items);
    if (!placed) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!unpack_value(unpacker, field, items == NULL ? NULL : items + i * size, depth))
            return tr_codec_fail_in_item(unpacker->error, i);
    struct tr_any_array array = { count == 0 ? NULL : items, count };
    store(into, &array, sizeof array);
    return true;
}

/* Fields that the sender does not know yet are zero, which leaves each str, however deep, to be
 * made "", and each descriptor to be none. Literals outlive every message. */
static void fill_missing(const struct troupe_message_type *type, uint32_t first, uint8_t *into) {
    static const char *const empty = "";
    static const int none = -1;
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    if (into == NULL || !type->has_pointers) return;
    for (uint32_t i = first; i < type->field_count; i++) {
        if (fields[i].array) continue;
        if (fields[i].kind == TROUPE_KIND_STR) store(into + fields[i].offset, &empty, sizeof empty);
        if (fields[i].kind == TROUPE_KIND_DESCRIPTOR) store(into + fields[i].offset, &none, sizeof none);
        if (fields[i].nested != NULL) fill_missing(fields[i].nested, 0, into + fields[i].offset);
    }
}

static bool unpack_field(struct unpacker *unpacker, const struct troupe_field *field, uint8_t *into,
                         int depth) {
    uint8_t *at = into == NULL ? NULL : into + field->offset;
    bool unpacked = field->array ? unpack_array(unpacker, field, at, depth)
                                 : unpack_value(unpacker, field, at, depth);
    return unpacked || tr_codec_fail_in_field(unpacker->error, field->name);
}

static bool unpack_message(struct unpacker *unpacker, const struct troupe_message_type *type,
                           uint8_t *into, int depth) {
    if (depth > TR_CODEC_MAX_DEPTH)
        return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, tr_codec_too_deep);
    uint32_t count = tr_read_array(&unpacker->cursor);
    if (!check(unpacker)) return false;
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    uint32_t known = count < type->field_count ? count : type->field_count;
    if (into != NULL) memset(into, 0, type->size);
    for (uint32_t i = 0; i < known; i++)
        if (!unpack_field(unpacker, &fields[i], into, depth)) return false;
    for (uint32_t i = known; i < count && tr_cursor_ok(&unpacker->cursor); i++)
        tr_read_skip(&unpacker->cursor);
    fill_missing(type, known, into);
    return check(unpacker);
}

static bool walk(struct unpacker *unpacker, const struct troupe_message_type *type,
                 const uint8_t *data, size_t size) {
    tr_cursor_init(&unpacker->cursor, data, size);
    if (size > TR_CODEC_MAX_SIZE)
        return tr_codec_fail(unpacker->error, TROUPE_TOO_BIG, tr_codec_too_big);
    unpacker->layout.used = type->size;
    if (!unpack_message(unpacker, type, unpacker->layout.base, 0)) return false;
    if (tr_cursor_left(&unpacker->cursor) == 0) return true;
    return tr_codec_fail(unpacker->error, TROUPE_MALFORMED, "bytes left over after its end");
}

bool tr_codec_measure(const struct troupe_message_type *type, const uint8_t *data, size_t size,
                      const struct tr_arrived *arrived, struct tr_codec_size *needed, struct tr_codec_error *error) {
    struct unpacker unpacker = { .arrived = arrived, .error = error };
    if (!walk(&unpacker, type, data, size)) return tr_codec_fail_at_top(error);
    *needed = (struct tr_codec_size){ tr_layout_own(&unpacker.layout), unpacker.shared, unpacker.descriptors };
    return true;
}

bool tr_codec_unpack(const struct troupe_message_type *type, const uint8_t *data, size_t size,
                     const struct tr_arrived *arrived, void *memory, struct tr_shares *shares,
                     struct tr_codec_error *error) {
    struct unpacker unpacker = { .layout = { .base = memory }, .arrived = arrived, .shares = shares, .error = error };
    if (walk(&unpacker, type, data, size)) return true;
    tr_assert(unpacker.excused);
    return tr_codec_fail_at_top(error);
}
