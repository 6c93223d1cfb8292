/*
 * The utilisation of each worker, from two readings: who works is active by as much, who sleeps is not. And the names
 * of threads, as the system shows them.
 */
#include "lib/system_test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "place/host.h"

#define BURNT (60 * TROUPE_MILLISECOND)

TROUPE_MESSAGE_EMPTY(burn)
TROUPE_MESSAGE_EMPTY(read_all)

enum { THREADS = 8 };
struct reading {
    uint32_t count;
    struct { char name[32]; bool own; int64_t active, idle; } of[THREADS];
};
static struct reading readings[2];
static uint32_t taken;

static int64_t cpu_time(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * TROUPE_SECOND + used.tv_nsec;
}

struct burner { char unused; };
TROUPE_ON(burner, burn) {
    int64_t until = cpu_time() + BURNT;
    while (cpu_time() < until) {
    }
    board_note("burnt");
    return TROUPE_OK;
}
TROUPE_ACTOR(burner, TROUPE_HANDLES(burner, burn))

struct tool { char unused; };
TROUPE_ON(tool, read_all) {
    return troupe_ask_empty(self, troupe_observer(troupe_self_address(self)), troupe_inspect_node, TROUPE_MINUTE);
}
TROUPE_ANSWER(tool, troupe_inspect_node, troupe_node_info) {
    struct reading *reading = &readings[taken++ % 2];
    reading->count = outcome == TROUPE_OK ? reply->threads.count : 0;
    for (uint32_t i = 0; i < reading->count && i < THREADS; i++) {
        const struct troupe_worker_info *from = &reply->threads.items[i];
        snprintf(reading->of[i].name, sizeof reading->of[i].name, "%s", from->name);
        reading->of[i].own = from->own_thread;
        reading->of[i].active = from->active;
        reading->of[i].idle = from->idle;
        if (from->active < 0 || from->idle < 0 || from->active + from->idle > reply->uptime + TROUPE_SECOND)
            board_note("%s: wrong times", from->name);
    }
    board_note("read %u", taken);
    return TROUPE_OK;
}
TROUPE_ACTOR(tool, TROUPE_HANDLES(tool, read_all), TROUPE_ANSWERS(tool, troupe_inspect_node, troupe_node_info))

static const struct troupe_actor_type *const actors[] = { &burner_actor, &tool_actor, NULL };
static const char tree[] =
    "{ threads: 2, spin: 0us, tree: { children: [ { name: tool, actor: tool }, { name: apart, actor: tool, place: inproc },"
    "{ name: burner, actor: burner, place: { thread: own } },"
    "{ name: the-one-with-a-long-name, actor: burner, place: { thread: own } } ] } }";

static void send_to(troupe_system *system, const char *whom, const struct troupe_message_type *type) {
    const char nothing = 0;
    assert_int_equal(troupe_system_send_message(system, troupe_system_lookup(system, whom), type, &nothing), TROUPE_OK);
}

static void read_now(troupe_system *system, const char *whom) {
    char line[32];
    snprintf(line, sizeof line, "read %u", taken + 1);
    send_to(system, whom, &read_all_message);
    board_await(line);
}

static void who_works_is_active(void **state) {
    static const char *const names[] = { "main 0", "main 1", "/burner", "ith-a-long-name" };
    (void)state;
    taken = 0;
    troupe_system *system = system_start(tree, actors);
    read_now(system, "tool");
    send_to(system, "burner", &burn_message);
    board_await("burnt");
    read_now(system, "tool");
    assert_int_equal(readings[0].count, 4);
    assert_int_equal(readings[1].count, 4);
    int64_t active[4];
    for (uint32_t i = 0; i < 4; i++) {
        const char *name = readings[1].of[i].name;
        assert_string_equal(name, names[i]);
        assert_int_equal(readings[1].of[i].own, i >= 2);
        active[i] = readings[1].of[i].active - readings[0].of[i].active;
        assert_true(active[i] >= 0 && readings[1].of[i].idle >= readings[0].of[i].idle);
    }
    assert_true(active[2] >= BURNT);
    assert_true(active[3] < BURNT / 2); /* it has done nothing at all */
    assert_string_equal(board_lines("main"), "");
    system_end(system, 0, NULL);
}

static uint32_t threads_named(const char *name) {
    char path[300], comm[32];
    uint32_t found = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        if (fgets(comm, sizeof comm, file) != NULL && strncmp(comm, name, strlen(name)) == 0 &&
            comm[strlen(name)] == '\n')
            found++;
        fclose(file);
    }
    closedir(folder);
    return found;
}

/* Each has named itself before it did anything else. */
static void threads_have_names(void **state) {
    static const char *const names[] = { "main 0", "main 1", "/apart", "/burner" };
    (void)state;
    troupe_system *system = system_start(tree, actors);
    send_to(system, "burner", &burn_message);
    board_await("burnt");
    for (uint32_t i = 0; i < 3; i++) read_now(system, i == 2 ? "apart" : "tool");
    assert_int_equal(readings[(taken - 1) % 2].count, 1);
    assert_string_equal(readings[(taken - 1) % 2].of[0].name, "/apart");
    for (uint32_t i = 0; i < 4; i++)
        while (threads_named(names[i]) != 1) { /* past the deadline the test is killed */
        }
    assert_int_equal(threads_named("nobody"), 0);
    system_end(system, 0, NULL);
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = tree };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    read_now(system, "apart");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_works_is_active),
        cmocka_unit_test(threads_have_names),
    };
    start_transport();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
