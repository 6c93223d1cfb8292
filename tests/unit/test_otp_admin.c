/* OTP's cases of adding, looking at and removing children, with real actors: same names. */
#include "lib/otp_test.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define RULES "strategy: one_for_one, restarts: 2, within: 3600s"
#define DYNAMIC "strategy: dynamic, restarts: 2, within: 3600s"

static void child_adm(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    troupe_address first = otp.address;
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    /* There is one already: it runs. */
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_EXISTS);
    assert_true(troupe_address_equal(first, otp.address) && otp.state == TROUPE_CHILD_RUNNING);
    /* Stopping; twice is once. */
    assert_int_equal(otp_terminate(&otp, "nobody"), TROUPE_NOT_FOUND);
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:resting");
    assert_string_equal(otp_counts(&otp), "1 0 0 1");
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    /* There is one already: it rests. */
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_EXISTS);
    assert_true(troupe_address_is_none(otp.address) && otp.state == TROUPE_CHILD_RESTING);
    /* Starting again. */
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    assert_true(troupe_test_lives(otp.kit, otp.address) && !troupe_test_lives(otp.kit, first));
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_BUSY);
    assert_int_equal(otp.state, TROUPE_CHILD_RUNNING);
    assert_int_equal(otp_restart(&otp, "nobody"), TROUPE_NOT_FOUND);
    /* Forgetting. */
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_BUSY);
    assert_int_equal(otp_delete(&otp, "nobody"), TROUPE_NOT_FOUND);
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_NOT_FOUND);
    assert_string_equal(otp_which(&otp), "");
    assert_string_equal(otp_counts(&otp), "0 0 0 0");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    otp_expect(&otp, "+/a stopped/a +/a stopped/a +/a");
    otp_end(&otp);
}

/* Whoever asks a supervisor that is not there hears of it. */
static void child_adm_of_nobody(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    otp_stop(&otp, "");
    troupe_test_run(otp.kit);
    assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_terminate_child, TROUPE_SECOND, .name = "a"),
                     TROUPE_GONE);
    otp_end(&otp);
}

/* What a start handler has to say goes to nobody else: OTP's extra information has no place here. A child is
 * administered all the same, and restarted. */
static void extra_return(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "{ name: a, actor: child }");
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_BUSY);
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_BUSY);
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_OK);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    otp_tell(&otp, "a", "die");
    otp_expect(&otp, "stopped/a +/a stopped/a +/a failed/a +/a");
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    otp_end(&otp);
}

static void child_adm_simple(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child }", NULL);
    assert_string_equal(otp_counts(&otp), "0 0 0 0");
    assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    troupe_address first = otp.address;
    assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "1:running 2:running");
    assert_string_equal(otp_counts(&otp), "2 2 0 2");
    /* By its address, or by its name. */
    assert_int_equal(otp_terminate(&otp, "nobody"), TROUPE_NOT_FOUND);
    assert_int_equal(otp_terminate_at(&otp, first), TROUPE_OK);
    assert_false(troupe_test_lives(otp.kit, first));
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    assert_int_equal(otp_terminate_at(&otp, first), TROUPE_NOT_FOUND);
    assert_int_equal(otp_terminate_at(&otp, troupe_self_address(otp.self)), TROUPE_NOT_FOUND);
    /* They neither rest nor come again. */
    assert_int_equal(otp_restart(&otp, "2"), TROUPE_INVALID);
    assert_int_equal(otp_delete(&otp, "2"), TROUPE_INVALID);
    assert_string_equal(otp_which(&otp), "2:running");
    otp_end(&otp);
}

static void which_children(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    assert_string_equal(otp_which(&otp), "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a"), ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:running");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "b"), ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:running b:running");
    assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "a:resting b:running");
    assert_int_equal(otp_delete(&otp, "a"), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "b:running");
    otp_end(&otp);
}

static void which_children_simple_one_for_one(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary }", NULL);
    assert_string_equal(otp_which(&otp), "");
    assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    troupe_address first = otp.address;
    assert_int_equal(otp_start(&otp, NULL, ""), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "1:running 2:running");
    assert_int_equal(otp_terminate_at(&otp, first), TROUPE_OK);
    assert_string_equal(otp_which(&otp), "2:running");
    otp_end(&otp);
}

/* ---- Many ---- */

static void start_many(struct otp *otp, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) assert_int_equal(otp_start(otp, NULL, ""), TROUPE_OK);
}

static void count_children(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary }", NULL);
    start_many(&otp, 1000);
    assert_string_equal(otp_counts(&otp), "1000 1000 0 1000");
    start_many(&otp, 1000);
    assert_string_equal(otp_counts(&otp), "2000 2000 0 2000");
    for (uint32_t after = 0; after < 2000;) {
        assert_int_equal(troupe_ask(otp.self, otp.supervisor, troupe_which_children, TROUPE_SECOND, .after = after),
                         TROUPE_OK);
        const struct troupe_children *some = troupe_test_expect_reply(otp.kit, troupe_children);
        assert_int_equal(some->children.count, 1000);
        for (uint32_t i = 0; i < 1000; i++) {
            assert_int_equal(some->children.items[i].number, ++after);
            troupe_test_kill(otp.kit, some->children.items[i].address);
        }
    }
    assert_string_equal(otp_counts(&otp), "0 0 0 0");
    otp_end(&otp);
}

static void count_children_supervisor(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC, NULL);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(troupe_ask_start_child(otp.self, otp.supervisor, TROUPE_SECOND,
                                                OTP_CHILD(.restart = TROUPE_TEMPORARY), troupe_supervisor,
                                                troupe_supervise, .strategy = TROUPE_ONE_FOR_ONE), TROUPE_OK);
        assert_int_equal(otp_reply(&otp), TROUPE_OK);
    }
    assert_string_equal(otp_counts(&otp), "1000 1000 1000 0");
    otp_end(&otp);
}

static void count_restarting_children(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, "strategy: dynamic, restarts: 20, within: 10s, backoff: { initial: 2s, factor: 100 }, "
                    "child: { actor: child, shutdown: kill }", NULL);
    start_many(&otp, 3);
    assert_string_equal(otp_counts(&otp), "3 3 0 3");
    otp_tell(&otp, "1", "die");
    otp_tell(&otp, "2", "die");
    assert_string_equal(otp_which(&otp), "1:waiting 2:waiting 3:running");
    assert_string_equal(otp_counts(&otp), "3 1 0 3");
    troupe_test_advance(otp.kit, 2 * TROUPE_SECOND);
    assert_string_equal(otp_counts(&otp), "3 3 0 3");
    assert_int_equal(otp_terminate(&otp, "3"), TROUPE_OK);
    assert_string_equal(otp_counts(&otp), "2 2 0 2");
    otp_tell(&otp, "1", "die");
    assert_string_equal(otp_which(&otp), "1:waiting 2:running");
    assert_int_equal(otp_terminate(&otp, "1"), TROUPE_OK);
    assert_string_equal(otp_counts(&otp), "1 1 0 1");
    otp_end(&otp);
}

/* Each costs as much as the one before. */
static void simple_one_for_one_scale_many_temporary_children(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, DYNAMIC ", child: { actor: child, restart: temporary }", NULL);
    start_many(&otp, 10000);
    for (uint32_t i = 10000; i > 0; i--) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(otp_terminate(&otp, name), TROUPE_OK);
    }
    assert_string_equal(otp_counts(&otp), "0 0 0 0");
    otp_end(&otp);
}

static void scale_start_stop_many_children(void **state) {
    (void)state;
    struct otp otp;
    otp_begin(&otp, RULES, "");
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++)
            assert_int_equal(otp_start(&otp, OTP_CHILD(.restart = TROUPE_TEMPORARY), ""), TROUPE_OK);
        assert_string_equal(otp_counts(&otp), "5000 5000 0 5000");
        for (uint32_t i = 1; i <= 5000; i++) {
            char name[16];
            snprintf(name, sizeof name, "%u", (uint32_t)round * 5000 + i);
            assert_int_equal(otp_terminate(&otp, name), TROUPE_OK);
        }
        assert_string_equal(otp_counts(&otp), "0 0 0 0");
    }
    otp_end(&otp);
}

/* ---- Who is kept ---- */

static void check_kept(const char *strategy, enum troupe_restart restart, const char *how, enum troupe_status again,
                       enum troupe_child_state there) {
    char rules[128];
    struct otp otp;
    snprintf(rules, sizeof rules, "strategy: %s, restarts: 2, within: 3600s", strategy);
    otp_begin(&otp, rules, "");
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = restart), ""), TROUPE_OK);
    if (strcmp(how, "supervisor") == 0) assert_int_equal(otp_terminate(&otp, "a"), TROUPE_OK);
    else if (strcmp(how, "kill") == 0) otp_kill(&otp, "a");
    else otp_tell(&otp, "a", how);
    troupe_test_run(otp.kit);
    assert_int_equal(otp_start(&otp, OTP_CHILD(.name = "a", .restart = restart), ""), again);
    assert_int_equal(otp.state, there);
    if (there == TROUPE_CHILD_RESTING) assert_int_equal(otp_restart(&otp, "a"), TROUPE_OK);
    otp_end(&otp);
}

/* Of many with large arguments, which the children themselves do not keep either. */
static size_t memory_of(enum troupe_restart restart) {
    enum { CHILDREN = 100, LARGE = 60000 };
    static char mood[LARGE];
    struct otp otp;
    memset(mood, 'x', LARGE - 1);
    otp_begin(&otp, DYNAMIC, NULL);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(otp_start(&otp, OTP_CHILD(.restart = restart), mood), TROUPE_OK);
    size_t after = mallinfo2().uordblks;
    otp_end(&otp);
    return after > before ? after - before : 0;
}

/* In bytes of malloc, which sanitizers do not count. */
static void do_not_save_start_parameters_for_temporary_children(void **state) {
    (void)state;
    size_t permanent = memory_of(TROUPE_PERMANENT), temporary = memory_of(TROUPE_TEMPORARY);
    if (permanent == 0) return;
    assert_true(permanent > 100 * 50000);
    assert_true(temporary < permanent / 10);
}

static void do_not_save_child_specs_for_temporary_children(void **state) {
    (void)state;
    static const char *const strategies[] = { "one_for_all", "one_for_one", "rest_for_one" };
    static const char *const ways[] = { "kill", "done", "die", "supervisor" };
    for (int s = 0; s < 3; s++) {
        for (int w = 0; w < 4; w++) {
            bool asked = w == 3, done = w == 1;
            check_kept(strategies[s], TROUPE_PERMANENT, ways[w], TROUPE_EXISTS,
                       asked ? TROUPE_CHILD_RESTING : TROUPE_CHILD_RUNNING);
            check_kept(strategies[s], TROUPE_TRANSIENT, ways[w], TROUPE_EXISTS,
                       asked || done ? TROUPE_CHILD_RESTING : TROUPE_CHILD_RUNNING);
            check_kept(strategies[s], TROUPE_TEMPORARY, ways[w], TROUPE_OK, TROUPE_CHILD_RUNNING);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_adm),
        cmocka_unit_test(child_adm_of_nobody),
        cmocka_unit_test(extra_return),
        cmocka_unit_test(child_adm_simple),
        cmocka_unit_test(which_children),
        cmocka_unit_test(which_children_simple_one_for_one),
        cmocka_unit_test(count_children),
        cmocka_unit_test(count_children_supervisor),
        cmocka_unit_test(count_restarting_children),
        cmocka_unit_test(simple_one_for_one_scale_many_temporary_children),
        cmocka_unit_test(scale_start_stop_many_children),
        cmocka_unit_test(do_not_save_start_parameters_for_temporary_children),
        cmocka_unit_test(do_not_save_child_specs_for_temporary_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
