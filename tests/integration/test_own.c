/*
 * Actors with a thread of their own: that they have one, what troupe_receive does in each of its ways out,
 * and that cells change hands between threads and the pool without losing anything.
 */
#include "lib/system_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place/host.h"

#define ORDER(field) field(str, what) field(u32, n) field(i64, time)
TROUPE_MESSAGE(order, ORDER)
#define QUESTION(field) field(u32, n)
TROUPE_MESSAGE(question, QUESTION)
#define REPLY(field) field(u32, n)
TROUPE_MESSAGE(reply, REPLY)
#define TICK(field) field(u32, n)
TROUPE_MESSAGE(tick, TICK)

/* ---- The actor of most tests: does what an order says ---- */

struct hermit {
    uint32_t depth;
    pthread_t thread;
    troupe_timer timer;
    uint32_t ticks; /* of `timer` */
};

/* Receives until something else than OK comes, and notes that. */
static enum troupe_status receive_all(troupe_self *self, int64_t timeout, const char *name) {
    enum troupe_status status;
    do status = troupe_receive(self, timeout);
    while (status == TROUPE_OK);
    board_note("%s:%s", name, troupe_status_name(status));
    return status;
}

static enum troupe_status receive_some(troupe_self *self, uint32_t n, int64_t timeout) {
    for (uint32_t i = 0; i < n; i++) {
        enum troupe_status status = troupe_receive(self, timeout);
        if (status == TROUPE_OK) continue;
        board_note("receive:%s", troupe_status_name(status));
        return status;
    }
    return TROUPE_OK;
}

enum { WITHIN = 4, ALL = 8, CANCELLED = 11 };

/* The first waits for those that follow it, which come as they always do when it has returned. */
static enum troupe_status count_ticks(troupe_self *self, struct hermit *me) {
    if (++me->ticks == ALL) {
        board_note("all ticks");
        return troupe_cancel(self, me->timer);
    }
    while (me->ticks < WITHIN && me->depth == 0) {
        me->depth++;
        enum troupe_status status = receive_some(self, WITHIN - 1, TROUPE_MINUTE);
        me->depth--;
        if (status != TROUPE_OK) return status;
        board_note("%u ticks", me->ticks);
    }
    return TROUPE_OK;
}

/* The last one cancels the timer of the one around it. */
static enum troupe_status cancel_within(troupe_self *self, struct hermit *me, const struct tick *msg) {
    if (me->depth > 0) return ++me->ticks < CANCELLED ? TROUPE_OK : troupe_cancel(self, me->timer);
    me->depth++;
    enum troupe_status status = receive_some(self, CANCELLED - ALL, TROUPE_MINUTE);
    me->depth--;
    board_note("tick %u after %u", msg->n, me->ticks);
    return status;
}

/* Both are due at once; the first one cancels the second. */
static enum troupe_status receive_two_ticks(troupe_self *self, struct hermit *me) {
    (void)troupe_after(self, NULL, 0, tick, .n = 21);
    (void)troupe_after(self, &me->timer, 0, tick, .n = 22);
    enum troupe_status first = troupe_receive(self, INT64_MAX), second = troupe_receive(self, 0);
    board_note("%s, then %s", troupe_status_name(first), troupe_status_name(second));
    return TROUPE_OK;
}

/* Whatever comes: one who takes a failure for a timeout. */
static enum troupe_status receive_until_stopped(troupe_self *self) {
    enum troupe_status status;
    do {
        status = troupe_receive(self, TROUPE_MILLISECOND);
        if (status == TROUPE_FAILED) board_add(0, 1);
    } while (status != TROUPE_STOPPING);
    return TROUPE_OK;
}

static enum troupe_status obey(troupe_self *self, struct hermit *me, const struct order *msg) {
    if (strcmp(msg->what, "receive") == 0) return receive_some(self, msg->n, msg->time);
    if (strcmp(msg->what, "receive all") == 0) {
        (void)receive_all(self, msg->time, "all");
        return TROUPE_OK;
    }
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->what, "time out") == 0) return TROUPE_TIMEOUT;
    if (strcmp(msg->what, "stop hermit") == 0) return troupe_stop_actor(self, troupe_lookup(self, "hermit"));
    if (strcmp(msg->what, "two ticks") == 0) return receive_two_ticks(self, me);
    if (strcmp(msg->what, "until stopped") == 0) return receive_until_stopped(self);
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "timer") == 0) {
        (void)troupe_after(self, NULL, msg->time, tick, .n = msg->n);
        return troupe_receive(self, INT64_MAX);
    }
    if (strcmp(msg->what, "set") == 0)
        (void)troupe_after(self, NULL, msg->time, tick, .n = msg->n);
    if (strcmp(msg->what, "every") == 0)
        return troupe_every(self, &me->timer, TROUPE_MILLISECOND, tick, .n = msg->n);
    if (strcmp(msg->what, "ask only") == 0)
        (void)troupe_ask(self, troupe_lookup(self, "other"), question, msg->time, .n = msg->n);
    if (strcmp(msg->what, "ask") == 0) {
        (void)troupe_ask(self, troupe_lookup(self, "other"), question, msg->time, .n = msg->n);
        return troupe_receive(self, INT64_MAX);
    }
    if (strcmp(msg->what, "try") == 0)
        board_note("try:%s", troupe_status_name(troupe_receive(self, msg->time)));
    if (strcmp(msg->what, "watch") == 0)
        return troupe_watch(self, NULL, (int)msg->n, TROUPE_READABLE);
    if (strcmp(msg->what, "cores") == 0) {
        cpu_set_t set;
        bool known = sched_getaffinity(0, sizeof set, &set) == 0;
        board_note("cores:%d", known ? CPU_COUNT(&set) : 0);
    }
    if (strcmp(msg->what, "thread") == 0) {
        bool same = pthread_equal(me->thread, pthread_self()) != 0;
        board_note("%s thread, run %u", same ? "same" : "another", troupe_self_run(self));
    }
    return TROUPE_OK;
}

TROUPE_START(hermit, order) {
    me->thread = pthread_self();
    if (strcmp(args->what, "receive all") != 0) return TROUPE_OK;
    enum troupe_status status = receive_all(self, INT64_MAX, "start");
    return args->n == 1 ? TROUPE_OK : status;
}
TROUPE_STOP(hermit) {
    board_note("stop:%s,%u", troupe_status_name(reason), me->depth);
    enum troupe_status status = troupe_receive(self, 0); /* INVALID: of the pool */
    if (status != TROUPE_STOPPING && status != TROUPE_INVALID) board_note("receives while it stops");
}
TROUPE_ON(hermit, order) {
    me->depth++;
    board_note("%s+", msg->what);
    char what[32];
    snprintf(what, sizeof what, "%s", msg->what);
    enum troupe_status status = obey(self, me, msg);
    board_note("%s-%s", strcmp(what, msg->what) == 0 ? msg->what : "torn", status == TROUPE_OK ? "" : "!");
    me->depth--;
    return status;
}
TROUPE_ON(hermit, question) {
    if (msg->n == 0) {
        (void)receive_some(self, 1, INT64_MAX);
        return troupe_reply(self, reply, .n = 100);
    }
    if (msg->n == 1000) { /* not answered, and fails after it let go */
        (void)receive_some(self, 1, INT64_MAX);
        return TROUPE_FAIL(self, "asked to");
    }
    if (msg->n == 2000) { /* not answered either; what fails is the handler within */
        board_note("waits");
        (void)receive_some(self, 1, INT64_MAX);
        return TROUPE_OK;
    }
    return troupe_reply(self, reply, .n = msg->n);
}
TROUPE_ON(hermit, tick) {
    if (msg->n == 9) return count_ticks(self, me);
    if (msg->n == 10) return cancel_within(self, me, msg);
    if (msg->n == 21) (void)troupe_cancel(self, me->timer);
    board_note("tick %u", msg->n);
    if (msg->n == 7) return TROUPE_FAIL(self, "a bad tick");
    if (msg->n == 8) return receive_some(self, 2, INT64_MAX);
    return TROUPE_OK;
}
TROUPE_ON(hermit, troupe_descriptor) {
    char byte;
    board_note("ready:%d", read(msg->fd, &byte, 1) == 1);
    return receive_some(self, 1, INT64_MAX);
}
TROUPE_ANSWER(hermit, question, reply) {
    board_note("answer %u:%s", request->n, troupe_status_name(outcome));
    if (request->n == 2) return receive_some(self, 1, INT64_MAX);
    return reply != NULL && reply->n == 13 ? TROUPE_FAIL(self, "a bad answer") : TROUPE_OK;
}
TROUPE_ACTOR(hermit, TROUPE_STARTS(hermit, order), TROUPE_STOPS(hermit),
             TROUPE_HANDLES(hermit, order, question, tick, troupe_descriptor), TROUPE_ANSWERS(hermit, question, reply))

/* ---- Who asks hermits ---- */

struct asker { char unused; };
TROUPE_ON(asker, question) {
    return troupe_ask(self, troupe_lookup(self, "hermit"), question, TROUPE_MINUTE, .n = msg->n);
}
TROUPE_ANSWER(asker, question, reply) {
    board_note("asked %u:%s,%u", request->n, troupe_status_name(outcome), reply == NULL ? 0 : reply->n);
    return TROUPE_OK;
}
TROUPE_ACTOR(asker, TROUPE_HANDLES(asker, question), TROUPE_ANSWERS(asker, question, reply))

/* ---- A storm: children on threads of their own and of the pool, each lives for one message ---- */

struct child { troupe_address mother; };
TROUPE_START(child, reply) {
    me->mother = troupe_sender(self);
    enum troupe_status status = troupe_receive(self, 0); /* its question may have come already */
    bool owns = status != TROUPE_INVALID, ends = status == TROUPE_STOPPING; /* at the end nobody's says so */
    if (owns != (args->n == 1) && !ends) board_note("a child on a thread that is not its own");
    return TROUPE_OK;
}
TROUPE_ON(child, question) {
    (void)troupe_reply(self, reply, .n = msg->n);
    return msg->n % 7 == 0 ? TROUPE_FAIL(self, "every seventh") : troupe_exit(self);
}
TROUPE_ACTOR(child, TROUPE_STARTS(child, reply), TROUPE_HANDLES(child, question))

struct mother {
    uint32_t left, alive;
    uint32_t refused;
};
static enum troupe_status bear(troupe_self *self, struct mother *me) {
    troupe_address address;
    const struct troupe_spawn_options own = { .own_thread = true };
    while (me->left > 0 && me->alive < 8) {
        bool owns = me->left % 3 != 0;
        enum troupe_status status =
            troupe_spawn_with(self, &address, owns ? &own : NULL, child, reply, .n = owns);
        if (status != TROUPE_OK) return status;
        if (troupe_send(self, address, question, .n = me->left) == TROUPE_OK) me->alive++;
        if (me->left % 5 == 0) (void)troupe_stop_actor(self, address);
        me->left--;
    }
    if (me->left == 0 && me->alive == 0) board_note("storm is over");
    return TROUPE_OK;
}
TROUPE_ON(mother, order) {
    me->left = msg->n;
    return bear(self, me);
}
TROUPE_ON(mother, reply) {
    board_add(0, 1);
    me->alive--;
    return bear(self, me);
}
/* Stopped before it handled its question. */
TROUPE_ON(mother, troupe_undelivered) {
    if (msg->reason == TROUPE_FAILED) return TROUPE_OK; /* it had answered */
    board_add(1, 1);
    me->alive--;
    return bear(self, me);
}
TROUPE_ACTOR(mother, TROUPE_HANDLES(mother, order, reply, troupe_undelivered))

/* ---- A relay: each has a thread, and the next one, which may get that of an earlier one, is its last act ---- */

TROUPE_ACTOR_DECLARE(runner)
struct runner { char unused; };
TROUPE_START(runner, order) {
    const struct troupe_spawn_options own = { .own_thread = true };
    (void)me;
    if (args->n == 0) troupe_shutdown(self);
    else (void)!troupe_spawn_with(self, NULL, &own, runner, order, .n = args->n - 1); /* STOPPING, at the end */
    board_add(0, 1);
    return troupe_exit(self);
}
TROUPE_ACTOR(runner, TROUPE_STARTS(runner, order))

static const struct troupe_actor_type *const actors[] = { &hermit_actor, &asker_actor, &child_actor,
                                                          &mother_actor, NULL };

/* ---- Systems ---- */

#define TREE(more)                                                                                 \
    "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["                                \
    "{ name: hermit, actor: hermit, place: { thread: own }" more " },"                             \
    "{ name: other, actor: hermit, place: { thread: own } },"                                      \
    "{ name: pooled, actor: hermit },"                                                             \
    "{ name: mother, actor: mother },"                                                             \
    "{ name: asker, actor: asker } ] } }"
static const char tree[] = TREE("");

static void tell(troupe_system *system, const char *whom, const char *what, uint32_t n, int64_t time) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what,
                                        .n = n, .time = time),
                     TROUPE_OK);
}

static void ask(troupe_system *system, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "asker"), question, .n = n),
                     TROUPE_OK);
}

static void end(troupe_system *system, const char *board, uint64_t dead) {
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    if (board != NULL) board_expect(board);
    assert_int_equal(counts.dead_letters, dead);
}

#define STOPS " stop:stopping,0 stop:stopping,0 stop:stopping,0"

/* ---- Threads ---- */

static void it_stays_on_a_thread_of_its_own(void **state) {
    (void)state;
    uint32_t before = process_threads();
    troupe_system *system = system_start(tree, actors);
    if (before > 1) print_message("%u threads before\n", before);
    gate_close();
    tell(system, "hermit", "wait", 0, 0);
    tell(system, "other", "wait", 0, 0);
    gate_await(2); /* both hold their threads; the two of the pool go on */
    ask(system, 5);
    tell(system, "pooled", "thread", 0, 0);
    gate_open();
    board_await("asked 5:ok,5");
    tell(system, "hermit", "thread", 0, 0);
    board_await("same thread, run 0");
    tell(system, "hermit", "fail", 0, 0);
    tell(system, "hermit", "thread", 0, 0);
    board_await("same thread, run 1");
    end(system, NULL, 1);
}

/* ---- What troupe_receive says ---- */

static void only_those_with_a_thread_receive(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "pooled", "try", 0, 0);
    board_await("try:invalid");
    tell(system, "hermit", "try", 0, -1);
    board_await_times("try:invalid", 2);
    tell(system, "hermit", "try", 0, 0);
    board_await("try:timeout");
    tell(system, "hermit", "try", 0, 2 * TROUPE_MILLISECOND);
    board_await_times("try:timeout", 2);
    /* not within a handler that it calls itself */
    tell(system, "hermit", "receive", 1, TROUPE_MINUTE);
    tell(system, "hermit", "try", 0, 0);
    board_await_times("try:invalid", 3);
    end(system, NULL, 0);
}

static void messages_keep_their_order(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    gate_close();
    tell(system, "hermit", "wait", 0, 0);
    gate_await(1);
    tell(system, "hermit", "receive", 2, TROUPE_MINUTE);
    tell(system, "hermit", "a", 0, 0);
    tell(system, "hermit", "b", 0, 0);
    tell(system, "hermit", "c", 0, 0);
    gate_open();
    board_await("c-");
    tell(system, "hermit", "receive", 1, TROUPE_MINUTE);
    board_await_times("receive+", 2);
    tell(system, "hermit", "d", 0, 0);
    board_await_times("receive-", 2);
    tell(system, "hermit", "e", 0, 0);
    board_await("e-");
    end(system, "wait+ wait- receive+ a+ a- b+ b- receive- c+ c- receive+ d+ d- receive- e+ e-" STOPS, 0);
}

static void each_handler_answers_its_own_message(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    ask(system, 0); /* answered with 100, after ... */
    ask(system, 3);
    board_await("asked 0:ok,100");
    assert_int_equal(board_times("asked 3:ok,3"), 1);
    /* lets go, fails without an answer */
    ask(system, 1000);
    ask(system, 4);
    board_await("asked 1000:died,0");
    board_await("asked 4:ok,4");
    end(system, NULL, 0);
}

static void a_stop_ends_the_wait(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", restart: temporary"), actors);
    tell(system, "hermit", "receive all", 0, INT64_MAX);
    board_await("receive all+");
    end(system, "receive all+ stop:stopping,0 stop:stopping,0 all:stopping receive all- stop:stopping,0", 0);
}

/* The message at hand counts as handled once its handler waits for others. */
static void await_the_wait(troupe_system *system) {
    struct troupe_counts counts = { 0 };
    while (counts.handled == 0) troupe_system_counts(system, &counts);
}

/* Wherever it waits: in a handler, or in its start. */
static void who_is_killed_runs_no_stop_handler(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", shutdown: kill"), actors);
    tell(system, "hermit", "receive", 1, INT64_MAX);
    await_the_wait(system);
    end(system, "receive+ stop:stopping,0 stop:stopping,0 receive:stopping receive-!", 0);
    system = system_start(TREE(", shutdown: kill, args: { what: receive all }"), actors);
    ask(system, 5);
    board_await("asked 5:ok,5");
    end(system, "asked 5:ok,5 stop:stopping,0 stop:stopping,0 start:stopping", 0);
}

static void it_may_exit_within(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", restart: temporary"), actors);
    tell(system, "hermit", "receive all", 0, INT64_MAX);
    tell(system, "hermit", "exit", 0, 0);
    board_await("stop:ok,0");
    end(system, "receive all+ exit+ exit- all:stopping receive all- stop:ok,0 stop:stopping,0 stop:stopping,0",
        0);
}

/* The start handler is a loop; its supervisor goes on to the next child all the same. */
static void a_start_handler_may_receive(void **state) {
    (void)state;
    troupe_system *system =
        system_start(TREE(", args: { what: receive all, n: 1 }"), actors); /* has started: others too */
    ask(system, 5);
    board_await("asked 5:ok,5");
    tell(system, "hermit", "thread", 0, 0);
    board_await("same thread, run 0");
    tell(system, "hermit", "fail", 0, 0);
    board_await("start:failed");
    tell(system, "hermit", "thread", 0, 0);
    board_await("same thread, run 1");
    end(system, NULL, 1);
    assert_int_equal(board_times("start:stopping"), 1);
    assert_int_equal(board_times("stop:failed,0"), 1);
}

/* ---- Failures ---- */

static void a_failure_within_ends_the_run_once(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    tell(system, "hermit", "receive all", 0, INT64_MAX);
    tell(system, "hermit", "fail", 0, 0);
    tell(system, "hermit", "thread", 0, 0);
    board_await("thread-");
    system_end(system, 0, &counts);
    board_expect("receive all+ fail+ fail-! all:failed receive all- stop:failed,0 "
                 "thread+ same thread, run 1 thread-" STOPS);
    assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 1);
    assert_int_equal(counts.dead_letters, 1);
    assert_int_equal(counts.handled, 2);
}

static void a_failure_within_is_no_timeout(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "receive all", 0, INT64_MAX);
    tell(system, "hermit", "time out", 0, 0);
    board_await("all:failed");
    board_await("stop:timeout,0");
    tell(system, "hermit", "until stopped", 0, 0);
    tell(system, "hermit", "time out", 0, 0);
    board_await_tally(0, 1);
    tell(system, "other", "stop hermit", 0, 0);
    board_await("until stopped-");
    system_end(system, 0, NULL);
}

static void what_was_cancelled_is_not_received(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "two ticks", 0, 0);
    board_await("two ticks-");
    board_expect("two ticks+ tick 21 ok, then timeout two ticks-");
    system_end(system, 0, NULL);
}

static void an_ask_whose_handler_waits_ends_with_the_run(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    ask(system, 2000);
    board_await("waits");
    tell(system, "hermit", "fail", 0, 0);
    board_await("asked 2000:died,0");
    ask(system, 4);
    board_await("asked 4:ok,4");
    end(system, NULL, 1);
    assert_int_equal(board_times("receive:failed"), 1);
    assert_int_equal(board_times("stop:failed,0"), 1);
}

/* What the outer handler makes of it does not count: one failure, one dead letter. */
static void a_failure_may_be_passed_on(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "receive", 5, INT64_MAX);
    tell(system, "hermit", "fail", 0, 0);
    tell(system, "hermit", "a", 0, 0);
    board_await("a-");
    end(system, "receive+ fail+ fail-! receive:failed receive-! stop:failed,0 a+ a-" STOPS, 1);
}

static void a_message_is_delivered_again_without_the_one_around_it(void **state) {
    (void)state;
    troupe_system *system = system_start(TREE(", delivery: at_least_once"), actors);
    struct troupe_counts counts;
    tell(system, "hermit", "receive", 1, INT64_MAX);
    tell(system, "hermit", "fail", 0, 0);
    tell(system, "hermit", "a", 0, 0);
    board_await("a-");
    system_end(system, 0, &counts);
    board_expect("receive+ fail+ fail-! receive:failed receive-! stop:failed,0 "
                 "fail+ fail-! stop:failed,0 fail+ fail-! stop:failed,0 a+ a-" STOPS);
    assert_int_equal(counts.dead_by_reason[TROUPE_POISON], 1);
    assert_int_equal(counts.dead_letters, 1);
}

/* ---- Ticks and answers ---- */

static void ticks_and_answers_come_within(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "timer", 1, 2 * TROUPE_MILLISECOND);
    board_await("timer-");
    tell(system, "hermit", "ask", 3, TROUPE_MINUTE);
    board_await("ask-");
    tell(system, "hermit", "ask", 13, TROUPE_MINUTE); /* the answer handler fails */
    board_await("stop:failed,0");
    tell(system, "hermit", "timer", 7, TROUPE_MILLISECOND); /* the tick does */
    board_await_times("stop:failed,0", 2);
    gate_close();
    tell(system, "other", "wait", 0, 0);
    gate_await(1);
    tell(system, "hermit", "ask", 4, 2 * TROUPE_MILLISECOND);
    board_await("answer 4:timeout");
    gate_open();
    tell(system, "hermit", "thread", 0, 0);
    board_await("same thread, run 2");
    struct troupe_counts counts;
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 1); /* the reply to 13 */
    assert_int_equal(board_times("tick 1"), 1);
    assert_int_equal(board_times("answer 3:ok"), 1);
}

/* Outer handlers of other kinds than a message: a tick, a reply. */
static void ticks_and_answers_may_receive(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "set", 8, TROUPE_MILLISECOND);
    board_await("tick 8");
    tell(system, "hermit", "a", 0, 0);
    tell(system, "hermit", "b", 0, 0);
    tell(system, "hermit", "c", 0, 0);
    board_await("c-");
    tell(system, "hermit", "ask only", 2, TROUPE_MINUTE);
    board_await("answer 2:ok");
    tell(system, "hermit", "d", 0, 0);
    tell(system, "hermit", "e", 0, 0);
    board_await("e-");
    tell(system, "hermit", "set", 8, TROUPE_MILLISECOND); /* and one that fails within */
    board_await_times("tick 8", 2);
    tell(system, "hermit", "fail", 0, 0);
    board_await("stop:failed,0");
    tell(system, "hermit", "f", 0, 0);
    board_await("f-");
    end(system, NULL, 1);
}

static void the_timer_at_hand_goes_on_ticking(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "hermit", "every", 9, 0);
    board_await("4 ticks");
    board_await("all ticks");
    tell(system, "hermit", "every", 10, 0);
    board_await("tick 10 after 11");
    end(system, "every+ every- 4 ticks all ticks every+ every- tick 10 after 11" STOPS, 0);
}

/* Its thread sleeps in its loop then, not on a futex. */
static void descriptors_are_watched_from_it(void **state) {
    int ends[2];
    (void)state;
    troupe_system *system = system_start(tree, actors);
    assert_int_equal(pipe(ends), 0);
    tell(system, "hermit", "watch", (uint32_t)ends[0], 0);
    board_await("watch-");
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(write(ends[1], "x", 1), 1);
        board_await_times("ready:1", i);
        tell(system, "hermit", "a", 0, 0); /* within */
        board_await_times("a-", i);
    }
    tell(system, "hermit", "receive", 1, INT64_MAX); /* and the other way round */
    board_await("receive+");
    assert_int_equal(write(ends[1], "x", 1), 1);
    board_await("receive:invalid"); /* its handler receives, too */
    board_await("stop:invalid,0"); /* and the watch went with its run */
    close(ends[0]);
    close(ends[1]);
    end(system, NULL, 0);
}

/* ---- What is ready while the handler of the same descriptor waits ---- */

struct eye {
    uint32_t bytes;
    bool waits;
};
TROUPE_ON(eye, order) {
    (void)me;
    enum troupe_status status = troupe_watch(self, NULL, (int)msg->n, TROUPE_READABLE);
    board_note("watches");
    return status;
}
/* At the end of the file, within, the watch that is at hand ends too. */
static enum troupe_status look(troupe_self *self, struct eye *me, const struct troupe_descriptor *msg) {
    char byte;
    if (read(msg->fd, &byte, 1) == 1) {
        board_note("byte %u", ++me->bytes);
        return TROUPE_OK;
    }
    board_note("hangup:%d", (msg->events & TROUPE_HANGUP) != 0);
    return troupe_unwatch(self, (troupe_watcher){ msg->watch });
}
TROUPE_ON(eye, troupe_descriptor) {
    const struct troupe_descriptor before = *msg;
    enum troupe_status status = look(self, me, msg);
    if (me->waits) return status;
    me->waits = true;
    status = receive_some(self, me->bytes == 1 ? 1 : 2, TROUPE_MINUTE);
    me->waits = false;
    bool same = msg->fd == before.fd && msg->events == before.events && msg->watch == before.watch;
    board_note(same ? "the same" : "another");
    return status;
}
TROUPE_ACTOR(eye, TROUPE_HANDLES(eye, order, troupe_descriptor))

static void put_byte(int fd, const char *line) {
    assert_int_equal(write(fd, "x", 1), 1);
    board_await(line);
}

static void the_descriptor_at_hand_is_still_watched(void **state) {
    static const struct troupe_actor_type *const some[] = { &eye_actor, NULL };
    static const char config[] = "{ tree: { children: [ { name: eye, actor: eye, place: { thread: own } } ] } }";
    int ends[2];
    (void)state;
    troupe_system *system = system_start(config, some);
    assert_int_equal(pipe(ends), 0);
    tell(system, "eye", "watch", (uint32_t)ends[0], 0);
    board_await("watches");
    put_byte(ends[1], "byte 1");
    put_byte(ends[1], "byte 2");
    board_await("the same");
    put_byte(ends[1], "byte 3");
    put_byte(ends[1], "byte 4");
    close(ends[1]);
    board_await_times("the same", 2);
    close(ends[0]);
    end(system, "watches byte 1 byte 2 the same byte 3 byte 4 hangup:1 the same", 0);
}

/* ---- A mailbox that is full, and who waits for room in it ---- */

struct writer { uint32_t left; troupe_address hermit; };
static enum troupe_status fill(troupe_self *self, struct writer *me) {
    while (me->left > 0) {
        enum troupe_status status = troupe_send(self, me->hermit, question, .n = 1);
        if (status == TROUPE_FULL) return TROUPE_OK;
        if (status != TROUPE_OK) return status;
        me->left--;
    }
    board_note("all written");
    return TROUPE_OK;
}
TROUPE_ON(writer, order) {
    me->hermit = troupe_lookup(self, "hermit");
    me->left = msg->n;
    return fill(self, me);
}
TROUPE_ON(writer, troupe_ready) { return me->left > 0 && msg->to.slot != 0 ? fill(self, me) : TROUPE_OK; }
TROUPE_ON(writer, reply) {
    board_add(0, msg->n);
    return TROUPE_OK;
}
TROUPE_ACTOR(writer, TROUPE_HANDLES(writer, order, troupe_ready, reply))

static void receiving_makes_room(void **state) {
    static const struct troupe_actor_type *const some[] = { &hermit_actor, &writer_actor, NULL };
    static const char config[] =
        "{ threads: 1, tree: { children: ["
        "{ name: hermit, actor: hermit, place: { thread: own }, mailbox: { limit: 4 },"
        "  args: { what: receive all, n: 1 } },"
        "{ name: writer, actor: writer, mailbox: { limit: 1000000 } } ] } }";
    (void)state;
    troupe_system *system = system_start(config, some);
    tell(system, "writer", "", 20000, 0);
    board_await_tally(0, 20000);
    end(system, NULL, 0);
}

/* Its batch has long begun, and nobody asks while they wait. */
static void the_high_water_mark_rises_while_it_receives(void **state) {
    enum { WAITING = 20 };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    struct troupe_mailbox_info info;
    gate_close();
    tell(system, "hermit", "receive all", 0, INT64_MAX);
    tell(system, "hermit", "wait", 0, 0);
    gate_await(1);
    for (uint32_t i = 0; i < WAITING; i++) tell(system, "hermit", "x", 0, 0);
    gate_open();
    board_await_times("x-", WAITING);
    assert_int_equal(troupe_system_mailbox(system, troupe_system_lookup(system, "hermit"), &info), TROUPE_OK);
    assert_in_range(info.high_water, WAITING, WAITING + 1);
    end(system, NULL, 0);
}

/* Messages from another node: settled in their order, none in doubt. */
static void messages_of_another_node_settle_in_order(void **state) {
    static const struct troupe_actor_type *const some[] = { &hermit_actor, &writer_actor, NULL };
    static const char config[] =
        "{ threads: 1, tree: { restarts: 1000, within: 1s, children: ["
        "{ name: hermit, actor: hermit, place: { thread: own } },"
        "{ name: writer, actor: writer, place: inproc } ] } }";
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = system_start(config, some);
    for (uint32_t i = 0; i < 50; i++) {
        tell(system, "hermit", "receive", 40, TROUPE_SECOND * 20);
        tell(system, "writer", "", 40, 0);
        board_await_times("receive-", i + 1);
    }
    board_await_tally(0, 2000);
    troupe_system_stop(system);
    assert_int_equal(troupe_system_wait(system), 0);
    troupe_system_counts(system, &counts);
    assert_int_equal(counts.dead_letters, 0);
    assert_int_equal(counts.sent, counts.handled);
    assert_int_equal(troupe_system_free(system), 0);
    tr_host_fini();
}

/* ---- Slots that change hands ---- */

static void a_storm_loses_nothing(void **state) {
    enum { CHILDREN = 6000 };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "mother", "", CHILDREN, 0);
    board_await("storm is over");
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0) + board_tally(1), CHILDREN);
    assert_int_equal(board_times("a child on a thread that is not its own"), 0);
}

/* A slot is free while the thread that ended the actor before is still among what was left in its mailbox:
 * the next one, spawned from outside, must not begin there. */
static void the_next_in_a_slot_begins_at_home(void **state) {
    enum { ROUNDS = 150, MESSAGES = 60, NEXT = 4 };
    const struct troupe_spawn_options own = { .own_thread = true };
    const struct reply on_own = { .n = 1 }, on_pool = { .n = 0 };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        troupe_address before, next[NEXT];
        assert_int_equal(troupe_system_spawn_actor(system, &before, &child_actor, &own, &reply_message,
                                                   &on_own), TROUPE_OK);
        enum troupe_status status = TROUPE_OK; /* until it is gone: that is now */
        for (uint32_t m = 0; m < MESSAGES && status == TROUPE_OK; m++)
            status = troupe_system_send(system, before, question, .n = 1);
        while (status != TROUPE_GONE) status = troupe_system_send(system, before, question, .n = 1);
        for (uint32_t k = 0; k < NEXT; k++)
            assert_int_equal(troupe_system_spawn_actor(system, &next[k], &child_actor, NULL, &reply_message,
                                                       &on_pool), TROUPE_OK);
        for (uint32_t k = 0; k < NEXT; k++) (void)troupe_system_send(system, next[k], question, .n = 1);
    }
    system_end(system, 0, NULL);
    board_expect("stop:stopping,0 stop:stopping,0 stop:stopping,0");
}

/* A storm with threads that look for work instead of sleeping: other ways through the same protocol. */
static void a_storm_loses_nothing_spinning(void **state) {
    enum { CHILDREN = 1000 };
    (void)state;
    troupe_system *system = system_start(
        "{ threads: 1, spin: 1ms, tree: { children: [{ name: mother, actor: mother }] } }", actors);
    tell(system, "mother", "", CHILDREN, 0);
    board_await("storm is over");
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0) + board_tally(1), CHILDREN);
    assert_int_equal(board_times("a child on a thread that is not its own"), 0);
}

/* On the one core that this thread is on. */
static void threads_are_pinned(void **state) {
    char config[512];
    (void)state;
    snprintf(config, sizeof config,
             "{ threads: 2, pin: [%d], tree: { children: [{ name: pooled, actor: hermit },"
             "{ name: hermit, actor: hermit, place: { thread: own } } ] } }", sched_getcpu());
    troupe_system *system = system_start(config, actors);
    tell(system, "hermit", "cores", 0, 0);
    tell(system, "pooled", "cores", 0, 0);
    board_await_times("cores:1", 2);
    system_end(system, 0, NULL);
}

static void the_limit_is_told(void **state) {
    enum { LIMIT = 192 - 2 };
    static troupe_address children[LIMIT + 1];
    const struct troupe_spawn_options own = { .own_thread = true };
    const struct reply none = { .n = 1 };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    for (uint32_t i = 0; i <= LIMIT; i++) {
        enum troupe_status status = troupe_system_spawn_actor(system, &children[i], &child_actor, &own,
                                                              &reply_message, &none);
        assert_int_equal(status, i < LIMIT ? TROUPE_OK : TROUPE_LIMIT);
    }
    assert_true(troupe_address_is_none(children[LIMIT])); /* not that of whoever is spawned next */
    for (uint32_t i = 0; i < LIMIT / 2; i++)
        assert_int_equal(troupe_system_send(system, children[i], question, .n = 1), TROUPE_OK);
    enum troupe_status status; /* as soon as one has ended */
    do status = troupe_system_spawn_actor(system, &children[LIMIT], &child_actor, &own, &reply_message,
                                          &none);
    while (status == TROUPE_LIMIT);
    assert_int_equal(status, TROUPE_OK);
    system_end(system, 0, NULL);
}

/* ---- The end of a system ---- */

static void spawned_ones_leave_their_wait_at_the_end(void **state) {
    const struct troupe_spawn_options own = { .own_thread = true, .name = "loner" };
    const struct order loop = { .what = "receive all" };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    assert_int_equal(troupe_system_spawn_actor(system, NULL, &hermit_actor, &own, &order_message, &loop),
                     TROUPE_OK);
    tell(system, "loner", "thread", 0, 0);
    board_await("thread-");
    end(system, "thread+ same thread, run 0 thread-" STOPS " start:stopping stop:stopping,0", 0);
}

/* Threads end while others take their places, and while the node ends, which the last of some ends. */
static void threads_may_end_at_any_time(void **state) {
    enum { SYSTEMS = 60, RELAYS = 4, LENGTH = 8 };
    static const struct troupe_actor_type *const some[] = { &runner_actor, NULL };
    const struct troupe_spawn_options own = { .own_thread = true };
    const struct order order = { .n = LENGTH - 1 };
    (void)state;
    for (uint32_t i = 0; i < SYSTEMS; i++) {
        troupe_system *system = system_start("{ threads: 2, tree: { children: [] } }", some);
        for (uint32_t relay = 0; relay < RELAYS; relay++) /* STOPPING, once one has finished */
            (void)!troupe_system_spawn_actor(system, NULL, &runner_actor, &own, &order_message, &order);
        board_await_tally(0, LENGTH);
        assert_int_equal(troupe_system_wait(system), 0);
        system_end(system, 0, NULL);
    }
}

/* A handler that does not return leaves its node behind, threads and all: so in a process of its own. */
static void stop_with_a_handler_that_hangs(void) {
    static const char config[] = "{ threads: 1, shutdown: 20ms, tree: { children: ["
                                 "{ name: hermit, actor: hermit, place: { thread: own } } ] } }";
    troupe_system *system = system_start(config, actors);
    gate_close();
    tell(system, "hermit", "wait", 0, 0);
    gate_await(1);
    troupe_system_stop(system);
    _exit(troupe_system_wait(system));
}

static void past_the_deadline_the_code_is_137(void **state) {
    int status = 0;
    (void)state;
    pid_t child = fork();
    if (child == 0) stop_with_a_handler_that_hangs();
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 137);
}

/* The child of this test leaves a stuck thread behind on purpose. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "thread:tr_thread_start\nthread:start_thread\n"; }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stays_on_a_thread_of_its_own),
        cmocka_unit_test(only_those_with_a_thread_receive),
        cmocka_unit_test(messages_keep_their_order),
        cmocka_unit_test(each_handler_answers_its_own_message),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(who_is_killed_runs_no_stop_handler),
        cmocka_unit_test(it_may_exit_within),
        cmocka_unit_test(a_start_handler_may_receive),
        cmocka_unit_test(a_failure_within_ends_the_run_once),
        cmocka_unit_test(a_failure_within_is_no_timeout),
        cmocka_unit_test(what_was_cancelled_is_not_received),
        cmocka_unit_test(an_ask_whose_handler_waits_ends_with_the_run),
        cmocka_unit_test(a_failure_may_be_passed_on),
        cmocka_unit_test(a_message_is_delivered_again_without_the_one_around_it),
        cmocka_unit_test(ticks_and_answers_come_within),
        cmocka_unit_test(ticks_and_answers_may_receive),
        cmocka_unit_test(the_timer_at_hand_goes_on_ticking),
        cmocka_unit_test(descriptors_are_watched_from_it),
        cmocka_unit_test(the_descriptor_at_hand_is_still_watched),
        cmocka_unit_test(receiving_makes_room),
        cmocka_unit_test(the_high_water_mark_rises_while_it_receives),
        cmocka_unit_test(a_storm_loses_nothing),
        cmocka_unit_test(the_next_in_a_slot_begins_at_home),
        cmocka_unit_test(a_storm_loses_nothing_spinning),
        cmocka_unit_test(threads_are_pinned),
        cmocka_unit_test(the_limit_is_told),
        cmocka_unit_test(spawned_ones_leave_their_wait_at_the_end),
        cmocka_unit_test(threads_may_end_at_any_time),
        cmocka_unit_test(past_the_deadline_the_code_is_137),
    };
    /* Last, for the threads that NNG leaves behind would be found by the others. */
    const struct CMUnitTest last[] = { cmocka_unit_test(messages_of_another_node_settle_in_order) };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + cmocka_run_group_tests(last, NULL, NULL);
}
