/*
 * Mailboxes: what happens at the limit, who is told when there is room again, and that every message is
 * accounted for.
 */
#include "lib/system_test.h"

#include <string.h>
#include <time.h>

#define WORK(field) field(u32, n) field(bool, gate)
TROUPE_MESSAGE(work, WORK)
#define ORDER(field) field(address, to) field(u32, times)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(leave)
TROUPE_MESSAGE_EMPTY(stumble)
TROUPE_MESSAGE_EMPTY(strange)
#define LOOK(field) field(address, to)
TROUPE_MESSAGE(look, LOOK)

struct slow { char unused; };
TROUPE_ON(slow, work) {
    if (msg->gate) gate_pass();
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ON(slow, leave) { return troupe_exit(self); }
TROUPE_ON(slow, stumble) { return TROUPE_FAIL(self, "told to"); }
TROUPE_ACTOR(slow, TROUPE_HANDLES(slow, work, leave, stumble))

/* Sends as often as it is told, and notes what comes of it. */
struct pusher { char unused; };
TROUPE_ON(pusher, order) {
    uint32_t taken = 0;
    enum troupe_status status = TROUPE_OK;
    for (uint32_t i = 0; i < msg->times; i++) {
        status = troupe_send(self, msg->to, work, .n = i);
        taken += status == TROUPE_OK;
    }
    board_note("taken %u, then %s", taken, troupe_status_name(status));
    return TROUPE_OK;
}
static void note_mailbox(const char *who, enum troupe_status status, struct troupe_mailbox_info info) {
    board_note("%s: %s, %u of %u, at most %u, refused %u", who, troupe_status_name(status), info.waiting,
               info.limit, info.high_water, info.refused);
}
/* What an actor sees of the mailbox of `to`. */
TROUPE_ON(pusher, look) {
    struct troupe_mailbox_info info;
    enum troupe_status status = troupe_mailbox(self, msg->to, &info);
    note_mailbox("pusher", status, info);
    return TROUPE_OK;
}
TROUPE_ON(pusher, troupe_ready) {
    board_note("ready");
    board_add(1, board_tally(0));
    return TROUPE_OK;
}
TROUPE_ON(pusher, troupe_undelivered) {
    board_note("undelivered %s %s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}
TROUPE_ACTOR(pusher, TROUPE_HANDLES(pusher, order, look, troupe_ready, troupe_undelivered))

/* The same, but it does not want to know. */
struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    enum troupe_status status = TROUPE_OK;
    for (uint32_t i = 0; i < msg->times; i++) status = troupe_send(self, msg->to, work, .n = i);
    board_note("deaf %s", troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

static const struct troupe_actor_type *const actors[] = { &slow_actor, &pusher_actor, &deaf_actor, NULL };
static const char tree[] = "{ threads: 4, tree: { children: ["
                           "{ name: slow, actor: slow, restart: temporary, mailbox: { limit: 8 } },"
                           "{ name: one, actor: slow, restart: temporary, mailbox: { limit: 1 } },"
                           "{ name: lossy, actor: slow, mailbox: { limit: 8, overflow: drop_newest } },"
                           "{ name: pusher, actor: pusher }, { name: deaf, actor: deaf } ] } }";

static troupe_system *start_with_gate(const char *behind_it) {
    troupe_system *system = system_start(tree, actors);
    gate_close();
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, behind_it), work,
                                        .gate = true), TROUPE_OK);
    gate_await(1);
    return system;
}

static void push(troupe_system *system, const char *who, const char *to, uint32_t times) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), order,
                                        .to = troupe_system_lookup(system, to), .times = times),
                     TROUPE_OK);
}

static void at_the_limit_sends_are_refused_and_one_ready_comes_at_half(void **state) {
    troupe_system *system = start_with_gate("slow");
    struct troupe_counts counts;
    (void)state;
    push(system, "pusher", "slow", 20); /* one is being handled */
    board_await("taken 7, then full");
    push(system, "deaf", "slow", 1);
    board_await("deaf full");
    assert_int_equal(board_times("ready"), 0);
    gate_open();
    board_await("ready");
    board_await_tally(0, 8);
    push(system, "pusher", "slow", 1);
    board_await("taken 1, then ok");
    board_await_tally(0, 9);
    system_end(system, 0, &counts);
    assert_int_equal(board_times("ready"), 1);
    assert_true(board_tally(1) >= 4); /* handled by then */
    assert_int_equal(counts.refused, 13 + 1);
    assert_int_equal(counts.dead_letters, 0);
}

static void a_mailbox_of_one_is_ready_when_it_is_empty(void **state) {
    troupe_system *system = start_with_gate("one");
    (void)state;
    push(system, "pusher", "one", 2);
    board_await("taken 0, then full");
    gate_open();
    board_await("ready");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("ready"), 1);
}

/* Many who do not want to know must not hide the room from the one who does. */
static void those_who_try_in_vain_do_not_keep_ready_from_others(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        troupe_system *system = start_with_gate("one");
        push(system, "pusher", "one", 1);
        board_await("taken 0, then full");
        push(system, "deaf", "one", 2000);
        gate_open();
        board_await("ready");
        system_end(system, 0, NULL);
    }
}

static void ready_comes_too_when_the_receiver_goes(void **state) {
    troupe_system *system = start_with_gate("slow");
    struct troupe_counts counts;
    (void)state;
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, "slow"), leave),
                     TROUPE_OK);
    push(system, "pusher", "slow", 20);
    board_await("taken 6, then full");
    gate_open();
    board_await("ready");
    board_await_times("undelivered work flushed", 6);
    push(system, "pusher", "slow", 1);
    board_await("taken 0, then gone");
    system_end(system, 0, &counts);
    assert_int_equal(board_times("ready"), 1);
    assert_int_equal(counts.dead_by_reason[TROUPE_FLUSHED], 6);
    assert_int_equal(counts.dead_letters, 6);
}

static void drop_newest_takes_and_tells(void **state) {
    troupe_system *system = start_with_gate("lossy");
    struct troupe_counts counts;
    (void)state;
    push(system, "pusher", "lossy", 20);
    board_await("taken 20, then ok");
    board_await_times("undelivered work full", 13);
    gate_open();
    board_await_tally(0, 8);
    system_end(system, 0, &counts);
    assert_int_equal(board_times("undelivered work full"), 13);
    assert_int_equal(board_times("ready"), 0);
    assert_int_equal(counts.dead_by_reason[TROUPE_FULL], 13);
    assert_int_equal(counts.dead_letters, 13);
    assert_int_equal(counts.refused, 0);
}

static void refused_messages_were_never_sent(void **state) {
    troupe_system *system = start_with_gate("slow");
    struct troupe_counts counts;
    (void)state;
    troupe_address slow = troupe_system_lookup(system, "slow");
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(troupe_system_send(system, slow, work, .n = i), TROUPE_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(troupe_system_send(system, slow, work, .n = i), TROUPE_FULL);
    assert_int_equal(troupe_system_send_empty(system, slow, strange), TROUPE_UNHANDLED);
    gate_open();
    board_await_tally(0, 8);
    system_end(system, 0, &counts);
    assert_int_equal(counts.sent, 8);
    assert_int_equal(counts.handled, 8);
    assert_int_equal(counts.refused, 6);
}

/* ---- What a mailbox says of itself ---- */

static void see(troupe_system *system, const char *who) {
    struct troupe_mailbox_info info;
    enum troupe_status status = troupe_system_mailbox(system, troupe_system_lookup(system, who), &info);
    note_mailbox(who, status, info);
}

static void the_high_water_mark_stays_and_refusals_are_counted(void **state) {
    troupe_system *system = start_with_gate("slow");
    (void)state;
    see(system, "slow");
    board_await("slow: ok, 1 of 8, at most 1, refused 0");
    push(system, "deaf", "slow", 4);
    board_await("deaf ok");
    see(system, "slow");
    board_await("slow: ok, 5 of 8, at most 5, refused 0");
    push(system, "pusher", "slow", 10);
    board_await("taken 3, then full");
    see(system, "slow");
    board_await("slow: ok, 8 of 8, at most 8, refused 7");
    gate_open();
    board_await_tally(0, 8);
    board_await("ready");
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "pusher"), look,
                                        .to = troupe_system_lookup(system, "deaf")), TROUPE_OK);
    board_await("pusher: ok, 0 of 1024, at most 1, refused 0");
    system_end(system, 0, NULL);
}

/* Nobody asks while they wait. */
static void the_mark_is_set_when_a_batch_begins(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_mailbox_info info;
    troupe_address to;
    (void)state;
    gate_close();
    assert_int_equal(troupe_system_spawn_empty(system, &to, slow), TROUPE_OK);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(troupe_system_send(system, to, work, .gate = i == 0), TROUPE_OK);
    gate_await(1);
    gate_open();
    board_await_tally(0, 100);
    assert_int_equal(troupe_system_mailbox(system, to, &info), TROUPE_OK);
    assert_true(info.waiting <= 1);
    assert_in_range(info.high_water, 100 - 64, 100);
    system_end(system, 0, NULL);
}

static void what_is_dropped_found_no_room_either(void **state) {
    troupe_system *system = start_with_gate("lossy");
    (void)state;
    push(system, "pusher", "lossy", 10);
    board_await("taken 10, then ok");
    see(system, "lossy");
    board_await("lossy: ok, 8 of 8, at most 8, refused 3");
    gate_open();
    board_await_tally(0, 8);
    system_end(system, 0, NULL);
}

static void a_restart_changes_nothing(void **state) {
    troupe_system *system = start_with_gate("lossy");
    struct troupe_mailbox_info info;
    troupe_address lossy = troupe_system_lookup(system, "lossy");
    (void)state;
    assert_int_equal(troupe_system_send_empty(system, lossy, stumble), TROUPE_OK);
    push(system, "deaf", "lossy", 10);
    board_await("deaf ok");
    gate_open();
    board_await_tally(0, 7);
    assert_int_equal(troupe_system_mailbox(system, lossy, &info), TROUPE_OK);
    assert_int_equal(info.high_water, 8);
    assert_int_equal(info.refused, 4);
    system_end(system, 0, NULL);
}

/* On one worker, the cell that was left last is taken first. */
struct parent { troupe_address child; };
TROUPE_ON(parent, look) {
    struct troupe_mailbox_info info;
    troupe_address before = me->child;
    enum troupe_status status = troupe_spawn_empty(self, &me->child, slow);
    if (status == TROUPE_OK) status = troupe_mailbox(self, me->child, &info);
    if (status != TROUPE_OK) return status;
    if (before.slot == me->child.slot) note_mailbox("again", status, info);
    if (before.slot != 0) note_mailbox("before", troupe_mailbox(self, before, &info), info);
    for (uint32_t i = 0; i < 5 && status == TROUPE_OK; i++) status = troupe_send(self, me->child, work, .n = i);
    return status == TROUPE_OK ? troupe_send_empty(self, me->child, leave) : status;
}
TROUPE_ACTOR(parent, TROUPE_HANDLES(parent, look))

static void the_next_actor_in_a_cell_begins_anew(void **state) {
    static const struct troupe_actor_type *const both[] = { &slow_actor, &parent_actor, NULL };
    troupe_system *system =
        system_start("{ threads: 1, tree: { children: [ { name: parent, actor: parent } ] } }", both);
    (void)state;
    for (int64_t i = 1; i <= 2; i++) {
        assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "parent"), look,
                                            .to = { 0 }), TROUPE_OK);
        board_await_tally(0, 5 * i);
    }
    board_await("again: ok, 0 of 1024, at most 0, refused 0");
    board_await("before: gone, 0 of 0, at most 0, refused 0");
    system_end(system, 0, NULL);
}

static void only_mailboxes_of_the_node_are_seen(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_mailbox_info info;
    (void)state;
    assert_int_equal(troupe_system_mailbox(system, (troupe_address){ 2, 2, 1 }, &info), TROUPE_INVALID);
    assert_int_equal(troupe_system_mailbox(system, (troupe_address){ 0 }, &info), TROUPE_GONE);
    assert_int_equal(troupe_system_mailbox(system, (troupe_address){ 1, 1000000, 1 }, &info), TROUPE_GONE);
    assert_int_equal(troupe_system_mailbox(system, (troupe_address){ 1, 1000, 0 }, &info), TROUPE_GONE);
    troupe_system_stop(system);
    assert_int_equal(troupe_system_wait(system), 0);
    see(system, "pusher");
    board_await("pusher: stopping, 0 of 0, at most 0, refused 0");
    system_end(system, 0, NULL);
}

/* ---- Overload ---- */

TROUPE_MESSAGE_EMPTY(more)

struct flood { troupe_address to; };
TROUPE_ON(flood, order) {
    me->to = msg->to;
    return troupe_send_empty(self, troupe_self_address(self), more);
}
TROUPE_ON(flood, more) {
    for (uint32_t i = 0; i < 100; i++) (void)troupe_send(self, me->to, work, .n = i);
    return troupe_send_empty(self, troupe_self_address(self), more);
}
TROUPE_ACTOR(flood, TROUPE_HANDLES(flood, order, more))

/* Handles, and says every so often that it is alive. */
struct drain { uint32_t handled; };
TROUPE_ON(drain, work) {
    if (++me->handled % 1000 == 0) board_add(0, 1000);
    return TROUPE_OK;
}
TROUPE_ACTOR(drain, TROUPE_HANDLES(drain, work))

static int64_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}

/* Lets the flood run on for so long: waits for the progress of the one who drains it. */
static void run_for(int64_t duration) {
    int64_t until = seconds() + duration;
    while (seconds() < until) board_await_tally(0, board_tally(0) + 1000);
}

static void overload_does_not_grow_memory(void **state) {
    static const struct troupe_actor_type *const both[] = { &flood_actor, &drain_actor, NULL };
    troupe_system *system =
        system_start("{ threads: 2, tree: { children: [ { name: drain, actor: drain },"
                     "{ name: flood, actor: flood, count: 5 } ] } }", both);
    static const char *const names[] = { "flood/0", "flood/1", "flood/2", "flood/3", "flood/4" };
    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, names[i]), order,
                                            .to = troupe_system_lookup(system, "drain")), TROUPE_OK);
    run_for(300 * TROUPE_MILLISECOND);
    int64_t before = process_memory();
    run_for(TROUPE_SECOND);
    int64_t grown = process_memory() - before;
    system_end(system, 0, NULL);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define IS_PLAIN 1
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef IS_PLAIN
#endif
#endif
#endif
#ifdef IS_PLAIN /* the sanitizers keep what was freed */
    assert_true(grown < 4 * 1024 * 1024);
#else
    (void)grown;
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_limit_sends_are_refused_and_one_ready_comes_at_half),
        cmocka_unit_test(a_mailbox_of_one_is_ready_when_it_is_empty),
        cmocka_unit_test(those_who_try_in_vain_do_not_keep_ready_from_others),
        cmocka_unit_test(ready_comes_too_when_the_receiver_goes),
        cmocka_unit_test(drop_newest_takes_and_tells),
        cmocka_unit_test(refused_messages_were_never_sent),
        cmocka_unit_test(the_high_water_mark_stays_and_refusals_are_counted),
        cmocka_unit_test(the_mark_is_set_when_a_batch_begins),
        cmocka_unit_test(what_is_dropped_found_no_room_either),
        cmocka_unit_test(a_restart_changes_nothing),
        cmocka_unit_test(the_next_actor_in_a_cell_begins_anew),
        cmocka_unit_test(only_mailboxes_of_the_node_are_seen),
        cmocka_unit_test(overload_does_not_grow_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
