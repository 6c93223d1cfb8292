/*
 * Calls that block, on threads of their own: each is answered exactly once, none holds up a worker, and
 * all threads are gone at the end.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/worker.h"
#include "services/services.h"

#define CHORE(field) field(str, kind) field(u64, n)
TROUPE_MESSAGE(chore, CHORE)
#define DONE(field) field(u64, n)
TROUPE_MESSAGE(done, DONE)
TROUPE_MESSAGE_EMPTY(nothing)
#define ORDER(field) field(str, kind) field(u32, times) field(i64, timeout)
TROUPE_MESSAGE(order, ORDER)

static struct {
    troupe_system *system;
    troupe_address boss;
    uint32_t threads; /* of the process, while the node's run */
} outside;

/* ---- What is called ---- */

/* Once the end waits for this call alone, the worker and the monitor being gone, it sends to the system as any
 * thread may. */
static enum troupe_status send_at_the_end(void) {
    gate_pass();
    while (process_threads() > outside.threads - 2) usleep(1000); /* past the deadline the code is 137 */
    enum troupe_status status =
        troupe_system_send(outside.system, outside.boss, order, .kind = "ping");
    board_note("sent:%s", troupe_status_name(status));
    return TROUPE_FAILED;
}

TROUPE_WORK(toil, chore, done) {
    if (strcmp(request->kind, "wait") == 0) gate_pass();
    if (strcmp(request->kind, "fail") == 0) return TROUPE_NOT_FOUND;
    if (strcmp(request->kind, "send") == 0) return send_at_the_end();
    if (strcmp(request->kind, "mark") == 0) board_note("made");
    if (strcmp(request->kind, "silent") == 0) return TROUPE_OK;
    if (strcmp(request->kind, "wrong") == 0) return troupe_work_done_empty(work, nothing);
    if (strcmp(request->kind, "twice") == 0) {
        (void)troupe_work_done(work, done, .n = request->n);
        board_note("twice:%s", troupe_status_name(troupe_work_done(work, done, .n = 0)));
        return TROUPE_FAILED; /* too late to matter */
    }
    return troupe_work_done(work, done, .n = request->n + 1);
}
TROUPE_WORK(rest, nothing, nothing) { return troupe_work_done_empty(work, nothing); }
TROUPE_WORK(mistaken, chore, nothing) { return TROUPE_OK; }

/* ---- Who has it called ---- */

/* As a node's end does that has no time left, once all threads of the calls are idle. */
static bool close_now(struct tr_node *node) {
    struct tr_work_pool *pool = &tr_services_of(node)->work;
    for (bool idle = false; !idle;) {
        pthread_mutex_lock(&pool->lock);
        idle = pool->idle == pool->alive;
        pthread_mutex_unlock(&pool->lock);
    }
    return tr_work_close(pool, node, 0);
}

struct boss { char unused; };
TROUPE_ON(boss, order) {
    for (uint32_t i = 0; i < msg->times; i++) {
        enum troupe_status status = troupe_work(self, toil, msg->timeout, chore, .kind = msg->kind, .n = i);
        if (status != TROUPE_OK) board_note("work:%s", troupe_status_name(status));
    }
    if (strcmp(msg->kind, "rest") == 0) return troupe_work_empty(self, rest, TROUPE_MINUTE, nothing);
    if (strcmp(msg->kind, "mistaken") == 0)
        board_note("work:%s", troupe_status_name(troupe_work(self, mistaken, TROUPE_MINUTE, chore, .n = 1)));
    if (strcmp(msg->kind, "leave") == 0) return troupe_exit(self);
    if (strcmp(msg->kind, "ping") == 0) board_note("pong");
    if (strcmp(msg->kind, "close") == 0) {
        if (!close_now(self->worker->node)) board_note("stuck");
        board_note("close");
    }
    return TROUPE_OK;
}
TROUPE_ANSWER(boss, chore, done) {
    if (outcome == TROUPE_OK && reply->n != request->n + 1 && strcmp(request->kind, "twice") != 0)
        board_note("another's reply");
    if ((reply != NULL) != (outcome == TROUPE_OK)) board_note("reply without ok, or ok without reply");
    if (outcome != TROUPE_OK) board_note("%s:%s", request->kind, troupe_status_name(outcome));
    board_add(outcome == TROUPE_OK ? 0 : 1, 1);
    return TROUPE_OK;
}
TROUPE_ANSWER(boss, nothing, nothing) {
    board_note("rested:%s", troupe_status_name(outcome));
    return request != NULL && (reply != NULL) == (outcome == TROUPE_OK) ? TROUPE_OK : TROUPE_FAILED;
}
TROUPE_STOP(boss) {
    board_note("stop:%s", troupe_status_name(troupe_work(self, toil, TROUPE_MINUTE, chore, .n = 1)));
}
TROUPE_ACTOR(boss, TROUPE_HANDLES(boss, order), TROUPE_STOPS(boss), TROUPE_ANSWERS(boss, chore, done),
             TROUPE_ANSWERS(boss, nothing, nothing))

/* Takes its time to stop. */
struct dawdler { char unused; };
TROUPE_ON(dawdler, order) { return TROUPE_OK; }
TROUPE_STOP(dawdler) {
    const struct timespec time = { 1, 400000000 };
    nanosleep(&time, NULL);
}
TROUPE_ACTOR(dawdler, TROUPE_HANDLES(dawdler, order), TROUPE_STOPS(dawdler))

static const struct troupe_actor_type *const actors[] = { &boss_actor, &dawdler_actor, NULL };
#define CONFIG(more)                                                                               \
    "{ threads: 1, " more "tree: { children: ["                                                    \
    "{ name: boss, actor: boss }, { name: mortal, actor: boss, restart: temporary } ] } }"
static const char config[] = CONFIG("");

static void give(troupe_system *system, const char *whom, const char *kind, uint32_t times,
                 int64_t timeout) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, whom), order, .kind = kind,
                                        .times = times, .timeout = timeout),
                     TROUPE_OK);
}

/* ---- How a call ends ---- */

static void each_is_answered_once(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = system_start(config, actors);
    for (uint32_t round = 1; round <= 20; round++) {
        give(system, "boss", "add", 500, TROUPE_MINUTE);
        board_await_tally(0, 500 * round);
    }
    give(system, "boss", "rest", 0, 0);
    board_await("rested:ok");
    system_end(system, 0, &counts);
    assert_int_equal(board_tally(0), 10000);
    assert_int_equal(board_tally(1), 0);
    assert_int_equal(counts.dead_letters, 0);
    assert_int_equal(counts.handled, 21 + 10000 + 1); /* orders; replies */
}

static void failures_say_why(void **state) {
    (void)state;
    troupe_system *system = system_start(config, actors);
    give(system, "boss", "fail", 1, TROUPE_MINUTE);
    board_await("fail:not_found");
    give(system, "boss", "silent", 1, TROUPE_MINUTE);
    board_await("silent:no_reply");
    give(system, "boss", "wrong", 1, TROUPE_MINUTE);
    board_await("wrong:invalid");
    give(system, "boss", "twice", 1, TROUPE_MINUTE);
    board_await("twice:invalid");
    board_await_tally(0, 1);
    give(system, "boss", "mistaken", 0, 0);
    board_await("work:invalid");
    give(system, "boss", "add", 1, 0);
    board_await_times("work:invalid", 2);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0) + board_tally(1), 4);
    assert_int_equal(board_times("stop:stopping"), 2);
}

static void it_holds_up_no_worker(void **state) {
    (void)state;
    troupe_system *system = system_start(config, actors);
    gate_close();
    give(system, "boss", "wait", 8, TROUPE_MINUTE);
    gate_await(8);
    give(system, "boss", "ping", 0, 0);
    board_await("pong");
    assert_int_equal(board_tally(0), 0);
    gate_open();
    board_await_tally(0, 8);
    system_end(system, 0, NULL);
}

static void a_timeout_does_not_wait_for_the_call(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = system_start(config, actors);
    gate_close();
    give(system, "boss", "wait", 1, TROUPE_SECOND); /* time enough to begin */
    gate_await(1);
    board_await("wait:timeout");
    gate_open();
    give(system, "boss", "add", 1, TROUPE_MINUTE);
    board_await_tally(0, 1);
    system_end(system, 0, &counts); /* waits for the call */
    assert_int_equal(board_tally(1), 1);
    assert_int_equal(counts.dead_by_reason[TROUPE_TIMEOUT] + counts.dead_by_reason[TROUPE_GONE] +
                         counts.refused, 1);
}

static void a_run_that_ends_hears_nothing(void **state) {
    (void)state;
    troupe_system *system = system_start(config, actors);
    gate_close();
    give(system, "mortal", "wait", 3, TROUPE_MINUTE);
    gate_await(3);
    give(system, "mortal", "leave", 0, 0);
    board_await("stop:stopping");
    gate_open();
    give(system, "boss", "add", 100, TROUPE_MINUTE);
    board_await_tally(0, 100);
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0), 100);
    assert_int_equal(board_tally(1), 0);
}

static void what_nobody_waits_for_is_not_begun(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = system_start(CONFIG("work_threads: 1, "), actors);
    gate_close();
    give(system, "boss", "wait", 1, TROUPE_MINUTE);
    gate_await(1);
    give(system, "boss", "mark", 10, TROUPE_MILLISECOND);
    board_await_times("mark:timeout", 10);
    give(system, "boss", "mark", 10, TROUPE_MINUTE);
    give(system, "boss", "leave", 0, 0);
    board_await("stop:stopping");
    give(system, "boss", "ping", 0, 0); /* to the next run: the last one is over */
    board_await("pong");
    gate_open();
    give(system, "boss", "add", 1, TROUPE_MINUTE);
    board_await_tally(0, 1);
    system_end(system, 0, &counts);
    assert_int_equal(board_times("made"), 0);
    assert_int_equal(counts.dead_by_reason[TROUPE_TIMEOUT], 1); /* of the call that had begun */
    assert_int_equal(counts.dead_letters, 1);
}

/* ---- Bounds ---- */

static void what_waits_is_bounded(void **state) {
    enum { QUEUE = 1024, THREADS = 3 };
    (void)state;
    troupe_system *system = system_start(CONFIG("work_threads: 3, "), actors);
    uint32_t before = process_threads();
    gate_close();
    give(system, "boss", "wait", THREADS, TROUPE_MINUTE);
    gate_await(THREADS);
    assert_int_equal(process_threads(), before + THREADS);
    give(system, "boss", "add", QUEUE + 5, TROUPE_MINUTE);
    board_await_times("work:full", 5);
    gate_open();
    board_await_tally(0, QUEUE + THREADS);
    system_end(system, 0, NULL);
    assert_int_equal(board_times("work:full"), 5);
}

static void idle_threads_end(void **state) {
    (void)state;
    troupe_system *system = system_start(config, actors);
    uint32_t before = process_threads();
    gate_close();
    give(system, "boss", "wait", 4, TROUPE_MINUTE);
    gate_await(4);
    gate_open();
    board_await_tally(0, 4);
    while (process_threads() > before) usleep(1000); /* past the deadline of the test, it has failed */
    give(system, "boss", "add", 4, TROUPE_MINUTE);
    board_await_tally(0, 8);
    system_end(system, 0, NULL);
}

/* ---- The end ---- */

static void the_end_waits_for_a_call(void **state) {
    (void)state;
    troupe_system *system = system_start(CONFIG("work_threads: 1, "), actors);
    gate_close();
    give(system, "boss", "wait", 10, TROUPE_MINUTE); /* nine of them do not begin */
    gate_await(1);
    troupe_system_stop(system);
    board_await_times("stop:stopping", 2);
    gate_open();
    system_end(system, 0, NULL);
    assert_int_equal(board_tally(0) + board_tally(1), 0);
}

/* Many and again, for it is a matter of luck whether any is still there when the time is up. */
static void an_end_without_time_waits_for_idle_threads(void **state) {
    enum { THREADS = 64, ROUNDS = 10 };
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        troupe_system *system = system_start(CONFIG("work_threads: 64, "), actors);
        gate_close();
        give(system, "boss", "wait", THREADS, TROUPE_MINUTE);
        gate_await(THREADS);
        gate_open();
        board_await_tally(0, THREADS);
        give(system, "boss", "close", 0, 0);
        board_await("close");
        system_end(system, 0, NULL);
        assert_int_equal(board_times("stuck"), 0);
    }
}

static void a_call_may_send_while_the_end_waits_for_it(void **state) {
    (void)state;
    troupe_system *system = system_start(CONFIG(""), actors);
    outside.system = system;
    outside.boss = troupe_system_lookup(system, "boss");
    gate_close();
    give(system, "boss", "send", 1, TROUPE_MINUTE);
    gate_await(1);
    outside.threads = process_threads();
    troupe_system_stop(system);
    board_await_times("stop:stopping", 2);
    gate_open();
    system_end(system, 0, NULL); /* not 137, and the sum is right */
    assert_string_not_equal(board_lines("sent:"), "");
    assert_int_equal(board_times("pong"), 0);
}

static int64_t clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}

/* The end of the process, which says on standard error how long the system took for its own. */
static void stop_with_a_call_that_hangs(const char *text) {
    troupe_system *system = system_start(text, actors);
    gate_close();
    give(system, "boss", "wait", 1, TROUPE_MINUTE);
    gate_await(1);
    int64_t before = clock_now();
    troupe_system_stop(system);
    int code = troupe_system_wait(system);
    dprintf(STDERR_FILENO, "took %lld ms\n", (long long)((clock_now() - before) / TROUPE_MILLISECOND));
    _exit(code);
}

/* It leaves its node behind: so in a process of its own. The log names the call. */
static void expect_137(const char *text, char *log, size_t size) {
    int status = 0, ends[2];
    size_t used = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        stop_with_a_call_that_hangs(text);
    }
    close(ends[1]);
    for (ssize_t got = 1; got > 0 && used < size - 1; used += (size_t)got)
        got = read(ends[0], log + used, size - 1 - used);
    log[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 137);
}

static void past_the_deadline_the_code_is_137(void **state) {
    char log[4096];
    (void)state;
    expect_137(CONFIG("shutdown: 300ms, "), log, sizeof log);
    assert_non_null(strstr(log, "the end waits for calls of troupe_work: toil"));
    assert_non_null(strstr(log, "left behind, handling nothing; calls of troupe_work: toil"));
}

/* What the tree has used up of the time is not there for the calls: with a deadline for each it would be
 * 3.4 seconds. */
static void the_deadline_is_one_for_all(void **state) {
    static const char slow[] = "{ threads: 1, shutdown: 2s, blocked: never, tree: { children: ["
                               "{ name: boss, actor: boss }, { name: dawdler, actor: dawdler } ] } }";
    char log[4096];
    (void)state;
    expect_137(slow, log, sizeof log);
    const char *took = strstr(log, "took ");
    assert_non_null(took);
    assert_in_range(strtol(took + 5, NULL, 10), 1900, 3000);
}

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "thread:tr_thread_start\nthread:start_thread\n"; }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_answered_once),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(it_holds_up_no_worker),
        cmocka_unit_test(a_timeout_does_not_wait_for_the_call),
        cmocka_unit_test(a_run_that_ends_hears_nothing),
        cmocka_unit_test(what_nobody_waits_for_is_not_begun),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(idle_threads_end),
        cmocka_unit_test(the_end_waits_for_a_call),
        cmocka_unit_test(a_call_may_send_while_the_end_waits_for_it),
        cmocka_unit_test(an_end_without_time_waits_for_idle_threads),
        cmocka_unit_test(past_the_deadline_the_code_is_137),
        cmocka_unit_test(the_deadline_is_one_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
