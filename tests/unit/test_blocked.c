/* What is said about a handler that does not return, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/blocked.h"

enum { LIMIT = 100 };

static struct tr_blocked_news look(struct tr_blocked *blocked, uint32_t serial, uint64_t type, int64_t now) {
    return tr_blocked_look(blocked, (struct tr_sight){ serial, type, 7 }, now, LIMIT);
}

static void expect(struct tr_blocked_news news, enum tr_blocked_kind kind, uint32_t serial, int64_t lasted) {
    assert_int_equal(news.kind, kind);
    if (kind == TR_BLOCKED_NOTHING) return;
    assert_int_equal(news.what.serial, serial);
    assert_int_equal(news.what.cell, 7);
    assert_int_equal(news.lasted, lasted);
}

static void nothing_is_said_of_those_who_return(void **state) {
    struct tr_blocked blocked = { .told = false };
    (void)state;
    for (uint32_t i = 1; i < 1000; i++)
        expect(look(&blocked, i / 9, 1 + i % 2, i * 10), TR_BLOCKED_NOTHING, 0, 0);
}

static void nothing_is_said_of_those_who_handle_nothing(void **state) {
    struct tr_blocked blocked = { .told = false };
    (void)state;
    expect(look(&blocked, 0, 0, 10), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 0, 0, 100000), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 1, 3, 100010), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 1, 0, 200000), TR_BLOCKED_NOTHING, 0, 0);
}

static void it_is_reported_at_the_limit_and_when_the_time_has_doubled(void **state) {
    struct tr_blocked blocked = { .told = false };
    (void)state;
    expect(look(&blocked, 5, 1, 1000), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 1099), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 1100), TR_BLOCKED_FIRST, 5, 100);
    expect(look(&blocked, 5, 1, 1110), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 1199), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 1200), TR_BLOCKED_AGAIN, 5, 200);
    expect(look(&blocked, 5, 1, 1399), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 1405), TR_BLOCKED_AGAIN, 5, 405);
    expect(look(&blocked, 6, 1, 1420), TR_BLOCKED_OVER, 5, 420);
    expect(look(&blocked, 6, 1, 1510), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 6, 1, 1520), TR_BLOCKED_FIRST, 6, 100);
    expect(look(&blocked, 6, 0, 1530), TR_BLOCKED_OVER, 6, 110);
    expect(look(&blocked, 6, 0, 1540), TR_BLOCKED_NOTHING, 0, 0);
}

/* The machine slept: one report, and the next when it is twice as much. */
static void a_leap_in_time_is_reported_once(void **state) {
    struct tr_blocked blocked = { .told = false };
    (void)state;
    expect(look(&blocked, 5, 1, 0), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 3300), TR_BLOCKED_FIRST, 5, 3300);
    expect(look(&blocked, 5, 1, 6399), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, 5, 1, 6400), TR_BLOCKED_AGAIN, 5, 6400);
}

static void serials_may_wrap_around(void **state) {
    struct tr_blocked blocked = { .told = false };
    (void)state;
    expect(look(&blocked, UINT32_MAX, 1, 0), TR_BLOCKED_NOTHING, 0, 0);
    expect(look(&blocked, UINT32_MAX, 1, 100), TR_BLOCKED_FIRST, UINT32_MAX, 100);
    expect(look(&blocked, 0, 1, 110), TR_BLOCKED_OVER, UINT32_MAX, 110);
}

static void never_is_never(void **state) {
    struct tr_blocked blocked = { .told = false };
    struct tr_sight sight = { 5, 1, 7 };
    (void)state;
    assert_int_equal(tr_blocked_look(&blocked, sight, 0, INT64_MAX).kind, TR_BLOCKED_NOTHING);
    assert_int_equal(tr_blocked_look(&blocked, sight, INT64_MAX - 1, INT64_MAX).kind, TR_BLOCKED_NOTHING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_those_who_return),
        cmocka_unit_test(nothing_is_said_of_those_who_handle_nothing),
        cmocka_unit_test(it_is_reported_at_the_limit_and_when_the_time_has_doubled),
        cmocka_unit_test(a_leap_in_time_is_reported_once),
        cmocka_unit_test(serials_may_wrap_around),
        cmocka_unit_test(never_is_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
