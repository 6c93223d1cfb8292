/* OTP's cases of starting and of wrong specifications, with real actors: same names. */
#include "lib/otp_test.h"

#include <stdio.h>
#include <string.h>

#define RULES "strategy: one_for_one, restarts: 2, within: 3600s"
#define DYNAMIC "strategy: dynamic, restarts: 2, within: 3600s"

static void sup_start_normal(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/");
    otp_end(&otp);
}

/* ---- Nothing to do ---- */

/* It is kept, and rests. */
static void sup_start_ignore_child(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), "ignore"), TROUPE_OK);
    assert_true(troupe_address_is_none(otp.address) && otp.state == TROUPE_CHILD_RESTING);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:resting b:running");
    assert_string_equal(otp_counts(&otp), "2 1 0 2");
    otp_end(&otp);
}

static void sup_start_ignore_temporary_child(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "{ name: a, actor: child, restart: temporary, args: { mood: ignore } }, "
                           "{ name: b, actor: child, restart: temporary }");
    assert_string_equal(otp_which(&otp), "b:running");
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    otp_end(&otp);
}

static void sup_start_ignore_temporary_child_start_child(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TEMPORARY), "ignore"), TROUPE_OK);
    assert_true(troupe_address_is_none(otp.address));
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b", .restart = TROUPE_TEMPORARY), ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "b:running");
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    otp_end(&otp);
}

static void check_dynamic_ignore(const char *rules) {
    struct otp otp;
    otp_begin(&otp, rules, NULL);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), "ignore"), TROUPE_OK);
    assert_true(troupe_address_is_none(otp.address));
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "b:running");
    otp_stop(&otp, "");
    otp_expect(&otp, "+/a done/a +/b stopped/b stopped/");
    otp_end(&otp);
}

static void sup_start_ignore_temporary_child_start_child_simple(void **state) {
    (void)state;
    check_dynamic_ignore(DYNAMIC ", child: { actor: child, restart: temporary }");
}

static void sup_start_ignore_permanent_child_start_child_simple(void **state) {
    (void)state;
    check_dynamic_ignore(DYNAMIC ", child: { actor: child }");
}

/* ---- It does not begin ---- */

/* A supervisor itself, whose description is no good. */
static void sup_start_error_return(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(troupe_ask_start_child(otp.self, otp.supervisor, TROUPE_SECOND, NULL, troupe_supervisor,
                                            troupe_supervise, .strategy = 9), TROUPE_OK);
    assert_int_equal(otp_reply(&otp), TROUPE_FAILED);
    assert_non_null(strstr(otp.why, "strategy"));
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

/* One whose first child does not begin. */
static void sup_start_fail(void **state) {
    (void)state;
    struct otp otp;
    struct troupe_child_spec below;
    otp_begin(&otp, RULES, "");
    assert_int_equal(troupe_describe_child(&below, OTP_CHILD(.name = "a"), child, mood, .mood = "fail"), TROUPE_OK);
    assert_int_equal(troupe_ask_start_child(otp.self, otp.supervisor, TROUPE_SECOND, OTP_CHILD(.name = "x"),
                                            troupe_supervisor, troupe_supervise, .children = { &below, 1 }),
                     TROUPE_OK);
    troupe_child_spec_free(&below);
    assert_int_equal(otp_reply(&otp), TROUPE_FAILED);
    assert_non_null(strstr(otp.why, "it does not begin"));
    otp_expect(&otp, "+/x +/x/a failed/x/a gave_up/x");
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

static void sup_start_child_returns_error(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), "fail"), TROUPE_FAILED);
    assert_non_null(strstr(otp.why, "it does not begin (otp_test.c:"));
    otp_expect(&otp, "+/a failed/a");
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

static void sup_start_restart_child_returns_error(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "{ name: a, actor: child }");
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    troupe_test_fail_starts(otp.kit, "/s/a", 1, "not this time");
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_FAILED);
    assert_string_equal(otp_which(&otp), "a:resting");
    otp_expect(&otp, "stopped/a +/a failed/a");
    otp_end(&otp);
}

static void sup_start_child_returns_error_simple(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child }", NULL);
    assert_int_equal(otp_start(&otp, NULL, "fail"), TROUPE_FAILED);
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

/* The name that it takes is somebody else's. */
static void already_started_outside_supervisor(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(troupe_register(otp.self, "the name"), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TRANSIENT), "named"), TROUPE_FAILED);
    assert_non_null(strstr(otp.why, troupe_status_text(TROUPE_EXISTS)));
    assert_string_equal(otp_which(&otp), "");
    assert_int_equal(troupe_unregister(otp.self, "the name"), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = TROUPE_TRANSIENT), "named"), TROUPE_OK);
    assert_true(troupe_address_equal(troupe_test_lookup(otp.kit, "the name"), otp.address));
    otp_end(&otp);
}

/* ---- What is said of a child and is no good ---- */

/* 5 s to stop, permanent: what is not said. */
static void sup_start_map(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "{ name: a, actor: child }, { name: b, actor: child, shutdown: kill }, "
                           "{ name: x, children: [] }");
    otp_tell(&otp, "a", "done");
    otp_expect(&otp, "done/a +/a");
    troupe_test_hold(otp.kit, troupe_test_lookup(otp.kit, "/s/a"));
    otp_stop(&otp, "");
    otp_expect(&otp, "stopped/x killed/b");
    troupe_test_advance(otp.kit, 5 * TROUPE_SECOND - TROUPE_MILLISECOND);
    otp_expect(&otp, "");
    troupe_test_advance(otp.kit, TROUPE_MILLISECOND);
    otp_expect(&otp, "killed/a stopped/");
    otp_end(&otp);
}

static void sup_start_map_simple(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary }", NULL);
    for (int i = 0; i < 3; i++) assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    assert_string_equal(otp_counts(&otp), "3 3 0 3");
    troupe_test_hold(otp.kit, otp.address);
    otp_stop(&otp, "");
    troupe_test_advance(otp.kit, 5 * TROUPE_SECOND - TROUPE_MILLISECOND);
    assert_true(troupe_test_lives(otp.kit, otp.address));
    troupe_test_advance(otp.kit, TROUPE_MILLISECOND);
    assert_false(troupe_test_lives(otp.kit, otp.address));
    otp_end(&otp);
}

static char failure[2048];

static void note_failure(void *context, const char *file, int line, const char *text) {
    (void)context, (void)file, (void)line;
    snprintf(failure, sizeof failure, "%s", text);
}

/* A configuration that cannot be: what is wrong is said before anything runs. */
static void refuse(const char *children, const char *why) {
    static const struct troupe_actor_type *const actors[] = { &child_actor, NULL };
    char config[512];
    failure[0] = '\0';
    snprintf(config, sizeof config, "tree: { %s }", children);
    assert_null(troupe_test_new(.actors = actors, .config = config, .fail = note_failure));
    if (strstr(failure, why) == NULL) fail_msg("not \"%s\" in: %s", why, failure);
}

static void sup_start_map_faulty_specs(void **state) {
    (void)state;
    refuse("children: [ { actor: child } ]", "an actor needs the key 'name'");
    refuse("children: [ { name: a } ]", "an actor needs the key 'actor'");
    refuse("children: [ { name: a, actor: child, silly_flag: true } ]", "unknown key 'silly_flag'");
    refuse("children: [ child4 ]", "found 'child4'");
}

static void child_specs(void **state) {
    (void)state;
    refuse("children: [ { name: a, actor: m } ]", "the program has no actor 'm'");
    refuse("children: [ { name: a, actor: child, restart: prmanent } ]", "did you mean 'permanent'?");
    refuse("children: [ { name: a, actor: child, shutdown: -10 } ]", "'-10' is not a duration");
    refuse("children: [ { name: a, actor: child }, { name: a, actor: child } ]", "the name 'a' is taken");
    refuse("strategy: dynamic, children: [ { name: a, actor: child } ]", "a dynamic supervisor begins with none");
    struct otp otp;
    struct troupe_child_spec good, bad;
    otp_begin(&otp, RULES, "");
    assert_int_equal(troupe_describe_child(&good, OTP_CHILD(.name = "a"), child, mood, .mood = ""), TROUPE_OK);
    for (int i = 0; i < 5; i++) {
        bad = good;
        if (i == 0) bad.actor = "m";
        if (i == 1) bad.restart = 3;
        if (i == 2) bad.shutdown = -10;
        if (i == 3) bad.name = "a/b";
        if (i == 4) bad.significant = true;
        assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_start_child, TROUPE_SECOND, .child = bad),
                         TROUPE_OK);
        assert_int_equal(otp_reply(&otp), i == 0 ? TROUPE_NOT_FOUND : TROUPE_INVALID);
        assert_string_not_equal(otp.why, "");
    }
    troupe_child_spec_free(&good);
    assert_string_equal(otp_which(&otp), "");
    otp_end(&otp);
}

static void sup_flags(void **state) {
    (void)state;
    refuse("strategy: none_for_one, children: []", "did you mean 'one_for_one'?");
    refuse("restarts: infinity, children: []", "is not a whole number");
    refuse("restarts: -1, children: []", "is out of range");
    refuse("within: 0s, children: []", "is out of range");
    refuse("within: infinity, children: []", "is not a duration");
    refuse("silly_flag: true, children: []", "unknown key 'silly_flag' of the tree");
}

/* The whole application, with what it was that did not begin. */
static void faulty_application_shutdown(void **state) {
    (void)state;
    static const struct troupe_actor_type *const actors[] = { &child_actor, NULL };
    int code = 0;
    troupe_test *kit = troupe_test_new(
        .actors = actors, .config = "tree: { children: [ { name: a, actor: child, args: { mood: fail } } ] }");
    assert_true(troupe_test_ended(kit, &code));
    assert_int_equal(code, 2);
    const struct troupe_death *death = troupe_test_expect_death(kit, "/");
    assert_non_null(strstr(death->text, "could not be started"));
    assert_non_null(strstr(death->cause, "/a failed: it does not begin"));
    assert_int_equal(troupe_test_free(kit), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sup_start_normal),
        cmocka_unit_test(sup_start_ignore_child),
        cmocka_unit_test(sup_start_ignore_temporary_child),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child_simple),
        cmocka_unit_test(sup_start_ignore_permanent_child_start_child_simple),
        cmocka_unit_test(sup_start_error_return),
        cmocka_unit_test(sup_start_fail),
        cmocka_unit_test(sup_start_child_returns_error),
        cmocka_unit_test(sup_start_restart_child_returns_error),
        cmocka_unit_test(sup_start_child_returns_error_simple),
        cmocka_unit_test(already_started_outside_supervisor),
        cmocka_unit_test(sup_start_map),
        cmocka_unit_test(sup_start_map_simple),
        cmocka_unit_test(sup_start_map_faulty_specs),
        cmocka_unit_test(child_specs),
        cmocka_unit_test(sup_flags),
        cmocka_unit_test(faulty_application_shutdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
