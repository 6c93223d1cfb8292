/*
 * Where a worker sleeps: epoll for descriptors, an eventfd to be woken. One loop a worker, one a host.
 *
 * Sleeping is part of scheduling: a worker parks until its next timer or until somebody wakes it, and
 * a wake costs one write, only when it really sleeps.
 */
#ifndef TR_LOOP_H
#define TR_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A descriptor is ready: `what` is what it was watched as; `events`: EPOLL... Called by the loop's thread. */
typedef void tr_loop_ready(void *context, uint64_t what, uint32_t events);

struct tr_loop {
    int epoll, wake;
    _Atomic uint32_t watches; /* how many descriptors are watched */
    tr_loop_ready *ready;
    void *context;
};

/* False, errno set: no descriptors. */
bool tr_loop_init(struct tr_loop *loop, tr_loop_ready *ready, void *context);
void tr_loop_free(struct tr_loop *loop);

/* `what` is not 0, and means nothing to the loop. Any thread, all three. False: errno. */
bool tr_loop_watch(struct tr_loop *loop, int fd, uint64_t what, uint32_t events);
/* Other events for one that is watched; one that was watched with EPOLLONESHOT is heard of once more. */
bool tr_loop_rewatch(struct tr_loop *loop, int fd, uint64_t what, uint32_t events);
/* Before the descriptor is closed. The loop's thread may have found it ready already, and say so yet. */
void tr_loop_unwatch(struct tr_loop *loop, int fd);

/* Ends a park, present or next. Any thread. */
void tr_loop_wake(struct tr_loop *loop);

/* Sleeps until woken, a descriptor is ready, or so many ns have passed (0: only looks; INT64_MAX: for
 * ever), and tells of what is ready. */
void tr_loop_park(struct tr_loop *loop, int64_t timeout);

/* For another thread than the loop's: only looks, and tells `ready`; a wake stays where it is. */
void tr_loop_look(struct tr_loop *loop, tr_loop_ready *ready);

/* The same as a park, for less than a millisecond. */
void tr_loop_nap(struct tr_loop *loop, int64_t time);

#endif
