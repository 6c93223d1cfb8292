/* OTP's cases of significant children: same names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

static const enum tr_auto_shutdown rules_of_all[] = { TR_NEVER, TR_ANY_SIGNIFICANT, TR_ALL_SIGNIFICANT };

/* Three children of one kind, of which the first two are significant or not. */
static void run(struct script *script, enum tr_strategy strategy, enum tr_auto_shutdown rule,
                enum tr_restart kind, bool significant) {
    struct tr_child_rules children[3];
    for (int i = 0; i < 3; i++) children[i] = *CHILD(.restart = kind, .significant = significant && i < 2);
    run_all(script, RULES(.strategy = strategy, .auto_shutdown = rule, .restarts = 3), 3, children);
}

static void nonsignificant_temporary(void **state) {
    (void)state;
    for (int rule = 0; rule < 3; rule++) {
        struct script script;
        run(&script, TR_ONE_FOR_ONE, rules_of_all[rule], TR_TEMPORARY, false);
        ends(&script, 0, TR_EXIT_NORMAL), down(&script, 1), fails(&script, 2);
        expect(&script, "f0 f1 f2");
        finish(&script);
    }
}

static void nonsignificant_transient(void **state) {
    (void)state;
    for (int rule = 0; rule < 3; rule++) {
        struct script script;
        run(&script, TR_ONE_FOR_ONE, rules_of_all[rule], TR_TRANSIENT, false);
        ends(&script, 0, TR_EXIT_NORMAL), down(&script, 1), fails(&script, 2);
        expect(&script, "r0 r1 +2");
        finish(&script);
    }
}

static void significant_temporary(void **state) {
    (void)state;
    for (int why = TR_EXIT_NORMAL; why <= TR_EXIT_FAILED; why++) {
        struct script script;
        run(&script, TR_ONE_FOR_ONE, TR_ANY_SIGNIFICANT, TR_TEMPORARY, true);
        terminate(&script, 1, 0), down(&script, 0); /* not by itself */
        expect(&script, "-0 1:ok f0");
        ends(&script, 1, (enum tr_exit)why), down(&script, 2);
        expect(&script, "f1 -2 finished");
        finish(&script);
        run(&script, TR_ONE_FOR_ONE, TR_ALL_SIGNIFICANT, TR_TEMPORARY, true);
        ends(&script, 1, (enum tr_exit)why);
        expect(&script, "f1");
        ends(&script, 0, (enum tr_exit)why), down(&script, 2);
        expect(&script, "f0 -2 finished");
        finish(&script);
    }
}

static void significant_transient(void **state) {
    struct script script;
    (void)state;
    run(&script, TR_ONE_FOR_ONE, TR_ANY_SIGNIFICANT, TR_TRANSIENT, true);
    terminate(&script, 1, 0), down(&script, 0), fails(&script, 1), up(&script, 1);
    expect(&script, "-0 1:ok r0 +1");
    ends(&script, 1, TR_EXIT_NORMAL), down(&script, 2);
    expect(&script, "r1 -2 finished");
    finish(&script);
    run(&script, TR_ONE_FOR_ONE, TR_ALL_SIGNIFICANT, TR_TRANSIENT, true);
    down(&script, 0), ends(&script, 1, TR_EXIT_NORMAL), down(&script, 2);
    expect(&script, "r0 r1 -2 finished");
    finish(&script);
}

/* In any mode, the end of the last significant child that was terminated is nobody's own end. */
static void significant_terminated_last(void **state) {
    struct script script;
    (void)state;
    run(&script, TR_ONE_FOR_ONE, TR_ALL_SIGNIFICANT, TR_TRANSIENT, true);
    down(&script, 0), terminate(&script, 1, 1), down(&script, 1);
    expect(&script, "r0 -1 1:ok r1");
    finish(&script);
}

static void significant_simple(void **state) {
    struct script script;
    tr_child_id id;
    (void)state;
    script_create(&script, RULES(.strategy = TR_DYNAMIC, .auto_shutdown = TR_ANY_SIGNIFICANT));
    assert_int_equal(tr_supervision_add(script.machine, CHILD(.restart = TR_TEMPORARY, .significant = true), &id),
                     TR_ANSWER_INVALID);
    finish(&script);
}

/* Strategy x kind: who is brought down with its group has not ended by itself. */
static void significant_bystander(void **state) {
    static const enum tr_strategy strategies[] = { TR_ONE_FOR_ALL, TR_REST_FOR_ONE };
    static const enum tr_restart kinds[] = { TR_TEMPORARY, TR_TRANSIENT };
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct script script;
        struct tr_child_rules children[] = { permanent[0],
                                             *CHILD(.restart = kinds[i / 2 % 2], .significant = true) };
        run_all(&script, RULES(.strategy = strategies[i % 2], .auto_shutdown = rules_of_all[1 + i / 4],
                               .restarts = 1), 2, children);
        fails(&script, 0), down(&script, 1), up(&script, 0), up(&script, 1);
        expect(&script, kinds[i / 2 % 2] == TR_TEMPORARY ? "-1 f1 +0" : "-1 +0 +1~");
        finish(&script);
    }
}

/* The inner one finishes; for the outer one it has ended in order, which is its own significant child's end. */
static void significant_escalation(void **state) {
    (void)state;
    for (int significant = 0; significant < 2; significant++) {
        struct script outer, inner;
        run(&inner, TR_ONE_FOR_ONE, TR_ANY_SIGNIFICANT, TR_TRANSIENT, true);
        run(&outer, TR_ONE_FOR_ONE, TR_ANY_SIGNIFICANT, TR_TRANSIENT, significant == 1);
        ends(&inner, 0, TR_EXIT_NORMAL), down(&inner, 2), down(&inner, 1);
        expect(&inner, "r0 -2 -1 finished");
        down(&outer, 0);
        expect(&outer, significant == 1 ? "r0 -2" : "r0");
        finish(&inner), finish(&outer);
    }
}

/* permanent; or with no auto_shutdown: what OTP calls a bad combination. */
static void bad_combinations(void **state) {
    (void)state;
    for (int rule = 0; rule < 3; rule++)
        for (int kind = TR_PERMANENT; kind <= TR_TEMPORARY; kind++) {
            struct script script;
            tr_child_id id;
            bool good = kind != TR_PERMANENT && rules_of_all[rule] != TR_NEVER;
            script_create(&script, RULES(.auto_shutdown = rules_of_all[rule]));
            enum tr_answer answer = tr_supervision_add(
                script.machine, CHILD(.restart = (enum tr_restart)kind, .significant = true), &id);
            assert_int_equal(answer, good ? TR_ANSWER_OK : TR_ANSWER_INVALID);
            finish(&script);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsignificant_temporary),
        cmocka_unit_test(nonsignificant_transient),
        cmocka_unit_test(significant_temporary),
        cmocka_unit_test(significant_transient),
        cmocka_unit_test(significant_terminated_last),
        cmocka_unit_test(significant_simple),
        cmocka_unit_test(significant_bystander),
        cmocka_unit_test(significant_escalation),
        cmocka_unit_test(bad_combinations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
