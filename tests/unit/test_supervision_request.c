/* Requests to the supervisor machine: in every state of the child, in every phase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

static void expect_answers(struct script *script, const char *restarted, const char *deleted) {
    restart(script, 1, 0);
    expect(script, restarted);
    delete_child(script, 2, 0);
    expect(script, deleted);
}

static void the_table_of_answers(void **state) {
    struct tr_child_rules child = *CHILD(.shutdown = SECOND);
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 1, &child);
    expect_answers(&script, "1:restarting", "2:restarting"); /* DOWN */
    begin(&script);
    expect(&script, "+0");
    expect_answers(&script, "1:restarting", "2:restarting"); /* STARTING */
    up(&script, 0);
    expect(&script, "ready");
    expect_answers(&script, "1:running", "2:running");
    terminate(&script, 3, 0);
    expect(&script, "-0 @1000");
    expect_answers(&script, "1:restarting", "2:running"); /* STOPPING */
    tick(&script, SECOND);
    expect(&script, "x0");
    expect_answers(&script, "1:restarting", "2:running"); /* KILLING */
    fails(&script, 0);
    expect(&script, "3:ok r0");
    expect_answers(&script, "+0", "2:restarting");
    stop(&script);
    expect(&script, "1:stopping -0 @2000");
    expect_answers(&script, "1:stopping", "2:stopping");
    down(&script, 0);
    expect(&script, "@- stopped");
    expect_answers(&script, "1:stopping", "2:stopping");
    finish(&script);
}

static void a_child_is_launched_behind_the_others(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_REST_FOR_ONE, TR_PERMANENT);
    launch(&script, 7, &permanent[0]), up(&script, 3), fails(&script, 2), down(&script, 3);
    expect(&script, "+3 7:ok -3 +2");
    up(&script, 2), up(&script, 3);
    expect(&script, "+3~");
    finish(&script);
}

static void a_child_launched_before_the_end_of_the_first_start_has_its_turn(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 2, permanent);
    begin(&script), launch(&script, 7, &permanent[0]), up(&script, 0), up(&script, 1);
    expect(&script, "+0 +1 +2");
    fails(&script, 2); /* it is not one of those that must start */
    expect(&script, "7:failed f2 ready");
    finish(&script);
}

static void a_child_launched_during_a_restart_has_its_turn(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 0), launch(&script, 7, &permanent[0]);
    expect(&script, "-2");
    down(&script, 2), down(&script, 1), up(&script, 0), up(&script, 1), up(&script, 2), up(&script, 3);
    expect(&script, "-1 +0 +1~ +2~ +3 7:ok");
    finish(&script);
}

/* It did not become ready because of a sibling: it will be started again, and its request goes on. */
static void a_launch_outlives_the_restart_of_its_group(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_ONE_FOR_ALL, 1, (enum tr_restart[]){ TR_PERMANENT });
    launch(&script, 7, &permanent[0]), fails(&script, 0), down(&script, 1), up(&script, 0), up(&script, 1);
    expect(&script, "+1 -1 +0 +1 7:ok");
    finish(&script);
}

static void whoever_is_asked_down_while_it_starts_has_not_started(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 0, 0, NULL);
    begin(&script), launch(&script, 7, &permanent[0]), terminate(&script, 8, 0), up(&script, 0);
    expect(&script, "ready +0 -0");
    down(&script, 0);
    expect(&script, "7:failed 8:ok f0");
    finish(&script);
}

static void one_asked_down_in_its_group_is_left_down_by_that_one_alone(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&script, 0), terminate(&script, 7, 1), down(&script, 2);
    expect(&script, "-2 -1"); /* in its turn */
    down(&script, 1), up(&script, 0), up(&script, 2);
    expect(&script, "7:ok +0 +2~");
    fails(&script, 0), down(&script, 2), up(&script, 0), up(&script, 1), up(&script, 2);
    expect(&script, "-2 +0 +1~ +2~");
    finish(&script);
}

static void asked_down_an_end_of_its_own_is_not_judged(void **state) {
    struct script script;
    (void)state;
    run_kinds(&script, TR_ONE_FOR_ONE, 1, (enum tr_restart[]){ TR_PERMANENT });
    for (int i = 0; i < 9; i++) {
        terminate(&script, 7, 0), fails(&script, 0), restart(&script, 8, 0), up(&script, 0);
        expect(&script, "-0 7:ok r0 +0 8:ok");
    }
    finish(&script);
}

static void one_brought_back_before_the_others_were_told_is_not_told(void **state) {
    struct script script;
    (void)state;
    run_three(&script, TR_ONE_FOR_ALL, TR_TRANSIENT);
    down(&script, 0), restart(&script, 7, 0), up(&script, 0), down(&script, 1), down(&script, 2);
    expect(&script, "+0 7:ok");
    down(&script, 0);
    expect(&script, "r0 r1 r2");
    restart(&script, 8, 1), up(&script, 1), fails(&script, 1), up(&script, 0);
    expect(&script, "+1 8:ok +0~ +1");
    finish(&script);
}

static void there_is_a_limit(void **state) {
    struct script script;
    tr_child_id id;
    (void)state;
    script_create(&script, RULES(.strategy = TR_DYNAMIC, .max_children = 2));
    begin(&script), launch(&script, 1, &permanent[0]), launch(&script, 2, &permanent[0]), up_all(&script);
    assert_int_equal(tr_supervision_add(script.machine, &permanent[0], &id), TR_ANSWER_LIMIT);
    terminate(&script, 3, 0), down(&script, 0), launch(&script, 4, &permanent[0]);
    expect(&script, "ready +0 +1 1:ok 2:ok -0 3:ok f0 +2");
    stop(&script);
    assert_int_equal(tr_supervision_add(script.machine, &permanent[0], &id), TR_ANSWER_STOPPING);
    down(&script, 1), down(&script, 2);
    expect(&script, "4:stopping -1 -2 stopped");
    finish(&script);
}

/* Events of a forgotten child do not reach the one that has its entry. */
static void an_entry_is_used_again_under_another_serial(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_DYNAMIC, 1, 0, NULL);
    begin(&script), launch(&script, 1, &permanent[0]), fails(&script, 0), launch(&script, 2, &permanent[0]);
    expect(&script, "ready +0 1:failed f0 +1");
    assert_int_equal(script.ids[0].index, script.ids[1].index);
    up(&script, 0), fails(&script, 0), lose(&script, "0"), ignores(&script, 0);
    assert_int_equal(state_of(&script, 1), TR_CHILD_STARTING);
    up(&script, 1);
    expect(&script, "2:ok");
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_answers),
        cmocka_unit_test(a_child_is_launched_behind_the_others),
        cmocka_unit_test(a_child_launched_before_the_end_of_the_first_start_has_its_turn),
        cmocka_unit_test(a_child_launched_during_a_restart_has_its_turn),
        cmocka_unit_test(a_launch_outlives_the_restart_of_its_group),
        cmocka_unit_test(whoever_is_asked_down_while_it_starts_has_not_started),
        cmocka_unit_test(one_asked_down_in_its_group_is_left_down_by_that_one_alone),
        cmocka_unit_test(asked_down_an_end_of_its_own_is_not_judged),
        cmocka_unit_test(one_brought_back_before_the_others_were_told_is_not_told),
        cmocka_unit_test(there_is_a_limit),
        cmocka_unit_test(an_entry_is_used_again_under_another_serial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
