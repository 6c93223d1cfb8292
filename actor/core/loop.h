/*
 * Where a worker sleeps: epoll for descriptors, an eventfd to be woken. One loop a worker.
 *
 * Sleeping is part of scheduling: a worker parks until its next timer or until somebody wakes it, and
 * a wake costs one write, only when it really sleeps.
 */
#ifndef TR_LOOP_H
#define TR_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct tr_watch {
    int fd;
    void (*ready)(void *context, uint32_t events); /* EPOLL...; called by the loop's thread */
    void *context;
};

struct tr_loop {
    int epoll, wake;
    _Atomic uint32_t watches; /* how many descriptors are watched */
};

/* False, errno set: no descriptors. */
bool tr_loop_init(struct tr_loop *loop);
void tr_loop_free(struct tr_loop *loop);

/* `watch` stays the caller's and must live until unwatched. Any thread. False: errno. */
bool tr_loop_watch(struct tr_loop *loop, struct tr_watch *watch, uint32_t events);
/* On the loop's own thread no event of the watch follows. */
void tr_loop_unwatch(struct tr_loop *loop, struct tr_watch *watch);

/* Ends a park, present or next. Any thread. */
void tr_loop_wake(struct tr_loop *loop);

/* Sleeps until woken, a descriptor is ready, or so many ns have passed (0: only looks; INT64_MAX: for
 * ever), and runs the callbacks of what is ready. */
void tr_loop_park(struct tr_loop *loop, int64_t timeout);

#endif
