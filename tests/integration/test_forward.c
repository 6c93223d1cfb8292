/*
 * Messages that are handed on: whose they stay, who answers them, and what is told when that goes wrong. Each test
 * runs with everybody on one node, and with the three parties spread over nodes in every way.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place/host.h"

#define ORDER(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define JOB(field) field(str, what) field(u32, n) field(bytes, data)
TROUPE_MESSAGE(job, JOB)
#define DONE(field) field(u32, n)
TROUPE_MESSAGE(done, DONE)

enum { LARGE = 1 << 17 };
static uint8_t large[LARGE];

/* ---- The client, the front, which forwards, and the back, which does the work ---- */

struct client { char unused; };
TROUPE_ON(client, order) {
    troupe_address front = troupe_lookup(self, "front");
    if (strncmp(msg->what, "send ", 5) == 0)
        return troupe_send(self, front, job, .what = msg->what + 5, .n = msg->n, .data = { large, LARGE });
    return troupe_ask(self, front, job, strcmp(msg->what, "silence") == 0 ? 20 * TROUPE_MILLISECOND : TROUPE_MINUTE,
                      .what = msg->what, .n = msg->n, .data = { large, LARGE });
}
TROUPE_ON(client, done) {
    board_note("told %u", msg->n);
    return TROUPE_OK;
}
TROUPE_ANSWER(client, job, done) {
    board_note("%s %u:%s", request->what, reply == NULL ? 0 : reply->n, troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_ON(client, troupe_undelivered) {
    board_note("undelivered %s:%s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ON(client, troupe_ready) {
    board_note("client is ready");
    return TROUPE_OK;
}
TROUPE_ACTOR(client, TROUPE_HANDLES(client, order, done, troupe_undelivered, troupe_ready),
             TROUPE_ANSWERS(client, job, done))

struct front { char unused; };
static enum troupe_status forward(troupe_self *self, const char *whom) {
    enum troupe_status status = troupe_forward(self, troupe_lookup(self, whom));
    if (status != TROUPE_OK) board_note("forward:%s", troupe_status_name(status));
    return status;
}
TROUPE_ON(front, job) {
    if (strcmp(msg->what, "twice") == 0) {
        (void)forward(self, "back");
        (void)forward(self, "back");
        board_note("reply:%s", troupe_status_name(troupe_reply(self, done, .n = 99)));
        return TROUPE_OK;
    }
    if (strcmp(msg->what, "kept") == 0) {
        struct troupe_asker asker = troupe_keep_asker(self);
        (void)forward(self, "back");
        return troupe_answer_later(self, asker, done, .n = 7);
    }
    if (strcmp(msg->what, "fails") == 0) {
        (void)forward(self, "back");
        return TROUPE_FAIL(self, "after it was forwarded");
    }
    if (strcmp(msg->what, "nobody") == 0) {
        if (forward(self, "nobody") == TROUPE_GONE) return troupe_reply(self, done, .n = 8);
        return TROUPE_OK;
    }
    if (strcmp(msg->what, "tick") == 0) {
        enum troupe_status status = troupe_after(self, NULL, 0, done, .n = msg->n);
        return status == TROUPE_OK ? troupe_stash(self) : status;
    }
    if (strcmp(msg->what, "aside") == 0) {
        if (troupe_stash(self) == TROUPE_OK) (void)forward(self, "back");
        return TROUPE_OK;
    }
    (void)forward(self, "back");
    return TROUPE_OK;
}
TROUPE_ON(front, done) {
    (void)msg;
    (void)forward(self, "back");
    return troupe_exit(self);
}
TROUPE_ON(front, troupe_ready) {
    board_note("front is ready");
    return TROUPE_OK;
}
TROUPE_ACTOR(front, TROUPE_HANDLES(front, job, done, troupe_ready))

struct back { uint32_t jobs; };
TROUPE_ON(back, job) {
    bool whole = msg->data.size == LARGE && memcmp(msg->data.data, large, LARGE) == 0;
    if (!whole) board_note("torn");
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "twice") == 0) board_await("reply:invalid"); /* the front may still be at work */
    if (strcmp(msg->what, "silence") == 0) (void)troupe_keep_asker(self);
    if (strcmp(msg->what, "none") == 0) return TROUPE_OK;
    if (strcmp(msg->what, "dies") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->what, "on") == 0) return troupe_forward(self, troupe_lookup(self, "last"));
    if (strcmp(msg->what, "silence") == 0) return TROUPE_OK;
    return troupe_reply(self, done, .n = msg->n + 1);
}
TROUPE_ACTOR(back, TROUPE_HANDLES(back, job))

/* At the end of a longer way. */
struct last { char unused; };
TROUPE_ON(last, job) { return troupe_reply(self, done, .n = msg->n + 2); }
TROUPE_ACTOR(last, TROUPE_HANDLES(last, job))

static const struct troupe_actor_type *const actors[] = { &client_actor, &front_actor, &back_actor, &last_actor,
                                                          NULL };

/* ---- Systems ---- */

static const char *const places[][3] = {
    { "thread", "thread", "thread" }, { "thread", "inproc", "thread" }, { "inproc", "thread", "thread" },
    { "thread", "thread", "inproc" }, { "inproc", "inproc", "inproc" },
    { "{ thread: a }", "{ thread: b }", "{ thread: a }" }, { "{ thread: a }", "{ thread: a }", "{ thread: b }" },
    { "{ thread: a }", "{ thread: b }", "{ thread: b }" },
};
enum { PLACES = sizeof places / sizeof places[0] };

static troupe_system *start(size_t at, const char *more) {
    static char config[1024];
    snprintf(config, sizeof config,
             "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["
             "{ name: last, actor: last },"
             "{ name: back, actor: back, place: %s%s },"
             "{ name: front, actor: front, place: %s },"
             "{ name: client, actor: client, place: %s } ] } }",
             places[at][2], more, places[at][1], places[at][0]);
    return system_start(config, actors);
}

static void tell(troupe_system *system, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "client"), order, .what = what, .n = n),
                     TROUPE_OK);
}

static void end(troupe_system *system, const char *board, uint64_t dead) {
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    board_expect(board);
    assert_int_equal(counts.dead_letters, dead);
}

/* What the client tells the front, what it notes in the end, and how many dead letters that makes. */
static void each_place(const char *what, const char *awaited, const char *board, uint64_t dead) {
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "");
        tell(system, what, 1);
        board_await(awaited);
        end(system, board, dead);
    }
}

/* ---- The tests ---- */

static void the_reply_ends_the_ask(void **state) {
    (void)state;
    each_place("ask", "ask 2:ok", "ask 2:ok", 0);
}
static void its_sender_stays_its_sender(void **state) {
    (void)state;
    each_place("send it", "told 2", "told 2", 0);
}
static void over_and_over(void **state) {
    (void)state;
    each_place("on", "on 3:ok", "on 3:ok", 0);
}
static void no_reply(void **state) {
    (void)state;
    each_place("none", "none 0:no_reply", "none 0:no_reply", 0);
}
static void its_deadline_goes_on(void **state) {
    (void)state;
    each_place("silence", "silence 0:timeout", "silence 0:timeout", 0);
}
static void the_other_dies(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at, "");
        tell(system, "dies", 1);
        board_await("dies 0:died");
        board_await("undelivered job:failed");
        tell(system, "send dies", 1);
        board_await_times("undelivered job:failed", 2);
        end(system, "dies 0:died undelivered job:failed undelivered job:failed", 2);
    }
}
static void once_and_for_all(void **state) {
    (void)state;
    each_place("twice", "twice 2:ok", "forward:invalid reply:invalid twice 2:ok", 0);
}
static void not_when_its_asker_is_kept(void **state) {
    (void)state;
    each_place("kept", "kept 7:ok", "forward:invalid kept 7:ok", 0);
}

/* The failure is the front's; the ask is not its any more, for those who know: those of its node. */
static void the_front_fails_afterwards(void **state) {
    (void)state;
    troupe_system *system = start(0, "");
    tell(system, "fails", 1);
    board_await("fails 2:ok");
    board_await("undelivered job:failed");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("fails 0:died"), 0);
}
/* Nor is a tick anybody's to forward. */
static void nothing_but_a_message_at_hand(void **state) {
    (void)state;
    troupe_system *system = start(0, "");
    tell(system, "aside", 1);
    tell(system, "tick", 2);
    board_await_times("forward:invalid", 2);
    system_end(system, 0, NULL);
}
static void still_its_own_if_it_is_refused(void **state) {
    (void)state;
    each_place("nobody", "nobody 8:ok", "forward:gone nobody 8:ok", 0);
}

/* Whoever is refused hears of the room, and that is not the sender. */
static void full(void **state) {
    (void)state;
    troupe_system *system = start(0, ", mailbox: { limit: 1 }");
    gate_close();
    tell(system, "wait", 1);
    gate_await(1);
    tell(system, "send it", 2);
    board_await("forward:full");
    gate_open();
    board_await("wait 2:ok");
    board_await("front is ready");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("client is ready"), 0);
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors,
                                      .config_text = "{ tree: { children: [ { name: back, actor: back, place: inproc },"
                                                     "{ name: last, actor: last, place: inproc },"
                                                     "{ name: front, actor: front }, { name: client, actor: client } ] } }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    tell(system, "ask", 1);
    board_await("ask 2:ok");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reply_ends_the_ask),
        cmocka_unit_test(its_sender_stays_its_sender),
        cmocka_unit_test(over_and_over),
        cmocka_unit_test(no_reply),
        cmocka_unit_test(its_deadline_goes_on),
        cmocka_unit_test(the_other_dies),
        cmocka_unit_test(once_and_for_all),
        cmocka_unit_test(not_when_its_asker_is_kept),
        cmocka_unit_test(the_front_fails_afterwards),
        cmocka_unit_test(nothing_but_a_message_at_hand),
        cmocka_unit_test(still_its_own_if_it_is_refused),
        cmocka_unit_test(full),
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
