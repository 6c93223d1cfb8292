/* base/bytes.h, and the small neighbours that have no test of their own: utf8, text, hash,
 * random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "base/utf8.h"

static void zero_is_empty(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    tr_bytes_append(&bytes, NULL, 0);
    assert_int_equal(bytes.size, 0);
    assert_false(bytes.failed);
    tr_bytes_free(&bytes);
    assert_null(bytes.data);
}

static void appends_in_order(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t pair[2] = { (uint8_t)i, (uint8_t)(i >> 8) };
        tr_bytes_append(&bytes, pair, sizeof pair);
    }
    assert_int_equal(bytes.size, 2000);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(bytes.data[2 * i] | bytes.data[2 * i + 1] << 8, i);
    tr_bytes_free(&bytes);
}

static void limit_is_exact_and_failure_sticks(void **state) {
    (void)state;
    struct tr_bytes bytes = { .limit = 10 };
    tr_bytes_append(&bytes, "0123456789", 10);
    assert_false(bytes.failed);
    assert_true(bytes.capacity <= 10);
    tr_bytes_append(&bytes, "x", 1);
    assert_true(bytes.failed);
    assert_int_equal(bytes.size, 10);
    tr_bytes_clear(&bytes);
    assert_false(bytes.failed);
    tr_bytes_append(&bytes, "0123456789a", 11);
    assert_true(bytes.failed);
    tr_bytes_append(&bytes, "a", 1);
    assert_int_equal(bytes.size, 0);
    tr_bytes_free(&bytes);
}

static void a_lowered_limit_counts(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    tr_bytes_append(&bytes, "0123456789", 10);
    bytes.limit = 12;
    tr_bytes_append(&bytes, "abc", 3);
    assert_true(bytes.failed);
    assert_int_equal(bytes.size, 10);
    tr_bytes_free(&bytes);
}

static void impossible_sizes_fail(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    tr_bytes_append(&bytes, "a", 1);
    tr_bytes_append(&bytes, "b", SIZE_MAX);
    assert_true(bytes.failed);
    assert_int_equal(bytes.size, 1);
    tr_bytes_free(&bytes);
}

static void utf8_is_told_apart(void **state) {
    (void)state;
    static const char *const good[] = { "",
                                        "plain ascii, longer than a word",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xed\x9f\xbf",
                                        "eight by\xc2\x80" };
    static const char *const bad[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc3",
                                       "\xe0\x80\x80",
                                       "\xe2\x82",
                                       "\xed\xa0\x80",
                                       "\xf0\x80\x80\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "eight by\xc3",
                                       "\xe2\x28\xa1",
                                       "\xf0\x9f\x98\x28" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(tr_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(tr_utf8_valid(bad[i], strlen(bad[i])));
    assert_true(tr_utf8_valid("a\0b", 3));
}

static void expect_mended(const char *text, const char *expected) {
    char mended[64];
    snprintf(mended, sizeof mended, "%s", text);
    tr_utf8_mend(mended);
    assert_string_equal(mended, expected);
    assert_true(tr_utf8_valid(mended, strlen(mended)));
}

static void utf8_is_mended(void **state) {
    (void)state;
    expect_mended("", "");
    expect_mended("as it \xc3\xa9 is \xf0\x9f\x98\x80", "as it \xc3\xa9 is \xf0\x9f\x98\x80");
    expect_mended("\xff\x80 \xc3( \xe0\x80\x80 \xf0\x9f\x98(", "?? ?" "( ??" "? ??" "?(");
    expect_mended("cut \xc3", "cut ");
    expect_mended("cut \xe2\x82", "cut ");
    expect_mended("cut \xf0\x9f\x98", "cut ");
    expect_mended("no \xe0\x80", "no ??");
    expect_mended("no \xf0\x9f(", "no ?" "?(");
    expect_mended("no \xf5", "no ?");
}

static void text_is_cut_off_but_counted(void **state) {
    (void)state;
    char text[8];
    struct tr_text to = tr_text_begin(text, sizeof text);
    tr_text_add(&to, "12345");
    assert_string_equal(text, "12345");
    tr_text_format(&to, "%d", 6789);
    assert_string_equal(text, "1234567");
    tr_text_add(&to, "more");
    assert_int_equal(to.length, 13);
    assert_string_equal(text, "1234567");
    to = tr_text_begin(NULL, 0);
    tr_text_add(&to, "counted");
    assert_int_equal(to.length, 7);
}

static void hash_is_fnv1a(void **state) {
    (void)state;
    assert_int_equal(tr_hash("", 0), UINT64_C(0xcbf29ce484222325));
    assert_int_equal(tr_hash_text("a"), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(tr_hash_text("foobar"), UINT64_C(0x85944171f73967e8));
    assert_int_equal(tr_hash_add(tr_hash_text("foo"), "bar", 3), tr_hash_text("foobar"));
}

static void random_repeats_and_stays_in_bounds(void **state) {
    (void)state;
    struct tr_random a, b;
    unsigned seen[7] = { 0 };
    tr_random_seed(&a, 42);
    tr_random_seed(&b, 42);
    for (int i = 0; i < 7000; i++) {
        uint64_t value = tr_random_below(&a, 7);
        assert_int_equal(value, tr_random_below(&b, 7));
        assert_true(value < 7);
        seen[value]++;
        double unit = tr_random_unit(&a);
        assert_true(unit >= 0 && unit < 1);
        assert_true(unit == tr_random_unit(&b));
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(tr_random_below(&a, 0), 0);
    assert_int_equal(tr_random_below(&a, 1), 0);
    tr_random_seed(&b, 43);
    tr_random_seed(&a, 42);
    assert_int_not_equal(tr_random_next(&a), tr_random_next(&b));
}

static void assertion_says_where_and_aborts(void **state) {
    (void)state;
    int ends[2];
    char text[256] = { 0 };
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        tr_assert_failed("cats == dogs", "zoo.c", 1207);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)got;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(text, "zoo.c:1207: assertion failed: cats == dogs\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_is_empty),
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(limit_is_exact_and_failure_sticks),
        cmocka_unit_test(a_lowered_limit_counts),
        cmocka_unit_test(impossible_sizes_fail),
        cmocka_unit_test(utf8_is_told_apart),
        cmocka_unit_test(utf8_is_mended),
        cmocka_unit_test(text_is_cut_off_but_counted),
        cmocka_unit_test(hash_is_fnv1a),
        cmocka_unit_test(random_repeats_and_stays_in_bounds),
        cmocka_unit_test(assertion_says_where_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
