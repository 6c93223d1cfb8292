/*
 * Groups: who is in one, and who is told. Each test runs with everybody on one node, and with the persons spread over
 * nodes in every way.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place/host.h"

#define ORDER(field) field(str, what) field(str, name) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(leave_all)

/* ---- Persons: a, b, c ---- */

static const char *const names[] = { "a", "b", "c" };

static const char *name_of(troupe_self *self, troupe_address who) {
    for (size_t i = 0; i < 3; i++)
        if (troupe_address_equal(troupe_lookup(self, names[i]), who)) return names[i];
    return "somebody";
}

/* One of the crowd is a member as long as it lives. */
struct one { char unused; };
TROUPE_START(one, order) { return troupe_join(self, args->name); }
TROUPE_ON(one, leave_all) { return troupe_exit(self); }
TROUPE_ACTOR(one, TROUPE_STARTS(one, order), TROUPE_HANDLES(one, leave_all))

enum { MANY = 3000 };

struct person {
    troupe_address crowd[MANY];
    uint32_t crowd_count, known;
};

static void members(troupe_self *self, const char *group) {
    troupe_address found[8];
    char text[64] = "";
    size_t count = troupe_members(self, group, found, 8);
    for (size_t i = 0; i < count && i < 8; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %s", name_of(self, found[i]));
    board_note("%s sees %s:%s", troupe_self_path(self), group, text);
}

static void churn(troupe_self *self, const char *group, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) {
        if (troupe_join(self, group) != TROUPE_OK || troupe_leave(self, group) != TROUPE_OK) board_note("churn fails");
    }
    if (troupe_join(self, group) != TROUPE_OK) board_note("churn fails");
}

static enum troupe_status gather(troupe_self *self, struct person *me, const struct order *msg) {
    enum troupe_status status = TROUPE_OK;
    for (me->crowd_count = 0; me->crowd_count < msg->n && status == TROUPE_OK; me->crowd_count++)
        status = troupe_spawn(self, &me->crowd[me->crowd_count], one, order, .name = msg->name);
    return status;
}

static void say(troupe_self *self, const struct order *msg, enum troupe_status status) {
    board_note("%s %s %s:%s", troupe_self_path(self), msg->what, msg->name, troupe_status_name(status));
}

TROUPE_ON(person, order) {
    if (strcmp(msg->what, "join") == 0) say(self, msg, troupe_join(self, msg->name));
    else if (strcmp(msg->what, "leave") == 0) say(self, msg, troupe_leave(self, msg->name));
    else if (strcmp(msg->what, "watch") == 0) say(self, msg, troupe_group_watch(self, msg->name));
    else if (strcmp(msg->what, "unwatch") == 0) say(self, msg, troupe_group_unwatch(self, msg->name));
    else if (strcmp(msg->what, "members") == 0) members(self, msg->name);
    else if (strcmp(msg->what, "churn") == 0) churn(self, msg->name, msg->n);
    else if (strcmp(msg->what, "gather") == 0) return gather(self, me, msg);
    else if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to");
    else if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    else if (strcmp(msg->what, "known") == 0) board_note("%s knows %u", troupe_self_path(self), me->known);
    else if (strcmp(msg->what, "twice") == 0) {
        say(self, msg, troupe_join(self, msg->name));
        members(self, msg->name);
        say(self, msg, troupe_leave(self, msg->name));
        members(self, msg->name);
    } else if (strcmp(msg->what, "unwatch both") == 0) { /* the second change is told already */
        troupe_address other;
        (void)troupe_spawn(self, &other, one, order, .name = msg->name);
        if (troupe_join(self, msg->name) != TROUPE_OK) board_note("no join");
        say(self, msg, troupe_group_unwatch(self, msg->name));
    }
    return TROUPE_OK;
}
TROUPE_ON(person, leave_all) {
    for (uint32_t i = 0; i < me->crowd_count; i++) (void)troupe_send_empty(self, me->crowd[i], leave_all);
    return TROUPE_OK;
}
TROUPE_ON(person, troupe_joined) {
    bool crowd = strcmp(msg->group, "crowd") == 0;
    me->known += msg->members.count;
    if (crowd) board_add(troupe_self_path(self)[1] == 'a' ? 0 : troupe_self_path(self)[1] == 'b' ? 1 : 2,
                         msg->members.count);
    if (msg->members.count == 0) board_note("%s: +%s nobody", troupe_self_path(self), msg->group);
    for (uint32_t i = 0; i < msg->members.count && !crowd; i++)
        board_note("%s: +%s %s", troupe_self_path(self), msg->group, name_of(self, msg->members.items[i]));
    return TROUPE_OK;
}
TROUPE_ON(person, troupe_left) {
    bool crowd = strcmp(msg->group, "crowd") == 0;
    me->known -= msg->members.count;
    if (crowd) board_add(troupe_self_path(self)[1] == 'a' ? 3 : troupe_self_path(self)[1] == 'b' ? 4 : 5,
                         msg->members.count);
    for (uint32_t i = 0; i < msg->members.count && !crowd; i++)
        board_note("%s: -%s %s", troupe_self_path(self), msg->group, name_of(self, msg->members.items[i]));
    return TROUPE_OK;
}
TROUPE_ACTOR(person, TROUPE_HANDLES(person, order, leave_all, troupe_joined, troupe_left))

/* Handles less. */
struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    say(self, msg, troupe_group_watch(self, msg->name));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

static const struct troupe_actor_type *const actors[] = { &person_actor, &one_actor, &deaf_actor, NULL };

/* ---- Systems ---- */

static const char *const places[][3] = {
    { "thread", "thread", "thread" }, { "thread", "inproc", "thread" }, { "inproc", "thread", "thread" },
    { "thread", "thread", "inproc" }, { "inproc", "inproc", "inproc" }, { "{ thread: a }", "{ thread: b }", "thread" },
};
enum { PLACES = sizeof places / sizeof places[0] };

static troupe_system *start(size_t at) {
    static char config[1024];
    snprintf(config, sizeof config,
             "{ threads: 2, tree: { restarts: 1000, within: 1s, children: ["
             "{ name: a, actor: person, restart: transient, place: %s },"
             "{ name: b, actor: person, restart: transient, place: %s },"
             "{ name: c, actor: person, restart: transient, place: %s } ] } }",
             places[at][0], places[at][1], places[at][2]);
    return system_start(config, actors);
}

static void tell_times(troupe_system *system, const char *whom, const char *what, const char *name, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .what = what, .name = name,
                                        .n = n),
                     TROUPE_OK);
}
static void tell(troupe_system *system, const char *whom, const char *what, const char *name) {
    tell_times(system, whom, what, name, 0);
}
static void told(troupe_system *system, const char *whom, const char *what, const char *name, const char *status) {
    char line[96];
    tell(system, whom, what, name);
    snprintf(line, sizeof line, "/%s %s %s:%s", whom, what, name, status);
    board_await(line);
}
static void tell_the_crowd(troupe_system *system, const char *whom) {
    assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, whom), leave_all), TROUPE_OK);
}

/* ---- The tests ---- */

static void seen_at_once_where_it_happens(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        tell(system, "b", "twice", "g");
        board_await("/b sees g:");
        system_end(system, 0, NULL);
        board_expect("/b twice g:ok /b sees g: b /b twice g:ok /b sees g:");
    }
}

static void told_everywhere_in_order(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        told(system, "a", "join", "g", "ok");
        told(system, "c", "watch", "g", "ok");
        board_await("/c: +g a");
        told(system, "b", "join", "g", "ok");
        board_await("/c: +g b");
        told(system, "c", "join", "g", "ok");
        told(system, "a", "watch", "g", "ok");
        board_await("/a: +g c");
        tell(system, "a", "leave", "g");
        board_await("/c: -g a");
        board_await("/a: -g a");
        tell(system, "b", "leave", "g");
        board_await("/a: -g b");
        board_await("/c: -g b");
        tell(system, "c", "leave", "g");
        board_await("/a: -g c");
        board_await("/c: -g c");
        system_end(system, 0, NULL);
        const char *lines = board_lines("/c:");
        bool snapshot_was_empty = strncmp(lines, "/c: +g nobody ", 14) == 0;
        assert_string_equal(snapshot_was_empty ? lines + 14 : lines,
                            "/c: +g a /c: +g b /c: +g c /c: -g a /c: -g b /c: -g c");
    }
}

/* What happens between the two is told once. */
static void the_first_notice_says_who_is_there(void **state) {
    (void)state;
    troupe_system *system = start(0);
    told(system, "c", "watch", "g", "ok");
    board_await("/c: +g nobody");
    told(system, "a", "join", "g", "ok");
    told(system, "b", "join", "g", "ok");
    board_await("/c: +g b");
    told(system, "a", "watch", "g", "ok");
    board_await("/a: +g b");
    told(system, "a", "watch", "g", "ok");
    system_end(system, 0, NULL);
    assert_string_equal(board_lines("/a:"), "/a: +g a /a: +g b");
    assert_string_equal(board_lines("/c:"), "/c: +g nobody /c: +g a /c: +g b");
}

static void several_groups_and_once_in_each(void **state) {
    (void)state;
    troupe_system *system = start(0);
    told(system, "a", "join", "g", "ok");
    told(system, "a", "join", "h", "ok");
    tell(system, "a", "join", "g");
    board_await_times("/a join g:ok", 2);
    told(system, "b", "join", "g", "ok");
    tell(system, "a", "members", "g");
    board_await("/a sees g: a b");
    told(system, "a", "leave", "g", "ok");
    told(system, "a", "leave", "i", "not_found");
    tell(system, "a", "leave", "g");
    board_await("/a leave g:not_found");
    tell(system, "a", "members", "g");
    board_await("/a sees g: b");
    tell(system, "a", "members", "h");
    board_await("/a sees h: a");
    system_end(system, 0, NULL);
}

static void what_is_refused(void **state) {
    static const char config[] = "{ tree: { children: [ { name: a, actor: person }, { name: d, actor: deaf } ] } }";
    char longest[66];
    (void)state;
    troupe_system *system = system_start(config, actors);
    memset(longest, 'x', sizeof longest);
    longest[65] = '\0';
    told(system, "a", "join", "", "invalid");
    told(system, "a", "join", "g/h", "invalid");
    told(system, "a", "watch", "g\n", "invalid");
    told(system, "a", "unwatch", "g", "gone");
    told(system, "d", "order", "g", "invalid") /* handles neither */;
    tell(system, "a", "members", "");
    board_await("/a sees :");
    tell(system, "a", "join", longest);
    longest[64] = '\0';
    told(system, "a", "leave", longest, "not_found");
    told(system, "a", "join", longest, "ok");
    system_end(system, 0, NULL);
}

/* As with names: the cell is the member, not its run. A watch is of the run. */
static void a_restart_keeps_it_and_ends_its_watches(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        told(system, "c", "watch", "g", "ok");
        told(system, "a", "watch", "h", "ok");
        told(system, "a", "join", "g", "ok");
        board_await("/c: +g a");
        tell(system, "a", "fail", "");
        told(system, "b", "join", "h", "ok");
        told(system, "a", "join", "g", "ok"); /* it is again, after the restart */
        tell(system, "a", "members", "g");
        board_await("/a sees g: a");
        tell(system, "a", "exit", "");
        board_await("/c: -g a");
        system_end(system, 0, NULL);
        assert_int_equal(board_times("/c: +g a"), 1);
        assert_int_equal(board_times("/c: -g a"), 1);
        assert_int_equal(board_times("/a: +h b"), 0);
    }
}

static void what_waits_is_not_told_after_unwatch(void **state) {
    (void)state;
    troupe_system *system = start(0);
    told(system, "a", "watch", "g", "ok");
    board_await("/a: +g nobody");
    told(system, "a", "unwatch both", "g", "ok");
    told(system, "a", "unwatch", "g", "gone");
    system_end(system, 0, NULL);
    assert_int_equal(board_times("/a: +g a"), 0);
}

/* Thousands, on all nodes, while everybody watches from some moment on. */
static void a_crowd_comes_and_goes(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        tell(system, "a", "watch", "crowd");
        tell_times(system, "a", "gather", "crowd", MANY);
        tell_times(system, "b", "gather", "crowd", 1000);
        tell(system, "b", "watch", "crowd");
        tell_times(system, "c", "gather", "crowd", 500);
        board_await_tally(0, MANY + 1500);
        tell(system, "c", "watch", "crowd");
        board_await_tally(1, MANY + 1500);
        board_await_tally(2, MANY + 1500);
        for (size_t i = 0; i < 3; i++) tell_the_crowd(system, names[i]);
        for (uint32_t tally = 3; tally < 6; tally++) board_await_tally(tally, MANY + 1500);
        for (size_t i = 0; i < 3; i++) tell(system, names[i], "known", "");
        board_await("/a knows 0");
        board_await("/b knows 0");
        board_await("/c knows 0");
        system_end(system, 0, NULL);
        for (uint32_t tally = 0; tally < 6; tally++) assert_int_equal(board_tally(tally), MANY + 1500);
    }
}

/* In the end all agree; and as all nodes knew of each other before, everybody is told of each change. */
static void changes_without_end(void **state) {
    (void)state;
    for (size_t at = 0; at < PLACES; at++) {
        troupe_system *system = start(at);
        for (size_t i = 0; i < 3; i++) told(system, names[i], "watch", "crowd", "ok");
        for (size_t i = 0; i < 3; i++) told(system, names[i], "join", "crowd", "ok");
        for (uint32_t i = 0; i < 3; i++) board_await_tally(i, 3);
        for (size_t i = 0; i < 3; i++) told(system, names[i], "leave", "crowd", "ok");
        for (size_t i = 0; i < 3; i++) tell_times(system, names[i], "churn", "crowd", 2000);
        for (uint32_t i = 0; i < 3; i++) board_await_tally(i, 3 + 3 * 2001);
        for (size_t i = 0; i < 3; i++) tell(system, names[i], "known", "");
        board_await("/a knows 3");
        board_await("/b knows 3");
        board_await("/c knows 3");
        system_end(system, 0, NULL);
        assert_int_equal(board_times("churn fails"), 0);
    }
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors,
                                      .config_text = "{ tree: { children: [ { name: a, actor: person, place: inproc },"
                                                     "{ name: b, actor: person, place: inproc },"
                                                     "{ name: c, actor: person } ] } }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    tell(system, "c", "watch", "g");
    tell(system, "a", "join", "g");
    board_await("/c: +g a");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seen_at_once_where_it_happens),
        cmocka_unit_test(told_everywhere_in_order),
        cmocka_unit_test(the_first_notice_says_who_is_there),
        cmocka_unit_test(several_groups_and_once_in_each),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_restart_keeps_it_and_ends_its_watches),
        cmocka_unit_test(what_waits_is_not_told_after_unwatch),
        cmocka_unit_test(a_crowd_comes_and_goes),
        cmocka_unit_test(changes_without_end),
    };
    start_transport();
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    failed += cmocka_run_group_tests_name("packed", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
