/*
 * Topics, and the topic of dead letters. Each test runs with everybody on one node, and with the publisher and the
 * subscribers spread over nodes in every way.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place/host.h"

#define ORDER(field) field(str, what) field(str, topic) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define SAID(field) field(str, topic) field(u32, n) field(bytes, data)
TROUPE_MESSAGE(said, SAID)
TROUPE_MESSAGE_EMPTY(ping)

enum { LARGE = 1 << 17, TIMES = 500 };
static uint8_t large[LARGE];

/* ---- Who publishes ---- */

struct publisher { char unused; };
static void note(troupe_self *self, const struct order *msg, enum troupe_status status) {
    board_note("%s %s %s:%s", troupe_self_path(self), msg->what, msg->topic, troupe_status_name(status));
}
TROUPE_ON(publisher, order) {
    enum troupe_status status = TROUPE_OK;
    if (strcmp(msg->what, "large") == 0)
        status = troupe_publish(self, msg->topic, said, .topic = msg->topic, .data = { large, LARGE });
    else if (strcmp(msg->what, "ping") == 0) status = troupe_publish_empty(self, msg->topic, ping);
    else if (strcmp(msg->what, "subscribe") == 0) status = troupe_subscribe(self, msg->topic);
    else if (strcmp(msg->what, "bad") == 0) status = troupe_publish(self, msg->topic, said, .topic = "\xff");
    else if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to");
    else for (uint32_t i = 1; i <= msg->n && status == TROUPE_OK; i++)
        status = troupe_publish(self, msg->topic, said, .topic = msg->topic, .n = i);
    note(self, msg, status);
    return TROUPE_OK;
}
TROUPE_ON(publisher, ping) {
    board_note("%s is pinged", troupe_self_path(self));
    return TROUPE_OK;
}
TROUPE_ON(publisher, troupe_undelivered) {
    board_note("undelivered %s:%s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ACTOR(publisher, TROUPE_HANDLES(publisher, order, ping, troupe_undelivered))

/* ---- Who hears of it ---- */

struct listener { uint32_t last; };
TROUPE_ON(listener, order) {
    enum troupe_status status = TROUPE_OK;
    if (strcmp(msg->what, "subscribe") == 0) status = troupe_subscribe(self, msg->topic);
    if (strcmp(msg->what, "unsubscribe") == 0) status = troupe_unsubscribe(self, msg->topic);
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    note(self, msg, status);
    return TROUPE_OK;
}
TROUPE_ON(listener, said) {
    bool from = troupe_address_equal(troupe_sender(self), troupe_lookup(self, "publisher"));
    bool whole = msg->data.size == 0 || (msg->data.size == LARGE && memcmp(msg->data.data, large, LARGE) == 0);
    if (!from || !whole) board_note("it is another's, or torn");
    if (msg->n != 0 && msg->n != me->last + 1) board_note("%u after %u", msg->n, me->last);
    me->last = msg->n;
    board_add(0, 1);
    if (msg->n == TIMES) board_note("%s has all", troupe_self_path(self));
    if (msg->n == 0) board_note("%s: %s", troupe_self_path(self), msg->topic);
    return TROUPE_OK;
}
TROUPE_ACTOR(listener, TROUPE_HANDLES(listener, order, said))

/* ---- Who looks after dead letters ---- */

struct undertaker { char unused; };
TROUPE_ON(undertaker, order) {
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    else if (strcmp(msg->what, "subscribe") == 0) note(self, msg, troupe_subscribe(self, TROUPE_DEAD_LETTERS));
    else note(self, msg, troupe_unsubscribe(self, TROUPE_DEAD_LETTERS));
    return TROUPE_OK;
}
TROUPE_ON(undertaker, troupe_dead_letter) {
    board_add(1, 1);
    board_note("dead: %s to %s: %s%s", msg->message, msg->path, troupe_status_name((enum troupe_status)msg->reason),
               msg->at > 0 && troupe_address_is_none(troupe_sender(self)) ? "" : "!");
    return TROUPE_OK;
}
TROUPE_ACTOR(undertaker, TROUPE_HANDLES(undertaker, order, troupe_dead_letter))

static const struct troupe_actor_type *const actors[] = { &publisher_actor, &listener_actor, &undertaker_actor, NULL };

/* ---- Systems ---- */

static const char *const places[][3] = {
    { "thread", "thread", "thread" }, { "thread", "inproc", "thread" }, { "inproc", "thread", "thread" },
    { "thread", "thread", "inproc" }, { "inproc", "inproc", "inproc" }, { "inproc", "{ thread: a }", "{ thread: a }" },
};
enum { PLACES = sizeof places / sizeof places[0] };

static troupe_system *start_with(size_t at, const char *listeners, const char *undertakers) {
    static char config[1024];
    snprintf(config, sizeof config,
             "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["
             "{ name: publisher, actor: publisher, place: %s },"
             "{ name: x, actor: listener, restart: transient, place: %s%s },"
             "{ name: y, actor: listener, restart: transient, place: %s },"
             "{ name: undertaker, actor: undertaker, place: %s%s } ] } }",
             places[at][0], places[at][1], listeners, places[at][2], places[at][2], undertakers);
    return system_start(config, actors);
}
static troupe_system *start(size_t at) { return start_with(at, "", ""); }

static void tell_times(troupe_system *system, const char *whom, const char *what, const char *topic, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what,
                                        .topic = topic, .n = n),
                     TROUPE_OK);
}
static void tell(troupe_system *system, const char *whom, const char *what, const char *topic) {
    tell_times(system, whom, what, topic, 0);
}
static void told(troupe_system *system, const char *whom, const char *what, const char *topic, const char *status) {
    char line[96];
    tell(system, whom, what, topic);
    snprintf(line, sizeof line, "/%s %s %s:%s", whom, what, topic, status);
    board_await(line);
}

/* Publishes until it comes: what its node knows of the others comes a moment later. */
static void publish_until(troupe_system *system, const char *topic, const char *line) {
    uint32_t asked = 0;
    while (board_times(line) == 0) {
        tell(system, "publisher", "large", topic);
        char answer[64];
        snprintf(answer, sizeof answer, "/publisher large %s:ok", topic);
        board_await_times(answer, ++asked);
    }
}

static void subscribe_both(troupe_system *system, const char *topic) {
    told(system, "x", "subscribe", topic, "ok");
    told(system, "y", "subscribe", topic, "ok");
    char line[64];
    snprintf(line, sizeof line, "/x: %s", topic);
    publish_until(system, topic, line);
    snprintf(line, sizeof line, "/y: %s", topic);
    publish_until(system, topic, line);
}

/* ---- Publishing ---- */

static void whoever_has_subscribed_gets_it_in_order(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        subscribe_both(system, "news");
        tell_times(system, "publisher", "publish", "news", TIMES);
        board_await("/publisher publish news:ok");
        board_await("/x has all");
        board_await("/y has all");
        system_end(system, 0, NULL);
        assert_int_equal(board_times("it is another's, or torn"), 0);
        assert_string_equal(board_lines("1 after"), "");
    }
}

static void nobody_is_no_mistake(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        told(system, "publisher", "publish", "nothing", "ok");
        told(system, "publisher", "large", "nothing", "ok");
        told(system, "publisher", "ping", "a/b", "invalid");
        subscribe_both(system, "t");
        told(system, "publisher", "bad", "t", "invalid");
        system_end(system, 0, NULL);
    }
}

/* Unlike the object that posts in a BroadcastChannel of Node. */
static void who_publishes_may_subscribe_too(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        told(system, "publisher", "subscribe", "own", "ok");
        told(system, "publisher", "ping", "own", "ok");
        board_await("/publisher is pinged");
        system_end(system, 0, NULL);
        assert_int_equal(board_times("/publisher is pinged"), 1);
    }
}

static void not_after_unsubscribing(void **state) {
    (void)state;
    troupe_system *system = start(0);
    told(system, "x", "subscribe", "t", "ok");
    told(system, "x", "unsubscribe", "t", "ok");
    told(system, "y", "subscribe", "t", "ok");
    told(system, "publisher", "large", "t", "ok");
    board_await("/y: t");
    told(system, "y", "unsubscribe", "other", "not_found");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("/x: t"), 0);
}

/* Known to be lost, and told to the publisher; nobody else has less for it. Where whoever waits is not in the way of
 * those who hand it on. */
static void full_ones_lose_it(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        struct troupe_counts counts;
        if (strcmp(places[at][1], "thread") != 0) continue;
        troupe_system *system = start_with(at, ", mailbox: { limit: 1 }", "");
        subscribe_both(system, "t");
        gate_close();
        enum troupe_status status;
        do status = troupe_system_send(system, troupe_system_lookup(system, "x"), order, .what = "wait");
        while (status == TROUPE_FULL); /* of what was published before */
        assert_int_equal(status, TROUPE_OK);
        gate_await(1);
        int64_t before = board_tally(0);
        tell_times(system, "publisher", "publish", "t", 3);
        board_await("/publisher publish t:ok");
        board_await_tally(0, before + 3);
        board_await_times("undelivered said:full", 2);
        gate_open();
        system_end(system, 0, &counts);
        assert_true(counts.dead_by_reason[TROUPE_FULL] >= 2);
    }
}

static void who_does_not_handle_it_loses_it(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        struct troupe_counts counts;
        troupe_system *system = start(at);
        subscribe_both(system, "t");
        told(system, "publisher", "ping", "t", "ok");
        board_await_times("undelivered ping:unhandled", 2);
        system_end(system, 0, &counts);
        assert_int_equal(counts.dead_by_reason[TROUPE_UNHANDLED], 2);
    }
}

/* ---- Dead letters ---- */

static void dead_letters_are_told(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        subscribe_both(system, "t");
        told(system, "undertaker", "subscribe", "", "ok");
        while (board_times("dead: ping to /x: unhandled") == 0 || board_times("dead: ping to /y: unhandled") == 0) {
            uint32_t times = board_times("/publisher ping t:ok");
            tell(system, "publisher", "ping", "t");
            board_await_times("/publisher ping t:ok", times + 1);
        }
        for (uint32_t i = 1; board_times("dead: order to /publisher: failed") == 0; i++) {
            tell(system, "publisher", "fail", "");
            tell(system, "publisher", "large", "again");
            board_await_times("/publisher large again:ok", i);
        }
        told(system, "undertaker", "unsubscribe", "", "ok");
        told(system, "undertaker", "unsubscribe", "again", "not_found");
        system_end(system, 0, NULL);
        assert_string_equal(board_lines("dead: troupe"), "");
    }
}

/* What is lost of these notices is counted, and makes no further ones. */
static void no_dead_letters_of_dead_letters(void **state) {
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        struct troupe_counts counts;
        troupe_system *system = start_with(0, "", drop == 0 ? ", mailbox: { limit: 2 }"
                                                            : ", mailbox: { limit: 2, overflow: drop_newest }");
        subscribe_both(system, "t");
        told(system, "undertaker", "subscribe", "", "ok");
        gate_close();
        tell(system, "undertaker", "wait", "");
        gate_await(1);
        for (uint32_t i = 1; i <= 5; i++) {
            tell(system, "publisher", "ping", "t");
            board_await_times("/publisher ping t:ok", i);
        }
        gate_open();
        board_await_tally(1, 1);
        system_end(system, 0, &counts);
        assert_int_equal(board_tally(1), 1);
        assert_int_equal(counts.dead_by_reason[TROUPE_UNHANDLED], 10);
        assert_int_equal(counts.dead_by_reason[TROUPE_FULL], drop == 0 ? 0 : 9);
        assert_int_equal(counts.refused, drop == 0 ? 9 : 0);
    }
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors,
                                      .config_text = "{ tree: { children: [ { name: publisher, actor: publisher,"
                                                     " place: inproc }, { name: x, actor: listener, place: inproc },"
                                                     " { name: y, actor: listener } ] } }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    subscribe_both(system, "t");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_has_subscribed_gets_it_in_order),
        cmocka_unit_test(nobody_is_no_mistake),
        cmocka_unit_test(who_publishes_may_subscribe_too),
        cmocka_unit_test(not_after_unsubscribing),
        cmocka_unit_test(full_ones_lose_it),
        cmocka_unit_test(who_does_not_handle_it_loses_it),
        cmocka_unit_test(dead_letters_are_told),
        cmocka_unit_test(no_dead_letters_of_dead_letters),
    };
    memset(large, 7, sizeof large);
    start_transport();
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    failed += cmocka_run_group_tests_name("packed", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
