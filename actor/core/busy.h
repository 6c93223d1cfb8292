/*
 * How long actors are in their handlers, by samples: at each of its ticks the monitor notes whom each worker is
 * running. So whoever is looked at pays nothing, a short handler counts as a whole tick now and then, and over some
 * time it comes right.
 *
 * A table of so many cells, behind a lock. When it is full, new ones are not counted: these are the ones that run
 * less often.
 */
#ifndef TR_BUSY_H
#define TR_BUSY_H

#include <pthread.h>
#include <stdint.h>

enum { TR_BUSY_CELLS = 4096 };

struct tr_busy_cell {
    uint64_t cell; /* slot << 32 | generation; 0: free */
    int64_t time;
};

/* Zero-initialised but for the lock. */
struct tr_busy {
    pthread_mutex_t lock;
    int64_t total;
    uint32_t used;
    struct tr_busy_cell cells[TR_BUSY_CELLS];
};

void tr_busy_add(struct tr_busy *busy, uint64_t cell, int64_t time);
/* ns. 0: it was never seen. */
int64_t tr_busy_of(struct tr_busy *busy, uint64_t cell);
int64_t tr_busy_total(struct tr_busy *busy);

#endif
