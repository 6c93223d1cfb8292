/* OTP's cases of strategies, escalation and trees, with real actors: same names. */
#include "lib/otp_test.h"

#include <stdio.h>

static void begin(struct otp *otp, const char *strategy, uint32_t restarts, const char *children) {
    char rules[128];
    snprintf(rules, sizeof rules, "strategy: %s, restarts: %u, within: 3600s", strategy, restarts);
    otp_begin(otp, rules, children);
}

static const char two[] = "{ name: a, actor: child }, { name: b, actor: child }";
static const char three[] = "{ name: a, actor: child }, { name: b, actor: child }, { name: c, actor: child }";

/* Two restarts are allowed, of whomever. */
static void one_for_one(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_one", 2, two);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a +/a");
    assert_string_equal(otp_counts(&otp), "2 2 0 2");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b +/b");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b gave_up/");
    otp_end(&otp);
}

/* One that does not begin again is tried as often as is allowed. */
static void one_for_one_escalation(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_one", 4, "{ name: a, actor: child, args: { mood: fail again } }, { name: b, actor: child }");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a +/a failed/a +/a failed/a +/a failed/a +/a failed/a stopped/b gave_up/");
    otp_end(&otp);
}

static void one_for_all(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_all", 2, two);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b +/a +/b");
    assert_string_equal(otp_counts(&otp), "2 2 0 2");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/a +/a +/b");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/a gave_up/");
    otp_end(&otp);
}

static void one_for_all_escalation(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_all", 1, "{ name: a, actor: child }, { name: b, actor: child, args: { mood: fail again } }");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b +/a +/b failed/b stopped/a gave_up/");
    otp_end(&otp);
}

/* Whoever was started again already is stopped when the next one fails to begin. */
static void one_for_all_other_child_fails_restart(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_all", 3, two);
    troupe_test_fail_starts(otp.kit, "/s/b", 1, "not this time");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b +/a +/b failed/b stopped/a +/a +/b");
    otp_end(&otp);
}

static void rest_for_one(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "rest_for_one", 2, three);
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/c +/b +/c");
    assert_string_equal(otp_counts(&otp), "3 3 0 3");
    otp_tell(&otp, "c", "die");
    otp_expect(&otp, "failed/c +/c");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/c stopped/a gave_up/");
    otp_end(&otp);
}

static void rest_for_one_escalation(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "rest_for_one", 1, "{ name: a, actor: child }, { name: b, actor: child, args: { mood: fail again } }");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b +/a +/b failed/b stopped/a gave_up/");
    otp_end(&otp);
}

/* Whoever is at its left runs on. */
static void rest_for_one_other_child_fails_restart(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "rest_for_one", 3, two);
    troupe_test_fail_starts(otp.kit, "/s/b", 1, "not this time");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b +/a +/b failed/b +/b");
    otp_end(&otp);
}

/* ---- A restart that hangs: with a backoff ---- */

static void hanging_restart_loop(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: one_for_one, restarts: 8, within: 10s, backoff: { initial: 2s, factor: 100 }", "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_KILL), ""), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_EXISTS);
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_BUSY);
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_BUSY);
    assert_string_equal(otp_which(&otp), "a:waiting");
    assert_string_equal(otp_counts(&otp), "1 0 0 1");
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:resting");
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/");
    troupe_test_advance(otp.kit, 10 * TROUPE_SECOND);
    otp_expect(&otp, "");
    otp_end(&otp);
}

static void hanging_restart_loop_rest_for_one(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: rest_for_one, restarts: 8, within: 10s, backoff: { initial: 2s, factor: 100 }", three);
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/c");
    assert_int_equal(otp_restart(&otp, "b"), TROUPE_BUSY);
    assert_int_equal(otp_delete(&otp, "b"), TROUPE_BUSY);
    assert_string_equal(otp_counts(&otp), "3 1 0 3");
    assert_int_equal(otp_terminate(&otp, "b"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:running b:resting c:resting");
    assert_int_equal(otp_restart(&otp, "b"), TROUPE_OK);
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "+/b failed/b");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/a stopped/");
    otp_end(&otp);
}

/* ---- Trees ---- */

/* The child says nothing of its end: the supervisor takes in what it is asked, and kills when it is time. */
static void child_unlink(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "one_for_one", 2, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_SECOND), ""), TROUPE_OK);
    troupe_test_hold(otp.kit, otp.address);
    assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_terminate_child, TROUPE_MINUTE, .name = "a"),
                     TROUPE_OK);
    troupe_test_expect_nothing(otp.kit);
    assert_string_equal(otp_which(&otp), "a:stopping");
    troupe_test_advance(otp.kit, 1001 * TROUPE_MILLISECOND);
    assert_int_equal(otp_reply(&otp), TROUPE_OK);
    otp_expect(&otp, "+/a killed/a");
    otp_end(&otp);
}

/* Supervisors below a supervisor: who dies alone is restarted alone; a supervisor that gives up takes its siblings
 * with it, and what code had added to it does not come again. */
static void tree(void **state) {
    (void)state;
    static const char below[] = "{ name: x, strategy: one_for_one, restarts: 4, within: 3600s, children: [ { name: a, "
                                "actor: child }, { name: b, actor: child } ] }, { name: y, strategy: one_for_one, "
                                "restarts: 4, within: 3600s, children: [] }, "
                                "{ name: z, restart: transient, children: [] }";
    struct otp otp, inner;
    begin(&otp, "one_for_all", 4, below);
    assert_int_equal(otp_terminate(&otp, "z"), TROUPE_OK);
    assert_string_equal(otp_counts(&otp), "3 2 3 0");
    inner = otp;
    inner.supervisor = troupe_test_lookup(otp.kit, "/s/y");
    assert_string_equal(otp_counts(&inner), "0 0 0 0");
    assert_int_equal(otp_start(&inner, OTP_CHILD(.name = "c"), "fail again"), TROUPE_OK);
    assert_int_equal(otp_start(&inner, OTP_CHILD(.name = "d"), ""), TROUPE_OK);
    otp_expect(&otp, "stopped/z +/y/c +/y/d");
    otp_tell(&inner, "d", "die");
    otp_expect(&otp, "failed/y/d +/y/d");
    otp_tell(&inner, "c", "die"); /* one restart is counted already */
    otp_expect(&otp, "failed/y/c +/y/c failed/y/c +/y/c failed/y/c +/y/c failed/y/c stopped/y/d gave_up/y "
                     "stopped/x/b stopped/x/a stopped/x +/x +/x/a +/x/b +/y +/z");
    assert_string_equal(otp_counts(&otp), "3 3 3 0");
    assert_string_equal(otp_counts(&inner), "0 0 0 0");
    otp_end(&otp);
}

/* A supervisor that is killed is started again by its own, with its children, and their names. */
static void simple_global_supervisor(void **state) {
    (void)state;
    static const char below[] = "{ name: x, strategy: one_for_all, restarts: 3, within: 60s, children: [ { name: a, "
                                "actor: child } ] }";
    struct otp otp, inner;
    begin(&otp, "one_for_all", 3, below);
    inner = otp;
    inner.supervisor = troupe_test_lookup(otp.kit, "/s/x");
    troupe_address a = troupe_test_lookup(otp.kit, "/s/x/a");
    troupe_test_kill(otp.kit, inner.supervisor);
    otp_expect(&otp, "killed/x killed/x/a +/x +/x/a");
    troupe_test_kill(otp.kit, a);
    otp_expect(&otp, "killed/x/a +/x/a");
    assert_int_equal(troupe_send(otp.self, a, tell, .what = "die"), TROUPE_OK);
    otp_expect(&otp, "failed/x/a +/x/a");
    assert_int_equal(otp_terminate(&inner, "a"), TROUPE_OK);
    assert_int_equal(otp_restart(&inner, "a"), TROUPE_OK);
    otp_expect(&otp, "stopped/x/a +/x/a");
    assert_true(troupe_test_lives(otp.kit, troupe_test_lookup(otp.kit, "/s/x/a")));
    otp_end(&otp);
}

/* Each is started to the right of the others, and keeps its place when it is started again. */
static void order_of_children(void **state) {
    (void)state;
    struct otp otp;
    begin(&otp, "rest_for_one", 2, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "c"), ""), TROUPE_OK);
    otp_expect(&otp, "+/b +/a +/c");
    assert_string_equal(otp_which(&otp), "b:running a:running c:running");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/c +/a +/c");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/c stopped/a +/b +/a +/c");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/c stopped/a stopped/b stopped/");
    otp_end(&otp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_for_one),
        cmocka_unit_test(one_for_one_escalation),
        cmocka_unit_test(one_for_all),
        cmocka_unit_test(one_for_all_escalation),
        cmocka_unit_test(one_for_all_other_child_fails_restart),
        cmocka_unit_test(rest_for_one),
        cmocka_unit_test(rest_for_one_escalation),
        cmocka_unit_test(rest_for_one_other_child_fails_restart),
        cmocka_unit_test(hanging_restart_loop),
        cmocka_unit_test(hanging_restart_loop_rest_for_one),
        cmocka_unit_test(child_unlink),
        cmocka_unit_test(tree),
        cmocka_unit_test(simple_global_supervisor),
        cmocka_unit_test(order_of_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
