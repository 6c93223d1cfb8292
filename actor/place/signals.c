#include "place/signals.h"

#include <pthread.h>
#include <signal.h>

void tr_signal_unwanted(int number) {
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, &before);
    raise(number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
