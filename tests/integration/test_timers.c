/*
 * Timers: ticks come when they are due and not before, at most one waits, and none reaches a later run.
 */
#include "lib/system_test.h"

#include <string.h>

#define TICK(field) field(u32, n)
TROUPE_MESSAGE(tick, TICK)
#define PLAN(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(plan, PLAN)
TROUPE_MESSAGE_EMPTY(unhandled)

struct clockwork {
    troupe_timer timer, other;
    uint32_t ticks;
    int64_t set;
};
TROUPE_ON(clockwork, plan) {
    me->set = troupe_now(self);
    if (strcmp(msg->what, "after") == 0) return troupe_after(self, &me->timer, 3 * TROUPE_MILLISECOND, tick, .n = 1);
    if (strcmp(msg->what, "at once") == 0) return troupe_after(self, NULL, 0, tick, .n = 2);
    if (strcmp(msg->what, "every") == 0) return troupe_every(self, &me->timer, TROUPE_MILLISECOND, tick, .n = 3);
    if (strcmp(msg->what, "far") == 0) return troupe_after(self, &me->timer, INT64_MAX, tick, .n = 4);
    if (strcmp(msg->what, "cancel") == 0) {
        enum troupe_status first = troupe_cancel(self, me->timer), second = troupe_cancel(self, me->timer);
        board_note("%s then %s", troupe_status_name(first), troupe_status_name(second));
        me->ticks = 0;
    }
    if (strcmp(msg->what, "invalid") == 0)
        board_note("%s %s", troupe_status_name(troupe_after(self, NULL, -1, tick, .n = 0)),
                   troupe_status_name(troupe_after_empty(self, NULL, 1, unhandled)));
    if (strcmp(msg->what, "cancel due") == 0) {
        /* Both are due at once; whichever comes first cancels the other. */
        (void)troupe_after(self, &me->timer, TROUPE_MILLISECOND, tick, .n = 5);
        (void)troupe_after(self, &me->other, TROUPE_MILLISECOND, tick, .n = 6);
    }
    if (strcmp(msg->what, "many") == 0)
        for (uint32_t i = 0; i < msg->n; i++)
            if (troupe_after(self, NULL, (i % 100) * TROUPE_MILLISECOND, tick, .n = 7) != TROUPE_OK)
                return TROUPE_FAIL(self, "no timer");
    if (strcmp(msg->what, "gate") == 0) gate_pass();
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(msg->what, "note") == 0) board_note("note %u", me->ticks);
    return TROUPE_OK;
}
TROUPE_ON(clockwork, tick) {
    me->ticks++;
    board_add(msg->n, 1);
    if (msg->n == 1 && troupe_now(self) - me->set < 3 * TROUPE_MILLISECOND) board_note("early");
    if (msg->n == 5) (void)troupe_cancel(self, me->other);
    if (msg->n == 6) (void)troupe_cancel(self, me->timer);
    if (!troupe_address_equal(troupe_sender(self), troupe_self_address(self))) board_note("from another");
    return TROUPE_OK;
}
TROUPE_ACTOR(clockwork, TROUPE_HANDLES(clockwork, plan, tick))

static const struct troupe_actor_type *const actors[] = { &clockwork_actor, NULL };
static const char tree[] = "{ threads: 3, tree: { restarts: 10, children: [ "
                           "{ name: a, actor: clockwork }, { name: b, actor: clockwork } ] } }";

static void tell(troupe_system *system, const char *who, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), plan, .what = what, .n = n),
                     TROUPE_OK);
}

/* Lets b's clock tick so many milliseconds. */
static void pass_time(troupe_system *system, int64_t ticks) {
    tell(system, "b", "every", 0);
    board_await_tally(3, board_tally(3) + ticks);
    tell(system, "b", "cancel", 0);
}

static void after_comes_once_and_not_early(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    (void)state;
    tell(system, "a", "after", 0);
    tell(system, "a", "at once", 0);
    board_await_tally(1, 1);
    board_await_tally(2, 1);
    tell(system, "a", "cancel", 0);
    board_await("gone then gone");
    pass_time(system, 20);
    system_end(system, 0, &counts);
    assert_int_equal(board_times("early") + board_times("from another"), 0);
    assert_int_equal(board_tally(1) + board_tally(2), 2);
    /* Ticks are not counted; the end may come before the last order. */
    assert_int_equal(counts.handled + counts.dead_letters, 5);
}

static void every_comes_until_it_is_cancelled(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "a", "every", 0);
    board_await_tally(3, 10);
    tell(system, "a", "cancel", 0);
    board_await("ok then gone");
    int64_t ticks = board_tally(3);
    tell(system, "a", "far", 0);
    tell(system, "a", "after", 0);
    board_await_tally(1, 1);
    assert_int_equal(board_tally(3), ticks);
    system_end(system, 0, NULL);
}

static void a_slow_actor_misses_ticks(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    gate_close();
    tell(system, "a", "every", 0);
    tell(system, "a", "gate", 0);
    gate_await(1);
    pass_time(system, 50);
    tell(system, "a", "cancel", 0);
    board_await("ok then gone"); /* of b */
    int64_t before = board_tally(3);
    gate_open();
    board_await_times("ok then gone", 2);
    assert_true(board_tally(3) - before <= 1); /* the one that waited */
    system_end(system, 0, NULL);
}

static void a_cancelled_tick_is_not_handled_even_if_due(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    for (uint32_t i = 1; i <= 50; i++) {
        tell(system, "a", "cancel due", 0);
        tell(system, "a", "note", 0);
        while (board_tally(5) + board_tally(6) < i) pass_time(system, 1);
        assert_int_equal(board_tally(5) + board_tally(6), i);
    }
    pass_time(system, 5);
    assert_int_equal(board_tally(5) + board_tally(6), 50);
    system_end(system, 0, NULL);
}

static void no_tick_reaches_the_next_run(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    gate_close();
    tell(system, "a", "every", 0);
    tell(system, "a", "many", 1000);
    tell(system, "a", "gate", 0);
    gate_await(1);
    pass_time(system, 20); /* some are due and wait */
    int64_t before = board_tally(7);
    tell(system, "a", "fail", 0);
    gate_open();
    tell(system, "a", "note", 0);
    board_await_times("note 0", 1);
    (void)before;
    int64_t ticks = board_tally(7);
    pass_time(system, 120);
    assert_int_equal(board_tally(7), ticks);
    system_end(system, 0, NULL);
}

static void invalid_timers_are_refused(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "a", "invalid", 0);
    board_await("invalid invalid");
    system_end(system, 0, NULL);
}

static void a_hundred_thousand_fire(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "a", "many", 100000);
    board_await_tally(7, 100000);
    pass_time(system, 5);
    assert_int_equal(board_tally(7), 100000);
    tell(system, "a", "many", 100000); /* and many more are left at the end */
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_comes_once_and_not_early),
        cmocka_unit_test(every_comes_until_it_is_cancelled),
        cmocka_unit_test(a_slow_actor_misses_ticks),
        cmocka_unit_test(a_cancelled_tick_is_not_handled_even_if_due),
        cmocka_unit_test(no_tick_reaches_the_next_run),
        cmocka_unit_test(invalid_timers_are_refused),
        cmocka_unit_test(a_hundred_thousand_fire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
