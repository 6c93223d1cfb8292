/* OTP's cases of significant children and auto_shutdown, with real actors: same names. */
#include "lib/otp_test.h"

#include <stdio.h>
#include <string.h>

static const char *const modes[] = { "never", "any_significant", "all_significant" };

static void begin(struct otp *otp, const char *strategy, const char *mode) {
    char rules[160];
    snprintf(rules, sizeof rules, "strategy: %s, restarts: 5, auto_shutdown: %s", strategy, mode);
    otp_begin(otp, rules, "");
}

static void start(struct otp *otp, const char *name, enum troupe_restart restart, bool significant) {
    assert_int_equal(otp_start(otp, OTP_CHILD(.name = name, .restart = restart, .significant = significant), ""),
                     TROUPE_OK);
}

static void end_child(struct otp *otp, const char *name, const char *how) {
    if (strcmp(how, "supervisor") == 0) assert_int_equal(otp_terminate(otp, name), TROUPE_OK);
    else if (strcmp(how, "kill") == 0) otp_kill(otp, name);
    else otp_tell(otp, name, how);
}

static void nonsignificant_temporary(void **state) {
    (void)state;
    static const char *const ways[] = { "supervisor", "kill", "die", "done" };
    for (int m = 0; m < 3; m++) {
        struct otp otp;
        begin(&otp, "one_for_one", modes[m]);
        for (int w = 0; w < 4; w++) {
            start(&otp, "a", TROUPE_TEMPORARY, false);
            end_child(&otp, "a", ways[w]);
            troupe_test_run(otp.kit);
            assert_true(otp_lives(&otp, ""));
        }
        otp_expect(&otp, "+/a stopped/a +/a killed/a +/a failed/a +/a done/a");
        otp_end(&otp);
    }
}

static void nonsignificant_transient(void **state) {
    (void)state;
    for (int m = 0; m < 3; m++) {
        struct otp otp;
        begin(&otp, "one_for_one", modes[m]);
        start(&otp, "a", TROUPE_TRANSIENT, false);
        end_child(&otp, "a", "supervisor");
        assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
        end_child(&otp, "a", "kill");
        otp_expect(&otp, "+/a stopped/a +/a killed/a +/a");
        end_child(&otp, "a", "die");
        otp_expect(&otp, "failed/a +/a");
        end_child(&otp, "a", "done");
        otp_expect(&otp, "done/a");
        assert_true(otp_lives(&otp, ""));
        otp_end(&otp);
    }
}

/* a and b are significant, c is not. */
static void begin_three(struct otp *otp, const char *mode, enum troupe_restart restart) {
    begin(otp, "one_for_one", mode);
    start(otp, "a", restart, true);
    start(otp, "b", restart, true);
    start(otp, "c", restart, false);
    otp_expect(otp, "+/a +/b +/c");
}

static void significant_temporary(void **state) {
    (void)state;
    static const char *const ways[] = { "kill", "die", "done" };
    static const char *const ends[] = { "killed/b stopped/a stopped/c done/", "failed/b stopped/a stopped/c done/",
                                        "done/b stopped/a stopped/c done/" };
    struct otp otp;
    for (int w = 0; w < 3; w++) {
        begin_three(&otp, "any_significant", TROUPE_TEMPORARY);
        end_child(&otp, "a", "supervisor"); /* it has not ended by itself */
        start(&otp, "a", TROUPE_TEMPORARY, true);
        otp_expect(&otp, "stopped/a +/a");
        end_child(&otp, "b", ways[w]);
        otp_expect(&otp, ends[w]);
        otp_end(&otp);
    }
    begin_three(&otp, "all_significant", TROUPE_TEMPORARY);
    end_child(&otp, "a", "done");
    otp_expect(&otp, "done/a");
    end_child(&otp, "b", "done");
    otp_expect(&otp, "done/b stopped/c done/");
    otp_end(&otp);
}

static void significant_transient(void **state) {
    (void)state;
    struct otp otp;
    begin_three(&otp, "any_significant", TROUPE_TRANSIENT);
    end_child(&otp, "a", "supervisor");
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    otp_expect(&otp, "stopped/a +/a");
    end_child(&otp, "a", "kill");
    otp_expect(&otp, "killed/a +/a");
    end_child(&otp, "a", "die");
    otp_expect(&otp, "failed/a +/a");
    end_child(&otp, "a", "done");
    otp_expect(&otp, "done/a stopped/c stopped/b done/");
    otp_end(&otp);
    begin_three(&otp, "all_significant", TROUPE_TRANSIENT);
    end_child(&otp, "a", "done");
    otp_expect(&otp, "done/a");
    end_child(&otp, "b", "done");
    otp_expect(&otp, "done/b stopped/c done/");
    otp_end(&otp);
}

static char failure[1024];

static void note_failure(void *context, const char *file, int line, const char *text) {
    (void)context, (void)file, (void)line;
    snprintf(failure, sizeof failure, "%s", text);
}

/* Not for a dynamic supervisor: before anything runs, and when somebody asks. */
static void significant_simple(void **state) {
    (void)state;
    static const struct troupe_actor_type *const actors[] = { &child_actor, NULL };
    for (int m = 1; m < 3; m++) {
        char config[160];
        snprintf(config, sizeof config, "tree: { strategy: dynamic, auto_shutdown: %s, child: { actor: child, restart: "
                                        "transient, significant: true } }", modes[m]);
        failure[0] = '\0';
        assert_null(troupe_test_new(.actors = actors, .config = config, .fail = note_failure));
        assert_non_null(strstr(failure, "dynamic"));
    }
    struct otp otp;
    otp_begin(&otp, "strategy: dynamic, auto_shutdown: never", NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.restart = TROUPE_TRANSIENT, .significant = true), ""), TROUPE_INVALID);
    assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    otp_end(&otp);
}

/* Who goes down with a sibling has not ended by itself. */
static void significant_bystander(void **state) {
    (void)state;
    static const struct {
        const char *strategy, *life;
    } cases[] = { { "one_for_one", "killed/b +/b" },
                  { "one_for_all", "killed/b stopped/c stopped/a +/a +/b +/c" },
                  { "rest_for_one", "killed/b stopped/c +/b +/c" } };
    for (int i = 0; i < 3; i++) {
        for (int m = 1; m < 3; m++) {
            struct otp otp;
            begin(&otp, cases[i].strategy, modes[m]);
            start(&otp, "a", TROUPE_TRANSIENT, true);
            start(&otp, "b", TROUPE_TRANSIENT, false);
            start(&otp, "c", TROUPE_TRANSIENT, true);
            otp_expect(&otp, "+/a +/b +/c");
            otp_kill(&otp, "b");
            otp_expect(&otp, cases[i].life);
            otp_end(&otp);
        }
    }
}

/* The end of a supervisor whose work is done is its own end, for the one above. */
static void check_escalation(bool significant, const char *life, bool lives) {
    struct otp otp, inner;
    begin(&otp, "one_for_one", "any_significant");
    assert_int_equal(troupe_ask_start_child(otp.self, otp.supervisor, TROUPE_SECOND,
                                            OTP_CHILD(.name = "x", .restart = TROUPE_TRANSIENT,
                                                      .significant = significant),
                                            troupe_supervisor, troupe_supervise,
                                            .auto_shutdown = TROUPE_ANY_SIGNIFICANT), TROUPE_OK);
    assert_int_equal(otp_reply(&otp), TROUPE_OK);
    inner = otp;
    inner.supervisor = otp.address;
    start(&inner, "a", TROUPE_TRANSIENT, true);
    otp_expect(&otp, "+/x +/x/a");
    otp_tell(&inner, "a", "done");
    otp_expect(&otp, life);
    assert_true(otp_lives(&otp, "") == lives);
    otp_end(&otp);
}

static void significant_escalation(void **state) {
    (void)state;
    check_escalation(true, "done/x/a done/x done/", false);
    check_escalation(false, "done/x/a done/x", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsignificant_temporary),
        cmocka_unit_test(nonsignificant_transient),
        cmocka_unit_test(significant_temporary),
        cmocka_unit_test(significant_transient),
        cmocka_unit_test(significant_simple),
        cmocka_unit_test(significant_bystander),
        cmocka_unit_test(significant_escalation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
