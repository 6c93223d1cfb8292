/*
 * msgpack, written (pack.c, the only file that names the library) and read (cursor.c,
 * cursor_skip.c).
 *
 * Writing goes through msgpack-c into a tr_bytes. Reading is a cursor of our own over bytes that
 * are hostile until read: it allocates nothing, trusts no declared length beyond the bytes that are
 * left, and fails stickily, so that a reader may read a whole record and look once. (msgpack-c's
 * unpacker allocates arrays by their declared size: five bytes can ask for 8 GiB.)
 */
#ifndef TR_PACK_H
#define TR_PACK_H

#include "base/bytes.h"

void tr_pack_nil(struct tr_bytes *out);
void tr_pack_bool(struct tr_bytes *out, bool value);
void tr_pack_uint(struct tr_bytes *out, uint64_t value);
void tr_pack_int(struct tr_bytes *out, int64_t value);
void tr_pack_f64(struct tr_bytes *out, double value);
void tr_pack_str(struct tr_bytes *out, const char *text, size_t size);
void tr_pack_bin(struct tr_bytes *out, const void *data, size_t size);
void tr_pack_array(struct tr_bytes *out, uint32_t count); /* its items follow */
void tr_pack_ext(struct tr_bytes *out, int8_t type, const void *data, uint8_t size);

struct tr_cursor {
    const uint8_t *at;
    const uint8_t *end;
    const char *error; /* NULL while all is well, else a static text: what was expected or wrong */
};

void tr_cursor_init(struct tr_cursor *cursor, const void *data, size_t size);

/* Each reads one value of its kind and moves past it; on a failure (or an earlier one) it returns
 * false/0/empty and sets `error`. Integers are accepted in any msgpack width that holds the
 * value. */
bool tr_read_bool(struct tr_cursor *cursor);
uint64_t tr_read_uint(struct tr_cursor *cursor, uint64_t max);
int64_t tr_read_int(struct tr_cursor *cursor, int64_t min, int64_t max);
double tr_read_f64(struct tr_cursor *cursor);
/* The bytes stay in the input: not terminated. tr_read_str checks UTF-8 and refuses NUL. */
const char *tr_read_str(struct tr_cursor *cursor, uint32_t *size);
const void *tr_read_bin(struct tr_cursor *cursor, uint32_t *size);
/* At least `count` bytes are left when it succeeds. */
uint32_t tr_read_array(struct tr_cursor *cursor);
/* Skips one value of any kind, containers to a depth of 32 included. */
void tr_read_skip(struct tr_cursor *cursor);
/* True for nil, which is then consumed; false, nothing consumed, for anything else. */
bool tr_read_nil(struct tr_cursor *cursor);
/* True for an ext value, nothing consumed: tr_read_ext is to be called. */
bool tr_next_is_ext(const struct tr_cursor *cursor);
/* The `size` bytes of an ext of this type; any other is a failure. NULL on failure. */
const uint8_t *tr_read_ext(struct tr_cursor *cursor, int8_t type, uint32_t size);
/* Sets an error of the caller's, unless there is one. */
void tr_cursor_fail(struct tr_cursor *cursor, const char *error);
static inline bool tr_cursor_ok(const struct tr_cursor *cursor) { return cursor->error == NULL; }
static inline size_t tr_cursor_left(const struct tr_cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}

#endif
