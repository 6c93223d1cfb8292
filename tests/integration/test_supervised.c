/*
 * Supervised actors: what failures, exits and stops lead to, in systems that really run. The decisions
 * themselves are tried out in unit/test_supervision.c and sim/sim_supervision.c.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DO(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(task, DO)
#define TARGET(field) field(address, to) field(str, what)
TROUPE_MESSAGE(target, TARGET)
#define SPEC(field) field(str, on_start) field(bool, quiet)
TROUPE_MESSAGE(spec, SPEC)

TROUPE_ACTOR_DECLARE(player)

TROUPE_ACTOR_DECLARE(hermit)

/* On threads of their own, each stopped at once. */
static enum troupe_status spawn_hermits(troupe_self *self) {
    for (uint32_t i = 0; i < 20; i++) {
        troupe_address address;
        const struct troupe_spawn_options options = { .own_thread = true };
        if (troupe_spawn_with(self, &address, &options, hermit, troupe_none, 0) != TROUPE_OK ||
            troupe_stop_actor(self, address) != TROUPE_OK)
            return TROUPE_FAIL(self, "no hermit");
    }
    return TROUPE_OK;
}

/* Notes its starts, stops and tasks with its path and run. */
struct player {
    bool quiet;
};
TROUPE_START(player, spec) {
    me->quiet = args->quiet;
    if (!me->quiet) board_note("+%s", troupe_self_path(self) + 1);
    if (strcmp(args->on_start, "fail") == 0) return TROUPE_FAIL(self, "told to fail at its start");
    if (strcmp(args->on_start, "fail otherwise") == 0) {
        (void)TROUPE_FAIL(self, "told to note this");
        return TROUPE_NO_MEMORY;
    }
    if (strcmp(args->on_start, "exit") == 0) return troupe_exit(self);
    if (strcmp(args->on_start, "fail again") == 0 && troupe_self_run(self) > 0)
        return TROUPE_FAIL(self, "told to fail when started again");
    if (strcmp(args->on_start, "register") == 0 && troupe_register(self, "nick") != TROUPE_OK)
        return TROUPE_FAIL(self, "no name");
    return TROUPE_OK;
}
TROUPE_STOP(player) {
    if (!me->quiet) board_note("-%s(%s)", troupe_self_path(self) + 1, troupe_status_name(reason));
    if (troupe_spawn(self, NULL, player, spec, .quiet = true) != TROUPE_STOPPING) board_note("spawned in stop");
}
TROUPE_ON(player, task) {
    if (strcmp(msg->what, "note") == 0) board_note("%s:%u@%u", troupe_self_path(self) + 1, msg->n,
                                                   troupe_self_run(self));
    if (strcmp(msg->what, "count") == 0) board_add(0, 1);
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(msg->what, "fail in bytes") == 0) return TROUPE_FAIL(self, "\xff\x80 is no text, \xc3");
    if (strlen(msg->what) > 1000) return TROUPE_FAIL(self, "told at length");
    if (strcmp(msg->what, "fail twice") == 0 && troupe_self_run(self) < 2) return TROUPE_FAIL(self, "once more");
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "shutdown") == 0) troupe_shutdown(self);
    if (strcmp(msg->what, "hermits") == 0) return spawn_hermits(self);
    if (strcmp(msg->what, "wait") == 0 || strcmp(msg->what, "wait and fail") == 0) gate_pass();
    return strcmp(msg->what, "wait and fail") == 0 ? TROUPE_FAIL(self, "told to fail") : TROUPE_OK;
}
TROUPE_ON(player, target) {
    if (strcmp(msg->what, "stop") == 0) return troupe_stop_actor(self, msg->to);
    return troupe_send(self, msg->to, task, .what = msg->what);
}
TROUPE_ON(player, troupe_undelivered) {
    board_note("lost %s", troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ACTOR(player, TROUPE_STARTS(player, spec), TROUPE_STOPS(player),
             TROUPE_HANDLES(player, task, target, troupe_undelivered))

/* Handles its tasks within its start handler, until it is to stop. */
struct hermit {
    char unused;
};
TROUPE_START(hermit, troupe_none) {
    enum troupe_status status = TROUPE_OK;
    board_note("+%s", troupe_self_path(self) + 1);
    while (status == TROUPE_OK) status = troupe_receive(self, INT64_MAX);
    board_note("hermit told %s", troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_ON(hermit, task) {
    board_note("%s:%u@%u", troupe_self_path(self) + 1, msg->n, troupe_self_run(self));
    return TROUPE_OK;
}
TROUPE_ACTOR(hermit, TROUPE_STARTS(hermit, troupe_none), TROUPE_HANDLES(hermit, task))

static const struct troupe_actor_type *const actors[] = { &player_actor, &hermit_actor, NULL };

/* "tree" goes into the braces of the tree. */
static troupe_system *start(const char *tree) {
    char config[2048];
    snprintf(config, sizeof config, "{ threads: 4, tree: { %s } }", tree);
    return system_start(config, actors);
}

static void tell(troupe_system *system, const char *who, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), task, .what = what, .n = n),
                     TROUPE_OK);
}

static void tell_about(troupe_system *system, const char *who, const char *whom, const char *what) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), target,
                                        .to = troupe_system_lookup(system, whom), .what = what), TROUPE_OK);
}

#define QUIET "args: { quiet: true }"

/* ---- One child ---- */

static void a_restart_keeps_address_name_and_mailbox(void **state) {
    troupe_system *system = start("children: [ { name: a, actor: player, args: { on_start: register } } ]");
    struct troupe_counts counts;
    (void)state;
    troupe_address before = troupe_system_lookup(system, "nick");
    assert_true(troupe_address_equal(before, troupe_system_lookup(system, "/a")));
    gate_close();
    tell(system, "a", "wait and fail", 0);
    gate_await(1);
    for (uint32_t i = 1; i <= 3; i++) tell(system, "a", "note", i);
    gate_open();
    board_await("a:3@1");
    board_expect("+a -a(failed) +a a:1@1 a:2@1 a:3@1");
    assert_true(troupe_address_equal(before, troupe_system_lookup(system, "nick")));
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 1);
    assert_int_equal(counts.handled, 3);
}

/* The report of a failure names the message, cut where there is no more room: within a character, as a rule. */
static void any_failure_is_reported(void **state) {
    enum { RUNS = 5 };
    char what[4096] = "";
    troupe_system *system = start("restarts: 9, children: [ { name: a, actor: player } ]");
    (void)state;
    tell(system, "a", "fail in bytes", 0);
    board_await_times("+a", 2);
    for (uint32_t run = 1; run < RUNS; run++) { /* cut at each place of a character of four bytes */
        memset(what, 'x', run);
        for (char *at = what + run; at + 4 < what + sizeof what; at += 4) memcpy(at, "\xf0\x9f\x8e\xad", 5);
        tell(system, "a", what, 0);
        board_await_times("+a", run + 2);
    }
    system_end(system, 0, NULL);
    assert_int_equal(board_times("-a(failed)"), RUNS);
}

static void the_sender_learns_of_the_failure(void **state) {
    troupe_system *system = start("children: [ { name: a, actor: player, " QUIET " },"
                                  "            { name: b, actor: player, " QUIET " } ]");
    (void)state;
    tell_about(system, "b", "a", "fail");
    board_await("lost failed");
    system_end(system, 0, NULL);
}

static void at_least_once_delivers_again_in_order(void **state) {
    troupe_system *system = start("restarts: 5, children: [ { name: a, actor: player, " QUIET
                                  ", delivery: at_least_once } ]");
    struct troupe_counts counts;
    (void)state;
    gate_close();
    tell(system, "a", "wait", 0);
    gate_await(1);
    tell(system, "a", "fail twice", 0);
    tell(system, "a", "note", 1);
    tell(system, "a", "note", 2);
    gate_open();
    board_await("a:2@2");
    board_expect("a:1@2 a:2@2");
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_letters, 0);
    assert_int_equal(counts.handled, 4);
}

static void the_third_failure_is_poison(void **state) {
    troupe_system *system = start("restarts: 5, children: [ { name: a, actor: player, " QUIET
                                  ", delivery: at_least_once }, { name: b, actor: player, " QUIET " } ]");
    struct troupe_counts counts;
    (void)state;
    tell_about(system, "b", "a", "fail");
    board_await("lost poison");
    tell(system, "a", "note", 1);
    board_await("a:1@3");
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_POISON], 1);
    assert_int_equal(counts.dead_letters, 1);
}

static void permanent_transient_and_temporary(void **state) {
    troupe_system *system =
        start("restarts: 10, children: [ { name: p, actor: player, restart: permanent },"
              "{ name: t, actor: player, restart: transient }, { name: x, actor: player, restart: temporary },"
              "{ name: y, actor: player, restart: temporary } ]");
    (void)state;
    board_expect("+p +t +x +y");
    tell(system, "p", "exit", 0);
    board_await_times("+p", 2);
    tell(system, "p", "fail", 0);
    board_await_times("+p", 3);
    tell(system, "t", "fail", 0);
    board_await_times("+t", 2);
    tell(system, "t", "exit", 0);
    board_await("-t(ok)");
    tell(system, "x", "fail", 0);
    board_await("-x(failed)");
    tell(system, "y", "exit", 0);
    board_await("-y(ok)");
    tell(system, "p", "note", 1);
    board_await("p:1@2");
    system_end(system, 0, NULL);
    assert_string_equal(board_lines("+"), "+p +t +x +y +p +p +t");
    assert_string_equal(board_lines("-"), "-p(ok) -p(failed) -t(failed) -t(ok) -x(failed) -y(ok) -p(stopping)");
}

static void stop_actor_restarts_a_permanent_one_and_ends_others(void **state) {
    troupe_system *system = start("restarts: 5, children: [ { name: p, actor: player },"
                                  "{ name: t, actor: player, restart: transient }, { name: z, actor: player } ]");
    (void)state;
    gate_close();
    tell(system, "p", "wait", 0);
    tell(system, "t", "wait", 0);
    gate_await(2);
    tell(system, "p", "note", 7);
    tell(system, "t", "note", 7);
    tell_about(system, "z", "p", "stop");
    tell_about(system, "z", "t", "stop");
    tell(system, "z", "note", 1);
    board_await("z:1@0");
    gate_open();
    board_await("p:7@1"); /* its mailbox was kept */
    board_await("-t(stopping)");
    tell_about(system, "z", "z", "stop"); /* itself */
    board_await_times("+z", 2);
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    assert_int_equal(board_times("t:7@0"), 0);
    assert_int_equal(board_times("+t"), 1);
    assert_int_equal(counts.dead_by_reason[TROUPE_FLUSHED], 1);
    assert_int_equal(board_times("spawned in stop"), 0);
}

/* ---- Giving up ---- */

static void one_restart_too_many_ends_the_program_with_2(void **state) {
    troupe_system *system = start("restarts: 2, within: 60s, children: [ { name: a, actor: player },"
                                  "{ name: b, actor: player } ]");
    (void)state;
    for (uint32_t i = 1; i <= 2; i++) {
        tell(system, "b", "fail", 0);
        board_await_times("+b", i + 1);
    }
    tell(system, "b", "fail", 0);
    assert_int_equal(troupe_system_wait(system), 2);
    system_end(system, 2, NULL);
    board_expect("+a +b -b(failed) +b -b(failed) +b -b(failed) -a(stopping)");
}

static void a_first_start_that_fails_fails_the_system(void **state) {
    (void)state;
    board_clear();
    const char *error = system_fails(TROUPE_FAILED, "tree: { children: [ { name: a, actor: player },"
                                     "{ name: b, actor: player, args: { on_start: fail } },"
                                     "{ name: c, actor: player } ] }", actors);
    assert_non_null(strstr(error, "told to fail at its start"));
    board_expect("+a +b -b(failed) -a(stopping)");
}

static void another_code_has_its_own_text(void **state) {
    (void)state;
    board_clear();
    const char *error = system_fails(TROUPE_FAILED, "tree: { children: ["
                                     "{ name: b, actor: player, args: { on_start: fail otherwise } } ] }", actors);
    assert_non_null(strstr(error, troupe_status_text(TROUPE_NO_MEMORY)));
    assert_null(strstr(error, "told to note this"));
}

static void a_failed_restart_counts_as_another(void **state) {
    troupe_system *system = start("restarts: 3, within: 60s, children: [ { name: a, actor: player,"
                                  "args: { on_start: fail again } } ]");
    (void)state;
    tell(system, "a", "fail", 0);
    assert_int_equal(troupe_system_wait(system), 2);
    system_end(system, 2, NULL);
    assert_string_equal(board_lines("+"), "+a +a +a +a");
}

/* ---- Groups ---- */

static void one_for_all_restarts_all(void **state) {
    (void)state;
    troupe_system *system = start("strategy: one_for_all, children: [ { name: a, actor: player },"
                                  "{ name: b, actor: player }, { name: c, actor: player } ]");
    tell(system, "b", "fail", 0);
    board_await_times("+c", 2);
    system_end(system, 0, NULL);
    board_expect("+a +b +c -b(failed) -c(stopping) -a(stopping) +a +b +c -c(stopping) -b(stopping) -a(stopping)");
}

static void rest_for_one_restarts_what_is_on_the_right(void **state) {
    (void)state;
    troupe_system *system = start("strategy: rest_for_one, children: [ { name: a, actor: player },"
                                  "{ name: b, actor: player }, { name: c, actor: player } ]");
    tell(system, "b", "fail", 0);
    board_await_times("+c", 2);
    system_end(system, 0, NULL);
    board_expect("+a +b +c -b(failed) -c(stopping) +b +c -c(stopping) -b(stopping) -a(stopping)");
}

/* Until so much time has passed, by the progress of an actor. */
static void pass_time(troupe_system *system, const char *who, int64_t duration) {
    struct timespec begin, now;
    int64_t times = board_tally(0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        tell(system, who, "count", 0);
        board_await_tally(0, ++times);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * TROUPE_SECOND + now.tv_nsec - begin.tv_nsec < duration);
}

/* b fails while c and k stand at the gate with messages behind them. By the time that the gate opens, c
 * has been told to stop: what waits for it is flushed. What waits for b and k is not. */
static void siblings_are_flushed_unless_they_keep(void **state) {
    char line[2][16];
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        troupe_system *system =
            start("strategy: one_for_all, restarts: 5, children: [ { name: a, actor: player, " QUIET " },"
                  "{ name: b, actor: player, " QUIET " }, { name: k, actor: player, " QUIET ", mailbox: keep },"
                  "{ name: c, actor: player, " QUIET " }, { name: d, actor: player } ]");
        struct troupe_counts counts;
        gate_close();
        tell(system, "c", "wait", 0);
        tell(system, "k", "wait", 0);
        gate_await(2);
        for (uint32_t i = 1; i <= 5; i++) tell(system, "c", "note", i), tell(system, "k", "note", i);
        tell(system, "b", "fail", 0);
        tell(system, "b", "note", 1);
        board_await("-d(stopping)");
        pass_time(system, "a", 5 * TROUPE_MILLISECOND);
        gate_open();
        board_await_times("+d", 2);
        board_await("b:1@1");
        tell(system, "k", "note", 6);
        tell(system, "c", "note", 6);
        board_await("k:6@1");
        board_await("c:6@1");
        system_end(system, 0, &counts);
        for (uint32_t i = 1; i <= 5; i++) {
            snprintf(line[0], sizeof line[0], "k:%u@0", i);
            snprintf(line[1], sizeof line[1], "k:%u@1", i);
            assert_int_equal(board_times(line[0]) + board_times(line[1]), 1);
            snprintf(line[1], sizeof line[1], "c:%u@1", i);
            assert_int_equal(board_times(line[1]), 0);
        }
        assert_int_equal(counts.dead_letters, counts.dead_by_reason[TROUPE_FLUSHED] + 1);
        assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 1);
    }
}

/* ---- Trees ---- */

static void nested_supervisors_start_and_stop_in_order(void **state) {
    troupe_system *system =
        start("children: [ { name: a, actor: player }, { name: s, strategy: one_for_all, children: ["
              "{ name: b, actor: player }, { name: c, actor: player } ] }, { name: d, actor: player, count: 2 } ]");
    (void)state;
    board_expect("+a +s/b +s/c +d/0 +d/1");
    tell(system, "/s/b", "fail", 0);
    board_await_times("+s/c", 2);
    system_end(system, 0, NULL);
    board_expect("+a +s/b +s/c +d/0 +d/1 -s/b(failed) -s/c(stopping) +s/b +s/c "
                 "-d/1(stopping) -d/0(stopping) -s/c(stopping) -s/b(stopping) -a(stopping)");
}

static void a_supervisor_that_gives_up_is_restarted_by_its_own(void **state) {
    troupe_system *system =
        start("children: [ { name: s, restarts: 0, children: ["
              "{ name: b, actor: player }, { name: c, actor: player } ] } ]");
    (void)state;
    tell(system, "/s/c", "fail", 0);
    board_await_times("+s/c", 2);
    tell(system, "/s/c", "note", 1);
    board_await("s/c:1@0");
    system_end(system, 0, NULL);
    board_expect("+s/b +s/c -s/c(failed) -s/b(stopping) +s/b +s/c s/c:1@0 -s/c(stopping) -s/b(stopping)");
}

/* ---- Kills ---- */

static void a_child_that_is_killed_does_not_run_its_stop_handler(void **state) {
    troupe_system *system = start("children: [ { name: a, actor: player, shutdown: kill },"
                                  "{ name: b, actor: player } ]");
    (void)state;
    system_end(system, 0, NULL);
    board_expect("+a +b -b(stopping)");
}

static void past_its_deadline_a_child_is_abandoned(void **state) {
    troupe_system *system =
        start("strategy: one_for_all, children: [ { name: a, actor: player },"
              "{ name: b, actor: player, shutdown: 10ms }, { name: c, actor: player } ]");
    (void)state;
    gate_close();
    tell(system, "b", "wait", 0);
    gate_await(1);
    tell(system, "c", "exit", 0);
    board_await("-c(ok)");
    pass_time(system, "a", 200 * TROUPE_MILLISECOND);
    assert_int_equal(board_times("-b(stopping)"), 0);
    gate_open();
    board_await_times("+c", 2);
    assert_int_equal(board_times("-b(stopping)"), 0); /* it was killed: without its stop handler */
    system_end(system, 0, NULL);
    assert_string_equal(board_lines("-"), "-c(ok) -a(stopping) -c(stopping) -b(stopping) -a(stopping)");
}

/* ---- Supervisors that are killed ---- */

/* b fails, and s is killed for it with all that it had started: nobody is left behind, and all start again. */
static void a_supervisor_that_is_killed_leaves_nobody_behind(void **state) {
    static const char *const places[] = { "", ", place: inproc" };
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        char tree[512];
        snprintf(tree, sizeof tree,
                 "strategy: one_for_all, restarts: 2, children: [ { name: s, shutdown: kill, children: ["
                 "{ name: v, actor: player%s }, { name: w, actor: player%s } ] }, { name: b, actor: player } ]",
                 places[i], places[i]);
        troupe_system *system = start(tree);
        for (uint32_t round = 1; round <= 2; round++) {
            tell(system, "b", "fail", 0);
            board_await_times("+b", round + 1);
        }
        tell(system, "/s/w", "note", 1);
        board_await("s/w:1@0");
        assert_string_equal(board_lines("+"), "+s/v +s/w +b +s/v +s/w +b +s/v +s/w +b");
        assert_string_equal(board_lines("-"), "-b(failed) -b(failed)"); /* no stop handler of the others */
        system_end(system, 0, NULL);
    }
}

/* Nor if nobody takes its place. The order to kill w is before the start of b in the same agent's mailbox. */
static void a_supervisor_that_does_not_come_back_takes_its_children_along(void **state) {
    troupe_system *system =
        start("strategy: one_for_all, children: [ { name: s, shutdown: kill, restart: temporary, children: ["
              "{ name: w, actor: player } ] }, { name: b, actor: player } ]");
    (void)state;
    tell(system, "b", "fail", 0);
    board_await_times("+b", 2);
    tell(system, "/s/w", "note", 1);
    pass_time(system, "b", 20 * TROUPE_MILLISECOND);
    board_expect("+s/w +b -b(failed) +b");
    system_end(system, 0, NULL);
}

static void a_kill_goes_down_through_supervisors(void **state) {
    troupe_system *system =
        start("strategy: one_for_all, children: [ { name: s, shutdown: kill, children: ["
              "{ name: t, children: [ { name: w, actor: player } ] }, { name: v, actor: player } ] },"
              "{ name: b, actor: player } ]");
    (void)state;
    tell(system, "b", "fail", 0);
    board_await_times("+b", 2);
    tell(system, "/s/t/w", "note", 1);
    board_await("s/t/w:1@0");
    board_expect("+s/t/w +s/v +b -b(failed) +s/t/w +s/v +b s/t/w:1@0");
    system_end(system, 0, NULL);
}

/* w stands at the gate when it is killed, and when its next run is to start. */
static void a_run_that_is_left_over_makes_way_for_the_next(void **state) {
    troupe_system *system =
        start("strategy: rest_for_one, children: [ { name: a, actor: player, " QUIET " },"
              "{ name: b, actor: player }, { name: s, shutdown: 10ms, children: [ { name: w, actor: player } ] } ]");
    (void)state;
    gate_close();
    tell(system, "/s/w", "wait", 0);
    gate_await(1);
    tell(system, "/s/w", "note", 1);
    tell(system, "b", "fail", 0);
    board_await("-b(failed)");
    pass_time(system, "a", 100 * TROUPE_MILLISECOND);
    assert_int_equal(board_times("+s/w"), 1);
    gate_open();
    board_await("s/w:1@0"); /* its mailbox was kept */
    assert_string_equal(board_lines("+"), "+b +s/w +b +s/w");
    assert_int_equal(board_times("-s/w(stopping)"), 0);
    system_end(system, 0, NULL);
}

static void one_that_waits_for_messages_makes_way_too(void **state) {
    troupe_system *system =
        start("strategy: one_for_all, restarts: 20, children: [ { name: s, shutdown: kill, children: ["
              "{ name: w, actor: hermit, place: { thread: own } } ] }, { name: b, actor: player } ]");
    (void)state;
    for (uint32_t round = 1; round <= 20; round++) {
        tell(system, "b", "fail", 0);
        board_await_times("+b", round + 1);
        tell(system, "/s/w", "note", round);
    }
    board_await("s/w:20@0");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("hermit told stopping"), 21);
    assert_int_equal(board_times("+s/w"), 21);
}

/* Its stop is there before its thread is: it is seen in the start handler. */
static void one_that_waits_sees_the_stop_that_came_before_its_start(void **state) {
    troupe_system *system = start("children: [ { name: a, actor: player, " QUIET " } ]");
    (void)state;
    tell(system, "a", "hermits", 0);
    board_await_times("hermit told stopping", 20);
    system_end(system, 0, NULL);
}

/* The threads of the transport stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text =
        "tree: { children: [ { name: a, actor: player, place: inproc }, { name: b, actor: player } ] }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_keeps_address_name_and_mailbox),
        cmocka_unit_test(any_failure_is_reported),
        cmocka_unit_test(the_sender_learns_of_the_failure),
        cmocka_unit_test(at_least_once_delivers_again_in_order),
        cmocka_unit_test(the_third_failure_is_poison),
        cmocka_unit_test(permanent_transient_and_temporary),
        cmocka_unit_test(stop_actor_restarts_a_permanent_one_and_ends_others),
        cmocka_unit_test(one_restart_too_many_ends_the_program_with_2),
        cmocka_unit_test(a_first_start_that_fails_fails_the_system),
        cmocka_unit_test(another_code_has_its_own_text),
        cmocka_unit_test(a_failed_restart_counts_as_another),
        cmocka_unit_test(one_for_all_restarts_all),
        cmocka_unit_test(rest_for_one_restarts_what_is_on_the_right),
        cmocka_unit_test(siblings_are_flushed_unless_they_keep),
        cmocka_unit_test(nested_supervisors_start_and_stop_in_order),
        cmocka_unit_test(a_supervisor_that_gives_up_is_restarted_by_its_own),
        cmocka_unit_test(a_child_that_is_killed_does_not_run_its_stop_handler),
        cmocka_unit_test(past_its_deadline_a_child_is_abandoned),
        cmocka_unit_test(a_supervisor_that_is_killed_leaves_nobody_behind),
        cmocka_unit_test(a_supervisor_that_does_not_come_back_takes_its_children_along),
        cmocka_unit_test(a_kill_goes_down_through_supervisors),
        cmocka_unit_test(a_run_that_is_left_over_makes_way_for_the_next),
        cmocka_unit_test(one_that_waits_for_messages_makes_way_too),
        cmocka_unit_test(one_that_waits_sees_the_stop_that_came_before_its_start),
    };
    start_transport();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
