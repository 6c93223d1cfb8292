/* The nearest spelling: distances, limits, ties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/suggest.h"

static void distances(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        { "", "", 0 },           { "count", "count", 0 },   { "COUNT", "count", 0 },
        { "cont", "count", 1 },  { "counnt", "count", 1 },  { "caunt", "count", 1 },
        { "cuont", "count", 1 }, { "ocunt", "count", 1 },   { "", "abc", 3 },
        { "abc", "", 3 },        { "ca", "abc", 3 },        { "kitten", "sitting", 3 },
        { "abcd", "badc", 2 },   { "abcdef", "fedcba", 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(tr_suggest_distance(cases[i].a, cases[i].b, 20), cases[i].distance);
        assert_int_equal(tr_suggest_distance(cases[i].b, cases[i].a, 20), cases[i].distance);
        /* A limit above the distance does not change it, and any other is the answer. */
        for (size_t limit = 0; limit <= 8; limit++) {
            size_t expected = cases[i].distance < limit ? cases[i].distance : limit;
            assert_int_equal(tr_suggest_distance(cases[i].a, cases[i].b, limit), expected);
        }
    }
}

static void long_words_are_near_nothing(void **state) {
    (void)state;
    char word[TR_SUGGEST_MAX + 2];
    memset(word, 'a', sizeof word);
    word[TR_SUGGEST_MAX + 1] = '\0';
    assert_int_equal(tr_suggest_distance(word, word, 3), 3);
    assert_int_equal(tr_suggest_distance(word + 1, word + 1, 3), 0);
}

static const char *suggested(const char *word) {
    struct tr_suggest suggest;
    tr_suggest_start(&suggest, word);
    tr_suggest_consider(&suggest, "count");
    tr_suggest_consider(&suggest, "counter");
    tr_suggest_consider(&suggest, "name");
    tr_suggest_consider(&suggest, "tame");
    return suggest.best;
}

static void the_nearest_is_suggested(void **state) {
    (void)state;
    assert_string_equal(suggested("cuont"), "count");
    assert_string_equal(suggested("countr"), "count");
    assert_string_equal(suggested("conter"), "counter");
    assert_string_equal(suggested("Name"), "name");
    assert_string_equal(suggested("lame"), "name");
    assert_null(suggested("xyz"));
    assert_null(suggested("na"));
    assert_null(suggested(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(long_words_are_near_nothing),
        cmocka_unit_test(the_nearest_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
