/*
 * Messages put aside: their order, their asks, their bound, and what becomes of them when a run ends.
 */
#include "lib/system_test.h"

#include <stdlib.h>
#include <string.h>

#define ORDER(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define JOB(field) field(u32, n) field(bytes, data)
TROUPE_MESSAGE(job, JOB)
#define DONE(field) field(u32, n)
TROUPE_MESSAGE(done, DONE)

enum { LARGE = 1 << 17, ASKED = 50, FAILS = 90 };

/* ---- The workshop: puts jobs aside while it is closed ---- */

struct workshop {
    bool open;
    uint32_t failures;
};

static enum troupe_status put_aside(troupe_self *self, const char *what, uint32_t n) {
    enum troupe_status status = troupe_stash(self);
    board_note(status == TROUPE_OK ? "%s %u" : "%s %u!%s", what, n, troupe_status_name(status));
    return TROUPE_OK;
}

TROUPE_START(workshop, troupe_none) {
    (void)me;
    if (troupe_self_run(self) > 0) board_note("again");
    return TROUPE_OK;
}
TROUPE_STOP(workshop) {
    (void)me;
    if (reason == TROUPE_FAILED) board_note("failed");
    if (troupe_stash(self) != TROUPE_INVALID) board_note("put aside what is not there");
}

static enum troupe_status open_it(troupe_self *self, struct workshop *me) {
    me->open = true;
    board_note("open:%u", troupe_unstash(self));
    return TROUPE_OK;
}

static enum troupe_status obey(troupe_self *self, struct workshop *me, const struct order *msg) {
    if (strcmp(msg->what, "open") == 0) return open_it(self, me);
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "tick") == 0) return troupe_after(self, NULL, 0, done, .n = msg->n);
    if (strcmp(msg->what, "aside") == 0) return put_aside(self, "order", msg->n);
    if (strcmp(msg->what, "aside and exit") == 0) {
        (void)!troupe_stash(self);
        return troupe_exit(self);
    }
    if (strcmp(msg->what, "aside and fail") == 0) {
        (void)!troupe_stash(self);
        return TROUPE_FAIL(self, "asked to");
    }
    if (strcmp(msg->what, "aside and receive") == 0) {
        if (me->open) {
            board_note("came again");
            return TROUPE_OK;
        }
        (void)!troupe_stash(self);
        board_note("receive:%s", troupe_status_name(troupe_receive(self, 0)));
    }
    if (strcmp(msg->what, "receive and aside") == 0) {
        (void)!troupe_receive(self, 0);
        return put_aside(self, "received", msg->n);
    }
    return TROUPE_OK;
}
TROUPE_ON(workshop, order) {
    enum troupe_status status = obey(self, me, msg);
    if (strncmp(msg->what, "note", 4) == 0) board_note("%s", msg->what);
    return status;
}
TROUPE_ON(workshop, job) {
    if (!me->open) return put_aside(self, "aside", msg->n);
    const uint8_t *data = msg->data.data;
    bool whole = msg->data.size == 0 || (msg->data.size == LARGE && data[LARGE - 1] == (uint8_t)msg->n);
    board_note(whole ? "job %u" : "torn %u", msg->n);
    if (msg->n >= FAILS) return TROUPE_FAIL(self, "a bad job");
    if (msg->n < ASKED) return TROUPE_OK;
    enum troupe_status status = troupe_reply(self, done, .n = msg->n);
    return status == TROUPE_OK ? put_aside(self, "answered", msg->n) : TROUPE_OK; /* refused */
}
TROUPE_ON(workshop, done) { /* a tick */
    if (msg->n == 1) return open_it(self, me);
    return put_aside(self, "tick", msg->n);
}
TROUPE_ACTOR(workshop, TROUPE_STARTS(workshop, troupe_none), TROUPE_STOPS(workshop), TROUPE_HANDLES(workshop, order, job, done))

/* ---- Who asks it, and hires one that nobody supervises ---- */

struct client { troupe_address hired; };
TROUPE_ON(client, order) {
    troupe_address to = troupe_lookup(self, "workshop");
    if (strcmp(msg->what, "hire") == 0) return troupe_spawn_empty(self, &me->hired, workshop);
    if (strncmp(msg->what, "tell ", 5) == 0) return troupe_send(self, me->hired, order, .what = msg->what + 5);
    if (strcmp(msg->what, "ask hired") == 0) to = me->hired;
    int64_t time = strcmp(msg->what, "ask shortly") == 0 ? TROUPE_MILLISECOND : TROUPE_MINUTE;
    return troupe_ask(self, to, job, time, .n = msg->n);
}
TROUPE_ANSWER(client, job, done) {
    board_note("answer %u:%s", request->n, troupe_status_name(outcome));
    return reply != NULL && reply->n != request->n ? TROUPE_FAIL(self, "the wrong reply") : TROUPE_OK;
}
TROUPE_ACTOR(client, TROUPE_HANDLES(client, order), TROUPE_ANSWERS(client, job, done))

static const struct troupe_actor_type *const actors[] = { &workshop_actor, &client_actor, NULL };

/* ---- Systems ---- */

#define TREE(tree, more)                                                                           \
    "{ threads: 2, tree: { " tree " restarts: 1000, within: 1s, children: ["                       \
    "{ name: workshop, actor: workshop" more " }, { name: second, actor: workshop },"              \
    "{ name: client, actor: client } ] } }"
static const char tree[] = TREE("", "");

static void tell(troupe_system *system, const char *whom, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what, .n = n),
                     TROUPE_OK);
}
static void give(troupe_system *system, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "workshop"), job, .n = n),
                     TROUPE_OK);
}
static void end(troupe_system *system, const char *board, uint64_t dead) {
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    board_expect(board);
    assert_int_equal(counts.dead_letters, dead);
}

/* ---- The tests ---- */

static void first_in_their_order(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    for (uint32_t n = 1; n <= 3; n++) give(system, n);
    board_await("aside 3");
    gate_close();
    tell(system, "workshop", "wait", 0);
    gate_await(1);
    tell(system, "workshop", "open", 0);
    give(system, 4); /* in the mailbox when it opens */
    gate_open();
    board_await("job 4");
    end(system, "aside 1 aside 2 aside 3 open:3 job 1 job 2 job 3 job 4", 0);
}

/* With nothing else in the mailbox, and more than once. */
static void by_a_tick(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    give(system, 1);
    tell(system, "workshop", "aside", 7);
    tell(system, "workshop", "tick", 1);
    board_await("job 1");
    board_await_times("order 7", 2);
    tell(system, "workshop", "open", 0);
    board_await_times("order 7", 3);
    end(system, "aside 1 order 7 open:2 job 1 order 7 open:1 order 7", 1);
}

static void an_ask_keeps_its_asker_and_its_deadline(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "client", "ask", 51);
    board_await("aside 51");
    tell(system, "client", "ask shortly", 52);
    board_await("answer 52:timeout");
    tell(system, "workshop", "open", 0);
    board_await("answer 51:ok");
    tell(system, "workshop", "note", 0);
    board_await("note");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("answered 51!invalid"), 1);
}

static void as_many_as_the_mailbox_may_hold(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE("", ", mailbox: { limit: 2 }"), actors);
    for (uint32_t n = 1; n <= 3; n++) {
        give(system, n); /* there is room in the mailbox */
        board_await(n < 3 ? n == 1 ? "aside 1" : "aside 2" : "aside 3!full");
    }
    tell(system, "workshop", "open", 0);
    board_await("job 2");
    gate_close(); /* and the mailbox is as large as before */
    tell(system, "workshop", "wait", 0);
    gate_await(1);
    give(system, 4);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "workshop"), job, .n = 5), TROUPE_FULL);
    gate_open();
    board_await("job 4");
    end(system, "aside 1 aside 2 aside 3!full open:2 job 1 job 2 job 4", 0);
}

static void the_next_run_has_them_first(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    give(system, 1);
    give(system, 2);
    board_await("aside 2");
    gate_close();
    tell(system, "workshop", "wait", 0);
    gate_await(1);
    tell(system, "workshop", "fail", 0);
    give(system, 3);
    gate_open();
    board_await_times("aside 3", 1);
    tell(system, "workshop", "open", 0);
    board_await("job 3");
    end(system, "aside 1 aside 2 failed again aside 1 aside 2 aside 3 open:3 job 1 job 2 job 3", 1);
}

static void a_siblings_failure_flushes_them(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE("strategy: one_for_all,", ""), actors);
    give(system, 1);
    give(system, 2);
    board_await("aside 2");
    tell(system, "second", "fail", 0);
    board_await_times("again", 2);
    give(system, 3);
    board_await("aside 3");
    tell(system, "workshop", "open", 0);
    board_await("job 3");
    end(system, "aside 1 aside 2 failed again again aside 3 open:1 job 3", 3);
}

static void they_end_with_an_actor_that_does_not_come_back(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "client", "hire", 0);
    tell(system, "client", "ask hired", 51);
    board_await("aside 51");
    tell(system, "client", "tell aside and exit", 0);
    board_await("answer 51:gone");
    end(system, "aside 51 answer 51:gone", 2);
}

static void not_if_the_handler_fails(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "workshop", "aside and fail", 0);
    tell(system, "workshop", "open", 0);
    board_await("open:0");
    end(system, "failed again open:0", 1);
}

/* Three runs fall to it, and what was put aside before it waits until it is gone. */
static void delivered_again_after_a_failure(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE("", ", delivery: at_least_once"), actors);
    give(system, 91);
    give(system, 1);
    board_await("aside 1");
    tell(system, "workshop", "open", 0);
    board_await("failed");
    tell(system, "workshop", "note", 0);
    board_await("note");
    tell(system, "workshop", "open", 0);
    board_await_times("failed", 2);
    tell(system, "workshop", "open", 0);
    board_await_times("failed", 3);
    tell(system, "workshop", "open", 0);
    board_await("job 1");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("job 91"), 3);
}

static void only_a_message_at_hand(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE("", ", place: { thread: own }"), actors);
    tell(system, "workshop", "tick", 2);
    board_await("tick 2!invalid");
    tell(system, "workshop", "aside and receive", 0);
    board_await("receive:invalid");
    tell(system, "workshop", "receive and aside", 3);
    board_await("received 3!invalid");
    tell(system, "workshop", "open", 0);
    board_await("came again");
    end(system, "tick 2!invalid receive:invalid received 3!invalid open:1 came again", 0);
}

/* What it refers to lives as long as it does. */
static void large_ones(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    for (uint32_t n = 1; n <= 2; n++) {
        uint8_t *data = troupe_system_buffer(system, LARGE);
        memset(data, (int)n, LARGE);
        assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "workshop"), job, .n = n,
                                            .data = { data, LARGE }),
                         TROUPE_OK);
        assert_int_equal(troupe_system_buffer_release(system, data), TROUPE_OK);
    }
    tell(system, "workshop", "open", 0);
    board_await("job 2");
    end(system, "aside 1 aside 2 open:2 job 1 job 2", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_their_order),
        cmocka_unit_test(by_a_tick),
        cmocka_unit_test(an_ask_keeps_its_asker_and_its_deadline),
        cmocka_unit_test(as_many_as_the_mailbox_may_hold),
        cmocka_unit_test(the_next_run_has_them_first),
        cmocka_unit_test(a_siblings_failure_flushes_them),
        cmocka_unit_test(they_end_with_an_actor_that_does_not_come_back),
        cmocka_unit_test(not_if_the_handler_fails),
        cmocka_unit_test(delivered_again_after_a_failure),
        cmocka_unit_test(only_a_message_at_hand),
        cmocka_unit_test(large_ones),
    };
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    return failed + cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
