/*
 * Actors started from code: options, names, look-ups, and very many of them.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <string.h>

#define BIRTH(field) field(u32, n) field(bool, exit)
TROUPE_MESSAGE(birth, BIRTH)
#define WORK(field) field(bool, gate) field(bool, fail)
TROUPE_MESSAGE(work, WORK)
#define TRIAL(field) field(str, what) field(str, name) field(u32, n)
TROUPE_MESSAGE(trial, TRIAL)
TROUPE_MESSAGE_EMPTY(leave)

struct child { uint32_t n; };
TROUPE_START(child, birth) {
    me->n = args->n;
    board_add(0, 1);
    return args->exit ? troupe_exit(self) : TROUPE_OK;
}
TROUPE_STOP(child) { board_add(1, 1); }
TROUPE_ON(child, work) {
    if (msg->gate) gate_pass();
    if (msg->fail) return TROUPE_FAIL(self, "told to fail");
    board_note("%s works %u", troupe_self_path(self), me->n);
    return TROUPE_OK;
}
TROUPE_ON(child, leave) { return troupe_exit(self); }
TROUPE_ACTOR(child, TROUPE_STARTS(child, birth), TROUPE_STOPS(child), TROUPE_HANDLES(child, work, leave))

struct stranger { char unused; };
TROUPE_ON(stranger, leave) { return TROUPE_OK; }
TROUPE_ACTOR(stranger, TROUPE_HANDLES(stranger, leave))

static const char *name_of(enum troupe_status status) { return troupe_status_name(status); }

struct parent { char unused; };
TROUPE_ON(parent, trial) {
    troupe_address child = { 0 };
    struct troupe_spawn_options options = { .name = msg->name };
    if (strcmp(msg->what, "spawn") == 0)
        board_note("spawn %s", name_of(troupe_spawn_with(self, &child, &options, child, birth, .n = msg->n)));
    if (strcmp(msg->what, "spawn and find") == 0) {
        enum troupe_status status = troupe_spawn_with(self, &child, &options, child, birth, .exit = true);
        bool found = troupe_address_equal(troupe_lookup(self, msg->name), child);
        board_note("%s %s", name_of(status), found ? "found" : "gone already");
    }
    if (strcmp(msg->what, "register") == 0) board_note("register %s", name_of(troupe_register(self, msg->name)));
    if (strcmp(msg->what, "unregister") == 0)
        board_note("unregister %s", name_of(troupe_unregister(self, msg->name)));
    if (strcmp(msg->what, "count") == 0) board_note("count %u", troupe_count(self, msg->name));
    if (strcmp(msg->what, "lookup") == 0)
        board_note("lookup %s", troupe_address_is_none(troupe_lookup(self, msg->name)) ? "none" : "found");
    if (strcmp(msg->what, "stranger") == 0)
        board_note("stranger %s", name_of(troupe_spawn_empty(self, &child, stranger)));
    if (strcmp(msg->what, "wrong start") == 0)
        board_note("wrong start %s", name_of(troupe_spawn_empty(self, &child, child)));
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    return TROUPE_OK;
}
TROUPE_ACTOR(parent, TROUPE_HANDLES(parent, trial))

static const struct troupe_actor_type *const actors[] = { &child_actor, &parent_actor, NULL };
static const char tree[] = "{ threads: 4, tree: { restarts: 10, children: [ { name: parent, actor: parent },"
                           "{ name: counter, actor: child, count: 4 },"
                           "{ name: s, children: [ { name: inner, actor: child } ] } ] } }";

static void let_try(troupe_system *system, const char *what, const char *name, const char *expected) {
    uint32_t before = board_times(expected);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "/parent"), trial, .what = what,
                                        .name = name), TROUPE_OK);
    board_await_times(expected, before + 1);
}

static void ask_to_leave(troupe_system *system, troupe_address who) {
    assert_int_equal(troupe_system_send_empty(system, who, leave), TROUPE_OK);
    while (troupe_system_send_empty(system, who, leave) != TROUPE_GONE) {
    }
}

static void a_name_is_taken_until_its_actor_ends(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    let_try(system, "spawn", "x", "spawn ok");
    let_try(system, "spawn", "x", "spawn exists");
    let_try(system, "register", "x", "register exists");
    let_try(system, "spawn", "", "spawn invalid");
    let_try(system, "spawn", "a name of more than sixty-four bytes is too long for Troupe's taste, so it",
            "spawn invalid");
    troupe_address x = troupe_system_lookup(system, "x");
    assert_int_equal(troupe_system_send(system, x, work, .gate = false), TROUPE_OK);
    board_await("/x works 0");
    ask_to_leave(system, x);
    assert_true(troupe_address_is_none(troupe_system_lookup(system, "x")));
    let_try(system, "spawn", "x", "spawn ok");
    system_end(system, 0, NULL);
}

static void a_supervised_actor_keeps_its_name_over_restarts(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    let_try(system, "register", "boss", "register ok");
    let_try(system, "register", "boss", "register ok");
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "boss"), trial, .what = "fail"),
                     TROUPE_OK);
    let_try(system, "register", "boss", "register ok");
    let_try(system, "unregister", "other", "unregister not_found");
    let_try(system, "unregister", "boss", "unregister ok");
    let_try(system, "lookup", "boss", "lookup none");
    system_end(system, 0, NULL);
}

/* However fast it ends: its name is free afterwards. */
static void a_name_is_not_left_behind(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        troupe_address child;
        struct troupe_spawn_options options = { .name = "short" };
        enum troupe_status status = TROUPE_EXISTS;
        while (status == TROUPE_EXISTS)
            status = troupe_system_spawn_actor(system, &child, &child_actor, &options, &birth_message,
                                               &(struct birth){ .exit = true });
        assert_int_equal(status, TROUPE_OK);
    }
    board_await_tally(1, 2000);
    while (!troupe_address_is_none(troupe_system_lookup(system, "short"))) {
    }
    let_try(system, "spawn and find", "short", "ok found"); /* the spawner is at work: it cannot have begun */
    system_end(system, 0, NULL);
}

static void actors_of_the_tree_are_found_by_their_path(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    troupe_address third = troupe_system_lookup(system, "/counter/3");
    assert_false(troupe_address_is_none(third));
    assert_true(troupe_address_equal(third, troupe_system_lookup(system, "counter/3")));
    assert_false(troupe_address_is_none(troupe_system_lookup(system, "/s/inner")));
    assert_false(troupe_address_is_none(troupe_system_lookup(system, "/"))); /* supervisors, too */
    assert_false(troupe_address_is_none(troupe_system_lookup(system, "/s")));
    static const char *const none[] = { "counter/4", "counter", "inner", "/counter/03", "", "//parent", "parent/" };
    for (uint32_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_true(troupe_address_is_none(troupe_system_lookup(system, none[i])));
    let_try(system, "count", "/counter", "count 4");
    let_try(system, "count", "counter", "count 4");
    let_try(system, "count", "nobody", "count 0");
    let_try(system, "count", "/parent", "count 1");
    let_try(system, "lookup", "counter/0", "lookup found");
    system_end(system, 0, NULL);
}

static void spawns_that_cannot_work_are_refused(void **state) {
    troupe_system *system = system_start(tree, actors);
    troupe_address child;
    (void)state;
    let_try(system, "stranger", "", "stranger invalid");
    let_try(system, "wrong start", "", "wrong start invalid");
    assert_int_equal(troupe_system_spawn_empty(system, &child, stranger), TROUPE_INVALID);
    system_end(system, 0, NULL);
}

static void the_options_hold(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_spawn_options narrow = { .mailbox_limit = 2 }, lossy = { .mailbox_limit = 2, .drop_newest = true };
    struct troupe_counts counts;
    troupe_address a, b;
    (void)state;
    struct birth birth = { 0 };
    assert_int_equal(troupe_system_spawn_actor(system, &a, &child_actor, &narrow, &birth_message, &birth), TROUPE_OK);
    assert_int_equal(troupe_system_spawn_actor(system, &b, &child_actor, &lossy, &birth_message, &birth), TROUPE_OK);
    gate_close();
    assert_int_equal(troupe_system_send(system, a, work, .gate = true), TROUPE_OK);
    assert_int_equal(troupe_system_send(system, b, work, .gate = true), TROUPE_OK);
    gate_await(2);
    assert_int_equal(troupe_system_send(system, a, work, .gate = false), TROUPE_OK);
    assert_int_equal(troupe_system_send(system, a, work, .gate = false), TROUPE_FULL);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(troupe_system_send(system, b, work, .gate = false), TROUPE_OK);
    gate_open();
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_FULL], 2);
}

static void what_waits_for_an_actor_that_fails_is_gone(void **state) {
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    troupe_address child;
    (void)state;
    assert_int_equal(troupe_system_spawn(system, &child, child, birth, .n = 1), TROUPE_OK);
    gate_close();
    assert_int_equal(troupe_system_send(system, child, work, .gate = true, .fail = true), TROUPE_OK);
    gate_await(1);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(troupe_system_send(system, child, work, .fail = false), TROUPE_OK);
    gate_open();
    while (troupe_system_send_empty(system, child, leave) != TROUPE_GONE) {
    }
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 1);
    assert_true(counts.dead_by_reason[TROUPE_GONE] >= 5);
}

enum { MANY = 100000 };

static void very_many_come_and_go(void **state) {
    troupe_system *system = system_start(tree, actors);
    static troupe_address children[MANY];
    (void)state;
    board_await_tally(0, 5);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(troupe_system_spawn(system, &children[i], child, birth, .n = i), TROUPE_OK);
    board_await_tally(0, 5 + MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(troupe_system_send_empty(system, children[i], leave), TROUPE_OK);
    board_await_tally(1, MANY);
    /* The slots are used again, by others: the old addresses stay stale. */
    uint32_t reused = 0;
    for (uint32_t i = 0; i < MANY / 10; i++) {
        troupe_address child;
        assert_int_equal(troupe_system_spawn(system, &child, child, birth, .n = i), TROUPE_OK);
        reused += child.generation > children[0].generation;
    }
    assert_true(reused > 0);
    for (uint32_t i = 0; i < MANY; i += 100)
        while (troupe_system_send_empty(system, children[i], leave) != TROUPE_GONE) {
        }
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), board_tally(1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_taken_until_its_actor_ends),
        cmocka_unit_test(a_supervised_actor_keeps_its_name_over_restarts),
        cmocka_unit_test(a_name_is_not_left_behind),
        cmocka_unit_test(actors_of_the_tree_are_found_by_their_path),
        cmocka_unit_test(spawns_that_cannot_work_are_refused),
        cmocka_unit_test(the_options_hold),
        cmocka_unit_test(what_waits_for_an_actor_that_fails_is_gone),
        cmocka_unit_test(very_many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
