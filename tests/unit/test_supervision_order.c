/* The order of starting and stopping, and the deadlines of stopping. Each scenario is named after what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- Start and stop ---- */

static void starts_from_left_to_right_each_after_the_other(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&script);
    expect(&script, "+0");
    up(&script, 0);
    expect(&script, "+1");
    up(&script, 1);
    expect(&script, "+2");
    up(&script, 2);
    expect(&script, "ready");
    finish(&script);
}

static void stops_from_right_to_left_each_after_the_other(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    stop(&script);
    expect(&script, "-2");
    down(&script, 2);
    expect(&script, "-1");
    down(&script, 1);
    expect(&script, "-0");
    down(&script, 0);
    expect(&script, "stopped");
    finish(&script);
}

static void without_children_it_starts_and_stops(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ALL, 1, 0, NULL);
    begin(&script);
    expect(&script, "ready");
    stop(&script);
    expect(&script, "stopped");
    finish(&script);
}

static void a_failed_first_start_stops_the_started_in_reverse(void **state) {
    static const enum tr_exit reasons[] = { TR_EXIT_NORMAL, TR_EXIT_SHUTDOWN, TR_EXIT_FAILED };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct script script;
        create(&script, TR_ONE_FOR_ONE, 10, 4, permanent);
        begin(&script), up(&script, 0), up(&script, 1);
        ends(&script, 2, reasons[i]);
        expect(&script, "+0 +1 +2 -1");
        down(&script, 1);
        expect(&script, "-0");
        down(&script, 0);
        expect(&script, "gave-up");
        finish(&script);
    }
}

static void even_a_temporary_child_must_start_at_first(void **state) {
    struct tr_child_rules child = { TR_TEMPORARY, 0, TR_INFINITY, false };
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 10, 1, &child);
    begin(&script), fails(&script, 0);
    expect(&script, "+0 gave-up");
    finish(&script);
}

static void stop_during_the_first_start_stops_the_one_that_starts_too(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&script), up(&script, 0);
    stop(&script);
    expect(&script, "+0 +1 -1");
    up(&script, 1); /* its answer was on its way */
    expect(&script, "");
    down(&script, 1);
    expect(&script, "-0");
    down(&script, 0);
    expect(&script, "stopped");
    finish(&script);
}

static void stop_before_the_start_is_the_end(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 3, permanent);
    stop(&script);
    expect(&script, "stopped");
    begin(&script), stop(&script);
    finish(&script);
}

static void stop_twice_is_stop_once(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    stop(&script), stop(&script);
    expect(&script, "-2");
    down(&script, 2), stop(&script), down(&script, 1), stop(&script), down(&script, 0), stop(&script);
    expect(&script, "-1 -0 stopped");
    finish(&script);
}

static void stop_while_giving_up_changes_nothing(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 0, 2, permanent);
    begin(&script), up(&script, 0), up(&script, 1), fails(&script, 1);
    expect(&script, "+0 +1 ready -0");
    stop(&script), down(&script, 0);
    expect(&script, "gave-up");
    finish(&script);
}

static void an_exit_of_its_own_while_all_stop_is_accepted(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    stop(&script);
    fails(&script, 0), fails(&script, 2); /* 0 was not asked yet; 2 fails in its stop handler */
    expect(&script, "-2 -1");
    down(&script, 1);
    expect(&script, "stopped");
    finish(&script);
}

static void after_the_end_events_are_ignored(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    stop(&script), down(&script, 2), down(&script, 1), down(&script, 0);
    expect(&script, "-2 -1 -0 stopped");
    up(&script, 1), fails(&script, 1), tick(&script, 99 * SECOND), begin(&script);
    finish(&script);
}

/* ---- Deadlines ---- */

static void past_its_deadline_a_child_is_killed(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, SECOND, TR_INFINITY, false }, { TR_PERMANENT, 2 * SECOND, TR_INFINITY, false } };
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 2, children);
    begin(&script), up(&script, 0), up(&script, 1);
    script.now = 10 * SECOND;
    stop(&script);
    expect(&script, "+0 +1 ready -1 @12000");
    tick(&script, 12 * SECOND);
    expect(&script, "x1");
    tick(&script, 20 * SECOND); /* for the kill there is none */
    expect(&script, "");
    fails(&script, 1);
    expect(&script, "-0 @21000");
    down(&script, 0);
    expect(&script, "@- stopped");
    finish(&script);
}

static void an_early_tick_sets_the_timer_again(void **state) {
    struct tr_child_rules child = { TR_PERMANENT, SECOND, TR_INFINITY, false };
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 1, &child);
    begin(&script), up(&script, 0), stop(&script);
    expect(&script, "+0 ready -0 @1000");
    tick(&script, 999);
    expect(&script, "@1000");
    down(&script, 0);
    expect(&script, "@- stopped");
    finish(&script);
}

static void kill_is_at_once_and_infinity_is_for_ever(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, TR_INFINITY, TR_INFINITY, false }, { TR_PERMANENT, TR_KILL, TR_INFINITY, false } };
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 2, children);
    begin(&script), up(&script, 0), up(&script, 1), stop(&script);
    expect(&script, "+0 +1 ready x1");
    fails(&script, 1);
    expect(&script, "-0");
    tick(&script, INT64_MAX - 1);
    expect(&script, "");
    down(&script, 0);
    expect(&script, "stopped");
    finish(&script);
}

static void siblings_of_a_restart_have_deadlines_too(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, SECOND, TR_INFINITY, false }, { TR_PERMANENT, SECOND, TR_INFINITY, false } };
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ALL, 1, 2, children);
    begin(&script), up(&script, 0), up(&script, 1), fails(&script, 0);
    expect(&script, "+0 +1 ready -1 @1000");
    tick(&script, SECOND);
    expect(&script, "x1");
    fails(&script, 1);
    expect(&script, "+0");
    up(&script, 0), up(&script, 1);
    expect(&script, "+1~");
    finish(&script);
}

static void stop_during_a_group_stop_goes_on_with_the_rest(void **state) {
    struct tr_child_rules rules[] = { { TR_PERMANENT, SECOND, TR_INFINITY, false }, { TR_PERMANENT, SECOND, TR_INFINITY, false }, { TR_PERMANENT, SECOND, TR_INFINITY, false } };
    struct script script;
    (void)state;
    create(&script, TR_REST_FOR_ONE, 1, 3, rules);
    begin(&script), up(&script, 0), up(&script, 1), up(&script, 2), fails(&script, 1);
    expect(&script, "+0 +1 +2 ready -2 @1000");
    stop(&script); /* the deadline goes on, and 2 is not asked again */
    expect(&script, "");
    tick(&script, SECOND), fails(&script, 2);
    expect(&script, "x2 -0 @2000");
    down(&script, 0);
    expect(&script, "@- stopped");
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_from_left_to_right_each_after_the_other),
        cmocka_unit_test(stops_from_right_to_left_each_after_the_other),
        cmocka_unit_test(without_children_it_starts_and_stops),
        cmocka_unit_test(a_failed_first_start_stops_the_started_in_reverse),
        cmocka_unit_test(even_a_temporary_child_must_start_at_first),
        cmocka_unit_test(stop_during_the_first_start_stops_the_one_that_starts_too),
        cmocka_unit_test(stop_before_the_start_is_the_end),
        cmocka_unit_test(stop_twice_is_stop_once),
        cmocka_unit_test(stop_while_giving_up_changes_nothing),
        cmocka_unit_test(an_exit_of_its_own_while_all_stop_is_accepted),
        cmocka_unit_test(after_the_end_events_are_ignored),
        cmocka_unit_test(past_its_deadline_a_child_is_killed),
        cmocka_unit_test(an_early_tick_sets_the_timer_again),
        cmocka_unit_test(kill_is_at_once_and_infinity_is_for_ever),
        cmocka_unit_test(siblings_of_a_restart_have_deadlines_too),
        cmocka_unit_test(stop_during_a_group_stop_goes_on_with_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
