/* The test kit, tested: what it runs, what it lets pass, what it expects, and what it says when that does not come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>
#include <unistd.h>

/* ---- Actors ---- */

#define ADD_FIELDS(field) field(str, word) field(u32, n)
TROUPE_MESSAGE(add, ADD_FIELDS)
#define LOOKUP_FIELDS(field) field(str, word)
TROUPE_MESSAGE(lookup, LOOKUP_FIELDS)
#define FOUND_FIELDS(field) field(u32, n) field(u32, run)
TROUPE_MESSAGE(found, FOUND_FIELDS)
#define PING_FIELDS(field) field(u32, n)
TROUPE_MESSAGE(ping, PING_FIELDS)
TROUPE_MESSAGE_EMPTY(tick)
#define BEGIN_FIELDS(field) field(address, to)
TROUPE_MESSAGE(begin, BEGIN_FIELDS)

struct counter {
    uint32_t sum;
};

TROUPE_ON(counter, add) {
    if (msg->n == 0) return TROUPE_FAIL(self, "nothing of %s", msg->word);
    me->sum += msg->n;
    return TROUPE_OK;
}
TROUPE_ON(counter, lookup) { return troupe_reply(self, found, .n = me->sum, .run = troupe_self_run(self)); }
TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, add, lookup))

/* Sends what it gets on to whoever it was started for, and a tick each second. */
struct echo {
    troupe_address to;
    uint32_t ticks;
};

TROUPE_START(echo, begin) {
    me->to = args->to;
    return troupe_every_empty(self, NULL, TROUPE_SECOND, tick);
}
TROUPE_ON(echo, begin) {
    me->to = msg->to;
    return TROUPE_OK;
}
TROUPE_ON(echo, tick) { return troupe_send(self, me->to, ping, .n = ++me->ticks); }
TROUPE_ON(echo, ping) { return troupe_send(self, me->to, ping, .n = msg->n + 1); }
TROUPE_ON(echo, lookup) { return troupe_ask(self, me->to, lookup, 3 * TROUPE_SECOND, .word = msg->word); }
TROUPE_ANSWER(echo, lookup, found) {
    return troupe_send(self, me->to, add, .word = troupe_status_name(outcome), .n = reply == NULL ? 0 : reply->n);
}
TROUPE_ACTOR(echo, TROUPE_STARTS(echo, begin), TROUPE_HANDLES(echo, begin, tick, ping, lookup),
             TROUPE_ANSWERS(echo, lookup, found))

static const struct troupe_actor_type *const actors[] = { &counter_actor, &echo_actor, NULL };

static const char tree[] = "tree:\n"
                           "  restarts: 2\n"
                           "  within: 5s\n"
                           "  children:\n"
                           "    - { name: a, actor: counter, place: process }\n"
                           "    - { name: b, actor: counter, place: { thread: own } }\n";

/* ---- Failures, as a test of the kit wants them ---- */

static char failure[8192];
static jmp_buf *out;

static void note_failure(void *context, const char *file, int line, const char *text) {
    (void)context;
    assert_true(strstr(file, "test_kit.c") != NULL && line > 0);
    snprintf(failure, sizeof failure, "%s", text);
    if (out != NULL) longjmp(*out, 1);
}

static troupe_test *start(const char *config) {
    failure[0] = '\0';
    out = NULL;
    return troupe_test_new(.actors = actors, .config = config, .fail = note_failure);
}

static void finish(troupe_test *kit) {
    assert_int_equal(troupe_test_free(kit), 0);
    assert_string_equal(failure, "");
}

#define assert_failed(what)                                                                        \
    do {                                                                                           \
        if (strstr(failure, (what)) == NULL) fail_msg("not \"%s\" in: %s", (what), failure);       \
        failure[0] = '\0';                                                                         \
    } while (0)

/* ---- Messages ---- */

static void the_probe_sends_and_asks(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    troupe_address a = troupe_test_lookup(kit, "/a");
    assert_int_equal(troupe_send(self, a, add, .word = "the", .n = 3), TROUPE_OK);
    assert_int_equal(troupe_ask(self, a, lookup, TROUPE_SECOND, .word = "the"), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, found)->n, 3);
    troupe_test_expect_nothing(kit);
    finish(kit);
}

static void the_probe_is_asked_and_answers(void **state) {
    (void)state;
    troupe_address echo;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, &echo, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    assert_int_equal(troupe_send(self, echo, lookup, .word = "which"), TROUPE_OK);
    assert_string_equal(troupe_test_expect(kit, lookup)->word, "which");
    struct troupe_asker asker = troupe_test_asker(kit);
    assert_true(troupe_address_equal(asker.address, echo));
    assert_int_equal(troupe_answer_later(self, asker, found, .n = 7), TROUPE_OK);
    assert_int_equal(troupe_answer_later(self, asker, found, .n = 8), TROUPE_INVALID);
    assert_int_equal(troupe_test_expect(kit, add)->n, 7);
    finish(kit);
}

static void an_ask_of_the_probe_ends_as_others_do(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    troupe_address a = troupe_test_lookup(kit, "/a");
    assert_int_equal(troupe_ask(self, a, add, TROUPE_SECOND, .word = "x", .n = 1), TROUPE_OK);
    troupe_test_expect_outcome(kit, TROUPE_NO_REPLY);
    assert_int_equal(troupe_ask(self, a, add, TROUPE_SECOND, .word = "x"), TROUPE_OK);
    troupe_test_expect_outcome(kit, TROUPE_DIED);
    finish(kit);
}

static void messages_are_found_in_any_order(void **state) {
    (void)state;
    troupe_address echo;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, &echo, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    assert_int_equal(troupe_send(self, echo, ping, .n = 1), TROUPE_OK);
    assert_int_equal(troupe_send(self, echo, lookup, .word = "w"), TROUPE_OK);
    assert_string_equal(troupe_test_expect_among(kit, lookup)->word, "w");
    assert_int_equal(troupe_test_expect(kit, ping)->n, 2);
    finish(kit);
}

/* They take real time. Who owns one is tested by a probe that says what a program would. */
static void there_are_no_programs(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, NULL, troupe_command, troupe_program, .program = "true",
                                  .to = troupe_self_address(self)), TROUPE_OK);
    assert_string_equal(troupe_test_expect(kit, troupe_command_error)->why, "there are no programs on virtual time");
    troupe_test_expect_nothing(kit);
    finish(kit);
}

/* ---- Time ---- */

static void time_passes_only_where_the_test_says_so(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    int64_t now = troupe_now(self);
    assert_int_equal(troupe_spawn(self, NULL, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    troupe_test_expect_nothing(kit);
    troupe_test_advance(kit, TROUPE_SECOND - 1);
    troupe_test_expect_nothing(kit);
    troupe_test_advance(kit, 1);
    assert_int_equal(troupe_test_expect(kit, ping)->n, 1);
    assert_int_equal(troupe_now(self), now + TROUPE_SECOND);
    troupe_test_advance(kit, 3600 * TROUPE_SECOND);
    for (uint32_t i = 2; i <= 3601; i++) assert_int_equal(troupe_test_expect(kit, ping)->n, i);
    assert_int_equal(troupe_test_expect_within(kit, 2 * TROUPE_SECOND, ping)->n, 3602);
    assert_int_equal(troupe_now(self), now + 3602 * TROUPE_SECOND);
    finish(kit);
}

static void deadlines_of_asks_are_in_that_time(void **state) {
    (void)state;
    troupe_address echo;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, &echo, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    assert_int_equal(troupe_send(self, echo, lookup, .word = "w"), TROUPE_OK);
    (void)troupe_test_expect(kit, lookup);
    troupe_test_advance(kit, 4 * TROUPE_SECOND);
    assert_string_equal(troupe_test_expect_among(kit, add)->word, "timeout");
    finish(kit);
}

/* ---- Faults ---- */

static void a_crash_is_a_failure_like_others(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    troupe_address a = troupe_test_lookup(kit, "/a");
    assert_string_equal(troupe_test_life(kit), "+/ +/a +/b");
    troupe_test_crash(kit, a, "out of luck");
    const struct troupe_death *death = troupe_test_expect_death(kit, "/a");
    assert_int_equal(death->kind, TROUPE_DEATH_FAILED);
    assert_string_equal(death->text, "out of luck");
    assert_string_equal(troupe_test_life(kit), "failed/a +/a");
    assert_int_equal(troupe_ask_empty(self, a, lookup, TROUPE_SECOND), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, found)->run, 1);
    finish(kit);
}

static void what_a_handler_fails_with_is_told_in_full(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_address a = troupe_test_lookup(kit, "/a");
    assert_int_equal(troupe_send(troupe_test_self(kit), a, add, .word = "x"), TROUPE_OK);
    const struct troupe_death *death = troupe_test_expect_death(kit, "/a");
    assert_string_equal(death->message, "add{word: \"x\", n: 0}");
    assert_non_null(strstr(death->text, "nothing of x (test_kit.c:"));
    assert_non_null(strstr(troupe_test_log(kit), "error   /a: failed: nothing of x"));
    finish(kit);
}

static void too_many_crashes_end_the_application(void **state) {
    (void)state;
    int code = 0;
    troupe_test *kit = start(tree);
    for (int i = 0; i < 3; i++) {
        assert_false(troupe_test_ended(kit, &code));
        troupe_test_crash(kit, troupe_test_lookup(kit, "/a"), "again");
        troupe_test_run(kit);
    }
    assert_true(troupe_test_ended(kit, &code));
    assert_int_equal(code, 2);
    assert_int_equal(troupe_test_expect_death(kit, "/")->kind, TROUPE_DEATH_GAVE_UP);
    assert_int_equal(troupe_test_free(kit), 2);
}

static void intensity_is_counted_in_that_time(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    for (int i = 0; i < 10; i++) {
        troupe_test_crash(kit, troupe_test_lookup(kit, "/a"), "again");
        troupe_test_advance(kit, 3 * TROUPE_SECOND);
    }
    assert_false(troupe_test_ended(kit, NULL));
    finish(kit);
}

static void starts_fail_as_often_as_said(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    (void)troupe_test_life(kit);
    troupe_test_fail_starts(kit, "/b", 1, "not yet");
    troupe_test_crash(kit, troupe_test_lookup(kit, "/b"), "x");
    assert_string_equal(troupe_test_life(kit), "failed/b +/b failed/b +/b");
    (void)troupe_test_expect_death(kit, "/b");
    assert_true(troupe_test_expect_death(kit, "/b")->starting);
    finish(kit);
}

static void killed_and_stopped_are_told_apart(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_address a = troupe_test_lookup(kit, "/a"), b = troupe_test_lookup(kit, "/b");
    (void)troupe_test_life(kit);
    troupe_test_kill(kit, a);
    assert_string_equal(troupe_test_life(kit), "killed/a +/a");
    assert_int_equal(troupe_stop_actor(troupe_test_self(kit), b), TROUPE_OK);
    assert_string_equal(troupe_test_life(kit), "stopped/b +/b");
    assert_non_null(strstr(troupe_test_expect_death(kit, "/b")->by, "probe"));
    assert_true(troupe_test_lives(kit, a) && troupe_test_lives(kit, b));
    finish(kit);
}

/* As in OTP: whoever is killed has failed. */
static void a_kill_is_a_failure(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { children: [ { name: a, actor: counter, restart: transient } ] }");
    (void)troupe_test_life(kit);
    assert_int_equal(troupe_stop_actor(troupe_test_self(kit), troupe_test_lookup(kit, "/a")), TROUPE_OK);
    assert_string_equal(troupe_test_life(kit), "stopped/a");
    finish(kit);
    kit = start("tree: { children: [ { name: a, actor: counter, restart: transient } ] }");
    (void)troupe_test_life(kit);
    troupe_test_kill(kit, troupe_test_lookup(kit, "/a"));
    assert_string_equal(troupe_test_life(kit), "killed/a +/a");
    finish(kit);
}

static void one_that_is_held_does_nothing(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    troupe_address a = troupe_test_lookup(kit, "/a");
    struct troupe_mailbox_info info;
    troupe_test_hold(kit, a);
    for (uint32_t i = 0; i < 1024; i++) assert_int_equal(troupe_send(self, a, add, .word = "w", .n = 1), TROUPE_OK);
    assert_int_equal(troupe_send(self, a, add, .word = "w", .n = 1), TROUPE_FULL);
    assert_int_equal(troupe_ask_empty(self, troupe_test_lookup(kit, "/b"), lookup, TROUPE_SECOND), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, found)->n, 0);
    assert_int_equal(troupe_mailbox(self, a, &info), TROUPE_OK);
    assert_int_equal(info.waiting, 1024);
    troupe_test_release(kit, a);
    assert_true(troupe_address_equal(troupe_test_expect(kit, troupe_ready)->to, a));
    assert_int_equal(troupe_ask_empty(self, a, lookup, TROUPE_SECOND), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, found)->n, 1024);
    finish(kit);
}

/* Its supervisor waits for 5 s, then kills it. */
static void one_that_is_held_is_killed_in_the_end(void **state) {
    (void)state;
    static const char two[] = "tree: { strategy: one_for_all, children: [ { name: a, actor: counter }, "
                              "{ name: b, actor: counter } ] }";
    troupe_test *kit = start(two);
    troupe_test_hold(kit, troupe_test_lookup(kit, "/b"));
    (void)troupe_test_life(kit);
    troupe_test_crash(kit, troupe_test_lookup(kit, "/a"), "x");
    assert_string_equal(troupe_test_life(kit), "failed/a");
    troupe_test_advance(kit, 5 * TROUPE_SECOND - 1);
    assert_string_equal(troupe_test_life(kit), "");
    troupe_test_advance(kit, TROUPE_MILLISECOND);
    assert_string_equal(troupe_test_life(kit), "killed/b +/a +/b");
    finish(kit);
}

/* A held one is released by the end. */
static void the_end_comes_to_those_who_are_held(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_test_hold(kit, troupe_test_lookup(kit, "/a"));
    troupe_test_hold(kit, troupe_test_lookup(kit, "/a"));
    assert_int_equal(troupe_send(troupe_test_self(kit), troupe_test_lookup(kit, "/a"), add, .word = "w", .n = 1),
                     TROUPE_OK);
    troupe_test_run(kit);
    finish(kit);
}

static void one_that_nobody_supervises_is_gone(void **state) {
    (void)state;
    troupe_address echo;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, &echo, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    troupe_test_run(kit);
    assert_int_equal(troupe_send(self, echo, ping, .n = 1), TROUPE_OK);
    troupe_test_crash(kit, echo, "x"); /* after what it was sent before */
    assert_false(troupe_test_lives(kit, echo));
    assert_int_equal(troupe_send(self, echo, ping, .n = 1), TROUPE_GONE);
    assert_int_equal(troupe_test_expect(kit, ping)->n, 2);
    finish(kit);
}

/* ---- Work that blocks, threads, waiting ---- */

#define SQUARED_FIELDS(field) field(u32, n)
TROUPE_MESSAGE(squared, SQUARED_FIELDS)
TROUPE_WORK(square, ping, squared) { return troupe_work_done(work, squared, .n = request->n * request->n); }

static void calls_that_block_are_made_in_place(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    assert_int_equal(troupe_work(troupe_test_self(kit), square, TROUPE_SECOND, ping, .n = 5), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, squared)->n, 25);
    finish(kit);
}

/* Who waits at shared memory is woken by a thread, which there is not. */
static void nobody_waits_at_shared_memory(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_shared *region;
    assert_int_equal(troupe_shared_new(64, &region), TROUPE_OK);
    assert_int_equal(troupe_shared_await(troupe_test_self(kit), NULL, region, 0, 0, INT64_MAX), TROUPE_SYSTEM);
    assert_int_equal(troupe_shared_wait(region, 0, 0, 0), TROUPE_SHARED_TIMED_OUT);
    troupe_shared_release(region);
    troupe_test_expect_nothing(kit);
    finish(kit);
}

static void what_is_no_use_outside_of_a_handler_is_refused(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_receive(self, 0), TROUPE_INVALID);
    assert_int_equal(troupe_stash(self), TROUPE_INVALID);
    assert_int_equal(troupe_unstash(self), 0);
    assert_int_equal(troupe_idle_after(self, TROUPE_SECOND), TROUPE_INVALID);
    assert_int_equal(troupe_forward(self, troupe_self_address(self)), TROUPE_INVALID);
    assert_int_equal(troupe_reply(self, found, .n = 1), TROUPE_INVALID);
    troupe_test_expect_nothing(kit);
    finish(kit);
}

static void the_probe_has_a_name_and_timers(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_register(self, "collector"), TROUPE_OK);
    assert_true(troupe_address_equal(troupe_test_lookup(kit, "collector"), troupe_self_address(self)));
    assert_int_equal(troupe_after_empty(self, NULL, TROUPE_SECOND, tick), TROUPE_OK);
    assert_int_equal(troupe_send(self, troupe_self_address(self), ping, .n = 4), TROUPE_OK);
    assert_int_equal(troupe_test_expect(kit, ping)->n, 4);
    assert_non_null(troupe_test_expect_within(kit, TROUPE_SECOND, tick));
    finish(kit);
}

/* ---- Chance ---- */

static size_t trace_of(uint64_t seed, char *text, size_t size) {
    char file[] = "/tmp/troupe-kit-XXXXXX";
    troupe_address echo[4];
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    troupe_test *kit = troupe_test_new(.actors = actors, .config = tree, .trace_file = file, .seed = seed);
    troupe_self *self = troupe_test_self(kit);
    for (int i = 0; i < 4; i++)
        assert_int_equal(troupe_spawn(self, &echo[i], echo, begin,
                                      .to = i == 0 ? troupe_self_address(self) : echo[i - 1]), TROUPE_OK);
    for (uint32_t i = 0; i < 20; i++) assert_int_equal(troupe_send(self, echo[3 - i % 4], ping, .n = i), TROUPE_OK);
    troupe_test_advance(kit, 3 * TROUPE_SECOND);
    troupe_test_crash(kit, troupe_test_lookup(kit, "/b"), "x");
    assert_int_equal(troupe_test_free(kit), 0);
    ssize_t length = read(descriptor, text, size - 1);
    assert_true(length > 1000);
    text[length] = '\0';
    close(descriptor);
    unlink(file);
    return (size_t)length;
}

static void the_same_seed_is_the_same_trace(void **state) {
    (void)state;
    static char first[65536], second[65536], other[65536];
    size_t size = trace_of(42, first, sizeof first);
    assert_int_equal(trace_of(42, second, sizeof second), size);
    assert_string_equal(first, second);
    assert_int_equal(trace_of(43, other, sizeof other), size);
    assert_string_not_equal(first, other);
    trace_of(0, first, sizeof first);
    trace_of(0, second, sizeof second);
    assert_string_equal(first, second);
}

/* ---- What fails, and what is said then ---- */

static void what_did_not_come_is_told_with_what_did(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    assert_null(troupe_test_expect(kit, ping));
    assert_failed("expected ping, but nothing came");
    assert_int_equal(troupe_send(self, troupe_self_address(self), add, .word = "w", .n = 1), TROUPE_OK);
    assert_null(troupe_test_expect(kit, ping));
    assert_failed("expected ping, but got add{word: \"w\", n: 1}");
    assert_null(troupe_test_expect_among(kit, ping));
    assert_failed("not taken: add{word: \"w\", n: 1}");
    assert_null(troupe_test_expect_reply(kit, found));
    assert_failed("expected the reply found, but got add");
    troupe_test_expect_outcome(kit, TROUPE_DIED);
    assert_failed("expected an ask that ends with died, but got add");
    troupe_test_expect_nothing(kit);
    assert_failed("expected nothing, but got add");
    assert_int_equal(troupe_test_expect(kit, add)->n, 1);
    finish(kit);
}

static void how_things_stand_is_told(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_after_empty(self, NULL, 7 * TROUPE_SECOND, tick), TROUPE_OK);
    assert_int_equal(troupe_send(self, troupe_test_lookup(kit, "/a"), add, .word = "x"), TROUPE_OK);
    assert_int_equal(troupe_test_expect(kit, troupe_undelivered)->reason, TROUPE_FAILED);
    assert_null(troupe_test_expect_within(kit, 2 * TROUPE_SECOND, ping));
    assert_non_null(strstr(failure, "ended: /a failed: nothing of x"));
    assert_non_null(strstr(failure, "the log ends with:\n"));
    assert_failed("the next thing is due in 5.000 s");
    finish(kit);
}

static void a_probe_that_has_ended_has_another_in_its_place(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_stop_actor(self, troupe_self_address(self)), TROUPE_OK);
    troupe_address before = troupe_self_address(self);
    assert_null(troupe_test_expect(kit, ping));
    assert_failed("the probe has ended 1 time, and begun anew");
    assert_false(troupe_address_equal(before, troupe_self_address(self)));
    assert_int_equal(troupe_ask_empty(self, troupe_test_lookup(kit, "/a"), lookup, TROUPE_SECOND), TROUPE_OK);
    assert_int_equal(troupe_test_expect_reply(kit, found)->n, 0);
    assert_int_equal(troupe_exit(self), TROUPE_OK);
    assert_int_equal(troupe_send(self, troupe_self_address(self), ping, .n = 1), TROUPE_OK);
    assert_int_equal(troupe_test_expect(kit, ping)->n, 1);
    assert_string_equal(troupe_test_life(kit), "+/ +/a +/b");
    finish(kit);
}

/* Groups and topics, as an example of what other headers offer. */
static void the_probe_is_in_groups_and_topics(void **state) {
    (void)state;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_join(self, "pair"), TROUPE_OK);
    assert_int_equal(troupe_subscribe(self, "news"), TROUPE_OK);
    assert_int_equal(troupe_publish(self, "news", ping, .n = 5), TROUPE_OK);
    assert_int_equal(troupe_test_expect(kit, ping)->n, 5);
    finish(kit);
}

static void the_probe_monitors_and_links(void **state) {
    (void)state;
    troupe_monitor_id id;
    troupe_test *kit = start(tree);
    troupe_self *self = troupe_test_self(kit);
    troupe_address a = troupe_test_lookup(kit, "/a");
    assert_int_equal(troupe_monitor(self, a, &id), TROUPE_OK);
    assert_int_equal(troupe_trap(self, true), TROUPE_OK);
    assert_int_equal(troupe_link(self, a), TROUPE_OK);
    troupe_test_crash(kit, a, "out of luck");
    assert_int_equal(troupe_test_expect_among(kit, troupe_down)->monitor, id.id);
    assert_string_equal(troupe_test_expect(kit, troupe_exited)->death.text, "out of luck");
    assert_int_equal(troupe_trap(self, false), TROUPE_OK);
    assert_int_equal(troupe_link(self, a), TROUPE_OK);
    troupe_test_crash(kit, a, "again");
    troupe_test_expect_nothing(kit);
    assert_null(troupe_test_expect(kit, ping));
    assert_failed("the probe has ended");
    finish(kit);
}

static void bad_uses_are_told(void **state) {
    (void)state;
    troupe_test *kit = start(tree);
    assert_true(troupe_address_is_none(troupe_test_lookup(kit, "/nobody")));
    assert_failed("no actor has the name or the path /nobody");
    assert_null(troupe_test_expect_death(kit, "/a"));
    assert_failed("no run of /a has ended");
    const troupe_address here = { 1, 4711, 1 }, elsewhere = { 2, 4, 1 };
    troupe_test_crash(kit, here, "x");
    assert_failed("nobody runs at");
    troupe_test_kill(kit, elsewhere);
    assert_failed("nobody runs at");
    troupe_test_advance(kit, -1);
    assert_failed("time does not go back");
    troupe_test_advance(kit, TROUPE_INFINITY);
    assert_failed("a kit has a hundred years");
    assert_null(troupe_test_expect_within(kit, TROUPE_INFINITY, found));
    assert_failed("expected found, but nothing came");
    finish(kit);
}

static void configurations_that_are_wrong_are_told(void **state) {
    (void)state;
    assert_null(start("tree: { children: [ { name: a, actor: nobody } ] }"));
    assert_failed("nobody");
    assert_null(troupe_test_new(.config_file = "/no/such.yaml", .fail = note_failure));
    assert_failed("/no/such.yaml");
    assert_null(troupe_test_new(.trace_file = "/no/such/trace", .fail = note_failure));
    assert_failed("/no/such/trace");
}

static void those_who_go_on_for_ever_are_told(void **state) {
    (void)state;
    troupe_address one, other;
    troupe_test *kit = start(NULL);
    troupe_self *self = troupe_test_self(kit);
    assert_int_equal(troupe_spawn(self, &one, echo, begin, .to = troupe_self_address(self)), TROUPE_OK);
    assert_int_equal(troupe_spawn(self, &other, echo, begin, .to = one), TROUPE_OK);
    assert_int_equal(troupe_send(self, one, begin, .to = other), TROUPE_OK);
    assert_int_equal(troupe_send(self, one, ping, .n = 0), TROUPE_OK);
    troupe_test_run(kit);
    assert_failed("the actors go on for ever");
    finish(kit);
}

/* As test frameworks do. */
static void a_failure_may_leave_by_longjmp(void **state) {
    (void)state;
    jmp_buf here;
    troupe_test *kit = start(tree);
    out = &here;
    if (setjmp(here) == 0) {
        (void)troupe_test_expect(kit, ping);
        fail_msg("it has come back");
    }
    out = NULL;
    assert_failed("expected ping");
    assert_int_equal(troupe_send(troupe_test_self(kit), troupe_test_lookup(kit, "/a"), add, .word = "w", .n = 1),
                     TROUPE_OK);
    finish(kit);
}

/* Two at once, one within the other's life. */
static void kits_do_not_know_of_each_other(void **state) {
    (void)state;
    troupe_test *first = start(tree), *second = start(tree);
    troupe_test_advance(first, TROUPE_SECOND);
    troupe_test_crash(second, troupe_test_lookup(second, "/a"), "x");
    assert_string_equal(troupe_test_life(first), "+/ +/a +/b");
    assert_string_equal(troupe_test_life(second), "+/ +/a +/b failed/a +/a");
    finish(first);
    finish(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_probe_sends_and_asks),
        cmocka_unit_test(the_probe_is_asked_and_answers),
        cmocka_unit_test(an_ask_of_the_probe_ends_as_others_do),
        cmocka_unit_test(messages_are_found_in_any_order),
        cmocka_unit_test(there_are_no_programs),
        cmocka_unit_test(time_passes_only_where_the_test_says_so),
        cmocka_unit_test(deadlines_of_asks_are_in_that_time),
        cmocka_unit_test(a_crash_is_a_failure_like_others),
        cmocka_unit_test(what_a_handler_fails_with_is_told_in_full),
        cmocka_unit_test(too_many_crashes_end_the_application),
        cmocka_unit_test(intensity_is_counted_in_that_time),
        cmocka_unit_test(starts_fail_as_often_as_said),
        cmocka_unit_test(killed_and_stopped_are_told_apart),
        cmocka_unit_test(a_kill_is_a_failure),
        cmocka_unit_test(one_that_is_held_does_nothing),
        cmocka_unit_test(one_that_is_held_is_killed_in_the_end),
        cmocka_unit_test(the_end_comes_to_those_who_are_held),
        cmocka_unit_test(one_that_nobody_supervises_is_gone),
        cmocka_unit_test(calls_that_block_are_made_in_place),
        cmocka_unit_test(nobody_waits_at_shared_memory),
        cmocka_unit_test(what_is_no_use_outside_of_a_handler_is_refused),
        cmocka_unit_test(the_probe_has_a_name_and_timers),
        cmocka_unit_test(the_same_seed_is_the_same_trace),
        cmocka_unit_test(what_did_not_come_is_told_with_what_did),
        cmocka_unit_test(how_things_stand_is_told),
        cmocka_unit_test(a_probe_that_has_ended_has_another_in_its_place),
        cmocka_unit_test(the_probe_is_in_groups_and_topics),
        cmocka_unit_test(the_probe_monitors_and_links),
        cmocka_unit_test(bad_uses_are_told),
        cmocka_unit_test(configurations_that_are_wrong_are_told),
        cmocka_unit_test(those_who_go_on_for_ever_are_told),
        cmocka_unit_test(a_failure_may_leave_by_longjmp),
        cmocka_unit_test(kits_do_not_know_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
