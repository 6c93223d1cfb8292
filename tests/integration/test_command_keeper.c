/*
 * The keeper's side of external programs, with owners that nobody vouches for: what they send is answered or ends what
 * is theirs, and nothing is left of any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "place/command_request.h"
#include "place/commands.h"

/* ---- A keeper that has nothing but programs ---- */

static struct {
    struct tr_keeper *keeper;
    struct tr_commands *commands;
    int descriptors;
} w;

static void on_fork(void *context, uint64_t node, uint64_t incarnation) { (void)context, (void)node, (void)incarnation; }
static void on_node(void *context, uint64_t node) { (void)context, (void)node; }
static void on_send(void *context, uint64_t process, const struct tr_control *message) {
    (void)context, (void)process, (void)message;
}
static void on_describe(void *context, uint64_t node, char *text, size_t size) {
    (void)context, (void)node, (void)text, (void)size;
}
static void on_random(void *context, void *bytes, size_t size) { (void)context, memset(bytes, 7, size); }
static void on_timer(void *context, int64_t at) { (void)context, (void)at; }
static void on_log(void *context, const char *line) { (void)context, (void)line; }
static void on_signal(void *context, uint64_t number, int signal) {
    (void)context;
    tr_commands_signal(w.commands, number, signal);
}
static void on_release(void *context, uint64_t number) {
    (void)context;
    tr_commands_release(w.commands, number);
}
static void on_exit_code(void *context, int code) { (void)context, (void)code; }

static const struct tr_keeper_io io = { .fork_node = on_fork, .kill_node = on_node, .abort_node = on_node,
                                        .lives = on_fork, .send = on_send, .forget_ledger = on_node,
                                        .describe = on_describe, .random = on_random, .timer = on_timer,
                                        .log = on_log, .signal_command = on_signal, .release_command = on_release,
                                        .exit = on_exit_code };

static int count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static int begin(void **state) {
    static const struct tr_node_spec main = { 1, TR_NODE_MAIN, 0, TR_LANE_IPC, TR_START_FORK, "main" };
    const struct tr_keeper_rules rules = { &main, 1, 1000000000, 0, 1 };
    (void)state;
    w.descriptors = count_descriptors();
    w.keeper = tr_keeper_new(&rules, &io, NULL);
    tr_keeper_begin(w.keeper, 1);
    w.commands = tr_commands_new(w.keeper, NULL, true);
    return w.commands == NULL;
}

/* No program, descriptor or child is left: neither a zombie, nor the undertaker. */
static int end(void **state) {
    (void)state;
    if (tr_keeper_commands(w.keeper) != 0) return 1;
    tr_commands_free(w.commands);
    tr_keeper_free(w.keeper);
    if (count_descriptors() != w.descriptors) return 1;
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1;
}

/* ---- Owners ---- */

static int new_owner(int type) {
    int sockets[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
    tr_commands_take(w.commands, sockets[1]);
    return sockets[0];
}

static bool is_ready(int descriptor) {
    struct pollfd one = { .fd = descriptor, .events = POLLIN };
    return poll(&one, 1, 0) == 1;
}

/* Lets the keeper work until it has said something to this owner, or hung up. */
static enum tr_control_result await(int owner, struct tr_control *message) {
    const char *error;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    for (int turn = 0; turn < 20000 && !is_ready(owner); turn++) {
        struct pollfd one = { .fd = tr_commands_descriptor(w.commands), .events = POLLIN };
        poll(&one, 1, 1);
        tr_commands_turn(w.commands, 1);
    }
    assert_true(is_ready(owner));
    return tr_control_receive(owner, TR_CONTROL_TO_NODE, message, descriptors, &error);
}

static void await_end(int owner) {
    struct tr_control message;
    assert_int_equal(await(owner, &message), TR_CONTROL_CLOSED);
    close(owner);
}

static void await_failure(int owner, int error, const char *text) {
    struct tr_control message;
    assert_int_equal(await(owner, &message), TR_CONTROL_OK);
    assert_int_equal(message.type, TR_CONTROL_COMMAND_FAILED);
    assert_int_equal(message.status, error);
    assert_string_equal(message.text, text);
    await_end(owner);
}

static void ask(int owner, char *const *arguments, uint32_t says, uint32_t gives) {
    static uint8_t bytes[TR_COMMAND_REQUEST_SIZE];
    static char *const environment[] = { NULL };
    char *const programs[] = { arguments[0], NULL };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), descriptors[TR_COMMAND_DESCRIPTORS];
    for (int i = 0; i < TR_COMMAND_DESCRIPTORS; i++) descriptors[i] = null;
    const struct tr_command_request request = { .programs = programs, .arguments = arguments,
                                                .environment = environment, .directory = "", .name = "it",
                                                .descriptors = says, .user = -1, .group = -1, .signal = SIGTERM,
                                                .grace = 1000000000 };
    size_t size = tr_command_request_encode(&request, bytes);
    assert_true(tr_command_packet_send(owner, bytes, size, descriptors, gives));
    close(null);
}

static char *const sleeper[] = { "/bin/sleep", "1000", NULL }, *const nothing[] = { "/bin/true", NULL };

static pid_t await_start(int owner) {
    struct tr_control message;
    assert_int_equal(await(owner, &message), TR_CONTROL_OK);
    assert_int_equal(message.type, TR_CONTROL_COMMAND_STARTED);
    return (pid_t)message.status;
}

static void await_status(int owner, int status) {
    struct tr_control message;
    assert_int_equal(await(owner, &message), TR_CONTROL_OK);
    assert_int_equal(message.type, TR_CONTROL_COMMAND_ENDED);
    assert_int_equal(message.status, status);
    await_end(owner);
}

/* Its owner is gone and cannot be asked: until its process is. */
static void await_no_program(void) {
    for (int turn = 0; turn < 20000 && tr_keeper_commands(w.keeper) > 0; turn++) {
        struct pollfd one = { .fd = tr_commands_descriptor(w.commands), .events = POLLIN };
        poll(&one, 1, 1);
        tr_commands_turn(w.commands, 1);
    }
    assert_int_equal(tr_keeper_commands(w.keeper), 0);
}

/* ---- Tests ---- */

static void a_program_begins_and_ends(void **state) {
    (void)state;
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, nothing, 3, 3);
    await_start(owner);
    await_status(owner, 0);
}

static void no_socket_of_another_kind(void **state) {
    (void)state;
    await_end(new_owner(SOCK_STREAM));
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    tr_commands_take(w.commands, pipes[0]);
    assert_int_equal(fcntl(pipes[0], F_GETFD), -1);
    close(pipes[1]);
}

static void an_owner_that_leaves_at_once(void **state) {
    (void)state;
    close(new_owner(SOCK_SEQPACKET));
    tr_commands_turn(w.commands, 1);
}

static void garbage_is_answered(void **state) {
    (void)state;
    int owner = new_owner(SOCK_SEQPACKET);
    assert_int_equal(send(owner, "\xff\xff\xff", 3, 0), 3);
    struct tr_control message;
    assert_int_equal(await(owner, &message), TR_CONTROL_OK);
    assert_int_equal(message.type, TR_CONTROL_COMMAND_FAILED);
    assert_int_equal(message.status, EINVAL);
    await_end(owner);
}

static void descriptors_must_be_as_many_as_it_says(void **state) {
    (void)state;
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, nothing, 3, 5);
    await_failure(owner, EINVAL, "descriptors are missing");
    owner = new_owner(SOCK_SEQPACKET);
    ask(owner, nothing, 5, 3);
    await_failure(owner, EINVAL, "descriptors are missing");
}

static void nonsense_later_is_the_end(void **state) {
    (void)state;
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, sleeper, 3, 3);
    await_start(owner);
    assert_int_equal(send(owner, "nonsense", 8, 0), 8);
    await_end(owner);
    await_no_program();
}

static void a_second_request_is_nonsense(void **state) {
    (void)state;
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, sleeper, 3, 3);
    ask(owner, sleeper, 3, 3);
    await_start(owner);
    await_end(owner);
    await_no_program();
}

static void signals_go_to_its_own_alone(void **state) {
    (void)state;
    const struct tr_control signal = { .type = TR_CONTROL_COMMAND_SIGNAL, .signal = SIGUSR1 };
    int one = new_owner(SOCK_SEQPACKET), other = new_owner(SOCK_SEQPACKET);
    ask(one, sleeper, 3, 3);
    ask(other, sleeper, 3, 3);
    await_start(one);
    pid_t pid = await_start(other);
    assert_int_equal(tr_control_send(one, &signal, NULL), TR_CONTROL_OK);
    await_status(one, SIGUSR1);
    assert_int_equal(kill(pid, 0), 0);
    close(other);
    await_no_program();
}

static void an_order_to_end_is_one(void **state) {
    (void)state;
    const struct tr_control order = { .type = TR_CONTROL_COMMAND_END };
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, sleeper, 3, 3);
    await_start(owner);
    for (int i = 0; i < 3; i++) assert_int_equal(tr_control_send(owner, &order, NULL), TR_CONTROL_OK);
    await_status(owner, SIGTERM);
}

/* Neither are its descriptors seen by the program: beyond those that it was given there is none. */
static void nothing_else_is_inherited(void **state) {
    (void)state;
    static char *const look[] = { "/bin/sh", "-c", "set -- /proc/self/fd/*; test $# -le 5", NULL };
    int left = open("/dev/null", O_RDWR); /* for lack of O_CLOEXEC */
    int owner = new_owner(SOCK_SEQPACKET);
    ask(owner, look, 4, 4);
    await_start(owner);
    await_status(owner, 0); /* 0 to 3, and the folder */
    close(left);
}

#define COMMAND_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(a_program_begins_and_ends),
        COMMAND_TEST(no_socket_of_another_kind),
        COMMAND_TEST(an_owner_that_leaves_at_once),
        COMMAND_TEST(garbage_is_answered),
        COMMAND_TEST(descriptors_must_be_as_many_as_it_says),
        COMMAND_TEST(nonsense_later_is_the_end),
        COMMAND_TEST(a_second_request_is_nonsense),
        COMMAND_TEST(signals_go_to_its_own_alone),
        COMMAND_TEST(an_order_to_end_is_one),
        COMMAND_TEST(nothing_else_is_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
