/* What the files of the reader of base/pack.h share: tags, and taking no more than there is. */
#ifndef TR_CURSOR_INTERNAL_H
#define TR_CURSOR_INTERNAL_H

#include "base/pack.h"

/* The first byte of every value. Where a number or a length of several widths can follow, the tags
 * of the widths stand in a row, from narrow to wide. */
enum tag {
    TAG_MAP_FIX = 0x80,
    TAG_ARRAY_FIX = 0x90,
    TAG_STR_FIX = 0xa0,
    TAG_NIL = 0xc0,
    TAG_NEVER_USED = 0xc1,
    TAG_FALSE = 0xc2,
    TAG_TRUE = 0xc3,
    TAG_BIN8 = 0xc4,
    TAG_BIN32 = 0xc6,
    TAG_EXT8 = 0xc7,
    TAG_EXT32 = 0xc9,
    TAG_F32 = 0xca,
    TAG_F64 = 0xcb,
    TAG_U8 = 0xcc,
    TAG_U64 = 0xcf,
    TAG_I8 = 0xd0,
    TAG_I64 = 0xd3,
    TAG_EXT_FIX1 = 0xd4,
    TAG_EXT_FIX16 = 0xd8,
    TAG_STR8 = 0xd9,
    TAG_STR32 = 0xdb,
    TAG_ARRAY16 = 0xdc,
    TAG_ARRAY32 = 0xdd,
    TAG_MAP16 = 0xde,
    TAG_MAP32 = 0xdf,
    TAG_NEGATIVE_FIX = 0xe0
};

static inline const uint8_t *tr_take(struct tr_cursor *cursor, size_t size) {
    if (tr_cursor_left(cursor) < size) {
        tr_cursor_fail(cursor, "cut off");
        return NULL;
    }
    const uint8_t *at = cursor->at;
    cursor->at += size;
    return at;
}

/* The next tag, not taken yet; at the end the one byte that msgpack never uses. */
static inline uint8_t tr_peek(struct tr_cursor *cursor) {
    if (cursor->at != cursor->end) return *cursor->at;
    tr_cursor_fail(cursor, "cut off");
    return TAG_NEVER_USED;
}

/* A big-endian number of 1, 2, 4 or 8 bytes; 0 when it is cut off. */
static inline uint64_t tr_take_number(struct tr_cursor *cursor, size_t size) {
    const uint8_t *at = tr_take(cursor, size);
    uint64_t number = 0;
    if (at == NULL) return 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | at[i];
    return number;
}

/* The length after one of three tags in a row: 8, 16 and 32 bits. */
static inline uint32_t tr_take_length(struct tr_cursor *cursor, uint8_t tag, uint8_t first) {
    return (uint32_t)tr_take_number(cursor, (size_t)1 << (tag - first));
}

/* Every item takes a byte at least: a count beyond the bytes left is a lie. 0 when it is. */
static inline uint64_t tr_believe(struct tr_cursor *cursor, uint64_t items) {
    if (tr_cursor_ok(cursor) && items <= tr_cursor_left(cursor)) return items;
    tr_cursor_fail(cursor, "more items declared than there are bytes");
    return 0;
}

#endif
