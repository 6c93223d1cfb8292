/*
 * Routers: who gets what, whose it stays, and what nobody takes. Each test runs with everybody on one node, and with
 * client, router and hands spread over nodes in every way.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place/host.h"

#define ORDER(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define JOB(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(job, JOB)
#define DONE(field) field(u32, hand)
TROUPE_MESSAGE(done, DONE)
TROUPE_MESSAGE_EMPTY(ping)
TROUPE_MESSAGE_EMPTY(leave)
#define NUMBERED(field) field(u32, number)
TROUPE_MESSAGE(numbered, NUMBERED)

enum { HANDS = 3, ASKS = 300 };

/* ---- Who works: all in the group "hands" ---- */

struct hand { uint32_t number; };
static uint32_t last_digit(troupe_self *self) {
    const char *path = troupe_self_path(self);
    return (uint32_t)(path[strlen(path) - 1] - '0');
}
TROUPE_START(hand, numbered) {
    me->number = args->number;
    return troupe_join(self, "hands");
}
static uint32_t number_of(troupe_self *self, const struct hand *me) {
    return me->number > 0 ? me->number : last_digit(self);
}
TROUPE_ON(hand, job) {
    bool client = troupe_address_equal(troupe_sender(self), troupe_lookup(self, "client"));
    if (!client) board_note("it is another's");
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "go") == 0) return troupe_exit(self);
    board_add(number_of(self, me) % 4, 1);
    if (strcmp(msg->what, "note") == 0) board_note("hand %u", number_of(self, me));
    return troupe_reply(self, done, .hand = number_of(self, me));
}
TROUPE_ON(hand, leave) {
    (void)troupe_reply(self, done, .hand = number_of(self, me));
    return troupe_leave(self, "hands");
}
TROUPE_ACTOR(hand, TROUPE_STARTS(hand, numbered), TROUPE_HANDLES(hand, job, leave))

/* ---- Who has it done ---- */

struct client {
    troupe_address router;
    uint32_t of_key[ASKS], asked[4];
};
TROUPE_START(client, troupe_none) {
    me->router = troupe_lookup(self, "router");
    for (uint32_t i = 0; i < ASKS; i++) me->of_key[i] = UINT32_MAX;
    return TROUPE_OK;
}
static enum troupe_status each(troupe_self *self, struct client *me, const struct order *msg) {
    enum troupe_status status = TROUPE_OK;
    for (uint32_t i = 0; i < msg->n && status == TROUPE_OK; i++)
        status = troupe_ask(self, me->router, job, TROUPE_MINUTE, .what = msg->what, .n = i);
    return status;
}
TROUPE_ON(client, order) {
    if (strcmp(msg->what, "count") == 0) return troupe_ask_empty(self, me->router, troupe_count_members, TROUPE_MINUTE);
    if (strcmp(msg->what, "resize") == 0)
        return troupe_ask(self, me->router, troupe_resize, TROUPE_MINUTE, .size = msg->n);
    if (strcmp(msg->what, "ping") == 0) return troupe_send_empty(self, me->router, ping);
    if (strcmp(msg->what, "leave") == 0) return troupe_ask_empty(self, me->router, leave, TROUPE_MINUTE);
    if (strcmp(msg->what, "spawn") == 0) {
        enum troupe_status status = troupe_spawn(self, &me->router, troupe_router, troupe_routing, .policy = "random",
                                                 .group = "hands");
        board_note("spawn:%s", troupe_status_name(status));
        return TROUPE_OK;
    }
    if (strncmp(msg->what, "ask ", 4) == 0)
        return troupe_ask(self, me->router, job, TROUPE_MINUTE, .what = msg->what + 4, .n = msg->n);
    if (strncmp(msg->what, "send ", 5) == 0)
        return troupe_send(self, me->router, job, .what = msg->what + 5, .n = msg->n);
    return each(self, me, msg);
}
/* What one hand has had of a key, no other is to get. */
TROUPE_ANSWER(client, job, done) {
    uint32_t hand = reply == NULL ? 0 : reply->hand;
    if (strcmp(request->what, "key") == 0 && me->of_key[request->n] != UINT32_MAX && me->of_key[request->n] != hand)
        board_note("key %u has moved", request->n);
    if (strcmp(request->what, "key") == 0) me->of_key[request->n] = hand;
    if (strcmp(request->what, "key") != 0 && strcmp(request->what, "many") != 0)
        board_note("%s:%s", request->what, troupe_status_name(outcome));
    board_add(5, 1);
    return TROUPE_OK;
}
TROUPE_ANSWER(client, leave, done) {
    board_note("left:%s", troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_ANSWER(client, troupe_count_members, troupe_member_count) {
    board_note("members %u", outcome == TROUPE_OK ? reply->count : 99);
    board_add(6, 1);
    return TROUPE_OK;
}
TROUPE_ON(client, ping) { /* so that the program knows it */
    board_note("pinged");
    return TROUPE_OK;
}
TROUPE_ANSWER(client, troupe_resize, troupe_member_count) {
    board_note("resized %s", troupe_status_name(outcome != TROUPE_OK ? outcome : (enum troupe_status)reply->status));
    return TROUPE_OK;
}
TROUPE_ON(client, done) {
    board_note("told %u", msg->hand);
    return TROUPE_OK;
}
TROUPE_ON(client, troupe_undelivered) {
    board_note("undelivered %s:%s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ACTOR(client, TROUPE_STARTS(client, troupe_none), TROUPE_HANDLES(client, order, done, ping, troupe_undelivered),
             TROUPE_ANSWERS(client, job, done), TROUPE_ANSWERS(client, leave, done),
             TROUPE_ANSWERS(client, troupe_resize, troupe_member_count),
             TROUPE_ANSWERS(client, troupe_count_members, troupe_member_count))

static const struct troupe_actor_type *const actors[] = { &client_actor, &hand_actor, NULL };

/* ---- Systems ---- */

static const char *const places[][3] = {
    { "thread", "thread", "thread" }, { "thread", "inproc", "thread" }, { "inproc", "thread", "thread" },
    { "thread", "thread", "inproc" }, { "inproc", "inproc", "inproc" }, { "thread", "{ thread: a }", "{ thread: a }" },
};
enum { PLACES = sizeof places / sizeof places[0] };

static troupe_system *start_with(size_t at, const char *args, const char *hands) {
    static char config[1024];
    snprintf(config, sizeof config,
             "{ threads: 5, tree: { restarts: 1000, within: 1s, children: ["
             "{ name: hand, actor: hand, count: 3, restart: transient, place: %s%s },"
             "{ name: router, actor: troupe_router, args: { %s }, place: %s },"
             "{ name: client, actor: client, place: %s } ] } }",
             places[at][2], hands, args, places[at][1], places[at][0]);
    return system_start(config, actors);
}
static troupe_system *start(size_t at, const char *args) { return start_with(at, args, ""); }

static void tell_times(troupe_system *system, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "client"), order, .what = what, .n = n),
                     TROUPE_OK);
}
static void tell(troupe_system *system, const char *what) { tell_times(system, what, 0); }

/* What its node knows of the others comes a moment later. */
static void await_members(troupe_system *system, uint32_t count) {
    char line[32];
    snprintf(line, sizeof line, "members %u", count);
    for (int64_t asked = board_tally(6) + 1; board_times(line) == 0; asked++) {
        tell(system, "count");
        board_await_tally(6, asked);
    }
}

/* ---- One of them ---- */

static void one_after_the_other(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "children: /hand");
        tell_times(system, "many", ASKS);
        board_await_tally(5, ASKS);
        system_end(system, 0, NULL);
        for (uint32_t hand = 0; hand < HANDS; hand++) assert_int_equal(board_tally(hand), ASKS / HANDS);
        board_expect("");
    }
}

static void its_sender_stays_its_sender(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "policy: round_robin, children: /hand");
        tell(system, "send it");
        board_await("told 0");
        tell(system, "send it");
        board_await("told 1");
        system_end(system, 0, NULL);
        board_expect("told 0 told 1");
    }
}

static void at_random(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "policy: random, children: /hand");
        tell_times(system, "many", ASKS);
        board_await_tally(5, ASKS);
        system_end(system, 0, NULL);
        for (uint32_t hand = 0; hand < HANDS; hand++) assert_true(board_tally(hand) > ASKS / HANDS / 2);
    }
}

static void by_a_key(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "policy: hash, key: n, children: /hand");
        tell_times(system, "key", ASKS);
        board_await_tally(5, ASKS);
        tell_times(system, "key", ASKS);
        board_await_tally(5, 2 * ASKS);
        tell(system, "ping");
        board_await("undelivered ping:unhandled");
        system_end(system, 0, NULL);
        for (uint32_t hand = 0; hand < HANDS; hand++) assert_true(board_tally(hand) > 0);
        board_expect("undelivered ping:unhandled");
    }
}

/* A reply is there before its message is settled, and its room free again. */
static void await_free(troupe_system *system, uint32_t wanted) {
    uint32_t found;
    do {
        found = 0;
        for (uint32_t hand = 0; hand < HANDS; hand++) {
            char path[32];
            struct troupe_mailbox_info info;
            snprintf(path, sizeof path, "/hand/%u", hand);
            assert_int_equal(troupe_system_mailbox(system, troupe_system_lookup(system, path), &info), TROUPE_OK);
            found += info.waiting == 0;
        }
    } while (found != wanted);
}

static void full_ones_are_passed_over(void **state) {
    (void)state;
    troupe_system *system = start_with(0, "children: /hand", ", mailbox: { limit: 1 }");
    gate_close();
    tell(system, "ask wait");
    gate_await(1);
    for (uint32_t i = 1; i <= 4; i++) {
        tell(system, "ask other");
        board_await_times("other:ok", i);
        await_free(system, HANDS - 1);
    }
    assert_int_equal(board_tally(0), 0);
    for (uint32_t i = 1; i < HANDS; i++) tell(system, "send wait");
    await_free(system, 0);
    tell(system, "send more");
    board_await("undelivered job:full");
    tell(system, "ask more");
    board_await("more:full");
    gate_open();
    board_await("wait:ok");
    system_end(system, 0, NULL);
}

/* ---- All of them ---- */

static void to_all(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        struct troupe_counts counts;
        troupe_system *system = start(at, "policy: broadcast, children: /hand");
        tell(system, "send note");
        for (uint32_t hand = 0; hand < HANDS; hand++) {
            char line[16];
            snprintf(line, sizeof line, "told %u", hand);
            board_await(line);
        }
        tell(system, "ask note");
        board_await("note:unhandled");
        tell(system, "ping");
        board_await_times("undelivered ping:unhandled", HANDS);
        system_end(system, 0, &counts);
        assert_int_equal(counts.dead_by_reason[TROUPE_UNHANDLED], HANDS + 1);
    }
}

/* ---- Who they are ---- */

static void a_group_comes_and_goes(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "group: hands");
        await_members(system, 3);
        tell(system, "leave");
        board_await("left:ok");
        await_members(system, 2);
        tell(system, "ask go");
        board_await("go:no_reply");
        await_members(system, 1);
        tell(system, "leave");
        board_await_times("left:ok", 2);
        await_members(system, 0);
        tell(system, "ask anybody");
        board_await("anybody:gone");
        tell(system, "send it");
        board_await("undelivered job:gone");
        system_end(system, 0, NULL);
    }
}

static void started_from_code(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "children: /hand");
        tell(system, "spawn");
        board_await("spawn:ok");
        await_members(system, 3);
        tell(system, "ask it");
        board_await("it:ok");
        system_end(system, 0, NULL);
    }
}

static const char pool[] = "{ threads: 5, tree: { restarts: 1000, within: 1s, children: ["
                           "{ name: router, actor: troupe_router, args: { pool: /pool, size: %u }, place: %s },"
                           "{ name: pool, strategy: dynamic, restarts: 1000, within: 1s, place: %s,"
                           "  child: { actor: hand, args: { number: 1 }, restart: transient } },"
                           "{ name: client, actor: client } ] } }";

/* Answered: so many; the others met one that was just going. */
static void await_answers(troupe_system *system, uint32_t count) {
    for (uint32_t asked = 0; board_times("it:ok") < count; asked++) {
        if (asked == 1000 * count) fail_msg("only %u answers", board_times("it:ok"));
        int64_t answered = board_tally(5);
        tell(system, "ask it");
        board_await_tally(5, answered + 1);
    }
}

static void a_pool_is_kept_full(void **state) {
    static const char *const where[][2] = { { "thread", "thread" }, { "inproc", "thread" }, { "thread", "inproc" } };
    (void)state;
    for (size_t at = 0; at < sizeof where / sizeof where[0]; at++) {
        char config[1024];
        snprintf(config, sizeof config, pool, 4u, where[at][0], where[at][1]);
        troupe_system *system = system_start(config, actors);
        tell_times(system, "many", ASKS);
        board_await_tally(5, ASKS);
        await_members(system, 4);
        assert_int_equal(board_tally(1), ASKS);
        for (uint32_t i = 1; i <= 4; i++) {
            tell(system, "ask go");
            board_await_times("go:no_reply", i);
        }
        await_answers(system, 20);
        system_end(system, 0, NULL);
        assert_int_equal(board_times("it is another's"), 0);
    }
}

static void a_pool_grows_and_shrinks(void **state) {
    (void)state;
    char config[1024];
    snprintf(config, sizeof config, pool, 2u, "thread", "thread");
    troupe_system *system = system_start(config, actors);
    await_members(system, 2);
    tell_times(system, "resize", 7);
    board_await("resized ok");
    await_members(system, 7);
    tell_times(system, "resize", 3);
    await_members(system, 3);
    tell_times(system, "resize", 0);
    board_await("resized invalid");
    tell_times(system, "resize", 1025);
    board_await_times("resized invalid", 2);
    tell_times(system, "many", ASKS);
    board_await_tally(5, ASKS);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(1), ASKS);
    system = start(0, "children: /hand");
    tell_times(system, "resize", 2);
    board_await("resized invalid");
    system_end(system, 0, NULL);
}

static void expect_mistake(const char *args, const char *why) {
    char config[512], text[4096];
    snprintf(config, sizeof config,
             "{ tree: { restarts: 0, children: [ { name: router, actor: troupe_router, args: { %s } } ] } }", args);
    snprintf(text, sizeof text, "%s", system_fails(TROUPE_FAILED, config, actors));
    if (strstr(text, why) == NULL) fail_msg("%s: not \"%s\" but %s", args, why, text);
}

static void what_makes_no_sense(void **state) {
    (void)state;
    expect_mistake("policy: best, group: g", "none of round_robin, random, hash, broadcast");
    expect_mistake("policy: random", "one of these: group, children, pool");
    expect_mistake("group: g, children: /h", "one of these: group, children, pool");
    expect_mistake("policy: hash, group: g", "the policy hash has a key");
    expect_mistake("key: n, group: g", "no other has one");
    expect_mistake("group: a/b", "a name has 1 to 64 bytes");
    expect_mistake("children: /nobody", "no children /nobody");
    expect_mistake("pool: /nobody, size: 1", "no supervisor /nobody");
    expect_mistake("pool: /router", "a pool has a size");
    expect_mistake("pool: /router, size: 1025", "too large");
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors,
                                      .config_text = "{ tree: { children: [ { name: hand, actor: hand, count: 2, place: inproc },"
                                                     "{ name: router, actor: troupe_router, args: { children: /hand } },"
                                                     "{ name: client, actor: client } ] } }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    tell(system, "ask it");
    board_await("it:ok");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(its_sender_stays_its_sender),
        cmocka_unit_test(at_random),
        cmocka_unit_test(by_a_key),
        cmocka_unit_test(full_ones_are_passed_over),
        cmocka_unit_test(to_all),
        cmocka_unit_test(a_group_comes_and_goes),
        cmocka_unit_test(started_from_code),
        cmocka_unit_test(a_pool_is_kept_full),
        cmocka_unit_test(a_pool_grows_and_shrinks),
        cmocka_unit_test(what_makes_no_sense),
    };
    start_transport();
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    failed += cmocka_run_group_tests_name("packed", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
