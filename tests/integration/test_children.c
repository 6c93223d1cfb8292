/*
 * Children that code adds to supervisors, and supervisors that code starts, in systems that really run. What follows
 * from each request is decided by the machine, which has tests of its own (unit/test_supervision_request.c).
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <string.h>

#define JOB(field) field(str, on_start) field(u32, n)
TROUPE_MESSAGE(job, JOB)
#define ORDER(field) field(str, what) field(address, to) field(str, name) field(str, on_start) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define DEED(field) field(str, what)
TROUPE_MESSAGE(deed, DEED)

/* ---- What is added ---- */

struct worker {
    uint32_t n;
};
TROUPE_START(worker, job) {
    me->n = args->n;
    if (strcmp(args->on_start, "quiet") != 0) board_note("+%s@%u", troupe_self_path(self), troupe_self_run(self));
    if (strcmp(args->on_start, "fail") == 0) return TROUPE_FAIL(self, "told to fail at its start");
    if (strcmp(args->on_start, "ignore") == 0) return troupe_ignore(self);
    if (strcmp(args->on_start, "later") == 0) return troupe_start_later(self);
    if (strcmp(args->on_start, "fail again") == 0 && troupe_self_run(self) > 0)
        return TROUPE_FAIL(self, "told to fail when started again");
    return TROUPE_OK;
}
TROUPE_STOP(worker) {
    board_note("-%s(%s)", troupe_self_path(self), troupe_status_name(reason));
    board_add(0, 1);
}
TROUPE_ON(worker, deed) {
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "ready") == 0) troupe_started(self);
    if (strcmp(msg->what, "ignore") == 0) return troupe_ignore(self);
    board_note("%s:%s@%u n=%u", troupe_self_path(self), msg->what, troupe_self_run(self), me->n);
    return TROUPE_OK;
}
TROUPE_ACTOR(worker, TROUPE_STARTS(worker, job), TROUPE_STOPS(worker), TROUPE_HANDLES(worker, deed))

/* ---- Who asks for them ---- */

struct boss {
    troupe_address last, above; /* the child, the supervisor, that was started last */
};

static enum troupe_status start_supervisor(troupe_self *self, const struct order *msg) {
    struct troupe_child_options named = { .name = "first", .restart = TROUPE_TEMPORARY }, above = { .name = msg->name };
    struct troupe_child_spec specs[2], inner;
    enum troupe_status status = troupe_describe_child(&specs[0], &named, worker, job, .n = 7, .on_start = "");
    if (status == TROUPE_OK) status = troupe_describe_child(&inner, NULL, worker, job, .n = 8, .on_start = "");
    struct troupe_child_options below = { .name = "below" };
    if (status == TROUPE_OK)
        status = troupe_describe_child(&specs[1], &below, troupe_supervisor, troupe_supervise,
                                       .children = { &inner, 1 });
    if (status == TROUPE_OK)
        status = troupe_ask_start_child(self, msg->to, 20 * TROUPE_SECOND, &above, troupe_supervisor, troupe_supervise,
                                        .strategy = TROUPE_ONE_FOR_ALL, .restarts = 2, .children = { specs, 2 });
    troupe_child_spec_free(&specs[0]);
    troupe_child_spec_free(&specs[1]);
    troupe_child_spec_free(&inner);
    return status;
}

static enum troupe_status start_child(troupe_self *self, const struct order *msg) {
    struct troupe_child_options options = { .name = msg->name[0] == '\0' ? NULL : msg->name,
                                            .restart = (enum troupe_restart)msg->n };
    if (strcmp(msg->on_start, "later") == 0) options.ready = 300 * TROUPE_MILLISECOND;
    if (strcmp(msg->on_start, "in time") == 0) options.ready = 20 * TROUPE_SECOND;
    bool later = strcmp(msg->on_start, "in time") == 0;
    return troupe_ask_start_child(self, msg->to, 20 * TROUPE_SECOND, &options, worker, job, .n = msg->n,
                                  .on_start = later ? "later" : msg->on_start);
}

/* Requests of which each has something wrong. */
static enum troupe_status ask_nonsense(troupe_self *self, troupe_address to) {
    struct troupe_child_spec spec = { .actor = "worker", .start = "job", .args = { "\x92\xa0\x01", 3 } }, bad[9];
    for (int i = 0; i < 9; i++) bad[i] = spec;
    bad[0].actor = "nobody";
    bad[1].start = "order";
    bad[2].args = (struct troupe_bytes){ "\xff", 1 };
    bad[3].restart = 3;
    bad[4].shutdown = -2;
    bad[5].mailbox_limit = UINT32_MAX;
    bad[6].name = "a/b";
    bad[7].actor = "tr_agent";
    bad[8].significant = true;
    enum troupe_status status = TROUPE_OK;
    for (int i = 0; i < 9 && status == TROUPE_OK; i++)
        status = troupe_ask(self, to, troupe_start_child, 20 * TROUPE_SECOND, .child = bad[i]);
    return status;
}

TROUPE_ON(boss, order) {
    int64_t patience = 20 * TROUPE_SECOND;
    if (strcmp(msg->what, "start") == 0) return start_child(self, msg);
    if (strcmp(msg->what, "supervise") == 0) return start_supervisor(self, msg);
    if (strcmp(msg->what, "another") == 0) return troupe_ask_empty(self, msg->to, troupe_start_child, patience);
    if (strcmp(msg->what, "nonsense") == 0) return ask_nonsense(self, msg->to);
    if (strcmp(msg->what, "terminate") == 0)
        return troupe_ask(self, msg->to, troupe_terminate_child, patience, .name = msg->name);
    if (strcmp(msg->what, "terminate the last") == 0)
        return troupe_ask(self, msg->to, troupe_terminate_child, patience, .address = me->last);
    if (strcmp(msg->what, "restart") == 0)
        return troupe_ask(self, msg->to, troupe_restart_child, patience, .name = msg->name);
    if (strcmp(msg->what, "delete") == 0)
        return troupe_ask(self, msg->to, troupe_delete_child, patience, .name = msg->name);
    if (strcmp(msg->what, "count") == 0) return troupe_ask_empty(self, msg->to, troupe_count_children, patience);
    if (strcmp(msg->what, "which") == 0)
        return troupe_ask(self, msg->to, troupe_which_children, patience, .limit = msg->n);
    if (strcmp(msg->what, "spawn") == 0)
        return troupe_spawn(self, &me->above, troupe_supervisor, troupe_supervise, .strategy = TROUPE_DYNAMIC,
                            .max_children = msg->n);
    if (strcmp(msg->what, "start above") == 0) {
        enum troupe_status asked = troupe_ask_start_child(self, me->above, patience, NULL, worker, job, .on_start = "");
        if (asked != TROUPE_OK) board_note("not asked: %s", troupe_status_name(asked));
        board_add(1, 1);
        return TROUPE_OK;
    }
    if (strcmp(msg->what, "stop above") == 0) return troupe_stop_actor(self, me->above);
    return troupe_send(self, me->last, deed, .what = msg->what); /* nothing of ours: for the last */
}

static void note_child(const char *what, const struct troupe_child *child) {
    board_note("%s %s %s %s%s", what, troupe_status_name((enum troupe_status)child->status), child->name,
               troupe_child_state_name((enum troupe_child_state)child->state),
               troupe_address_is_none(child->address) ? "" : " there");
}

TROUPE_ANSWER(boss, troupe_start_child, troupe_child) {
    if (outcome != TROUPE_OK) {
        board_note("start %s", troupe_status_name(outcome));
        return TROUPE_OK;
    }
    if (reply->why[0] != '\0') board_note("why %.60s", reply->why);
    note_child("start", reply);
    if (strcmp(reply->name, "s") == 0) me->above = reply->address;
    else if (!troupe_address_is_none(reply->address)) me->last = reply->address;
    return TROUPE_OK;
}
TROUPE_ANSWER(boss, troupe_terminate_child, troupe_child) {
    if (outcome == TROUPE_OK) note_child("terminate", reply);
    return outcome;
}
TROUPE_ANSWER(boss, troupe_restart_child, troupe_child) {
    if (outcome == TROUPE_OK) note_child("restart", reply);
    return outcome;
}
TROUPE_ANSWER(boss, troupe_delete_child, troupe_child) {
    if (outcome == TROUPE_OK) note_child("delete", reply);
    return outcome;
}
TROUPE_ANSWER(boss, troupe_count_children, troupe_child_counts) {
    if (outcome == TROUPE_OK)
        board_note("count %u %u %u %u", reply->specs, reply->active, reply->supervisors, reply->workers);
    return outcome;
}
TROUPE_ANSWER(boss, troupe_which_children, troupe_children) {
    for (uint32_t i = 0; outcome == TROUPE_OK && i < reply->children.count; i++) {
        const struct troupe_child_info *child = &reply->children.items[i];
        board_note("child %s %s %s %llu%s", child->path, child->actor,
                   troupe_child_state_name((enum troupe_child_state)child->state), (unsigned long long)child->restarts,
                   child->is_supervisor ? " supervisor" : "");
    }
    if (outcome == TROUPE_OK) board_note("which %u%s", reply->children.count, reply->more ? " and more" : "");
    return outcome;
}
TROUPE_ACTOR(boss, TROUPE_HANDLES(boss, order), TROUPE_ANSWERS(boss, troupe_start_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_terminate_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_restart_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_delete_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_count_children, troupe_child_counts),
             TROUPE_ANSWERS(boss, troupe_which_children, troupe_children))

static const struct troupe_actor_type *const actors[] = { &worker_actor, &boss_actor, NULL };

/* ---- The tests ---- */

/* The boss lives where the test says: what it asks for crosses to another node, or does not. */
static const char *places[] = { "thread", "inproc" };

static troupe_system *start(const char *place, const char *tree) {
    char config[1024];
    snprintf(config, sizeof config,
             "tree:\n  children:\n    - { name: boss, actor: boss, place: %s }\n%s", place, tree);
    return system_start(config, actors);
}

#define let(system, ...) let_do((system), &(const struct order){ __VA_ARGS__ })
static void let_do(troupe_system *system, const struct order *order) {
    enum troupe_status status =
        troupe_system_send_message(system, troupe_system_lookup(system, "/boss"), &order_message, order);
    assert_int_equal(status, TROUPE_OK);
}

static const char pool[] = "    - { name: pool, strategy: one_for_one, restarts: 3, children: [] }\n";
static const char crowd[] = "    - name: crowd\n      strategy: dynamic\n      restarts: 3\n      max_children: 3\n"
                            "      child: { actor: worker, args: { n: 5 }, restart: transient }\n";

static void a_child_is_added_restarted_and_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        troupe_system *system = start(places[i], pool);
        troupe_address to = troupe_system_lookup(system, "/pool");
        let(system, .what = "start", .to = to, .name = "w");
        board_await("start ok w running there");
        let(system, .what = "hello");
        board_await("/pool/w:hello@0 n=0");
        let(system, .what = "fail");
        board_await("+/pool/w@1");
        let(system, .what = "hello"); /* the same address */
        board_await("/pool/w:hello@1 n=0");
        let(system, .what = "which", .to = to);
        board_await("child /pool/w worker running 1");
        let(system, .what = "start", .to = to, .name = "w");
        board_await("start exists w running there");
        let(system, .what = "terminate", .to = to, .name = "w");
        board_await("terminate ok w resting");
        let(system, .what = "hello"); /* to nobody: forgotten or not, it does not run */
        let(system, .what = "start", .to = to, .name = "w");
        board_await("start exists w resting");
        let(system, .what = "restart", .to = to, .name = "w");
        board_await("restart ok w running there");
        let(system, .what = "restart", .to = to, .name = "w");
        board_await("restart busy w running there");
        let(system, .what = "delete", .to = to, .name = "w");
        board_await("delete busy w running there");
        let(system, .what = "terminate", .to = to, .name = "w");
        board_await_times("terminate ok w resting", 2);
        let(system, .what = "delete", .to = to, .name = "w");
        board_await("delete ok w unknown");
        let(system, .what = "terminate", .to = to, .name = "w");
        board_await("terminate not_found  unknown");
        let(system, .what = "count", .to = to);
        board_await("count 0 0 0 0");
        system_end(system, 0, NULL);
    }
}

static void starts_that_come_to_nothing(void **state) {
    troupe_system *system = start("thread", pool);
    troupe_address to = troupe_system_lookup(system, "/pool");
    (void)state;
    let(system, .what = "start", .to = to, .name = "bad", .on_start = "fail");
    board_await("start failed bad unknown");
    assert_non_null(strstr(board_lines("why"), "why /pool/bad failed: told to fail at its start"));
    let(system, .what = "start", .to = to, .name = "idle", .on_start = "ignore");
    board_await("start ok idle resting");
    let(system, .what = "start", .to = to, .name = "late", .on_start = "later");
    board_await("start failed late unknown");
    let(system, .what = "start", .to = to, .name = "gone", .on_start = "ignore", .n = TROUPE_TEMPORARY);
    board_await("start ok gone unknown");
    let(system, .what = "count", .to = to);
    board_await("count 1 0 0 1"); /* the one that had nothing to do rests */
    let(system, .what = "restart", .to = to, .name = "idle");
    board_await("restart ok idle resting");
    let(system, .what = "nonsense", .to = to);
    board_await_times("start not_found  unknown", 2);
    board_await_times("start invalid  unknown", 7);
    system_end(system, 0, NULL);
}

/* It is asked for and not answered before it says so itself; others are served meanwhile. */
static void readiness_may_come_later(void **state) {
    troupe_system *system = start("thread", pool);
    troupe_address to = troupe_system_lookup(system, "/pool");
    (void)state;
    let(system, .what = "start", .to = to, .name = "slow", .on_start = "in time");
    board_await("+/pool/slow@0");
    let(system, .what = "start", .to = to, .name = "fast");
    board_await("start ok fast running there");
    assert_int_equal(board_times("start ok slow running there"), 0);
    let(system, .what = "which", .to = to);
    board_await("child /pool/slow worker starting 0");
    let(system, .what = "terminate", .to = to, .name = "fast");
    board_await("terminate ok fast resting");
    let(system, .what = "terminate", .to = to, .name = "slow");
    board_await("start failed slow unknown");
    system_end(system, 0, NULL);
}

static void dynamic_children_come_from_a_template(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        troupe_system *system = start(places[i], crowd);
        troupe_address to = troupe_system_lookup(system, "/crowd");
        let(system, .what = "another", .to = to);
        board_await("start ok 1 running there");
        let(system, .what = "hello");
        board_await("/crowd/1:hello@0 n=5");
        let(system, .what = "start", .to = to);
        board_await("start ok 2 running there");
        let(system, .what = "hello");
        board_await("/crowd/2:hello@0 n=0");
        let(system, .what = "start", .to = to, .n = 1); /* an option of its own */
        board_await("start invalid  unknown");
        let(system, .what = "another", .to = to);
        board_await("start ok 3 running there");
        let(system, .what = "another", .to = to);
        board_await("start limit  unknown");
        let(system, .what = "fail");
        board_await("+/crowd/3@1");
        let(system, .what = "terminate the last", .to = to);
        board_await("terminate ok 3 unknown");
        let(system, .what = "terminate", .to = to, .name = "1");
        board_await("terminate ok 1 unknown");
        let(system, .what = "restart", .to = to, .name = "2");
        board_await("restart invalid 2 running there");
        let(system, .what = "count", .to = to);
        board_await("count 1 1 0 1");
        system_end(system, 0, NULL);
    }
}

static void supervisors_are_started_from_code(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        troupe_system *system = start(places[i], pool);
        troupe_address to = troupe_system_lookup(system, "/pool");
        let(system, .what = "supervise", .to = to, .name = "s");
        board_await("start ok s running there");
        board_await("+/pool/s/first@0");
        board_await("+/pool/s/below/1@0");
        let(system, .what = "which", .to = to);
        board_await("child /pool/s troupe_supervisor running 0 supervisor");
        let(system, .what = "count", .to = to);
        board_await("count 1 1 1 0");
        let(system, .what = "start above");
        board_await("start ok 3 running there");
        let(system, .what = "fail"); /* one for all, but the temporary child is forgotten */
        board_await("+/pool/s/below/1@0");
        board_await("+/pool/s/3@1");
        let(system, .what = "terminate", .to = to, .name = "s");
        board_await("terminate ok s resting");
        board_await_times("-/pool/s/below/1(stopping)", 2);
        let(system, .what = "restart", .to = to, .name = "s");
        board_await("restart ok s running there");
        board_await_times("+/pool/s/first@0", 2);
        let(system, .what = "terminate", .to = to, .name = "s");
        board_await_times("terminate ok s resting", 2);
        system_end(system, 0, NULL);
    }
}

/* It is nobody's child: what it has goes with it, however it goes. */
static void a_supervisor_may_be_spawned(void **state) {
    troupe_system *system = start("thread", "");
    (void)state;
    let(system, .what = "spawn", .n = 2);
    for (uint32_t i = 1; i <= 2; i++) {
        let(system, .what = "start above");
        board_await(i == 1 ? "start ok 1 running there" : "start ok 2 running there");
    }
    let(system, .what = "start above");
    board_await("start limit  unknown");
    let(system, .what = "stop above");
    board_await_tally(0, 2);
    let(system, .what = "spawn", .n = 2);
    let(system, .what = "start above");
    board_await_times("start ok 1 running there", 2);
    let(system, .what = "fail");
    board_await_tally(0, 3);
    let(system, .what = "fail"); /* one restart is allowed; this is one more */
    board_await_tally(0, 4);
    for (int64_t asked = board_tally(1) + 1; board_times("not asked: gone") == 0; asked++) {
        let(system, .what = "start above"); /* until nobody is there */
        board_await_tally(1, asked);
    }
    system_end(system, 0, NULL);
}

/* It is killed for the failure of a sibling, over and over: nobody is left of what was added to it. */
static void what_was_added_is_killed_with_its_supervisor(void **state) {
    enum { ROUNDS = 50 };
    char line[64];
    troupe_system *system =
        start("inproc", "    - name: g\n      strategy: one_for_all\n      restarts: 1000\n      children:\n"
                        "        - { name: s, shutdown: kill, children: [] }\n"
                        "        - { name: b, actor: worker }\n");
    troupe_address to = troupe_system_lookup(system, "/g/s"), sibling = troupe_system_lookup(system, "/g/b");
    (void)state;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        let(system, .what = "start", .to = to, .name = "v");
        let(system, .what = "start", .to = to, .name = "w");
        board_await_times("start ok v running there", i + 1);
        board_await_times("start ok w running there", i + 1);
        assert_int_equal(troupe_system_send(system, sibling, deed, .what = "fail"), TROUPE_OK);
        snprintf(line, sizeof line, "+/g/b@%u", i + 1);
        board_await(line);
    }
    let(system, .what = "count", .to = to);
    board_await("count 0 0 0 0");
    assert_string_equal(board_lines("-/g/s"), ""); /* killed: without their stop handlers */
    system_end(system, 0, NULL);
}

static void ten_thousand_children(void **state) {
    enum { MANY = 10000, ROUND = 500 };
    troupe_system *system = start("thread", "    - { name: many, strategy: dynamic, restarts: 1000000 }\n");
    troupe_address to = troupe_system_lookup(system, "/many");
    (void)state;
    for (uint32_t i = 0; i < MANY; i += ROUND) {
        for (uint32_t k = 0; k < ROUND; k++) let(system, .what = "start", .to = to, .on_start = "quiet");
        char line[64];
        snprintf(line, sizeof line, "start ok %u running there", i + ROUND);
        board_await(line);
        board_clear();
    }
    let(system, .what = "start", .to = to, .name = "x");
    board_await("start ok x running there");
    let(system, .what = "fail");
    let(system, .what = "hello");
    board_await("/many/x:hello@1 n=0");
    let(system, .what = "which", .to = to);
    board_await("which 1000 and more");
    let(system, .what = "count", .to = to);
    board_await("count 10001 10001 0 10001");
    system_end(system, 0, NULL);
}

/* The threads of the transport stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text =
        "tree: { children: [ { name: a, actor: boss, place: inproc }, { name: b, actor: boss } ] }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    start_transport();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_added_restarted_and_found),
        cmocka_unit_test(starts_that_come_to_nothing),
        cmocka_unit_test(readiness_may_come_later),
        cmocka_unit_test(dynamic_children_come_from_a_template),
        cmocka_unit_test(supervisors_are_started_from_code),
        cmocka_unit_test(a_supervisor_may_be_spawned),
        cmocka_unit_test(what_was_added_is_killed_with_its_supervisor),
        cmocka_unit_test(ten_thousand_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
