#include "core/utilisation.h"

#include <pthread.h>
#include <time.h>
#include <troupe/status.h>

#include "core/thread.h"

void tr_utilisation_begin(struct tr_utilisation *utilisation) {
    clockid_t clock;
    if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return;
    atomic_store(&utilisation->began, tr_thread_clock());
    atomic_store(&utilisation->clock, clock);
}

/* The number of a thread's clock stays a number when the thread is gone: the kernel knows no such clock then. */
bool tr_utilisation_read(const struct tr_utilisation *utilisation, int64_t *active, int64_t *idle) {
    struct timespec used;
    clockid_t clock = atomic_load(&utilisation->clock);
    if (clock == 0 || clock_gettime(clock, &used) != 0) return false;
    int64_t all = tr_thread_clock() - atomic_load(&utilisation->began);
    *active = (int64_t)used.tv_sec * TROUPE_SECOND + used.tv_nsec;
    *idle = all > *active ? all - *active : 0;
    return true;
}
