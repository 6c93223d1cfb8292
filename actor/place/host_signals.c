/*
 * The signals of a process, for its actors: read from a signalfd by the host's thread, told to every node here.
 *
 * A process that is Troupe's own blocks all that may be asked for, in all threads and from the beginning, so
 * that asking takes effect at once. One that nobody has asked for then does what it would have done. In a
 * program that owns its main the signals are the program's: only those that somebody has asked for are read,
 * and the program blocks them.
 *
 * In one-process mode SIGINT and SIGTERM come here too, for the keeper's machine.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "place/host_parts.h"
#include "place/signals.h"

static bool is_own_process(const struct tr_host *host) {
    return host->options.start != NULL || host->options.signals;
}

static void first_set(const struct tr_host *host, sigset_t *set) {
    sigemptyset(set);
    if (is_own_process(host)) tr_signals_askable(set);
    if (!host->options.signals) return;
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

bool tr_host_signals_open(struct tr_host *host) {
    sigset_t set;
    first_set(host, &set);
    if (is_own_process(host)) pthread_sigmask(SIG_BLOCK, &set, &host->mask_before);
    host->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return host->signals >= 0 && tr_loop_watch(&host->loop, host->signals, TR_HOST_SIGNALS, EPOLLIN);
}

void tr_host_signals_close(struct tr_host *host) {
    tr_loop_unwatch(&host->loop, host->signals);
    pthread_mutex_lock(&host->lock);
    if (host->signals >= 0) close(host->signals);
    host->signals = -1;
    pthread_mutex_unlock(&host->lock);
    if (is_own_process(host)) pthread_sigmask(SIG_SETMASK, &host->mask_before, NULL);
}

/* ---- What comes ---- */

bool tr_host_signalled(struct tr_host *host, int number, uint32_t times) {
    bool wanted = false;
    for (uint32_t i = 1; i <= host->node_count; i++)
        if (host->nodes[i].node != NULL && tr_signals_tell(host->nodes[i].node, number, times)) wanted = true;
    return wanted;
}

static void take(struct tr_host *host, int number) {
    if (!tr_signal_is_askable(number)) {
        if (!host->keeper_done) tr_keeper_signal(host->keeper, number, tr_host_now(host));
    } else if (!tr_host_signalled(host, number, 1) && is_own_process(host) &&
               sigismember(&host->mask_before, number) == 0) {
        tr_signal_unwanted(number);
    }
}

/* 0: no more. Under the lock, as the descriptor may be changed meanwhile. */
static int next_signal(struct tr_host *host) {
    struct signalfd_siginfo info;
    pthread_mutex_lock(&host->lock);
    ssize_t size = read(host->signals, &info, sizeof info);
    pthread_mutex_unlock(&host->lock);
    return size == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void tr_host_signals_ready(struct tr_host *host) {
    for (int number; (number = next_signal(host)) != 0;) take(host, number);
}

/* ---- Who asks ---- */

/* Any worker. In a process of Troupe's own all of them are read anyway. */
void tr_host_want_signal(struct tr_host *host, int number, bool wanted) {
    sigset_t set;
    if (is_own_process(host)) return;
    first_set(host, &set);
    pthread_mutex_lock(&host->lock);
    host->asked[number] += wanted ? 1 : UINT32_MAX;
    for (int i = 1; i < NSIG; i++)
        if (host->asked[i] > 0) sigaddset(&set, i);
    if (host->signals >= 0) signalfd(host->signals, &set, 0);
    pthread_mutex_unlock(&host->lock);
}
