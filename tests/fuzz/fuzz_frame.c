/*
 * Bytes from nobody, read as the entries of a frame: whatever is let through lies within the frame, and is the
 * same when it is written and read again.
 */
#include "base/assert.h"
#include "transport/frame.h"

#include <string.h>

static bool has_bytes(const struct tr_entry *entry) {
    return entry->kind == TR_ENTRY_DATA || entry->kind == TR_ENTRY_DEFINITION;
}

static void write_again(const struct tr_entry *entry, struct tr_bytes *out) {
    tr_bytes_clear(out);
    tr_frame_put(out, entry);
    tr_assert(!out->failed && out->size > 0);
}

static void check_same(const struct tr_entry *entry) {
    struct tr_bytes first = { 0 }, second = { 0 };
    struct tr_cursor cursor;
    struct tr_entry again;
    write_again(entry, &first);
    tr_cursor_init(&cursor, first.data, first.size);
    tr_assert(tr_frame_next(&cursor, &again) && tr_cursor_left(&cursor) == 0);
    write_again(&again, &second);
    tr_assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    size_t room = entry->kind <= TR_ENTRY_PROOF ? TR_FRAME_GREETING_ROOM : TR_FRAME_ENTRY_ROOM;
    tr_assert(first.size <= room + (has_bytes(entry) ? entry->size : 0));
    tr_bytes_free(&first);
    tr_bytes_free(&second);
}

static void check_within(const struct tr_entry *entry, const uint8_t *data, size_t size) {
    if (!has_bytes(entry) || entry->size == 0) return;
    tr_assert(entry->bytes >= data && entry->size <= (size_t)(data + size - entry->bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tr_cursor cursor;
    struct tr_entry entry;
    tr_cursor_init(&cursor, data, size);
    while (tr_cursor_left(&cursor) > 0) {
        if (!tr_frame_next(&cursor, &entry)) {
            tr_assert(cursor.error != NULL);
            break;
        }
        tr_assert(entry.kind < TR_ENTRY_KINDS && tr_entry_name(entry.kind) != NULL);
        check_within(&entry, data, size);
        check_same(&entry);
    }
    return 0;
}
