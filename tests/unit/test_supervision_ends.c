/* What becomes of children that end: kind x reason x strategy; several at once; late events. Each scenario is named after what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- What ends is restarted, or not: kind x reason x strategy ---- */

/* Of three children the middle one ends; what comes of it. */
static void check_end(enum tr_strategy strategy, enum tr_restart kind, enum tr_exit why,
                      const char *log) {
    struct script script;
    run_three(&script, strategy, kind);
    ends(&script, 1, why);
    expect(&script, log);
    finish(&script);
}

static void permanent_children_are_always_restarted(void **state) {
    (void)state;
    for (int why = TR_EXIT_NORMAL; why <= TR_EXIT_FAILED; why++) {
        check_end(TR_ONE_FOR_ONE, TR_PERMANENT, (enum tr_exit)why, "+1");
        check_end(TR_ONE_FOR_ALL, TR_PERMANENT, (enum tr_exit)why, "-2");
        check_end(TR_REST_FOR_ONE, TR_PERMANENT, (enum tr_exit)why, "-2");
    }
}

static void transient_children_are_restarted_when_they_fail(void **state) {
    (void)state;
    check_end(TR_ONE_FOR_ONE, TR_TRANSIENT, TR_EXIT_FAILED, "+1");
    check_end(TR_ONE_FOR_ALL, TR_TRANSIENT, TR_EXIT_FAILED, "-2");
    check_end(TR_REST_FOR_ONE, TR_TRANSIENT, TR_EXIT_FAILED, "-2");
    for (int why = TR_EXIT_NORMAL; why <= TR_EXIT_SHUTDOWN; why++) {
        check_end(TR_ONE_FOR_ONE, TR_TRANSIENT, (enum tr_exit)why, "r1");
        check_end(TR_ONE_FOR_ALL, TR_TRANSIENT, (enum tr_exit)why, "");
        check_end(TR_REST_FOR_ONE, TR_TRANSIENT, (enum tr_exit)why, "");
    }
}

static void temporary_children_are_forgotten(void **state) {
    (void)state;
    for (int strategy = TR_ONE_FOR_ONE; strategy <= TR_REST_FOR_ONE; strategy++)
        for (int why = TR_EXIT_NORMAL; why <= TR_EXIT_FAILED; why++)
            check_end((enum tr_strategy)strategy, TR_TEMPORARY, (enum tr_exit)why, "f1");
}

static void one_for_all_restarts_all_and_flushes_the_siblings(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 1), down(&script, 2);
    expect(&script, "-2 -0");
    down(&script, 0);
    expect(&script, "+0~");
    up(&script, 0), up(&script, 1), up(&script, 2);
    expect(&script, "+1 +2~");
    assert_int_equal(restarts_of(&script, 0), 1);
    assert_int_equal(restarts_of(&script, 1), 1);
    finish(&script);
}

static void rest_for_one_leaves_what_is_on_the_left(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_REST_FOR_ONE, TR_PERMANENT);
    fails(&script, 1), down(&script, 2), up(&script, 1), up(&script, 2);
    expect(&script, "-2 +1 +2~");
    fails(&script, 2), up(&script, 2);
    expect(&script, "+2");
    assert_int_equal(restarts_of(&script, 0), 0);
    assert_int_equal(restarts_of(&script, 2), 2);
    finish(&script);
}

static void temporary_siblings_do_not_survive_a_group_restart(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_ONE_FOR_ALL, 3,
              (enum tr_restart[]){ TR_PERMANENT, TR_TEMPORARY, TR_PERMANENT });
    fails(&script, 0), down(&script, 2), down(&script, 1);
    expect(&script, "-2 -1 f1 +0");
    up(&script, 0), up(&script, 2);
    expect(&script, "+2~");
    stop(&script), down(&script, 2), down(&script, 0);
    expect(&script, "-2 -0 stopped");
    finish(&script);
}

static void a_transient_child_that_is_done_comes_back_with_its_group(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_REST_FOR_ONE, 2, (enum tr_restart[]){ TR_PERMANENT, TR_TRANSIENT });
    ends(&script, 1, TR_EXIT_NORMAL);
    expect(&script, "");
    fails(&script, 0), up(&script, 0), up(&script, 1);
    expect(&script, "+0 +1~");
    finish(&script);
}

static void what_no_sibling_can_bring_back_is_told_so(void **state) {
    static const enum tr_restart kinds[] = { TR_TEMPORARY, TR_TRANSIENT, TR_TRANSIENT };
    struct script script;
    (void)state;
    run_kinds(&script, TR_REST_FOR_ONE, 3, kinds);
    ends(&script, 2, TR_EXIT_NORMAL); /* 1 may still fail */
    expect(&script, "");
    ends(&script, 1, TR_EXIT_NORMAL);
    expect(&script, "r1 r2");
    finish(&script);
    run_kinds(&script, TR_ONE_FOR_ALL, 3, kinds);
    ends(&script, 1, TR_EXIT_NORMAL);
    expect(&script, "");
    ends(&script, 2, TR_EXIT_NORMAL);
    expect(&script, "r1 r2");
    finish(&script);
}

/* ---- Several at once, and late events ---- */

static void several_that_end_at_once_are_several_restarts_of_one_for_one(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    fails(&script, 1), fails(&script, 0), fails(&script, 2);
    expect(&script, "+1 +0 +2");
    up(&script, 2), up(&script, 0), up(&script, 1);
    fails(&script, 0);
    expect(&script, "-2"); /* the fourth */
    finish(&script);
}

static void several_that_end_at_once_are_one_restart_of_one_for_all(void **state) {
    static const uint32_t orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct script script;
        create(&script, TR_ONE_FOR_ALL, 1, 3, permanent);
        begin(&script), up(&script, 0), up(&script, 1), up(&script, 2);
        for (int n = 0; n < 3; n++) fails(&script, orders[i][n]);
        script.log[0] = '\0';
        up(&script, 0), up(&script, 1), up(&script, 2);
        assert_null(strstr(script.log, "gave-up"));
        for (uint32_t n = 0; n < 3; n++)
            assert_int_equal(restarts_of(&script, n), 1);
        tr_supervision_free(script.machine);
    }
}

static void an_end_during_a_group_restart_is_judged_after_it(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 0), down(&script, 2), down(&script, 1), up(&script, 0);
    expect(&script, "-2 -1 +0 +1~");
    fails(&script, 0); /* it was up already */
    expect(&script, "");
    up(&script, 1);
    expect(&script, "+2~");
    up(&script, 2);
    expect(&script, "-2");
    finish(&script);
}

static void an_end_during_the_first_start_is_judged_after_it(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 2, permanent);
    begin(&script), up(&script, 0), fails(&script, 0);
    expect(&script, "+0 +1");
    up(&script, 1);
    expect(&script, "ready +0");
    finish(&script);
}

static void late_events_of_earlier_runs_are_ignored(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    fails(&script, 1);
    expect(&script, "+1");
    tr_supervision_exited(script.machine, script.ids[1], 1, TR_EXIT_FAILED, 0);
    tr_supervision_started(script.machine, script.ids[1], 1, 0);
    up(&script, 1), up(&script, 1);
    stop(&script);
    expect(&script, "-2");
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permanent_children_are_always_restarted),
        cmocka_unit_test(transient_children_are_restarted_when_they_fail),
        cmocka_unit_test(temporary_children_are_forgotten),
        cmocka_unit_test(one_for_all_restarts_all_and_flushes_the_siblings),
        cmocka_unit_test(rest_for_one_leaves_what_is_on_the_left),
        cmocka_unit_test(temporary_siblings_do_not_survive_a_group_restart),
        cmocka_unit_test(a_transient_child_that_is_done_comes_back_with_its_group),
        cmocka_unit_test(what_no_sibling_can_bring_back_is_told_so),
        cmocka_unit_test(several_that_end_at_once_are_several_restarts_of_one_for_one),
        cmocka_unit_test(several_that_end_at_once_are_one_restart_of_one_for_all),
        cmocka_unit_test(an_end_during_a_group_restart_is_judged_after_it),
        cmocka_unit_test(an_end_during_the_first_start_is_judged_after_it),
        cmocka_unit_test(late_events_of_earlier_runs_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
