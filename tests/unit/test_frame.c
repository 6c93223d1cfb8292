/*
 * transport/frame.h: every entry against the golden bytes in tests/golden/, which must never
 * change, and what a reader must not let through.
 *
 * With TROUPE_WRITE_GOLDEN set, missing golden files are written: for a new kind of entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/frame.h"

static const struct tr_entry entries[] = {
    { .kind = TR_ENTRY_HELLO,
      .hello = { 1, 1, 2, UINT64_C(0x1122334455667788), 3, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } } },
    { .kind = TR_ENTRY_WELCOME,
      .hello = { 1, 2, 3, 70000, 2, { 16, 15 } },
      .proof = { 0xaa, 0xbb } },
    { .kind = TR_ENTRY_PROOF, .proof = { 0xcc, 0xdd } },
    { .kind = TR_ENTRY_RESUME, .channel = 300, .count = 5000000000, .delivery = TR_AT_LEAST_ONCE },
    { .kind = TR_ENTRY_RESUMED },
    { .kind = TR_ENTRY_DEFINITION, .bytes = (const uint8_t *)"count(str word, u64 n)", .size = 21 },
    { .kind = TR_ENTRY_OPEN, .channel = 7, .to = { 12, 4000000000 } },
    { .kind = TR_ENTRY_ACCEPT, .channel = 7, .delivery = TR_AT_MOST_ONCE },
    { .kind = TR_ENTRY_REFUSE, .channel = 65535, .status = TROUPE_GONE, .count = 2 },
    { .kind = TR_ENTRY_DATA,
      .channel = 7,
      .bytes = (const uint8_t *)"\x93\x01\x02\x03",
      .size = 4 },
    { .kind = TR_ENTRY_ACK, .channel = 7, .count = 128 },
    { .kind = TR_ENTRY_DEAD, .channel = 7, .count = 129, .status = TROUPE_FULL },
    { .kind = TR_ENTRY_CLOSE, .channel = 7 },
    { .kind = TR_ENTRY_CLOSED, .channel = 7 },
    { .kind = TR_ENTRY_BEAT },
    { .kind = TR_ENTRY_DATA_WITH, .channel = 7, .count = 2, .bytes = (const uint8_t *)"\x93\x01\x00\x01", .size = 4 },
};

static void golden_path(enum tr_entry_kind kind, char *path, size_t size) {
    int version = kind < TR_ENTRY_DATA_WITH ? 1 : 2; /* that it came with */
    snprintf(path, size, TROUPE_SOURCE_DIR "/tests/golden/wire-v%d/%s.bin", version, tr_entry_name(kind));
}

static size_t read_golden(enum tr_entry_kind kind, uint8_t *bytes, size_t room) {
    char path[512];
    golden_path(kind, path, sizeof path);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return 0;
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static void write_missing(enum tr_entry_kind kind, const struct tr_bytes *out) {
    char path[512];
    golden_path(kind, path, sizeof path);
    FILE *file = getenv("TROUPE_WRITE_GOLDEN") == NULL ? NULL : fopen(path, "wbx");
    if (file == NULL) return;
    assert_int_equal(fwrite(out->data, 1, out->size, file), out->size);
    fclose(file);
}

static void compare(const struct tr_entry *a, const struct tr_entry *b) {
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->channel, b->channel);
    assert_true(a->count == b->count);
    assert_int_equal(a->to.slot, b->to.slot);
    assert_true(a->to.generation == b->to.generation);
    assert_int_equal(a->delivery, b->delivery);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->size, b->size);
    if (a->size > 0) assert_memory_equal(a->bytes, b->bytes, a->size);
    assert_memory_equal(a->proof, b->proof, sizeof a->proof);
    assert_memory_equal(&a->hello, &b->hello, sizeof a->hello);
}

static void entries_are_golden(void **state) {
    (void)state;
    for (int i = 0; i < TR_ENTRY_KINDS; i++) {
        struct tr_bytes out = { 0 };
        uint8_t golden[512];
        assert_int_equal(entries[i].kind, i);
        tr_frame_put(&out, &entries[i]);
        write_missing(entries[i].kind, &out);
        assert_int_equal(read_golden(entries[i].kind, golden, sizeof golden), out.size);
        assert_memory_equal(golden, out.data, out.size);
        size_t extra = entries[i].size; /* payloads come on top of what an entry may take */
        assert_true(i <= TR_ENTRY_PROOF ? out.size <= TR_FRAME_GREETING_ROOM
                                        : out.size <= TR_FRAME_ENTRY_ROOM + extra);
        tr_bytes_free(&out);
    }
}

static void golden_bytes_are_read(void **state) {
    (void)state;
    for (int i = 0; i < TR_ENTRY_KINDS; i++) {
        uint8_t golden[512];
        struct tr_cursor cursor;
        struct tr_entry entry = { 0 };
        tr_cursor_init(&cursor, golden, read_golden(entries[i].kind, golden, sizeof golden));
        assert_true(tr_frame_next(&cursor, &entry));
        assert_int_equal(tr_cursor_left(&cursor), 0);
        compare(&entries[i], &entry);
    }
}

static void entries_in_a_row(void **state) {
    (void)state;
    struct tr_bytes out = { 0 };
    struct tr_cursor cursor;
    for (int i = 0; i < TR_ENTRY_KINDS; i++)
        tr_frame_put(&out, &entries[i]);
    tr_cursor_init(&cursor, out.data, out.size);
    for (int i = 0; i < TR_ENTRY_KINDS; i++) {
        struct tr_entry entry = { 0 };
        assert_true(tr_frame_next(&cursor, &entry));
        compare(&entries[i], &entry);
    }
    assert_int_equal(tr_cursor_left(&cursor), 0);
    tr_bytes_free(&out);
}

static void every_cut_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < TR_ENTRY_KINDS; i++) {
        uint8_t golden[512];
        size_t size = read_golden(entries[i].kind, golden, sizeof golden);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut + 1); /* exact, so that reading beyond it is seen */
            struct tr_cursor cursor;
            struct tr_entry entry;
            memcpy(copy, golden, cut);
            tr_cursor_init(&cursor, copy, cut);
            assert_false(tr_frame_next(&cursor, &entry));
            assert_non_null(cursor.error);
            free(copy);
        }
    }
}

static const char *error_of(const char *bytes, size_t size) {
    struct tr_cursor cursor;
    struct tr_entry entry;
    tr_cursor_init(&cursor, bytes, size);
    return tr_frame_next(&cursor, &entry) ? NULL : cursor.error;
}

#define ERROR_OF(bytes) error_of(bytes, sizeof(bytes) - 1)

static void wrong_entries_are_refused(void **state) {
    (void)state;
    assert_null(ERROR_OF("\x91\x0e"));                      /* a beat */
    assert_non_null(ERROR_OF("\x0e"));                      /* not an array */
    assert_non_null(ERROR_OF("\x90"));                      /* no kind */
    assert_non_null(ERROR_OF("\x91\x0f"));                  /* an unknown kind */
    assert_non_null(ERROR_OF("\x92\x0e\x00"));              /* an item too many */
    assert_non_null(ERROR_OF("\x91\x0c"));                  /* one too few */
    assert_non_null(ERROR_OF("\x92\x0c\xce\x00\x01\x00\x00")); /* channel 65536 */
    assert_non_null(ERROR_OF("\x92\x0c\xff"));              /* channel -1 */
    assert_non_null(ERROR_OF("\x93\x07\x01\x02"));          /* an unknown delivery */
    assert_non_null(ERROR_OF("\x94\x0b\x01\x02\x00"));      /* dead, but ok */
    assert_non_null(ERROR_OF("\x94\x0b\x01\x02\xcd\x01\x00")); /* status 256 */
    assert_non_null(ERROR_OF("\x93\x09\x01\xa1x"));         /* a payload that is a str */
    assert_non_null(ERROR_OF("\x92\x02\xc4\x02xx"));        /* a proof of two bytes */
    assert_non_null(ERROR_OF("\xdd\xff\xff\xff\xff\x0e"));  /* four billion items */
}

static void unknown_reasons_are_failures(void **state) {
    (void)state;
    struct tr_cursor cursor;
    struct tr_entry entry;
    tr_cursor_init(&cursor, "\x94\x0b\x01\x02\xcc\xfa", 6);
    assert_true(tr_frame_next(&cursor, &entry));
    assert_int_equal(entry.status, TROUPE_FAILED);
}

static void greetings_may_grow(void **state) {
    (void)state;
    uint8_t golden[512];
    size_t size = read_golden(TR_ENTRY_HELLO, golden, sizeof golden);
    struct tr_cursor cursor;
    struct tr_entry entry;
    golden[0]++; /* one item more: an array of one text */
    memcpy(golden + size, "\x91\xa3new", 5);
    tr_cursor_init(&cursor, golden, size + 5);
    assert_true(tr_frame_next(&cursor, &entry));
    assert_int_equal(tr_cursor_left(&cursor), 0);
    golden[3] = 'x';
    tr_cursor_init(&cursor, golden, size + 5);
    assert_false(tr_frame_next(&cursor, &entry));
    assert_string_equal(cursor.error, "the other side does not speak this protocol");
}

static void transcript_tells_the_roles_apart(void **state) {
    (void)state;
    uint8_t a[TR_FRAME_TRANSCRIPT_SIZE], b[TR_FRAME_TRANSCRIPT_SIZE];
    const struct tr_hello *dialer = &entries[0].hello, *listener = &entries[1].hello;
    static const uint8_t start[] = { 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
                                     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                     0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3 };
    tr_frame_transcript(true, dialer, listener, a);
    tr_frame_transcript(false, dialer, listener, b);
    assert_memory_equal(a, start, sizeof start);
    assert_int_equal(b[0], 2);
    assert_memory_equal(a + 1, b + 1, sizeof a - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_golden),
        cmocka_unit_test(golden_bytes_are_read),
        cmocka_unit_test(entries_in_a_row),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(wrong_entries_are_refused),
        cmocka_unit_test(unknown_reasons_are_failures),
        cmocka_unit_test(greetings_may_grow),
        cmocka_unit_test(transcript_tells_the_roles_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
