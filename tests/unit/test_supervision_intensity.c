/* How restarts are counted: within a period, for one cause, when a start fails. Each scenario is named after what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- Intensity ---- */

static void run_one(struct script *script, uint32_t restarts) {
    create(script, TR_ONE_FOR_ONE, restarts, 1, permanent);
    begin(script), up(script, 0);
    expect(script, "+0 ready");
}

static void fails_at(struct script *script, int64_t now) {
    script->now = now;
    fails(script, 0), up(script, 0);
}

static void as_many_restarts_as_allowed_survive_one_more_gives_up(void **state) {
    (void)state;
    for (uint32_t restarts = 0; restarts < 5; restarts++) {
        struct script script;
        run_one(&script, restarts);
        for (uint32_t i = 0; i < restarts; i++) {
            fails_at(&script, 100 + i);
            expect(&script, "+0");
        }
        fails_at(&script, 200);
        expect(&script, "gave-up");
        finish(&script);
    }
}

static void restarts_outside_the_period_are_forgiven(void **state) {
    struct script script;
    (void)state;
    run_one(&script, 2);
    for (int i = 0; i < 50; i++) { /* never three within 5 s */
        fails_at(&script, i * 2501);
        expect(&script, "+0");
    }
    finish(&script);
}

static void the_window_slides(void **state) {
    struct script script;
    (void)state;
    run_one(&script, 2);
    fails_at(&script, 0), fails_at(&script, 4000), fails_at(&script, 6000);
    expect(&script, "+0 +0 +0");
    fails_at(&script, 8999); /* with 4000 and 6000 it makes three within 5 s */
    expect(&script, "gave-up");
    finish(&script);
}

static void both_ends_of_the_period_belong_to_it(void **state) {
    struct script script;
    (void)state;
    run_one(&script, 1);
    fails_at(&script, 1000), fails_at(&script, 6001);
    expect(&script, "+0 +0");
    fails_at(&script, 11001);
    expect(&script, "gave-up");
    finish(&script);
}

static void restarts_of_all_children_count_together(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&script), up(&script, 0), up(&script, 1), up(&script, 2), fails(&script, 0), up(&script, 0);
    expect(&script, "+0 +1 +2 ready +0");
    fails(&script, 2), down(&script, 1), down(&script, 0);
    expect(&script, "-1 -0 gave-up");
    finish(&script);
}

static void normal_ends_of_permanent_children_count(void **state) {
    struct script script;
    (void)state;
    run_one(&script, 1);
    ends(&script, 0, TR_EXIT_NORMAL), up(&script, 0), ends(&script, 0, TR_EXIT_SHUTDOWN);
    expect(&script, "+0 gave-up");
    finish(&script);
}

/* ---- Children that die with their node ---- */

static void several_that_die_with_their_node_are_one_restart(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT); /* three restarts are allowed */
    for (int i = 0; i < 3; i++) {
        lose(&script, "012");
        expect(&script, "+0 +1 +2");
        up(&script, 0), up(&script, 1), up(&script, 2);
    }
    lose(&script, "02");
    expect(&script, "-1");
    down(&script, 1);
    expect(&script, "gave-up");
    finish(&script);
}

static void what_fails_again_after_the_death_of_its_node_counts_again(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_PERMANENT);
    lose(&script, "12");
    fails(&script, 1), fails(&script, 2);
    expect(&script, "+1 +2 +1 +2");
    fails(&script, 1);
    expect(&script, "-2");
    down(&script, 2), down(&script, 0);
    expect(&script, "-0 gave-up");
    finish(&script);
}

static void a_node_takes_with_it_only_what_lives_there(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_REST_FOR_ONE, 3, (enum tr_restart[]){ TR_TEMPORARY, TR_PERMANENT, TR_PERMANENT });
    lose(&script, "02");
    expect(&script, "f0 +2");
    lose(&script, "0"); /* gone before */
    expect(&script, "");
    up(&script, 2), lose(&script, "12"), up(&script, 1);
    expect(&script, "+1 +2~");
    finish(&script);
}

/* ---- Starts that fail during a restart ---- */

static void a_failed_start_is_another_restart(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ONE, TR_TRANSIENT);
    fails(&script, 1);
    ends(&script, 1, TR_EXIT_NORMAL); /* before it was up: whatever the reason */
    fails(&script, 1);
    expect(&script, "+1 +1 +1");
    fails(&script, 1), down(&script, 2), down(&script, 0);
    expect(&script, "-2 -0 gave-up");
    finish(&script);
}

static void a_sibling_that_fails_to_start_restarts_its_own_group(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_REST_FOR_ONE, TR_PERMANENT);
    fails(&script, 0), down(&script, 2), down(&script, 1), up(&script, 0);
    expect(&script, "-2 -1 +0 +1~");
    fails(&script, 1);
    expect(&script, "+1");
    up(&script, 1), up(&script, 2);
    expect(&script, "+2~");
    finish(&script);
}

static void in_one_for_all_a_failed_start_stops_the_restarted_again(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 2), down(&script, 1), down(&script, 0), up(&script, 0);
    expect(&script, "-1 -0 +0~ +1~");
    fails(&script, 1);
    expect(&script, "-0");
    down(&script, 0), up(&script, 0), up(&script, 1), up(&script, 2);
    expect(&script, "+0~ +1 +2~");
    finish(&script);
}

static void stop_during_a_restart_stops_the_one_that_starts(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 2), down(&script, 1), down(&script, 0), up(&script, 0);
    expect(&script, "-1 -0 +0~ +1~");
    stop(&script), fails(&script, 1), down(&script, 0);
    expect(&script, "-1 -0 stopped");
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_restarts_as_allowed_survive_one_more_gives_up),
        cmocka_unit_test(restarts_outside_the_period_are_forgiven),
        cmocka_unit_test(the_window_slides),
        cmocka_unit_test(both_ends_of_the_period_belong_to_it),
        cmocka_unit_test(restarts_of_all_children_count_together),
        cmocka_unit_test(normal_ends_of_permanent_children_count),
        cmocka_unit_test(several_that_die_with_their_node_are_one_restart),
        cmocka_unit_test(what_fails_again_after_the_death_of_its_node_counts_again),
        cmocka_unit_test(a_node_takes_with_it_only_what_lives_there),
        cmocka_unit_test(a_failed_start_is_another_restart),
        cmocka_unit_test(a_sibling_that_fails_to_start_restarts_its_own_group),
        cmocka_unit_test(in_one_for_all_a_failed_start_stops_the_restarted_again),
        cmocka_unit_test(stop_during_a_restart_stops_the_one_that_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
