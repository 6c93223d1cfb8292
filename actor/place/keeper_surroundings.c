/*
 * What the keeper changes about its own process, put back at the end, and what may be left below
 * it.
 *
 * Orphans of dead nodes come to the keeper, because it is the subreaper. Most are killed with the
 * process group of their node. Those that left the group are our children by the end, and are
 * killed there; the children of one that was killed come to us in turn, so that it takes as many
 * rounds as it takes.
 *
 * Failures. Without /proc, or for a process of another user, orphans are reaped but not killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "place/keeper_driver.h"
#include "services/signals.h"

/* ---- What may be left ---- */

/* Kills what /proc lists as our children, and returns how many. */
static unsigned kill_orphans(const struct tr_commands *commands) {
    FILE *list = fopen("/proc/thread-self/children", "re");
    unsigned count = 0;
    long pid;
    if (list == NULL) return 0;
    while (fscanf(list, "%ld", &pid) == 1) {
        if (commands != NULL && tr_commands_spares(commands, (pid_t)pid)) continue;
        if (kill((pid_t)pid, SIGKILL) == 0) count++;
    }
    fclose(list);
    return count;
}

void tr_surroundings_sweep(const struct tr_commands *commands) {
    bool left = true;
    while (left) {
        /* What was killed is waited for; what could not be is taken only if it has ended by itself.
         */
        int patience = kill_orphans(commands) > 0 ? 0 : WNOHANG;
        pid_t pid = waitpid(-1, NULL, patience);
        left = pid > 0 || (pid < 0 && errno == EINTR);
    }
}

/* ---- Before and after ---- */

/* A missing standard descriptor would be taken by the next thing opened. */
static void fill_stdio(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
    }
}

/* A background job is not to be stopped by the terminal's Ctrl-C: who ignored SIGINT goes on so. */
static void choose_signals(sigset_t *handled) {
    struct sigaction action;
    tr_signals_askable(handled);
    sigaddset(handled, SIGCHLD);
    sigaddset(handled, SIGTERM);
    if (sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler == SIG_IGN) return;
    sigaddset(handled, SIGINT);
}

bool tr_surroundings_enter(struct tr_surroundings *before) {
    struct sigaction standard = { .sa_handler = SIG_DFL }; /* ignored, children would vanish */
    fill_stdio();
    choose_signals(&before->handled);
    if (getrlimit(RLIMIT_NOFILE, &before->files) != 0) return false;
    struct rlimit most = { .rlim_cur = before->files.rlim_max, .rlim_max = before->files.rlim_max };
    setrlimit(RLIMIT_NOFILE, &most); /* each pair of nodes that talk has a ledger */
    return sigprocmask(SIG_BLOCK, &before->handled, &before->mask) == 0 &&
           sigaction(SIGCHLD, &standard, &before->child) == 0 &&
           prctl(PR_GET_CHILD_SUBREAPER, &before->subreaper) == 0 &&
           prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

void tr_surroundings_leave(const struct tr_surroundings *before) {
    struct timespec none = { 0 };
    while (sigtimedwait(&before->handled, NULL, &none) > 0) continue; /* it is over anyway */
    prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)before->subreaper);
    setrlimit(RLIMIT_NOFILE, &before->files);
    sigaction(SIGCHLD, &before->child, NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}
