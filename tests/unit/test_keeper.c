/*
 * The rules of the keeper, one by one. Its actions are written down as lines, "fork 1.1" for node 1
 * in its first incarnation, "1: down 2.1 crashed: ..." for what process 1 is sent, and compared.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rules.h"
#include "place/keeper.h"

#define SECOND INT64_C(1000000000)
#define EXITED(code) ((code) << 8)

enum { MAIN = 1, THREAD = 2, OTHER_THREAD = 3, PROCESS = 4, TCP = 5, SPAWNED = 6 };

static const struct tr_node_spec specs[] = {
    { MAIN, TR_NODE_MAIN, 0, TR_LANE_IPC, TR_START_FORK, "main" },
    { THREAD, TR_NODE_INPROC, MAIN, TR_LANE_INPROC, TR_START_FORK, "/t" },
    { OTHER_THREAD, TR_NODE_INPROC, MAIN, TR_LANE_INPROC, TR_START_FORK, "/u" },
    { PROCESS, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_FORK, "/p" },
    { TCP, TR_NODE_PROCESS, 0, TR_LANE_TCP, TR_START_FORK, "/q" },
    { SPAWNED, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_SPAWN, "/s" },
};

static struct {
    struct tr_keeper *keeper;
    char actions[8192], logs[4096];
    int64_t timer, now;
    uint8_t random;
    const char *handling;
    struct tr_control listen; /* the last one, or the last dial */
    int down_status;          /* of the last down */
} w;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
    size_t size = strlen(w.actions);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w.actions + size, sizeof w.actions - size, format, arguments);
    va_end(arguments);
    strcat(w.actions, "\n");
}

static void on_fork(void *context, uint64_t node, uint64_t incarnation) {
    (void)context;
    note("fork %d.%d", (int)node, (int)incarnation);
}

static void on_kill(void *context, uint64_t node) {
    (void)context;
    note("kill %d", (int)node);
}

static void on_abort(void *context, uint64_t node) {
    (void)context;
    note("abort %d", (int)node);
}

static void on_lives(void *context, uint64_t node, uint64_t incarnation) {
    (void)context, (void)node, (void)incarnation;
}

static void on_send(void *context, uint64_t process, const struct tr_control *message) {
    static const char *const causes[] = { "stopped", "crashed", "killed", "no memory", "stuck", "frozen" };
    static const char *const kinds[] = { "direct", "inproc", "ipc", "tcp" };
    const char *name = tr_control_name(message->type);
    int to = (int)process, node = (int)message->node, peer = (int)message->peer;
    (void)context;
    switch (message->type) {
    case TR_CONTROL_START_NODE:
        note("%d: %s %d.%d", to, name, node, (int)message->incarnation);
        break;
    case TR_CONTROL_STOP_NODE:
        note("%d: %s %d %lld", to, name, node, (long long)(message->within / SECOND));
        break;
    case TR_CONTROL_LISTEN:
    case TR_CONTROL_DIAL:
        w.listen = *message;
        note("%d: %s %d.%d %d.%d lane %d ledger %d %s", to, name, node, (int)message->incarnation,
             peer, (int)message->peer_incarnation, (int)message->lane, (int)message->ledger,
             kinds[message->kind]);
        break;
    case TR_CONTROL_REFUSED:
        note("%d: %s %d %d lane %d: %s", to, name, node, peer, (int)message->lane, message->text);
        break;
    case TR_CONTROL_DOWN:
        w.down_status = message->status;
        note("%d: %s %d.%d %s: %s", to, name, node, (int)message->incarnation,
             causes[message->cause], message->text);
        break;
    default: note("%d: %s %d", to, name, node);
    }
}

static void on_forget(void *context, uint64_t ledger) {
    (void)context;
    note("forget %d", (int)ledger);
}

static void on_describe(void *context, uint64_t node, char *text, size_t size) {
    (void)context;
    (void)node;
    snprintf(text, size, "%s", w.handling);
}

static void on_random(void *context, void *bytes, size_t size) {
    (void)context;
    memset(bytes, ++w.random, size);
}

static void on_timer(void *context, int64_t at) {
    (void)context;
    w.timer = at;
}

static void on_log(void *context, const char *line) {
    (void)context;
    strncat(w.logs, line, sizeof w.logs - strlen(w.logs) - 2);
    strcat(w.logs, "\n");
}

static void on_end(void *context, int code) {
    (void)context;
    note("exit %d", code);
}

static void on_command_signal(void *context, uint64_t number, int signal) {
    (void)context;
    note("signal %d %d", (int)number, signal);
}

static void on_command_release(void *context, uint64_t number) {
    (void)context;
    note("release %d", (int)number);
}

static const struct tr_keeper_io io = { on_fork,           on_kill,            on_abort,  on_lives, on_send,
                                        on_forget,         on_describe,        on_random, on_timer, on_log,
                                        on_command_signal, on_command_release, on_end };

/* ---- Words of the tests ---- */

static void expect(const char *actions) {
    assert_string_equal(w.actions, actions);
    w.actions[0] = '\0';
}

static void forget(void) { w.actions[0] = '\0'; }

static void hear(uint64_t process, struct tr_control message) {
    tr_keeper_message(w.keeper, process, &message, w.now);
}

static uint64_t process_of(uint64_t node) {
    return node == THREAD || node == OTHER_THREAD ? MAIN : node;
}

static void ready(uint64_t node) {
    hear(process_of(node), (struct tr_control){ .type = TR_CONTROL_READY, .node = node });
}
static void start(uint64_t node) {
    hear(MAIN, (struct tr_control){ .type = TR_CONTROL_START, .node = node });
}
static void stop(uint64_t node, int64_t within) {
    hear(MAIN, (struct tr_control){ .type = TR_CONTROL_STOP, .node = node, .within = within });
}
static void newer_lane(uint64_t from, uint64_t to, uint64_t known) {
    hear(process_of(from),
         (struct tr_control){ .type = TR_CONTROL_CONNECT, .node = from, .peer = to, .lane = known });
}
static void lane(uint64_t from, uint64_t to) { newer_lane(from, to, 0); }
static void ended(uint64_t node, const char *text) {
    struct tr_control message = { .type = TR_CONTROL_STOPPED, .node = node };
    tr_control_say(&message, "%s", text);
    hear(process_of(node), message);
}
static void listening(uint64_t process, uint64_t number, const char *url) {
    struct tr_control message = { .type = TR_CONTROL_LISTENING, .lane = number };
    snprintf(message.url, sizeof message.url, "%s", url);
    hear(process, message);
}
static void exited(uint64_t process, int status) {
    tr_keeper_exited(w.keeper, process, status, w.now);
}
static void run(uint64_t node) {
    start(node);
    ready(node);
    forget();
}
static const char *command(uint64_t number, bool detached) {
    const struct tr_command_rules rules = { detached, SIGINT, 2 * SECOND };
    return tr_keeper_command(w.keeper, number, &rules);
}
static void pass(int64_t time) {
    w.now += time;
    if (w.now >= w.timer) tr_keeper_tick(w.keeper, w.now);
}
static void state_is(uint64_t node, enum tr_node_state state) {
    assert_string_equal(tr_node_state_name(tr_keeper_state(w.keeper, node)),
                        tr_node_state_name(state));
}

static int begin_at_once(void **state) {
    struct tr_keeper_rules rules = { specs, sizeof specs / sizeof *specs, 10 * SECOND, 2,
                                     5 * SECOND };
    (void)state;
    memset(&w, 0, sizeof w);
    w.handling = "";
    w.timer = INT64_MAX;
    w.now = SECOND;
    w.keeper = tr_keeper_new(&rules, &io, NULL);
    assert_non_null(w.keeper);
    tr_keeper_begin(w.keeper, w.now);
    expect("fork 1.1\n");
    return 0;
}

static int begin(void **state) {
    begin_at_once(state);
    ready(MAIN);
    expect("");
    return 0;
}

/* Every test leaves a keeper that can still be ended at once. */
static int end(void **state) {
    (void)state;
    tr_keeper_signal(w.keeper, SIGINT, w.now);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    tr_keeper_signal(w.keeper, SIGINT, w.now); /* one of these two comes second, whatever came before */
    for (uint64_t node = MAIN; node <= SPAWNED; node++) exited(node, SIGKILL);
    assert_non_null(strstr(w.actions, "exit "));
    assert_int_equal(tr_keeper_pairs(w.keeper), 0);
    tr_keeper_free(w.keeper);
    return 0;
}

/* ---- Lives ---- */

static void a_process_starts_once(void **state) {
    (void)state;
    state_is(PROCESS, TR_NODE_IDLE);
    start(PROCESS);
    expect("fork 4.1\n");
    state_is(PROCESS, TR_NODE_STARTING);
    start(PROCESS);
    ready(PROCESS);
    start(PROCESS);
    ready(PROCESS);
    expect("");
    state_is(PROCESS, TR_NODE_RUNNING);
}

static void a_thread_starts_in_its_host(void **state) {
    (void)state;
    start(THREAD);
    expect("1: start_node 2.1\n");
    ready(THREAD);
    state_is(THREAD, TR_NODE_RUNNING);
    stop(THREAD, SECOND);
    expect("1: stop_node 2 1\n");
    ended(THREAD, "");
    expect("1: down 2.1 stopped: stopped\n1: gone 2\n");
    start(THREAD);
    expect("1: start_node 2.2\n");
}

static void a_thread_may_fail(void **state) {
    (void)state;
    run(THREAD);
    ended(THREAD, "out of memory");
    expect("1: down 2.1 crashed: out of memory\n");
    assert_int_equal(w.down_status, -1); /* its process goes on */
    state_is(THREAD, TR_NODE_DEAD);
    start(THREAD);
    expect("1: start_node 2.2\n");
    ended(THREAD, "");
    expect("1: down 2.2 crashed: ended without being asked to\n");
}

static void a_stop_in_order(void **state) {
    (void)state;
    run(PROCESS);
    stop(PROCESS, 3 * SECOND);
    expect("4: stop_node 4 3\n");
    stop(PROCESS, 3 * SECOND);
    expect("");
    exited(PROCESS, EXITED(0));
    expect("1: down 4.1 stopped: stopped\n1: gone 4\n");
    state_is(PROCESS, TR_NODE_GONE);
    stop(PROCESS, SECOND);
    expect("1: gone 4\n");
    assert_string_equal(w.logs, "");
}

static void a_stop_before_the_start(void **state) {
    (void)state;
    stop(PROCESS, SECOND);
    expect("1: gone 4\n");
    start(PROCESS);
    stop(PROCESS, SECOND);
    expect("fork 4.1\n4: stop_node 4 1\n");
    ready(PROCESS);
    state_is(PROCESS, TR_NODE_STOPPING);
}

static void a_stop_too_late(void **state) {
    (void)state;
    run(PROCESS);
    stop(PROCESS, 3 * SECOND);
    forget();
    pass(2 * SECOND);
    expect("");
    pass(SECOND);
    expect("kill 4\n");
    w.handling = "count";
    exited(PROCESS, SIGKILL);
    expect("1: down 4.1 killed: killed: it did not stop in time while handling count\n1: gone 4\n");
}

static void a_later_stop_may_be_shorter(void **state) {
    (void)state;
    run(PROCESS);
    stop(PROCESS, TR_INFINITY);
    assert_true(w.timer == INT64_MAX);
    stop(PROCESS, 5 * SECOND);
    assert_true(w.timer == w.now + 5 * SECOND);
    stop(PROCESS, 9 * SECOND);
    assert_true(w.timer == w.now + 5 * SECOND);
    stop(PROCESS, TR_KILL);
    expect("4: stop_node 4 9223372036\nkill 4\n");
}

static void a_thread_cannot_be_killed(void **state) {
    (void)state;
    run(THREAD);
    stop(THREAD, SECOND);
    forget();
    pass(SECOND);
    expect("");
    assert_non_null(strstr(w.logs, "/t (node 2) does not stop"));
    assert_true(w.timer == INT64_MAX);
}

static void a_start_while_stopping(void **state) {
    (void)state;
    run(PROCESS);
    stop(PROCESS, SECOND);
    start(PROCESS);
    expect("4: stop_node 4 1\n");
    exited(PROCESS, EXITED(0));
    expect("1: down 4.1 stopped: stopped\nfork 4.2\n");
    stop(PROCESS, SECOND);
    start(PROCESS);
    stop(PROCESS, SECOND); /* changed its mind again */
    forget();
    exited(PROCESS, EXITED(0));
    expect("1: down 4.2 stopped: stopped\n1: gone 4\n");
}

static void deaths_have_a_text(void **state) {
    (void)state;
    run(TCP);
    w.handling = "count";
    start(PROCESS);
    forget();
    exited(PROCESS, SIGSEGV);
    expect("1: down 4.1 crashed: killed by signal 11 (SIGSEGV) while handling count\n"
           "5: down 4.1 crashed: killed by signal 11 (SIGSEGV) while handling count\n");
    assert_int_equal(w.down_status, SIGSEGV);
    assert_string_equal(w.logs, "/p (node 4, incarnation 1): killed by signal 11 (SIGSEGV) while "
                                "handling count\n");
    state_is(PROCESS, TR_NODE_DEAD);
    w.handling = "";
    start(PROCESS);
    forget();
    exited(PROCESS, EXITED(3));
    expect("1: down 4.2 crashed: exited with code 3\n5: down 4.2 crashed: exited with code 3\n");
    assert_int_equal(w.down_status, EXITED(3));
    start(PROCESS);
    forget();
    exited(PROCESS, EXITED(0));
    expect("1: down 4.3 crashed: exited without being asked to\n"
           "5: down 4.3 crashed: exited without being asked to\n");
    stop(PROCESS, SECOND);
    expect("1: gone 4\n5: gone 4\n"); /* its supervisor gave up on it */
}

static void failed(uint64_t process, const char *text) {
    struct tr_control message = { .type = TR_CONTROL_FAILED };
    tr_control_say(&message, "%s", text);
    hear(process, message);
}

/* Its own word, until the next incarnation has one; not that of a process that ends in order. */
static void a_process_may_say_why_it_fails(void **state) {
    (void)state;
    start(PROCESS);
    forget();
    failed(PROCESS, "could not be set up: cwd /nowhere");
    expect("");
    exited(PROCESS, EXITED(125));
    expect("1: down 4.1 crashed: could not be set up: cwd /nowhere\n");
    assert_int_equal(w.down_status, EXITED(125));
    run(PROCESS);
    exited(PROCESS, EXITED(3));
    expect("1: down 4.2 crashed: exited with code 3\n");
    run(PROCESS);
    failed(PROCESS, "not yet");
    stop(PROCESS, SECOND);
    exited(PROCESS, EXITED(0));
    forget();
    state_is(PROCESS, TR_NODE_GONE);
}

/* SIGABRT first, so that it says where it is; once, and then death. */
static void who_makes_no_progress_aborts(void **state) {
    (void)state;
    run(PROCESS);
    w.handling = "count in /p";
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_STUCK, "watchdog: no progress for 10.0 s", w.now);
    expect("abort 4\n");
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_FROZEN, "again", w.now);
    pass(SECOND);
    expect("");
    exited(PROCESS, SIGABRT);
    expect("1: down 4.1 stuck: watchdog: no progress for 10.0 s while handling count in /p\n");
    assert_int_equal(w.down_status, SIGABRT);
    w.handling = "";
    run(PROCESS);
    pass(10 * SECOND); /* nothing is left of it */
    exited(PROCESS, EXITED(3));
    expect("1: down 4.2 crashed: exited with code 3\n");
}

static void who_does_not_abort_is_killed(void **state) {
    (void)state;
    run(PROCESS);
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_FROZEN, "watchdog: it was stopped for 10.0 s", w.now);
    assert_int_equal(w.timer, w.now + TR_KEEPER_ABORT_PATIENCE);
    pass(TR_KEEPER_ABORT_PATIENCE - 1);
    expect("abort 4\n");
    pass(1);
    expect("kill 4\n");
    pass(10 * SECOND);
    expect("");
    exited(PROCESS, SIGKILL);
    expect("1: down 4.1 frozen: watchdog: it was stopped for 10.0 s\n");
}

static void who_stops_in_time_has_stopped(void **state) {
    (void)state;
    run(PROCESS);
    stop(PROCESS, SECOND);
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_STUCK, "watchdog: no progress for 10.0 s", w.now);
    forget();
    exited(PROCESS, EXITED(0));
    expect("1: down 4.1 stopped: stopped\n1: gone 4\n");
}

static void who_has_too_much_memory_is_killed(void **state) {
    (void)state;
    run(PROCESS);
    tr_keeper_exceeded(w.keeper, PROCESS, "out of memory: 9 of 8");
    tr_keeper_exceeded(w.keeper, PROCESS, "again");
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_STUCK, "too late", w.now);
    expect("kill 4\n");
    exited(PROCESS, SIGKILL);
    expect("1: down 4.1 no memory: out of memory: 9 of 8\n");
    tr_keeper_exceeded(w.keeper, PROCESS, "it is gone");
    tr_keeper_stuck(w.keeper, PROCESS, TR_CAUSE_STUCK, "it is gone", w.now);
    expect("");
}

/* A program that is executed may be any program. */
static void who_is_executed_is_ready_in_time(void **state) {
    (void)state;
    start(SPAWNED);
    expect("fork 6.1\n");
    pass(TR_KEEPER_SPAWN_PATIENCE - 1);
    expect("");
    pass(1);
    expect("kill 6\n");
    exited(SPAWNED, SIGKILL);
    expect("1: down 6.1 crashed: it was not ready in time: is it a program of Troupe?\n");
    start(SPAWNED);
    forget();
    exited(SPAWNED, EXITED(0));
    expect("1: down 6.2 crashed: exited with code 0 before it was ready: is it a program of Troupe?\n");
    run(SPAWNED);
    pass(10 * TR_KEEPER_SPAWN_PATIENCE);
    expect("");
    exited(SPAWNED, EXITED(3));
    expect("1: down 6.3 crashed: exited with code 3\n");
}

static void main_may_say_why_it_fails(void **state) {
    (void)state;
    failed(MAIN, "could not be set up: user nobody");
    exited(MAIN, EXITED(125));
    expect("exit 2\n");
    assert_non_null(strstr(w.logs, "main (node 1, incarnation 1): could not be set up: user nobody\n"));
    strcpy(w.actions, "exit 2\n");
}

static void a_fork_may_fail(void **state) {
    (void)state;
    start(PROCESS);
    forget();
    tr_keeper_failed(w.keeper, PROCESS, "fork: no memory", w.now);
    expect("1: down 4.1 crashed: could not be started: fork: no memory\n");
    assert_int_equal(w.down_status, -1);
    start(PROCESS);
    expect("fork 4.2\n");
}

static void broken_processes_are_killed(void **state) {
    (void)state;
    run(PROCESS);
    tr_keeper_broken(w.keeper, PROCESS, "it closed its control socket", w.now);
    tr_keeper_broken(w.keeper, PROCESS, "again", w.now);
    expect("kill 4\n");
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_SHUTDOWN }); /* nobody listens to it */
    expect("");
    exited(PROCESS, SIGKILL);
    expect("1: down 4.1 crashed: it closed its control socket\n");
}

static void nobody_speaks_for_others(void **state) {
    (void)state;
    static const struct tr_control wrong[] = {
        { .type = TR_CONTROL_READY, .node = MAIN },
        { .type = TR_CONTROL_CONNECT, .node = MAIN, .peer = PROCESS },
        { .type = TR_CONTROL_CONNECT, .node = PROCESS, .peer = PROCESS },
        { .type = TR_CONTROL_CONNECT, .node = PROCESS, .peer = 99 },
        { .type = TR_CONTROL_STOPPED, .node = THREAD },
        { .type = TR_CONTROL_STOPPED, .node = PROCESS },
        { .type = TR_CONTROL_START, .node = MAIN },
        { .type = TR_CONTROL_STOP, .node = MAIN },
        { .type = TR_CONTROL_START, .node = 99 },
        { .type = TR_CONTROL_START },
        { .type = TR_CONTROL_DOWN, .node = PROCESS },
        { .type = TR_CONTROL_TYPES },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        run(PROCESS);
        hear(PROCESS, wrong[i]);
        expect("kill 4\n");
        exited(PROCESS, SIGKILL);
        forget();
    }
}

static void who_comes_late_is_forgiven(void **state) {
    (void)state;
    run(THREAD);
    ended(THREAD, "");
    forget();
    ended(THREAD, "");
    ready(THREAD);
    lane(THREAD, PROCESS);
    listening(MAIN, 77, "inproc://x");
    exited(PROCESS, SIGKILL);
    tr_keeper_failed(w.keeper, PROCESS, "late", w.now);
    tr_keeper_broken(w.keeper, PROCESS, "late", w.now);
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_SHUTDOWN });
    hear(99, (struct tr_control){ .type = TR_CONTROL_SHUTDOWN });
    expect("");
}

/* ---- Lanes ---- */

static void a_lane(void **state) {
    (void)state;
    run(THREAD);
    run(OTHER_THREAD);
    lane(THREAD, OTHER_THREAD);
    expect("1: listen 3.1 2.1 lane 1 ledger 1 inproc\n");
    struct tr_control listen = w.listen;
    assert_string_equal(listen.url, "inproc://troupe-02020202020202020202020202020202");
    assert_int_equal(listen.token[31], 1);
    lane(THREAD, OTHER_THREAD); /* an impatient asker */
    lane(OTHER_THREAD, THREAD); /* a crossing */
    expect("");
    listening(MAIN, 1, "inproc://elsewhere");
    expect("1: dial 2.1 3.1 lane 1 ledger 1 inproc\n");
    assert_string_equal(w.listen.url, listen.url); /* the name is the keeper's */
    assert_memory_equal(w.listen.token, listen.token, sizeof listen.token);
    listening(MAIN, 1, "inproc://again");
    expect("");
    assert_true(w.timer == INT64_MAX);
}

static void a_lane_between_processes_is_there_at_once(void **state) {
    (void)state;
    run(PROCESS);
    lane(MAIN, PROCESS);
    expect("4: listen 4.1 1.1 lane 1 ledger 1 ipc\n1: dial 1.1 4.1 lane 1 ledger 1 ipc\n");
    assert_int_equal(w.listen.token[31], 1);
    lane(MAIN, PROCESS); /* an impatient asker */
    lane(PROCESS, MAIN); /* a crossing */
    listening(PROCESS, 1, "socket:");
    expect("");
    assert_true(w.timer == INT64_MAX);
    newer_lane(PROCESS, MAIN, 1); /* it broke */
    expect("1: listen 1.1 4.1 lane 2 ledger 1 ipc\n4: dial 4.1 1.1 lane 2 ledger 1 ipc\n");
    newer_lane(MAIN, PROCESS, 1); /* for the other end too, which has not heard of the new one yet */
    expect("");
}

static void a_new_lane_has_a_new_name_and_the_old_ledger(void **state) {
    (void)state;
    run(THREAD);
    lane(MAIN, THREAD);
    listening(MAIN, 1, "inproc://x");
    forget();
    struct tr_control first = w.listen;
    lane(THREAD, MAIN);
    expect("1: listen 1.1 2.1 lane 2 ledger 1 inproc\n");
    assert_string_not_equal(w.listen.url, first.url);
    assert_memory_not_equal(w.listen.token, first.token, sizeof first.token);
}

static void kinds_of_lanes(void **state) {
    (void)state;
    run(THREAD);
    run(OTHER_THREAD);
    run(PROCESS);
    run(TCP);
    lane(THREAD, OTHER_THREAD);
    expect("1: listen 3.1 2.1 lane 1 ledger 1 inproc\n");
    assert_memory_equal(w.listen.url, "inproc://troupe-", 16);
    lane(MAIN, THREAD);
    expect("1: listen 2.1 1.1 lane 2 ledger 2 inproc\n");
    lane(THREAD, PROCESS);
    expect("4: listen 4.1 2.1 lane 3 ledger 3 ipc\n1: dial 2.1 4.1 lane 3 ledger 3 ipc\n");
    lane(PROCESS, TCP);
    expect("5: listen 5.1 4.1 lane 4 ledger 4 tcp\n");
    assert_string_equal(w.listen.url, "tcp://127.0.0.1:0");
    lane(TCP, MAIN);
    expect("1: listen 1.1 5.1 lane 5 ledger 5 tcp\n");
}

static void a_tcp_listener_chooses_its_port_alone(void **state) {
    (void)state;
    static const char *const wrong[] = { "tcp://10.0.0.1:80",    "tcp://127.0.0.1:",
                                         "tcp://127.0.0.1:0",    "tcp://127.0.0.1:123456",
                                         "tcp://127.0.0.1:80/x", "tcp://127.0.0.1.evil:80" };
    run(TCP);
    lane(MAIN, TCP);
    forget();
    listening(TCP, 1, "tcp://127.0.0.1:4711");
    expect("1: dial 1.1 5.1 lane 1 ledger 1 tcp\n");
    assert_string_equal(w.listen.url, "tcp://127.0.0.1:4711");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        lane(MAIN, TCP);
        forget();
        listening(TCP, i + 2, wrong[i]);
        expect("kill 5\n");
        exited(TCP, SIGKILL);
        run(TCP);
    }
}

static void a_lane_waits_for_its_listener(void **state) {
    (void)state;
    lane(MAIN, PROCESS);
    expect("");
    assert_true(w.timer == INT64_MAX);
    start(PROCESS);
    pass(60 * SECOND);
    expect("fork 4.1\n");
    ready(PROCESS);
    expect("4: listen 4.1 1.1 lane 1 ledger 1 ipc\n1: dial 1.1 4.1 lane 1 ledger 1 ipc\n");
}

static void two_that_ask_each_other_do_not_wait(void **state) {
    (void)state;
    start(PROCESS);
    start(TCP);
    lane(PROCESS, TCP);
    forget();
    lane(TCP, PROCESS);
    expect("5: listen 5.1 4.1 lane 1 ledger 1 tcp\n");
}

static void a_lane_to_who_is_gone(void **state) {
    (void)state;
    stop(PROCESS, SECOND);
    forget();
    lane(MAIN, PROCESS);
    expect("1: gone 4\n");
    assert_int_equal(tr_keeper_pairs(w.keeper), 0);
}

static void a_stop_drops_the_waiting_lane(void **state) {
    (void)state;
    lane(MAIN, PROCESS);
    assert_int_equal(tr_keeper_pairs(w.keeper), 1);
    stop(PROCESS, SECOND);
    expect("1: gone 4\n");
    assert_int_equal(tr_keeper_pairs(w.keeper), 0);
}

static void a_silent_listener(void **state) {
    (void)state;
    run(TCP);
    lane(MAIN, TCP);
    forget();
    pass(TR_KEEPER_LANE_PATIENCE - 1);
    expect("");
    pass(1);
    expect("1: refused 1 5 lane 1: the other node did not answer in time\n"
           "5: refused 5 1 lane 1: the other node did not answer in time\n");
    listening(TCP, 1, "tcp://127.0.0.1:80");
    expect("");
    lane(MAIN, TCP);
    expect("5: listen 5.1 1.1 lane 2 ledger 1 tcp\n");
}

static void a_listener_that_fails(void **state) {
    (void)state;
    run(TCP);
    lane(MAIN, TCP);
    forget();
    struct tr_control message = { .type = TR_CONTROL_LISTEN_FAILED, .lane = 1 };
    tr_control_say(&message, "address in use");
    hear(MAIN, message);
    expect("kill 1\n"); /* not main's to say */
}

static void a_refused_lane_may_be_asked_for_again(void **state) {
    (void)state;
    run(TCP);
    lane(MAIN, TCP);
    forget();
    struct tr_control message = { .type = TR_CONTROL_LISTEN_FAILED, .lane = 1 };
    tr_control_say(&message, "address in use");
    hear(TCP, message);
    expect("1: refused 1 5 lane 1: address in use\n5: refused 5 1 lane 1: address in use\n");
    lane(MAIN, TCP);
    expect("5: listen 5.1 1.1 lane 2 ledger 1 tcp\n");
}

static void a_death_drops_lanes_and_ledgers(void **state) {
    (void)state;
    run(PROCESS);
    run(TCP);
    lane(MAIN, PROCESS);
    lane(TCP, PROCESS);
    forget();
    exited(PROCESS, SIGKILL);
    expect("forget 2\nforget 1\n1: down 4.1 killed: killed by signal 9 (SIGKILL)\n"
           "5: down 4.1 killed: killed by signal 9 (SIGKILL)\n");
    assert_int_equal(tr_keeper_pairs(w.keeper), 0);
    lane(MAIN, PROCESS); /* asks again, and waits for the next one */
    start(PROCESS);
    ready(PROCESS);
    expect("fork 4.2\n4: listen 4.2 1.1 lane 3 ledger 3 ipc\n1: dial 1.1 4.2 lane 3 ledger 3 ipc\n");
}

/* ---- Main ---- */

static void main_dies(void **state) {
    (void)state;
    run(THREAD);
    run(PROCESS);
    run(TCP);
    exited(MAIN, SIGKILL);
    expect("kill 4\nkill 5\n");
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_START, .node = THREAD });
    exited(TCP, SIGKILL);
    expect("");
    exited(PROCESS, SIGKILL);
    expect("fork 1.2\n");
    state_is(THREAD, TR_NODE_IDLE);
    state_is(PROCESS, TR_NODE_IDLE);
    ready(MAIN);
    start(THREAD);
    start(PROCESS);
    expect("1: start_node 2.2\nfork 4.2\n");
}

static void main_dies_too_often(void **state) {
    (void)state;
    exited(MAIN, EXITED(1));
    exited(MAIN, SIGABRT);
    expect("fork 1.2\nfork 1.3\n");
    pass(6 * SECOND); /* long ago, by now */
    exited(MAIN, SIGABRT);
    pass(SECOND);
    exited(MAIN, SIGABRT);
    expect("fork 1.4\nfork 1.5\n");
    run(PROCESS);
    exited(MAIN, SIGABRT);
    expect("kill 4\n");
    assert_non_null(
        strstr(w.logs, "main died too often (more than 2 times in 5000 ms): giving up"));
    exited(PROCESS, SIGKILL);
    expect("exit 2\n");
    strcpy(w.actions, "exit 2\n");
}

static void main_cannot_start(void **state) {
    (void)state;
    exited(MAIN, EXITED(1));
    expect("exit 2\n");
    assert_non_null(strstr(w.logs, "main cannot start: giving up"));
    strcpy(w.actions, "exit 2\n");
}

static void main_cannot_be_made(void **state) {
    (void)state;
    tr_keeper_failed(w.keeper, MAIN, "fork: no memory", w.now);
    expect("exit 2\n");
    assert_non_null(strstr(w.logs, "could not be started: fork: no memory"));
    strcpy(w.actions, "exit 2\n");
}

static void main_may_be_killed_before_it_is_ready(void **state) {
    (void)state;
    exited(MAIN, SIGKILL);
    expect("fork 1.2\n");
    exited(MAIN, EXITED(1)); /* it has been there: its intensity decides */
    expect("fork 1.3\n");
}

static void main_is_done(void **state) {
    (void)state;
    run(PROCESS);
    exited(MAIN, EXITED(0));
    expect("kill 4\n");
    exited(PROCESS, SIGKILL);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void main_gives_up(void **state) {
    (void)state;
    struct tr_control message = { .type = TR_CONTROL_GAVE_UP };
    tr_control_say(&message, "/p died 4 times");
    hear(MAIN, message);
    assert_string_equal(w.logs, "main gives up: /p died 4 times\n");
    exited(MAIN, EXITED(2));
    expect("exit 2\n");
    strcpy(w.actions, "exit 2\n");
}

/* ---- Shutdown ---- */

static void a_signal_stops_in_order(void **state) {
    (void)state;
    run(PROCESS);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("1: stop_node 1 10\n");
    start(TCP); /* a supervisor in main that does not know yet: it would wait for ever */
    expect("fork 5.1\n");
    stop(PROCESS, SECOND);
    exited(PROCESS, EXITED(0));
    expect("4: stop_node 4 1\n1: down 4.1 stopped: stopped\n5: down 4.1 stopped: stopped\n"
           "1: gone 4\n5: gone 4\n");
    exited(MAIN, EXITED(0));
    expect("kill 5\n");
    exited(TCP, SIGKILL);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void a_node_asks_for_the_shutdown(void **state) {
    (void)state;
    run(PROCESS);
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_SHUTDOWN });
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_SHUTDOWN });
    tr_keeper_signal(w.keeper, SIGINT, w.now); /* the first signal */
    expect("1: stop_node 1 10\n");
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("kill 1\nkill 4\n");
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    exited(MAIN, SIGKILL);
    exited(PROCESS, SIGKILL);
    expect("exit 143\n");
    strcpy(w.actions, "exit 143\n");
}

/* Said before it was told to stop, and heard after: nobody would stop what it starts. */
static void a_late_start_of_one_that_stops(void **state) {
    (void)state;
    run(PROCESS);
    run(TCP);
    stop(PROCESS, SECOND);
    stop(TCP, SECOND);
    forget();
    hear(PROCESS, (struct tr_control){ .type = TR_CONTROL_START, .node = TCP });
    exited(TCP, EXITED(0));
    expect("1: down 5.1 stopped: stopped\n4: down 5.1 stopped: stopped\n1: gone 5\n4: gone 5\n");
}

static void a_signal_that_is_sent_twice_at_once(void **state) {
    (void)state;
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("1: stop_node 1 10\n");
    pass(TR_KEEPER_ECHO - 1);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("");
    pass(1);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("kill 1\n");
    exited(MAIN, SIGKILL);
    expect("exit 143\n");
    strcpy(w.actions, "exit 143\n");
}

static void the_deadline_names_survivors(void **state) {
    (void)state;
    run(THREAD);
    run(PROCESS);
    tr_keeper_signal(w.keeper, SIGINT, w.now);
    forget();
    pass(10 * SECOND);
    expect("kill 1\nkill 4\n");
    assert_string_equal(w.logs, "main (node 1) did not stop in time (stopping): killed\n"
                                "/t (node 2) did not stop in time (running): killed\n"
                                "/p (node 4) did not stop in time (running): killed\n");
    exited(MAIN, SIGKILL);
    exited(PROCESS, SIGKILL);
    expect("exit 137\n");
    strcpy(w.actions, "exit 137\n");
}

static void main_dies_in_the_shutdown(void **state) {
    (void)state;
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    forget();
    exited(MAIN, SIGSEGV);
    expect("exit 2\n");
    strcpy(w.actions, "exit 2\n");
}

static void a_shutdown_while_main_is_restarted(void **state) {
    (void)state;
    run(PROCESS);
    exited(MAIN, SIGSEGV);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("kill 4\n");
    exited(PROCESS, SIGKILL);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* ---- External programs ---- */

static void a_program_that_nobody_wants_is_asked_and_then_killed(void **state) {
    (void)state;
    assert_null(command(1, false));
    assert_null(command(2, false));
    tr_keeper_command_end(w.keeper, 1, true, w.now);
    expect("signal 1 2\n");
    tr_keeper_command_end(w.keeper, 1, false, w.now);
    pass(1 * SECOND);
    expect("");
    pass(1 * SECOND);
    expect("signal 1 9\n");
    pass(TR_KEEPER_KILL_PATIENCE - 1);
    expect("");
    tr_keeper_command_exited(w.keeper, 1);
    tr_keeper_command_end(w.keeper, 1, true, w.now);
    expect("");
    assert_int_equal(tr_keeper_commands(w.keeper), 1);
    tr_keeper_command_exited(w.keeper, 2);
}

static void a_program_without_grace_is_killed_at_once(void **state) {
    (void)state;
    const struct tr_command_rules rules = { false, SIGINT, 0 }, kill = { false, SIGKILL, 5 * SECOND };
    assert_null(tr_keeper_command(w.keeper, 1, &rules));
    assert_null(tr_keeper_command(w.keeper, 2, &kill));
    tr_keeper_command_end(w.keeper, 1, false, w.now);
    tr_keeper_command_end(w.keeper, 2, false, w.now);
    expect("signal 1 9\nsignal 2 9\n");
    tr_keeper_command_exited(w.keeper, 1);
    tr_keeper_command_exited(w.keeper, 2);
}

static void a_detached_program_is_let_go(void **state) {
    (void)state;
    assert_null(command(1, true));
    assert_null(command(2, true));
    tr_keeper_command_end(w.keeper, 1, false, w.now); /* asked for by its owner */
    expect("signal 1 2\n");
    tr_keeper_command_end(w.keeper, 2, true, w.now);
    expect("release 2\n");
    assert_int_equal(tr_keeper_commands(w.keeper), 1);
    tr_keeper_command_exited(w.keeper, 1);
}

static void the_end_waits_for_programs(void **state) {
    (void)state;
    assert_null(command(1, false));
    assert_null(command(2, true));
    assert_null(command(3, false));
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    forget();
    exited(MAIN, EXITED(0));
    expect("signal 3 2\nrelease 2\nsignal 1 2\n");
    assert_string_equal(command(4, false), "the application ends");
    tr_keeper_command_exited(w.keeper, 3);
    pass(2 * SECOND);
    expect("signal 1 9\n");
    tr_keeper_command_exited(w.keeper, 1);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void no_longer_than_the_shutdown_may_take(void **state) {
    (void)state;
    const struct tr_command_rules rules = { false, SIGTERM, 1000 * SECOND };
    assert_null(tr_keeper_command(w.keeper, 1, &rules));
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    pass(4 * SECOND);
    exited(MAIN, EXITED(0));
    forget();
    pass(6 * SECOND - 1);
    expect("");
    pass(1);
    expect("signal 1 9\n");
    tr_keeper_command_exited(w.keeper, 1);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void a_second_signal_waits_for_none(void **state) {
    (void)state;
    assert_null(command(1, false));
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    exited(MAIN, EXITED(0));
    forget();
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect(""); /* its echo */
    pass(TR_KEEPER_ECHO);
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    expect("signal 1 9\n");
    tr_keeper_command_exited(w.keeper, 1);
    expect("exit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void programs_of_an_earlier_life_are_gone_before_main_starts(void **state) {
    (void)state;
    assert_null(command(1, false));
    exited(MAIN, SIGSEGV);
    assert_non_null(strstr(w.actions, "signal 1 9\n"));
    forget();
    assert_string_equal(command(2, false), "the application ends");
    tr_keeper_command_exited(w.keeper, 1);
    expect("fork 1.2\n");
}

/* One with another user's rights. */
static void the_end_does_not_wait_for_one_that_cannot_be_killed(void **state) {
    (void)state;
    assert_null(command(1, false));
    tr_keeper_signal(w.keeper, SIGTERM, w.now);
    exited(MAIN, EXITED(0));
    pass(2 * SECOND);
    forget();
    pass(TR_KEEPER_KILL_PATIENCE - 1);
    expect("");
    pass(1);
    expect("release 1\nexit 0\n");
    strcpy(w.actions, "exit 0\n");
}

static void no_more_programs_than_allowed(void **state) {
    (void)state;
    for (uint64_t i = 1; i <= TR_KEEPER_COMMANDS; i++) assert_null(command(i, false));
    assert_string_equal(command(TR_KEEPER_COMMANDS + 1, false), "too many programs run");
    for (uint64_t i = 1; i <= TR_KEEPER_COMMANDS; i++) tr_keeper_command_exited(w.keeper, i);
    expect("");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        RULE(a_process_starts_once),
        RULE(a_thread_starts_in_its_host),
        RULE(a_thread_may_fail),
        RULE(a_stop_in_order),
        RULE(a_stop_before_the_start),
        RULE(a_stop_too_late),
        RULE(a_later_stop_may_be_shorter),
        RULE(a_thread_cannot_be_killed),
        RULE(a_start_while_stopping),
        RULE(deaths_have_a_text),
        RULE(who_is_executed_is_ready_in_time),
        RULE(who_makes_no_progress_aborts),
        RULE(who_does_not_abort_is_killed),
        RULE(who_stops_in_time_has_stopped),
        RULE(who_has_too_much_memory_is_killed),
        RULE(a_process_may_say_why_it_fails),
        cmocka_unit_test_setup_teardown(main_may_say_why_it_fails, begin_at_once, end),
        RULE(a_fork_may_fail),
        RULE(broken_processes_are_killed),
        RULE(nobody_speaks_for_others),
        RULE(who_comes_late_is_forgiven),
        RULE(a_lane),
        RULE(a_lane_between_processes_is_there_at_once),
        RULE(a_new_lane_has_a_new_name_and_the_old_ledger),
        RULE(kinds_of_lanes),
        RULE(a_tcp_listener_chooses_its_port_alone),
        RULE(a_lane_waits_for_its_listener),
        RULE(two_that_ask_each_other_do_not_wait),
        RULE(a_lane_to_who_is_gone),
        RULE(a_stop_drops_the_waiting_lane),
        RULE(a_silent_listener),
        RULE(a_listener_that_fails),
        RULE(a_refused_lane_may_be_asked_for_again),
        RULE(a_death_drops_lanes_and_ledgers),
        RULE(main_dies),
        RULE(main_dies_too_often),
        cmocka_unit_test_setup_teardown(main_cannot_start, begin_at_once, end),
        cmocka_unit_test_setup_teardown(main_cannot_be_made, begin_at_once, end),
        cmocka_unit_test_setup_teardown(main_may_be_killed_before_it_is_ready, begin_at_once, end),
        RULE(main_is_done),
        RULE(main_gives_up),
        RULE(a_signal_stops_in_order),
        RULE(a_node_asks_for_the_shutdown),
        RULE(a_late_start_of_one_that_stops),
        RULE(a_signal_that_is_sent_twice_at_once),
        RULE(the_deadline_names_survivors),
        RULE(main_dies_in_the_shutdown),
        RULE(a_shutdown_while_main_is_restarted),
        RULE(a_program_that_nobody_wants_is_asked_and_then_killed),
        RULE(a_program_without_grace_is_killed_at_once),
        RULE(a_detached_program_is_let_go),
        RULE(the_end_waits_for_programs),
        RULE(no_longer_than_the_shutdown_may_take),
        RULE(a_second_signal_waits_for_none),
        RULE(programs_of_an_earlier_life_are_gone_before_main_starts),
        RULE(the_end_does_not_wait_for_one_that_cannot_be_killed),
        RULE(no_more_programs_than_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
