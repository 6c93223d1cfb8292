/*
 * The watchdog of one node: of what is seen of it now and then, whether it has stopped making progress.
 *
 * What counts is a handler of the pool that is the same as at the look before, and a process that somebody has stopped
 * (SIGSTOP). Threads of single actors and calls of troupe_work may take as long as they like. Pure: a look brings the
 * time that has passed since the one before, of which no more than twice the usual counts: when keeper and node were
 * stopped together (Ctrl-Z, a virtual machine that slept), nobody is to blame.
 */
#ifndef TR_WATCHDOG_H
#define TR_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/flight.h"

struct tr_watchdog {
    int64_t patience; /* ns */
    int64_t usual;    /* ns from one look to the next */
    int64_t looked;   /* when it was last looked at; 0: never */
    int64_t stopped;  /* ns for which it has been */
    struct {
        uint32_t serial;
        int64_t same; /* ns for which it has been the same */
    } workers[TR_MAX_POOL];
};

enum tr_watchdog_verdict { TR_WATCHDOG_FINE, TR_WATCHDOG_STUCK, TR_WATCHDOG_STOPPED };

/* Forgets what it saw: of another incarnation. */
void tr_watchdog_reset(struct tr_watchdog *dog, int64_t patience, int64_t now);

/* `workers` of the page are of the pool; `page` may be nonsense. `stopped`: its process is, just now. `*lasted`: since
 * when it is as it is, ns. */
enum tr_watchdog_verdict tr_watchdog_look(struct tr_watchdog *dog, const struct tr_flight *page, uint32_t workers,
                                          bool stopped, int64_t now, int64_t *lasted);

#endif
