/* OTP's cases of restart types and strategies, as far as they are the machine's: same names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- Restart types ---- */

/* The only child ends; what is done, and what can be asked of it then. */
static void check_type(enum tr_restart kind, enum tr_exit why, const char *log, enum tr_child_state state) {
    struct script script;
    run_kinds(&script, TR_ONE_FOR_ONE, 1, &kind);
    ends(&script, 0, why);
    expect(&script, log);
    assert_int_equal(state_of(&script, 0), state);
    restart(&script, 7, 0);
    expect(&script, state == TR_CHILD_RESTING ? "+0" : state == TR_CHILD_GONE ? "7:unknown" : "7:restarting");
    finish(&script);
}

static void permanent_normal(void **state) {
    (void)state;
    check_type(TR_PERMANENT, TR_EXIT_NORMAL, "+0", TR_CHILD_STARTING);
}

static void transient_normal(void **state) {
    (void)state;
    check_type(TR_TRANSIENT, TR_EXIT_NORMAL, "r0", TR_CHILD_RESTING);
}

static void temporary_normal(void **state) {
    (void)state;
    check_type(TR_TEMPORARY, TR_EXIT_NORMAL, "f0", TR_CHILD_GONE);
}

static void permanent_shutdown(void **state) {
    (void)state;
    check_type(TR_PERMANENT, TR_EXIT_SHUTDOWN, "+0", TR_CHILD_STARTING);
}

static void transient_shutdown(void **state) {
    (void)state;
    check_type(TR_TRANSIENT, TR_EXIT_SHUTDOWN, "r0", TR_CHILD_RESTING);
}

static void temporary_shutdown(void **state) {
    (void)state;
    check_type(TR_TEMPORARY, TR_EXIT_SHUTDOWN, "f0", TR_CHILD_GONE);
}

static void permanent_abnormal(void **state) {
    (void)state;
    check_type(TR_PERMANENT, TR_EXIT_FAILED, "+0", TR_CHILD_STARTING);
}

static void transient_abnormal(void **state) {
    (void)state;
    check_type(TR_TRANSIENT, TR_EXIT_FAILED, "+0", TR_CHILD_STARTING);
}

static void temporary_abnormal(void **state) {
    (void)state;
    check_type(TR_TEMPORARY, TR_EXIT_FAILED, "f0", TR_CHILD_GONE);
}

static void temporary_bystander(void **state) {
    static const enum tr_strategy strategies[] = { TR_ONE_FOR_ALL, TR_REST_FOR_ONE };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct script script;
        run_kinds(&script, strategies[i], 2, (enum tr_restart[]){ TR_PERMANENT, TR_TEMPORARY });
        fails(&script, 0), down(&script, 1), up(&script, 0);
        expect(&script, "-1 f1 +0");
        expect_count(&script, 1, 1);
        finish(&script);
    }
}

/* ---- Strategies ---- */

static void multiple_restarts(void **state) {
    struct script script;
    (void)state;
    run_all(&script, &(struct tr_supervision_rules){ .restarts = 1, .within = SECOND }, 1, permanent);
    for (int i = 0; i < 4; i++) {
        script.now += SECOND + 1;
        fails(&script, 0), up(&script, 0);
        expect(&script, "+0");
    }
    script.now += SECOND;
    fails(&script, 0);
    expect(&script, "gave-up");
    finish(&script);
}

/* Two restarts are allowed. */
static void run_two(struct script *script, enum tr_strategy strategy) {
    run_all(script, RULES(.strategy = strategy, .restarts = 2), 2, permanent);
}

static void one_for_one(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_ONE_FOR_ONE);
    fails(&script, 0), up(&script, 0), fails(&script, 1), up(&script, 1);
    expect(&script, "+0 +1");
    fails(&script, 0), down(&script, 1);
    expect(&script, "-1 gave-up");
    finish(&script);
}

static void one_for_one_escalation(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 4), 2, permanent);
    for (int i = 0; i < 5; i++) fails(&script, 0);
    expect(&script, "+0 +0 +0 +0 -1");
    down(&script, 1);
    expect(&script, "gave-up");
    finish(&script);
}

static void one_for_all(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_ONE_FOR_ALL);
    fails(&script, 0), down(&script, 1), up(&script, 0), up(&script, 1);
    expect(&script, "-1 +0 +1~");
    fails(&script, 1), down(&script, 0), up(&script, 0), up(&script, 1);
    expect(&script, "-0 +0~ +1");
    fails(&script, 0), down(&script, 1);
    expect(&script, "-1 gave-up");
    finish(&script);
}

static void one_for_all_escalation(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_ONE_FOR_ALL);
    fails(&script, 1), down(&script, 0), up(&script, 0), fails(&script, 1), down(&script, 0), up(&script, 0);
    expect(&script, "-0 +0~ +1 -0 +0~ +1");
    fails(&script, 1), down(&script, 0);
    expect(&script, "-0 gave-up");
    finish(&script);
}

static void one_for_all_other_child_fails_restart(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_ONE_FOR_ALL);
    fails(&script, 0), down(&script, 1), up(&script, 0), fails(&script, 1);
    expect(&script, "-1 +0 +1~ -0");
    down(&script, 0), up(&script, 0), up(&script, 1);
    expect(&script, "+0~ +1");
    finish(&script);
}

static void simple_one_for_one(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_DYNAMIC);
    fails(&script, 0), up(&script, 0), fails(&script, 0), up(&script, 0), fails(&script, 0);
    expect(&script, "+0 +0 -1");
    down(&script, 1);
    expect(&script, "gave-up");
    finish(&script);
}

static void simple_one_for_one_shutdown(void **state) {
    struct tr_child_rules children[3];
    struct script script;
    (void)state;
    for (int i = 0; i < 3; i++) children[i] = *CHILD(.shutdown = 2 * SECOND);
    run_all(&script, RULES(.strategy = TR_DYNAMIC), 3, children);
    stop(&script);
    expect(&script, "-0 -1 -2 @2000");
    script.now = SECOND;
    down(&script, 0), down(&script, 1);
    expect(&script, "");
    tick(&script, 2 * SECOND), fails(&script, 2);
    expect(&script, "x2 stopped");
    finish(&script);
}

static void simple_one_for_one_escalation(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_DYNAMIC);
    for (int i = 0; i < 3; i++) fails(&script, 0);
    down(&script, 1);
    expect(&script, "+0 +0 -1 gave-up");
    finish(&script);
}

static void simple_one_for_one_restart_ignore(void **state) {
    static const enum tr_restart kinds[] = { TR_PERMANENT, TR_TRANSIENT };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct script script;
        run_kinds(&script, TR_DYNAMIC, 1, &kinds[i]);
        fails(&script, 0), up(&script, 0), fails(&script, 0), ignores(&script, 0);
        expect(&script, "+0 +0 f0");
        stop(&script);
        expect(&script, "stopped");
        finish(&script);
    }
}

static void rest_for_one(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_REST_FOR_ONE, .restarts = 2), 3, permanent);
    fails(&script, 1), down(&script, 2), up(&script, 1), up(&script, 2);
    expect(&script, "-2 +1 +2~");
    fails(&script, 2), up(&script, 2), fails(&script, 0), down(&script, 2), down(&script, 1);
    expect(&script, "+2 -2 -1 gave-up");
    finish(&script);
}

static void rest_for_one_escalation(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_REST_FOR_ONE);
    for (int i = 0; i < 3; i++) fails(&script, 1);
    down(&script, 0);
    expect(&script, "+1 +1 -0 gave-up");
    finish(&script);
}

static void rest_for_one_other_child_fails_restart(void **state) {
    struct script script;
    (void)state;
    run_two(&script, TR_REST_FOR_ONE);
    fails(&script, 0), down(&script, 1), up(&script, 0), fails(&script, 1), up(&script, 1);
    expect(&script, "-1 +0 +1~ +1");
    finish(&script);
}

/* A report that never comes does not keep anything up for ever: the kill is the last word. */
static void child_unlink(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 2), 1, CHILD(.shutdown = SECOND));
    terminate(&script, 1, 0), tick(&script, SECOND);
    expect(&script, "-0 @1000 x0");
    lose(&script, "0"); /* its node is killed with it */
    expect(&script, "1:ok r0");
    finish(&script);
}

static void order_of_children(void **state) {
    struct tr_child_rules children[5];
    struct script script;
    (void)state;
    for (int i = 0; i < 5; i++) children[i] = permanent[0];
    run_all(&script, RULES(.strategy = TR_REST_FOR_ONE, .restarts = 1), 5, children);
    fails(&script, 2), down(&script, 4), down(&script, 3), up(&script, 2), up(&script, 3), up(&script, 4);
    expect(&script, "-4 -3 +2 +3~ +4~");
    stop(&script);
    for (uint32_t i = 5; i-- > 0;) down(&script, i);
    expect(&script, "-4 -3 -2 -1 -0 stopped");
    finish(&script);
}

/* ---- A restart that hangs: with a backoff, and while it starts ---- */

static const struct tr_backoff_rules one_second = { .initial = SECOND, .maximum = SECOND, .factor = 100 };

static void hanging_restart_loop(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 9, .backoff = one_second), 1, permanent);
    fails(&script, 0), restart(&script, 1, 0), delete_child(&script, 2, 0);
    expect(&script, "@1000 1:restarting 2:restarting");
    tick(&script, SECOND), restart(&script, 3, 0), delete_child(&script, 4, 0);
    expect(&script, "+0 3:restarting 4:restarting");
    fails(&script, 0), terminate(&script, 5, 0);
    expect(&script, "@2000 5:ok r0 @-");
    restart(&script, 6, 0), up(&script, 0), fails(&script, 0), stop(&script);
    expect(&script, "+0 6:ok @2000 @- stopped");
    finish(&script);
}

/* The middle one of three hangs: while it waits, and while it starts. */
static void check_hanging_middle(bool starting) {
    struct script script;
    run_all(&script, RULES(.strategy = TR_REST_FOR_ONE, .restarts = 9, .backoff = one_second), 3, permanent);
    fails(&script, 1), down(&script, 2);
    expect(&script, "-2 @1000");
    restart(&script, 1, 1), delete_child(&script, 2, 1);
    expect(&script, "1:restarting 2:restarting");
    if (starting) tick(&script, SECOND);
    expect(&script, starting ? "+1" : "");
    terminate(&script, 3, 1);
    if (starting) fails(&script, 1);
    expect(&script, starting ? "-1 3:ok" : "3:ok @-");
    assert_int_equal(state_of(&script, 0), TR_CHILD_RUNNING);
    assert_int_equal(state_of(&script, 1), TR_CHILD_RESTING);
    assert_int_equal(state_of(&script, 2), TR_CHILD_RESTING);
    restart(&script, 4, 1), up(&script, 1), restart(&script, 5, 2), up(&script, 2);
    expect(&script, "+1 4:ok +2 5:ok");
    finish(&script);
}

static void hanging_restart_loop_rest_for_one(void **state) {
    (void)state;
    check_hanging_middle(false);
    check_hanging_middle(true);
}

static void hanging_restart_loop_simple(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_DYNAMIC, .restarts = 9, .backoff = one_second), 1, permanent);
    fails(&script, 0), terminate(&script, 1, 0);
    expect(&script, "@1000 1:ok f0 @-");
    expect_count(&script, 0, 0);
    finish(&script);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permanent_normal),
        cmocka_unit_test(transient_normal),
        cmocka_unit_test(temporary_normal),
        cmocka_unit_test(permanent_shutdown),
        cmocka_unit_test(transient_shutdown),
        cmocka_unit_test(temporary_shutdown),
        cmocka_unit_test(permanent_abnormal),
        cmocka_unit_test(transient_abnormal),
        cmocka_unit_test(temporary_abnormal),
        cmocka_unit_test(temporary_bystander),
        cmocka_unit_test(multiple_restarts),
        cmocka_unit_test(one_for_one),
        cmocka_unit_test(one_for_one_escalation),
        cmocka_unit_test(one_for_all),
        cmocka_unit_test(one_for_all_escalation),
        cmocka_unit_test(one_for_all_other_child_fails_restart),
        cmocka_unit_test(simple_one_for_one),
        cmocka_unit_test(simple_one_for_one_shutdown),
        cmocka_unit_test(simple_one_for_one_escalation),
        cmocka_unit_test(simple_one_for_one_restart_ignore),
        cmocka_unit_test(rest_for_one),
        cmocka_unit_test(rest_for_one_escalation),
        cmocka_unit_test(rest_for_one_other_child_fails_restart),
        cmocka_unit_test(child_unlink),
        cmocka_unit_test(order_of_children),
        cmocka_unit_test(hanging_restart_loop),
        cmocka_unit_test(hanging_restart_loop_rest_for_one),
        cmocka_unit_test(hanging_restart_loop_simple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
