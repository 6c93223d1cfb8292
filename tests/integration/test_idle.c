/*
 * Silence: that it is told once, never too early, and to the run that asked for it alone.
 *
 * How long anything takes on a busy machine nobody knows; so the sleeper itself looks whether it was told too
 * early, and what must not come is waited for behind something that is due later.
 */
#include "lib/system_test.h"

#include <string.h>
#include <time.h>

#define ORDER(field) field(str, what) field(i64, time)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(tick)
TROUPE_MESSAGE_EMPTY(poke)

enum { ROUNDS = 60, WITHIN = 3 };
static const int64_t moment = 4 * TROUPE_MILLISECOND;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * TROUPE_SECOND + time.tv_nsec;
}

/* ---- The sleeper ---- */

TROUPE_BEHAVIOUR_DECLARE(sleeper, deaf)
struct sleeper {
    int64_t last, time; /* when the last handler returned; as it was asked for */
    uint32_t told;
};

static enum troupe_status watch(troupe_self *self, struct sleeper *me, int64_t time) {
    enum troupe_status status = troupe_idle_after(self, time);
    if (status != TROUPE_OK) board_note("watch:%s", troupe_status_name(status));
    if (time == 0) board_add(1, me->told);
    me->time = time;
    return TROUPE_OK;
}

static enum troupe_status obey(troupe_self *self, struct sleeper *me, const struct order *msg) {
    if (strncmp(msg->what, "watch", 5) == 0) (void)watch(self, me, msg->time);
    if (strcmp(msg->what, "watch and wait") == 0) gate_pass();
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->what, "tick") == 0) return troupe_every_empty(self, NULL, msg->time, tick);
    if (strcmp(msg->what, "deaf") == 0) return troupe_become(self, sleeper, deaf);
    if (strcmp(msg->what, "watch and receive") == 0)
        for (uint32_t i = 0; i < WITHIN; i++) {
            enum troupe_status status = troupe_receive(self, TROUPE_MINUTE);
            board_note("received:%s", troupe_status_name(status));
            if (status != TROUPE_OK) return status;
        }
    return TROUPE_OK;
}

TROUPE_STOP(sleeper) {
    board_note("stop:%s", troupe_status_name(troupe_idle_after(self, TROUPE_SECOND)));
    (void)me;
}
TROUPE_ON(sleeper, order) {
    board_note("%s", msg->what);
    enum troupe_status status = obey(self, me, msg);
    me->last = now();
    return status;
}
TROUPE_ON(sleeper, poke) {
    me->last = now();
    return TROUPE_OK;
}
TROUPE_ON(sleeper, tick) {
    me->last = now();
    return TROUPE_OK;
}
TROUPE_ON(sleeper, troupe_idle) {
    bool early = now() - me->last < me->time, ours = troupe_address_equal(troupe_sender(self), troupe_self_address(self));
    board_note(early ? "early" : troupe_self_run(self) > 0 ? "another run" : ours ? "idle" : "of somebody");
    board_add(0, 1);
    me->told++;
    return TROUPE_OK;
}
TROUPE_BEHAVIOUR(sleeper, deaf, TROUPE_HANDLES(sleeper, order, poke))
TROUPE_ACTOR(sleeper, TROUPE_STOPS(sleeper), TROUPE_HANDLES(sleeper, order, poke, tick, troupe_idle),
             TROUPE_BECOMES(sleeper, deaf))

/* ---- Who disturbs it: in ever other intervals, about as long as its time ---- */

struct visitor { uint32_t round; };
TROUPE_ON(visitor, order) {
    if (strcmp(msg->what, "after") == 0) return troupe_after(self, NULL, msg->time, order, .what = "now");
    if (strcmp(msg->what, "now") == 0) board_note("later");
    if (strcmp(msg->what, "watch") == 0)
        board_note("watch:%s", troupe_status_name(troupe_idle_after(self, msg->time)));
    return strcmp(msg->what, "disturb") == 0 ? troupe_after_empty(self, NULL, 0, tick) : TROUPE_OK;
}
TROUPE_ON(visitor, tick) {
    int64_t wait = moment * (int64_t)(me->round * 7 % 16) / 8;
    enum troupe_status status = troupe_send_empty(self, troupe_lookup(self, "sleeper"), poke);
    if (status != TROUPE_OK) return status;
    if (++me->round < ROUNDS) return troupe_after_empty(self, NULL, wait, tick);
    board_note("visited");
    return TROUPE_OK;
}
TROUPE_ACTOR(visitor, TROUPE_HANDLES(visitor, order, tick))

static const struct troupe_actor_type *const actors[] = { &sleeper_actor, &visitor_actor, NULL };

/* ---- Systems ---- */

#define TREE(more)                                                                                 \
    "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["                                \
    "{ name: sleeper, actor: sleeper" more " }, { name: visitor, actor: visitor } ] } }"
static const char tree[] = TREE("");
static const char on_its_own[] = TREE(", place: { thread: own }");

static void tell(troupe_system *system, const char *whom, const char *what, int64_t time) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what,
                                        .time = time),
                     TROUPE_OK);
}

/* Long enough for a second silence. */
static void let_time_pass(troupe_system *system) {
    tell(system, "visitor", "after", 10 * moment);
    board_await("later");
}

static void end(troupe_system *system, const char *board) {
    system_end(system, 0, NULL);
    board_expect(board);
}

/* ---- The tests ---- */

static void once_for_each_silence(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "watch", moment);
    board_await("idle");
    let_time_pass(system);
    tell(system, "sleeper", "again", 0);
    board_await_times("idle", 2);
    end(system, "watch idle later again idle stop:stopping");
}

static void never_too_early(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "watch", moment);
    tell(system, "visitor", "disturb", 0);
    board_await("visited");
    board_await_times("idle", 1);
    system_end(system, 0, NULL);
    assert_int_equal(board_times("early"), 0);
    assert_in_range(board_tally(0), 1, ROUNDS + 1);
}

/* The alarm is due while the handler runs. */
static void from_the_end_of_a_handler(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    gate_close();
    tell(system, "sleeper", "watch and wait", moment);
    gate_await(1);
    let_time_pass(system);
    gate_open();
    board_await("idle");
    end(system, "watch and wait later idle stop:stopping");
}

static void ticks_disturb(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "tick", moment / 4);
    tell(system, "sleeper", "watch", moment);
    let_time_pass(system);
    system_end(system, 0, NULL);
    assert_int_equal(board_times("early"), 0);
}

static void until_it_is_called_off(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    gate_close();
    tell(system, "sleeper", "watch and wait", moment);
    tell(system, "sleeper", "watch", 0);
    gate_await(1);
    let_time_pass(system); /* its alarm waits in the mailbox */
    gate_open();
    board_await("watch");
    tell(system, "visitor", "after", 10 * moment);
    board_await_times("later", 2);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), board_tally(1)); /* none since then */
}

static void a_later_call_counts(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "watch", TROUPE_MINUTE);
    tell(system, "sleeper", "watch", moment);
    board_await("idle");
    tell(system, "sleeper", "watch", TROUPE_MINUTE);
    let_time_pass(system);
    end(system, "watch watch idle watch later stop:stopping");
}

static void for_the_run_that_asked(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "watch", moment);
    tell(system, "sleeper", "fail", 0);
    board_await("stop:stopping");
    let_time_pass(system);
    system_end(system, 0, NULL);
    assert_int_equal(board_times("another run"), 0);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "watch", -1);
    board_await("watch:invalid");
    tell(system, "visitor", "watch", moment);
    board_await_times("watch:invalid", 2);
    end(system, "watch watch:invalid watch:invalid stop:stopping");
}

/* What it is now does not handle it: dropped, and the next one comes after the next message. */
static void when_it_has_become_deaf(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "sleeper", "deaf", 0);
    tell(system, "sleeper", "watch", moment);
    board_await("watch");
    let_time_pass(system);
    end(system, "deaf watch later stop:stopping");
}

/* What only looks whether it was silent is nothing that was received. */
static void within_a_handler_that_waits(void **state) {
    (void)state;
    troupe_system *system = system_start(on_its_own, actors);
    tell(system, "sleeper", "watch and receive", moment);
    board_await("idle");
    let_time_pass(system);
    tell(system, "sleeper", "one", 0);
    board_await_times("idle", 2);
    end(system, "watch and receive idle received:ok later one received:ok idle received:ok stop:stopping");
}

static void never_too_early_on_a_thread_of_its_own(void **state) {
    (void)state;
    troupe_system *system = system_start(on_its_own, actors);
    tell(system, "sleeper", "watch", moment);
    tell(system, "visitor", "disturb", 0);
    board_await("visited");
    board_await_times("idle", 1);
    system_end(system, 0, NULL);
    assert_int_equal(board_times("early"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_for_each_silence),
        cmocka_unit_test(never_too_early),
        cmocka_unit_test(from_the_end_of_a_handler),
        cmocka_unit_test(ticks_disturb),
        cmocka_unit_test(until_it_is_called_off),
        cmocka_unit_test(a_later_call_counts),
        cmocka_unit_test(for_the_run_that_asked),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(when_it_has_become_deaf),
        cmocka_unit_test(within_a_handler_that_waits),
        cmocka_unit_test(never_too_early_on_a_thread_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
