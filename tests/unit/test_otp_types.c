/* OTP's cases of restart types, with real actors: same names. */
#include "lib/otp_test.h"

#define RULES "strategy: one_for_one, restarts: 2, within: 3600s"

/* The only child ends; what becomes of it, and what the supervisor has then. */
static void check(enum troupe_restart restart, const char *how, const char *life, const char *which) {
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = restart), ""), TROUPE_OK);
    otp_expect(&otp, "+/a");
    if (how[0] == 's') otp_stop(&otp, "a");
    else if (how[0] == 'k') otp_kill(&otp, "a");
    else otp_tell(&otp, "a", how);
    otp_expect(&otp, life);
    assert_string_equal(otp_which(&otp), which);
    otp_end(&otp);
}

static void permanent_normal(void **state) {
    (void)state;
    check(TROUPE_PERMANENT, "done", "done/a +/a", "a:running");
}

static void transient_normal(void **state) {
    (void)state;
    check(TROUPE_TRANSIENT, "done", "done/a", "a:resting");
}

static void temporary_normal(void **state) {
    (void)state;
    check(TROUPE_TEMPORARY, "done", "done/a", "");
}

static void permanent_shutdown(void **state) {
    (void)state;
    check(TROUPE_PERMANENT, "stop", "stopped/a +/a", "a:running");
}

/* It may be started again by hand, and then it is as before. */
static void transient_shutdown(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TRANSIENT), ""), TROUPE_OK);
    otp_stop(&otp, "a");
    otp_expect(&otp, "+/a stopped/a");
    assert_string_equal(otp_counts(&otp), "1 0 0 1");
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    otp_stop(&otp, "a");
    otp_expect(&otp, "+/a stopped/a");
    assert_string_equal(otp_which(&otp), "a:resting");
    otp_end(&otp);
}

/* Nothing is left of it: one of the same name may be started. */
static void temporary_shutdown(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TEMPORARY), ""), TROUPE_OK);
        otp_stop(&otp, "a");
        otp_expect(&otp, "+/a stopped/a");
        assert_string_equal(otp_counts(&otp), "0 0 0 0");
    }
    otp_end(&otp);
}

static void permanent_abnormal(void **state) {
    (void)state;
    check(TROUPE_PERMANENT, "die", "failed/a +/a", "a:running");
}

static void transient_abnormal(void **state) {
    (void)state;
    check(TROUPE_TRANSIENT, "die", "failed/a +/a", "a:running");
    check(TROUPE_TRANSIENT, "kill", "killed/a +/a", "a:running");
}

static void temporary_abnormal(void **state) {
    (void)state;
    check(TROUPE_TEMPORARY, "die", "failed/a", "");
    check(TROUPE_TEMPORARY, "kill", "killed/a", "");
}

/* A temporary child goes down with its siblings, and does not come back. */
static void temporary_bystander(void **state) {
    (void)state;
    static const char *const rules[] = { "strategy: one_for_all, restarts: 2, within: 300s",
                                         "strategy: rest_for_one, restarts: 2, within: 300s" };
    for (int i = 0; i < 2; i++) {
        struct otp otp;
        otp_begin(&otp, rules[i], "");
        assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
        assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b", .restart = TROUPE_TEMPORARY), ""), TROUPE_OK);
        otp_tell(&otp, "a", "done");
        otp_expect(&otp, "+/a +/b done/a stopped/b +/a");
        assert_string_equal(otp_which(&otp), "a:running");
        otp_end(&otp);
    }
}

/* Never more than one restart in the time that is allowed for it. */
static void multiple_restarts(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: one_for_one, restarts: 1, within: 1s", "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .shutdown = TROUPE_KILL), ""), TROUPE_OK);
    otp_expect(&otp, "+/a");
    for (int i = 0; i < 4; i++) {
        otp_tell(&otp, "a", "die");
        otp_expect(&otp, "failed/a +/a");
        troupe_test_advance(otp.kit, 1001 * TROUPE_MILLISECOND);
    }
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_OK);
    otp_expect(&otp, "killed/a");
    otp_end(&otp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permanent_normal),    cmocka_unit_test(transient_normal),
        cmocka_unit_test(temporary_normal),    cmocka_unit_test(permanent_shutdown),
        cmocka_unit_test(transient_shutdown),  cmocka_unit_test(temporary_shutdown),
        cmocka_unit_test(permanent_abnormal),  cmocka_unit_test(transient_abnormal),
        cmocka_unit_test(temporary_abnormal),  cmocka_unit_test(temporary_bystander),
        cmocka_unit_test(multiple_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
