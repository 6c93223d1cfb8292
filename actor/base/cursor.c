/*
 * Reading msgpack that nobody vouches for: the cursor half of base/pack.h.
 *
 * Every read looks at a tag byte, and passes it only if it is of the kind asked for; what the tag
 * announces comes through tr_take, which refuses to go past the end. Once an error is set the
 * cursor is moved to its end, so that nothing else can be taken: a reader in a loop over a declared
 * count ends with zeros instead of garbage.
 */
#include "base/cursor_internal.h"
#include "base/utf8.h"

#include <string.h>

void tr_cursor_init(struct tr_cursor *cursor, const void *data, size_t size) {
    static const uint8_t nothing[1] = { 0 };
    cursor->at = size == 0 ? nothing : (const uint8_t *)data;
    cursor->end = cursor->at + size;
    cursor->error = NULL;
}

void tr_cursor_fail(struct tr_cursor *cursor, const char *error) {
    if (cursor->error == NULL) cursor->error = error;
    cursor->at = cursor->end;
}

bool tr_read_nil(struct tr_cursor *cursor) {
    if (cursor->at == cursor->end || *cursor->at != TAG_NIL) return false;
    cursor->at++;
    return true;
}

bool tr_read_bool(struct tr_cursor *cursor) {
    uint8_t tag = tr_peek(cursor);
    if (tag != TAG_TRUE && tag != TAG_FALSE) {
        tr_cursor_fail(cursor, "not a bool");
        return false;
    }
    cursor->at++;
    return tag == TAG_TRUE;
}

/* Sign and 64 bits hold every msgpack integer: negative ones as two's complement in `bits`. */
struct integer {
    uint64_t bits;
    bool negative;
};

static uint64_t extend_sign(uint64_t bits, size_t size) {
    uint64_t sign = UINT64_C(1) << (size * 8 - 1);
    return (bits ^ sign) - sign;
}

static struct integer wide_integer(struct tr_cursor *cursor, uint8_t tag) {
    bool is_signed = tag >= TAG_I8;
    size_t size = (size_t)1 << (is_signed ? tag - TAG_I8 : tag - TAG_U8);
    uint64_t bits = tr_take_number(cursor, size);
    if (is_signed) bits = extend_sign(bits, size);
    return (struct integer){ bits, is_signed && bits >> 63 != 0 };
}

static struct integer read_integer(struct tr_cursor *cursor) {
    uint8_t tag = tr_peek(cursor);
    bool small = tag < TAG_MAP_FIX || tag >= TAG_NEGATIVE_FIX;
    if (!small && (tag < TAG_U8 || tag > TAG_I64)) {
        tr_cursor_fail(cursor, "not an integer");
        return (struct integer){ 0, false };
    }
    cursor->at++;
    if (!small) return wide_integer(cursor, tag);
    return (struct integer){ extend_sign(tag, 1), tag >= TAG_NEGATIVE_FIX };
}

uint64_t tr_read_uint(struct tr_cursor *cursor, uint64_t max) {
    struct integer integer = read_integer(cursor);
    if (!integer.negative && integer.bits <= max) return integer.bits;
    tr_cursor_fail(cursor, "out of range");
    return 0;
}

int64_t tr_read_int(struct tr_cursor *cursor, int64_t min, int64_t max) {
    struct integer integer = read_integer(cursor);
    bool holds = integer.negative || integer.bits <= INT64_MAX;
    int64_t value;
    memcpy(&value, &integer.bits, sizeof value); /* two's complement on both sides */
    if (!tr_cursor_ok(cursor)) return 0;
    if (holds && value >= min && value <= max) return value;
    tr_cursor_fail(cursor, "out of range");
    return 0;
}

static double read_f32(struct tr_cursor *cursor) {
    uint32_t bits = (uint32_t)tr_take_number(cursor, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

double tr_read_f64(struct tr_cursor *cursor) {
    uint8_t tag = tr_peek(cursor);
    if (tag != TAG_F32 && tag != TAG_F64) {
        tr_cursor_fail(cursor, "not a float");
        return 0;
    }
    cursor->at++;
    if (tag == TAG_F32) return read_f32(cursor);
    uint64_t bits = tr_take_number(cursor, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const char *checked_text(struct tr_cursor *cursor, const uint8_t *bytes, uint32_t size) {
    const char *text = (const char *)bytes;
    if (memchr(text, '\0', size) != NULL)
        tr_cursor_fail(cursor, "a NUL in a str");
    else if (!tr_utf8_valid(text, size))
        tr_cursor_fail(cursor, "not valid UTF-8");
    else
        return text;
    return NULL;
}

const char *tr_read_str(struct tr_cursor *cursor, uint32_t *size) {
    uint8_t tag = tr_peek(cursor);
    bool fixed = tag >= TAG_STR_FIX && tag < TAG_NIL;
    *size = 0;
    if (!fixed && (tag < TAG_STR8 || tag > TAG_STR32)) {
        tr_cursor_fail(cursor, "not a str");
        return "";
    }
    cursor->at++;
    uint32_t length = fixed ? tag & 0x1fU : tr_take_length(cursor, tag, TAG_STR8);
    const uint8_t *bytes = tr_take(cursor, length);
    if (!tr_cursor_ok(cursor)) return "";
    const char *text = checked_text(cursor, bytes, length);
    if (text == NULL) return "";
    *size = length;
    return text;
}

const void *tr_read_bin(struct tr_cursor *cursor, uint32_t *size) {
    uint8_t tag = tr_peek(cursor);
    *size = 0;
    if (tag < TAG_BIN8 || tag > TAG_BIN32) {
        tr_cursor_fail(cursor, "not bytes");
        return "";
    }
    cursor->at++;
    uint32_t length = tr_take_length(cursor, tag, TAG_BIN8);
    const uint8_t *bytes = tr_take(cursor, length);
    if (!tr_cursor_ok(cursor)) return "";
    *size = length;
    return bytes;
}

uint32_t tr_read_array(struct tr_cursor *cursor) {
    uint8_t tag = tr_peek(cursor);
    bool fixed = tag >= TAG_ARRAY_FIX && tag < TAG_STR_FIX;
    if (!fixed && tag != TAG_ARRAY16 && tag != TAG_ARRAY32) {
        tr_cursor_fail(cursor, "not an array");
        return 0;
    }
    cursor->at++;
    uint32_t count =
        fixed ? tag & 0x0fU : (uint32_t)tr_take_number(cursor, tag == TAG_ARRAY16 ? 2 : 4);
    return (uint32_t)tr_believe(cursor, count);
}

bool tr_next_is_ext(const struct tr_cursor *cursor) {
    if (cursor->at == cursor->end) return false;
    uint8_t tag = *cursor->at;
    return (tag >= TAG_EXT8 && tag <= TAG_EXT32) || (tag >= TAG_EXT_FIX1 && tag <= TAG_EXT_FIX16);
}

const uint8_t *tr_read_ext(struct tr_cursor *cursor, int8_t type, uint32_t size) {
    uint8_t tag = tr_peek(cursor);
    if (!tr_next_is_ext(cursor)) {
        tr_cursor_fail(cursor, "not an ext");
        return NULL;
    }
    cursor->at++;
    bool fixed = tag >= TAG_EXT_FIX1;
    uint32_t length = fixed ? 1U << (tag - TAG_EXT_FIX1) : tr_take_length(cursor, tag, TAG_EXT8);
    const uint8_t *bytes = tr_take(cursor, (size_t)length + 1);
    if (bytes != NULL && (bytes[0] != (uint8_t)type || length != size))
        tr_cursor_fail(cursor, "an ext of another type or size");
    return tr_cursor_ok(cursor) ? bytes + 1 : NULL;
}
