/*
 * Passing over a value that nobody asked for: the fields of a newer program. Whatever it is, its
 * extent follows from its tag; containers are passed by counting what is still to come, level by
 * level.
 */
#include "base/cursor_internal.h"

enum { SKIP_DEPTH = 32 };

/* How many bytes a scalar has after its tag, lengths included in them once they are taken. */
static size_t scalar_body(struct tr_cursor *cursor, uint8_t tag) {
    if (tag < TAG_MAP_FIX || tag >= TAG_NEGATIVE_FIX) return 0;
    if (tag >= TAG_STR_FIX && tag < TAG_NIL) return tag & 0x1fU;
    if (tag >= TAG_BIN8 && tag <= TAG_BIN32) return tr_take_length(cursor, tag, TAG_BIN8);
    if (tag >= TAG_EXT8 && tag <= TAG_EXT32)
        return (size_t)tr_take_length(cursor, tag, TAG_EXT8) + 1;
    if (tag >= TAG_STR8 && tag <= TAG_STR32) return tr_take_length(cursor, tag, TAG_STR8);
    if (tag >= TAG_EXT_FIX1 && tag <= TAG_EXT_FIX16) return ((size_t)1 << (tag - TAG_EXT_FIX1)) + 1;
    if (tag == TAG_F32) return 4;
    if (tag == TAG_F64) return 8;
    if (tag >= TAG_U8 && tag <= TAG_U64) return (size_t)1 << (tag - TAG_U8);
    if (tag >= TAG_I8 && tag <= TAG_I64) return (size_t)1 << (tag - TAG_I8);
    return 0;
}

static bool is_container(uint8_t tag) {
    return (tag >= TAG_MAP_FIX && tag < TAG_STR_FIX) || (tag >= TAG_ARRAY16 && tag <= TAG_MAP32);
}

/* How many values a container holds: two for each pair of a map. */
static uint64_t container_items(struct tr_cursor *cursor, uint8_t tag) {
    bool map = tag < TAG_ARRAY_FIX || tag == TAG_MAP16 || tag == TAG_MAP32;
    uint64_t count = tag & 0x0fU;
    if (tag >= TAG_ARRAY16)
        count = tr_take_number(cursor, tag == TAG_ARRAY16 || tag == TAG_MAP16 ? 2 : 4);
    return tr_believe(cursor, map ? count * 2 : count);
}

/* Values still to come in each open container: no recursion on the words of a stranger. */
struct skipper {
    uint64_t left[SKIP_DEPTH + 1];
    int depth;
};

static void skip_one(struct tr_cursor *cursor, struct skipper *skipper) {
    uint8_t tag = tr_peek(cursor);
    if (tag == TAG_NEVER_USED) tr_cursor_fail(cursor, "not msgpack");
    if (!tr_cursor_ok(cursor)) return;
    cursor->at++;
    if (!is_container(tag)) {
        tr_take(cursor, scalar_body(cursor, tag));
        return;
    }
    if (skipper->depth == SKIP_DEPTH) {
        tr_cursor_fail(cursor, "nested too deeply");
        return;
    }
    skipper->left[++skipper->depth] = container_items(cursor, tag);
}

void tr_read_skip(struct tr_cursor *cursor) {
    struct skipper skipper = { .left = { 1 }, .depth = 0 };
    while (skipper.depth >= 0 && tr_cursor_ok(cursor)) {
        if (skipper.left[skipper.depth] == 0) {
            skipper.depth--;
            continue;
        }
        skipper.left[skipper.depth]--;
        skip_one(cursor, &skipper);
    }
}
