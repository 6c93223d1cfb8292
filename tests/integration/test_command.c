/*
 * External programs as actors, in a system of one process: what their owners are told, what they can be told, what is
 * refused, and that nothing of them is left, whatever they do. In processes of their own: commands.py.
 */
#include "lib/system_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 0, CHUNKS = 1, HELD = 2, ENDED = 3, WRITTEN = 4 };

/* What the owner is to do: to start a program, and to say something to it when it runs. */
#define ORDER(field)                                                                               \
    field(str, line) field(message(troupe_program), program) field(bool, holds) field(bool, quiet) field(str, input) \
    field(bool, finish) field(i32, signal) field(bool, abort) field(str, above)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(let_go)
#define FLOOD(field) field(u32, rounds)
TROUPE_MESSAGE(flood, FLOOD)

struct owner {
    troupe_address command;
    bool holds, quiet, finish, abort;
    int signal;
    char input[256];
    struct troupe_asker held;
    uint32_t rounds;
    bool closed;
};

static void escape(const struct troupe_bytes *data, char *text, size_t size) {
    const unsigned char *bytes = data->data;
    size_t used = 0;
    for (uint32_t i = 0; i < data->size && used + 5 < size; i++) {
        if (bytes[i] >= ' ' && bytes[i] < 0x7f) text[used++] = (char)bytes[i];
        else used += (size_t)snprintf(text + used, size - used, "\\x%02x", bytes[i]);
    }
    text[used] = '\0';
}

TROUPE_ON(owner, order) {
    struct troupe_program program = msg->program;
    me->holds = msg->holds;
    me->quiet = msg->quiet;
    me->finish = msg->finish;
    me->signal = msg->signal;
    me->abort = msg->abort;
    snprintf(me->input, sizeof me->input, "%s", msg->input);
    if (msg->line[0] != '\0') program.shell = msg->line;
    program.to = troupe_self_address(self);
    if (msg->above[0] != '\0')
        return troupe_ask_start_child_of(self, troupe_lookup(self, msg->above), TROUPE_MINUTE,
                                         &(const struct troupe_child_options){ .restart = TROUPE_TEMPORARY },
                                         &troupe_command_actor, &troupe_program_message, &program);
    return troupe_spawn_actor(self, &me->command, &troupe_command_actor, NULL, &troupe_program_message, &program);
}
TROUPE_ON(owner, troupe_command_started) {
    if (msg->pid <= 1) return TROUPE_FAIL(self, "pid %d", msg->pid);
    if (!me->quiet) board_note("started");
    if (me->input[0] != '\0')
        (void)troupe_send(self, me->command, troupe_command_write, .data = { me->input, (uint32_t)strlen(me->input) });
    if (me->finish) (void)troupe_send(self, me->command, troupe_command_finish, .stream = 0);
    if (me->signal != 0) (void)troupe_send(self, me->command, troupe_command_kill, .signal = me->signal);
    return TROUPE_OK;
}
TROUPE_ON(owner, troupe_command_output) {
    char text[512];
    if (me->abort) (void)troupe_send_empty(self, me->command, troupe_command_abort);
    board_add(BYTES, msg->data.size);
    board_add(CHUNKS, 1);
    if (me->holds) {
        me->held = troupe_keep_asker(self);
        board_add(HELD, 1);
        return TROUPE_OK;
    }
    if (me->quiet) return TROUPE_OK;
    escape(&msg->data, text, sizeof text);
    board_note("%u%s %s", msg->stream, msg->partial ? " part" : "", text);
    return TROUPE_OK;
}
TROUPE_ON(owner, let_go) {
    me->holds = false;
    return troupe_answer_later(self, me->held, troupe_command_next, .unused = 0);
}
TROUPE_ON(owner, troupe_command_exited) {
    if (!me->quiet)
        board_note("exited %d %d %s%s", msg->code, msg->signal, msg->reason, msg->killed ? " killed" : "");
    return TROUPE_OK;
}
TROUPE_ON(owner, troupe_command_closed) {
    if (!me->quiet || msg->code != 0) board_note("closed %d %d %s", msg->code, msg->signal, msg->reason);
    board_add(ENDED, 1);
    return TROUPE_OK;
}
TROUPE_ON(owner, troupe_command_error) {
    board_note("error %s: %s", strerrorname_np(msg->error), msg->why);
    return TROUPE_OK;
}
TROUPE_ON(owner, troupe_undelivered) {
    board_note("undelivered %s %s", msg->message, troupe_status_name((enum troupe_status)msg->reason));
    return TROUPE_OK;
}

/* Ten megabytes and more, a piece at a time, each when the one before is taken. */
static enum troupe_status write_more(troupe_self *self, struct owner *me) {
    static const char piece[100000];
    if (me->rounds == 0) return troupe_send(self, me->command, troupe_command_finish, .stream = 0);
    me->rounds--;
    return troupe_ask(self, me->command, troupe_command_write, TROUPE_MINUTE, .data = { piece, sizeof piece });
}
TROUPE_ON(owner, flood) {
    me->rounds = msg->rounds;
    return write_more(self, me);
}
TROUPE_ANSWER(owner, troupe_command_write, troupe_command_written) {
    board_add(WRITTEN, outcome == TROUPE_OK && reply->status == TROUPE_OK ? request->data.size : 0);
    if (outcome == TROUPE_OK && reply->status != TROUPE_OK)
        board_note("written %s", troupe_status_name((enum troupe_status)reply->status));
    return outcome == TROUPE_OK && reply->status == TROUPE_OK ? write_more(self, me) : TROUPE_OK;
}
TROUPE_ANSWER(owner, troupe_start_child, troupe_child) {
    board_note("child %s", troupe_status_name(outcome == TROUPE_OK ? (enum troupe_status)reply->status : outcome));
    if (outcome == TROUPE_OK && strstr(reply->why, "No such file or directory") != NULL) board_note("for it is not there");
    return TROUPE_OK;
}
TROUPE_ACTOR(owner, TROUPE_HANDLES(owner, order, troupe_command_started, troupe_command_output, let_go, flood,
                                   troupe_command_exited, troupe_command_closed, troupe_command_error),
    TROUPE_HANDLES(owner, troupe_undelivered),
    TROUPE_ANSWERS(owner, troupe_command_write, troupe_command_written),
    TROUPE_ANSWERS(owner, troupe_start_child, troupe_child))

/* ---- Words of the tests ---- */

static const struct troupe_actor_type *const actors[] = { &owner_actor, NULL };
static const char tree[] = "{ threads: 2, tree: { restarts: 100, children: [ { name: owner, actor: owner } ] } }";

static troupe_system *begin(void) { return system_start(tree, actors); }

#define send_order(system, ...)                                                                    \
    assert_int_equal(troupe_system_send((system), troupe_system_lookup((system), "owner"), order, __VA_ARGS__), TROUPE_OK)

/* Nobody waits for a child of ours: there is none, not even a zombie. */
static void no_child_is_left(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void end(troupe_system *system) {
    system_end(system, 0, NULL);
    no_child_is_left();
}

/* ---- Tests ---- */

static void output_is_told_and_how_it_ends(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "echo one; echo two >&2; exit 3", .program = { .lines = true });
    board_await("closed 3 0 ");
    assert_int_equal(board_times("started"), 1);
    assert_int_equal(board_times("1 one"), 1);
    assert_int_equal(board_times("2 two"), 1);
    assert_int_equal(board_times("exited 3 0 "), 1);
    end(system);
}

static void arguments_environment_and_directory_are_given(void **state) {
    (void)state;
    static const char *const arguments[] = { "-c", "echo $0 $1 $A ${B-none} $HOME; pwd", "zero", "a b" };
    static const char *const env[] = { "A=1", "B", "HOME=/h" };
    troupe_system *system = begin();
    setenv("B", "2", 1);
    send_order(system, .program = { .program = "sh", .argv0 = "mysh", .arguments = { arguments, 4 }, .env = { env, 3 },
                                    .cwd = "/usr", .lines = true });
    board_await("closed 0 0 ");
    assert_int_equal(board_times("1 zero a b 1 none /h"), 1);
    assert_int_equal(board_times("1 /usr"), 1);
    static const char *const alone[] = { "X=1" };
    send_order(system, .program = { .program = "/usr/bin/env", .clean_env = true, .env = { alone, 1 } });
    board_await("1 X=1\\x0a");
    board_await_times("closed 0 0 ", 2);
    end(system);
}

static void what_cannot_start_says_why(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .program = { .program = "there-is-no-such-program" });
    board_await("error ENOENT: there-is-no-such-program: execution: No such file or directory");
    send_order(system, .program = { .program = "/etc/passwd" });
    board_await("error EACCES: /etc/passwd: execution: Permission denied");
    send_order(system, .program = { .program = "true", .cwd = "/nowhere/at/all" });
    board_await("error ENOENT: /nowhere/at/all: its directory: No such file or directory");
    send_order(system, .program = { .program = "/tmp" });
    board_await("error EACCES: /tmp: execution: Permission denied");
    send_order(system, .program = { .cwd = "/" });
    board_await("error EINVAL: it is started by one of these: program, shell");
    static const char *const stdio[] = { "ignore", "900" };
    send_order(system, .program = { .program = "true", .stdio = { stdio, 2 } });
    board_await("error EBADF: its descriptor 1 (900): Bad file descriptor");
    char *huge = malloc(200001);
    memset(huge, 'x', 200000);
    huge[200000] = '\0';
    const char *const arguments[] = { huge };
    send_order(system, .program = { .program = "true", .arguments = { arguments, 1 } });
    board_await("error E2BIG: arguments and environment are more than 131072 bytes");
    free(huge);
    end(system);
}

static void input_is_written_and_closed(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .program = { .program = "cat" }, .input = "hello", .finish = true);
    board_await("closed 0 0 ");
    assert_int_equal(board_times("1 hello"), 1);
    end(system);
}

static void ten_megabytes_go_through_a_slow_reader(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "sleep 0.2; wc -c", .quiet = true);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "owner"), flood, .rounds = 105), TROUPE_OK);
    board_await_tally(ENDED, 1);
    assert_int_equal(board_tally(WRITTEN), 10500000);
    assert_int_equal(board_tally(BYTES), 9); /* "10500000\n" */
    end(system);
}

static void one_that_closes_its_input_early_is_told_of(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "exec 0<&-; echo shut; exec sleep 100", .quiet = true);
    board_await_tally(BYTES, 5);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "owner"), flood, .rounds = 5), TROUPE_OK);
    board_await("written gone");
    assert_int_equal(board_tally(WRITTEN), 0);
    end(system); /* and the sleep with it */
}

static void any_bytes_come_as_they_are(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "printf 'a\\000\\377\\303\\n'; printf end", .program = { .lines = true });
    board_await("closed 0 0 ");
    assert_int_equal(board_times("1 a\\x00\\xff\\xc3"), 1);
    assert_int_equal(board_times("1 part end"), 1);
    end(system);
}

static void an_endless_line_comes_in_parts(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "head -c 100000 /dev/zero", .quiet = true, .program = { .lines = true });
    board_await_tally(ENDED, 1);
    assert_int_equal(board_tally(BYTES), 100000);
    assert_int_equal(board_tally(CHUNKS), 4); /* 32 KiB each */
    end(system);
}

static void a_slow_owner_makes_it_wait(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "head -c 4000000 /dev/zero; echo all >&2", .holds = true);
    board_await_tally(HELD, 8);
    struct timespec moment = { .tv_nsec = 100000000 };
    nanosleep(&moment, NULL); /* in which more would come, if anything did */
    assert_int_equal(board_tally(HELD), 8);
    assert_true(board_tally(BYTES) <= 8 * TROUPE_COMMAND_LINE);
    assert_int_equal(board_times("2 all\\x0a"), 0);
    end(system);
}

static void a_flood_is_ended_at_its_limit(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .program = { .program = "yes", .max_output = 1000000 }, .quiet = true);
    board_await_tally(ENDED, 1);
    assert_int_equal(board_tally(BYTES), 1000000);
    assert_true(board_times("closed -1 13 max_output") + board_times("closed -1 15 max_output") == 1);
    end(system);
}

static void time_is_up(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .program = { .program = "sleep", .arguments = { (const char *const[]){ "100" }, 1 },
                                    .timeout = 50 * TROUPE_MILLISECOND, .kill_signal = SIGINT });
    board_await("closed -1 2 timeout");
    end(system);
}

static void one_that_ignores_its_signal_is_killed(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "trap '' TERM; echo ready; while :; do sleep 1; done", .abort = true,
               .program = { .grace = 50 * TROUPE_MILLISECOND });
    board_await("closed -1 9 aborted");
    end(system);
}

static void signals_and_aborts_are_told(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "exec sleep 100", .signal = SIGUSR1);
    board_await("exited -1 10  killed");
    board_await("closed -1 10 ");
    send_order(system, .line = "echo; exec sleep 100", .abort = true);
    board_await("exited -1 15 aborted");
    board_await("closed -1 15 aborted");
    end(system);
}

/* The shell ends, and what it left in its group is killed: the pipe that the sleep holds closes. */
static void what_it_leaves_behind_ends_with_it(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "sleep 1000 & echo left; exit 7");
    board_await("closed 7 0 ");
    end(system);
}

/* The children of one that is killed, too. */
static void its_group_is_killed_with_it(void **state) {
    (void)state;
    troupe_system *system = begin();
    send_order(system, .line = "trap '' TERM; sleep 1000 & echo; sleep 1001", .abort = true,
               .program = { .grace = 30 * TROUPE_MILLISECOND });
    board_await("closed -1 9 aborted");
    end(system);
}

static void further_descriptors_go_both_ways(void **state) {
    (void)state;
    static const char *const stdio[] = { "ignore", "ignore", "ignore", "pipe" };
    troupe_system *system = begin();
    send_order(system, .line = "echo out >&3; exec 3>&-", .program = { .stdio = { stdio, 4 }, .lines = true });
    board_await("closed 0 0 ");
    assert_int_equal(board_times("3 out"), 1);
    end(system);
}

/* A file of the owner's is the program's output: the owner has it before and after. */
static void open_descriptors_are_handed_on(void **state) {
    (void)state;
    static const char *const stdio[] = { "ignore", "open", "open" };
    char text[64] = "";
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    troupe_system *system = begin();
    send_order(system, .line = "echo one; echo two >&2", .program = { .stdio = { stdio, 3 },
                                                                      .handles = { (int[]){ pipes[1], pipes[1] }, 2 } });
    board_await("closed 0 0 ");
    assert_int_equal(write(pipes[1], "three", 5), 5);
    assert_int_equal(read(pipes[0], text, sizeof text), 13);
    assert_string_equal(text, "one\ntwo\nthree");
    send_order(system, .program = { .program = "true", .stdio = { stdio, 2 } });
    board_await("error EINVAL: it has as many handles as its stdio says open, no more and no fewer");
    end(system);
    close(pipes[1]);
    assert_int_equal(read(pipes[0], text, sizeof text), 0); /* nobody has the other end any more */
    close(pipes[0]);
}

/* It is ready when the program runs; what cannot run has failed to start. */
static void a_supervisor_starts_them_for_code(void **state) {
    (void)state;
    static const char dynamic[] = "{ threads: 2, tree: { restarts: 100, children: [ { name: owner, actor: owner }, "
                                  "{ name: programs, strategy: dynamic } ] } }";
    troupe_system *system = system_start(dynamic, actors);
    send_order(system, .line = "exec sleep 1000", .above = "/programs");
    board_await("child ok");
    board_await("started");
    send_order(system, .program = { .program = "/no/such/program" }, .above = "/programs");
    board_await("child failed");
    board_await("for it is not there");
    end(system); /* and the sleep with it */
}

static void a_thousand_short_ones_leave_nothing(void **state) {
    (void)state;
    enum { MANY = 1000 };
    troupe_system *system = begin();
    uint32_t before = process_descriptors();
    for (int i = 0; i < MANY; i++) {
        send_order(system, .program = { .program = "true" }, .quiet = true);
        if (i % 20 == 19) board_await_tally(ENDED, i - 18);
    }
    board_await_tally(ENDED, MANY);
    assert_true(process_descriptors() <= before + 16); /* the last may not be closed yet; and what all share */
    end(system);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_told_and_how_it_ends),
        cmocka_unit_test(arguments_environment_and_directory_are_given),
        cmocka_unit_test(what_cannot_start_says_why),
        cmocka_unit_test(input_is_written_and_closed),
        cmocka_unit_test(ten_megabytes_go_through_a_slow_reader),
        cmocka_unit_test(one_that_closes_its_input_early_is_told_of),
        cmocka_unit_test(any_bytes_come_as_they_are),
        cmocka_unit_test(an_endless_line_comes_in_parts),
        cmocka_unit_test(a_slow_owner_makes_it_wait),
        cmocka_unit_test(a_flood_is_ended_at_its_limit),
        cmocka_unit_test(time_is_up),
        cmocka_unit_test(one_that_ignores_its_signal_is_killed),
        cmocka_unit_test(signals_and_aborts_are_told),
        cmocka_unit_test(what_it_leaves_behind_ends_with_it),
        cmocka_unit_test(its_group_is_killed_with_it),
        cmocka_unit_test(further_descriptors_go_both_ways),
        cmocka_unit_test(open_descriptors_are_handed_on),
        cmocka_unit_test(a_supervisor_starts_them_for_code),
        cmocka_unit_test(a_thousand_short_ones_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
