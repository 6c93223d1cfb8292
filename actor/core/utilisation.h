/*
 * How busy the thread of a worker is: the CPU time that the kernel counts for each thread anyway, so that nobody pays
 * for it but who asks. Looking for work (`spin`) is being busy; waiting for anything else, a lock or a page, is not.
 */
#ifndef TR_UTILISATION_H
#define TR_UTILISATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tr_utilisation {
    _Atomic int clock;      /* of the thread's CPU time; 0: it has not begun */
    _Atomic int64_t began;
};

/* By the thread itself. */
void tr_utilisation_begin(struct tr_utilisation *utilisation);

/* ns since then. False: it has not begun, or has ended. Any thread. */
bool tr_utilisation_read(const struct tr_utilisation *utilisation, int64_t *active, int64_t *idle);

#endif
