/*
 * Monitors and links in great numbers and in odd places: chains and rings of a thousand, a busy actor, one that waits in
 * troupe_receive, full mailboxes, spawns whose actors end at once, mistakes. Each time nothing may be left.
 * tests/integration/links.py has what each of them means, in every place.
 */
#include "lib/system_test.h"

#include <string.h>

enum { MANY = 1000 };
static const troupe_address nobody;

#define JOINING(field) field(address, next) field(u32, n)
TROUPE_MESSAGE(joining, JOINING)
#define ORDER(field) field(str, what) field(address, whom)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(noise)

/* ---- A member is linked with the next ---- */

struct member { uint32_t n; };
TROUPE_START(member, joining) {
    me->n = args->n;
    return troupe_address_is_none(args->next) ? TROUPE_OK : troupe_link(self, args->next);
}
TROUPE_STOP(member) {
    (void)self;
    (void)reason;
    board_add(0, me->n > 0);
}
TROUPE_ON(member, order) {
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "the last straw");
    if (strcmp(msg->what, "link") == 0) return troupe_link(self, msg->whom);
    return troupe_exit(self);
}
TROUPE_ACTOR(member, TROUPE_STARTS(member, joining), TROUPE_STOPS(member), TROUPE_HANDLES(member, order))

/* ---- Mayflies end as they begin ---- */

struct mayfly { char unused; };
TROUPE_START(mayfly, joining) {
    (void)me;
    if (args->n % 3 == 0) return TROUPE_FAIL(self, "too early");
    return args->n % 3 == 1 ? troupe_exit(self) : TROUPE_OK;
}
TROUPE_ON(mayfly, order) { return troupe_exit(self); }
TROUPE_ACTOR(mayfly, TROUPE_STARTS(mayfly, joining), TROUPE_HANDLES(mayfly, order))

/* ---- The watcher ---- */

struct watcher {
    uint32_t downs, exits;
    troupe_monitor_id monitors[MANY];
    troupe_address named;
};


/* The last of them is linked with nobody; the first is monitored. */
static enum troupe_status chain(troupe_self *self, struct watcher *me, bool ring) {
    troupe_address at = { 0 }, last = { 0 };
    for (uint32_t i = 1; i <= MANY; i++) {
        struct troupe_spawn_options options = { .monitor = i == MANY ? &me->monitors[0] : NULL };
        enum troupe_status status = troupe_spawn_with(self, &at, &options, member, joining, .next = at, .n = i);
        if (status != TROUPE_OK) return status;
        if (i == 1) last = at;
    }
    if (ring && troupe_send(self, last, order, .what = "link", .whom = at) != TROUPE_OK) return TROUPE_FAILED;
    return troupe_send(self, last, order, .what = "fail");
}

/* One third of them has ended before the spawner is told its address, or may have. */
static enum troupe_status mayflies(troupe_self *self, struct watcher *me) {
    for (uint32_t i = 0; i < MANY; i++) {
        troupe_address fly;
        struct troupe_spawn_options options = { .link = true, .monitor = &me->monitors[i], .own_thread = i % 50 == 0 };
        enum troupe_status status = troupe_spawn_with(self, &fly, &options, mayfly, joining, .n = i);
        if (status != TROUPE_OK) return status;
        if (i % 3 == 2 && troupe_send(self, fly, order, .what = "quit") != TROUPE_OK) return TROUPE_FAILED;
    }
    return TROUPE_OK;
}

/* Each is monitored and linked, and let go again, but for every tenth. */
static enum troupe_status change_your_mind(troupe_self *self) {
    troupe_address other;
    for (uint32_t i = 0; i < MANY; i++) {
        troupe_monitor_id monitor;
        if (troupe_spawn(self, &other, member, joining, .n = 1) != TROUPE_OK) return TROUPE_FAILED;
        if (troupe_monitor(self, other, &monitor) != TROUPE_OK || troupe_link(self, other) != TROUPE_OK ||
            troupe_send(self, other, order, .what = i % 2 == 0 ? "fail" : "exit") != TROUPE_OK)
            return TROUPE_FAIL(self, "not done");
        if (i % 10 == 0) continue;
        if (troupe_demonitor(self, monitor) != TROUPE_OK || troupe_unlink(self, other) != TROUPE_OK)
            return TROUPE_FAIL(self, "not taken back");
    }
    return TROUPE_OK;
}

/* Each is told of when its name is free, for the next one. */
static enum troupe_status namesake(troupe_self *self, struct watcher *me) {
    const struct troupe_spawn_options options = { .name = "namesake", .monitor = &me->monitors[0] };
    enum troupe_status status = troupe_spawn_with(self, &me->named, &options, mayfly, joining, .n = me->downs % 2 == 0 ? 1 : 3);
    return status == TROUPE_OK ? TROUPE_OK : TROUPE_FAIL(self, "not spawned: %s", troupe_status_name(status));
}

static enum troupe_status next_namesake(troupe_self *self, struct watcher *me) {
    if (!troupe_address_is_none(troupe_lookup(self, "namesake"))) return TROUPE_FAIL(self, "its name is not free");
    if (troupe_send(self, me->named, order, .what = "") != TROUPE_GONE) return TROUPE_FAIL(self, "its address is not stale");
    if (me->downs < MANY) return namesake(self, me);
    me->named = nobody;
    return TROUPE_OK;
}

static enum troupe_status mistakes(troupe_self *self, struct watcher *me) {
    const troupe_address none = { 0 }, elsewhere = { 77, 4, 1 };
    troupe_monitor_id monitor;
    board_note("%s", troupe_status_name(troupe_demonitor(self, (troupe_monitor_id){ 12345 })));
    board_note("%s", troupe_status_name(troupe_unlink(self, elsewhere)));
    board_note("%s", troupe_status_name(troupe_monitor(self, none, &monitor)));
    board_note("%s", troupe_status_name(troupe_monitor(self, elsewhere, &monitor)));
    board_note("%s", troupe_status_name(troupe_link(self, elsewhere)));
    me->monitors[0] = monitor;
    return TROUPE_OK;
}

TROUPE_START(watcher, troupe_none) {
    (void)me;
    return troupe_trap(self, true);
}
TROUPE_ON(watcher, order) {
    me->downs = me->exits = 0;
    if (strcmp(msg->what, "chain") == 0) return chain(self, me, false);
    if (strcmp(msg->what, "ring") == 0) return chain(self, me, true);
    if (strcmp(msg->what, "mayflies") == 0) return mayflies(self, me);
    if (strcmp(msg->what, "mind") == 0) return change_your_mind(self);
    if (strcmp(msg->what, "mistakes") == 0) return mistakes(self, me);
    if (strcmp(msg->what, "namesakes") == 0) return namesake(self, me);
    if (strcmp(msg->what, "gate") == 0) gate_pass();
    if (strcmp(msg->what, "monitor") == 0) return troupe_monitor(self, msg->whom, &me->monitors[0]);
    if (strcmp(msg->what, "link") == 0) return troupe_link(self, msg->whom);
    return TROUPE_OK;
}
TROUPE_ON(watcher, noise) { return TROUPE_OK; }
TROUPE_ON(watcher, troupe_down) {
    board_note("down %s: %s", troupe_death_name((enum troupe_death_kind)msg->death.kind), msg->death.text);
    board_add(1, 1);
    if (++me->downs > MANY || msg->monitor == 0) return TROUPE_FAIL(self, "one too many");
    return troupe_address_is_none(me->named) ? TROUPE_OK : next_namesake(self, me);
}
TROUPE_ON(watcher, troupe_exited) {
    board_note("exited %s", troupe_death_name((enum troupe_death_kind)msg->death.kind));
    board_add(2, 1);
    if (++me->exits > MANY) return TROUPE_FAIL(self, "one too many");
    return TROUPE_OK;
}
TROUPE_ACTOR(watcher, TROUPE_STARTS(watcher, troupe_none), TROUPE_HANDLES(watcher, order, noise, troupe_down, troupe_exited))

/* ---- One that waits within its handler ---- */

struct waiter { char unused; };
TROUPE_ON(waiter, order) {
    (void)me;
    if (strcmp(msg->what, "monitor") == 0) {
        troupe_monitor_id monitor;
        if (troupe_monitor(self, msg->whom, &monitor) != TROUPE_OK) return TROUPE_FAIL(self, "not monitored");
    } else if (troupe_link(self, msg->whom) != TROUPE_OK) {
        return TROUPE_FAIL(self, "not linked");
    }
    board_note("waits");
    enum troupe_status status = troupe_receive(self, INT64_MAX);
    board_note("received %s", troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_STOP(waiter) {
    (void)me;
    board_note("waiter ends %s", troupe_status_name(reason));
    (void)self;
}
TROUPE_ON(waiter, troupe_down) {
    board_note("waiter down %s", msg->death.text);
    return TROUPE_OK;
}
TROUPE_ACTOR(waiter, TROUPE_STOPS(waiter), TROUPE_HANDLES(waiter, order, troupe_down))

struct phoenix { char unused; };
TROUPE_START(phoenix, troupe_none) {
    (void)me;
    board_note("phoenix %u", troupe_self_run(self));
    return TROUPE_OK;
}
TROUPE_ON(phoenix, order) { return TROUPE_FAIL(self, "told to"); }
TROUPE_ACTOR(phoenix, TROUPE_STARTS(phoenix, troupe_none), TROUPE_HANDLES(phoenix, order))

/* Handles neither. */
struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    troupe_monitor_id monitor;
    (void)me;
    board_note("%s", troupe_status_name(troupe_monitor(self, msg->whom, &monitor)));
    board_note("%s", troupe_status_name(troupe_trap(self, true)));
    board_note("%s", troupe_status_name(troupe_trap(self, false)));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

/* ---- Tests ---- */

static const struct troupe_actor_type *const actors[] = { &watcher_actor, &member_actor, &mayfly_actor, &waiter_actor, &phoenix_actor,
                                                          &deaf_actor, NULL };

static troupe_system *start(void) {
    return system_start("{ threads: 4, tree: { restarts: 0, children: [ { name: watcher, actor: watcher },"
                        "{ name: deaf, actor: deaf, restart: temporary },"
                        "{ name: waiter, actor: waiter, place: { thread: own }, restart: temporary } ] } }",
                        actors);
}

static void tell(troupe_system *system, const char *whom, const char *what, troupe_address address) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what, .whom = address),
                     TROUPE_OK);
}

/* The reason is that of the first, whoever tells it; each ends once, and all before the last is told. */
static void a_thousand_in_a_chain(void **state) {
    (void)state;
    troupe_system *system = start();
    for (int round = 1; round <= 5; round++) {
        tell(system, "/watcher", round % 2 == 0 ? "ring" : "chain", nobody);
        board_await_tally(0, (int64_t)MANY * round);
        board_await_tally(1, round);
    }
    assert_int_equal(board_tally(0), 5 * MANY);
    assert_string_equal(board_lines("exited"), "");
    system_end(system, 0, NULL);
}

/* Whatever happens first, each is told of by both, with its own reason: never as one that is gone. */
static void no_mayfly_ends_unseen(void **state) {
    (void)state;
    troupe_system *system = start();
    tell(system, "/watcher", "mayflies", nobody);
    board_await_tally(1, MANY);
    board_await_tally(2, MANY);
    assert_int_equal(board_times("exited failed"), (MANY + 2) / 3);
    assert_int_equal(board_times("exited done"), MANY - (MANY + 2) / 3);
    assert_int_equal(board_times("exited gone"), 0);
    system_end(system, 0, NULL);
}

static void what_is_taken_back_is_not_told(void **state) {
    (void)state;
    troupe_system *system = start();
    tell(system, "/watcher", "mind", nobody);
    board_await_tally(0, MANY);
    board_await_tally(1, MANY / 10);
    board_await_tally(2, MANY / 10);
    tell(system, "/watcher", "mistakes", nobody); /* the ends of nobody come after all the others */
    board_await_tally(2, MANY / 10 + 1);
    assert_int_equal(board_tally(1), MANY / 10 + 2);
    assert_int_equal(board_tally(2), MANY / 10 + 1);
    system_end(system, 0, NULL);
}

static void its_name_is_free_when_an_end_is_told(void **state) {
    (void)state;
    troupe_system *system = start();
    tell(system, "/watcher", "namesakes", nobody);
    board_await_tally(1, MANY);
    system_end(system, 0, NULL);
}

static void mistakes_are_told(void **state) {
    (void)state;
    troupe_system *system = start();
    tell(system, "/watcher", "mistakes", nobody);
    board_await("exited unreachable");
    board_expect("gone gone ok ok ok down gone:  down unreachable:  exited unreachable");
    system_end(system, 0, NULL);
}

static void who_cannot_be_told_is_refused(void **state) {
    (void)state;
    troupe_system *system = start();
    tell(system, "/deaf", "", troupe_system_lookup(system, "/watcher"));
    board_await("ok");
    board_expect("invalid invalid ok");
    system_end(system, 0, NULL);
}

static troupe_address spawn_member(troupe_system *system, uint32_t n) {
    troupe_address member;
    assert_int_equal(troupe_system_spawn(system, &member, member, joining, .n = n), TROUPE_OK);
    return member;
}

/* Links and monitors need no room. */
static void a_full_mailbox_holds_nothing_up(void **state) {
    (void)state;
    troupe_system *system = start();
    troupe_address watcher = troupe_system_lookup(system, "/watcher"), member = spawn_member(system, 1);
    tell(system, "/watcher", "monitor", member);
    gate_close();
    tell(system, "/watcher", "gate", nobody);
    gate_await(1);
    while (troupe_system_send_empty(system, watcher, noise) == TROUPE_OK) {
    }
    assert_int_equal(troupe_system_send(system, member, order, .what = "fail"), TROUPE_OK);
    board_await_tally(0, 1);
    gate_open();
    board_await_tally(1, 1);
    system_end(system, 0, NULL);
}

/* A link ends one that waits in its handler; a monitor tells it there. */
static void ends_reach_who_waits(void **state) {
    (void)state;
    troupe_system *system = start();
    troupe_address member = spawn_member(system, 1);
    tell(system, "/waiter", "monitor", member);
    board_await("waits");
    assert_int_equal(troupe_system_send(system, member, order, .what = "fail"), TROUPE_OK);
    board_await("received ok");
    assert_int_equal(board_times("waiter down the last straw (test_bonds.c:32)"), 1);
    board_clear();
    member = spawn_member(system, 1);
    tell(system, "/waiter", "link", member);
    board_await("waits");
    assert_int_equal(troupe_system_send(system, member, order, .what = "fail"), TROUPE_OK);
    board_await("waiter ends failed");
    board_expect("waits received stopping waiter ends failed");
    system_end(system, 0, NULL);
}

/* They hear of its end before the phoenix has to be started again, by both of them. */
static void the_agent_and_the_root_do_not_end_with_others(void **state) {
    const troupe_address agent = { 1, 1, 1 }, root = { 1, 4, 1 };
    (void)state;
    troupe_system *system = system_start("{ threads: 4, tree: { restarts: 1, children: [ { name: watcher, actor: watcher },"
                                         "{ name: phoenix, actor: phoenix } ] } }", actors);
    troupe_address member;
    assert_int_equal(troupe_system_spawn(system, &member, member, joining, .next = agent, .n = 1), TROUPE_OK);
    assert_int_equal(troupe_system_send(system, member, order, .what = "link", .whom = root), TROUPE_OK);
    tell(system, "/watcher", "monitor", member);
    tell(system, "/watcher", "monitor", agent);
    assert_int_equal(troupe_system_send(system, member, order, .what = "fail"), TROUPE_OK);
    board_await_tally(1, 1);
    tell(system, "/phoenix", "fail", nobody);
    board_await("phoenix 1");
    assert_int_equal(board_tally(1), 1);
    system_end(system, 0, NULL);
}

/* Monitors, links and what waits of them, of actors that end with the system. */
static void the_system_ends_with_bonds(void **state) {
    (void)state;
    troupe_system *system = start();
    for (uint32_t i = 0; i < 50; i++) {
        troupe_address member = spawn_member(system, 0);
        tell(system, "/watcher", i % 2 == 0 ? "monitor" : "link", member);
    }
    troupe_monitor_id monitor;
    const struct troupe_spawn_options options = { .monitor = &monitor };
    troupe_address unused;
    assert_int_equal(troupe_system_spawn_actor(system, &unused, &member_actor, &options, &joining_message,
                                               &(const struct joining){ .n = 0 }), TROUPE_INVALID);
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_in_a_chain),        cmocka_unit_test(no_mayfly_ends_unseen),
        cmocka_unit_test(what_is_taken_back_is_not_told), cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(who_cannot_be_told_is_refused), cmocka_unit_test(a_full_mailbox_holds_nothing_up),
        cmocka_unit_test(its_name_is_free_when_an_end_is_told),
        cmocka_unit_test(the_agent_and_the_root_do_not_end_with_others),
        cmocka_unit_test(ends_reach_who_waits),         cmocka_unit_test(the_system_ends_with_bonds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
