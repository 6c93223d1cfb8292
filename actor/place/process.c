/*
 * The first moments of a node's process.
 *
 * A child inherits everything that its parent had, and a node is to have nothing of it: a stray
 * copy of another node's control socket would hide the end of that socket. So all descriptors but
 * its own are closed, its own get the lowest numbers, and the pages of other nodes never reach it
 * (the keeper maps them with MADV_DONTFORK). It dies with the keeper: the kernel kills it when its
 * parent ends, and if the parent had ended before that was arranged, getppid tells.
 *
 * A spawned node passes through exec: its descriptors survive that, numbered in an environment
 * variable, which is read once, checked, and removed.
 *
 * Needs Linux 5.9 (close_range).
 */
#include "place/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "place/control.h"
#include "place/process_options.h"
#include "place/title.h"

enum { FIRST_OWN = 3, ASIDE = 16 };

__attribute__((noreturn)) static void give_up(const char *what, int code) {
    char line[256];
    int size = snprintf(line, sizeof line, "troupe: a node could not be set up: %s: %s\n", what,
                        strerror(errno));
    if (size > 0 && write(STDERR_FILENO, line, (size_t)size) < 0) _exit(code);
    _exit(code);
}

static void require(bool ok, const char *what) {
    if (!ok) give_up(what, TR_PROCESS_SETUP_FAILED);
}

/* The keeper knows why it is not there; who cannot tell it tells people. */
void tr_process_fail(int control, const char *why, int code) {
    struct tr_control message = { .type = TR_CONTROL_FAILED };
    tr_control_say(&message, "could not be set up: %s", why);
    if (tr_control_send(control, &message, NULL) == TR_CONTROL_OK) _exit(code);
    errno = EPIPE;
    give_up(why, code);
}

/* ---- Signals ---- */

/* A program started by nohup stays so. */
static bool keeps_ignoring(int number) {
    struct sigaction action;
    return number == SIGHUP && sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

static void reset_signals(void) {
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        if (!keeps_ignoring(number)) sigaction(number, &action, NULL); /* some cannot be set */
    }
    action.sa_handler = SIG_IGN;
    require(sigaction(SIGINT, &action, NULL) == 0, "sigaction");
    require(sigaction(SIGTERM, &action, NULL) == 0, "sigaction");
    sigemptyset(&none);
    require(sigprocmask(SIG_SETMASK, &none, NULL) == 0, "sigprocmask");
}

/* ---- Descriptors ---- */

/* Out of the way of the places that the others move to. */
static int aside(int descriptor) {
    if (descriptor < 0) return -1;
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, ASIDE);
    require(moved >= 0, "dup");
    return moved;
}

static int settle(int descriptor, int *next) {
    if (descriptor < 0) return -1;
    require(dup3(descriptor, *next, O_CLOEXEC) >= 0, "dup3");
    return (*next)++;
}

static void keep_own(struct tr_node_start *start) {
    int next = FIRST_OWN;
    int control = aside(start->control), flight = aside(start->flight),
        names = aside(start->names), config = aside(start->config), log = aside(start->log);
    start->control = settle(control, &next);
    start->flight = settle(flight, &next);
    start->names = settle(names, &next);
    start->config = settle(config, &next);
    start->log = settle(log, &next);
    require(close_range((unsigned)next, ~0u, 0) == 0, "close_range");
}

static void close_stdin(void) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    require(null >= 0, "/dev/null");
    require(dup2(null, STDIN_FILENO) >= 0, "dup2");
    if (null != STDIN_FILENO) close(null);
}

static bool map_page(struct tr_node_start *start) {
    struct stat about;
    if (fstat(start->flight, &about) != 0 || about.st_size <= 0) return false;
    start->page_size = (size_t)about.st_size;
    start->page =
        mmap(NULL, start->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, start->flight, 0);
    if (start->page != MAP_FAILED) return true;
    start->page = NULL;
    return false;
}

/* ---- Set-up ---- */

bool tr_process_own_group(bool main) {
    return !(main && isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp());
}

void tr_process_setup(const struct tr_process_setup *setup) {
    char why[192];
    require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
    if (getppid() != setup->keeper) _exit(TR_PROCESS_SETUP_FAILED);
    if (tr_process_own_group(setup->main)) require(setpgid(0, 0) == 0, "setpgid");
    if (setup->output >= 0) require(dup2(setup->output, STDOUT_FILENO) >= 0, "dup2");
    if (setup->errors >= 0) require(dup2(setup->errors, STDERR_FILENO) >= 0, "dup2");
    keep_own(setup->start);
    if (!setup->main) close_stdin();
    reset_signals();
    tr_process_title(setup->application, setup->path);
    require(map_page(setup->start), "its flight page");
    if (!tr_process_options_apply(setup->options, setup->keeper, why, sizeof why))
        tr_process_fail(setup->start->control, why, TR_PROCESS_SETUP_FAILED);
}

/* ---- Through exec ---- */

static void survive_exec(int descriptor) {
    if (descriptor >= 0) require(fcntl(descriptor, F_SETFD, 0) == 0, "fcntl");
}

void tr_process_spawn(const struct tr_node_start *start, const char *program, char *const *argv) {
    char value[128], why[224];
    survive_exec(start->control);
    survive_exec(start->flight);
    survive_exec(start->names);
    survive_exec(start->config);
    survive_exec(start->log);
    snprintf(value, sizeof value, "%llu:%llu:%d:%d:%d:%d:%d:%d", (unsigned long long)start->node,
             (unsigned long long)start->incarnation, start->control, start->flight, start->names,
             start->config, start->log, start->json);
    require(setenv(TR_NODE_VARIABLE, value, 1) == 0, "setenv");
    execv(program, argv);
    snprintf(why, sizeof why, "%.160s: %s", program, strerror(errno));
    tr_process_fail(start->control, why, TR_PROCESS_EXEC_FAILED);
}

/* Eight numbers, nothing before, between or behind them but the colons. */
static bool parse(const char *value, struct tr_node_start *start) {
    int used = 0, json = 0;
    unsigned long long node, incarnation;
    if (strspn(value, "0123456789:-") != strlen(value)) return false;
    if (sscanf(value, "%20llu:%20llu:%9d:%9d:%9d:%9d:%9d:%9d%n", &node, &incarnation, &start->control,
               &start->flight, &start->names, &start->config, &start->log, &json, &used) != 8) {
        return false;
    }
    start->node = node;
    start->incarnation = incarnation;
    start->json = json != 0;
    return value[used] == '\0' && node > 0 && incarnation > 0;
}

static bool is_control(int descriptor) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* Who could shrink it could crash us. */
static bool is_sealed(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

static bool is_pipe(int descriptor) {
    struct stat about;
    return fstat(descriptor, &about) == 0 && S_ISFIFO(about.st_mode);
}

static const char *adopt(struct tr_node_start *start) {
    if (!is_control(start->control)) return "its control socket is not there";
    if (!is_sealed(start->flight)) return "its flight page is not there";
    if (!is_sealed(start->names)) return "the names of the application are not there";
    if (start->config >= 0 && !is_sealed(start->config)) return "its configuration is not there";
    if (start->log >= 0 && !is_pipe(start->log)) return "its log is not there";
    fcntl(start->control, F_SETFD, FD_CLOEXEC);
    fcntl(start->flight, F_SETFD, FD_CLOEXEC);
    fcntl(start->names, F_SETFD, FD_CLOEXEC);
    if (start->config >= 0) fcntl(start->config, F_SETFD, FD_CLOEXEC);
    if (start->log >= 0) fcntl(start->log, F_SETFD, FD_CLOEXEC);
    return map_page(start) ? NULL : "its flight page cannot be mapped";
}

int tr_node_start_read(struct tr_node_start *start, char *error, size_t error_size) {
    *start = (struct tr_node_start){ .control = -1, .flight = -1, .names = -1, .config = -1, .log = -1 };
    const char *value = getenv(TR_NODE_VARIABLE);
    if (value == NULL) return 0;
    const char *wrong = parse(value, start) ? adopt(start) : "it is not eight numbers";
    if (wrong != NULL) {
        snprintf(error, error_size, "%s=%.64s: %s", TR_NODE_VARIABLE, value, wrong);
        return -1;
    }
    unsetenv(TR_NODE_VARIABLE);
    return 1;
}

void tr_node_start_release(struct tr_node_start *start) {
    if (start->page != NULL) munmap(start->page, start->page_size);
    if (start->control >= 0) close(start->control);
    if (start->flight >= 0) close(start->flight);
    if (start->names >= 0) close(start->names);
    if (start->config >= 0) close(start->config);
    if (start->log >= 0) close(start->log);
    *start = (struct tr_node_start){ .control = -1, .flight = -1, .names = -1, .config = -1, .log = -1 };
}

/* ---- Shared memory ---- */

/* Writes `data` unless it is NULL. */
static bool fill(int memory, const void *data, size_t size, int seals) {
    bool ok = data != NULL ? write(memory, data, size) == (ssize_t)size
                           : ftruncate(memory, (off_t)size) == 0;
    return ok && fcntl(memory, F_ADD_SEALS, seals | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

static int make_memory(const char *name, const void *data, size_t size, int seals) {
    tr_assert(size > 0);
    int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0 || fill(memory, data, size, seals)) return memory;
    int failure = errno;
    close(memory);
    errno = failure;
    return -1;
}

int tr_memfd_new(const char *name, size_t size) { return make_memory(name, NULL, size, 0); }

int tr_memfd_copy(const char *name, const void *data, size_t size) {
    return make_memory(name, data, size, F_SEAL_WRITE);
}
