/*
 * Messages between actors of one node: every kind of field, senders, order, refusals. Everything runs
 * twice: with messages handed over by pointer, and packed and unpacked as on the way to another node.
 */
#include "lib/system_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINT(field) field(i32, x) field(f64, y) field(str, label)
TROUPE_MESSAGE(point, POINT)

#define EVERY(field)                                                                               \
    field(i8, tiny) field(i16, small) field(i32, middle) field(i64, large)                         \
    field(u8, utiny) field(u16, usmall) field(u32, umiddle) field(u64, ularge)                     \
    field(bool, yes) field(f64, number) field(str, text) field(bytes, raw) field(address, who)     \
    field(message(point), point) field(array(i8), i8s) field(array(u64), u64s)                     \
    field(array(bool), bools) field(array(f64), numbers) field(array(str), texts)                  \
    field(array(bytes), raws) field(array(address), addresses) field(array(message(point)), points)
TROUPE_MESSAGE(every, EVERY)

#define NUMBER(field) field(u32, from) field(u32, n)
TROUPE_MESSAGE(number, NUMBER)
#define TARGET(field) field(address, to)
TROUPE_MESSAGE(target, TARGET)
#define WORDS(field) field(str, text)
TROUPE_MESSAGE(words, WORDS)
TROUPE_MESSAGE_EMPTY(unknown)
TROUPE_MESSAGE_EMPTY(leave)

/* ---- The message of every kind ---- */

static struct every sample(void) {
    static const int8_t i8s[] = { -128, 0, 127 };
    static const uint64_t u64s[] = { 0, UINT64_MAX };
    static const bool bools[] = { true, false, true };
    static const double numbers[] = { -0.5, 1e300, 0 };
    static const char *const texts[] = { "", "grüße", "three" };
    static const struct troupe_bytes raws[] = { { "\0\xff", 2 }, { NULL, 0 } };
    static const troupe_address addresses[] = { { 7, 8, 9 }, { 0, 0, 0 } };
    static const struct point points[] = { { 1, 2.5, "one" }, { -1, -2.5, "" } };
    return (struct every){ .tiny = INT8_MIN, .small = INT16_MIN, .middle = INT32_MIN, .large = INT64_MIN,
                           .utiny = UINT8_MAX, .usmall = UINT16_MAX, .umiddle = UINT32_MAX,
                           .ularge = UINT64_MAX, .yes = true, .number = INFINITY, .text = "some words",
                           .raw = { "a\0b", 3 }, .who = { 1, 2, 3 }, .point = { 3, 0.25, "nested" },
                           .i8s = { i8s, 3 }, .u64s = { u64s, 2 }, .bools = { bools, 3 },
                           .numbers = { numbers, 3 }, .texts = { texts, 3 }, .raws = { raws, 2 },
                           .addresses = { addresses, 2 }, .points = { points, 2 } };
}

/* Two messages that print alike, and whose bytes are alike where printing may cut them off. */
static bool same(const struct every *a, const struct every *b) {
    char left[4096], right[4096];
    troupe_message_print(&every_message, a, left, sizeof left);
    troupe_message_print(&every_message, b, right, sizeof right);
    return strcmp(left, right) == 0 && a->raw.size == b->raw.size &&
           memcmp(a->raw.data, b->raw.data, a->raw.size) == 0 && a->points.count == b->points.count &&
           strcmp(a->points.items[0].label, b->points.items[0].label) == 0 &&
           troupe_address_equal(a->addresses.items[0], b->addresses.items[0]);
}

struct mirror { char unused; };
TROUPE_ON(mirror, every) {
    struct every expected = sample();
    board_note(same(msg, &expected) ? "arrived" : "arrived otherwise");
    return troupe_reply_message(self, &every_message, msg);
}
TROUPE_ACTOR(mirror, TROUPE_HANDLES(mirror, every))

struct viewer { char unused; };
TROUPE_ON(viewer, target) {
    struct every message = sample();
    if (troupe_send_message(self, msg->to, &every_message, &message) != TROUPE_OK)
        return TROUPE_FAIL(self, "not sent");
    return troupe_ask_message(self, msg->to, TROUPE_MINUTE, &every_message, &message);
}
TROUPE_ON(viewer, every) {
    struct every expected = sample();
    bool from = troupe_address_equal(troupe_sender(self), troupe_lookup(self, "mirror"));
    board_note(same(msg, &expected) && from ? "back" : "back otherwise");
    return TROUPE_OK;
}
TROUPE_ANSWER(viewer, every, every) {
    struct every expected = sample();
    bool good = outcome == TROUPE_OK && same(reply, &expected) && same(request, &expected);
    board_note(good ? "answered" : "answered otherwise");
    return TROUPE_OK;
}
TROUPE_ACTOR(viewer, TROUPE_HANDLES(viewer, target, every), TROUPE_ANSWERS(viewer, every, every))

static void every_kind_of_field_arrives_as_it_was_sent(void **state) {
    static const struct troupe_actor_type *const actors[] = { &mirror_actor, &viewer_actor, NULL };
    troupe_system *system = system_start("tree: { children: [ { name: mirror, actor: mirror }, "
                                         "{ name: viewer, actor: viewer } ] }", actors);
    struct troupe_counts counts;
    (void)state;
    troupe_address mirror = troupe_system_lookup(system, "/mirror");
    troupe_address viewer = troupe_system_lookup(system, "viewer");
    assert_int_equal(troupe_system_send(system, viewer, target, .to = mirror), TROUPE_OK);
    board_await("back");
    board_await("answered");
    assert_int_equal(board_times("arrived"), 2);
    assert_int_equal(strlen(board_lines("arrived ")), 0);
    system_end(system, 0, &counts);
    assert_int_equal(counts.sent, 5);
    assert_int_equal(counts.handled, 5);
}

/* ---- Senders ---- */

struct clerk { char unused; };
TROUPE_ON(clerk, words) {
    board_note("%s from %s", msg->text, troupe_address_is_none(troupe_sender(self)) ? "outside" : "within");
    board_note("replied %s", troupe_status_name(troupe_reply(self, words, .text = "reply")));
    return TROUPE_OK;
}
TROUPE_ON(clerk, target) {
    return troupe_send(self, msg->to, words, .text = "hello");
}
TROUPE_ON(clerk, leave) { return troupe_exit(self); }
TROUPE_ACTOR(clerk, TROUPE_HANDLES(clerk, words, target, leave))

struct quiet { char unused; };
TROUPE_ON(quiet, target) { return troupe_send(self, msg->to, words, .text = "quiet"); }
TROUPE_ON(quiet, words) {
    board_note("heard %s", msg->text);
    return TROUPE_OK;
}
TROUPE_ACTOR(quiet, TROUPE_HANDLES(quiet, target, words))

static const char two[] = "tree: { children: [ { name: clerk, actor: clerk, restart: temporary }, "
                          "{ name: quiet, actor: quiet } ] }";
static const struct troupe_actor_type *const two_actors[] = { &clerk_actor, &quiet_actor, NULL };

static void a_reply_goes_to_the_sender_if_there_is_one(void **state) {
    troupe_system *system = system_start(two, two_actors);
    (void)state;
    troupe_address clerk = troupe_system_lookup(system, "clerk");
    assert_int_equal(troupe_system_send(system, clerk, words, .text = "letter"), TROUPE_OK);
    board_await("replied gone");
    board_expect("letter from outside replied gone");
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "quiet"), target, .to = clerk),
                     TROUPE_OK);
    board_await("heard reply");
    assert_int_equal(board_times("quiet from within"), 1);
    system_end(system, 0, NULL);
}

static void refusals_are_known_at_once(void **state) {
    troupe_system *system = system_start(two, two_actors);
    struct troupe_counts counts;
    (void)state;
    troupe_address quiet = troupe_system_lookup(system, "quiet"), none = { 0 };
    assert_int_equal(troupe_system_send_empty(system, quiet, unknown), TROUPE_UNHANDLED);
    assert_int_equal(troupe_system_send(system, quiet, words, .text = "a\xff"), TROUPE_INVALID);
    assert_int_equal(troupe_system_send(system, quiet, words, .text = "\xc0\x80"), TROUPE_INVALID);
    assert_int_equal(troupe_system_send(system, none, words, .text = ""), TROUPE_GONE);
    troupe_address elsewhere = { 99, 5, 1 }, never = { quiet.node, 1000000, 1 };
    assert_int_equal(troupe_system_send(system, elsewhere, words, .text = ""), TROUPE_UNREACHABLE);
    assert_int_equal(troupe_system_send(system, never, words, .text = ""), TROUPE_GONE);
    assert_int_equal(troupe_system_send(system, quiet, words, .text = NULL), TROUPE_OK);
    board_await("heard ");
    system_end(system, 0, &counts);
    assert_int_equal(counts.refused, 6);
    assert_int_equal(counts.sent, 1);
}

/* Sends until the address is stale: with a deadline, by the number of tries. */
static enum troupe_status until_gone(troupe_system *system, troupe_address to) {
    enum troupe_status status = TROUPE_OK;
    for (uint32_t i = 0; i < 100000000 && (status == TROUPE_OK || status == TROUPE_FULL); i++)
        status = troupe_system_send(system, to, words, .text = "are you there");
    return status;
}

static void an_actor_that_has_stopped_is_gone(void **state) {
    troupe_system *system = system_start(two, two_actors);
    (void)state;
    troupe_address clerk = troupe_system_lookup(system, "clerk");
    assert_int_equal(troupe_system_send_empty(system, clerk, leave), TROUPE_OK);
    assert_int_equal(until_gone(system, clerk), TROUPE_GONE);
    system_end(system, 0, NULL);
}

/* ---- Order ---- */

enum { SENDERS = 8, EACH = 5000 };

struct counting { uint32_t next[SENDERS]; };
TROUPE_ON(counting, number) {
    if (msg->n != me->next[msg->from]++) board_note("out of order");
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(counting, TROUPE_HANDLES(counting, number))

struct sending {
    troupe_address to;
    uint32_t index, n;
};
static enum troupe_status send_on(troupe_self *self, struct sending *me) {
    enum troupe_status status = TROUPE_OK;
    while (me->n < EACH && status == TROUPE_OK) {
        status = troupe_send(self, me->to, number, .from = me->index, .n = me->n);
        if (status == TROUPE_OK) me->n++;
    }
    return status == TROUPE_FULL ? TROUPE_OK : status;
}
TROUPE_START(sending, number) {
    me->index = args->from;
    return TROUPE_OK;
}
TROUPE_ON(sending, target) {
    me->to = msg->to;
    return send_on(self, me);
}
TROUPE_ON(sending, troupe_ready) { return send_on(self, me); }
TROUPE_ACTOR(sending, TROUPE_STARTS(sending, number), TROUPE_HANDLES(sending, target, troupe_ready))

static void messages_of_each_sender_come_in_their_order(void **state) {
    static const struct troupe_actor_type *const actors[] = { &counting_actor, &sending_actor, NULL };
    troupe_system *system = system_start("{ threads: 4, tree: { children: [ "
                                         "{ name: counting, actor: counting } ] } }", actors);
    struct troupe_counts counts;
    (void)state;
    troupe_address to = troupe_system_lookup(system, "counting");
    for (uint32_t i = 0; i < SENDERS; i++) {
        troupe_address sender;
        assert_int_equal(troupe_system_spawn(system, &sender, sending, number, .from = i), TROUPE_OK);
        assert_int_equal(troupe_system_send(system, sender, target, .to = to), TROUPE_OK);
    }
    board_await_tally(0, SENDERS * EACH);
    assert_int_equal(board_times("out of order"), 0);
    system_end(system, 0, &counts);
    assert_int_equal(counts.handled, SENDERS * (EACH + 1));
    assert_int_equal(counts.dead_letters, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_field_arrives_as_it_was_sent),
        cmocka_unit_test(a_reply_goes_to_the_sender_if_there_is_one),
        cmocka_unit_test(refusals_are_known_at_once),
        cmocka_unit_test(an_actor_that_has_stopped_is_gone),
        cmocka_unit_test(messages_of_each_sender_come_in_their_order),
    };
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests_name("by pointer", tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    return failed + cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
