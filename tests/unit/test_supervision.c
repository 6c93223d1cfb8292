/*
 * The supervisor machine, scenario by scenario, each named after what it shows.
 *
 * The machine's actions are written down in short, separated by blanks, and compared as text:
 *   +2  start child 2        +2~  ... and flush its mailbox     -2  stop it        x2  kill it
 *   f2  forget it            ready, stopped, gave-up            @5000 timer        @- no timer
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/supervision.h"

enum { CHILDREN = 5, SECOND = 1000 };

struct world {
    struct tr_supervision *supervision;
    int64_t now;
    uint64_t runs[CHILDREN];
    char log[1024];
};

static void __attribute__((format(printf, 2, 3))) note(struct world *world, const char *format, ...) {
    va_list arguments;
    size_t size = strlen(world->log);
    if (size > 0) world->log[size++] = ' ';
    va_start(arguments, format);
    int written = vsnprintf(world->log + size, sizeof world->log - size, format, arguments);
    va_end(arguments);
    assert_true(written > 0 && (size_t)written < sizeof world->log - size);
}

static void on_start(void *context, uint32_t child, uint64_t run, bool flush) {
    struct world *world = context;
    assert_int_equal(run, world->runs[child] + 1);
    world->runs[child] = run;
    note(world, flush ? "+%u~" : "+%u", child);
}

static void on_stop(void *context, uint32_t child, uint64_t run, bool kill) {
    struct world *world = context;
    assert_int_equal(run, world->runs[child]);
    note(world, kill ? "x%u" : "-%u", child);
}

static void on_forget(void *context, uint32_t child) {
    note(context, "f%u", child);
}

static void on_started(void *context) {
    note(context, "ready");
}

static void on_stopped(void *context, bool gave_up) {
    note(context, gave_up ? "gave-up" : "stopped");
}

static void on_timer(void *context, int64_t at) {
    if (at == INT64_MAX) note(context, "@-");
    else note(context, "@%lld", (long long)at);
}

static const struct tr_supervision_io io = { on_start,   on_stop,    on_forget,
                                             on_started, on_stopped, on_timer };

/* ---- Words of the scenarios ---- */

static void expect_at(struct world *world, const char *log, const char *file, int line) {
    _assert_string_equal(world->log, log, file, line);
    world->log[0] = '\0';
}

#define expect(world, log) expect_at(world, log, __FILE__, __LINE__)

static void create(struct world *world, enum tr_strategy strategy, uint32_t restarts, uint32_t count,
                   const struct tr_child_rules *children) {
    struct tr_supervision_rules rules = { strategy, restarts, 5 * SECOND, count, children };
    *world = (struct world){ .supervision = tr_supervision_new(&rules, &io, world) };
    assert_non_null(world->supervision);
}

static void begin(struct world *world) {
    tr_supervision_start(world->supervision, world->now);
}

static void up(struct world *world, uint32_t child) {
    tr_supervision_started(world->supervision, child, world->runs[child], world->now);
}

static void ends(struct world *world, uint32_t child, enum tr_exit why) {
    tr_supervision_exited(world->supervision, child, world->runs[child], why, world->now);
}

static void fails(struct world *world, uint32_t child) {
    ends(world, child, TR_EXIT_FAILED);
}

static void down(struct world *world, uint32_t child) {
    ends(world, child, TR_EXIT_SHUTDOWN);
}

static void tick(struct world *world, int64_t now) {
    world->now = now;
    tr_supervision_tick(world->supervision, now);
}

static void stop(struct world *world) {
    tr_supervision_stop(world->supervision, world->now);
}

static void finish(struct world *world) {
    expect(world, "");
    tr_supervision_free(world->supervision);
}

/* Children of one kind without a deadline, all started; 3 restarts in 5 s. */
static void run_kinds(struct world *world, enum tr_strategy strategy, uint32_t count,
                      const enum tr_restart *kinds) {
    struct tr_child_rules children[CHILDREN] = { { TR_PERMANENT, 0 } };
    for (uint32_t i = 0; i < count; i++) children[i] = (struct tr_child_rules){ kinds[i], TR_INFINITY };
    create(world, strategy, 3, count, children);
    begin(world);
    for (uint32_t i = 0; i < count; i++) up(world, i);
    world->log[0] = '\0';
}

static void run_three(struct world *world, enum tr_strategy strategy, enum tr_restart kind) {
    run_kinds(world, strategy, 3, (enum tr_restart[]){ kind, kind, kind });
}

static const struct tr_child_rules permanent[CHILDREN] = {
    { TR_PERMANENT, TR_INFINITY }, { TR_PERMANENT, TR_INFINITY }, { TR_PERMANENT, TR_INFINITY },
    { TR_PERMANENT, TR_INFINITY }, { TR_PERMANENT, TR_INFINITY },
};

/* ---- Start and stop ---- */

static void starts_from_left_to_right_each_after_the_other(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&world);
    expect(&world, "+0");
    up(&world, 0);
    expect(&world, "+1");
    up(&world, 1);
    expect(&world, "+2");
    up(&world, 2);
    expect(&world, "ready");
    finish(&world);
}

static void stops_from_right_to_left_each_after_the_other(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT);
    stop(&world);
    expect(&world, "-2");
    down(&world, 2);
    expect(&world, "-1");
    down(&world, 1);
    expect(&world, "-0");
    down(&world, 0);
    expect(&world, "stopped");
    finish(&world);
}

static void without_children_it_starts_and_stops(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ALL, 1, 0, NULL);
    begin(&world);
    expect(&world, "ready");
    stop(&world);
    expect(&world, "stopped");
    finish(&world);
}

static void a_failed_first_start_stops_the_started_in_reverse(void **state) {
    static const enum tr_exit reasons[] = { TR_EXIT_NORMAL, TR_EXIT_SHUTDOWN, TR_EXIT_FAILED };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world world;
        create(&world, TR_ONE_FOR_ONE, 10, 4, permanent);
        begin(&world), up(&world, 0), up(&world, 1);
        ends(&world, 2, reasons[i]);
        expect(&world, "+0 +1 +2 -1");
        down(&world, 1);
        expect(&world, "-0");
        down(&world, 0);
        expect(&world, "gave-up");
        finish(&world);
    }
}

static void even_a_temporary_child_must_start_at_first(void **state) {
    struct tr_child_rules child = { TR_TEMPORARY, 0 };
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 10, 1, &child);
    begin(&world), fails(&world, 0);
    expect(&world, "+0 gave-up");
    finish(&world);
}

static void stop_during_the_first_start_stops_the_one_that_starts_too(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&world), up(&world, 0);
    stop(&world);
    expect(&world, "+0 +1 -1");
    up(&world, 1); /* its answer was on its way */
    expect(&world, "");
    down(&world, 1);
    expect(&world, "-0");
    down(&world, 0);
    expect(&world, "stopped");
    finish(&world);
}

static void stop_before_the_start_is_the_end(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 3, permanent);
    stop(&world);
    expect(&world, "stopped");
    begin(&world), stop(&world);
    finish(&world);
}

static void stop_twice_is_stop_once(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT);
    stop(&world), stop(&world);
    expect(&world, "-2");
    down(&world, 2), stop(&world), down(&world, 1), stop(&world), down(&world, 0), stop(&world);
    expect(&world, "-1 -0 stopped");
    finish(&world);
}

static void stop_while_giving_up_changes_nothing(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 0, 2, permanent);
    begin(&world), up(&world, 0), up(&world, 1), fails(&world, 1);
    expect(&world, "+0 +1 ready -0");
    stop(&world), down(&world, 0);
    expect(&world, "gave-up");
    finish(&world);
}

static void an_exit_of_its_own_while_all_stop_is_accepted(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    stop(&world);
    fails(&world, 0), fails(&world, 2); /* 0 was not asked yet; 2 fails in its stop handler */
    expect(&world, "-2 -1");
    down(&world, 1);
    expect(&world, "stopped");
    finish(&world);
}

static void after_the_end_events_are_ignored(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    stop(&world), down(&world, 2), down(&world, 1), down(&world, 0);
    expect(&world, "-2 -1 -0 stopped");
    up(&world, 1), fails(&world, 1), tick(&world, 99 * SECOND), begin(&world);
    finish(&world);
}

/* ---- Deadlines ---- */

static void past_its_deadline_a_child_is_killed(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, SECOND }, { TR_PERMANENT, 2 * SECOND } };
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 2, children);
    begin(&world), up(&world, 0), up(&world, 1);
    world.now = 10 * SECOND;
    stop(&world);
    expect(&world, "+0 +1 ready -1 @12000");
    tick(&world, 12 * SECOND);
    expect(&world, "@- x1");
    tick(&world, 20 * SECOND); /* for the kill there is none */
    expect(&world, "");
    fails(&world, 1);
    expect(&world, "-0 @21000");
    down(&world, 0);
    expect(&world, "@- stopped");
    finish(&world);
}

static void an_early_tick_sets_the_timer_again(void **state) {
    struct tr_child_rules child = { TR_PERMANENT, SECOND };
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 1, &child);
    begin(&world), up(&world, 0), stop(&world);
    expect(&world, "+0 ready -0 @1000");
    tick(&world, 999);
    expect(&world, "@1000");
    down(&world, 0);
    expect(&world, "@- stopped");
    finish(&world);
}

static void kill_is_at_once_and_infinity_is_for_ever(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, TR_INFINITY }, { TR_PERMANENT, TR_KILL } };
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 2, children);
    begin(&world), up(&world, 0), up(&world, 1), stop(&world);
    expect(&world, "+0 +1 ready x1");
    fails(&world, 1);
    expect(&world, "-0");
    tick(&world, INT64_MAX - 1);
    expect(&world, "");
    down(&world, 0);
    expect(&world, "stopped");
    finish(&world);
}

static void siblings_of_a_restart_have_deadlines_too(void **state) {
    struct tr_child_rules children[] = { { TR_PERMANENT, SECOND }, { TR_PERMANENT, SECOND } };
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ALL, 1, 2, children);
    begin(&world), up(&world, 0), up(&world, 1), fails(&world, 0);
    expect(&world, "+0 +1 ready -1 @1000");
    tick(&world, SECOND);
    expect(&world, "@- x1");
    fails(&world, 1);
    expect(&world, "+0");
    up(&world, 0), up(&world, 1);
    expect(&world, "+1~");
    finish(&world);
}

static void stop_during_a_group_stop_goes_on_with_the_rest(void **state) {
    struct tr_child_rules rules[] = { { 0, SECOND }, { 0, SECOND }, { 0, SECOND } };
    struct world world;
    (void)state;
    create(&world, TR_REST_FOR_ONE, 1, 3, rules);
    begin(&world), up(&world, 0), up(&world, 1), up(&world, 2), fails(&world, 1);
    expect(&world, "+0 +1 +2 ready -2 @1000");
    stop(&world); /* the deadline goes on, and 2 is not asked again */
    expect(&world, "");
    tick(&world, SECOND), fails(&world, 2);
    expect(&world, "@- x2 -0 @2000");
    down(&world, 0);
    expect(&world, "@- stopped");
    finish(&world);
}

/* ---- What ends is restarted, or not: kind x reason x strategy ---- */

/* Of three children the middle one ends; what comes of it. */
static void check_end(enum tr_strategy strategy, enum tr_restart kind, enum tr_exit why,
                      const char *log) {
    struct world world;
    run_three(&world, strategy, kind);
    ends(&world, 1, why);
    expect(&world, log);
    finish(&world);
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
        check_end(TR_ONE_FOR_ONE, TR_TRANSIENT, (enum tr_exit)why, "f1");
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
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&world, 1), down(&world, 2);
    expect(&world, "-2 -0");
    down(&world, 0);
    expect(&world, "+0~");
    up(&world, 0), up(&world, 1), up(&world, 2);
    expect(&world, "+1 +2~");
    assert_int_equal(tr_supervision_restarts(world.supervision, 0), 1);
    assert_int_equal(tr_supervision_restarts(world.supervision, 1), 1);
    finish(&world);
}

static void rest_for_one_leaves_what_is_on_the_left(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_REST_FOR_ONE, TR_PERMANENT);
    fails(&world, 1), down(&world, 2), up(&world, 1), up(&world, 2);
    expect(&world, "-2 +1 +2~");
    fails(&world, 2), up(&world, 2);
    expect(&world, "+2");
    assert_int_equal(tr_supervision_restarts(world.supervision, 0), 0);
    assert_int_equal(tr_supervision_restarts(world.supervision, 2), 2);
    finish(&world);
}

static void temporary_siblings_do_not_survive_a_group_restart(void **state) {
    struct world world;
    (void)state;
    run_kinds(&world, TR_ONE_FOR_ALL, 3,
              (enum tr_restart[]){ TR_PERMANENT, TR_TEMPORARY, TR_PERMANENT });
    fails(&world, 0), down(&world, 2), down(&world, 1);
    expect(&world, "-2 -1 f1 +0");
    up(&world, 0), up(&world, 2);
    expect(&world, "+2~");
    stop(&world), down(&world, 2), down(&world, 0);
    expect(&world, "-2 -0 stopped");
    finish(&world);
}

static void a_transient_child_that_is_done_comes_back_with_its_group(void **state) {
    struct world world;
    (void)state;
    run_kinds(&world, TR_REST_FOR_ONE, 2, (enum tr_restart[]){ TR_PERMANENT, TR_TRANSIENT });
    ends(&world, 1, TR_EXIT_NORMAL);
    expect(&world, "");
    fails(&world, 0), up(&world, 0), up(&world, 1);
    expect(&world, "+0 +1~");
    finish(&world);
}

static void what_no_sibling_can_bring_back_is_forgotten(void **state) {
    static const enum tr_restart kinds[] = { TR_TEMPORARY, TR_TRANSIENT, TR_TRANSIENT };
    struct world world;
    (void)state;
    run_kinds(&world, TR_REST_FOR_ONE, 3, kinds);
    ends(&world, 2, TR_EXIT_NORMAL); /* 1 may still fail */
    expect(&world, "");
    ends(&world, 1, TR_EXIT_NORMAL);
    expect(&world, "f1 f2");
    finish(&world);
    run_kinds(&world, TR_ONE_FOR_ALL, 3, kinds);
    ends(&world, 1, TR_EXIT_NORMAL);
    expect(&world, "");
    ends(&world, 2, TR_EXIT_NORMAL);
    expect(&world, "f1 f2");
    finish(&world);
}

/* ---- Several at once, and late events ---- */

static void several_that_end_at_once_are_several_restarts_of_one_for_one(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT);
    fails(&world, 1), fails(&world, 0), fails(&world, 2);
    expect(&world, "+1 +0 +2");
    up(&world, 2), up(&world, 0), up(&world, 1);
    fails(&world, 0);
    expect(&world, "-2"); /* the fourth */
    finish(&world);
}

static void several_that_end_at_once_are_one_restart_of_one_for_all(void **state) {
    static const uint32_t orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct world world;
        create(&world, TR_ONE_FOR_ALL, 1, 3, permanent);
        begin(&world), up(&world, 0), up(&world, 1), up(&world, 2);
        for (int n = 0; n < 3; n++) fails(&world, orders[i][n]);
        world.log[0] = '\0';
        up(&world, 0), up(&world, 1), up(&world, 2);
        assert_null(strstr(world.log, "gave-up"));
        for (uint32_t n = 0; n < 3; n++)
            assert_int_equal(tr_supervision_restarts(world.supervision, n), 1);
        tr_supervision_free(world.supervision);
    }
}

static void an_end_during_a_group_restart_is_judged_after_it(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&world, 0), down(&world, 2), down(&world, 1), up(&world, 0);
    expect(&world, "-2 -1 +0 +1~");
    fails(&world, 0); /* it was up already */
    expect(&world, "");
    up(&world, 1);
    expect(&world, "+2~");
    up(&world, 2);
    expect(&world, "-2");
    finish(&world);
}

static void an_end_during_the_first_start_is_judged_after_it(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 2, permanent);
    begin(&world), up(&world, 0), fails(&world, 0);
    expect(&world, "+0 +1");
    up(&world, 1);
    expect(&world, "ready +0");
    finish(&world);
}

static void late_events_of_earlier_runs_are_ignored(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT);
    fails(&world, 1);
    expect(&world, "+1");
    tr_supervision_exited(world.supervision, 1, 1, TR_EXIT_FAILED, 0);
    tr_supervision_started(world.supervision, 1, 1, 0);
    up(&world, 1), up(&world, 1);
    stop(&world);
    expect(&world, "-2");
    finish(&world);
}

/* ---- Intensity ---- */

static void run_one(struct world *world, uint32_t restarts) {
    create(world, TR_ONE_FOR_ONE, restarts, 1, permanent);
    begin(world), up(world, 0);
    expect(world, "+0 ready");
}

static void fails_at(struct world *world, int64_t now) {
    world->now = now;
    fails(world, 0), up(world, 0);
}

static void as_many_restarts_as_allowed_survive_one_more_gives_up(void **state) {
    (void)state;
    for (uint32_t restarts = 0; restarts < 5; restarts++) {
        struct world world;
        run_one(&world, restarts);
        for (uint32_t i = 0; i < restarts; i++) {
            fails_at(&world, 100 + i);
            expect(&world, "+0");
        }
        fails_at(&world, 200);
        expect(&world, "gave-up");
        finish(&world);
    }
}

static void restarts_outside_the_period_are_forgiven(void **state) {
    struct world world;
    (void)state;
    run_one(&world, 2);
    for (int i = 0; i < 50; i++) { /* never three within 5 s */
        fails_at(&world, i * 2501);
        expect(&world, "+0");
    }
    finish(&world);
}

static void the_window_slides(void **state) {
    struct world world;
    (void)state;
    run_one(&world, 2);
    fails_at(&world, 0), fails_at(&world, 4000), fails_at(&world, 6000);
    expect(&world, "+0 +0 +0");
    fails_at(&world, 8999); /* with 4000 and 6000 it makes three within 5 s */
    expect(&world, "gave-up");
    finish(&world);
}

static void both_ends_of_the_period_belong_to_it(void **state) {
    struct world world;
    (void)state;
    run_one(&world, 1);
    fails_at(&world, 1000), fails_at(&world, 6001);
    expect(&world, "+0 +0");
    fails_at(&world, 11001);
    expect(&world, "gave-up");
    finish(&world);
}

static void restarts_of_all_children_count_together(void **state) {
    struct world world;
    (void)state;
    create(&world, TR_ONE_FOR_ONE, 1, 3, permanent);
    begin(&world), up(&world, 0), up(&world, 1), up(&world, 2), fails(&world, 0), up(&world, 0);
    expect(&world, "+0 +1 +2 ready +0");
    fails(&world, 2), down(&world, 1), down(&world, 0);
    expect(&world, "-1 -0 gave-up");
    finish(&world);
}

static void normal_ends_of_permanent_children_count(void **state) {
    struct world world;
    (void)state;
    run_one(&world, 1);
    ends(&world, 0, TR_EXIT_NORMAL), up(&world, 0), ends(&world, 0, TR_EXIT_SHUTDOWN);
    expect(&world, "+0 gave-up");
    finish(&world);
}

/* ---- Children that die with their node ---- */

static void lose(struct world *world, const char *children) {
    bool lost[CHILDREN] = { false };
    for (; *children != '\0'; children++) lost[*children - '0'] = true;
    tr_supervision_lost(world->supervision, lost, world->now);
}

static void several_that_die_with_their_node_are_one_restart(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT); /* three restarts are allowed */
    for (int i = 0; i < 3; i++) {
        lose(&world, "012");
        expect(&world, "+0 +1 +2");
        up(&world, 0), up(&world, 1), up(&world, 2);
    }
    lose(&world, "02");
    expect(&world, "-1");
    down(&world, 1);
    expect(&world, "gave-up");
    finish(&world);
}

static void what_fails_again_after_the_death_of_its_node_counts_again(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_PERMANENT);
    lose(&world, "12");
    fails(&world, 1), fails(&world, 2);
    expect(&world, "+1 +2 +1 +2");
    fails(&world, 1);
    expect(&world, "-2");
    down(&world, 2), down(&world, 0);
    expect(&world, "-0 gave-up");
    finish(&world);
}

static void a_node_takes_with_it_only_what_lives_there(void **state) {
    struct world world;
    (void)state;
    run_kinds(&world, TR_REST_FOR_ONE, 3, (enum tr_restart[]){ TR_TEMPORARY, TR_PERMANENT, TR_PERMANENT });
    lose(&world, "02");
    expect(&world, "f0 +2");
    lose(&world, "0"); /* gone before */
    expect(&world, "");
    up(&world, 2), lose(&world, "12"), up(&world, 1);
    expect(&world, "+1 +2~");
    finish(&world);
}

/* ---- Starts that fail during a restart ---- */

static void a_failed_start_is_another_restart(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ONE, TR_TRANSIENT);
    fails(&world, 1);
    ends(&world, 1, TR_EXIT_NORMAL); /* before it was up: whatever the reason */
    fails(&world, 1);
    expect(&world, "+1 +1 +1");
    fails(&world, 1), down(&world, 2), down(&world, 0);
    expect(&world, "-2 -0 gave-up");
    finish(&world);
}

static void a_sibling_that_fails_to_start_restarts_its_own_group(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_REST_FOR_ONE, TR_PERMANENT);
    fails(&world, 0), down(&world, 2), down(&world, 1), up(&world, 0);
    expect(&world, "-2 -1 +0 +1~");
    fails(&world, 1);
    expect(&world, "+1");
    up(&world, 1), up(&world, 2);
    expect(&world, "+2~");
    finish(&world);
}

static void in_one_for_all_a_failed_start_stops_the_restarted_again(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&world, 2), down(&world, 1), down(&world, 0), up(&world, 0);
    expect(&world, "-1 -0 +0~ +1~");
    fails(&world, 1);
    expect(&world, "-0");
    down(&world, 0), up(&world, 0), up(&world, 1), up(&world, 2);
    expect(&world, "+0~ +1 +2~");
    finish(&world);
}

static void stop_during_a_restart_stops_the_one_that_starts(void **state) {
    struct world world;
    (void)state;
    run_three(&world, TR_ONE_FOR_ALL, TR_PERMANENT);
    fails(&world, 2), down(&world, 1), down(&world, 0), up(&world, 0);
    expect(&world, "-1 -0 +0~ +1~");
    stop(&world), fails(&world, 1), down(&world, 0);
    expect(&world, "-1 -0 stopped");
    finish(&world);
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
        cmocka_unit_test(permanent_children_are_always_restarted),
        cmocka_unit_test(transient_children_are_restarted_when_they_fail),
        cmocka_unit_test(temporary_children_are_forgotten),
        cmocka_unit_test(one_for_all_restarts_all_and_flushes_the_siblings),
        cmocka_unit_test(rest_for_one_leaves_what_is_on_the_left),
        cmocka_unit_test(temporary_siblings_do_not_survive_a_group_restart),
        cmocka_unit_test(a_transient_child_that_is_done_comes_back_with_its_group),
        cmocka_unit_test(what_no_sibling_can_bring_back_is_forgotten),
        cmocka_unit_test(several_that_end_at_once_are_several_restarts_of_one_for_one),
        cmocka_unit_test(several_that_end_at_once_are_one_restart_of_one_for_all),
        cmocka_unit_test(an_end_during_a_group_restart_is_judged_after_it),
        cmocka_unit_test(an_end_during_the_first_start_is_judged_after_it),
        cmocka_unit_test(late_events_of_earlier_runs_are_ignored),
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
