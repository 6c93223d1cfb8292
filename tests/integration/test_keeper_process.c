/*
 * The keeper with real processes. Each test runs a whole application: the keeper in a child of this
 * process, its nodes below it, small functions that speak the control protocol. They report on
 * standard output, a pipe that the test reads line by line; main also reads its standard input, by
 * which the test lets it go on. Waiting is always for a line, a pidfd or a socket, with a deadline.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rules.h"
#include "place/keeper_process.h"
#include "place/title.h"

enum { DEADLINE = 20000, MAIN = 1, WORKER = 2, OTHER = 3 };
#define MS INT64_C(1000000)

/* Where the leak checker is linked in, the keeper's process uses it: it leaves by _exit. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* ---- The nodes' side ---- */

__attribute__((format(printf, 1, 2))) static void report(const char *format, ...) {
    char line[600];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[size] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)size + 1) < 0) _exit(90);
}

static void tell(const struct tr_node_start *start, struct tr_control message) {
    if (tr_control_send(start->control, &message, NULL) != TR_CONTROL_OK) _exit(91);
}

static int lane_socket = -1; /* that came with the last message; -1: none */

/* The next message; leaves when the keeper is gone. */
static struct tr_control hear(const struct tr_node_start *start, int *descriptor) {
    struct tr_control message;
    const char *error;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    struct pollfd wait = { .fd = start->control, .events = POLLIN };
    for (;;) {
        poll(&wait, 1, -1);
        switch (
            tr_control_receive(start->control, TR_CONTROL_TO_NODE, &message, descriptors, &error)) {
        case TR_CONTROL_OK:
            *descriptor = descriptors[0];
            lane_socket = descriptors[1];
            return message;
        case TR_CONTROL_AGAIN: break;
        case TR_CONTROL_CLOSED: _exit(0);
        case TR_CONTROL_BAD: _exit(92);
        }
    }
}

static struct tr_control hear_of(const struct tr_node_start *start, enum tr_control_type type,
                                 int *descriptor) {
    for (;;) {
        int received;
        struct tr_control message = hear(start, &received);
        if (message.type == type) {
            if (descriptor != NULL) *descriptor = received;
            return message;
        }
        if (received >= 0) close(received);
    }
}

static void begin(const struct tr_node_start *start) {
    report("up %d %d pid %d", (int)start->node, (int)start->incarnation, (int)getpid());
    tell(start, (struct tr_control){ .type = TR_CONTROL_READY, .node = start->node });
}

static void start_worker(const struct tr_node_start *start) {
    tell(start, (struct tr_control){ .type = TR_CONTROL_START, .node = WORKER });
}

static struct tr_control hear_down(const struct tr_node_start *start) {
    struct tr_control down = hear_of(start, TR_CONTROL_DOWN, NULL);
    report("down %d %d cause %d: %s", (int)down.node, (int)down.incarnation, (int)down.cause,
           down.text);
    return down;
}

/* Main waits for the test. */
static void wait_for_test(void) {
    char byte;
    if (read(STDIN_FILENO, &byte, 1) != 1) _exit(93);
}

static int wait_for_stop(const struct tr_node_start *start) {
    hear_of(start, TR_CONTROL_STOP_NODE, NULL);
    report("stop %d", (int)start->node);
    return 0;
}

static int never_stop(const struct tr_node_start *start) {
    int descriptor;
    while (start->node != 0) { /* always */
        if (hear(start, &descriptor).type != TR_CONTROL_STOP_NODE) continue;
        report("stop %d", (int)start->node);
    }
    return 0;
}

/* ---- The test's side ---- */

typedef int node_main(const struct tr_node_start *start);

struct scenario {
    node_main *main, *worker;
    int64_t shutdown; /* 0: 10 s */
    uint32_t restarts;
    bool other; /* a third node, which main may start; runs as the worker does */
    bool spawn;
    bool terminal; /* the keeper's standard input is a terminal, and it is in the foreground */
};

struct app {
    pid_t keeper;
    int pidfd, output, input;
    char text[65536];
    size_t size;
    char line[1024];
};

static int run_node(void *context, const struct tr_node_start *start) {
    const struct scenario *scenario = context;
    begin(start);
    return start->node == MAIN ? scenario->main(start) : scenario->worker(start);
}

static void describe(void *context, uint64_t node, const void *page, char *text, size_t size) {
    (void)context;
    (void)node;
    snprintf(text, size, "%.20s", (const char *)page);
}

static void log_line(void *context, const char *line) {
    (void)context;
    report("log: %s", line);
}

static int run_keeper(const struct scenario *scenario) {
    struct tr_node_spec nodes[] = {
        { MAIN, TR_NODE_MAIN, 0, TR_LANE_IPC, TR_START_FORK, "main" },
        { WORKER, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_FORK, "/worker/1" },
        { OTHER, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_FORK, "/other" },
    };
    char *argv[] = { "test_keeper_process", "spawned", NULL };
    if (scenario->spawn) nodes[1].start = TR_START_SPAWN;
    struct tr_keeper_options options = {
        .rules = { .nodes = nodes,
                   .node_count = scenario->other ? 3 : 2,
                   .shutdown = scenario->shutdown != 0 ? scenario->shutdown : 10000 * MS,
                   .restarts = scenario->restarts,
                   .within = 100000 * MS },
        .flight_size = 4096,
        .ledger_size = 8192,
        .config = "name: test",
        .config_size = 11,
        .argv = argv,
        .run_node = run_node,
        .describe = describe,
        .log = log_line,
        .context = (void *)scenario
    };
    return tr_keeper_run(&options);
}

__attribute__((noreturn)) static void be_keeper(const struct scenario *scenario, int input,
                                                int output) {
    struct rlimit none = { 0, 0 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    if (scenario->terminal && (setsid() < 0 || ioctl(input, TIOCSCTTY, 0) != 0)) _exit(96);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    close_range(3, ~0u, 0);
    int code = run_keeper(scenario);
    if (waitpid(-1, NULL, 0) != -1 || errno != ECHILD) code = 97;
    if (__lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
        code = 98;
    _exit(code);
}

/* [0] is the program's end, as of a pipe. */
static void open_terminal(int ends[2]) {
    ends[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[1] < 0) skip(); /* a container without terminals */
    assert_int_equal(grantpt(ends[1]), 0);
    assert_int_equal(unlockpt(ends[1]), 0);
    ends[0] = open(ptsname(ends[1]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(ends[0] >= 0);
}

static struct app *app_start(const struct scenario *scenario) {
    static struct app only; /* one at a time */
    struct app *app = &only;
    int in[2], out[2];
    *app = (struct app){ 0 };
    if (scenario->terminal) {
        open_terminal(in);
    } else {
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    }
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    app->keeper = fork();
    if (app->keeper == 0) be_keeper(scenario, in[0], out[1]);
    assert_true(app->keeper > 0);
    close(in[0]);
    close(out[1]);
    app->input = in[1];
    app->output = out[0];
    app->pidfd = pidfd_open(app->keeper, 0);
    assert_true(app->pidfd >= 0);
    return app;
}

static void wait_readable(int descriptor, const char *what) {
    struct pollfd wait = { .fd = descriptor, .events = POLLIN };
    if (poll(&wait, 1, DEADLINE) != 1) fail_msg("waited too long for %s", what);
}

/* False at the end of the output. */
static bool next_line(struct app *app, const char *what) {
    char *end;
    while ((end = memchr(app->text, '\n', app->size)) == NULL) {
        wait_readable(app->output, what);
        ssize_t got = read(app->output, app->text + app->size, sizeof app->text - app->size);
        if (got <= 0) return false;
        app->size += (size_t)got;
    }
    size_t length = (size_t)(end - app->text);
    snprintf(app->line, sizeof app->line, "%.*s", (int)length, app->text);
    app->size -= length + 1;
    memmove(app->text, end + 1, app->size);
    return true;
}

/* Reads on to the line that begins so. */
static const char *expect(struct app *app, const char *beginning) {
    while (next_line(app, beginning)) {
        if (strncmp(app->line, beginning, strlen(beginning)) == 0) return app->line;
    }
    fail_msg("the output ended without: %s", beginning);
    return NULL;
}

/* A pidfd of the process that says that it is up. It must live as long as we look. */
static int expect_up(struct app *app, int node, int incarnation, pid_t *pid) {
    char beginning[64];
    snprintf(beginning, sizeof beginning, "up %d %d pid ", node, incarnation);
    pid_t number = (pid_t)atoi(expect(app, beginning) + strlen(beginning));
    if (pid != NULL) *pid = number;
    int pidfd = pidfd_open(number, 0);
    assert_true(pidfd >= 0);
    return pidfd;
}

static void expect_death(int pidfd) {
    wait_readable(pidfd, "a process to end");
    close(pidfd);
}

static void let_go(struct app *app) { assert_int_equal(write(app->input, "x", 1), 1); }

/* The exit code, or 1000 + signal. What was still on the output is in `app->line`s passed over. */
static int app_end(struct app *app) {
    int status;
    while (next_line(app, "the end of the output")) continue;
    wait_readable(app->pidfd, "the keeper to end");
    assert_int_equal(waitpid(app->keeper, &status, 0), app->keeper);
    close(app->pidfd);
    close(app->input);
    close(app->output);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing came to us */
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int count_entries(const char *path) {
    DIR *directory = opendir(path);
    int count = 0;
    assert_non_null(directory);
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static int count_children(pid_t pid) {
    char path[64];
    int count = 0;
    long child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *list = fopen(path, "re");
    assert_non_null(list);
    while (fscanf(list, "%ld", &child) == 1) count++;
    fclose(list);
    return count;
}

static int own_descriptors(void **state) {
    static int before;
    if (*state == NULL) {
        before = count_entries("/proc/self/fd");
        *state = &before;
        return 0;
    }
    assert_int_equal(count_entries("/proc/self/fd"), before);
    *state = NULL;
    return 0;
}

/* ---- Deaths ---- */

static int die_in_many_ways(const struct tr_node_start *start) {
    strcpy(start->page, "count");
    switch (start->incarnation) {
    case 1: raise(SIGSEGV); break;
    case 2: abort();
    case 3: return 3;
    case 4: raise(SIGKILL); break;
    case 5: return 0;
    case 6:
        close(start->control);
        pause();
        break;
    default: break;
    }
    return wait_for_stop(start);
}

static int restart_then_stop(const struct tr_node_start *start) {
    start_worker(start);
    for (int i = 0; i < 6; i++) {
        hear_down(start);
        start_worker(start);
    }
    tell(start,
         (struct tr_control){ .type = TR_CONTROL_STOP, .node = WORKER, .within = TR_INFINITY });
    hear_down(start);
    hear_of(start, TR_CONTROL_GONE, NULL);
    report("gone");
    return 0;
}

static void deaths_are_told(void **state) {
    (void)state;
    struct scenario scenario = { .main = restart_then_stop, .worker = die_in_many_ways };
    struct app *app = app_start(&scenario);
    expect(app, "down 2 1 cause 1: killed by signal 11 (SIGSEGV) while handling count");
    expect(app, "down 2 2 cause 1: killed by signal 6 (SIGABRT) while handling count");
    expect(app, "down 2 3 cause 1: exited with code 3 while handling count");
    expect(app, "down 2 4 cause 2: killed by signal 9 (SIGKILL) while handling count");
    expect(app, "down 2 5 cause 1: exited without being asked to while handling count");
    expect(app, "down 2 6 cause 1: it closed its control socket while handling count");
    expect(app, "down 2 7 cause 0: stopped");
    expect(app, "gone");
    assert_int_equal(app_end(app), 0);
}

static void send_descriptor(int socket, const struct tr_control *message) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { bytes, tr_control_encode(message, bytes) };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control };
    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), (int[]){ STDOUT_FILENO }, sizeof(int));
    if (sendmsg(socket, &header, 0) < 0) _exit(93);
}

static int talk_nonsense(const struct tr_node_start *start) {
    static const uint8_t nonsense[] = { 0x93, 0xff, 0xff };
    if (start->incarnation == 1 && write(start->control, nonsense, sizeof nonsense) < 0) return 9;
    if (start->incarnation == 2)
        tell(start, (struct tr_control){ .type = TR_CONTROL_READY, .node = MAIN });
    if (start->incarnation == 3) {
        send_descriptor(start->control, &(struct tr_control){ .type = TR_CONTROL_READY, .node = WORKER });
    }
    if (start->incarnation >= 4) return wait_for_stop(start);
    while (start->node != 0) pause(); /* always */
    return 0;
}

static int restart_thrice(const struct tr_node_start *start) {
    start_worker(start);
    for (int i = 0; i < 3; i++) {
        hear_down(start);
        start_worker(start);
    }
    return 0; /* the keeper kills the rest */
}

static void hostile_processes_are_killed(void **state) {
    (void)state;
    struct scenario scenario = { .main = restart_thrice, .worker = talk_nonsense };
    struct app *app = app_start(&scenario);
    expect(app, "down 2 1 cause 1: ");
    expect(app, "down 2 2 cause 1: it spoke for a node that is not its own");
    expect(app, "down 2 3 cause 1: a descriptor that it may not carry");
    assert_int_equal(app_end(app), 0);
}

static int stop_worker_in_vain(const struct tr_node_start *start) {
    start_worker(start);
    wait_for_test();
    tell(start, (struct tr_control){ .type = TR_CONTROL_STOP, .node = WORKER, .within = 20 * MS });
    hear_down(start);
    start_worker(start);
    wait_for_test();
    tell(start, (struct tr_control){ .type = TR_CONTROL_STOP, .node = WORKER, .within = TR_KILL });
    hear_down(start);
    return 0;
}

static void late_stops_are_killed(void **state) {
    (void)state;
    struct scenario scenario = { .main = stop_worker_in_vain, .worker = never_stop };
    struct app *app = app_start(&scenario);
    close(expect_up(app, WORKER, 1, NULL));
    let_go(app);
    expect(app, "down 2 1 cause 2: killed: it did not stop in time");
    close(expect_up(app, WORKER, 2, NULL));
    let_go(app);
    expect(app, "down 2 2 cause 2: killed by its supervisor");
    assert_int_equal(app_end(app), 0);
}

/* Its children: one in its group, one that left it. */
static int leave_orphans(const struct tr_node_start *start) {
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (i == 1) setsid();
            report("orphan %d pid %d", i, (int)getpid());
            for (;;) pause();
        }
    }
    hear_of(start, TR_CONTROL_STOP_NODE, NULL);
    return 0;
}

static int stop_worker_when_told(const struct tr_node_start *start) {
    start_worker(start);
    wait_for_test();
    tell(start,
         (struct tr_control){ .type = TR_CONTROL_STOP, .node = WORKER, .within = TR_INFINITY });
    hear_down(start);
    wait_for_test();
    return 0;
}

static void orphans_do_not_stay(void **state) {
    (void)state;
    struct scenario scenario = { .main = stop_worker_when_told, .worker = leave_orphans };
    struct app *app = app_start(&scenario);
    int orphans[2];
    for (int i = 0; i < 2; i++) {
        expect(app, "orphan ");
        int which = app->line[7] - '0';
        orphans[which] = pidfd_open((pid_t)atoi(strstr(app->line, "pid ") + 4), 0);
        assert_true(orphans[which] >= 0);
    }
    let_go(app);
    expect_death(orphans[0]); /* with its group */
    expect(app, "down 2 1 cause 0");
    let_go(app);
    assert_int_equal(app_end(app), 0);
    expect_death(orphans[1]); /* with the application */
}

/* ---- Main and the keeper ---- */

static int start_both(const struct tr_node_start *start) {
    start_worker(start);
    tell(start, (struct tr_control){ .type = TR_CONTROL_START, .node = OTHER });
    return wait_for_stop(start);
}

static void main_is_restarted(void **state) {
    (void)state;
    struct scenario scenario = {
        .main = start_both, .worker = never_stop, .restarts = 1, .other = true
    };
    struct app *app = app_start(&scenario);
    pid_t pid;
    int main_pidfd = expect_up(app, MAIN, 1, &pid);
    int worker = expect_up(app, WORKER, 1, NULL);
    assert_int_equal(pidfd_send_signal(main_pidfd, SIGKILL, NULL, 0), 0);
    expect_death(main_pidfd);
    expect_death(worker);
    main_pidfd = expect_up(app, MAIN, 2, NULL);
    worker = expect_up(app, WORKER, 2, NULL);
    assert_int_equal(pidfd_send_signal(main_pidfd, SIGKILL, NULL, 0), 0);
    expect(app, "log: main died too often (more than 1 times in 100000 ms): giving up");
    expect_death(main_pidfd);
    expect_death(worker);
    assert_int_equal(app_end(app), 2);
}

static int give_up(const struct tr_node_start *start) {
    struct tr_control message = { .type = TR_CONTROL_GAVE_UP };
    tr_control_say(&message, "counter died 4 times in 5 s");
    tell(start, message);
    return 2;
}

static void main_gives_up(void **state) {
    (void)state;
    struct scenario scenario = { .main = give_up, .worker = never_stop, .restarts = 5 };
    struct app *app = app_start(&scenario);
    expect(app, "log: main gives up: counter died 4 times in 5 s");
    assert_int_equal(app_end(app), 2);
}

/* Does not look at its control socket: only the kernel can end it. */
static int be_deaf(const struct tr_node_start *start) {
    report("deaf pid %d", (int)getpid());
    while (start->node != 0) pause(); /* always */
    return 0;
}

/* Nobody is left to reap the nodes: they come to us, dead; main by the end of its socket (0), if
 * that was faster than the kernel. */
static void nothing_outlives_the_keeper(void **state) {
    (void)state;
    struct scenario scenario = { .main = start_both, .worker = be_deaf, .other = true };
    struct app *app = app_start(&scenario);
    pid_t nodes[3];
    int status;
    for (int i = 0; i < 3; i++) {
        nodes[i] = (pid_t)atoi(strstr(expect(app, i == 0 ? "up 1" : "deaf "), "pid ") + 4);
    }
    assert_int_equal(pidfd_send_signal(app->pidfd, SIGKILL, NULL, 0), 0);
    for (int i = 0; i < 3; i++) {
        int node = pidfd_open(nodes[i], 0);
        assert_true(node >= 0);
        expect_death(node);
        wait_readable(app->pidfd, "the keeper to end"); /* then they are our children */
        assert_int_equal(waitpid(nodes[i], &status, 0), nodes[i]);
        assert_true(status == SIGKILL || (i == 0 && status == 0));
    }
    assert_int_equal(app_end(app), 1000 + SIGKILL);
}

/* ---- Shutdown ---- */

static int stop_in_order(const struct tr_node_start *start) {
    start_worker(start);
    hear_of(start, TR_CONTROL_STOP_NODE, NULL);
    tell(start,
         (struct tr_control){ .type = TR_CONTROL_STOP, .node = WORKER, .within = 5000 * MS });
    hear_of(start, TR_CONTROL_GONE, NULL);
    report("gone");
    return 0;
}

static void stops_in_order(void **state) {
    (void)state;
    struct scenario scenario = { .main = stop_in_order, .worker = wait_for_stop, .restarts = 1 };
    struct app *app = app_start(&scenario);
    int worker = expect_up(app, WORKER, 1, NULL);
    assert_int_equal(pidfd_send_signal(app->pidfd, SIGTERM, NULL, 0), 0);
    expect(app, "stop 2");
    expect(app, "gone");
    expect_death(worker);
    assert_int_equal(app_end(app), 0);
}

static void a_second_signal_kills(void **state) {
    (void)state;
    struct scenario scenario = { .main = never_stop, .worker = never_stop };
    struct app *app = app_start(&scenario);
    int main_pidfd = expect_up(app, MAIN, 1, NULL);
    assert_int_equal(pidfd_send_signal(app->pidfd, SIGINT, NULL, 0), 0);
    expect(app, "stop 1");
    assert_int_equal(pidfd_send_signal(app->pidfd, SIGTERM, NULL, 0), 0);
    expect_death(main_pidfd);
    assert_int_equal(app_end(app), 143);
}

static void survivors_are_named(void **state) {
    (void)state;
    struct scenario scenario = { .main = never_stop, .worker = never_stop, .shutdown = 100 * MS };
    struct app *app = app_start(&scenario);
    int main_pidfd = expect_up(app, MAIN, 1, NULL);
    assert_int_equal(pidfd_send_signal(app->pidfd, SIGTERM, NULL, 0), 0);
    expect(app, "log: main (node 1) did not stop in time (stopping): killed");
    expect_death(main_pidfd);
    assert_int_equal(app_end(app), 137);
}

/* Main reads from the terminal, which it could not in a group of its own; Ctrl-C is for the keeper.
 */
static int read_terminal(const struct tr_node_start *start) {
    wait_for_test();
    report("read, group %d", getpgrp() == getpid());
    return wait_for_stop(start);
}

static void main_at_a_terminal(void **state) {
    (void)state;
    struct scenario scenario = { .main = read_terminal, .worker = never_stop, .terminal = true };
    struct app *app = app_start(&scenario);
    close(expect_up(app, MAIN, 1, NULL));
    assert_int_equal(write(app->input, "x\n", 2), 2);
    expect(app, "read, group 0");
    assert_int_equal(write(app->input, "\003", 1), 1);
    expect(app, "stop 1");
    assert_int_equal(app_end(app), 0);
}

/* ---- Lanes ---- */

/* Both ends of a lane write to one ledger. */
static uint8_t *take_ledger(const struct tr_node_start *start, struct tr_control *message) {
    int ledger;
    do {
        *message = hear(start, &ledger);
    } while (message->type != TR_CONTROL_LISTEN && message->type != TR_CONTROL_DIAL);
    uint8_t *bytes = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ledger, 0);
    bool sealed = ftruncate(ledger, 1) != 0;
    close(ledger);
    if (bytes == MAP_FAILED || !sealed) _exit(94);
    return bytes;
}

static int ask_for_lane(const struct tr_node_start *start) {
    struct tr_control message;
    start_worker(start);
    tell(start, (struct tr_control){ .type = TR_CONTROL_CONNECT, .node = MAIN, .peer = WORKER });
    uint8_t *ledger = take_ledger(start, &message);
    char said = '-';
    struct pollfd wait = { .fd = lane_socket, .events = POLLIN };
    if (poll(&wait, 1, -1) < 0 || read(lane_socket, &said, 1) != 1) _exit(95);
    report("dial %d -> %d.%d, token %d, ledger %d, said %c", (int)message.node, (int)message.peer,
           (int)message.peer_incarnation, message.token[0] != 0 || message.token[1] != 0, ledger[0], said);
    return 0;
}

static int give_lane(const struct tr_node_start *start) {
    struct tr_control message;
    uint8_t *ledger = take_ledger(start, &message);
    ledger[0] = 42;
    if (write(lane_socket, "x", 1) != 1) _exit(96);
    return wait_for_stop(start);
}

static void lanes_share_a_ledger_and_a_socket(void **state) {
    (void)state;
    struct scenario scenario = { .main = ask_for_lane, .worker = give_lane };
    struct app *app = app_start(&scenario);
    expect(app, "dial 1 -> 2.1, token 1, ledger 42, said x");
    assert_int_equal(app_end(app), 0);
}

/* ---- Many deaths ---- */

static int die_with_a_lane(const struct tr_node_start *start) {
    struct tr_control message;
    take_ledger(start, &message);
    raise(SIGKILL);
    return 0;
}

static int many_deaths(const struct tr_node_start *start) {
    for (int i = 1; i <= 210; i++) {
        start_worker(start);
        tell(start,
             (struct tr_control){ .type = TR_CONTROL_CONNECT, .node = MAIN, .peer = WORKER });
        hear_of(start, TR_CONTROL_DOWN, NULL);
        if (i != 10 && i != 210) continue;
        report("died %d", i);
        wait_for_test();
    }
    return 0;
}

static void many_deaths_leave_nothing(void **state) {
    (void)state;
    struct scenario scenario = { .main = many_deaths, .worker = die_with_a_lane };
    struct app *app = app_start(&scenario);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)app->keeper);
    expect(app, "died 10");
    int before = count_entries(path);
    assert_int_equal(count_children(app->keeper), 1); /* main: no zombie */
    let_go(app);
    expect(app, "died 210");
    assert_int_equal(count_entries(path), before);
    assert_int_equal(count_children(app->keeper), 1);
    let_go(app);
    assert_int_equal(app_end(app), 0);
}

/* ---- What a node's process is like ---- */

static void report_self(const struct tr_node_start *start) {
    char name[32] = "", where[64] = "";
    struct sigaction interrupt;
    sigset_t mask;
    int death = 0, blocked = 0, descriptors = count_entries("/proc/self/fd") - 3;
    prctl(PR_GET_NAME, name);
    prctl(PR_GET_PDEATHSIG, &death);
    sigaction(SIGINT, NULL, &interrupt);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 32; number++) blocked += sigismember(&mask, number);
    if (readlink("/proc/self/fd/0", where, sizeof where - 1) < 0) _exit(95);
    report("self %d: %s group %d death %d int %d blocked %d stdin %s fds %d config %d page %d",
           (int)start->node, name, getpgrp() == getpid(), death, interrupt.sa_handler == SIG_IGN,
           blocked, where[0] == '/' ? where : "pipe", descriptors, start->config,
           ((char *)start->page)[0]);
}

static int show_self(const struct tr_node_start *start) {
    report_self(start);
    return wait_for_stop(start);
}

static int show_and_start(const struct tr_node_start *start) {
    report_self(start);
    start_worker(start);
    wait_for_test();
    return 0;
}

static void children_are_clean(void **state) {
    (void)state;
    struct scenario scenario = { .main = show_and_start, .worker = show_self };
    struct app *app = app_start(&scenario);
    expect(app,
           "self 1: troupe:main group 1 death 9 int 1 blocked 0 stdin pipe fds 6 config -1 page 0");
    expect(app, "self 2: troupe:worker/1 group 1 death 9 int 1 blocked 0 stdin /dev/null fds 6 "
                "config -1 page 0");
    let_go(app);
    assert_int_equal(app_end(app), 0);
}

static int wait_for_crash(const struct tr_node_start *start) {
    start_worker(start);
    hear_down(start);
    return 0;
}

static void spawned_nodes(void **state) {
    (void)state;
    struct scenario scenario = { .main = wait_for_crash, .worker = never_stop, .spawn = true };
    struct app *app = app_start(&scenario);
    expect(app, "up 2 1 ");
    expect(app, "self 2: troupe:worker/1 group 1 death 9 int 1 blocked 0 stdin /dev/null fds 7 "
                "config 6 page 0");
    expect(app, "config name: test");
    expect(app, "down 2 1 cause 1: exited with code 7 while handling spawned");
    assert_int_equal(app_end(app), 0);
}

/* What this program does when the keeper executes it. */
static int run_spawned(struct tr_node_start *start) {
    char config[32] = "";
    tr_process_title(NULL, "/worker/1");
    begin(start);
    report_self(start);
    if (pread(start->config, config, sizeof config - 1, 0) < 0) return 96;
    report("config %s", config);
    strcpy(start->page, "spawned");
    bool locked = getenv(TR_NODE_VARIABLE) == NULL && write(start->config, "x", 1) < 0;
    tr_node_start_release(start);
    return locked ? 7 : 8;
}

static void the_variable_is_checked(void **state) {
    (void)state;
    static const char *const wrong[] = { "",
                                         "1",
                                         "1:1:0:0:0:-1:-1",
                                         "1:1:0:0:0:-1:-1:0:",
                                         "a:b:c:d:e:f:g:h",
                                         "0:1:0:0:0:-1:-1:0",
                                         "1:1:0:0:0:-1:-1:0",
                                         "1:1:99:98:97:96:95:0" };
    struct tr_node_start start;
    char error[256];
    assert_int_equal(tr_node_start_read(&start, error, sizeof error), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv(TR_NODE_VARIABLE, wrong[i], 1);
        assert_int_equal(tr_node_start_read(&start, error, sizeof error), -1);
        assert_non_null(strstr(error, TR_NODE_VARIABLE));
    }
    unsetenv(TR_NODE_VARIABLE);
}

#define KEEPER_TEST(name) cmocka_unit_test_setup_teardown(name, own_descriptors, own_descriptors)

int main(void) {
    struct tr_node_start start;
    char error[256];
    int spawned = tr_node_start_read(&start, error, sizeof error);
    if (spawned > 0) return run_spawned(&start);
    assert_int_equal(spawned, 0);
    signal(SIGPIPE, SIG_IGN);
    /* What a keeper leaves behind comes to us, and is found by app_end. */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const struct CMUnitTest tests[] = {
        KEEPER_TEST(deaths_are_told),
        KEEPER_TEST(hostile_processes_are_killed),
        KEEPER_TEST(late_stops_are_killed),
        KEEPER_TEST(orphans_do_not_stay),
        KEEPER_TEST(main_is_restarted),
        KEEPER_TEST(main_gives_up),
        KEEPER_TEST(nothing_outlives_the_keeper),
        KEEPER_TEST(stops_in_order),
        KEEPER_TEST(a_second_signal_kills),
        KEEPER_TEST(survivors_are_named),
        KEEPER_TEST(main_at_a_terminal),
        KEEPER_TEST(lanes_share_a_ledger_and_a_socket),
        KEEPER_TEST(many_deaths_leave_nothing),
        KEEPER_TEST(children_are_clean),
        KEEPER_TEST(spawned_nodes),
        KEEPER_TEST(the_variable_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
