/*
 * Asks: each ends exactly once, with the reply or with the reason there is none (contract 5).
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

#define QUESTION(field) field(str, kind) field(u32, n)
TROUPE_MESSAGE(question, QUESTION)
#define REPLY(field) field(u32, n)
TROUPE_MESSAGE(reply, REPLY)
#define OTHER(field) field(str, text)
TROUPE_MESSAGE(other, OTHER)
/* Tells the asker what to ask, how often, and how long to wait. */
#define ERRAND(field) field(address, to) field(str, kind) field(u32, times) field(i64, timeout)
TROUPE_MESSAGE(errand, ERRAND)
TROUPE_MESSAGE_EMPTY(answer_now)
TROUPE_MESSAGE_EMPTY(leave)

/* ---- Who is asked: does what the question says ---- */

enum { KEPT = 16384 };

/* What an earlier run kept; a timer of the oracle's. */
static struct troupe_asker stale;
static troupe_timer foreign;

struct oracle {
    struct troupe_asker kept[KEPT];
    uint32_t count;
};
TROUPE_ON(oracle, question) {
    if (strcmp(msg->kind, "reply") == 0) return troupe_reply(self, reply, .n = msg->n);
    if (strcmp(msg->kind, "twice") == 0) {
        enum troupe_status first = troupe_reply(self, reply, .n = msg->n);
        enum troupe_status second = troupe_reply(self, reply, .n = msg->n + 1);
        board_note("%s then %s", troupe_status_name(first), troupe_status_name(second));
        return TROUPE_OK;
    }
    if (strcmp(msg->kind, "wrong") == 0) return troupe_reply(self, other, .text = "what?");
    if (strcmp(msg->kind, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->kind, "reply and fail") == 0) {
        (void)troupe_reply(self, reply, .n = msg->n);
        return TROUPE_FAIL(self, "asked to");
    }
    if (strncmp(msg->kind, "keep", strlen("keep")) == 0) {
        me->kept[me->count++ % KEPT] = troupe_keep_asker(self);
        board_add(1, 1);
    }
    if (strcmp(msg->kind, "keep first") == 0) stale = me->kept[0];
    if (strcmp(msg->kind, "stale") == 0)
        board_note("stale: %s", troupe_status_name(troupe_answer_later(self, stale, reply, .n = 0)));
    if (strcmp(msg->kind, "timer") == 0) {
        (void)troupe_after_empty(self, &foreign, TROUPE_MINUTE, leave);
        board_note("timer set");
    }
    if (strcmp(msg->kind, "wait") == 0) gate_pass();
    return TROUPE_OK; /* "silent" */
}
TROUPE_ON(oracle, answer_now) {
    for (uint32_t i = 0; i < me->count; i++) {
        enum troupe_status first = troupe_answer_later(self, me->kept[i], reply, .n = i);
        enum troupe_status second = troupe_answer_later(self, me->kept[i], reply, .n = i);
        if (first != TROUPE_OK || second != TROUPE_INVALID)
            board_note("later: %s then %s", troupe_status_name(first), troupe_status_name(second));
    }
    board_note("answered %u", me->count);
    me->count = 0;
    return TROUPE_OK;
}
TROUPE_ON(oracle, leave) { return troupe_exit(self); }
TROUPE_ACTOR(oracle, TROUPE_HANDLES(oracle, question, answer_now, leave))

/* ---- Who asks ---- */

#define CANCELLED (INT64_C(59) * TROUPE_SECOND)

struct asker { char unused; };
TROUPE_ON(asker, errand) {
    for (uint32_t i = 0; i < msg->times; i++) {
        enum troupe_status status =
            troupe_ask(self, msg->to, question, msg->timeout, .kind = msg->kind, .n = i);
        if (status != TROUPE_OK) board_note("ask: %s", troupe_status_name(status));
    }
    if (msg->timeout == CANCELLED)
        board_note("cancel: %s", troupe_status_name(troupe_cancel(self, foreign)));
    return TROUPE_OK;
}
TROUPE_ANSWER(asker, question, reply) {
    if (outcome == TROUPE_OK && reply->n != request->n && strcmp(request->kind, "keep") != 0)
        board_note("another's reply");
    if ((reply != NULL) != (outcome == TROUPE_OK)) board_note("reply without ok, or ok without reply");
    board_note("%s", troupe_status_name(outcome));
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ON(asker, leave) { return troupe_exit(self); }
TROUPE_ACTOR(asker, TROUPE_HANDLES(asker, errand, leave), TROUPE_ANSWERS(asker, question, reply))

static const struct troupe_actor_type *const actors[] = { &oracle_actor, &asker_actor, NULL };
static const char tree[] = "{ threads: 4, tree: { restarts: 1000, within: 1s, children: ["
                           "{ name: oracle, actor: oracle, mailbox: { limit: 100000 } },"
                           "{ name: asker, actor: asker },"
                           "{ name: mortal, actor: oracle, restart: temporary },"
                           "{ name: leaver, actor: asker, restart: temporary },"
                           "{ name: narrow, actor: oracle, mailbox: { limit: 1, overflow: drop_newest } } ] } }";

static void send_out(troupe_system *system, const char *asker, const char *whom, const char *kind,
                     uint32_t times, int64_t timeout) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, asker), errand,
                                        .to = troupe_system_lookup(system, whom), .kind = kind,
                                        .times = times, .timeout = timeout),
                     TROUPE_OK);
}

/* Asks once and waits for the outcome. */
static void expect_outcome(const char *kind, const char *outcome) {
    troupe_system *system = system_start(tree, actors);
    send_out(system, "asker", "oracle", kind, 1, TROUPE_MINUTE);
    board_await(outcome);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 1);
}

static void a_reply_is_the_end(void **state) {
    (void)state;
    expect_outcome("reply", "ok");
    expect_outcome("reply and fail", "ok");
}

static void the_second_reply_is_invalid(void **state) {
    (void)state;
    expect_outcome("twice", "ok");
    assert_int_equal(board_times("ok then invalid"), 1);
}

static void no_reply_and_the_wrong_one_are_told_apart(void **state) {
    (void)state;
    expect_outcome("silent", "no_reply");
    expect_outcome("wrong", "wrong_reply");
}

static void a_run_that_fails_ends_its_asks(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    send_out(system, "asker", "oracle", "fail", 1, TROUPE_MINUTE);
    board_await("died");
    send_out(system, "asker", "oracle", "keep", 3, TROUPE_MINUTE);
    board_await_tally(1, 3);
    send_out(system, "asker", "oracle", "fail", 1, TROUPE_MINUTE);
    board_await_times("died", 5);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 5);
}

static void kept_askers_are_answered_later(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    send_out(system, "asker", "oracle", "keep", 100, TROUPE_MINUTE);
    board_await_tally(1, 100);
    assert_int_equal(board_tally(0), 0);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "oracle"), answer_now),
                     TROUPE_OK);
    board_await_times("ok", 100);
    board_await("answered 100");
    system_end(system, 0, NULL);
    assert_int_equal(strlen(board_lines("later:")), 0);
}

/* The next run keeps the same asker, for another ask: what the first one kept must not end that. */
static void an_asker_of_an_ended_run_is_refused(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    troupe_address oracle = troupe_system_lookup(system, "oracle");
    send_out(system, "asker", "oracle", "keep first", 1, TROUPE_MINUTE);
    board_await_tally(1, 1);
    send_out(system, "asker", "oracle", "fail", 1, TROUPE_MINUTE);
    board_await_times("died", 2);
    send_out(system, "asker", "oracle", "keep", 1, TROUPE_MINUTE);
    board_await_tally(1, 2);
    assert_int_equal(troupe_system_send(system, oracle, question, .kind = "stale"), TROUPE_OK);
    board_await("stale: invalid");
    assert_int_equal(troupe_system_send_empty(system, oracle, answer_now), TROUPE_OK);
    board_await("ok");
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 3);
}

/* Each is the first that its actor has set, an ask here and a timer there: they may look alike. */
static void another_actors_timer_does_not_cancel_an_ask(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "oracle"), question,
                                        .kind = "timer"), TROUPE_OK);
    board_await("timer set");
    send_out(system, "asker", "oracle", "keep", 1, CANCELLED);
    board_await("cancel: gone");
    board_await_tally(1, 1);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "oracle"), answer_now),
                     TROUPE_OK);
    board_await("ok");
    system_end(system, 0, NULL);
}

static void time_runs_out(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    (void)state;
    send_out(system, "asker", "oracle", "keep", 2, 5 * TROUPE_MILLISECOND);
    board_await_times("timeout", 2);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "oracle"), answer_now),
                     TROUPE_OK); /* when nobody waits for it any more */
    board_await("answered 2");
    send_out(system, "asker", "oracle", "reply", 1, TROUPE_MINUTE);
    board_await("ok");
    system_end(system, 0, &counts);
    assert_int_equal(board_tally(0), 3);
    assert_int_equal(counts.dead_by_reason[TROUPE_TIMEOUT], 2);
    assert_int_equal(counts.dead_letters, 2);
}

static void the_request_of_a_flushed_mailbox_is_gone(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    gate_close();
    send_out(system, "asker", "mortal", "wait", 1, TROUPE_MINUTE);
    gate_await(1);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "mortal"), leave),
                     TROUPE_OK);
    send_out(system, "asker", "mortal", "reply", 2, TROUPE_MINUTE);
    send_out(system, "asker", "oracle", "reply", 1, TROUPE_MINUTE); /* after it, the two have been sent */
    board_await("ok");
    gate_open();
    board_await_times("gone", 2);
    board_await("no_reply");
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 4);
}

static void a_full_mailbox_that_drops_ends_the_ask(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    gate_close();
    send_out(system, "asker", "narrow", "wait", 1, TROUPE_MINUTE);
    gate_await(1);
    send_out(system, "asker", "narrow", "reply", 2, TROUPE_MINUTE);
    board_await_times("full", 2); /* the one at work has the only place */
    gate_open();
    board_await("no_reply");
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 3);
}

static void ten_thousand_may_be_outstanding(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    send_out(system, "asker", "oracle", "keep", 10000, TROUPE_MINUTE);
    board_await_tally(1, 10000);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "oracle"), answer_now),
                     TROUPE_OK);
    board_await_tally(0, 10000);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 10000);
    assert_int_equal(strlen(board_lines("later:")), 0);
}

static void asks_of_an_ended_run_are_dropped(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    (void)state;
    send_out(system, "leaver", "oracle", "keep", 5, TROUPE_MINUTE);
    board_await_tally(1, 5);
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "leaver"), leave),
                     TROUPE_OK);
    troupe_address leaver = troupe_system_lookup(system, "leaver");
    while (troupe_system_send_empty(system, leaver, leave) != TROUPE_GONE) {
    }
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "oracle"), answer_now),
                     TROUPE_OK);
    board_await("answered 5");
    system_end(system, 0, &counts);
    assert_int_equal(board_tally(0), 0);
}

/* ---- Exactly once, whatever fails ---- */

struct fickle { struct tr_random random; };
TROUPE_ON(fickle, question) {
    if (me->random.state[0] == 0) tr_random_seed(&me->random, msg->n + 1);
    switch (tr_random_below(&me->random, 8)) {
    case 0: return TROUPE_FAIL(self, "by chance");
    case 1: return TROUPE_OK;
    case 2: return troupe_reply(self, other, .text = "");
    case 3: (void)troupe_keep_asker(self); return TROUPE_OK;
    case 4: (void)troupe_reply(self, reply, .n = msg->n); return TROUPE_FAIL(self, "after the reply");
    default: return troupe_reply(self, reply, .n = msg->n);
    }
}
TROUPE_ACTOR(fickle, TROUPE_HANDLES(fickle, question))

enum { MANY = 20000, AT_ONCE = 200 };

struct keen {
    troupe_address to;
    uint32_t asked, ended;
    uint8_t ends[MANY];
};
static enum troupe_status ask_on(troupe_self *self, struct keen *me) {
    while (me->asked < MANY && me->asked - me->ended < AT_ONCE) {
        int64_t timeout = (me->asked % 7 + 1) * TROUPE_MILLISECOND;
        enum troupe_status status = troupe_ask(self, me->to, question, timeout, .kind = "", .n = me->asked);
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "ask: %s", troupe_status_name(status));
        me->asked++;
    }
    return TROUPE_OK;
}
TROUPE_ON(keen, errand) {
    me->to = msg->to;
    return ask_on(self, me);
}
TROUPE_ANSWER(keen, question, reply) {
    if (me->ends[request->n]++ != 0) board_note("ended twice");
    board_add(2, outcome == TROUPE_OK);
    board_add(3, outcome == TROUPE_DIED);
    board_add(4, outcome == TROUPE_TIMEOUT);
    me->ended++;
    board_add(0, 1);
    return ask_on(self, me);
}
TROUPE_ACTOR(keen, TROUPE_HANDLES(keen, errand), TROUPE_ANSWERS(keen, question, reply))

static void each_ends_once_under_random_failures(void **state) {
    static const struct troupe_actor_type *const both[] = { &fickle_actor, &keen_actor, NULL };
    troupe_system *system =
        system_start("{ threads: 3, tree: { restarts: 1000000, within: 1s, children: ["
                     "{ name: fickle, actor: fickle, mailbox: { limit: 20000 } },"
                     "{ name: keen, actor: keen } ] } }", both); /* requests whose ask has timed out still wait */
    (void)state;
    send_out(system, "keen", "fickle", "", 1, 1);
    board_await_tally(0, MANY);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), MANY);
    assert_int_equal(board_times("ended twice"), 0);
    assert_true(board_tally(2) > 0 && board_tally(3) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_the_end),
        cmocka_unit_test(the_second_reply_is_invalid),
        cmocka_unit_test(no_reply_and_the_wrong_one_are_told_apart),
        cmocka_unit_test(a_run_that_fails_ends_its_asks),
        cmocka_unit_test(kept_askers_are_answered_later),
        cmocka_unit_test(an_asker_of_an_ended_run_is_refused),
        cmocka_unit_test(another_actors_timer_does_not_cancel_an_ask),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(the_request_of_a_flushed_mailbox_is_gone),
        cmocka_unit_test(a_full_mailbox_that_drops_ends_the_ask),
        cmocka_unit_test(ten_thousand_may_be_outstanding),
        cmocka_unit_test(asks_of_an_ended_run_are_dropped),
        cmocka_unit_test(each_ends_once_under_random_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
