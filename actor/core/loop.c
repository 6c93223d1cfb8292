#include "core/loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <troupe/status.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64, WAKE = 0 };

bool tr_loop_init(struct tr_loop *loop, tr_loop_ready *ready, void *context) {
    loop->watches = 0;
    loop->ready = ready;
    loop->context = context;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = WAKE };
    if (loop->epoll >= 0 && loop->wake >= 0 &&
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) == 0)
        return true;
    tr_loop_free(loop);
    return false;
}

void tr_loop_free(struct tr_loop *loop) {
    if (loop->epoll >= 0) close(loop->epoll);
    if (loop->wake >= 0) close(loop->wake);
    loop->epoll = loop->wake = -1;
}

bool tr_loop_watch(struct tr_loop *loop, int fd, uint64_t what, uint32_t events) {
    struct epoll_event event = { .events = events, .data.u64 = what };
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) return false;
    atomic_fetch_add_explicit(&loop->watches, 1, memory_order_relaxed);
    return true;
}

bool tr_loop_rewatch(struct tr_loop *loop, int fd, uint64_t what, uint32_t events) {
    struct epoll_event event = { .events = events, .data.u64 = what };
    return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

void tr_loop_unwatch(struct tr_loop *loop, int fd) {
    if (epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL) == 0)
        atomic_fetch_sub_explicit(&loop->watches, 1, memory_order_relaxed);
}

void tr_loop_wake(struct tr_loop *loop) {
    uint64_t one = 1;
    while (write(loop->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void drain_wake(struct tr_loop *loop) {
    uint64_t count;
    while (read(loop->wake, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

/* Rounded up, so that a timer is due when the sleep ends. */
static int milliseconds(int64_t timeout) {
    if (timeout == INT64_MAX) return -1;
    int64_t rounded = (timeout + TROUPE_MILLISECOND - 1) / TROUPE_MILLISECOND;
    return rounded > 3600 * 1000 ? 3600 * 1000 : (int)rounded;
}

void tr_loop_park(struct tr_loop *loop, int64_t timeout) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, milliseconds(timeout));
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == WAKE) drain_wake(loop);
        else loop->ready(loop->context, events[i].data.u64, events[i].events);
    }
}

void tr_loop_look(struct tr_loop *loop, tr_loop_ready *ready) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++)
        if (events[i].data.u64 != WAKE) ready(loop->context, events[i].data.u64, events[i].events);
}

/* epoll_wait itself counts in milliseconds. A wake that is not taken here would end every nap to come. */
void tr_loop_nap(struct tr_loop *loop, int64_t time) {
    struct pollfd both = { .fd = loop->epoll, .events = POLLIN };
    const struct timespec timeout = { time / TROUPE_SECOND, time % TROUPE_SECOND };
    if (ppoll(&both, 1, &timeout, NULL) > 0) tr_loop_park(loop, 0);
}
