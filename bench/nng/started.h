/* A process in which NNG has started: with one socket that listens. */
#ifndef TR_BENCH_NNG_STARTED_H
#define TR_BENCH_NNG_STARTED_H

#include "pair.h"

static void start_nng(void) {
    char url[64];
    (void)snprintf(url, sizeof url, "abstract://bench-started-%d", (int)getpid());
    (void)pair_listen(url);
}

#endif
