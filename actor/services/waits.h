/* The threads of a node that wait at words of shared memory: include/troupe/shared.h. See waits.c. */
#ifndef TR_WAITS_H
#define TR_WAITS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tr_node;
struct tr_wait;

enum { TR_WAITS_EACH = 127, TR_WAIT_THREADS = 8 }; /* the kernel takes 128 words, and one is the bell */

struct tr_wait_thread {
    struct tr_waits *waits;
    pthread_t thread;
    bool alive;
    uint32_t count;
    struct tr_wait *at[TR_WAITS_EACH]; /* the first `count`; those that were cancelled too, until it has seen it */
    _Atomic uint32_t bell;             /* rises with every change of these */
};

struct tr_waits {
    pthread_mutex_t lock; /* for all but the bells */
    struct tr_node *node;
    struct tr_wait_thread *threads; /* TR_WAIT_THREADS, made when the first is needed */
    bool closed;
    bool polls;                     /* the kernel cannot wait at several words */
};

void tr_waits_init(struct tr_waits *waits);

/* Once no worker runs: ends the threads. After it, or if no node was made: free. */
void tr_waits_close(struct tr_waits *waits);
void tr_waits_free(struct tr_waits *waits);

#endif
