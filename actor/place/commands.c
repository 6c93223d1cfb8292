/*
 * External programs as processes.
 *
 * One life: its owner's socket comes (take) and is watched; the request is read from it, and the program started;
 * what the owner says from then on, its end too, goes to the keeper's machine. The pidfd says when the program has
 * ended: what is left in its group is killed while it is a zombie, and so while the group's number is still its own;
 * then it is reaped, and its owner told.
 *
 * Failures. A request that makes no sense, or that cannot be carried out, is answered with the reason. An owner that
 * does not read what it is told is told no more: these are three small packets at most, for which its socket has
 * room. A program whose status somebody else has taken (the program that owns this process reaps its children, or
 * ignores SIGCHLD) has none.
 */
#include "place/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place/command_start.h"
#include "place/undertaker.h"

enum { EVENTS_AT_ONCE = 64, MESSAGES_AT_ONCE = 16 };

struct command {
    struct command *next;
    uint64_t number;
    int socket;    /* -1: its owner is gone */
    pid_t pid;     /* 0: not started */
    int pidfd;
    bool detached;
    bool released; /* the keeper's machine knows it no more */
};

struct tr_commands {
    struct tr_keeper *keeper;
    struct rlimit files;
    bool has_files, alone;
    int epoll;
    uint64_t last; /* number */
    uint32_t count;
    struct command *first;
    struct tr_undertaker undertaker;
};

/* ---- The list ---- */

static struct command *find(const struct tr_commands *commands, uint64_t number) {
    struct command *command = commands->first;
    while (command != NULL && command->number != number) command = command->next;
    return command;
}

static struct command *find_process(const struct tr_commands *commands, pid_t pid) {
    struct command *command = commands->first;
    while (command != NULL && command->pid != pid) command = command->next;
    return command;
}

static void close_watched(struct tr_commands *commands, int *descriptor) {
    if (*descriptor < 0) return;
    epoll_ctl(commands->epoll, EPOLL_CTL_DEL, *descriptor, NULL);
    close(*descriptor);
    *descriptor = -1;
}

static void forget(struct tr_commands *commands, struct command *command) {
    struct command **at = &commands->first;
    while (*at != command) at = &(*at)->next;
    *at = command->next;
    commands->count--;
    close_watched(commands, &command->socket);
    close_watched(commands, &command->pidfd);
    free(command);
}

/* An event is of a number, and of its socket or its pidfd. */
static bool watch(struct tr_commands *commands, const struct command *command, int descriptor, bool process) {
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = command->number << 1 | (process ? 1 : 0) };
    return epoll_ctl(commands->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* ---- What owners are told ---- */

static void tell(const struct command *command, const struct tr_control *control) {
    if (command->socket >= 0) (void)tr_control_send(command->socket, control, NULL);
}

static void tell_failure(const struct command *command, int error, const char *why) {
    struct tr_control control = { .type = TR_CONTROL_COMMAND_FAILED, .status = error };
    tr_control_say(&control, "%s", why);
    tell(command, &control);
}

static void tell_status(const struct command *command, enum tr_control_type type, int status) {
    struct tr_control control = { .type = type, .status = status };
    tell(command, &control);
}

/* ---- Ends ---- */

static int reap(struct command *command) {
    int status = -1;
    while (waitpid(command->pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return status;
}

/* One that does not listen would some day kill a group that is not ours: better none. */
static void tell_undertaker(struct tr_commands *commands, pid_t group) {
    struct tr_undertaker *undertaker = &commands->undertaker;
    if (undertaker->socket < 0 || tr_undertaker_remove(undertaker->socket, group)) return;
    kill(undertaker->pid, SIGKILL);
    waitpid(undertaker->pid, NULL, 0);
    tr_undertaker_stop(undertaker);
}

/* `zombie`: it is not reaped, so that its number is its own. */
static void ended(struct tr_commands *commands, struct command *command, bool zombie) {
    uint64_t number = command->number;
    bool released = command->released;
    if (!command->detached && zombie) kill(-command->pid, SIGKILL);
    if (!command->detached) tell_undertaker(commands, command->pid);
    tell_status(command, TR_CONTROL_COMMAND_ENDED, reap(command));
    forget(commands, command);
    if (!released) tr_keeper_command_exited(commands->keeper, number);
}

bool tr_commands_reap(struct tr_commands *commands, pid_t pid) {
    struct command *command = find_process(commands, pid);
    if (command != NULL) {
        ended(commands, command, true);
    } else if (commands->undertaker.pid == pid) {
        tr_undertaker_stop(&commands->undertaker);
        waitpid(pid, NULL, 0);
    } else {
        return false;
    }
    return true;
}

/* Nobody wants it any more. */
static void owner_gone(struct tr_commands *commands, struct command *command, int64_t now) {
    close_watched(commands, &command->socket);
    if (command->pid == 0) forget(commands, command);
    else if (!command->released) tr_keeper_command_end(commands->keeper, command->number, true, now);
}

/* ---- Beginnings ---- */

/* One that has died is made anew, and told of all that run. */
static int undertaker(struct tr_commands *commands) {
    if (!commands->alone || commands->undertaker.socket >= 0) return commands->undertaker.socket;
    if (!tr_undertaker_start(&commands->undertaker)) return -1;
    for (const struct command *command = commands->first; command != NULL; command = command->next)
        if (command->pid != 0 && !command->detached) tr_undertaker_add(commands->undertaker.socket, command->pid);
    return commands->undertaker.socket;
}

static bool started(struct tr_commands *commands, struct command *command, pid_t pid) {
    command->pid = pid;
    command->pidfd = pidfd_open(pid, 0);
    if (command->pidfd >= 0 && watch(commands, command, command->pidfd, true)) return true;
    tell_failure(command, errno, "no descriptors are left to look after it");
    kill(-pid, SIGKILL);
    reap(command);
    command->pid = 0;
    return false;
}

static void bury(struct tr_commands *commands, pid_t pid) {
    if (pid <= 0) return;
    tell_undertaker(commands, pid);
    waitpid(pid, NULL, 0);
}

static bool start(struct tr_commands *commands, struct command *command, const struct tr_command_request *request,
                  const int *descriptors) {
    struct ucred asker;
    socklen_t size = sizeof asker;
    char why[TR_CONTROL_TEXT_SIZE] = "";
    pid_t pid = -1;
    int error = getsockopt(command->socket, SOL_SOCKET, SO_PEERCRED, &asker, &size) == 0 ? 0 : errno;
    if (error == 0) {
        struct tr_command_origin origin = { .user = asker.uid, .group = asker.gid,
                                            .files = commands->has_files ? &commands->files : NULL,
                                            .undertaker = undertaker(commands) };
        error = tr_command_start(request, descriptors, &origin, &pid, why, sizeof why);
    }
    if (error == 0) return started(commands, command, pid);
    bury(commands, pid);
    tell_failure(command, error, why);
    return false;
}

/* The machine may refuse it; what it takes and does not come to run has ended. */
static bool begin(struct tr_commands *commands, struct command *command, const struct tr_command_request *request,
                  const int *descriptors) {
    struct tr_command_rules rules = { request->detached, request->signal, request->grace };
    const char *refusal = tr_keeper_command(commands->keeper, command->number, &rules);
    command->detached = request->detached;
    if (refusal != NULL) {
        tell_failure(command, EAGAIN, refusal);
        return false;
    }
    if (!start(commands, command, request, descriptors)) {
        tr_keeper_command_exited(commands->keeper, command->number);
        return false;
    }
    tell_status(command, TR_CONTROL_COMMAND_STARTED, (int)command->pid);
    return true;
}

/* Out of the way of the numbers that they are to have. */
static bool move_aside(int *descriptors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int moved = fcntl(descriptors[i], F_DUPFD_CLOEXEC, TR_COMMAND_DESCRIPTORS);
        if (moved < 0) return false;
        close(descriptors[i]);
        descriptors[i] = moved;
    }
    return true;
}

static bool obey_request(struct tr_commands *commands, struct command *command, const uint8_t *bytes, int64_t size,
                         int *descriptors, uint32_t count) {
    const char *error;
    struct tr_command_request *request = tr_command_request_decode(bytes, (size_t)size, &error);
    bool ok = request != NULL && request->descriptors == count;
    if (!ok) tell_failure(command, EINVAL, request == NULL ? error : "descriptors are missing");
    if (ok && !move_aside(descriptors, count)) {
        tell_failure(command, errno, "no descriptors are left to start it");
        ok = false;
    }
    ok = ok && begin(commands, command, request, descriptors);
    free(request);
    return ok;
}

static void read_request(struct tr_commands *commands, struct command *command, int64_t now) {
    int descriptors[TR_COMMAND_DESCRIPTORS];
    uint32_t count = 0;
    uint8_t *bytes = malloc(TR_COMMAND_REQUEST_SIZE);
    int64_t size = bytes == NULL ? -1 : tr_command_packet_receive(command->socket, bytes, descriptors, &count);
    if (bytes == NULL) errno = ENOMEM;
    bool waits = size < 0 && errno == EAGAIN, ok = false;
    if (size < 0 && !waits) tell_failure(command, errno, "its request cannot be read");
    if (size > 0) ok = obey_request(commands, command, bytes, size, descriptors, count);
    for (uint32_t i = 0; i < count; i++) close(descriptors[i]);
    free(bytes);
    if (!ok && !waits) owner_gone(commands, command, now);
}

/* ---- Events ---- */

static void obey(struct tr_commands *commands, struct command *command, const struct tr_control *control, int64_t now) {
    if (control->type == TR_CONTROL_COMMAND_SIGNAL) kill(-command->pid, control->signal);
    if (control->type == TR_CONTROL_COMMAND_END)
        tr_keeper_command_end(commands->keeper, command->number, false, now);
}

/* What cannot be read is no owner's. */
static void read_messages(struct tr_commands *commands, struct command *command, int64_t now) {
    struct tr_control control;
    const char *error;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
        switch (tr_control_receive(command->socket, TR_CONTROL_TO_KEEPER, &control, descriptors, &error)) {
        case TR_CONTROL_OK: break;
        case TR_CONTROL_AGAIN: return;
        case TR_CONTROL_CLOSED:
        case TR_CONTROL_BAD: owner_gone(commands, command, now); return;
        }
        if (descriptors[0] >= 0) close(descriptors[0]); /* one that means nothing here */
        obey(commands, command, &control, now);
    }
}

static void has_ended(struct tr_commands *commands, struct command *command) {
    siginfo_t dead = { 0 };
    bool taken = waitid(P_PID, (id_t)command->pid, &dead, WEXITED | WNOHANG | WNOWAIT) != 0;
    if (taken || dead.si_pid != 0) ended(commands, command, !taken);
}

static void handle(struct tr_commands *commands, uint64_t what, int64_t now) {
    struct command *command = find(commands, what >> 1);
    if (command == NULL) return;
    if ((what & 1) != 0) has_ended(commands, command);
    else if (command->pid == 0) read_request(commands, command, now);
    else if (command->socket >= 0) read_messages(commands, command, now);
}

void tr_commands_turn(struct tr_commands *commands, int64_t now) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(commands->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) handle(commands, events[i].data.u64, now);
}

void tr_commands_take(struct tr_commands *commands, int socket) {
    int type = 0;
    socklen_t size = sizeof type;
    struct command *command = calloc(1, sizeof *command);
    bool sound = getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
    if (command == NULL || !sound || commands->count >= 2 * TR_KEEPER_COMMANDS) {
        free(command);
        close(socket);
        return;
    }
    *command = (struct command){ .next = commands->first, .number = ++commands->last, .socket = socket, .pidfd = -1 };
    commands->first = command;
    commands->count++;
    if (!watch(commands, command, socket, false)) forget(commands, command);
}

/* ---- Actions ---- */

/* The number of its group cannot be another's: it is not reaped. */
void tr_commands_signal(struct tr_commands *commands, uint64_t number, int signal) {
    const struct command *command = find(commands, number);
    if (command == NULL || command->pid == 0) return;
    kill(-command->pid, signal);
    if (signal != SIGKILL) kill(-command->pid, SIGCONT); /* one that is stopped could not end */
}

void tr_commands_release(struct tr_commands *commands, uint64_t number) {
    struct command *command = find(commands, number);
    if (command != NULL) command->released = true;
}

bool tr_commands_spares(const struct tr_commands *commands, pid_t pid) {
    pid_t session = getsid(pid);
    for (const struct command *command = commands->first; command != NULL; command = command->next)
        if (command->detached && command->pid != 0 && (command->pid == pid || command->pid == session)) return true;
    return false;
}

/* ---- Making ---- */

struct tr_commands *tr_commands_new(struct tr_keeper *keeper, const struct rlimit *files, bool alone) {
    struct tr_commands *commands = calloc(1, sizeof *commands);
    if (commands == NULL) return NULL;
    *commands = (struct tr_commands){ .keeper = keeper, .alone = alone, .has_files = files != NULL,
                                      .epoll = epoll_create1(EPOLL_CLOEXEC),
                                      .undertaker = { .socket = -1 } };
    if (files != NULL) commands->files = *files;
    if (commands->epoll >= 0) return commands;
    free(commands);
    return NULL;
}

int tr_commands_descriptor(const struct tr_commands *commands) { return commands->epoll; }

void tr_commands_free(struct tr_commands *commands) {
    if (commands == NULL) return;
    while (commands->first != NULL) forget(commands, commands->first);
    pid_t pid = commands->undertaker.pid;
    tr_undertaker_stop(&commands->undertaker);
    if (pid > 0) waitpid(pid, NULL, 0);
    close(commands->epoll);
    free(commands);
}
