/* Supervisors and time, to the millisecond: backoff, the deadline for being ready, the time in which restarts count,
 * and what is asked meanwhile. Real actors in virtual time. */
#include "lib/otp_test.h"

#include <stdio.h>

#define MS TROUPE_MILLISECOND

static void pass(struct otp *otp, int64_t milliseconds) { troupe_test_advance(otp->kit, milliseconds * MS); }

/* Nothing happens until then, and then this. */
#define expect_after(otp, milliseconds, life)                                                      \
    do {                                                                                           \
        pass((otp), (milliseconds) - 1);                                                           \
        otp_expect((otp), "");                                                                     \
        pass((otp), 1);                                                                            \
        otp_expect((otp), (life));                                                                 \
    } while (0)

/* ---- Backoff ---- */

static void waits_grow_to_a_maximum_and_begin_anew(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 100, within: 1h, backoff: { initial: 100ms, factor: 200, maximum: 350ms, reset: 10s }",
              "{ name: a, actor: child }");
    static const int64_t waits[] = { 100, 200, 350, 350 };
    for (int i = 0; i < 4; i++) {
        otp_tell(&otp, "a", "die");
        otp_expect(&otp, "failed/a");
        expect_after(&otp, waits[i], "+/a");
    }
    pass(&otp, 9999);
    otp_tell(&otp, "a", "die"); /* it has not run for so long */
    otp_expect(&otp, "failed/a");
    expect_after(&otp, 350, "+/a");
    pass(&otp, 10000);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a");
    expect_after(&otp, 100, "+/a");
    otp_end(&otp);
}

/* Those that go down with it wait, too, and messages for all of them. Each child has its own row of waits. */
static void a_group_waits_as_one(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: one_for_all, restarts: 3, within: 1h, backoff: { initial: 1s }",
              "{ name: a, actor: child }, { name: b, actor: child, mailbox: keep }");
    troupe_address b = otp_address(&otp, "b");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b");
    assert_int_equal(troupe_send(otp.self, b, tell, .what = "done"), TROUPE_OK);
    expect_after(&otp, 1000, "+/a +/b done/b stopped/a"); /* a permanent one that is done is started again */
    expect_after(&otp, 1000, "+/a +/b");
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "failed/a stopped/b");
    expect_after(&otp, 2000, "+/a +/b");
    otp_end(&otp);
}

static void a_wait_counts_from_the_failure_on(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1, within: 2s, backoff: { initial: 1500ms, factor: 100 }", "{ name: a, actor: child }");
    for (int i = 0; i < 3; i++) {
        otp_tell(&otp, "a", "die");
        otp_expect(&otp, "failed/a");
        expect_after(&otp, 1500, "+/a");
        pass(&otp, 501); /* 2001 ms after the failure */
    }
    otp_end(&otp);
}

/* ---- Being ready ---- */

static void who_is_not_ready_in_time_has_not_started(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1, within: 1h", "");
    otp_ask_start(&otp, OTP_CHILD(.name = "a", .ready = 300 * MS), "later");
    otp_expect(&otp, "+/a");
    assert_string_equal(otp_which(&otp), "a:starting");
    expect_after(&otp, 300, "killed/a");
    assert_int_equal(otp_reply(&otp), TROUPE_FAILED);
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

static void who_says_so_in_time_has(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1, within: 1h", "");
    otp_ask_start(&otp, OTP_CHILD(.name = "a", .ready = 300 * MS), "later");
    pass(&otp, 299);
    troupe_test_expect_nothing(otp.kit);
    otp_tell(&otp, "a", "ready");
    assert_int_equal(otp_reply(&otp), TROUPE_OK);
    pass(&otp, 5000);
    otp_expect(&otp, "+/a");
    otp_end(&otp);
}

/* The next child begins only then; each start that fails so counts as a restart. */
static void those_behind_it_wait(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: one_for_all, restarts: 2, within: 1h",
              "{ name: a, actor: child, ready: 1s, args: { mood: later } }, { name: b, actor: child }");
    otp_expect(&otp, "");
    otp_tell(&otp, "a", "ready");
    otp_expect(&otp, "+/b");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/a +/a");
    expect_after(&otp, 1000, "killed/a +/a"); /* two are counted now */
    otp_tell(&otp, "a", "ready");
    otp_expect(&otp, "+/b");
    otp_tell(&otp, "b", "die");
    otp_expect(&otp, "failed/b stopped/a gave_up/");
    otp_end(&otp);
}

/* One that hangs in its first start is no reason not to stop. */
static void a_start_that_hangs_can_be_stopped(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1, within: 1h", "{ name: a, actor: child }");
    otp_ask_start(&otp, OTP_CHILD(.name = "b"), "later");
    otp_expect(&otp, "+/b");
    assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_terminate_child, TROUPE_SECOND, .name = "b"),
                     TROUPE_OK);
    otp_expect(&otp, "stopped/b");
    assert_int_equal(otp_reply(&otp), TROUPE_FAILED); /* to whoever wanted it to start */
    assert_int_equal(otp_reply(&otp), TROUPE_OK);     /* to whoever wanted it to stop */
    otp_ask_start(&otp, OTP_CHILD(.name = "c"), "later");
    otp_expect(&otp, "+/c");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/c stopped/a stopped/");
    otp_end(&otp);
}

/* ---- How often ---- */

/* The restart at the beginning of the time counts, at its very end, too; a moment later it does not. */
static void the_time_has_both_its_ends(void **state) {
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct otp otp;
        otp_begin(&otp, "restarts: 1, within: 5s", "{ name: a, actor: child }");
        otp_tell(&otp, "a", "die");
        otp_expect(&otp, "failed/a +/a");
        pass(&otp, 5000 + late);
        otp_tell(&otp, "a", "die");
        otp_expect(&otp, late == 1 ? "failed/a +/a" : "failed/a gave_up/");
        otp_end(&otp);
    }
}

static void none_allowed_is_none(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 0", "{ name: a, actor: child }, { name: b, actor: child, restart: transient }");
    otp_tell(&otp, "b", "done");
    otp_expect(&otp, "done/b");
    otp_tell(&otp, "a", "done"); /* permanent: that would be a restart */
    otp_expect(&otp, "done/a gave_up/");
    otp_end(&otp);
}

/* ---- Who is asked, and is no more ---- */

static void asks_end_with_the_supervisor(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1", "");
    otp_ask_start(&otp, OTP_CHILD(.name = "a"), "later");
    otp_expect(&otp, "+/a");
    troupe_test_crash(otp.kit, otp.supervisor, "x");
    troupe_test_expect_outcome(otp.kit, TROUPE_DIED);
    otp_expect(&otp, "failed/ killed/a");
    otp_end(&otp);
}

/* One that rested is told to start, and to stop before it has begun: by a supervisor that ends, and by request. */
static void an_order_to_stop_finds_who_is_about_to_begin(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1", "{ name: a, actor: child, shutdown: infinity }");
    troupe_address a = otp_address(&otp, "a");
    for (uint64_t seed = 0; seed < 2; seed++) {
        assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
        assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_restart_child, TROUPE_SECOND, .name = "a"),
                         TROUPE_OK);
        if (seed == 0) {
            troupe_test_hold(otp.kit, otp.supervisor); /* so that it handles both at once */
            assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_terminate_child, TROUPE_SECOND, .name = "a"),
                             TROUPE_OK);
            troupe_test_run(otp.kit);
            troupe_test_release(otp.kit, otp.supervisor);
            (void)otp_reply(&otp);
            assert_int_equal(otp_reply(&otp), TROUPE_OK);
        } else {
            troupe_test_crash(otp.kit, otp.supervisor, "x");
        }
        troupe_test_run(otp.kit);
        assert_false(troupe_test_lives(otp.kit, a));
    }
    otp_expect(&otp, "stopped/a +/a stopped/a failed/ +/a killed/a");
    otp_end(&otp);
}

static void who_is_no_supervisor_does_not_answer(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 1", "{ name: a, actor: child }");
    assert_int_equal(troupe_ask_empty(otp.self, otp_address(&otp, "a"), troupe_count_children, TROUPE_SECOND),
                     TROUPE_UNHANDLED);
    otp_end(&otp);
}

/* An address is that of the place: it does not change while its supervisor has the child. */
static void what_waits_is_for_the_next_run(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "restarts: 5, backoff: { initial: 1s, factor: 100 }", "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TRANSIENT), ""), TROUPE_OK);
    troupe_address a = otp.address;
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "+/a failed/a");
    assert_int_equal(troupe_send(otp.self, a, tell, .what = "done"), TROUPE_OK);
    expect_after(&otp, 1000, "+/a done/a");
    assert_int_equal(troupe_send(otp.self, a, tell, .what = "done"), TROUPE_GONE);
    otp_end(&otp);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_to_a_maximum_and_begin_anew),
        cmocka_unit_test(a_group_waits_as_one),
        cmocka_unit_test(a_wait_counts_from_the_failure_on),
        cmocka_unit_test(who_is_not_ready_in_time_has_not_started),
        cmocka_unit_test(who_says_so_in_time_has),
        cmocka_unit_test(those_behind_it_wait),
        cmocka_unit_test(a_start_that_hangs_can_be_stopped),
        cmocka_unit_test(the_time_has_both_its_ends),
        cmocka_unit_test(none_allowed_is_none),
        cmocka_unit_test(asks_end_with_the_supervisor),
        cmocka_unit_test(an_order_to_stop_finds_who_is_about_to_begin),
        cmocka_unit_test(who_is_no_supervisor_does_not_answer),
        cmocka_unit_test(what_waits_is_for_the_next_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
