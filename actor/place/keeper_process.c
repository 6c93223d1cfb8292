/*
 * The keeper as a process: one thread, one epoll loop.
 *
 * What is waited for: the control socket of each process, external programs (commands.h), a pidfd of each process, what it logs (keeper_log.c), a signalfd
 * (SIGCHLD, SIGINT, SIGTERM, and what actors may ask for: keeper_signals.c) and a timerfd. Everything that happens becomes an event of the pure
 * keeper; its actions are carried out at once, and what goes wrong in them is told to it right
 * after (see catch_up).
 *
 * Reaping. The pidfds say when a node ends; SIGCHLD also tells of strangers, orphans of a dead
 * node, which come to us because we are the subreaper. Either way everything that has ended is
 * looked at before it is reaped: while a process is a zombie, its number and its group's are still
 * its own, so that the rest of its group can be killed without hitting another; and what it had
 * said last is read first.
 *
 * Failures. If the keeper is killed, the kernel kills every node (PR_SET_PDEATHSIG), and the end of
 * the control socket says the same. What this process was like before, and what may be left at the
 * end, is keeper_surroundings.c's.
 */
#include "place/keeper_process.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "place/keeper_driver.h"
#include "services/signals.h"

enum {
    EVENTS_AT_ONCE = 64,
    MESSAGES_AT_ONCE = 64,  /* of one process, before the others have their turn */
    MESSAGES_AT_END = 4096, /* of a dead one: an orphan may still hold its socket, and write */
    CODE_GAVE_UP = 2
};

int64_t tr_driver_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- Actions ---- */

static void log_line(void *context, const char *line) {
    const struct tr_driver *driver = context;
    if (driver->options->log != NULL) {
        driver->options->log(driver->options->context, line);
    } else {
        fprintf(stderr, "troupe: %s\n", line);
    }
}

void tr_driver_log(struct tr_driver *driver, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    log_line(driver, line);
}

static void fork_node(void *context, uint64_t node, uint64_t incarnation) {
    tr_ward_fork(context, tr_wards_find(context, node), incarnation);
}

static void kill_node(void *context, uint64_t node) { tr_ward_kill(tr_wards_find(context, node)); }

static void abort_node(void *context, uint64_t node) { tr_ward_abort(tr_wards_find(context, node)); }

static void lives(void *context, uint64_t node, uint64_t incarnation) {
    tr_ward_lives(context, tr_wards_find(context, node), incarnation);
}

static void send_message(void *context, uint64_t process, const struct tr_control *message) {
    tr_ward_send(context, tr_wards_find(context, process), message);
}

static void forget_ledger(void *context, uint64_t number) {
    tr_ward_forget_ledger(context, number);
}

static void describe(void *context, uint64_t node, char *text, size_t size) {
    struct tr_driver *driver = context;
    const struct tr_keeper_options *options = driver->options;
    tr_wards_find(driver, node)->died = true;
    if (options->describe == NULL) return;
    options->describe(options->context, node, tr_wards_find(driver, node)->page, text, size);
}

/* Names of lanes and tokens must not be guessed: without the system's randomness there are none. */
static void random_bytes(void *context, void *bytes, size_t size) {
    (void)context;
    tr_assert(size <= 256); /* so small a request is never cut short */
    ssize_t got;
    do {
        got = getrandom(bytes, size, 0);
    } while (got < 0 && errno == EINTR);
    tr_assert(got == (ssize_t)size);
}

static void set_timer(void *context, int64_t at) { ((struct tr_driver *)context)->timer_at = at; }

static void signal_command(void *context, uint64_t number, int signal) {
    tr_commands_signal(((struct tr_driver *)context)->commands, number, signal);
}

static void release_command(void *context, uint64_t number) {
    tr_commands_release(((struct tr_driver *)context)->commands, number);
}

static void stop_loop(void *context, int code) {
    struct tr_driver *driver = context;
    driver->over = true;
    driver->exit_code = code;
}

static const struct tr_keeper_io keeper_io = { .fork_node = fork_node,
                                               .kill_node = kill_node,
                                               .abort_node = abort_node,
                                               .lives = lives,
                                               .send = send_message,
                                               .forget_ledger = forget_ledger,
                                               .describe = describe,
                                               .random = random_bytes,
                                               .timer = set_timer,
                                               .log = log_line,
                                               .signal_command = signal_command,
                                               .release_command = release_command,
                                               .exit = stop_loop };

/* ---- Events ---- */

bool tr_driver_watch(struct tr_driver *driver, int descriptor, uint32_t events, enum tr_watch what,
                     const struct tr_ward *ward) {
    uint64_t index = ward != NULL ? (uint64_t)(ward - driver->wards) : 0;
    struct epoll_event event = { .events = events, .data.u64 = index << 8 | (uint64_t)what };
    if (epoll_ctl(driver->epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return true;
    return errno == ENOENT && epoll_ctl(driver->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* The socket stands for whoever wants a program; without descriptors or memory it is closed, which says no. */
static void take_command(struct tr_driver *driver, int socket) {
    if (driver->commands == NULL) {
        struct tr_commands *commands = tr_commands_new(driver->keeper, &driver->files_before, true);
        if (commands != NULL && !tr_driver_watch(driver, tr_commands_descriptor(commands), EPOLLIN,
                                                 TR_WATCH_COMMANDS, NULL)) {
            tr_commands_free(commands);
            commands = NULL;
        }
        driver->commands = commands;
    }
    if (driver->commands != NULL) tr_commands_take(driver->commands, socket);
    else close(socket);
}

static void obey(struct tr_driver *driver, struct tr_ward *ward, const struct tr_control *message, int descriptor) {
    if (message->type == TR_CONTROL_COMMAND) take_command(driver, descriptor);
    else if (!tr_driver_signal_answered(driver, ward, message))
        tr_keeper_message(driver->keeper, ward->spec->id, message, tr_driver_now());
}

static void read_messages(struct tr_driver *driver, struct tr_ward *ward, int limit) {
    struct tr_control message;
    const char *error;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    for (int i = 0; i < limit && ward->control >= 0; i++) {
        switch (tr_control_receive(ward->control, TR_CONTROL_TO_KEEPER, &message, descriptors,
                                   &error)) {
        case TR_CONTROL_OK: obey(driver, ward, &message, descriptors[0]); break;
        case TR_CONTROL_BAD:
            tr_keeper_broken(driver->keeper, ward->spec->id, error, tr_driver_now());
            return;
        case TR_CONTROL_CLOSED: tr_ward_hang_up(driver, ward); return;
        case TR_CONTROL_AGAIN: return;
        }
    }
}

static struct tr_ward *find_process(struct tr_driver *driver, pid_t pid) {
    for (size_t i = 0; i < driver->ward_count; i++) {
        if (driver->wards[i].pid == pid) return &driver->wards[i];
    }
    return NULL;
}

static void reap(struct tr_driver *driver, struct tr_ward *ward) {
    int status = 0;
    struct rusage usage;
    char why[TR_CONTROL_TEXT_SIZE];
    tr_ward_kill(ward); /* it is dead: what it left in its group */
    read_messages(driver, ward, MESSAGES_AT_END);
    tr_ward_end_log(driver, ward);
    if (wait4(ward->pid, &status, 0, &usage) != ward->pid) tr_assert(errno == ECHILD);
    if (status != 0 && tr_ward_exceeded(driver, ward, &usage, why, sizeof why))
        tr_keeper_exceeded(driver->keeper, ward->spec->id, why);
    tr_ward_report(driver, ward, status);
    tr_ward_clear(driver, ward);
    if (ward->spec->kind == TR_NODE_MAIN)
        tr_driver_main_ended(driver, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    tr_keeper_exited(driver->keeper, ward->spec->id, status, tr_driver_now());
}

static void reap_all(struct tr_driver *driver) {
    for (;;) {
        siginfo_t dead = { 0 };
        if (waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) != 0 || dead.si_pid == 0) return;
        struct tr_ward *ward = find_process(driver, dead.si_pid);
        if (ward != NULL) {
            reap(driver, ward);
        } else if (driver->commands == NULL || !tr_commands_reap(driver->commands, dead.si_pid)) {
            waitpid(dead.si_pid, NULL, 0); /* a stranger */
        }
    }
}

static void read_signals(struct tr_driver *driver) {
    struct signalfd_siginfo info;
    while (read(driver->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        int number = (int)info.ssi_signo;
        if (tr_signal_is_askable(number)) {
            tr_driver_signal(driver, number);
        } else if (number != SIGCHLD) {
            tr_keeper_signal(driver->keeper, number, tr_driver_now());
        }
    }
    reap_all(driver);
}

static void handle(struct tr_driver *driver, const struct epoll_event *event) {
    struct tr_ward *ward = &driver->wards[event->data.u64 >> 8];
    uint64_t expired;
    switch ((enum tr_watch)(event->data.u64 & 0xff)) {
    case TR_WATCH_SIGNALS: read_signals(driver); break;
    case TR_WATCH_TIMER:
        if (read(driver->timer, &expired, sizeof expired) < 0) tr_assert(errno == EAGAIN);
        break;
    case TR_WATCH_PIDFD: reap_all(driver); break;
    case TR_WATCH_CONTROL:
        if ((event->events & EPOLLOUT) != 0) tr_ward_flush(driver, ward);
        read_messages(driver, ward, MESSAGES_AT_ONCE);
        break;
    case TR_WATCH_LOG: tr_ward_read_log(driver, ward); break;
    case TR_WATCH_ERRORS: tr_ward_read_errors(driver, ward); break;
    case TR_WATCH_STDOUT: tr_ward_read_output(driver, ward); break;
    case TR_WATCH_OUTPUT: break; /* it is written after each turn */
    case TR_WATCH_COMMANDS: tr_commands_turn(driver->commands, tr_driver_now()); break;
    }
}

/* What went wrong in an action. True if there was anything: it may have led to more. */
static bool catch_up_with(struct tr_driver *driver, struct tr_ward *ward, int64_t now) {
    if (ward->failed[0] != '\0') {
        char why[sizeof ward->failed];
        memcpy(why, ward->failed, sizeof why);
        ward->failed[0] = '\0';
        tr_keeper_failed(driver->keeper, ward->spec->id, why, now);
        return true;
    }
    const char *broken = ward->broken;
    if (broken == NULL && now >= ward->closed_until) broken = "it closed its control socket";
    if (broken == NULL) return false;
    ward->broken = NULL;
    ward->closed_until = INT64_MAX;
    tr_keeper_broken(driver->keeper, ward->spec->id, broken, now);
    return true;
}

static void catch_up(struct tr_driver *driver) {
    for (bool more = true; more && !driver->over;) {
        more = false;
        int64_t now = tr_driver_now();
        if (now >= driver->timer_at) {
            driver->timer_at = INT64_MAX;
            tr_keeper_tick(driver->keeper, now);
        }
        tr_driver_look(driver, now);
        for (size_t i = 0; i < driver->ward_count; i++) {
            more = catch_up_with(driver, &driver->wards[i], now) || more;
        }
    }
}

static void arm_timer(struct tr_driver *driver) {
    int64_t at = driver->look_at < driver->timer_at ? driver->look_at : driver->timer_at;
    for (size_t i = 0; i < driver->ward_count; i++) {
        if (driver->wards[i].closed_until < at) at = driver->wards[i].closed_until;
    }
    struct itimerspec when = { 0 };
    if (at != INT64_MAX) {
        at = at < 1 ? 1 : at; /* 0 would disarm it */
        when.it_value.tv_sec = at / 1000000000;
        when.it_value.tv_nsec = at % 1000000000;
    }
    tr_assert(timerfd_settime(driver->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void run_loop(struct tr_driver *driver) {
    struct epoll_event events[EVENTS_AT_ONCE];
    tr_keeper_begin(driver->keeper, tr_driver_now());
    catch_up(driver);
    tr_driver_write_log(driver);
    while (!driver->over) {
        arm_timer(driver);
        int count = epoll_wait(driver->epoll, events, EVENTS_AT_ONCE, -1);
        tr_assert(count >= 0 || errno == EINTR);
        for (int i = 0; i < count; i++) handle(driver, &events[i]);
        catch_up(driver);
        tr_driver_write_log(driver);
    }
}

/* ---- Opening and closing ---- */

static bool write_config(struct tr_driver *driver) {
    const struct tr_keeper_options *options = driver->options;
    if (options->config == NULL || options->config_size == 0) return true;
    driver->config = tr_memfd_copy("troupe-config", options->config, options->config_size);
    return driver->config >= 0;
}

static bool open_all(struct tr_driver *driver, const struct tr_surroundings *before) {
    driver->epoll = epoll_create1(EPOLL_CLOEXEC);
    driver->signals = signalfd(-1, &before->handled, SFD_NONBLOCK | SFD_CLOEXEC);
    driver->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (driver->epoll < 0 || driver->signals < 0 || driver->timer < 0) return false;
    driver->keeper = tr_keeper_new(&driver->options->rules, &keeper_io, driver);
    return driver->keeper != NULL &&
           tr_driver_watch(driver, driver->signals, EPOLLIN, TR_WATCH_SIGNALS, NULL) &&
           tr_driver_watch(driver, driver->timer, EPOLLIN, TR_WATCH_TIMER, NULL) &&
           write_config(driver) && tr_wards_open(driver);
}

static void close_all(struct tr_driver *driver) {
    int descriptors[] = { driver->epoll, driver->signals, driver->timer, driver->config };
    tr_wards_close(driver);
    tr_commands_free(driver->commands);
    tr_keeper_free(driver->keeper);
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        if (descriptors[i] >= 0) close(descriptors[i]);
    }
}

static void check_options(const struct tr_keeper_options *options) {
    tr_assert(options->flight_size > 0 && options->ledger_size > 0);
    for (size_t i = 0; i < options->rules.node_count; i++) {
        const struct tr_node_spec *spec = &options->rules.nodes[i];
        if (spec->kind == TR_NODE_INPROC) continue;
        bool spawn = spec->start == TR_START_SPAWN;
        tr_assert(spawn ? options->argv != NULL : options->run_node != NULL);
    }
}

static void tell_why_not(struct tr_driver *driver) {
    bool files = errno == EMFILE || errno == ENFILE;
    tr_driver_log(driver, "the keeper cannot start: %s%s", strerror(errno),
                  files ? "; each process costs it five or so (ulimit -n)" : "");
}

int tr_keeper_run(const struct tr_keeper_options *options) {
    struct tr_surroundings before;
    struct tr_driver driver = { .options = options,
                                .other_end = -1,
                                .epoll = -1,
                                .signals = -1,
                                .timer = -1,
                                .config = -1,
                                .names = -1,
                                .timer_at = INT64_MAX,
                                .look_at = INT64_MAX,
                                .exit_code = CODE_GAVE_UP };
    check_options(options);
    if (!tr_surroundings_enter(&before)) {
        tell_why_not(&driver);
        return CODE_GAVE_UP;
    }
    driver.mask_before = before.mask;
    driver.files_before = before.files;
    if (open_all(&driver, &before)) {
        run_loop(&driver);
        tr_surroundings_sweep(driver.commands);
    } else {
        tell_why_not(&driver);
    }
    close_all(&driver);
    tr_surroundings_leave(&before);
    return driver.exit_code;
}
