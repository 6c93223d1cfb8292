/* The last words of a process: which lines are kept, what belongs to a crash, and that all of it is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/crash.h"
#include "place/scribe_tail.h"

static bool add(struct tr_tail *tail, const char *line) { return tr_tail_add(tail, line, strlen(line)); }

static void the_last_lines_are_kept(void **state) {
    (void)state;
    struct tr_tail tail = { .lines = 0 };
    char line[32];
    assert_true(add(&tail, "first\n"));
    assert_string_equal(tail.output, "first");
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof line, "%d\n", i);
        assert_true(add(&tail, line));
    }
    assert_string_equal(tail.output, "12\n13\n14\n15\n16\n17\n18\n19");
    assert_string_equal(tail.crash, "");
}

static void long_lines_push_others_out(void **state) {
    (void)state;
    struct tr_tail tail = { .lines = 0 };
    char line[3000];
    memset(line, 'a', sizeof line);
    add(&tail, "short\n");
    for (size_t size = 1; size < sizeof line; size += 7) {
        assert_true(tr_tail_add(&tail, line, size));
        assert_in_range(strlen(tail.output), 1, TR_TAIL_SIZE - 1);
        assert_in_range(tail.lines, 1, TR_TAIL_LINES);
    }
    assert_int_equal(tail.lines, 1);
    add(&tail, "\n");
    add(&tail, "end\n");
    assert_string_equal(tail.output, "\nend");
}

static void zero_bytes_hide_nothing(void **state) {
    (void)state;
    struct tr_tail tail = { .lines = 0 };
    assert_true(tr_tail_add(&tail, "a\0b\n", 4));
    assert_string_equal(tail.output, "a?b");
}

static void a_crash_is_kept_apart(void **state) {
    (void)state;
    struct tr_tail tail = { .lines = 0 };
    assert_true(add(&tail, "before\n"));
    assert_false(add(&tail, TR_CRASH_BEGIN "\n"));
    assert_false(add(&tail, "f\n"));
    assert_false(add(&tail, "g\n"));
    assert_false(add(&tail, TR_CRASH_END "\n"));
    assert_true(add(&tail, "after\n"));
    assert_string_equal(tail.output, "before\nafter");
    assert_string_equal(tail.crash, "f\ng");
}

/* A program may write whatever it likes. */
static void a_crash_without_end_ends(void **state) {
    (void)state;
    struct tr_tail tail = { .lines = 0 };
    char line[200];
    int swallowed = 0;
    memset(line, 'f', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int round = 0; round < 3; round++) {
        add(&tail, TR_CRASH_BEGIN "\n");
        while (!tr_tail_add(&tail, line, sizeof line)) swallowed++;
    }
    assert_int_equal(swallowed, 3 * (TR_CRASH_FRAMES + 1));
    assert_in_range(strlen(tail.crash), 1, TR_TAIL_CRASH - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_lines_are_kept),   cmocka_unit_test(long_lines_push_others_out),
        cmocka_unit_test(zero_bytes_hide_nothing),   cmocka_unit_test(a_crash_is_kept_apart),
        cmocka_unit_test(a_crash_without_end_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
