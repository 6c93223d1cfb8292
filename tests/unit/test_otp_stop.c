/* OTP's cases of stopping, with real actors: same names. One that is held does not stop (troupe_test_hold). */
#include "lib/otp_test.h"

#include <stdio.h>

#define RULES "strategy: one_for_one, restarts: 2, within: 3600s"
#define DYNAMIC "strategy: dynamic, restarts: 2, within: 3600s"

static troupe_address start(struct otp *otp, const struct troupe_child_options *options) {
    assert_int_equal(otp_start(otp, options, ""), TROUPE_OK);
    return otp->address;
}

/* It has all the time it wants. */
static void sup_stop_infinity(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "{ name: x, children: [] }");
    troupe_address a = start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_INFINITY));
    troupe_test_hold(otp.kit, a);
    otp_stop(&otp, "");
    otp_expect(&otp, "+/a");
    troupe_test_advance(otp.kit, 3600 * TROUPE_SECOND);
    otp_expect(&otp, "");
    troupe_test_release(otp.kit, a);
    otp_expect(&otp, "stopped/a stopped/x stopped/");
    otp_end(&otp);
}

static void sup_stop_timeout(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_SECOND));
    troupe_test_hold(otp.kit, start(&otp, OTP_CHILD(.name = "b", .shutdown = TROUPE_SECOND)));
    otp_stop(&otp, "");
    otp_expect(&otp, "+/a +/b");
    troupe_test_advance(otp.kit, 999 * TROUPE_MILLISECOND);
    otp_expect(&otp, "");
    troupe_test_advance(otp.kit, TROUPE_MILLISECOND);
    otp_expect(&otp, "killed/b stopped/a stopped/");
    otp_end(&otp);
}

static void sup_stop_timeout_dynamic(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary, shutdown: 1s }", NULL);
    start(&otp, OTP_CHILD(.name = "a"));
    troupe_test_hold(otp.kit, start(&otp, OTP_CHILD(.name = "b")));
    start(&otp, OTP_CHILD(.name = "c"));
    otp_stop(&otp, "");
    otp_expect(&otp, "+/a +/b +/c stopped/a stopped/c");
    troupe_test_advance(otp.kit, TROUPE_SECOND);
    otp_expect(&otp, "killed/b stopped/");
    otp_end(&otp);
}

static void sup_stop_brutal_kill(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_SECOND));
    start(&otp, OTP_CHILD(.name = "b", .shutdown = TROUPE_KILL));
    otp_stop(&otp, "");
    otp_expect(&otp, "+/a +/b killed/b stopped/a stopped/");
    otp_end(&otp);
}

static void sup_stop_brutal_kill_dynamic(void **state) {
    (void)state;
    struct otp otp;
    troupe_address ten[10];
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary, shutdown: kill }", NULL);
    for (int i = 0; i < 10; i++) ten[i] = start(&otp, NULL);
    otp_stop(&otp, "");
    (void)troupe_test_life(otp.kit);
    for (int i = 0; i < 10; i++) assert_false(troupe_test_lives(otp.kit, ten[i]));
    assert_false(otp_lives(&otp, ""));
    assert_int_equal(troupe_test_expect_death(otp.kit, "/s/10")->kind, TROUPE_DEATH_KILLED);
    otp_end(&otp);
}

/* The last child is slow to stop; meanwhile the others end by themselves, each kind in each way. */
static void sup_stop_race(void **state) {
    (void)state;
    static const char *const names[3][3] = { { "a", "b", "c" }, { "d", "e", "f" }, { "g", "h", "i" } };
    troupe_address nine[3][3];
    struct otp otp;
    otp_begin(&otp, RULES, "");
    for (int kind = 0; kind < 3; kind++)
        for (int way = 0; way < 3; way++)
            nine[kind][way] = start(&otp, OTP_CHILD(.name = names[kind][way], .restart = (enum troupe_restart)kind));
    troupe_address z = start(&otp, OTP_CHILD(.name = "z", .restart = TROUPE_TEMPORARY, .shutdown = 2 * TROUPE_SECOND));
    (void)troupe_test_life(otp.kit);
    troupe_test_hold(otp.kit, z);
    otp_stop(&otp, "");
    troupe_test_run(otp.kit);
    for (int kind = 0; kind < 3; kind++) {
        assert_int_equal(troupe_send(otp.self, nine[kind][0], tell, .what = "done"), TROUPE_OK);
        assert_int_equal(troupe_send(otp.self, nine[kind][1], tell, .what = "die"), TROUPE_OK);
        assert_int_equal(troupe_stop_actor(otp.self, nine[kind][2]), TROUPE_OK);
    }
    otp_expect(&otp, "done/a failed/b stopped/c done/d failed/e stopped/f done/g failed/h stopped/i");
    troupe_test_release(otp.kit, z);
    otp_expect(&otp, "stopped/z stopped/");
    otp_end(&otp);
}

/* Told to stop, they fail instead: for whoever waits for their end, they have ended. */
static void sup_stop_non_shutdown_exit_dynamic(void **state) {
    (void)state;
    static const char *const kinds[] = { "temporary", "transient", "permanent" };
    for (int i = 0; i < 3; i++) {
        char rules[160];
        struct otp otp;
        snprintf(rules, sizeof rules, DYNAMIC ", child: { actor: child, restart: %s }", kinds[i]);
        otp_begin(&otp, rules, NULL);
        troupe_address a = start(&otp, OTP_CHILD(.name = "a")), b = start(&otp, OTP_CHILD(.name = "b"));
        troupe_test_hold(otp.kit, a);
        troupe_test_hold(otp.kit, b);
        otp_stop(&otp, "");
        otp_expect(&otp, "+/a +/b");
        troupe_test_crash(otp.kit, a, "it does not want to");
        otp_expect(&otp, "failed/a");
        troupe_test_release(otp.kit, b);
        otp_expect(&otp, "stopped/b stopped/");
        otp_end(&otp);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sup_stop_infinity),
        cmocka_unit_test(sup_stop_timeout),
        cmocka_unit_test(sup_stop_timeout_dynamic),
        cmocka_unit_test(sup_stop_brutal_kill),
        cmocka_unit_test(sup_stop_brutal_kill_dynamic),
        cmocka_unit_test(sup_stop_race),
        cmocka_unit_test(sup_stop_non_shutdown_exit_dynamic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
