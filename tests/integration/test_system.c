/*
 * Systems in a program that owns its main: several at a time, how they start, fail to start and end.
 */
#include "lib/system_test.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORK(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(work, WORK)
TROUPE_MESSAGE_EMPTY(spin)

struct hand { char unused; };
TROUPE_STOP(hand) { board_note("-%s", troupe_self_path(self) + 1); }
TROUPE_ON(hand, work) {
    if (strcmp(msg->what, "shutdown") == 0) troupe_shutdown(self);
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "note") == 0) board_note("note");
    if (strcmp(msg->what, "spin") == 0) return troupe_send_empty(self, troupe_self_address(self), spin);
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ON(hand, spin) {
    board_add(1, 1);
    return troupe_send_empty(self, troupe_self_address(self), spin);
}
TROUPE_ACTOR(hand, TROUPE_STOPS(hand), TROUPE_HANDLES(hand, work, spin))

static const struct troupe_actor_type *const actors[] = { &hand_actor, NULL };
static const char tree[] = "{ threads: 2, tree: { children: [ { name: a, actor: hand },"
                           "{ name: b, actor: hand, count: 3 } ] } }";

static void tell(troupe_system *system, const char *who, const char *what) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), work, .what = what), TROUPE_OK);
}

static void several_live_side_by_side(void **state) {
    enum { SYSTEMS = 5 };
    troupe_system *systems[SYSTEMS];
    (void)state;
    for (uint32_t i = 0; i < SYSTEMS; i++) systems[i] = system_start(tree, actors);
    for (uint32_t i = 0; i < SYSTEMS; i++) tell(systems[i], "a", "count");
    board_await_tally(0, SYSTEMS);
    system_end(systems[2], 0, NULL);
    tell(systems[0], "a", "count");
    board_await_tally(0, SYSTEMS + 1);
    for (uint32_t i = 0; i < SYSTEMS; i++)
        if (i != 2) system_end(systems[i], 0, NULL);
}

static void it_starts_and_ends_again_and_again(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        troupe_system *system = system_start(tree, actors);
        if (i % 2 == 0) tell(system, "b/1", "count");
        system_end(system, 0, NULL);
    }
}

static void every_mistake_has_a_line(void **state) {
    (void)state;
    const char *error = system_fails(TROUPE_INVALID, "{ threads: 0, shutdwon: 5s, tree: { strategy: two_for_one, children: ["
                                     "{ name: a, actor: nobody }, { name: a, actor: hand, restart: maybe } ] } }", actors);
    static const char *const mistakes[] = { "threads", "shutdwon", "two_for_one", "nobody", "maybe" };
    for (uint32_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        if (strstr(error, mistakes[i]) == NULL) fail_msg("nothing about %s in: %s", mistakes[i], error);
    error = system_fails(TROUPE_INVALID, "{ tree: ", actors);
    assert_true(strlen(error) > 0);
}

/* Twice: with room for the reason, and without. */
static void expect_refused(const struct troupe_options *options, enum troupe_status expected, const char *why) {
    char error[512];
    troupe_system *system = NULL;
    enum troupe_status status = troupe_system_start(options, &system, error, sizeof error);
    assert_string_equal(troupe_status_name(status), troupe_status_name(expected));
    assert_null(system);
    if (strstr(error, why) == NULL) fail_msg("nothing about %s in: %s", why, error);
    status = troupe_system_start(options, &system, NULL, sizeof error);
    assert_string_equal(troupe_status_name(status), troupe_status_name(expected));
    assert_int_equal(troupe_system_free(system), 0);
}

static void wrong_options_are_refused(void **state) {
    (void)state;
    expect_refused(NULL, TROUPE_INVALID, "no options");
    expect_refused(&(struct troupe_options){ .threads = 1 }, TROUPE_INVALID, "no list of actor types");
    expect_refused(&(struct troupe_options){ .actors = actors, .threads = 65 }, TROUPE_INVALID, "1 to 64");
    expect_refused(&(struct troupe_options){ .actors = actors, .trace_file = "/nowhere/trace" }, TROUPE_SYSTEM,
                   "/nowhere/trace: error: No such file");
    /* The file comes before the text. */
    expect_refused(&(struct troupe_options){ .actors = actors, .config_file = "/nowhere/config",
                                             .config_text = "" }, TROUPE_INVALID, "/nowhere/config");
}

static void without_a_tree_there_is_what_is_spawned(void **state) {
    troupe_system *system = system_start(NULL, actors);
    troupe_address hand;
    (void)state;
    assert_int_equal(troupe_system_spawn_empty(system, &hand, hand), TROUPE_OK);
    assert_int_equal(troupe_system_send(system, hand, work, .what = "note"), TROUPE_OK);
    board_await("note");
    system_end(system, 0, NULL);
}

static void an_actor_can_end_the_program(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "b/1", "shutdown");
    assert_int_equal(troupe_system_wait(system), 0);
    assert_int_equal(troupe_system_wait(system), 0);
    troupe_address hand = { 1, 2, 3 };
    assert_int_equal(troupe_system_send(system, hand, work, .what = "note"), TROUPE_STOPPING);
    assert_int_equal(troupe_system_spawn_empty(system, &hand, hand), TROUPE_STOPPING);
    assert_true(troupe_address_is_none(troupe_system_lookup(system, "a")));
    system_end(system, 0, NULL);
    board_expect("-b/2 -b/1 -b/0 -a");
}

static void it_stops_while_it_is_busy(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        troupe_system *system = system_start(tree, actors);
        tell(system, "a", "spin");
        tell(system, "b/0", "spin");
        tell(system, "b/1", "spin");
        board_await_tally(1, 1000);
        system_end(system, 0, NULL);
    }
}

/* What is spawned by code stops after the tree. */
static void the_tree_stops_first(void **state) {
    troupe_system *system = system_start(tree, actors);
    troupe_address hand;
    (void)state;
    struct troupe_spawn_options named = { .name = "spawned" };
    assert_int_equal(troupe_system_spawn_actor(system, &hand, &hand_actor, &named, &troupe_none_message,
                                               &(struct troupe_none){ 0 }), TROUPE_OK);
    system_end(system, 0, NULL);
    board_expect("-b/2 -b/1 -b/0 -a -spawned");
}

/* A handler that does not return leaves its node behind, threads and all: so in a process of its own. */
static void stop_with_a_handler_that_hangs(void) {
    troupe_system *system = system_start("{ threads: 3, shutdown: 20ms, tree: { children: ["
                                         "{ name: a, actor: hand }, { name: b, actor: hand } ] } }", actors);
    gate_close();
    tell(system, "b", "wait");
    gate_await(1);
    troupe_system_stop(system);
    _exit(troupe_system_wait(system));
}

/* The child of this test leaves a stuck thread behind on purpose. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "thread:start_thread\n"; }

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

/* Threads of the program's own send while the system stops. */
struct outsider {
    troupe_system *system;
    troupe_address to;
    uint64_t taken;
};

static void *send_until_it_stops(void *context) {
    struct outsider *outsider = context;
    enum troupe_status status = TROUPE_OK;
    while (status == TROUPE_OK || status == TROUPE_FULL) {
        status = troupe_system_send(outsider->system, outsider->to, work, .what = "count");
        outsider->taken += status == TROUPE_OK;
    }
    return NULL;
}

static void outsiders_may_send_until_the_end(void **state) {
    enum { OUTSIDERS = 4 };
    troupe_system *system = system_start(tree, actors);
    struct troupe_counts counts;
    struct outsider outsiders[OUTSIDERS];
    pthread_t threads[OUTSIDERS];
    uint64_t taken = 0;
    (void)state;
    for (uint32_t i = 0; i < OUTSIDERS; i++) {
        outsiders[i] = (struct outsider){ system, troupe_system_lookup(system, "a"), 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, send_until_it_stops, &outsiders[i]), 0);
    }
    board_await_tally(0, 2000);
    troupe_system_stop(system);
    for (uint32_t i = 0; i < OUTSIDERS; i++) {
        pthread_join(threads[i], NULL);
        taken += outsiders[i].taken;
    }
    system_end(system, 0, &counts);
    assert_int_equal(counts.sent, taken);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_live_side_by_side),
        cmocka_unit_test(it_starts_and_ends_again_and_again),
        cmocka_unit_test(every_mistake_has_a_line),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(without_a_tree_there_is_what_is_spawned),
        cmocka_unit_test(an_actor_can_end_the_program),
        cmocka_unit_test(it_stops_while_it_is_busy),
        cmocka_unit_test(the_tree_stops_first),
        cmocka_unit_test(past_the_deadline_the_code_is_137),
        cmocka_unit_test(outsiders_may_send_until_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
