/* OTP's cases of starting, stopping and administration, as far as they are the machine's: same names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- Starting ---- */

static void sup_start_normal(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 2, 0, NULL);
    begin(&script), stop(&script);
    expect(&script, "ready stopped");
    finish(&script);
}

static void sup_start_ignore_child(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 2, 0, NULL);
    begin(&script);
    launch(&script, 7, &permanent[0]), ignores(&script, 0);
    expect(&script, "ready +0 7:ignored r0");
    launch(&script, 8, &permanent[0]), up(&script, 1);
    expect(&script, "+1 8:ok");
    expect_count(&script, 2, 1);
    finish(&script);
}

static void sup_start_ignore_temporary_child(void **state) {
    struct script script;
    (void)state;
    script_create(&script, RULES(.restarts = 2));
    add(&script, CHILD(.restart = TR_TEMPORARY));
    add(&script, CHILD(.restart = TR_PERMANENT));
    begin(&script), ignores(&script, 0), up(&script, 1);
    expect(&script, "+0 f0 +1 ready");
    expect_count(&script, 1, 1);
    finish(&script);
}

static void sup_start_ignore_temporary_child_start_child(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 2, 0, NULL);
    begin(&script), launch(&script, 7, CHILD(.restart = TR_TEMPORARY)), ignores(&script, 0);
    expect(&script, "ready +0 7:ignored f0");
    expect_count(&script, 0, 0);
    finish(&script);
}

static void check_dynamic_ignore(enum tr_restart restart) {
    struct script script;
    create(&script, TR_DYNAMIC, 2, 0, NULL);
    begin(&script), launch(&script, 7, CHILD(.restart = restart)), ignores(&script, 0);
    launch(&script, 8, CHILD(.restart = restart)), up(&script, 1);
    expect(&script, "ready +0 7:ignored f0 +1 8:ok");
    expect_count(&script, 1, 1);
    stop(&script), down(&script, 1);
    expect(&script, "-1 stopped");
    finish(&script);
}

static void sup_start_ignore_temporary_child_start_child_simple(void **state) {
    (void)state;
    check_dynamic_ignore(TR_TEMPORARY);
}

static void sup_start_ignore_permanent_child_start_child_simple(void **state) {
    (void)state;
    check_dynamic_ignore(TR_PERMANENT);
}

static void check_failed_launch(enum tr_strategy strategy) {
    struct script script;
    create(&script, strategy, 0, 0, NULL);
    begin(&script), launch(&script, 7, &permanent[0]), fails(&script, 0);
    expect(&script, "ready +0 7:failed f0"); /* no restart is allowed: it was none */
    expect_count(&script, 0, 0);
    finish(&script);
}

static void sup_start_child_returns_error(void **state) {
    (void)state;
    check_failed_launch(TR_ONE_FOR_ONE);
    check_failed_launch(TR_ONE_FOR_ALL);
    check_failed_launch(TR_REST_FOR_ONE);
}

static void sup_start_restart_child_returns_error(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    terminate(&script, 7, 1), down(&script, 1), restart(&script, 8, 1), fails(&script, 1);
    expect(&script, "-1 7:ok r1 +1 8:failed r1");
    assert_int_equal(state_of(&script, 1), TR_CHILD_RESTING);
    expect_count(&script, 3, 2);
    finish(&script);
}

static void sup_start_child_returns_error_simple(void **state) {
    (void)state;
    check_failed_launch(TR_DYNAMIC);
}

/* ---- Stopping ---- */

static void sup_stop_infinity(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_ONE_FOR_ONE, 2, (enum tr_restart[]){ TR_PERMANENT, TR_PERMANENT });
    stop(&script), tick(&script, INT64_MAX - 1), down(&script, 1), down(&script, 0);
    expect(&script, "-1 -0 stopped");
    finish(&script);
}

static void check_stop_timeout(enum tr_strategy strategy, enum tr_restart restart, const char *stops,
                               const char *rest) {
    struct script script;
    run_all(&script, RULES(.strategy = strategy), 2,
            (struct tr_child_rules[]){ *CHILD(.restart = restart, .shutdown = SECOND),
                                       *CHILD(.restart = restart, .shutdown = SECOND) });
    stop(&script);
    expect(&script, stops);
    down(&script, 0), tick(&script, SECOND), fails(&script, 1), down(&script, 0);
    expect(&script, rest);
    finish(&script);
}

static void sup_stop_timeout(void **state) {
    (void)state;
    check_stop_timeout(TR_ONE_FOR_ONE, TR_PERMANENT, "-1 @1000", "x1 stopped");
}

static void sup_stop_timeout_dynamic(void **state) {
    (void)state;
    check_stop_timeout(TR_DYNAMIC, TR_TEMPORARY, "-0 -1 @1000", "x1 stopped");
}

static void sup_stop_brutal_kill(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 1), 2,
            (struct tr_child_rules[]){ permanent[0], *CHILD(.shutdown = TR_KILL) });
    stop(&script), fails(&script, 1), down(&script, 0);
    expect(&script, "x1 -0 stopped");
    finish(&script);
}

static void sup_stop_brutal_kill_dynamic(void **state) {
    struct tr_child_rules children[10];
    struct script script;
    (void)state;
    for (int i = 0; i < 10; i++) children[i] = *CHILD(.restart = TR_TEMPORARY, .shutdown = TR_KILL);
    run_all(&script, RULES(.strategy = TR_DYNAMIC), 10, children);
    stop(&script);
    expect(&script, "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9");
    for (uint32_t i = 0; i < 10; i++) fails(&script, i);
    expect(&script, "stopped");
    finish(&script);
}

static void sup_stop_race(void **state) {
    static const enum tr_restart kinds[] = { TR_PERMANENT, TR_PERMANENT, TR_TRANSIENT, TR_TRANSIENT,
                                             TR_TEMPORARY, TR_TEMPORARY, TR_PERMANENT };
    struct script script;
    (void)state;
    run_kinds(&script, TR_ONE_FOR_ONE, 7, kinds);
    stop(&script); /* 6 is slow; the others end meanwhile, each in its way */
    for (uint32_t i = 1; i < 6; i++) ends(&script, i, (enum tr_exit)(i % 3));
    down(&script, 6), down(&script, 0);
    expect(&script, "-6 -0 stopped");
    finish(&script);
}

static void sup_stop_non_shutdown_exit_dynamic(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_DYNAMIC, TR_PERMANENT);
    stop(&script), fails(&script, 0), ends(&script, 1, TR_EXIT_NORMAL), fails(&script, 2);
    expect(&script, "-0 -1 -2 stopped");
    finish(&script);
}

/* ---- Administration ---- */

static void child_adm(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    restart(&script, 1, 0), delete_child(&script, 2, 0);
    expect(&script, "1:running 2:running");
    terminate(&script, 3, 0), terminate(&script, 4, 0), restart(&script, 5, 0), delete_child(&script, 6, 0);
    expect(&script, "-0 5:restarting 6:running");
    down(&script, 0), terminate(&script, 7, 0);
    expect(&script, "3:ok 4:ok r0 7:ok");
    restart(&script, 8, 0), restart(&script, 9, 0), delete_child(&script, 10, 0), up(&script, 0);
    expect(&script, "+0 9:restarting 10:restarting 8:ok");
    terminate(&script, 11, 0), down(&script, 0), delete_child(&script, 12, 0), terminate(&script, 13, 0);
    expect(&script, "-0 11:ok r0 12:ok f0 13:unknown");
    restart(&script, 14, 0), delete_child(&script, 15, 0);
    expect(&script, "14:unknown 15:unknown");
    expect_count(&script, 2, 2);
    finish(&script);
}

static void child_adm_simple(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_DYNAMIC, 2, 0, NULL);
    begin(&script), launch(&script, 1, &permanent[0]), launch(&script, 2, &permanent[0]), up_all(&script);
    expect(&script, "ready +0 +1 1:ok 2:ok");
    restart(&script, 3, 0), delete_child(&script, 4, 0);
    expect(&script, "3:invalid 4:invalid");
    terminate(&script, 5, 0), down(&script, 0), terminate(&script, 6, 0);
    expect(&script, "-0 5:ok f0 6:unknown");
    expect_count(&script, 1, 1);
    finish(&script);
}

static void which_children(void **state) {
    struct script script;
    tr_child_id id;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    terminate(&script, 1, 1), down(&script, 1), delete_child(&script, 2, 1);
    launch(&script, 3, &permanent[0]), up(&script, 3); /* in the entry of the other, but at the right */
    expect(&script, "-1 1:ok 2:ok f1 +3 3:ok");
    assert_true(tr_supervision_first(script.machine, &id) && id.index == 0);
    assert_true(tr_supervision_next(script.machine, &id) && id.index == 2);
    assert_true(tr_supervision_next(script.machine, &id) && id.index == 1 && id.serial == 1);
    assert_false(tr_supervision_next(script.machine, &id));
    assert_false(tr_supervision_next(script.machine, &script.ids[1]));
    finish(&script);
}

static void count_restarting_children(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_DYNAMIC, .restarts = 9,
                           .backoff = { .initial = SECOND, .maximum = SECOND, .factor = 100 }),
            3, permanent);
    fails(&script, 0), fails(&script, 1);
    expect(&script, "@1000");
    expect_count(&script, 3, 1);
    assert_int_equal(state_of(&script, 0), TR_CHILD_WAITING);
    terminate(&script, 1, 0);
    expect(&script, "1:ok f0");
    expect_count(&script, 2, 1);
    tick(&script, SECOND), up(&script, 1);
    expect(&script, "+1");
    expect_count(&script, 2, 2);
    finish(&script);
}

static void do_not_save_child_specs_for_temporary_children(void **state) {
    static const enum tr_restart kinds[] = { TR_PERMANENT, TR_TRANSIENT, TR_TEMPORARY };
    (void)state;
    for (int strategy = TR_ONE_FOR_ONE; strategy <= TR_REST_FOR_ONE; strategy++) {
        for (int kind = 0; kind < 3; kind++) {
            struct script script;
            bool kept = kinds[kind] != TR_TEMPORARY;
            run_kinds(&script, (enum tr_strategy)strategy, 1, &kinds[kind]);
            terminate(&script, 1, 0), down(&script, 0);
            expect(&script, kept ? "-0 1:ok r0" : "-0 1:ok f0");
            assert_int_equal(state_of(&script, 0), kept ? TR_CHILD_RESTING : TR_CHILD_GONE);
            finish(&script);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sup_start_normal),
        cmocka_unit_test(sup_start_ignore_child),
        cmocka_unit_test(sup_start_ignore_temporary_child),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child),
        cmocka_unit_test(sup_start_ignore_temporary_child_start_child_simple),
        cmocka_unit_test(sup_start_ignore_permanent_child_start_child_simple),
        cmocka_unit_test(sup_start_child_returns_error),
        cmocka_unit_test(sup_start_restart_child_returns_error),
        cmocka_unit_test(sup_start_child_returns_error_simple),
        cmocka_unit_test(sup_stop_infinity),
        cmocka_unit_test(sup_stop_timeout),
        cmocka_unit_test(sup_stop_timeout_dynamic),
        cmocka_unit_test(sup_stop_brutal_kill),
        cmocka_unit_test(sup_stop_brutal_kill_dynamic),
        cmocka_unit_test(sup_stop_race),
        cmocka_unit_test(sup_stop_non_shutdown_exit_dynamic),
        cmocka_unit_test(child_adm),
        cmocka_unit_test(child_adm_simple),
        cmocka_unit_test(which_children),
        cmocka_unit_test(count_restarting_children),
        cmocka_unit_test(do_not_save_child_specs_for_temporary_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
