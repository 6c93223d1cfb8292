/*
 * Handlers that do not return: they are reported, what waits behind them is run elsewhere, and timers go on.
 * And the monitor that sees to it sleeps when there is nothing to see.
 *
 * A reader on a pipe takes what the log says and puts it on the board.
 */
#include "lib/system_test.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ORDER(field) field(str, what) field(address, to) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
#define TICK(field) field(u32, n)
TROUPE_MESSAGE(tick, TICK)
TROUPE_MESSAGE_EMPTY(request)
TROUPE_MESSAGE_EMPTY(reply)

enum { TICKS, RUNS, PASSES, FIRST, AGAIN, OVER }; /* tallies: counts, and sums of reported ms */

static void pass(void) {
    gate_pass();
    board_add(PASSES, 1);
}

static int64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}

/* Long enough for a worker that looks for work to give up and sleep. */
static void spin(int64_t time) {
    int64_t until = clock_now() + time;
    while (clock_now() < until) {
    }
}

/* ---- Actors ---- */

struct reader { char unused; };
TROUPE_ACTOR_DECLARE(reader)
TROUPE_ON(reader, order) {
    if (strcmp(msg->what, "gate") == 0) pass();
    if (strcmp(msg->what, "leave behind") == 0) { /* into the LIFO slot, for which nobody is woken */
        spin(2 * TROUPE_MILLISECOND);
        (void)troupe_send(self, msg->to, order, .what = "run");
        pass();
    }
    if (strcmp(msg->what, "queue") == 0) { /* each pushes the one before into the queue */
        spin(2 * TROUPE_MILLISECOND);
        for (uint32_t i = 0; i < msg->n; i++) {
            troupe_address child;
            (void)troupe_spawn_empty(self, &child, reader);
            (void)troupe_send(self, child, order, .what = "run");
        }
        pass();
    }
    if (strcmp(msg->what, "run") == 0) board_add(RUNS, 1);
    if (strcmp(msg->what, "hog") == 0) { /* never blocked for long, and never done */
        spin(4 * TROUPE_MILLISECOND);
        return troupe_send(self, troupe_self_address(self), order, .what = "hog");
    }
    return TROUPE_OK;
}
TROUPE_ON(reader, request) { return TROUPE_OK; }
TROUPE_ACTOR(reader, TROUPE_HANDLES(reader, order, request))

/* Sets its timers on the worker that the other actor is then going to hold up. */
struct watch { uint32_t last; troupe_timer every; };
TROUPE_ON(watch, order) {
    if (strcmp(msg->what, "end") == 0) {
        (void)troupe_cancel(self, me->every);
        board_note("ended");
        return TROUPE_OK;
    }
    me->last = 0;
    spin(2 * TROUPE_MILLISECOND);
    (void)troupe_every(self, &me->every, 3 * TROUPE_MILLISECOND, tick, .n = 0);
    for (uint32_t i = 1; i <= 5; i++) (void)troupe_after(self, NULL, 4 * TROUPE_MILLISECOND, tick, .n = i);
    (void)troupe_send(self, msg->to, order, .what = "gate");
    return TROUPE_OK;
}
TROUPE_ON(watch, tick) {
    if (msg->n == 0) board_add(TICKS, 1);
    else if (msg->n != ++me->last) board_note("out of order");
    return TROUPE_OK;
}
TROUPE_ACTOR(watch, TROUPE_HANDLES(watch, order, tick))

/* Asks somebody who gives no reply; or, sent to the gate before, no sign of life. */
struct asker { char unused; };
TROUPE_ON(asker, order) {
    spin(2 * TROUPE_MILLISECOND);
    if (strcmp(msg->what, "gate") == 0) (void)troupe_send(self, msg->to, order, .what = "gate");
    return troupe_ask_empty(self, msg->to, request, msg->n * TROUPE_MILLISECOND);
}
TROUPE_ANSWER(asker, request, reply) {
    board_note("%s", troupe_status_name(outcome));
    if (outcome == TROUPE_NO_REPLY) gate_pass();
    return TROUPE_OK;
}
TROUPE_ACTOR(asker, TROUPE_HANDLES(asker, order), TROUPE_ANSWERS(asker, request, reply))

static const struct troupe_actor_type *const actors[] = { &reader_actor, &watch_actor, &asker_actor, NULL };
#define TREE "log: { form: pretty }, tree: { children: [ { name: reader, actor: reader }, { name: other, actor: reader }, " \
             "{ name: watch, actor: watch }, { name: asker, actor: asker } ] } }"

static void tell(troupe_system *system, const char *who, const char *what, const char *whom, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), order, .what = what,
                                        .to = troupe_system_lookup(system, whom), .n = n),
                     TROUPE_OK);
}

/* ---- The log ---- */

static struct {
    int stderr_before;
    FILE *lines;
    pthread_t thread;
} log_lines;

static void take_line(const char *line) {
    char path[64], type[64];
    double seconds = 0;
    const char *text = strstr(line, "warning ");
    if (text == NULL) return;
    text += strlen("warning ");
    if (sscanf(text, "%63[^:]: has been handling %63s for %lf s: ", path, type, &seconds) == 3) {
        const char *rest = strstr(text, " s: ") + strlen(" s: ");
        board_add(board_tally(FIRST) == 0 ? FIRST : AGAIN, (int64_t)(seconds * 1000));
        board_note("%s is in %s: %.50s", path, type, rest);
    } else if (sscanf(text, "%63[^:]: was handling %63s for %lf s", path, type, &seconds) == 3) {
        board_add(OVER, (int64_t)(seconds * 1000));
        board_note("%s was in %s", path, type);
    }
}

static void *read_lines(void *unused) {
    char line[4096];
    while (fgets(line, sizeof line, log_lines.lines) != NULL) take_line(line);
    return unused;
}

static void listen_to_log(void) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_lines.stderr_before = dup(STDERR_FILENO);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    log_lines.lines = fdopen(ends[0], "r");
    assert_non_null(log_lines.lines);
    assert_int_equal(pthread_create(&log_lines.thread, NULL, read_lines, NULL), 0);
}

static int stop_listening(void **state) {
    (void)state;
    if (log_lines.lines == NULL) return 0;
    dup2(log_lines.stderr_before, STDERR_FILENO);
    close(log_lines.stderr_before);
    pthread_join(log_lines.thread, NULL);
    fclose(log_lines.lines);
    log_lines.lines = NULL;
    return 0;
}

static void end(troupe_system *system, uint64_t blocked) {
    struct troupe_counts counts;
    troupe_system_stop(system);
    assert_int_equal(troupe_system_wait(system), 0);
    troupe_system_counts(system, &counts);
    assert_int_equal(counts.blocked, blocked);
    stop_listening(NULL);
    system_end(system, 0, NULL);
}

/* ---- Reports ---- */

static const char in_gate[] = "/reader is in order: its worker can run nothing else meanwhile; what bl";

static void reported_on(const char *config) {
    troupe_system *system = system_start(config, actors);
    listen_to_log();
    gate_close();
    tell(system, "reader", "gate", "reader", 0);
    board_await_times(in_gate, 3);
    assert_true(board_tally(FIRST) >= 20);
    assert_true(board_tally(AGAIN) >= 40 + 80);
    assert_int_equal(board_times("/reader was in order"), 0);
    gate_open();
    board_await("/reader was in order");
    assert_true(board_tally(OVER) >= 80);
    end(system, 1);
}

static void a_blocked_handler_is_reported_until_it_is_over(void **state) {
    (void)state;
    reported_on("{ threads: 2, blocked: 20ms, " TREE);
}

static void so_is_one_that_blocks_the_only_worker(void **state) {
    (void)state;
    reported_on("{ threads: 1, blocked: 20ms, " TREE);
}

/* An outcome has no message of its own: the request names it. */
static void so_is_an_answer_handler(void **state) {
    troupe_system *system = system_start("{ threads: 2, blocked: 10ms, " TREE, actors);
    (void)state;
    listen_to_log();
    gate_close();
    tell(system, "asker", "", "reader", 60000);
    board_await("no_reply");
    board_await("/asker is in request: its worker can run nothing else meanwhile; what bl");
    gate_open();
    board_await("/asker was in request");
    end(system, 1);
}

static void never_is_never(void **state) {
    troupe_system *system = system_start("{ threads: 2, blocked: never, " TREE, actors);
    (void)state;
    listen_to_log();
    gate_close();
    tell(system, "watch", "", "reader", 0);
    board_await_tally(TICKS, 50);
    gate_open();
    end(system, 0);
    assert_int_equal(board_tally(FIRST), 0);
}

/* ---- What waits behind ---- */

/* Who stood before the gate has passed it: it may be closed again. */
static void let_pass(int64_t times) {
    gate_open();
    board_await_tally(PASSES, times);
}

/* A moment on a machine that has other work as well. */
static void expect_soon(int64_t since) { assert_true(clock_now() - since < TROUPE_SECOND); }

static void the_cell_in_the_lifo_slot_is_stolen(void **state) {
    troupe_system *system = system_start("{ threads: 2, blocked: never, " TREE, actors);
    (void)state;
    for (int64_t i = 1; i <= 20; i++) {
        gate_close();
        tell(system, "reader", "leave behind", "other", 0);
        gate_await(1);
        int64_t since = clock_now();
        board_await_tally(RUNS, i);
        expect_soon(since);
        let_pass(i);
    }
    system_end(system, 0, NULL);
}

static void so_is_what_is_queued(void **state) {
    troupe_system *system = system_start("{ threads: 3, blocked: never, " TREE, actors);
    (void)state;
    gate_close();
    tell(system, "reader", "queue", "other", 300);
    board_await_tally(RUNS, 300);
    gate_open();
    system_end(system, 0, NULL);
}

/* ---- Timers ---- */

static void timers_in_the_wheel_of_a_blocked_worker_fire(void **state) {
    troupe_system *system = system_start("{ threads: 2, blocked: never, " TREE, actors);
    (void)state;
    for (uint32_t i = 1; i <= 20; i++) {
        gate_close();
        int64_t before = board_tally(TICKS), since = clock_now();
        tell(system, "watch", "", "reader", 0);
        board_await_tally(TICKS, before + 5);
        expect_soon(since);
        let_pass(i);
        tell(system, "watch", "end", "reader", 0);
        board_await_times("ended", i);
    }
    system_end(system, 0, NULL);
    assert_int_equal(board_times("out of order"), 0);
}

/* Were turns counted only, each of these would wait for 64 of them, or for 61 batches. */
static void slow_handlers_do_not_make_turns_long(void **state) {
    troupe_system *system = system_start("{ threads: 1, blocked: never, " TREE, actors);
    (void)state;
    tell(system, "reader", "hog", "", 0);
    int64_t since = clock_now();
    tell(system, "other", "run", "", 0);
    board_await_tally(RUNS, 1);
    expect_soon(since);
    tell(system, "watch", "", "other", 0);
    board_await_tally(TICKS, 5);
    expect_soon(since);
    since = clock_now();
    end(system, 0);
    expect_soon(since);
}

static void asks_of_a_blocked_worker_time_out(void **state) {
    troupe_system *system = system_start("{ threads: 2, blocked: never, " TREE, actors);
    (void)state;
    for (uint32_t i = 1; i <= 20; i++) {
        gate_close();
        int64_t since = clock_now();
        tell(system, "asker", "gate", "reader", 5);
        board_await_times("timeout", i);
        expect_soon(since);
        let_pass(i);
    }
    system_end(system, 0, NULL);
}

/* ---- Rest ---- */

enum { MOST_THREADS = 64 };

struct threads {
    long ids[MOST_THREADS];
    uint32_t count;
};

static struct threads all_threads(void) {
    struct threads threads = { .count = 0 };
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && threads.count < MOST_THREADS)
            threads.ids[threads.count++] = strtol(entry->d_name, NULL, 10);
    closedir(folder);
    return threads;
}

static bool has(const struct threads *threads, long id) {
    for (uint32_t i = 0; i < threads->count; i++)
        if (threads->ids[i] == id) return true;
    return false;
}

static long switches_of(long id) {
    char path[64], line[256];
    long switches = -1;
    snprintf(path, sizeof path, "/proc/self/task/%ld/status", id);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %ld", &switches) == 1) break;
    fclose(file);
    return switches;
}

/* How often the threads that are not among `others` have gone to sleep. */
static long switches_but(const struct threads *others) {
    struct threads now = all_threads();
    long sum = 0;
    for (uint32_t i = 0; i < now.count; i++)
        if (!has(others, now.ids[i])) sum += switches_of(now.ids[i]);
    return sum;
}

/* Time has to pass here: it is what is measured. */
static long switches_within(const struct threads *others, int64_t time) {
    struct timespec left = { time / TROUPE_SECOND, time % TROUPE_SECOND };
    long before = switches_but(others);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    return switches_but(others) - before;
}

static void all_sleep_when_nothing_happens(void **state) {
    (void)state;
    system_end(system_start("{ threads: 3, " TREE, actors), 0, NULL); /* a sanitizer's threads are there now */
    struct threads others = all_threads();
    troupe_system *system = system_start("{ threads: 3, " TREE, actors);
    int64_t since = clock_now();
    while (switches_within(&others, 3 * TROUPE_SECOND / 10) != 0)
        assert_true(clock_now() - since < 20 * TROUPE_SECOND);
    assert_int_equal(switches_within(&others, 2 * TROUPE_SECOND), 0);
    tell(system, "reader", "run", "reader", 0); /* and wake up again */
    board_await_tally(RUNS, 1);
    gate_close();
    tell(system, "watch", "", "reader", 0);
    board_await_tally(TICKS, 20);
    gate_open();
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_blocked_handler_is_reported_until_it_is_over, stop_listening),
        cmocka_unit_test_teardown(so_is_one_that_blocks_the_only_worker, stop_listening),
        cmocka_unit_test_teardown(so_is_an_answer_handler, stop_listening),
        cmocka_unit_test_teardown(never_is_never, stop_listening),
        cmocka_unit_test(the_cell_in_the_lifo_slot_is_stolen),
        cmocka_unit_test(so_is_what_is_queued),
        cmocka_unit_test(timers_in_the_wheel_of_a_blocked_worker_fire),
        cmocka_unit_test(slow_handlers_do_not_make_turns_long),
        cmocka_unit_test(asks_of_a_blocked_worker_time_out),
        cmocka_unit_test(all_sleep_when_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
