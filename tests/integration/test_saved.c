/* State across restarts: what a run saves, the next one begins with, wherever it is and however the run ended. */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACT(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(act, ACT)
#define LEDGER(field) field(u64, total) field(str, note) field(array(u32), parts)
TROUPE_MESSAGE(ledger, LEDGER)
#define OTHER(field) field(u64, total)
TROUPE_MESSAGE(other, OTHER)
#define SIZE(field) field(bytes, bytes)
TROUPE_MESSAGE(bulk, SIZE)

struct clerk {
    uint64_t total;
    bool saves_at_its_end;
};

TROUPE_START(clerk, troupe_none) {
    const struct ledger *before = troupe_saved(self, ledger);
    if (before != NULL) me->total = before->total;
    if (before != NULL && before->parts.count == 3 && before->parts.items[2] == 9) board_note("parts %s", before->note);
    if (troupe_saved(self, ledger) != before) board_note("another ledger");
    if (troupe_saved(self, other) != NULL) board_note("not an other");
    if (troupe_saved(self, bulk) != NULL) board_note("bulk %u", troupe_saved(self, bulk)->bytes.size);
    board_note("+%s %llu@%u", troupe_self_path(self), (unsigned long long)me->total, troupe_self_run(self));
    return TROUPE_OK;
}

TROUPE_STOP(clerk) {
    if (me->saves_at_its_end) board_note("last %s", troupe_status_name(troupe_save(self, ledger, .total = 99)));
}

static enum troupe_status save_bulk(troupe_self *self, uint32_t size) {
    void *bytes = calloc(1, size);
    enum troupe_status status = troupe_save(self, bulk, .bytes = { bytes, size });
    free(bytes);
    return status;
}

static enum troupe_status save(troupe_self *self, struct clerk *me, const struct act *msg) {
    const uint32_t parts[] = { 7, 8, 9 };
    if (strcmp(msg->what, "nothing") == 0) return troupe_save_nothing(self);
    if (strcmp(msg->what, "bulk") == 0) return save_bulk(self, msg->n);
    if (strcmp(msg->what, "bytes") == 0) return troupe_save(self, ledger, .note = "\xff");
    me->total += msg->n;
    return troupe_save(self, ledger, .total = me->total, .note = "kept", .parts = { parts, 3 });
}

TROUPE_ON(clerk, act) {
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "look") == 0) board_note("look %s", troupe_saved(self, ledger) == NULL ? "nothing" : "there");
    if (strcmp(msg->what, "look") == 0) return TROUPE_OK;
    if (strcmp(msg->what, "at the end") == 0) me->saves_at_its_end = true;
    if (strcmp(msg->what, "at the end") == 0) return TROUPE_OK;
    board_note("%s %s", msg->what, troupe_status_name(save(self, me, msg)));
    return strcmp(msg->what, "add and fail") == 0 ? TROUPE_FAIL(self, "told to fail") : TROUPE_OK;
}

TROUPE_ACTOR(clerk, TROUPE_STARTS(clerk, troupe_none), TROUPE_STOPS(clerk), TROUPE_HANDLES(clerk, act))

/* Starts, terminates and restarts a clerk that code has added. */
struct boss {
    char unused;
};
TROUPE_ON(boss, act) {
    struct troupe_child_options options = { .name = "hired" };
    troupe_address root = troupe_lookup(self, "/");
    if (strcmp(msg->what, "start") == 0)
        return troupe_ask_start_child_empty(self, root, 20 * TROUPE_SECOND, &options, clerk);
    if (strcmp(msg->what, "terminate") == 0)
        return troupe_ask(self, root, troupe_terminate_child, 20 * TROUPE_SECOND, .name = "hired");
    if (strcmp(msg->what, "restart") == 0)
        return troupe_ask(self, root, troupe_restart_child, 20 * TROUPE_SECOND, .name = "hired");
    return troupe_ask(self, root, troupe_delete_child, 20 * TROUPE_SECOND, .name = "hired");
}
static enum troupe_status tell(troupe_self *self, const char *what, const struct troupe_child *reply) {
    if (reply == NULL) return TROUPE_FAIL(self, "no answer");
    board_note("%s %s", what, troupe_status_name((enum troupe_status)reply->status));
    if (!troupe_address_is_none(reply->address)) return troupe_send(self, reply->address, act, .what = "add", .n = 1);
    return TROUPE_OK;
}
TROUPE_ANSWER(boss, troupe_start_child, troupe_child) { return tell(self, "start", reply); }
TROUPE_ANSWER(boss, troupe_terminate_child, troupe_child) { return tell(self, "terminate", reply); }
TROUPE_ANSWER(boss, troupe_restart_child, troupe_child) { return tell(self, "restart", reply); }
TROUPE_ANSWER(boss, troupe_delete_child, troupe_child) { return tell(self, "delete", reply); }
TROUPE_ACTOR(boss, TROUPE_HANDLES(boss, act), TROUPE_ANSWERS(boss, troupe_start_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_terminate_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_restart_child, troupe_child),
             TROUPE_ANSWERS(boss, troupe_delete_child, troupe_child))

static const struct troupe_actor_type *const actors[] = { &clerk_actor, &boss_actor, NULL };

static const char *places[] = { "thread", "inproc", "{ thread: own }" };
enum { PLACES = sizeof places / sizeof *places };

static troupe_system *start(const char *place) {
    char config[512];
    snprintf(config, sizeof config,
             "tree: { restarts: 100, children: [ { name: clerk, actor: clerk, place: %s },"
             "{ name: s, strategy: one_for_one, restarts: 1, children: [ { name: c, actor: clerk, place: %s } ] },"
             "{ name: boss, actor: boss } ] }", place, place);
    return system_start(config, actors);
}

static void let(troupe_system *system, const char *who, const char *what, uint32_t n) {
    troupe_address to = troupe_system_lookup(system, who);
    assert_int_equal(troupe_system_send(system, to, act, .what = what, .n = n), TROUPE_OK);
}

static void the_next_run_begins_with_it(void **state) {
    (void)state;
    for (int i = 0; i < PLACES; i++) {
        troupe_system *system = start(places[i]);
        board_await("+/clerk 0@0");
        let(system, "/clerk", "add", 3);
        let(system, "/clerk", "add", 4);
        let(system, "/clerk", "fail", 0);
        board_await("+/clerk 7@1");
        board_await("parts kept");
        let(system, "/clerk", "exit", 0); /* saved once, it counts for all that come */
        board_await("+/clerk 7@2");
        let(system, "/clerk", "add and fail", 5); /* the last one counts, though its handler failed */
        board_await("+/clerk 12@3");
        let(system, "/clerk", "look", 0);
        board_await("look nothing"); /* it is for start handlers */
        let(system, "/clerk", "at the end", 0);
        let(system, "/clerk", "fail", 0);
        board_await("+/clerk 99@4");
        board_await("last ok");
        let(system, "/clerk", "nothing", 0);
        let(system, "/clerk", "fail", 0);
        board_await("+/clerk 0@5");
        assert_int_equal(board_times("another ledger") + board_times("not an other"), 0);
        system_end(system, 0, NULL);
    }
}

static void what_cannot_be_saved_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < PLACES; i++) {
        troupe_system *system = start(places[i]);
        troupe_address alone;
        let(system, "/clerk", "add", 1);
        let(system, "/clerk", "bulk", TROUPE_SAVE_MAX);
        board_await("bulk too_big");
        let(system, "/clerk", "bytes", 0);
        board_await("bytes invalid");
        let(system, "/clerk", "fail", 0);
        board_await("+/clerk 1@1"); /* what was saved before counts */
        let(system, "/clerk", "bulk", TROUPE_SAVE_MAX - 16);
        board_await("bulk ok");
        let(system, "/clerk", "fail", 0);
        char line[64];
        snprintf(line, sizeof line, "bulk %u", TROUPE_SAVE_MAX - 16);
        board_await(line);
        assert_int_equal(troupe_system_spawn_empty(system, &alone, clerk), TROUPE_OK);
        assert_int_equal(troupe_system_send(system, alone, act, .what = "add", .n = 1), TROUPE_OK);
        board_await("add invalid"); /* nobody would give it back */
        system_end(system, 0, NULL);
    }
}

/* Its supervisor gives up and is restarted: what it had kept is gone. */
static void it_ends_with_the_supervisor(void **state) {
    (void)state;
    for (int i = 0; i < PLACES; i++) {
        troupe_system *system = start(places[i]);
        let(system, "/s/c", "add", 2);
        let(system, "/s/c", "fail", 0);
        board_await("+/s/c 2@1");
        let(system, "/s/c", "fail", 0);
        board_await_times("+/s/c 0@0", 2);
        system_end(system, 0, NULL);
    }
}

static void it_stays_as_long_as_the_child_is_known(void **state) {
    troupe_system *system = start("thread");
    (void)state;
    let(system, "/boss", "start", 0);
    board_await("add ok");
    let(system, "/boss", "terminate", 0);
    board_await("terminate ok");
    let(system, "/boss", "restart", 0);
    board_await("+/hired 1@1");
    board_await_times("add ok", 2);
    let(system, "/boss", "terminate", 0);
    board_await_times("terminate ok", 2);
    let(system, "/boss", "delete", 0);
    board_await("delete ok");
    let(system, "/boss", "start", 0);
    board_await_times("+/hired 0@0", 2);
    system_end(system, 0, NULL);
}

/* The threads of the transport stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text =
        "tree: { children: [ { name: a, actor: clerk, place: inproc }, { name: b, actor: clerk } ] }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    start_transport();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_run_begins_with_it),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(it_ends_with_the_supervisor),
        cmocka_unit_test(it_stays_as_long_as_the_child_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
