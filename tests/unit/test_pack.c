/* base/pack.h: what is written can be read; what nobody wrote is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/pack.h"

/* A cursor over a literal, which may hold NULs. */
#define CURSOR(cursor, literal)                                                                    \
    struct tr_cursor cursor;                                                                       \
    tr_cursor_init(&cursor, literal, sizeof literal - 1)

#define ASSERT_FAILS(read, literal, text)                                                          \
    do {                                                                                           \
        uint32_t size = 0;                                                                         \
        CURSOR(cursor, literal);                                                                   \
        (void)(read);                                                                              \
        (void)size;                                                                                \
        assert_non_null(cursor.error);                                                             \
        assert_string_equal(cursor.error, text);                                                   \
        assert_int_equal(tr_cursor_left(&cursor), 0);                                              \
    } while (0)

static const int64_t integers[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX,
                                    INT64_C(1) << 32, INT64_MAX, -1, -32, -33, -128, -129, -32768,
                                    -32769, INT32_MIN, INT64_C(-1) + INT32_MIN, INT64_MIN };
enum { INTEGERS = sizeof integers / sizeof integers[0] };

static void integers_come_back(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    struct tr_cursor cursor;
    for (size_t i = 0; i < INTEGERS; i++) {
        tr_pack_int(&bytes, integers[i]);
        if (integers[i] >= 0) tr_pack_uint(&bytes, (uint64_t)integers[i]);
    }
    tr_pack_uint(&bytes, UINT64_MAX);
    tr_cursor_init(&cursor, bytes.data, bytes.size);
    for (size_t i = 0; i < INTEGERS; i++) {
        assert_true(tr_read_int(&cursor, INT64_MIN, INT64_MAX) == integers[i]);
        if (integers[i] >= 0) assert_true(tr_read_int(&cursor, 0, INT64_MAX) == integers[i]);
    }
    assert_true(tr_read_uint(&cursor, UINT64_MAX) == UINT64_MAX);
    assert_true(tr_cursor_ok(&cursor));
    assert_int_equal(tr_cursor_left(&cursor), 0);
    tr_bytes_free(&bytes);
}

static void integers_take_the_smallest_form(void **state) {
    (void)state;
    static const struct { int64_t value; size_t size; } forms[] = {
        { 0, 1 }, { 127, 1 }, { 128, 2 }, { 256, 3 }, { 65536, 5 }, { INT64_C(1) << 32, 9 },
        { -32, 1 }, { -33, 2 }, { -129, 3 }, { -32769, 5 }, { INT64_MIN, 9 },
    };
    struct tr_bytes bytes = { 0 };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        tr_bytes_clear(&bytes);
        tr_pack_int(&bytes, forms[i].value);
        assert_int_equal(bytes.size, forms[i].size);
    }
    tr_bytes_free(&bytes);
}

static void any_width_that_holds_is_accepted(void **state) {
    (void)state;
    CURSOR(cursor,
           "\xcf\0\0\0\0\0\0\0\x05\xd3\0\0\0\0\0\0\0\x05\xd0\x05\xd1\0\x05\xd2\0\0\0\x05\xcc\x05");
    for (int i = 0; i < 6; i++)
        assert_int_equal(tr_read_uint(&cursor, 5), 5);
    assert_true(tr_cursor_ok(&cursor));
}

static void integers_out_of_range_fail(void **state) {
    (void)state;
    ASSERT_FAILS(tr_read_uint(&cursor, 4), "\x05", "out of range");
    ASSERT_FAILS(tr_read_uint(&cursor, UINT64_MAX), "\xff", "out of range");
    ASSERT_FAILS(tr_read_uint(&cursor, UINT64_MAX), "\xd3\x80\0\0\0\0\0\0\0", "out of range");
    ASSERT_FAILS(tr_read_int(&cursor, -4, 4), "\xfb", "out of range");
    ASSERT_FAILS(tr_read_int(&cursor, INT64_MIN, INT64_MAX), "\xcf\x80\0\0\0\0\0\0\0",
                 "out of range");
    ASSERT_FAILS(tr_read_int(&cursor, 0, 9), "\xa1x", "not an integer");
    ASSERT_FAILS(tr_read_int(&cursor, 5, 9), "", "cut off");
    ASSERT_FAILS(tr_read_uint(&cursor, 9), "\xcd\x01", "cut off");
}

static void floats_come_back_bit_by_bit(void **state) {
    (void)state;
    const double values[] = { 0.0, -0.0, 0.1, -1e300, HUGE_VAL, -HUGE_VAL, (double)NAN, 5e-324 };
    struct tr_bytes bytes = { 0 };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        tr_pack_f64(&bytes, values[i]);
    struct tr_cursor cursor;
    tr_cursor_init(&cursor, bytes.data, bytes.size);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double value = tr_read_f64(&cursor);
        assert_memory_equal(&value, &values[i], sizeof value);
    }
    assert_true(tr_cursor_ok(&cursor));
    tr_bytes_free(&bytes);
    CURSOR(single, "\xca\x3f\xc0\0\0");
    assert_true(tr_read_f64(&single) == 1.5);
}

static void text_of_every_length_comes_back(void **state) {
    (void)state;
    static const size_t sizes[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
    static char text[65536];
    memset(text, 'x', sizeof text);
    struct tr_bytes bytes = { 0 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t size;
        struct tr_cursor cursor;
        tr_bytes_clear(&bytes);
        tr_pack_str(&bytes, text, sizes[i]);
        tr_pack_bin(&bytes, text, sizes[i]);
        tr_cursor_init(&cursor, bytes.data, bytes.size);
        assert_memory_equal(tr_read_str(&cursor, &size), text, sizes[i]);
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(tr_read_bin(&cursor, &size), text, sizes[i]);
        assert_int_equal(size, sizes[i]);
        assert_true(tr_cursor_ok(&cursor));
    }
    tr_bytes_free(&bytes);
}

static void bad_text_fails(void **state) {
    (void)state;
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xa1\xff", "not valid UTF-8");
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xa3" "a\0b", "a NUL in a str");
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xa3" "ab", "cut off");
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xdb\xff\xff\xff\xff" "ab", "cut off");
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xda\x01", "cut off");
    ASSERT_FAILS(tr_read_str(&cursor, &size), "\xc4\x01x", "not a str");
    ASSERT_FAILS(tr_read_bin(&cursor, &size), "\xa1x", "not bytes");
    ASSERT_FAILS(tr_read_bin(&cursor, &size), "\xc6\xff\xff\xff\xff", "cut off");
}

static void bool_and_nil(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    struct tr_cursor cursor;
    tr_pack_nil(&bytes);
    tr_pack_bool(&bytes, true);
    tr_pack_bool(&bytes, false);
    tr_cursor_init(&cursor, bytes.data, bytes.size);
    assert_true(tr_read_nil(&cursor));
    assert_false(tr_read_nil(&cursor));
    assert_true(tr_read_bool(&cursor));
    assert_false(tr_read_bool(&cursor));
    assert_false(tr_read_nil(&cursor));
    assert_true(tr_cursor_ok(&cursor));
    tr_bytes_free(&bytes);
}

static void other_kinds_fail(void **state) {
    (void)state;
    ASSERT_FAILS(tr_read_f64(&cursor), "\x01", "not a float");
    ASSERT_FAILS(tr_read_f64(&cursor), "\xcb\0\0", "cut off");
    ASSERT_FAILS(tr_read_bool(&cursor), "\x01", "not a bool");
    ASSERT_FAILS(tr_read_bool(&cursor), "\xc1", "not a bool");
}

static void counts_are_believed_as_far_as_the_bytes_go(void **state) {
    (void)state;
    CURSOR(honest, "\x93\1\2\3");
    assert_int_equal(tr_read_array(&honest), 3);
    CURSOR(wide, "\xdc\0\1\xc0");
    assert_int_equal(tr_read_array(&wide), 1);
    ASSERT_FAILS(tr_read_array(&cursor), "\x93\1\2", "more items declared than there are bytes");
    ASSERT_FAILS(tr_read_array(&cursor), "\xdd\x10\0\0\0",
                 "more items declared than there are bytes");
    ASSERT_FAILS(tr_read_array(&cursor), "\xdd\x10\0", "cut off");
    ASSERT_FAILS(tr_read_array(&cursor), "\x80", "not an array");
}

static void skip_passes_over_everything(void **state) {
    (void)state;
    CURSOR(
        cursor,
        "\x05\xff\xc0\xc2\xc3\xcc\1\xcd\1\2\xce\1\2\3\4\xcf\1\2\3\4\5\6\7\x08\xd0\1\xd1\1\2\xd2\1\2"
        "\3\4"
        "\xd3\1\2\3\4\5\6\7\x08\xca\1\2\3\4\xcb\1\2\3\4\5\6\7\x08\xa2hi\xd9\1x\xda\0\1x\xdb\0\0\0\1"
        "x"
        "\xc4\1x\xc5\0\1x\xc6\0\0\0\1x\xc7\1\7x\xc8\0\1\7x\xc9\0\0\0\1\7x\xd4\7x\xd5\7xx\xd6\7xxxx"
        "\xd7\7xxxxxxxx\xd8\7xxxxxxxxxxxxxxxx"
        "\x92\1\x91\2\x82\1\2\3\x90\xdc\0\1\1\xdd\0\0\0\1\1\xde\0\1\1\1\xdf\0\0\0\1\1\1\x2a");
    for (int i = 0; i < 36; i++) {
        tr_read_skip(&cursor);
        assert_true(tr_cursor_ok(&cursor));
    }
    assert_int_equal(tr_read_uint(&cursor, 100), 42);
    assert_int_equal(tr_cursor_left(&cursor), 0);
}

static void skip_knows_its_depth(void **state) {
    (void)state;
    uint8_t nested[34];
    struct tr_cursor cursor;
    memset(nested, 0x91, sizeof nested);
    nested[32] = 0x01;
    tr_cursor_init(&cursor, nested, 33);
    tr_read_skip(&cursor);
    assert_true(tr_cursor_ok(&cursor));
    assert_int_equal(tr_cursor_left(&cursor), 0);
    nested[32] = 0x91;
    nested[33] = 0x01;
    tr_cursor_init(&cursor, nested, 34);
    tr_read_skip(&cursor);
    assert_string_equal(cursor.error, "nested too deeply");
}

static void skip_refuses_lies(void **state) {
    (void)state;
    ASSERT_FAILS(tr_read_skip(&cursor), "", "cut off");
    ASSERT_FAILS(tr_read_skip(&cursor), "\xc1", "not msgpack");
    ASSERT_FAILS(tr_read_skip(&cursor), "\x92\1\xc1", "not msgpack");
    ASSERT_FAILS(tr_read_skip(&cursor), "\xdf\xff\xff\xff\xff\1\1",
                 "more items declared than there are bytes");
    ASSERT_FAILS(tr_read_skip(&cursor), "\x82\1\2\3", "more items declared than there are bytes");
    ASSERT_FAILS(tr_read_skip(&cursor), "\xc9\xff\xff\xff\xff\1\1", "cut off");
}

static void failure_sticks(void **state) {
    (void)state;
    uint32_t size;
    CURSOR(cursor, "\xc0\1\2\3");
    (void)tr_read_bool(&cursor);
    assert_string_equal(cursor.error, "not a bool");
    assert_int_equal(tr_read_uint(&cursor, 9), 0);
    assert_int_equal(tr_read_int(&cursor, 3, 9), 0);
    assert_int_equal(tr_read_array(&cursor), 0);
    assert_non_null(tr_read_str(&cursor, &size));
    assert_non_null(tr_read_bin(&cursor, &size));
    assert_int_equal(size, 0);
    assert_false(tr_read_nil(&cursor));
    tr_cursor_fail(&cursor, "another");
    assert_string_equal(cursor.error, "not a bool");
}

static void no_bytes_at_all(void **state) {
    (void)state;
    struct tr_cursor cursor;
    tr_cursor_init(&cursor, NULL, 0);
    assert_int_equal(tr_cursor_left(&cursor), 0);
    assert_false(tr_read_nil(&cursor));
    assert_int_equal(tr_read_array(&cursor), 0);
    assert_string_equal(cursor.error, "cut off");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_come_back),
        cmocka_unit_test(integers_take_the_smallest_form),
        cmocka_unit_test(any_width_that_holds_is_accepted),
        cmocka_unit_test(integers_out_of_range_fail),
        cmocka_unit_test(floats_come_back_bit_by_bit),
        cmocka_unit_test(text_of_every_length_comes_back),
        cmocka_unit_test(bad_text_fails),
        cmocka_unit_test(bool_and_nil),
        cmocka_unit_test(other_kinds_fail),
        cmocka_unit_test(counts_are_believed_as_far_as_the_bytes_go),
        cmocka_unit_test(skip_passes_over_everything),
        cmocka_unit_test(skip_knows_its_depth),
        cmocka_unit_test(skip_refuses_lies),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(no_bytes_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
