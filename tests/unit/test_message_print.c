/* troupe_message_print, _schema and _fingerprint, and the texts of troupe/status.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include <troupe/message.h>

#include "base/hash.h"
#include "lib/codec_messages.h"

#define ASSERT_PRINTS(type, expected, ...)                                                         \
    do {                                                                                           \
        char text[1024];                                                                           \
        size_t length = troupe_message_print(&type##_message, &(struct type){ __VA_ARGS__ }, text, \
                                             sizeof text);                                         \
        assert_string_equal(text, expected);                                                       \
        assert_int_equal(length, strlen(expected));                                                \
    } while (0)

static void as_people_read_them(void **state) {
    (void)state;
    ASSERT_PRINTS(count, "count{word: \"the\", n: 3}", "the", 3);
    ASSERT_PRINTS(count, "count{word: \"\", n: 18446744073709551615}", NULL, UINT64_MAX);
    ASSERT_PRINTS(nothing, "nothing{}", 0);
    ASSERT_PRINTS(point, "point{x: -2147483648, name: \"p\", s: small{a: -128, b: true}}",
                  INT32_MIN, "p", { INT8_MIN, true });
}

/* What cannot be sent can still be looked at. */
static void nothing_where_there_should_be_items(void **state) {
    (void)state;
    const struct new_shape shape = { .points = { NULL, 3 }, .raw = { NULL, 2 } };
    char text[512];
    troupe_message_print(&new_shape_message, &shape, text, sizeof text);
    assert_non_null(strstr(text, "points: [], "));
    assert_non_null(strstr(text, "raw: 0x, "));
}

static void text_stays_on_its_line(void **state) {
    (void)state;
    ASSERT_PRINTS(count, "count{word: \"a\\n\\r\\t\\\"\\\\\\x01\\x7f\xc3\xa9\", n: 0}",
                  "a\n\r\t\"\\\x01\x7f\xc3\xa9", 0);
}

static void every_kind(void **state) {
    (void)state;
    static const int8_t i8s[] = { -1, 2 };
    static const double f64s[] = { 0.1, 1e100, -0.0, 3 };
    static const bool flags[] = { true, false };
    static const char *const strs[] = { "a", NULL };
    static const struct troupe_bytes blobs[] = { { "\0\xff", 2 }, { NULL, 0 } };
    static const struct troupe_address addresses[] = { { 1, 2, 3 } };
    static const struct point points[] = { { .x = 1 }, { .x = 2 } };
    static const struct nothing nothings[2];
    struct all all = {
        .i8 = -8,
        .i16 = -16,
        .i32 = -32,
        .i64 = INT64_MIN,
        .u8 = 8,
        .u16 = 16,
        .u32 = 32,
        .u64 = 64,
        .f64 = (double)INFINITY,
        .bytes = { "hello", 5 },
        .address = { UINT64_MAX, 1, UINT32_MAX },
        .i8s = { i8s, 2 },
        .f64s = { f64s, 4 },
        .flags = { flags, 2 },
        .strs = { strs, 2 },
        .blobs = { blobs, 2 },
        .addresses = { addresses, 1 },
        .points = { points, 2 },
        .nothings = { nothings, 2 },
    };
    char text[2048];
    troupe_message_print(&all_message, &all, text, sizeof text);
    assert_string_equal(
        text,
        "all{i8: -8, i16: -16, i32: -32, i64: -9223372036854775808, u8: 8, u16: 16, u32: 32, u64: "
        "64, "
        "flag: false, f64: inf, str: \"\", bytes: 0x68656c6c6f, address: "
        "18446744073709551615/1/4294967295, "
        "point: point{x: 0, name: \"\", s: small{a: 0, b: false}}, nothing: nothing{}, "
        "i8s: [-1, 2], i16s: [], i32s: [], i64s: [], u8s: [], u16s: [], u32s: [], u64s: [], "
        "flags: [true, false], f64s: [0.1, 1e+100, -0, 3], strs: [\"a\", \"\"], blobs: [0x00ff, "
        "0x], "
        "addresses: [1/2/3], points: [point{x: 1, name: \"\", s: small{a: 0, b: false}}, "
        "point{x: 2, name: \"\", s: small{a: 0, b: false}}], nothings: [nothing{}, nothing{}]}");
}

static void many_bytes_show_their_first(void **state) {
    (void)state;
    uint8_t raw[100] = { 1 };
    char text[2048];
    struct all all = { .bytes = { raw, sizeof raw } };
    troupe_message_print(&all_message, &all, text, sizeof text);
    assert_non_null(strstr(text, "bytes: 0x01"));
    assert_non_null(strstr(text, "0000... (100 bytes),"));
}

static void a_small_buffer_cuts_off(void **state) {
    (void)state;
    char text[10];
    struct count count = { "the", 3 };
    assert_int_equal(troupe_message_print(&count_message, &count, text, sizeof text), 24);
    assert_string_equal(text, "count{wor");
    assert_int_equal(troupe_message_print(&count_message, &count, NULL, 0), 24);
    assert_int_equal(troupe_message_print(&count_message, &count, text, 1), 24);
    assert_string_equal(text, "");
}

static void schemas_are_written_out(void **state) {
    (void)state;
    char text[1024];
    assert_int_equal(troupe_message_schema(&count_message, text, sizeof text), 21);
    assert_string_equal(text, "count(word:str,n:u64)");
    troupe_message_schema(&nothing_message, text, sizeof text);
    assert_string_equal(text, "nothing()");
    troupe_message_schema(&new_shape_message, text, sizeof text);
    assert_string_equal(text, "new_shape(at:point(x:i32,name:str,s:small(a:i8,b:bool)),"
                              "points:[point(x:i32,name:str,s:small(a:i8,b:bool))],title:str,tags:["
                              "str],raw:bytes,owner:address,"
                              "last:count(word:str,n:u64))");
    assert_int_equal(troupe_message_schema(&count_message, text, 7), 21);
    assert_string_equal(text, "count(");
}

static void fingerprint_is_the_hash_of_the_schema(void **state) {
    (void)state;
    char text[1024];
    troupe_message_schema(&all_message, text, sizeof text);
    assert_int_equal(troupe_message_fingerprint(&all_message), tr_hash_text(text));
    assert_int_equal(troupe_message_fingerprint(&count_message),
                     tr_hash_text("count(word:str,n:u64)"));
}

static void every_status_has_name_and_text(void **state) {
    (void)state;
    for (int i = 0; i < TROUPE_STATUS_COUNT; i++) {
        assert_true(strlen(troupe_status_name((enum troupe_status)i)) > 0);
        assert_true(strlen(troupe_status_text((enum troupe_status)i)) > 0);
        assert_string_not_equal(troupe_status_name((enum troupe_status)i), "unknown");
    }
    assert_string_equal(troupe_status_name(TROUPE_FULL), "full");
    assert_string_equal(troupe_status_name(TROUPE_STATUS_COUNT), "unknown");
    assert_non_null(troupe_status_text(TROUPE_STATUS_COUNT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_people_read_them),
        cmocka_unit_test(nothing_where_there_should_be_items),
        cmocka_unit_test(text_stays_on_its_line),
        cmocka_unit_test(every_kind),
        cmocka_unit_test(many_bytes_show_their_first),
        cmocka_unit_test(a_small_buffer_cuts_off),
        cmocka_unit_test(schemas_are_written_out),
        cmocka_unit_test(fingerprint_is_the_hash_of_the_schema),
        cmocka_unit_test(every_status_has_name_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
