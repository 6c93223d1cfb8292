/* Globs: what matches, what is well formed, which of two is the more specific, and no slow ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/glob.h"

static void matches(void **state) {
    (void)state;
    static const struct {
        const char *glob, *path;
        bool match;
    } cases[] = {
        { "/counter", "/counter", true },
        { "/counter", "/counter/3", false },
        { "/counter/*", "/counter/3", true },
        { "/counter/*", "/counter", false },
        { "/counter/*", "/counter/3/a", false },
        { "/*", "/reader", true },
        { "/*", "/a/b", false },
        { "/**", "/a", true },
        { "/**", "/a/b/c", true },
        { "/a/**", "/a", true },
        { "/a/**", "/a/b/c", true },
        { "/a/**", "/ab/c", false },
        { "/**/c", "/c", true },
        { "/**/c", "/a/b/c", true },
        { "/**/c", "/a/b/cd", false },
        { "/a/**/d/**/f", "/a/b/c/d/e/f", true },
        { "/a/**/d/**/f", "/a/d/f", true },
        { "/a/**/d/**/f", "/a/f/d", false },
        { "/a*", "/abc", true },
        { "/a*c", "/abc", true },
        { "/a*c", "/abcd", false },
        { "/*b*d*", "/abcde", true },
        { "/a*a*a", "/aa", false },
        { "/**/b/c", "/b/b/c", true },
        { "/counter", "counter", false },
        { "counter", "/counter", false },
        { "/a", "/", false },
        { "/**", "/", true },
        { "/-_*", "/-_x", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (tr_glob_match(cases[i].glob, cases[i].path) != cases[i].match) {
            fail_msg("%s and %s: expected %d", cases[i].glob, cases[i].path, cases[i].match);
        }
    }
}

static void checks(void **state) {
    (void)state;
    char longest[TR_GLOB_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[TR_GLOB_MAX + 1] = '\0';
    assert_string_equal(tr_glob_check(longest), "is longer than 256 bytes");
    longest[TR_GLOB_MAX] = '\0';
    assert_null(tr_glob_check(longest));
    assert_null(tr_glob_check("/a/**/b*c/*"));
    assert_string_equal(tr_glob_check("a"), "must begin with '/'");
    assert_string_equal(tr_glob_check(""), "must begin with '/'");
    assert_string_equal(tr_glob_check("/"), "has an empty part");
    assert_string_equal(tr_glob_check("/a//b"), "has an empty part");
    assert_string_equal(tr_glob_check("/a/"), "has an empty part");
    assert_string_equal(tr_glob_check("/a?"), "has a character that no name has");
    assert_string_equal(tr_glob_check("/a**"), "has '**' within a part");
    assert_string_equal(tr_glob_check("/a/**/**"), "has '**' twice in a row");
    assert_null(tr_glob_check("/**/a/**"));
    assert_string_equal(tr_glob_check("/***"), "has '**' within a part");
}

/* From the least specific to the most. */
static void ranks(void **state) {
    (void)state;
    static const char *const globs[] = { "/**/**",  "/**/*", "/**",    "/*/*/*", "/*/*", "/*",
                                         "/a/**/*", "/a/**", "/a/*/*", "/a/*",   "/a",   "/a/b" };
    const size_t count = sizeof globs / sizeof globs[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = tr_glob_compare(tr_glob_rank(globs[i]), tr_glob_rank(globs[j]));
            if ((order > 0) != (i > j) || (order < 0) != (i < j)) {
                fail_msg("%s and %s: %d", globs[i], globs[j], order);
            }
        }
    }
    assert_int_equal(tr_glob_compare(tr_glob_rank("/a/*"), tr_glob_rank("/*/b")), 0);
}

static void none_is_slow(void **state) {
    (void)state;
    char glob[1024] = "", path[2049] = "";
    for (int i = 0; i < 300; i++) strcat(glob, "/**");
    strcat(glob, "/b");
    for (int i = 0; i < 1000; i++) strcat(path, "/a");
    assert_false(tr_glob_match(glob, path));
    strcpy(glob, "/");
    for (int i = 0; i < 500; i++) strcat(glob, "*a"); /* longer than allowed, to be sure */
    strcat(glob, "b");
    memset(path + 1, 'a', 2047);
    assert_false(tr_glob_match(glob, path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(checks),
        cmocka_unit_test(ranks),
        cmocka_unit_test(none_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
