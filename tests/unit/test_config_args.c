/* Arguments: every kind of field filled in, and every way to get one wrong. */
#include "lib/config_test.h"

#include <math.h>

#define ARGS(text) "tree: { children: [{ name: a, actor: reader, args:\n" text " }] }"

static const struct read *args_of(const struct tr_config *config) {
    const struct tr_child *child = config->root->children[0];
    assert_ptr_equal(child->args_type, &read_message);
    return child->args;
}

static void nothing_given(void **state) {
    (void)state;
    static const char *const texts[] = { "tree: { children: [{ name: a, actor: reader }] }",
                                         ARGS("{}") };
    for (size_t i = 0; i < 2; i++) {
        struct tr_config *config = test_load(texts[i]);
        const struct read *args = args_of(config);
        assert_string_equal(args->files, "");
        assert_int_equal(args->small, 0);
        assert_int_equal(args->raw.size, 0);
        assert_true(troupe_address_is_none(args->to));
        assert_string_equal(args->at.label, "");
        assert_int_equal(args->points.count, 0);
        assert_null(args->words.items);
        assert_int_equal(args->file, -1);
        tr_config_free(config);
    }
}

static void everything_given(void **state) {
    (void)state;
    struct tr_config *config = test_load(
        ARGS("{ files: 12, small: 0xFF, big: -9223372036854775808, huge: 18446744073709551615, "
             "loud: true,\n"
             "  rate: -2.5e3, raw: b\xC3\xBCtes, at: { x: -1, label: here },\n"
             "  points: [{ x: 1 }, { y: 2, label: two }], numbers: [-32768, 32767, +1], words: [a, "
             "'', true] }"));
    const struct read *args = args_of(config);
    assert_string_equal(args->files, "12");
    assert_int_equal(args->small, 255);
    assert_true(args->big == INT64_MIN);
    assert_true(args->huge == UINT64_MAX);
    assert_true(args->loud);
    assert_true(args->rate == -2500.0);
    assert_int_equal(args->raw.size, 6);
    assert_memory_equal(args->raw.data, "b\xC3\xBCtes", 6);
    assert_int_equal(args->at.x, -1);
    assert_int_equal(args->at.y, 0);
    assert_string_equal(args->at.label, "here");
    assert_int_equal(args->points.count, 2);
    assert_int_equal(args->points.items[0].x, 1);
    assert_string_equal(args->points.items[0].label, "");
    assert_int_equal(args->points.items[1].y, 2);
    assert_string_equal(args->points.items[1].label, "two");
    assert_int_equal(args->numbers.count, 3);
    assert_int_equal(args->numbers.items[0], -32768);
    assert_int_equal(args->numbers.items[1], 32767);
    assert_int_equal(args->words.count, 3);
    assert_string_equal(args->words.items[1], "");
    assert_string_equal(args->words.items[2], "true");
    tr_config_free(config);
}

static double rate_of(const char *text) {
    char yaml[128];
    snprintf(yaml, sizeof yaml,
             "tree: { children: [{ name: a, actor: reader, args: { rate: %s } }] }", text);
    struct tr_config *config = test_load(yaml);
    double rate = args_of(config)->rate;
    tr_config_free(config);
    return rate;
}

static void reals(void **state) {
    (void)state;
    assert_true(rate_of("3") == 3.0);
    assert_true(rate_of("0.25") == 0.25);
    assert_true(rate_of("1.") == 1.0);
    assert_true(rate_of("1E-2") == 0.01);
    assert_true(rate_of(".inf") == (double)INFINITY);
    assert_true(rate_of("-.inf") == -(double)INFINITY);
    assert_true(isnan(rate_of(".nan")));
}

static void wrong_types(void **state) {
    (void)state;
    test_wrong(ARGS("{ small: x }"),
               "app.yaml:2:10: error: small: expected a whole number, found 'x'\n");
    test_wrong(ARGS("{ small: '1' }"),
               "app.yaml:2:10: error: small: expected a whole number, found the text '1'\n");
    test_wrong(ARGS("{ small: 1.0 }"),
               "app.yaml:2:10: error: small: expected a whole number, found '1.0'\n");
    test_wrong(ARGS("{ small: }"),
               "app.yaml:2:10: error: small: expected a whole number, found nothing\n");
    test_wrong(ARGS("{ small: [1] }"),
               "app.yaml:2:10: error: small: expected a whole number, found a list\n");
    test_wrong(ARGS("{ small: 07 }"), "app.yaml:2:10: error: small: '07' begins with a zero\n");
    test_wrong(ARGS("{ loud: yes }"),
               "app.yaml:2:9: error: loud: expected true or false, found 'yes'\n");
    test_wrong(ARGS("{ rate: fast }"),
               "app.yaml:2:9: error: rate: expected a number, found 'fast'\n");
    test_wrong(ARGS("{ rate: 1e999 }"),
               "app.yaml:2:9: error: rate: '1e999' is out of range for f64\n");
    test_wrong(ARGS("{ rate: nan(x) }"),
               "app.yaml:2:9: error: rate: expected a number, found 'nan(x)'\n");
    test_wrong(ARGS("{ files: [a] }"),
               "app.yaml:2:10: error: files: expected a text, found a list\n");
    test_wrong(ARGS("{ files: ~ }"), "app.yaml:2:10: error: files: expected a text, found nothing; "
                                     "write \"\" for an empty one\n");
    test_wrong(ARGS("{ to: 3 }"),
               "app.yaml:2:7: error: to: an address cannot be given in a configuration\n");
    test_wrong(ARGS("{ file: 3 }"), "app.yaml:2:9: error: file: a descriptor cannot be given in a configuration; give a "
                                    "path, and open it when the actor starts\n");
    test_wrong(ARGS("{ at: 3 }"), "app.yaml:2:7: error: at: expected a mapping, found '3'\n");
    test_wrong(ARGS("{ points: {} }"),
               "app.yaml:2:11: error: points: expected a list, found a mapping\n");
    test_wrong(ARGS("{ points: [1] }"),
               "app.yaml:2:12: error: points: expected a mapping, found '1'\n");
    test_wrong(ARGS("[]"), "app.yaml:2:1: error: args: expected a mapping, found a list\n");
}

static void out_of_range(void **state) {
    (void)state;
    test_wrong(ARGS("{ small: 256 }"),
               "app.yaml:2:10: error: small: '256' is out of range for u8; allowed: 0 to 255\n");
    test_wrong(ARGS("{ small: -1 }"),
               "app.yaml:2:10: error: small: '-1' is out of range for u8; allowed: 0 to 255\n");
    test_wrong(ARGS("{ numbers: [1, -32769] }"), "app.yaml:2:16: error: numbers: '-32769' is out "
                                                 "of range for i16; allowed: -32768 to 32767\n");
    test_wrong(ARGS("{ big: 9223372036854775808 }"),
               "app.yaml:2:8: error: big: '9223372036854775808' is out of range for i64; allowed: "
               "-9223372036854775808 to 9223372036854775807\n");
    test_wrong(
        ARGS("{ huge: 18446744073709551616 }"),
        "app.yaml:2:9: error: huge: '18446744073709551616' is out of range for u64; allowed: 0 to "
        "18446744073709551615\n");
}

static void unknown_ones(void **state) {
    (void)state;
    test_wrong(ARGS("{ fils: x }"), "app.yaml:2:3: error: unknown argument 'fils' of the actor "
                                    "'reader'; did you mean 'files'?\n");
    test_wrong(ARGS("{ at: { z1: 1 } }"),
               "app.yaml:2:9: error: unknown argument 'z1' of at; allowed: x, y, label\n");
    test_wrong(ARGS("{ big: 1, big: 2 }"),
               "app.yaml:2:11: error: the key 'big' is given twice; first in line 2\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, args: { n: 1 } }] }",
               "app.yaml:1:53: error: the actor 'counter' takes no arguments\n");
}

static void a_list_too_long(void **state) {
    (void)state;
    static char text[400 * 1024];
    strcpy(text, "tree: { children: [{ name: a, actor: reader, args: { points: [");
    size_t used = strlen(text);
    for (int i = 0; i < 70000; i++) {
        memcpy(text + used, "{},", 3);
        used += 3;
    }
    strcpy(text + used, "] } }] }");
    test_wrong(text, "app.yaml:1:62: error: points: the list is too long\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given),   cmocka_unit_test(everything_given),
        cmocka_unit_test(reals),           cmocka_unit_test(wrong_types),
        cmocka_unit_test(out_of_range),    cmocka_unit_test(unknown_ones),
        cmocka_unit_test(a_list_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
