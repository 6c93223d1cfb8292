/*
 * Turns: actors that are never done keep neither each other nor the rest of the world waiting. One worker, so
 * that there is nobody to steal. What is measured is what they handled meanwhile, not the time it took: that
 * is the machine's.
 */
#include "lib/system_test.h"

#include <stdatomic.h>
#include <time.h>

#define BALL(field) field(address, to)
TROUPE_MESSAGE(ball, BALL)
TROUPE_MESSAGE_EMPTY(again)
TROUPE_MESSAGE_EMPTY(call)
TROUPE_MESSAGE_EMPTY(set)
TROUPE_MESSAGE_EMPTY(tick)
TROUPE_MESSAGE_EMPTY(hold)

enum { CALLS, TICKS, STROKES }; /* tallies */

static _Atomic int64_t handled; /* of `again` */

static void spin(int64_t time) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t from = (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec, at = from;
    while (at < from + time) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        at = (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec;
    }
}

/* ---- Actors ---- */

struct player { char unused; };
TROUPE_ON(player, ball) { /* back to who sent it, slowly */
    spin(2 * TROUPE_MILLISECOND);
    board_add(STROKES, 1);
    return troupe_send(self, msg->to, ball, .to = troupe_self_address(self));
}
TROUPE_ON(player, again) {
    atomic_fetch_add(&handled, 1);
    return troupe_send_empty(self, troupe_self_address(self), again);
}
TROUPE_ON(player, hold) {
    gate_pass();
    return TROUPE_OK;
}
TROUPE_ACTOR(player, TROUPE_HANDLES(player, ball, again, hold))

struct other { char unused; };
TROUPE_ON(other, call) {
    board_add(CALLS, 1);
    return TROUPE_OK;
}
TROUPE_ON(other, set) { return troupe_every_empty(self, NULL, TROUPE_MILLISECOND, tick); }
TROUPE_ON(other, tick) {
    board_add(TICKS, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(other, TROUPE_HANDLES(other, call, set, tick))

static const struct troupe_actor_type *const actors[] = { &player_actor, &other_actor, NULL };
static const char tree[] = "{ threads: 1, blocked: never, tree: { children: [ { name: a, actor: player },"
                           "{ name: b, actor: player }, { name: other, actor: other } ] } }";

/* ---- Two that play on and on ---- */

static troupe_system *start_game(void) {
    troupe_system *system = system_start(tree, actors);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "a"), ball,
                                        .to = troupe_system_lookup(system, "b")), TROUPE_OK);
    return system;
}

static void expect_at_most(int64_t most, int64_t count) {
    if (count > most) fail_msg("%lld handled meanwhile, not %lld", (long long)count, (long long)most);
}

/* A slice of time is five strokes. Were it not for that, the shared queue would have its turn after 61. The
 * next call waits for a stroke, or it would find the other actor in its turn still. */
static void calls_from_outside_come_between(void **state) {
    troupe_system *system = start_game();
    troupe_address other = troupe_system_lookup(system, "other");
    (void)state;
    for (int64_t i = 1; i <= 20; i++) {
        board_await_tally(STROKES, board_tally(STROKES) + 1);
        assert_int_equal(troupe_system_send_empty(system, other, call), TROUPE_OK);
        board_await_tally(CALLS, i);
    }
    expect_at_most(20 * 15, board_tally(STROKES));
    system_end(system, 0, NULL);
}

/* And the wheel after 64. */
static void timers_go_on(void **state) {
    troupe_system *system = start_game();
    (void)state;
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "other"), set), TROUPE_OK);
    board_await_tally(TICKS, 20);
    expect_at_most(20 * 15, board_tally(STROKES));
    system_end(system, 0, NULL);
}

/* ---- More than a worker's own queue holds ---- */

enum { MANY = 2000, BATCH = 64 };

static void begin_all(troupe_system *system) {
    for (uint32_t i = 0; i < MANY; i++) {
        troupe_address one;
        assert_int_equal(troupe_system_spawn_empty(system, &one, player), TROUPE_OK);
        assert_int_equal(troupe_system_send_empty(system, one, again), TROUPE_OK);
    }
}

/* All of them are in the shared queue before the first has its turn: it goes behind them. Did it stay with the
 * worker, those that came first would share all turns but one in 61. */
static void all_have_their_turn(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    atomic_store(&handled, 0);
    gate_close();
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "a"), hold), TROUPE_OK);
    gate_await(1);
    begin_all(system);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "other"), call), TROUPE_OK);
    gate_open();
    board_await_tally(CALLS, 1);
    expect_at_most(4 * MANY * BATCH, atomic_load(&handled));
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_from_outside_come_between),
        cmocka_unit_test(timers_go_on),
        cmocka_unit_test(all_have_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
