/*
 * Actors that change their handlers: which are at work, for whom, and until when.
 */
#include "lib/system_test.h"

#include <stdlib.h>
#include <string.h>

#define ORDER(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define KNOCK(field) field(u32, n)
TROUPE_MESSAGE(knock, KNOCK)
TROUPE_MESSAGE(ring, KNOCK)
TROUPE_MESSAGE(never, KNOCK)

/* ---- The door: a knock is something else when it is open, and only then it can be rung ---- */

TROUPE_BEHAVIOUR_DECLARE(door, opened)
TROUPE_BEHAVIOUR_DECLARE(window, opened)

enum { ASKED = 10 }; /* knocks from there on want an answer */

struct door { uint32_t knocks; };

static enum troupe_status become(troupe_self *self, const char *what) {
    if (strcmp(what, "open") == 0) return troupe_become(self, door, opened);
    if (strcmp(what, "close") == 0) return troupe_become_first(self);
    board_note("window:%s", troupe_status_name(troupe_become(self, window, opened)));
    return TROUPE_OK;
}

TROUPE_START(door, order) { return strcmp(args->what, "open") == 0 ? become(self, "open") : TROUPE_OK; }
TROUPE_STOP(door) { board_note("stop:%s,%u", troupe_status_name(reason), me->knocks); }
TROUPE_ON(door, order) {
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    else if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    else if (strcmp(msg->what, "tick") == 0) {
        enum troupe_status status = troupe_after(self, NULL, 0, ring, .n = msg->n);
        return status == TROUPE_OK ? troupe_after(self, NULL, 0, knock, .n = msg->n) : status;
    }
    else if (strcmp(msg->what, "ask") == 0)
        return troupe_ask(self, troupe_self_address(self), knock, TROUPE_MINUTE, .n = msg->n);
    else if (strcmp(msg->what, "open and receive") == 0) {
        enum troupe_status status = become(self, "open");
        return status == TROUPE_OK ? troupe_receive(self, TROUPE_MINUTE) : status;
    } else return become(self, msg->what);
    return TROUPE_OK;
}
TROUPE_ON(door, knock) {
    me->knocks++;
    board_note("closed %u", msg->n);
    return msg->n >= ASKED ? troupe_reply(self, knock, .n = msg->n) : TROUPE_OK;
}
TROUPE_ON_AS(door, opened, knock) {
    me->knocks++;
    board_note("open %u", msg->n);
    return TROUPE_OK;
}
TROUPE_ON(door, ring) {
    board_note("ring %u", msg->n);
    return TROUPE_OK;
}
TROUPE_ANSWER(door, knock, knock) {
    board_note("answer %u:%s", request->n, troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_BEHAVIOUR(door, opened, TROUPE_HANDLES_AS(door, opened, knock), TROUPE_HANDLES(door, order, ring))
TROUPE_ACTOR(door, TROUPE_STARTS(door, order), TROUPE_STOPS(door), TROUPE_HANDLES(door, order, knock),
             TROUPE_BECOMES(door, opened), TROUPE_ANSWERS(door, knock, knock))

/* Of another actor. */
struct window { char unused; };
TROUPE_ON(window, ring) { return TROUPE_OK; }
TROUPE_BEHAVIOUR(window, opened, TROUPE_HANDLES(window, ring))
TROUPE_ACTOR(window, TROUPE_BECOMES(window, opened))

/* ---- Who sends to it ---- */

struct visitor { char unused; };
TROUPE_ON(visitor, order) {
    troupe_address door = troupe_lookup(self, "door");
    if (strcmp(msg->what, "ask") == 0) return troupe_ask(self, door, ring, TROUPE_MINUTE, .n = msg->n);
    enum troupe_status status = strcmp(msg->what, "ring") == 0 ? troupe_send(self, door, ring, .n = msg->n)
                                                               : troupe_send(self, door, never, .n = msg->n);
    board_note("%s:%s", msg->what, troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_ON(visitor, troupe_undelivered) {
    board_note("undelivered %s:%s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ANSWER(visitor, ring, knock) {
    board_note("asked %u:%s", request->n, troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_ACTOR(visitor, TROUPE_HANDLES(visitor, order, troupe_undelivered), TROUPE_ANSWERS(visitor, ring, knock))

static const struct troupe_actor_type *const actors[] = { &door_actor, &window_actor, &visitor_actor, NULL };

/* ---- Systems ---- */

#define TREE(more)                                                                                 \
    "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["                                \
    "{ name: door, actor: door" more " }, { name: window, actor: window },"                        \
    "{ name: visitor, actor: visitor } ] } }"
static const char tree[] = TREE("");

static void tell(troupe_system *system, const char *whom, const char *what, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what,
                                        .n = n),
                     TROUPE_OK);
}
static void rap(troupe_system *system, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "door"), knock, .n = n),
                     TROUPE_OK);
}

static void end(troupe_system *system, const char *board, uint64_t dead) {
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    board_expect(board);
    assert_int_equal(counts.dead_letters, dead);
}

/* ---- The tests ---- */

static void from_the_next_message_on(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    rap(system, 1);
    tell(system, "door", "open", 0);
    rap(system, 2);
    tell(system, "door", "open", 0); /* again: nothing changes */
    rap(system, 3);
    tell(system, "door", "close", 0);
    rap(system, 4);
    board_await("closed 4");
    end(system, "closed 1 open 2 open 3 closed 4 stop:stopping,4", 0);
}

static void what_it_does_not_handle_now_is_a_dead_letter(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "visitor", "ring", 1);
    board_await("undelivered ring:unhandled");
    tell(system, "visitor", "ask", 2);
    board_await_times("undelivered ring:unhandled", 2);
    tell(system, "visitor", "never", 3);
    board_await("never:unhandled");
    end(system, "ring:ok undelivered ring:unhandled asked 2:unhandled undelivered ring:unhandled never:unhandled "
                "stop:stopping,0", 2);
}

/* What comes first in its mailbox decides, not what it was when it was sent. */
static void it_counts_when_its_turn_comes(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    gate_close();
    tell(system, "door", "wait", 0);
    gate_await(1);
    tell(system, "door", "open", 0);
    tell(system, "visitor", "ring", 1);
    board_await("ring:ok");
    gate_open();
    board_await("ring 1");
    end(system, "ring:ok ring 1 stop:stopping,0", 0);
}

static void each_run_begins_with_the_first(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "door", "open", 0);
    tell(system, "door", "fail", 0);
    rap(system, 1);
    board_await("closed 1");
    end(system, "stop:failed,0 closed 1 stop:stopping,1", 1);
}

static void a_start_handler_may_become(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", args: { what: open }"), actors);
    rap(system, 1);
    board_await("open 1");
    end(system, "open 1 stop:stopping,1", 0);
}

static void only_what_is_in_its_table(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "door", "window", 0);
    rap(system, 1);
    board_await("closed 1");
    end(system, "window:invalid closed 1 stop:stopping,1", 0);
}

/* A tick is handled as what the actor is when it comes; the timer may be set before. */
static void ticks(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "door", "tick", 1); /* a ring, dropped, and a knock */
    board_await("closed 1");
    tell(system, "door", "open", 0);
    tell(system, "door", "tick", 2);
    board_await("open 2");
    end(system, "closed 1 ring 2 open 2 stop:stopping,2", 0);
}

static void answers_are_the_actors(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "door", "ask", 10); /* itself: the request is handled before it opens */
    board_await("answer 10:ok");
    tell(system, "door", "open", 0);
    tell(system, "door", "ask", 2);
    board_await("answer 2:no_reply");
    end(system, "closed 10 answer 10:ok open 2 answer 2:no_reply stop:stopping,2", 0);
}

static void within_a_handler_that_waits(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", place: { thread: own }"), actors);
    tell(system, "door", "open and receive", 0);
    rap(system, 1);
    rap(system, 2);
    board_await("open 2");
    end(system, "open 1 open 2 stop:stopping,2", 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_next_message_on),
        cmocka_unit_test(what_it_does_not_handle_now_is_a_dead_letter),
        cmocka_unit_test(it_counts_when_its_turn_comes),
        cmocka_unit_test(each_run_begins_with_the_first),
        cmocka_unit_test(a_start_handler_may_become),
        cmocka_unit_test(only_what_is_in_its_table),
        cmocka_unit_test(ticks),
        cmocka_unit_test(answers_are_the_actors),
        cmocka_unit_test(within_a_handler_that_waits),
    };
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    return failed + cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
