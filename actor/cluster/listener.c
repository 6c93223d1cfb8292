/*
 * Listeners of include/troupe/stream.h: sockets that wait for connections, as a source of their cell (core/source.h).
 *
 * The kernel tells when connections have come (EPOLLET; and only one of several processes that share the socket:
 * EPOLLEXCLUSIVE), the link comes into the cell's mailbox, and in the cell's turn connections are accepted, each of which
 * its actor is told at once, from the stack, until none is left; after some the link goes in once more, and others have
 * a turn.
 *
 * Without a descriptor for the next connection, accepting fails again and again: it rests, by an alarm, and nobody is
 * turned away: the kernel keeps them.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/address.h"
#include "core/alarm.h"
#include "core/log.h"
#include "core/run.h"
#include "core/watch.h"

#include <troupe/stream.h>

enum { AT_ONCE = 16, BACKLOG = 511 };

#define REST (TROUPE_SECOND / 10)

struct listener {
    struct tr_watched watched; /* first: a source is cast to its listener */
    struct tr_worker *owner;   /* in whose loop it is ... */
    uint64_t place;            /* ... and table; 0: in none */
    int fd;
    bool paused;
    bool said;                 /* that there are no descriptors */
    uint64_t alarm;            /* it rests until then; 0: it does not */
    char *path;                /* of its file, which it has made; NULL: none */
};

static struct listener *listener_of(struct tr_source *source) { return (struct listener *)(void *)source; }

/* ---- In the loop ---- */

static void leave_loop(struct listener *listener) {
    if (listener->place == 0) return;
    tr_watched_leave(listener->owner, listener->place);
    tr_loop_unwatch(&listener->owner->loop, listener->fd);
    listener->place = 0;
}

static bool enter_loop(struct tr_worker *worker, struct listener *listener) {
    const uint32_t events = (uint32_t)EPOLLIN | (uint32_t)EPOLLET | (uint32_t)EPOLLEXCLUSIVE;
    listener->owner = worker;
    listener->place = tr_watched_enter(worker, &listener->watched);
    if (listener->place == 0) errno = ENOMEM;
    if (listener->place == 0) return false;
    if (tr_loop_watch(&worker->loop, listener->fd, listener->place, events)) return true;
    const int error = errno;
    tr_watched_leave(worker, listener->place);
    listener->place = 0;
    errno = error;
    return false;
}

/* Its worker has no time for it: into the loop of the one that has. If it cannot be there, it stays. */
static void follow(struct tr_worker *worker, struct listener *listener) {
    struct tr_worker *before = listener->owner;
    if (before == worker || worker->own != NULL || listener->place == 0) return;
    leave_loop(listener);
    if (!enter_loop(worker, listener)) (void)enter_loop(before, listener);
}

static void again(struct tr_worker *worker, struct listener *listener) {
    struct tr_source *source = &listener->watched.source;
    if (tr_source_happens(source)) tr_cell_push(worker->node, worker, source->cell, &source->link);
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct listener *listener = listener_of(source);
    (void)node;
    if (listener->alarm != 0) tr_alarm_cancel(NULL, source->cell, listener->alarm);
    leave_loop(listener);
    if (listener->fd >= 0) close(listener->fd);
    if (listener->path != NULL) unlink(listener->path);
    free(listener->path);
}

/* ---- Resting ---- */

struct rest {
    struct tr_alarm alarm; /* first: an alarm is cast to its rest */
    uint64_t listener;
};

static const struct tr_source_kind kind;

static void release(struct tr_pool *pool, struct tr_alarm *alarm) {
    tr_pool_give(pool, alarm, alarm->link.memory);
}

static void rested(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    const struct rest *rest = (const struct rest *)(const void *)alarm;
    struct tr_source *source = tr_source_find(cell, rest->listener, &kind);
    if (source == NULL) return;
    listener_of(source)->alarm = 0;
    again(worker, listener_of(source));
}

/* No memory for that either: whoever connects next wakes it. */
static void rest(struct tr_worker *worker, struct tr_cell *cell, struct listener *listener) {
    uint8_t memory;
    struct rest *rest = tr_pool_take(&worker->pool, sizeof *rest, &memory);
    if (rest == NULL) return;
    *rest = (struct rest){ .alarm = { .link.memory = memory, .fire = rested, .release = release },
                           .listener = listener->watched.source.id };
    listener->alarm = tr_alarm_set(worker, cell, &rest->alarm, REST, 0);
    if (listener->alarm == 0) release(&worker->pool, &rest->alarm);
}

/* ---- Accepting ---- */

/* False: the listener is gone. */
static bool tell(struct tr_worker *worker, struct tr_cell *cell, struct listener *listener, int fd,
                 const struct tr_address *from) {
    char peer[TROUPE_STREAM_ADDRESS];
    struct {
        struct tr_message header;
        struct troupe_connection body;
    } message = { .header.type = &troupe_connection_message,
                  .body = { listener->watched.source.id, fd, peer } };
    tr_address_print(from, peer, sizeof peer);
    (void)tr_deliver_own(worker, cell, &message.header);
    if (message.body.socket >= 0) close(message.body.socket); /* nobody has taken it */
    return !listener->watched.source.cancelled;
}

/* Of this connection alone, or that somebody else has it. */
static bool is_passing(int error) {
    return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM || error == ENETDOWN ||
           error == EHOSTUNREACH || error == ENETUNREACH || error == ENONET || error == EOPNOTSUPP;
}

/* True: none is left, or none can be had now. */
static bool stops(struct tr_worker *worker, struct tr_cell *cell, struct listener *listener, int error) {
    if (is_passing(error)) return false;
    if (error == EAGAIN) return true;
    if (!listener->said)
        tr_log(worker->node, TROUPE_WARNING, troupe_self_path(&worker->self),
               "no connection can be accepted now (%s): those who connect wait", strerror(error));
    listener->said = true;
    rest(worker, cell, listener);
    return true;
}

static void accept_some(struct tr_worker *worker, struct tr_cell *cell, struct listener *listener) {
    for (int i = 0; i < AT_ONCE && !listener->paused; i++) {
        struct tr_address from = { .size = sizeof from.at };
        int fd = accept4(listener->fd, (struct sockaddr *)(void *)&from.at, &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && stops(worker, cell, listener, errno)) return;
        if (fd < 0) continue;
        listener->said = false;
        if (!tell(worker, cell, listener, fd, &from)) return;
    }
    if (!listener->paused) again(worker, listener);
}

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct listener *listener = listener_of(source);
    uint32_t happened = atomic_exchange(&listener->watched.happened, 0);
    if ((happened & TR_WATCHED_ELSEWHERE) != 0) follow(worker, listener);
    if (listener->alarm == 0) accept_some(worker, cell, listener);
    return true;
}

static const struct tr_source_kind kind = { .handle = handle, .leave = leave };

/* ---- Making ---- */

static enum troupe_status refuse(troupe_self *self, enum troupe_status status, const char *address, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not listening at %s: %s", address, why);
    return status;
}

static enum troupe_status failed(troupe_self *self, const char *address) {
    switch (errno) {
    case EADDRINUSE: return refuse(self, TROUPE_EXISTS, address, "somebody else does: it is in use");
    case ENOMEM: return TROUPE_NO_MEMORY;
    case EMFILE:
    case ENFILE:
    case ENOSPC: return TROUPE_LIMIT;
    default: return refuse(self, TROUPE_SYSTEM, address, strerror(errno));
    }
}

static const char *what_is_wrong(const troupe_self *self) {
    bool handled = tr_class_accepts(atomic_load(&self->cell->class), &troupe_connection_message);
    return handled ? NULL : "the actor does not handle troupe_connection";
}

/* The file of a unix socket; NULL: it has none. */
static const char *file_of(const struct tr_address *address) {
    const struct sockaddr_un *at = (const struct sockaddr_un *)(const void *)&address->at;
    return address->at.ss_family == AF_UNIX && at->sun_path[0] != '\0' ? at->sun_path : NULL;
}

/* Left by somebody who is gone: it is a socket, and nobody answers. */
static bool is_stale(const struct tr_address *address) {
    struct stat about;
    const char *file = file_of(address);
    if (file == NULL || lstat(file, &about) != 0 || !S_ISSOCK(about.st_mode)) return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address->at, address->size) != 0 &&
                   errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return refused;
}

static int bind_to(int fd, const struct tr_address *address) {
    const struct sockaddr *at = (const struct sockaddr *)(const void *)&address->at;
    if (bind(fd, at, address->size) == 0) return 0;
    if (errno != EADDRINUSE) return -1;
    if (is_stale(address) && unlink(file_of(address)) == 0) return bind(fd, at, address->size);
    errno = EADDRINUSE;
    return -1;
}

/* -1: errno. */
static int open_socket(const struct tr_address *address, const struct troupe_listen_options *options) {
    const int on = 1, six = options->only_ipv6;
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (options->reuse_port) ok = ok && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    if (address->at.ss_family == AF_INET6) ok = ok && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six, sizeof six) == 0;
    if (ok && bind_to(fd, address) == 0 &&
        listen(fd, options->backlog == 0 ? BACKLOG : options->backlog > INT32_MAX ? INT32_MAX : (int)options->backlog) == 0)
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Takes the socket if it works. */
static enum troupe_status begin(troupe_self *self, int fd, const struct troupe_listen_options *options,
                                const char *address, troupe_listener *listener) {
    struct listener *made = tr_source_new(sizeof *made, &kind);
    if (made == NULL) return TROUPE_NO_MEMORY;
    made->fd = -1;
    made->paused = options->paused;
    if (!tr_source_add(self->cell, &made->watched.source)) {
        tr_source_drop(&made->watched.source);
        return TROUPE_NO_MEMORY;
    }
    made->fd = fd;
    if (enter_loop(self->worker, made)) {
        listener->id = made->watched.source.id;
        return TROUPE_OK;
    }
    enum troupe_status status = failed(self, address);
    made->fd = -1;
    tr_source_cancel(self->worker->node, self->cell, &made->watched.source);
    return status;
}

static struct listener *find(troupe_self *self, troupe_listener listener) {
    struct tr_source *source = tr_source_find(self->cell, listener.id, &kind);
    return source == NULL ? NULL : listener_of(source);
}

static const struct troupe_listen_options defaults;

enum troupe_status troupe_listen(troupe_self *self, const char *address, const struct troupe_listen_options *options,
                                 troupe_listener *listener) {
    struct tr_address at;
    const char *why = what_is_wrong(self);
    listener->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    if (options == NULL) options = &defaults;
    if (why != NULL || !tr_address_parse(address, &at, &why)) return refuse(self, TROUPE_INVALID, address, why);
    int fd = open_socket(&at, options);
    if (fd < 0) return failed(self, address);
    enum troupe_status status = begin(self, fd, options, address, listener);
    const char *file = file_of(&at);
    if (status == TROUPE_OK && file != NULL) find(self, *listener)->path = strdup(file); /* without memory it stays */
    if (status != TROUPE_OK) close(fd);
    return status;
}

static const char *wrong_socket(int fd) {
    int listens = 0, flags = fcntl(fd, F_GETFL);
    socklen_t size = sizeof listens;
    if (flags < 0) return "it is not open";
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) return "it does not listen";
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? NULL : "it cannot be made non-blocking";
}

enum troupe_status troupe_listen_on(troupe_self *self, int socket, const struct troupe_listen_options *options,
                                    troupe_listener *listener) {
    const char *why = what_is_wrong(self);
    listener->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    if (why == NULL) why = wrong_socket(socket);
    if (why != NULL) return refuse(self, TROUPE_INVALID, "the socket that was given", why);
    return begin(self, socket, options == NULL ? &defaults : options, "the socket that was given", listener);
}

/* ---- Using ---- */

enum troupe_status troupe_listen_pause(troupe_self *self, troupe_listener listener) {
    struct listener *found = find(self, listener);
    if (found == NULL) return TROUPE_GONE;
    found->paused = true;
    return TROUPE_OK;
}

enum troupe_status troupe_listen_resume(troupe_self *self, troupe_listener listener) {
    struct listener *found = find(self, listener);
    if (found == NULL) return TROUPE_GONE;
    found->paused = false;
    again(self->worker, found);
    return TROUPE_OK;
}

enum troupe_status troupe_unlisten(troupe_self *self, troupe_listener listener) {
    struct listener *found = find(self, listener);
    if (found == NULL) return TROUPE_GONE;
    tr_source_cancel(self->worker->node, self->cell, &found->watched.source);
    return TROUPE_OK;
}

enum troupe_status troupe_listener_address(troupe_self *self, troupe_listener listener,
                                           char address[TROUPE_STREAM_ADDRESS]) {
    const struct listener *found = find(self, listener);
    struct tr_address at = { .size = sizeof at.at };
    if (found == NULL) return TROUPE_GONE;
    if (getsockname(found->fd, (struct sockaddr *)(void *)&at.at, &at.size) != 0)
        return failed(self, "the address of its socket");
    tr_address_print(&at, address, TROUPE_STREAM_ADDRESS);
    return TROUPE_OK;
}
