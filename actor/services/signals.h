/*
 * Signals for actors: who on this node has asked for which.
 *
 * The signal is read by the host's thread (place/host_signals.c), which tells each node of its process. Who
 * asks is in a list under a lock; asking takes effect before troupe_signal returns.
 */
#ifndef TR_SIGNALS_H
#define TR_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct tr_node;
struct tr_asked_signal;

struct tr_signals {
    pthread_mutex_t lock;
    struct tr_asked_signal *first;
};

void tr_signals_init(struct tr_signals *signals);
void tr_signals_free(struct tr_signals *signals);

/* A signal has come, so many times: tells who asked. False: nobody did. The host's thread. */
bool tr_signals_tell(struct tr_node *node, int signal, uint32_t times);

/* Those that may be asked for. */
bool tr_signal_is_askable(int signal);
void tr_signals_askable(sigset_t *set);

#endif
