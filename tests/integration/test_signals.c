/*
 * Signals for actors of a system in a program that owns its main, which blocks them: each who asks is told,
 * until it unasks or its run ends; nobody takes what was not asked for.
 */
#include "lib/system_test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ORDER(field) field(str, what) field(i32, signal)
TROUPE_MESSAGE(order, ORDER)

enum { TOLD_A, TOLD_B, MESSAGES_A };

struct guard {
    bool waits; /* in the handler of the next signal, for another one */
};
TROUPE_ON(guard, order) {
    if (strcmp(msg->what, "ask") == 0)
        board_note("ask %s", troupe_status_name(troupe_signal(self, msg->signal)));
    if (strcmp(msg->what, "unask") == 0)
        board_note("unask %s", troupe_status_name(troupe_unsignal(self, msg->signal)));
    if (strcmp(msg->what, "gate") == 0) gate_pass();
    if (strcmp(msg->what, "wait") == 0) me->waits = true;
    if (strcmp(msg->what, "note") == 0) board_note("note %d", msg->signal);
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(msg->what, "exit") == 0) {
        (void)troupe_exit(self);
        board_note("ask %s", troupe_status_name(troupe_signal(self, SIGUSR1)));
    }
    return TROUPE_OK;
}
static enum troupe_status wait_for_another(troupe_self *self, const struct troupe_signalled *msg) {
    const struct troupe_signalled before = *msg;
    gate_pass();
    enum troupe_status status = troupe_receive(self, TROUPE_MINUTE);
    bool same = msg->signal == before.signal && msg->count == before.count;
    board_note("%u, %s", msg->count, same ? "the same" : "another");
    return status;
}
TROUPE_ON(guard, troupe_signalled) {
    if (me->waits) {
        me->waits = false;
        return wait_for_another(self, msg);
    }
    bool a = strcmp(troupe_self_path(self), "/a") == 0;
    if (a) board_add(MESSAGES_A, 1);
    board_note("%s %d", troupe_self_path(self), msg->signal);
    board_add(a ? TOLD_A : TOLD_B, msg->count);
    return TROUPE_OK;
}
TROUPE_ACTOR(guard, TROUPE_HANDLES(guard, order, troupe_signalled))

struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    board_note("deaf %s", troupe_status_name(troupe_signal(self, msg->signal)));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

static const struct troupe_actor_type *const actors[] = { &guard_actor, &deaf_actor, NULL };
static const char tree[] = "{ threads: 2, tree: { restarts: 10, children: [ { name: a, actor: guard }, "
                           "{ name: b, actor: guard }, { name: deaf, actor: deaf }, "
                           "{ name: own, actor: guard, place: { thread: own } } ] } }";

static void tell(troupe_system *system, const char *who, const char *what, int signal) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), order, .what = what,
                                        .signal = signal),
                     TROUPE_OK);
}

static void send_signal(int signal) { assert_int_equal(kill(getpid(), signal), 0); }

static bool is_pending(int signal) {
    sigset_t set;
    assert_int_equal(sigpending(&set), 0);
    return sigismember(&set, signal) == 1;
}

static void take_pending(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    assert_int_equal(sigwaitinfo(&set, NULL), signal);
}

/* ---- Tests ---- */

static void each_who_asks_is_told(void **state) {
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "a", "ask", SIGUSR1);
    tell(system, "b", "ask", SIGUSR1);
    tell(system, "b", "ask", SIGHUP);
    board_await_times("ask ok", 3);
    send_signal(SIGUSR1);
    char a[32], b[32], hup[32];
    snprintf(a, sizeof a, "/a %d", SIGUSR1);
    snprintf(b, sizeof b, "/b %d", SIGUSR1);
    snprintf(hup, sizeof hup, "/b %d", SIGHUP);
    board_await(a);
    board_await(b);
    send_signal(SIGHUP);
    board_await(hup);
    send_signal(SIGUSR1);
    board_await_times(a, 2);
    board_await_times(b, 2);
    board_await_tally(TOLD_A, 2);
    board_await_tally(TOLD_B, 3);
    tell(system, "a", "ask", SIGUSR1); /* again: still one message each */
    board_await_times("ask ok", 4);
    send_signal(SIGUSR1);
    board_await_times(b, 3);
    board_await_times(a, 3);
    board_await_tally(TOLD_A, 3);
    board_await_tally(TOLD_B, 4);
    assert_int_equal(board_tally(TOLD_A) + board_tally(TOLD_B), 7);
    tell(system, "a", "unask", SIGUSR1);
    board_await("unask ok");
    tell(system, "a", "unask", SIGUSR1); /* it was one request, asked twice */
    board_await("unask gone");
    system_end(system, 0, NULL);
    assert_false(is_pending(SIGUSR1));
}

/* Who asked last is told first: when b has been told, a's message waits. */
static void what_waits_is_counted(void **state) {
    enum { TIMES = 50 };
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "b", "ask", SIGRTMIN + 1);
    board_await("ask ok");
    tell(system, "a", "ask", SIGRTMIN + 1);
    board_await_times("ask ok", 2);
    gate_close();
    tell(system, "a", "gate", 0);
    gate_await(1);
    for (int i = 0; i < TIMES; i++) send_signal(SIGRTMIN + 1);
    board_await_tally(TOLD_B, TIMES);
    gate_open();
    board_await_tally(TOLD_A, TIMES);
    assert_int_equal(board_tally(TOLD_A), TIMES);
    assert_int_equal(board_tally(MESSAGES_A), 1);
    system_end(system, 0, NULL);
}

/* While its handler waits in troupe_receive, others come, and are told within it. */
static void the_one_at_hand_stays_as_it_is(void **state) {
    enum { MORE = 3 };
    troupe_system *system = system_start(tree, actors);
    (void)state;
    tell(system, "b", "ask", SIGRTMIN + 1);
    board_await("ask ok");
    tell(system, "own", "ask", SIGRTMIN + 1);
    tell(system, "own", "wait", 0);
    board_await_times("ask ok", 2);
    gate_close();
    send_signal(SIGRTMIN + 1);
    gate_await(1);
    for (int i = 0; i < MORE; i++) send_signal(SIGRTMIN + 1);
    board_await_tally(TOLD_B, 1 + MORE);
    gate_open();
    board_await_tally(TOLD_B, 1 + MORE + MORE);
    board_await("1, the same");
    system_end(system, 0, NULL);
}

/* The signal comes while a is about to unask, to fail or to exit. */
static void nothing_after_unask_or_the_end(void **state) {
    static const char *const ends[] = { "unask", "fail", "unask", "fail", "exit" };
    enum { ROUNDS = sizeof ends / sizeof *ends };
    troupe_system *system = system_start(tree, actors);
    char note[32];
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        tell(system, "b", "ask", SIGUSR2);
        board_await_times("ask ok", 2 * (uint32_t)i + 1);
        tell(system, "a", "ask", SIGUSR2);
        board_await_times("ask ok", 2 * (uint32_t)i + 2);
        gate_close();
        tell(system, "a", "gate", 0);
        gate_await(1);
        tell(system, "a", ends[i], SIGUSR2);
        send_signal(SIGUSR2);
        board_await_tally(TOLD_B, i + 1);
        tell(system, "b", "unask", SIGUSR2);
        gate_open();
        tell(system, "a", "note", i);
        tell(system, "b", "note", i);
        snprintf(note, sizeof note, "note %d", i);
        board_await_times(note, 2);
        assert_int_equal(board_tally(MESSAGES_A), 0);
        send_signal(SIGUSR2);
        assert_true(is_pending(SIGUSR2)); /* nobody's any more: left to the program */
        take_pending(SIGUSR2);
    }
    system_end(system, 0, NULL);
}

static void some_are_refused(void **state) {
    static const int refused[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT,
                                   SIGTRAP, SIGSYS,  SIGINT,  SIGTERM, SIGCHLD, SIGPIPE, SIGTSTP,
                                   0,       -1,      1000 };
    enum { COUNT = sizeof refused / sizeof *refused };
    troupe_system *system = system_start(tree, actors);
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) tell(system, "a", "ask", refused[i]);
    board_await_times("ask invalid", COUNT);
    tell(system, "deaf", "", SIGUSR1);
    board_await("deaf invalid");
    tell(system, "a", "unask", SIGUSR1);
    board_await("unask gone");
    tell(system, "a", "exit", 0);
    board_await("ask stopping");
    send_signal(SIGUSR1);
    assert_true(is_pending(SIGUSR1));
    take_pending(SIGUSR1);
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_who_asks_is_told),
        cmocka_unit_test(what_waits_is_counted),
        cmocka_unit_test(the_one_at_hand_stays_as_it_is),
        cmocka_unit_test(nothing_after_unask_or_the_end),
        cmocka_unit_test(some_are_refused),
    };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 1);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
