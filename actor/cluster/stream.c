/*
 * Streams of include/troupe/stream.h: making, using, ending them.
 *
 * A stream is a source of its cell (core/source.h): a socket in the loop of the worker that made it, edge-triggered,
 * known there by its place in that worker's table. What happens in the kernel comes into the cell's mailbox as one
 * link, and is handled in the cell's turn by whichever worker runs it (stream_io.c): that reads and writes until the
 * kernel has no more, and calls the actor's handlers. So a stream is touched by the worker that runs its cell alone,
 * and needs no lock.
 *
 * Its end is told once, in its own turn, never from within a call of the actor's: a call that notices the end notes it
 * (OVER), and has the link come once more. A stream that its actor closes or gives back tells nothing. When the run
 * ends, core cancels its sources, and `leave` closes the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "cluster/stream_parts.h"
#include "core/log.h"

enum { WRITE_LIMIT = 1024 * 1024 };

static const uint32_t events = (uint32_t)EPOLLIN | (uint32_t)EPOLLOUT | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET;

static const bool allowed_moves[TR_STREAM_STATES][TR_STREAM_STATES] = {
    /* to                        CONNECTING OPEN FINISHING LINGERING OVER */
    [TR_STREAM_CONNECTING] = { false, true, false, false, true },
    [TR_STREAM_OPEN] = { false, false, true, false, true },
    [TR_STREAM_FINISHING] = { false, false, false, true, true },
    [TR_STREAM_LINGERING] = { false, false, false, false, true },
};

void tr_stream_move(struct tr_stream *stream, enum tr_stream_state to) {
    tr_assert(allowed_moves[stream->state][to]);
    stream->state = (uint8_t)to;
}

/* ---- Ending ---- */

static void unwatch(struct tr_stream *stream) {
    if (stream->place == 0) return;
    tr_watched_leave(stream->owner, stream->place);
    tr_loop_unwatch(&stream->owner->loop, stream->fd);
    stream->place = 0;
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct tr_stream *stream = tr_stream_of(source);
    (void)node;
    if (stream->alarm != 0) tr_alarm_cancel(NULL, source->cell, stream->alarm);
    unwatch(stream);
    if (stream->fd >= 0) close(stream->fd);
    free(stream->out);
    stream->out = NULL;
}

const struct tr_source_kind tr_stream_kind = { .handle = tr_stream_handle, .leave = leave };

static void end(troupe_self *self, struct tr_stream *stream) {
    tr_source_cancel(self->worker->node, self->cell, &stream->watched.source);
}

/* ---- Making ---- */

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no stream: %s", why);
    return TROUPE_INVALID;
}

static const char *what_is_wrong(const troupe_self *self, const struct troupe_stream_options *options) {
    const struct tr_class *class = atomic_load(&self->cell->class);
    if (!tr_class_accepts(class, &troupe_stream_data_message)) return "the actor does not handle troupe_stream_data";
    if (!tr_class_accepts(class, &troupe_stream_closed_message))
        return "the actor does not handle troupe_stream_closed";
    bool negative = options->idle < 0 || options->read < 0 || options->write < 0 || options->connect < 0;
    return negative ? "a time limit is less than 0" : NULL;
}

static struct tr_stream *stream_new(const struct troupe_stream_options *options, int fd, enum tr_stream_state state) {
    struct tr_stream *stream = tr_source_new(sizeof *stream, &tr_stream_kind);
    if (stream == NULL) return NULL;
    stream->fd = fd;
    stream->state = (uint8_t)state;
    stream->paused = options->paused;
    stream->write_limit = options->write_limit == 0 ? WRITE_LIMIT : options->write_limit;
    stream->limits[TR_STREAM_READ] = options->read;
    stream->limits[TR_STREAM_WRITE] = options->write;
    stream->limits[TR_STREAM_IDLE] = options->idle;
    stream->limits[TR_STREAM_CONNECT] = state == TR_STREAM_CONNECTING ? options->connect : 0;
    return stream;
}

static bool enter_loop(struct tr_worker *worker, struct tr_stream *stream) {
    stream->owner = worker;
    stream->place = tr_watched_enter(worker, &stream->watched);
    if (stream->place == 0) errno = ENOMEM;
    return stream->place != 0 && tr_loop_watch(&worker->loop, stream->fd, stream->place, events);
}

/* The kernel looks anew where it is asked anew. If it cannot be asked there, it stays. */
void tr_stream_follow(struct tr_worker *worker, struct tr_stream *stream) {
    struct tr_worker *before = stream->owner;
    if (before == worker || worker->own != NULL || stream->place == 0) return;
    unwatch(stream);
    if (!enter_loop(worker, stream)) (void)enter_loop(before, stream);
}

static bool enter(struct tr_worker *worker, struct tr_stream *stream) {
    if (!enter_loop(worker, stream)) return false;
    for (enum tr_stream_clock clock = TR_STREAM_READ; clock <= TR_STREAM_CONNECT; clock++)
        tr_stream_touch(worker, stream, clock);
    errno = ENOMEM;
    return tr_stream_arm(worker, worker->self.cell, stream);
}

/* The socket stays the caller's when it fails. */
static enum troupe_status begin(troupe_self *self, struct tr_stream *stream) {
    if (stream == NULL) return TROUPE_NO_MEMORY;
    if (!tr_source_add(self->cell, &stream->watched.source)) {
        tr_source_drop(&stream->watched.source);
        return TROUPE_NO_MEMORY;
    }
    if (enter(self->worker, stream)) return TROUPE_OK;
    const int error = errno;
    unwatch(stream);
    stream->fd = -1;
    end(self, stream);
    return error == ENOMEM ? TROUPE_NO_MEMORY : error == ENOSPC ? TROUPE_LIMIT : refuse(self, strerror(error));
}

static const struct troupe_stream_options defaults;

/* Small answers are not to wait for more: whoever wants large pieces writes large pieces. */
static void set_no_delay(int fd) {
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* it is none of TCP, perhaps */
}

static const char *wrong_socket(int fd) {
    int type = 0, listens = 0, flags = fcntl(fd, F_GETFL);
    socklen_t size = sizeof type;
    if (flags < 0) return "the descriptor is not open";
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
        return "the descriptor is no stream socket";
    size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens) return "the socket listens";
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? NULL : "the socket cannot be made non-blocking";
}

enum troupe_status troupe_stream_adopt(troupe_self *self, int socket, const struct troupe_stream_options *options,
                                       troupe_stream *stream) {
    if (options == NULL) options = &defaults;
    stream->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    const char *wrong = what_is_wrong(self, options);
    if (wrong == NULL) wrong = wrong_socket(socket);
    if (wrong != NULL) return refuse(self, wrong);
    set_no_delay(socket);
    struct tr_stream *made = stream_new(options, socket, TR_STREAM_OPEN);
    enum troupe_status status = begin(self, made);
    if (status == TROUPE_OK) stream->id = made->watched.source.id;
    return status;
}

/* What the kernel says of the connection at once, is told in the stream's turn too. */
static enum troupe_status dial(troupe_self *self, int fd, const struct tr_address *address,
                               const struct troupe_stream_options *options, troupe_stream *stream) {
    const int failed = connect(fd, (const struct sockaddr *)(const void *)&address->at, address->size) == 0 ? 0 : errno;
    struct tr_stream *made = stream_new(options, fd, TR_STREAM_CONNECTING);
    enum troupe_status status = begin(self, made);
    if (status != TROUPE_OK) return status;
    stream->id = made->watched.source.id;
    if (failed != 0 && failed != EINPROGRESS) tr_stream_over(self->worker, made, TROUPE_STREAM_REFUSED, failed);
    return TROUPE_OK;
}

enum troupe_status troupe_stream_connect(troupe_self *self, const char *address,
                                         const struct troupe_stream_options *options, troupe_stream *stream) {
    struct tr_address to;
    if (options == NULL) options = &defaults;
    stream->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    const char *wrong = what_is_wrong(self, options);
    if (wrong != NULL || !tr_address_parse(address, &to, &wrong)) return refuse(self, wrong);
    int fd = socket(to.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno == EMFILE || errno == ENFILE ? TROUPE_LIMIT : refuse(self, strerror(errno));
    set_no_delay(fd);
    enum troupe_status status = dial(self, fd, &to, options, stream);
    if (status != TROUPE_OK) close(fd);
    return status;
}

/* ---- Using ---- */

static struct tr_stream *find(troupe_self *self, troupe_stream stream) {
    struct tr_source *source = tr_source_find(self->cell, stream.id, &tr_stream_kind);
    return source == NULL ? NULL : tr_stream_of(source);
}

/* One that is alive. */
static struct tr_stream *find_alive(troupe_self *self, troupe_stream stream) {
    struct tr_stream *found = find(self, stream);
    return found == NULL || found->state == TR_STREAM_OVER ? NULL : found;
}

static enum troupe_status check_room(struct tr_stream *stream, size_t size) {
    if (size > stream->write_limit) return TROUPE_TOO_BIG;
    if (tr_stream_waits(stream) + size <= stream->write_limit) return TROUPE_OK;
    stream->wants_drained = true;
    return TROUPE_FULL;
}

enum troupe_status troupe_stream_write(troupe_self *self, troupe_stream stream, const void *bytes, size_t size) {
    struct tr_stream *found = find_alive(self, stream);
    if (found == NULL) return TROUPE_GONE;
    if (found->state >= TR_STREAM_FINISHING) return refuse(self, "a write after troupe_stream_finish");
    enum troupe_status status = check_room(found, size);
    if (status != TROUPE_OK || size == 0) return status;
    if (tr_stream_waits(found) == 0) tr_stream_touch(self->worker, found, TR_STREAM_WRITE);
    if (!tr_stream_append(found, bytes, size)) return TROUPE_NO_MEMORY;
    if (tr_stream_waits(found) > found->write_limit / 2) found->wants_drained = true;
    if (!found->corked && found->state == TR_STREAM_OPEN) tr_stream_write_out(self->worker, found);
    return TROUPE_OK;
}

enum troupe_status troupe_stream_finish(troupe_self *self, troupe_stream stream) {
    struct tr_stream *found = find_alive(self, stream);
    if (found == NULL) return TROUPE_GONE;
    if (found->state >= TR_STREAM_FINISHING) return TROUPE_OK;
    tr_stream_finish_now(self->worker, found);
    return TROUPE_OK;
}

enum troupe_status troupe_stream_close(troupe_self *self, troupe_stream stream) {
    struct tr_stream *found = find(self, stream);
    if (found == NULL) return TROUPE_GONE;
    end(self, found);
    return TROUPE_OK;
}

enum troupe_status troupe_stream_pause(troupe_self *self, troupe_stream stream) {
    struct tr_stream *found = find_alive(self, stream);
    if (found == NULL) return TROUPE_GONE;
    found->paused = true;
    return TROUPE_OK;
}

enum troupe_status troupe_stream_resume(troupe_self *self, troupe_stream stream) {
    struct tr_stream *found = find_alive(self, stream);
    if (found == NULL) return TROUPE_GONE;
    if (!found->paused) return TROUPE_OK;
    found->paused = false;
    tr_stream_touch(self->worker, found, TR_STREAM_READ);
    tr_stream_again(self->worker, found);
    return TROUPE_OK;
}

enum troupe_status troupe_stream_release(troupe_self *self, troupe_stream stream, int *socket) {
    struct tr_stream *found = find_alive(self, stream);
    *socket = -1;
    if (found == NULL) return TROUPE_GONE;
    if (found->state != TR_STREAM_OPEN || tr_stream_waits(found) > 0) return TROUPE_BUSY;
    *socket = found->fd;
    unwatch(found);
    found->fd = -1;
    end(self, found);
    return TROUPE_OK;
}

static void print_end(int fd, int (*of)(int, struct sockaddr *, socklen_t *), char *text) {
    struct tr_address address = { .size = sizeof address.at };
    text[0] = '\0';
    if (of(fd, (struct sockaddr *)(void *)&address.at, &address.size) == 0)
        tr_address_print(&address, text, TROUPE_STREAM_ADDRESS);
}

static int peer_of(int fd, struct sockaddr *at, socklen_t *size) { return getpeername(fd, at, size); }
static int local_of(int fd, struct sockaddr *at, socklen_t *size) { return getsockname(fd, at, size); }

enum troupe_status troupe_stream_info(troupe_self *self, troupe_stream stream, struct troupe_stream_facts *info) {
    const struct tr_stream *found = find(self, stream);
    if (found == NULL) return TROUPE_GONE;
    *info = (struct troupe_stream_facts){ .received = found->received, .sent = found->sent,
                                         .waits = tr_stream_waits(found) };
    print_end(found->fd, peer_of, info->peer);
    print_end(found->fd, local_of, info->local);
    return TROUPE_OK;
}
