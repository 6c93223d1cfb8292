/*
 * Records as lines, in both forms: what they look like, and that whatever a text holds, a line is one line of
 * valid UTF-8 without control characters, at most 4 KiB, and in JSON an object that a reader takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/utf8.h"
#include "core/log_record.h"

#define NOON (INT64_C(1795521811) * TROUPE_SECOND + 120 * TROUPE_MILLISECOND)

/* ---- A strict reader of one line of JSON ---- */

static const char *read_string(const char *at) {
    if (*at++ != '"') return NULL;
    while (*at != '"') {
        if ((unsigned char)*at < ' ') return NULL;
        if (*at != '\\') {
            at++;
        } else if (at[1] == 'u') {
            if (strspn(at + 2, "0123456789abcdef") < 4) return NULL;
            at += 6;
        } else if (at[1] != '\0' && strchr("\"\\nt", at[1]) != NULL) {
            at += 2;
        } else {
            return NULL;
        }
    }
    return at + 1;
}

static const char *read_value(const char *at) {
    if (*at == '"') return read_string(at);
    if (strncmp(at, "true", 4) == 0) return at + 4;
    if (strncmp(at, "false", 5) == 0) return at + 5;
    size_t number = strspn(at, "-+.0123456789e");
    return number == 0 ? NULL : at + number;
}

/* NULL: sound. Else where it is not. */
static const char *read_object(const char *at) {
    if (*at != '{') return at;
    do {
        const char *key = read_string(at + 1);
        const char *value = key == NULL || *key != ':' ? NULL : read_value(key + 1);
        if (value == NULL) return at;
        at = value;
    } while (*at == ',');
    return strcmp(at, "}\n") == 0 ? NULL : at;
}

/* ---- What holds of every line ---- */

static char line[TR_LOG_LINE + 1];

static void check_line(size_t size) {
    assert_in_range(size, 1, TR_LOG_LINE);
    line[size] = '\0';
    assert_int_equal(strlen(line), size);
    assert_true(tr_utf8_valid(line, size));
    assert_int_equal(line[size - 1], '\n');
    for (size_t i = 0; i < size - 1; i++)
        assert_true((unsigned char)line[i] >= ' ' && line[i] != 0x7F &&
                    !((unsigned char)line[i] == 0xC2 && (unsigned char)line[i + 1] < 0xA0));
}

static const char *pretty(struct tr_log_record record) {
    check_line(tr_log_pretty(&record, line));
    return line;
}

static const char *json(struct tr_log_record record) {
    check_line(tr_log_json(&record, line));
    const char *wrong = read_object(line);
    if (wrong != NULL) fail_msg("no JSON from here on: %s", wrong);
    return line;
}

static struct tr_log_record record_of(const char *text, const struct troupe_log_field *fields, size_t count) {
    return (struct tr_log_record){ .time = NOON, .level = TROUPE_INFO, .path = "/reader", .text = text,
                                   .fields = fields, .count = count, .node = 1, .pid = 4242 };
}

/* ---- How it looks ---- */

static void a_line_without_fields(void **state) {
    (void)state;
    assert_string_equal(pretty(record_of("read", NULL, 0)), "2026-11-24T12:03:31.120Z info    /reader: read\n");
    assert_string_equal(json(record_of("read", NULL, 0)),
                        "{\"time\":\"2026-11-24T12:03:31.120Z\",\"level\":\"info\",\"path\":\"/reader\","
                        "\"text\":\"read\",\"node\":1,\"pid\":4242}\n");
}

static void a_field_of_each_kind(void **state) {
    (void)state;
    struct troupe_log_field fields[] = { troupe_text("file", "my notes.txt"), troupe_text("mode", "r"),
                                         troupe_number("bytes", INT64_MIN), troupe_real("ratio", 0.1),
                                         troupe_flag("last", true), troupe_flag("first", false) };
    assert_string_equal(pretty(record_of("read", fields, 6)),
                        "2026-11-24T12:03:31.120Z info    /reader: read  file=\"my notes.txt\" mode=r "
                        "bytes=-9223372036854775808 ratio=0.1 last=true first=false\n");
    assert_string_equal(json(record_of("read", fields, 6)),
                        "{\"time\":\"2026-11-24T12:03:31.120Z\",\"level\":\"info\",\"path\":\"/reader\","
                        "\"text\":\"read\",\"file\":\"my notes.txt\",\"mode\":\"r\","
                        "\"bytes\":-9223372036854775808,\"ratio\":0.1,\"last\":true,\"first\":false,"
                        "\"node\":1,\"pid\":4242}\n");
}

static void every_level_has_a_name(void **state) {
    (void)state;
    static const char *const names[] = { "debug", "info", "warning", "error", "error" };
    for (int i = 0; i < 5; i++) assert_string_equal(tr_log_level_name((enum troupe_level)i), names[i]);
}

static void numbers_that_json_does_not_know(void **state) {
    (void)state;
    struct troupe_log_field fields[] = { troupe_real("a", (double)NAN), troupe_real("b", (double)INFINITY),
                                         troupe_real("c", -(double)INFINITY), troupe_real("d", DBL_MAX),
                                         troupe_real("e", -0.0), troupe_real("f", DBL_MIN / 4) };
    const char *text = json(record_of("", fields, 6));
    assert_non_null(strstr(text, ",\"a\":\"nan\",\"b\":\"inf\",\"c\":\"-inf\",\"d\":1.7976931348623157e+308,\"e\":-0,"));
}

/* Not every machine has one with a comma: then nothing is shown here. */
static void a_locale_with_a_comma(void **state) {
    (void)state;
    static const char *const some[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "nl_NL.UTF-8" };
    struct troupe_log_field field = troupe_real("half", 0.5);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (setlocale(LC_NUMERIC, some[i]) != NULL) break;
    const char *text = json(record_of("", &field, 1));
    setlocale(LC_NUMERIC, "C");
    assert_non_null(strstr(text, "\"half\":0.5,"));
}

/* ---- Hostile texts ---- */

static void text_that_would_forge_a_line(void **state) {
    (void)state;
    struct troupe_log_field field = troupe_text("file", "a\nb\"c\\d\te");
    struct tr_log_record record = record_of("x\n2026-11-24T02:03:31.120Z error /: forged\r\x1b[2J", &field, 1);
    assert_string_equal(pretty(record), "2026-11-24T12:03:31.120Z info    /reader: "
                        "x 2026-11-24T02:03:31.120Z error /: forged  [2J  file=\"a b'c\\d e\"\n");
    const char *text = json(record);
    assert_non_null(strstr(text, "\"x\\n2026-11-24T02:03:31.120Z error /: forged\\u000d\\u001b[2J\""));
    assert_non_null(strstr(text, "\"file\":\"a\\nb\\\"c\\\\d\\te\""));
}

static void controls_above_ascii(void **state) {
    (void)state;
    struct tr_log_record record = record_of("a\x7f" "b\xc2\x9b" "31mc\xc2\xa0" "d", NULL, 0);
    assert_non_null(strstr(pretty(record), ": a b 31mc\xc2\xa0" "d\n"));
    assert_non_null(strstr(json(record), "\"a\\u007fb\\u009b31mc\xc2\xa0" "d\""));
}

static void text_that_is_no_utf8(void **state) {
    (void)state;
    struct tr_log_record record = record_of("\xff ok \xc3\xa9 \xed\xa0\x80 \xe2\x82", NULL, 0);
    assert_non_null(strstr(pretty(record), ": ? ok \xc3\xa9 ??? \n"));
    assert_non_null(strstr(json(record), "\"? ok \xc3\xa9 ??? \""));
}

static void names_that_are_none(void **state) {
    (void)state;
    char longer[200];
    memset(longer, 'n', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    struct troupe_log_field fields[] = { troupe_number("time", 1), troupe_number("a\"b c", 2),
                                         troupe_number(NULL, 3), troupe_number("", 4),
                                         troupe_number("\xc3\xa9", 5), troupe_number(longer, 6),
                                         troupe_text("nothing", NULL) };
    const char *text = json(record_of(NULL, fields, 7));
    assert_non_null(strstr(text, "\"text\":\"\",\"_time\":1,\"a_b_c\":2,\"_\":3,\"_\":4,\"__\":5,\"nnn"));
    assert_non_null(strstr(text, ",\"nothing\":\"\","));
    longer[TR_LOG_NAME] = '\0';
    assert_non_null(strstr(text, longer));
    assert_null(strstr(text, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"));
}

/* ---- Sizes ---- */

static void what_is_too_long_is_cut_between_characters(void **state) {
    (void)state;
    static char huge[100000];
    for (size_t i = 0; i + 3 < sizeof huge; i += 3) memcpy(huge + i, "\xe2\x82\xac", 3);
    struct troupe_log_field fields[] = { troupe_text("more", huge), troupe_number("after", 7) };
    const char *text = json(record_of("t", fields, 2));
    assert_non_null(strstr(text, "\xe2\x82\xac\",\"node\":1,\"pid\":4242,\"cut\":true}\n"));
    assert_true(strlen(text) > TR_LOG_LINE - 80);
    text = pretty(record_of(huge, fields, 2));
    assert_non_null(strstr(text, "\xe2\x82\xac ... (cut)\n"));
    assert_true(strlen(text) > TR_LOG_LINE - 40);
}

static void more_fields_than_there_may_be(void **state) {
    (void)state;
    struct troupe_log_field fields[TROUPE_LOG_FIELDS + 1];
    for (int i = 0; i <= TROUPE_LOG_FIELDS; i++) fields[i] = troupe_number(i == TROUPE_LOG_FIELDS ? "over" : "n", i);
    const char *text = json(record_of("", fields, TROUPE_LOG_FIELDS));
    assert_null(strstr(text, "cut"));
    text = json(record_of("", fields, TROUPE_LOG_FIELDS + 1));
    assert_non_null(strstr(text, "\"n\":15,\"node\":1,\"pid\":4242,\"cut\":true}\n"));
    text = pretty(record_of("", fields, TROUPE_LOG_FIELDS + 1));
    assert_non_null(strstr(text, " n=15 ... (cut)\n"));
}

/* Around the size at which it must be cut, byte by byte, with escapes of each length at the edge. */
static void every_length_at_the_edge(void **state) {
    (void)state;
    static const char *const last[] = { "x", "\"", "\x01", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
    char text[TR_LOG_LINE + 16];
    for (size_t kind = 0; kind < sizeof last / sizeof *last; kind++) {
        for (size_t size = TR_LOG_LINE - 220; size < TR_LOG_LINE; size++) {
            memset(text, 'a', size);
            strcpy(text + size, last[kind]);
            struct troupe_log_field field = troupe_text("f", last[kind]);
            json(record_of(text, &field, 1));
            pretty(record_of(text, &field, 1));
        }
    }
}

/* ---- Anything ---- */

static struct tr_random source;

static uint32_t below(uint32_t limit) { return (uint32_t)(tr_random_next(&source) % limit); }

static void fill(char *text, size_t size) {
    size_t used = below((uint32_t)size);
    for (size_t i = 0; i < used; i++) text[i] = (char)(below(4) == 0 ? below(255) + 1 : below(95) + 32);
    text[used] = '\0';
}

static void whatever_it_holds(void **state) {
    (void)state;
    static char texts[4][6000], names[4][100];
    enum { ROUNDS = 3000 };
    tr_random_seed(&source, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct troupe_log_field fields[4];
        for (int i = 0; i < 4; i++) {
            fill(texts[i], below(3) == 0 ? sizeof texts[i] : 200);
            fill(names[i], sizeof names[i]);
            fields[i] = below(2) == 0 ? troupe_text(names[i], texts[i])
                                      : troupe_real(names[i], (double)(int64_t)tr_random_next(&source));
        }
        struct tr_log_record record = record_of(texts[0], fields, below(5));
        record.path = names[0];
        record.time = (int64_t)(tr_random_next(&source) >> 2);
        record.node = tr_random_next(&source);
        record.pid = -(int32_t)below(INT32_MAX);
        json(record);
        pretty(record);
    }
    print_message("%d records\n", ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_fields),
        cmocka_unit_test(a_field_of_each_kind),
        cmocka_unit_test(every_level_has_a_name),
        cmocka_unit_test(numbers_that_json_does_not_know),
        cmocka_unit_test(a_locale_with_a_comma),
        cmocka_unit_test(text_that_would_forge_a_line),
        cmocka_unit_test(controls_above_ascii),
        cmocka_unit_test(text_that_is_no_utf8),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(more_fields_than_there_may_be),
        cmocka_unit_test(every_length_at_the_edge),
        cmocka_unit_test(whatever_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
