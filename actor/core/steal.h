/*
 * Taking work from other workers, without tearing apart what runs well.
 *
 * Work that a worker has just queued is in its cache, and it will often run it, or add to it, in the next
 * moment: a receiver that is taken away after its first message is a cell, a message and a queue that move
 * between cores for one handler, again for the next message. So a thief that searches takes only what it has
 * seen waiting for 10 us: of a queue, what was there when it looked that long ago; of a LIFO slot, what is there
 * although its worker has not begun a turn since. By then the work is late, or much. If it leaves something, it does not go to sleep: it naps and looks again
 * (worker.c). Only a thief that is about to sleep takes whatever there is: otherwise nobody might.
 * docs/decisions/0015 has the figures.
 *
 * Half of a queue is taken, the older one: what divides work has most of it there. The other half counts as
 * seen: a thief that comes back for it does not wait again.
 */
#ifndef TR_STEAL_H
#define TR_STEAL_H

#include <stdint.h>

#include "core/runqueue.h"

struct tr_worker;

/* What a worker saw of another one. All zero: nothing yet. */
struct tr_observed {
    int64_t at;     /* the last look that counts */
    uint32_t tail;  /* of its queue, then: what is before has waited since */
    uint32_t old;   /* ... and at the look before */
    uint32_t ticks; /* turns it had begun by then */
};

/* What is late, by what this worker saw. NULL: nothing. `now`: of tr_thread_clock. */
struct tr_run_link *tr_steal_late(struct tr_worker *worker, int64_t now);

/* Anything. */
struct tr_run_link *tr_steal(struct tr_worker *worker);

#endif
