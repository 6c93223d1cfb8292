/* The supervisor machine and time: being ready in time, backoff; and how its work grows with its children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"
#include "services/supervision_parts.h"

/* ---- Ready in time ---- */

static void one_that_is_not_ready_in_time_is_killed_and_has_failed_to_start(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 1, &permanent[0]);
    add(&script, CHILD(.ready = SECOND));
    begin(&script), up(&script, 0);
    expect(&script, "+0 +1 @1000");
    tick(&script, SECOND);
    expect(&script, "x1");
    up(&script, 1); /* too late */
    expect(&script, "");
    ends(&script, 1, TR_EXIT_SHUTDOWN), down(&script, 0);
    expect(&script, "-0 gave-up");
    finish(&script);
}

static void one_that_is_ready_in_time_has_no_deadline_any_more(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 1, 0, NULL);
    add(&script, CHILD(.ready = SECOND));
    begin(&script), up(&script, 0);
    expect(&script, "+0 @1000 ready @-");
    tick(&script, 2 * SECOND);
    finish(&script);
}

static void a_restart_that_is_not_ready_in_time_is_another_restart(void **state) {
    struct script script;
    (void)state;
    create(&script, TR_ONE_FOR_ONE, 2, 0, NULL);
    add(&script, CHILD(.restart = TR_TRANSIENT, .ready = SECOND));
    begin(&script), up(&script, 0), fails(&script, 0);
    expect(&script, "+0 @1000 ready @- +0 @1000");
    tick(&script, SECOND), down(&script, 0); /* whatever it says in the end */
    expect(&script, "x0 +0 @2000");
    fails(&script, 0);
    expect(&script, "@- gave-up");
    finish(&script);
}

/* ---- Backoff ---- */

static const struct tr_backoff_rules doubling = { .initial = 100, .maximum = 500, .reset = SECOND, .factor = 200 };

static void restarts_in_a_row_wait_longer_up_to_the_maximum(void **state) {
    static const int64_t waits[] = { 100, 200, 400, 500, 500 };
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 9, .backoff = doubling), 1, permanent);
    for (int i = 0; i < 5; i++) {
        char log[32];
        fails(&script, 0);
        snprintf(log, sizeof log, "@%lld", (long long)(script.now + waits[i]));
        expect(&script, log);
        tick(&script, script.now + waits[i]), up(&script, 0);
        expect(&script, "+0");
        script.now += SECOND - 1; /* not long enough */
    }
    script.now++;
    fails(&script, 0);
    assert_int_equal(script.machine->timer, script.now + 100);
    script.log[0] = '\0';
    finish(&script);
}

static void a_restart_counts_when_its_wait_begins(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.restarts = 1, .backoff = { .initial = 2 * SECOND, .maximum = 2 * SECOND,
                                                       .factor = 100, .reset = SECOND }), 1, permanent);
    fails(&script, 0), tick(&script, 2 * SECOND), up(&script, 0);
    expect(&script, "@2000 +0");
    script.now = 5 * SECOND;
    fails(&script, 0); /* 5 s after the first, 3 s after its start */
    expect(&script, "gave-up");
    finish(&script);
}

static void waits_are_spread_by_the_jitter_as_the_seed_says(void **state) {
    int64_t least = INT64_MAX, most = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct script script;
        struct tr_backoff_rules rules = { .initial = 100, .maximum = 100, .factor = 100, .jitter = 20 };
        run_all(&script, RULES(.restarts = 9, .backoff = rules, .seed = seed), 1, permanent);
        fails(&script, 0);
        int64_t wait = script.machine->timer;
        if (wait < least) least = wait;
        if (wait > most) most = wait;
        tr_supervision_free(script.machine);
    }
    assert_int_equal(least, 80);
    assert_int_equal(most, 120);
}

static void a_group_is_cleared_at_once_and_waits_for_its_origin(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_ONE_FOR_ALL, .restarts = 9, .backoff = doubling), 2, permanent);
    fails(&script, 1);
    expect(&script, "-0");
    script.now = 50;
    down(&script, 0);
    expect(&script, "@150");
    tick(&script, 150), up(&script, 0), up(&script, 1);
    expect(&script, "+0~ +1");
    finish(&script);
}

static void one_on_the_left_that_fails_meanwhile_takes_over(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_REST_FOR_ONE, .restarts = 9, .backoff = doubling), 3, permanent);
    fails(&script, 2);
    expect(&script, "@100");
    script.now = 50;
    fails(&script, 0), down(&script, 1);
    expect(&script, "-1 @- @150");
    tick(&script, 150), up(&script, 0), up(&script, 1), up(&script, 2);
    expect(&script, "+0 +1~ +2~");
    finish(&script);
}

static void a_child_launched_while_its_group_waits_is_started_with_it(void **state) {
    struct script script;
    (void)state;
    run_all(&script, RULES(.strategy = TR_ONE_FOR_ALL, .restarts = 9, .backoff = doubling), 1, permanent);
    fails(&script, 0), launch(&script, 7, &permanent[0]);
    expect(&script, "@100");
    tick(&script, 100), up(&script, 0), up(&script, 1);
    expect(&script, "+0 +1 7:ok");
    finish(&script);
}

static void the_end_does_not_wait_for_a_backoff(void **state) {
    static const enum tr_strategy strategies[] = { TR_ONE_FOR_ONE, TR_REST_FOR_ONE, TR_DYNAMIC };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct script script;
        run_all(&script, RULES(.strategy = strategies[i], .restarts = 9, .backoff = doubling), 2, permanent);
        fails(&script, 1), stop(&script);
        expect(&script, "@100 -0 @-");
        tick(&script, 100), down(&script, 0);
        expect(&script, "stopped");
        finish(&script);
    }
}

/* ---- Many children ---- */

struct crowd {
    tr_child_id *ids;
    uint64_t *runs;
};

static void crowd_start(void *context, tr_child_id id, uint64_t run, bool flush) {
    (void)flush;
    ((struct crowd *)context)->runs[id.index] = run;
}

static void crowd_stop(void *context, tr_child_id id, uint64_t run, bool kill) {
    (void)context, (void)id, (void)run, (void)kill;
}

static void crowd_gone(void *context, tr_child_id id) {
    (void)context, (void)id;
}

static void crowd_answer(void *context, uint64_t request, enum tr_answer answer, tr_child_id id) {
    (void)context, (void)request, (void)answer, (void)id;
}

static void crowd_started(void *context) {
    (void)context;
}

static void crowd_stopped(void *context, enum tr_over over) {
    (void)context, (void)over;
}

static void crowd_timer(void *context, int64_t at) {
    (void)context, (void)at;
}

static const struct tr_supervision_io crowd_io = { crowd_start,  crowd_stop,    crowd_gone,    crowd_gone,
                                                   crowd_answer, crowd_started, crowd_stopped, crowd_timer };

static void up_now(struct tr_supervision *s, struct crowd *crowd, uint32_t i) {
    tr_supervision_started(s, crowd->ids[i], crowd->runs[crowd->ids[i].index], 1);
}

static void ends_now(struct tr_supervision *s, struct crowd *crowd, uint32_t i, enum tr_exit why) {
    tr_supervision_exited(s, crowd->ids[i], crowd->runs[crowd->ids[i].index], why, 2);
}

static void launch_crowd(struct tr_supervision *s, struct crowd *crowd, uint32_t count) {
    const struct tr_child_rules *rules = CHILD(.shutdown = SECOND, .ready = SECOND);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(tr_supervision_add(s, rules, &crowd->ids[i]), TR_ANSWER_OK);
        tr_supervision_launch(s, crowd->ids[i], i + 1, 0);
    }
    for (uint32_t i = count; i-- > 0;) up_now(s, crowd, i);
}

/* So many are launched, fail once, half of them are terminated, the rest stopped: the steps of all that. */
static uint64_t steps_of(enum tr_strategy strategy, uint32_t count) {
    struct crowd crowd = { calloc(count, sizeof *crowd.ids), calloc(count + 64, sizeof *crowd.runs) };
    struct tr_supervision *s =
        tr_supervision_new(RULES(.strategy = strategy, .restarts = count), &crowd_io, &crowd);
    uint32_t living;
    tr_supervision_start(s, 0);
    launch_crowd(s, &crowd, count);
    for (uint32_t i = 0; i < count; i++) ends_now(s, &crowd, i, TR_EXIT_FAILED), up_now(s, &crowd, i);
    for (uint32_t i = 0; i < count; i += 2) tr_supervision_terminate(s, crowd.ids[i], i + 1, 2);
    for (uint32_t i = 0; i < count; i += 2) ends_now(s, &crowd, i, TR_EXIT_SHUTDOWN);
    tr_supervision_count(s, &living);
    assert_int_equal(living, count / 2);
    tr_supervision_stop(s, 2);
    for (uint32_t i = count; i-- > 0;) ends_now(s, &crowd, i, TR_EXIT_SHUTDOWN);
    assert_int_equal(s->phase, TR_PHASE_OVER);
    uint64_t steps = s->steps;
    tr_supervision_free(s);
    free(crowd.ids);
    free(crowd.runs);
    return steps;
}

/* Six events a child, each of O(log n): the worst of them moves an entry through four heaps. */
static void check_scale(enum tr_strategy strategy) {
    for (uint32_t count = 1000; count <= 100000; count *= 10) {
        uint64_t steps = steps_of(strategy, count);
        print_message("%u children: %.1f steps for each\n", count, (double)steps / count);
        assert_in_range(steps, count, (uint64_t)count * 150);
    }
}

static void simple_one_for_one_scale_many_temporary_children(void **state) {
    (void)state;
    check_scale(TR_DYNAMIC);
}

static void scale_start_stop_many_children(void **state) {
    (void)state;
    check_scale(TR_ONE_FOR_ONE);
}

static int64_t earliest(const int64_t *due, uint32_t count) {
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (due[i] < first) first = due[i];
    return first;
}

static void check_heap(const struct tr_heap *heap) {
    for (uint32_t i = 1; i < heap->count; i++)
        assert_true(heap->items[(i - 1) / 2]->due <= heap->items[i]->due);
}

/* Deadlines of many children at random; they become ready in any order, so they leave from anywhere. */
static void the_timer_is_the_earliest_of_many_deadlines(void **state) {
    enum { COUNT = 300 };
    struct crowd crowd = { (tr_child_id[COUNT]){ { 0, 0 } }, (uint64_t[COUNT + 64]){ 0 } };
    struct tr_supervision *s = tr_supervision_new(RULES(.strategy = TR_DYNAMIC), &crowd_io, &crowd);
    struct tr_random random;
    int64_t due[COUNT];
    (void)state;
    tr_random_seed(&random, 1);
    tr_supervision_start(s, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        due[i] = 1 + (int64_t)tr_random_below(&random, 1000);
        assert_int_equal(tr_supervision_add(s, CHILD(.ready = due[i]), &crowd.ids[i]), TR_ANSWER_OK);
        tr_supervision_launch(s, crowd.ids[i], i + 1, 0);
        assert_int_equal(s->timer, earliest(due, i + 1));
    }
    for (int n = 0; n < 20 * COUNT; n++) {
        uint32_t i = (uint32_t)tr_random_below(&random, COUNT);
        tr_supervision_started(s, crowd.ids[i], crowd.runs[crowd.ids[i].index], 0);
        due[i] = INT64_MAX;
        assert_int_equal(s->timer, earliest(due, COUNT));
        check_heap(&s->heaps[TR_HEAP_DUE]);
    }
    assert_int_equal(s->timer, INT64_MAX);
    tr_supervision_free(s);
}

/* Entries and heaps are used again. */
static void children_that_come_and_go_leave_nothing(void **state) {
    struct crowd crowd = { (tr_child_id[1]){ { 0, 0 } }, (uint64_t[64]){ 0 } };
    struct tr_supervision *s = tr_supervision_new(RULES(.strategy = TR_DYNAMIC), &crowd_io, &crowd);
    (void)state;
    tr_supervision_start(s, 0);
    for (uint32_t i = 0; i < 200000; i++) {
        launch_crowd(s, &crowd, 1);
        tr_supervision_terminate(s, crowd.ids[0], 1, 2);
        ends_now(s, &crowd, 0, TR_EXIT_SHUTDOWN);
    }
    assert_int_equal(s->segment_count, 1);
    assert_int_equal(s->heaps[TR_HEAP_DUE].space, 16);
    tr_supervision_free(s);
}

/* A node with all the children of a large supervisor. */
static void the_death_of_a_node_costs_no_more_than_its_children(void **state) {
    enum { COUNT = 10000 };
    struct crowd crowd = { calloc(COUNT, sizeof *crowd.ids), calloc(COUNT + 64, sizeof *crowd.runs) };
    struct tr_supervision *s =
        tr_supervision_new(RULES(.strategy = TR_DYNAMIC, .restarts = 1), &crowd_io, &crowd);
    uint32_t living;
    (void)state;
    tr_supervision_start(s, 0);
    launch_crowd(s, &crowd, COUNT);
    uint64_t before = s->steps;
    tr_supervision_lost(s, crowd.ids, COUNT, 3);
    assert_in_range(s->steps - before, COUNT, COUNT * 80);
    assert_int_equal(tr_supervision_count(s, &living), COUNT);
    assert_int_equal(living, COUNT); /* one restart */
    tr_supervision_free(s);
    free(crowd.ids);
    free(crowd.runs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_not_ready_in_time_is_killed_and_has_failed_to_start),
        cmocka_unit_test(one_that_is_ready_in_time_has_no_deadline_any_more),
        cmocka_unit_test(a_restart_that_is_not_ready_in_time_is_another_restart),
        cmocka_unit_test(restarts_in_a_row_wait_longer_up_to_the_maximum),
        cmocka_unit_test(a_restart_counts_when_its_wait_begins),
        cmocka_unit_test(waits_are_spread_by_the_jitter_as_the_seed_says),
        cmocka_unit_test(a_group_is_cleared_at_once_and_waits_for_its_origin),
        cmocka_unit_test(one_on_the_left_that_fails_meanwhile_takes_over),
        cmocka_unit_test(a_child_launched_while_its_group_waits_is_started_with_it),
        cmocka_unit_test(the_end_does_not_wait_for_a_backoff),
        cmocka_unit_test(simple_one_for_one_scale_many_temporary_children),
        cmocka_unit_test(scale_start_stop_many_children),
        cmocka_unit_test(the_timer_is_the_earliest_of_many_deadlines),
        cmocka_unit_test(children_that_come_and_go_leave_nothing),
        cmocka_unit_test(the_death_of_a_node_costs_no_more_than_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
