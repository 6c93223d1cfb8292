/* OTP's cases of simple_one_for_one, here: dynamic, with real actors: same names. */
#include "lib/otp_test.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define DYNAMIC "strategy: dynamic, restarts: 2, within: 3600s, "

static void begin_two(struct otp *otp, const char *rules) {
    otp_begin(otp, rules, NULL);
    assert_int_equal(otp_start(otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    assert_int_equal(otp_start(otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    otp_expect(otp, "+/a +/b");
}

static void simple_one_for_one(void **state) {
    (void)state;
    struct otp otp;
    begin_two(&otp, DYNAMIC "child: { actor: child }");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a +/a");
    assert_string_equal(otp_counts(&otp), "2 2 0 2");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b +/b");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b gave_up/");
    otp_end(&otp);
}

/* Two are as slow as they may be; the third one is slower, and killed. */
static void simple_one_for_one_shutdown(void **state) {
    (void)state;
    struct otp otp;
    troupe_address three[3];
    otp_begin(&otp, DYNAMIC "child: { actor: child, shutdown: 2s }", NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
        troupe_test_hold(otp.kit, three[i] = otp.address);
    }
    otp_stop(&otp, "");
    otp_expect(&otp, "+/1 +/2 +/3");
    troupe_test_advance(otp.kit, TROUPE_SECOND);
    troupe_test_release(otp.kit, three[0]);
    troupe_test_release(otp.kit, three[1]);
    otp_expect(&otp, "stopped/1 stopped/2");
    troupe_test_advance(otp.kit, TROUPE_SECOND);
    otp_expect(&otp, "killed/3 stopped/");
    otp_end(&otp);
}

static void simple_one_for_one_escalation(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: dynamic, restarts: 4, within: 3600s, child: { actor: child }", NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), "fail again"), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a +/b failed/a +/a failed/a +/a failed/a +/a failed/a +/a failed/a stopped/b gave_up/");
    otp_end(&otp);
}

/* The first end of a temporary child changes nothing for those that come after it: what they are started with is not
 * kept. In bytes of malloc, which sanitizers do not count. */
static void simple_one_for_one_corruption(void **state) {
    (void)state;
    enum { LARGE = 60000, TIMES = 50 };
    static char mood[LARGE];
    struct otp otp;
    memset(mood, 'x', LARGE - 1);
    otp_begin(&otp, DYNAMIC "child: { actor: child, restart: temporary }", NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a");
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < TIMES; i++) assert_int_equal(otp_start(&otp, NULL, mood), TROUPE_OK);
    assert_true(mallinfo2().uordblks < before + TIMES * LARGE / 10);
    otp_end(&otp);
}

/* Started again, it has nothing to do any more: that is its end, and no failure. */
static void simple_one_for_one_restart_ignore(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC "child: { actor: child, restart: transient }", NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), "ignore again"), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a +/a done/a");
    assert_string_equal(otp_counts(&otp), "0 0 0 0");
    assert_true(otp_lives(&otp, ""));
    otp_end(&otp);
}

static void hanging_restart_loop_simple(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: dynamic, restarts: 8, within: 10s, backoff: { initial: 2s, factor: 100 }, "
                    "child: { actor: child, shutdown: kill }", NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a");
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_INVALID);
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_INVALID);
    assert_string_equal(otp_which(&otp), "a:waiting");
    assert_string_equal(otp_counts(&otp), "1 0 0 1");
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "+/b failed/b");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/");
    otp_end(&otp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_one_for_one),
        cmocka_unit_test(simple_one_for_one_shutdown),
        cmocka_unit_test(simple_one_for_one_escalation),
        cmocka_unit_test(simple_one_for_one_corruption),
        cmocka_unit_test(simple_one_for_one_restart_ignore),
        cmocka_unit_test(hanging_restart_loop_simple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
