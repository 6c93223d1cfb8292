/*
 * Bytes from nobody, read by a reader that asks for anything in any order. The first byte says how
 * many of those that follow are the reader's steps; the rest is read.
 *
 * Whatever it asks: the cursor stays within its bytes, what it hands out lies there too, it always
 * moves on while it is well, and once it has failed it stays failed.
 */
#include "base/assert.h"
#include "base/pack.h"
#include "base/utf8.h"

#include <string.h>

struct reader {
    struct tr_cursor cursor;
    const uint8_t *start;
};

static void check_within(const struct reader *reader, const void *data, uint32_t size) {
    const uint8_t *at = data;
    if (size == 0) return;
    tr_assert(at >= reader->start && size <= (size_t)(reader->cursor.end - at));
}

static void read_text(struct reader *reader) {
    uint32_t size;
    const char *text = tr_read_str(&reader->cursor, &size);
    check_within(reader, text, size);
    tr_assert(memchr(text, '\0', size) == NULL && tr_utf8_valid(text, size));
}

static void read_bin(struct reader *reader) {
    uint32_t size;
    const void *data = tr_read_bin(&reader->cursor, &size);
    check_within(reader, data, size);
}

static void read_array(struct reader *reader) {
    uint32_t count = tr_read_array(&reader->cursor);
    tr_assert(count <= tr_cursor_left(&reader->cursor));
}

static void step(struct reader *reader, uint8_t choice) {
    struct tr_cursor *cursor = &reader->cursor;
    uint64_t bound = choice >> 4;
    switch (choice & 7) {
    case 0: (void)tr_read_bool(cursor); break;
    case 1: tr_assert(tr_read_uint(cursor, bound) <= bound); break;
    case 2:
        tr_assert(tr_read_int(cursor, -(int64_t)bound, (int64_t)bound) <= (int64_t)bound);
        break;
    case 3: (void)tr_read_f64(cursor); break;
    case 4: read_text(reader); break;
    case 5: read_bin(reader); break;
    case 6: read_array(reader); break;
    default: tr_read_skip(cursor);
    }
}

static void checked_step(struct reader *reader, uint8_t choice) {
    struct tr_cursor before = reader->cursor;
    if ((choice & 15) == 15)
        (void)tr_read_nil(&reader->cursor);
    else
        step(reader, choice);
    const struct tr_cursor *after = &reader->cursor;
    tr_assert(after->end == before.end && after->at >= before.at && after->at <= after->end);
    tr_assert(before.error == NULL || after->error == before.error);
    tr_assert(after->error != NULL || after->at > before.at || (choice & 15) == 15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    size_t steps = data[0] < size - 1 ? data[0] : size - 1;
    struct reader reader = { .start = data + 1 + steps };
    tr_cursor_init(&reader.cursor, reader.start, size - 1 - steps);
    for (size_t i = 0; i < steps; i++)
        checked_step(&reader, data[1 + i]);
    return 0;
}
