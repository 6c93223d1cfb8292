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
 * caller's, unless there is no memory for a large part, which gets a buffer of its own.
 */
#include "base/assert.h"
#include "base/pack.h"
#include "core/codec_internal.h"

#include <string.h>

struct unpacker {
    struct tr_cursor cursor;
    struct tr_layout layout;
    uint32_t shared; /* parts in buffers */
    struct tr_shares *shares;
    bool no_memory;
    struct tr_codec_error *error;
};

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

static bool share(struct unpacker *unpacker, uint64_t size, size_t alignment, uint8_t **at) {
    if (!tr_layout_share(&unpacker->layout, size, alignment))
        return tr_codec_fail(unpacker->error, TROUPE_TOO_BIG, tr_codec_too_big);
    unpacker->shared++;
    *at = NULL;
    if (unpacker->layout.base == NULL) return true;
    *at = tr_shares_make(unpacker->shares, (size_t)size);
    unpacker->no_memory = *at == NULL;
    return *at != NULL;
}

/* Memory for a part without pointers; `*at` is NULL in the first pass. */
static bool place(struct unpacker *unpacker, uint64_t size, size_t alignment, uint8_t **at) {
    return size >= TROUPE_SHARED_SIZE ? share(unpacker, size, alignment, at)
                                      : reserve(unpacker, size, alignment, at);
}

static void store(uint8_t *into, const void *value, size_t size) {
    if (into != NULL) memcpy(into, value, size);
}

static bool unpack_str(struct unpacker *unpacker, uint8_t *into) {
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
    case TROUPE_KIND_COUNT: break;
    }
    return tr_codec_fail(unpacker->error, TROUPE_INVALID, "of an unknown kind");
}

static bool unpack_array(struct unpacker *unpacker, const struct troupe_field *field, uint8_t *into,
                         int depth) {
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
 * made "". Literals outlive every message. */
static void fill_missing(const struct troupe_message_type *type, uint32_t first, uint8_t *into) {
    static const char *const empty = "";
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    if (into == NULL || !type->has_pointers) return;
    for (uint32_t i = first; i < type->field_count; i++) {
        if (fields[i].array) continue;
        if (fields[i].kind == TROUPE_KIND_STR) store(into + fields[i].offset, &empty, sizeof empty);
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
                      struct tr_codec_size *needed, struct tr_codec_error *error) {
    struct unpacker unpacker = { .error = error };
    if (!walk(&unpacker, type, data, size)) return tr_codec_fail_at_top(error);
    *needed = (struct tr_codec_size){ tr_layout_own(&unpacker.layout), unpacker.shared };
    return true;
}

bool tr_codec_unpack(const struct troupe_message_type *type, const uint8_t *data, size_t size,
                     void *memory, struct tr_shares *shares) {
    struct unpacker unpacker = { .layout = { .base = memory }, .shares = shares };
    bool unpacked = walk(&unpacker, type, data, size);
    tr_assert(unpacked || unpacker.no_memory);
    return unpacked;
}
