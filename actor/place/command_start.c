/*
 * Starting a program. The new process is made by vfork: it shares our memory until it executes, so that its
 * beginning costs the same however large we are, and other threads of ours do no harm: between the two it only makes
 * system calls, those of users by their numbers, for the C library's would change all threads that it believes to have.
 *
 * In this order: its own group or session; the undertaker knows of it; descriptors; user and group; the order to die
 * with us, which a change of user would have undone, and a look whether we are still there; the directory; signals; the
 * file. What fails is written into a pipe that the execution closes: so our read ends either way, at once.
 */
#include "place/command_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "place/undertaker.h"

enum step { STEP_GROUP, STEP_DESCRIPTORS, STEP_USER, STEP_PARENT, STEP_DIRECTORY, STEP_EXECUTE, STEPS };

struct failure {
    int error;
    enum step step;
};

struct launch {
    const struct tr_command_request *request;
    const struct tr_command_origin *origin;
    const int *descriptors;
    uid_t user;
    gid_t group;
    bool changes; /* user or group */
    pid_t parent;
    int failures; /* the pipe's end */
};

/* ---- In the new process ---- */

static bool take_descriptors(const struct launch *launch) {
    uint32_t count = launch->request->descriptors;
    for (uint32_t i = 0; i < count; i++)
        if (dup2(launch->descriptors[i], (int)i) < 0) return false;
    return close_range(count, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static bool change_user(const struct launch *launch) {
    if (!launch->changes) return true;
    bool root = geteuid() == 0;
    return (!root || syscall(SYS_setgroups, 0, NULL) == 0) &&
           syscall(SYS_setresgid, launch->group, launch->group, launch->group) == 0 &&
           syscall(SYS_setresuid, launch->user, launch->user, launch->user) == 0;
}

static bool die_with_parent(const struct launch *launch) {
    if (launch->request->detached) return true;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
    if (getppid() != launch->parent) _exit(127);
    return true;
}

/* A program started by nohup stays so. */
static void reset_signals(void) {
    struct sigaction action, standard = { .sa_handler = SIG_DFL };
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        if (number == SIGHUP && sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) continue;
        sigaction(number, &standard, NULL); /* some cannot be set */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What is there and may not be executed is worth more than what is not there. */
static int execute(const struct tr_command_request *request) {
    int error = ENOENT;
    for (char *const *program = request->programs; *program != NULL; program++) {
        execve(*program, request->arguments, request->environment);
        if (errno == EACCES) error = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR) return errno;
    }
    return error;
}

static enum step prepare(const struct launch *launch) {
    const struct tr_command_request *request = launch->request;
    const struct tr_command_origin *origin = launch->origin;
    if (request->detached ? setsid() < 0 : setpgid(0, 0) != 0) return STEP_GROUP;
    if (!request->detached && origin->undertaker >= 0) tr_undertaker_add(origin->undertaker, getpid());
    if (!take_descriptors(launch)) return STEP_DESCRIPTORS;
    if (!change_user(launch)) return STEP_USER;
    if (!die_with_parent(launch)) return STEP_PARENT;
    if (request->directory[0] != '\0' && chdir(request->directory) != 0 && request->enters) return STEP_DIRECTORY;
    if (origin->files != NULL) setrlimit(RLIMIT_NOFILE, origin->files);
    return STEP_EXECUTE;
}

__attribute__((noreturn, noinline)) static void become(const struct launch *launch) {
    struct failure failure = { .step = prepare(launch) };
    failure.error = errno;
    if (failure.step == STEP_EXECUTE) {
        reset_signals();
        failure.error = execute(launch->request);
    }
    if (write(launch->failures, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

/* ---- In ours ---- */

/* Signals wait: no handler of ours is to run in the other process. */
static pid_t fork_it(const struct launch *launch) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) become(launch);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

/* Only root may be asked to be somebody else, and then only by root. */
static bool may_change(const struct launch *launch) {
    const struct tr_command_origin *origin = launch->origin;
    return !launch->changes || origin->user == 0 ||
           (launch->user == origin->user && launch->group == origin->group);
}

static void tell(const struct launch *launch, const struct failure *failure, char *why, size_t size) {
    const struct tr_command_request *request = launch->request;
    static const char *const steps[STEPS] = { "its process group", "its descriptors", "another user or group",
                                              "its end with ours", "its directory", "execution" };
    const char *object = failure->step == STEP_DIRECTORY ? request->directory : request->name;
    const char *hint = failure->step == STEP_EXECUTE && failure->error == ENOEXEC
                           ? " (a script begins with #! and its interpreter)" : "";
    snprintf(why, size, "%.100s: %s: %s%s", object, steps[failure->step], strerror(failure->error), hint);
}

static int wait_for_it(const struct launch *launch, int failures, char *why, size_t size) {
    struct failure failure;
    ssize_t got;
    do {
        got = read(failures, &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof failure) return 0;
    tell(launch, &failure, why, size);
    return failure.error;
}

static int start_with(struct launch *launch, pid_t *pid, char *why, size_t size) {
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) return errno;
    launch->failures = fcntl(pipes[1], F_DUPFD_CLOEXEC, TR_COMMAND_DESCRIPTORS);
    int error = launch->failures < 0 ? errno : 0;
    close(pipes[1]);
    *pid = error != 0 ? -1 : fork_it(launch);
    if (error == 0 && *pid < 0) error = errno;
    if (launch->failures >= 0) close(launch->failures);
    if (*pid > 0) error = wait_for_it(launch, pipes[0], why, size);
    close(pipes[0]);
    return error;
}

int tr_command_start(const struct tr_command_request *request, const int *descriptors,
                     const struct tr_command_origin *origin, pid_t *pid, char *why, size_t size) {
    struct launch launch = { .request = request, .origin = origin, .descriptors = descriptors, .parent = getpid(),
                             .user = request->user < 0 ? origin->user : (uid_t)request->user,
                             .group = request->group < 0 ? origin->group : (gid_t)request->group };
    launch.changes = launch.user != geteuid() || launch.group != getegid();
    *pid = -1;
    why[0] = '\0';
    int error = may_change(&launch) ? start_with(&launch, pid, why, size) : EPERM;
    if (error != 0 && why[0] == '\0') snprintf(why, size, "%.100s: %s", request->name, strerror(error));
    return error;
}
