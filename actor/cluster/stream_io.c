/*
 * What happens to a stream: bytes in and out, and its end.
 *
 * The kernel tells of each change once (EPOLLET). Then this reads until a read brings less than there was room for,
 * which means that the kernel has no more, and each piece goes to the actor from a buffer on the stack. What the actor
 * writes meanwhile is gathered, and leaves after its handler, or the last of several: a request's answer is one write.
 * After so many bytes other actors have a turn: the link goes into the mailbox once more.
 *
 * After each call of a handler the stream may be gone (closed, given back, its run over): its memory is held by the
 * link that is being handled, and `cancelled` says so.
 *
 * Finishing. When all is written, the socket is closed, if nothing that came is unread: the kernel then says goodbye
 * in order. If something is, closing would reset the connection, and might take the last answer with it; so only this
 * side's end is shut, and what comes is dropped, until the other side closes or a moment has passed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cluster/stream_parts.h"

enum {
    PIECE = 64 * 1024,     /* of what is read, for one handler */
    AT_ONCE = 4 * PIECE,   /* then others have a turn */
    OUT_FIRST = 2048
};

#define LINGER (5 * TROUPE_SECOND)

void tr_stream_again(struct tr_worker *worker, struct tr_stream *stream) {
    struct tr_source *source = &stream->watched.source;
    if (tr_source_happens(source)) tr_cell_push(worker->node, worker, source->cell, &source->link);
}

void tr_stream_over(struct tr_worker *worker, struct tr_stream *stream, enum troupe_stream_end end, int error) {
    if (stream->state == TR_STREAM_OVER) return;
    tr_stream_move(stream, TR_STREAM_OVER);
    stream->end = (uint8_t)end;
    stream->error = error;
    tr_stream_again(worker, stream);
}

static void fail(struct tr_worker *worker, struct tr_stream *stream, int error) {
    bool connects = stream->state == TR_STREAM_CONNECTING;
    tr_stream_over(worker, stream, connects ? TROUPE_STREAM_REFUSED : TROUPE_STREAM_RESET, error);
}

/* ---- Out ---- */

static bool make_room(struct tr_stream *stream, size_t size) {
    const size_t waits = tr_stream_waits(stream);
    if (stream->out_room - stream->out_end >= size) return true;
    if (waits > 0 && stream->out_begin > 0) memmove(stream->out, stream->out + stream->out_begin, waits);
    stream->out_begin = 0;
    stream->out_end = waits;
    if (stream->out_room - waits >= size) return true;
    size_t room = stream->out_room == 0 ? OUT_FIRST : stream->out_room;
    while (room < waits + size) room *= 2;
    uint8_t *larger = realloc(stream->out, room);
    if (larger == NULL) return false;
    stream->out = larger;
    stream->out_room = room;
    return true;
}

bool tr_stream_append(struct tr_stream *stream, const uint8_t *bytes, size_t size) {
    if (!make_room(stream, size)) return false;
    memcpy(stream->out + stream->out_end, bytes, size);
    stream->out_end += size;
    return true;
}

static void drop_out(struct tr_stream *stream) {
    free(stream->out);
    stream->out = NULL;
    stream->out_begin = stream->out_end = stream->out_room = 0;
}

/* False: it is closed at once. */
static bool lingers(struct tr_worker *worker, struct tr_stream *stream) {
    int unread = 0;
    if (stream->ended || (ioctl(stream->fd, FIONREAD, &unread) == 0 && unread == 0)) return false;
    if (shutdown(stream->fd, SHUT_WR) != 0) return false;
    tr_stream_move(stream, TR_STREAM_LINGERING);
    memset(stream->limits, 0, sizeof stream->limits);
    stream->limits[TR_STREAM_WRITE] = LINGER;
    tr_stream_touch(worker, stream, TR_STREAM_WRITE);
    stream->paused = false;
    return tr_stream_arm(worker, stream->watched.source.cell, stream);
}

/* All is written, and no more is to come from this side. */
static void finished(struct tr_worker *worker, struct tr_stream *stream) {
    if (lingers(worker, stream)) tr_stream_again(worker, stream);
    else tr_stream_over(worker, stream, stream->followed ? TROUPE_STREAM_ENDED : TROUPE_STREAM_FINISHED, 0);
}

/* The rest waits for the kernel to say that it has room. */
static void push_out(struct tr_worker *worker, struct tr_stream *stream) {
    while (tr_stream_waits(stream) > 0) {
        ssize_t sent = send(stream->fd, stream->out + stream->out_begin, tr_stream_waits(stream),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) {
            fail(worker, stream, errno);
            return;
        }
        stream->out_begin += (size_t)sent;
        stream->sent += (size_t)sent;
        tr_stream_touch(worker, stream, TR_STREAM_WRITE);
    }
    drop_out(stream);
}

void tr_stream_write_out(struct tr_worker *worker, struct tr_stream *stream) {
    if (stream->state != TR_STREAM_OPEN && stream->state != TR_STREAM_FINISHING) return;
    if (tr_stream_waits(stream) > 0) push_out(worker, stream);
    if (stream->state == TR_STREAM_FINISHING && tr_stream_waits(stream) == 0) finished(worker, stream);
    if (stream->wants_drained) tr_stream_again(worker, stream);
}

void tr_stream_finish_now(struct tr_worker *worker, struct tr_stream *stream) {
    if (stream->state == TR_STREAM_CONNECTING) {
        tr_stream_over(worker, stream, TROUPE_STREAM_FINISHED, 0);
        return;
    }
    tr_stream_move(stream, TR_STREAM_FINISHING);
    if (!stream->corked) tr_stream_write_out(worker, stream);
}

/* ---- What the actor is told ---- */

/* A message of a stream on the stack of whoever tells it. False: the stream is gone. */
static bool tell(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream, struct tr_message *message) {
    (void)tr_deliver_own(worker, cell, message);
    return !stream->watched.source.cancelled;
}

static bool accepts(const struct tr_cell *cell, const struct troupe_message_type *type) {
    return tr_class_handler(cell->running, type) != NULL;
}

static bool tell_data(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream, const uint8_t *bytes,
                      size_t size) {
    struct {
        struct tr_message header;
        struct troupe_stream_data body;
    } message = { .header.type = &troupe_stream_data_message,
                  .body = { stream->watched.source.id, { bytes, (uint32_t)size } } };
    stream->received += size;
    return tell(worker, cell, stream, &message.header);
}

static bool tell_ended(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    struct {
        struct tr_message header;
        struct troupe_stream_ended body;
    } message = { .header.type = &troupe_stream_ended_message, .body = { stream->watched.source.id } };
    if (accepts(cell, &troupe_stream_ended_message)) return tell(worker, cell, stream, &message.header);
    stream->followed = true;
    tr_stream_finish_now(worker, stream);
    return true;
}

static bool tell_connected(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    struct {
        struct tr_message header;
        struct troupe_stream_connected body;
    } message = { .header.type = &troupe_stream_connected_message, .body = { stream->watched.source.id } };
    if (!accepts(cell, &troupe_stream_connected_message)) return true;
    return tell(worker, cell, stream, &message.header);
}

static bool tell_drained(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    struct {
        struct tr_message header;
        struct troupe_stream_drained body;
    } message = { .header.type = &troupe_stream_drained_message, .body = { stream->watched.source.id } };
    stream->wants_drained = false;
    if (!accepts(cell, &troupe_stream_drained_message)) return true;
    return tell(worker, cell, stream, &message.header);
}

static const char *text_of(const struct tr_stream *stream) {
    if (stream->error != 0) return strerror(stream->error);
    static const char *const texts[] = {
        [TROUPE_STREAM_FINISHED] = "finished",
        [TROUPE_STREAM_ENDED] = "the other side has ended it",
        [TROUPE_STREAM_RESET] = "reset",
        [TROUPE_STREAM_REFUSED] = "refused",
        [TROUPE_STREAM_TIMEOUT] = "a time limit is over",
    };
    return texts[stream->end];
}

/* The last: the socket is closed before, so that whoever is told finds its descriptor free. */
static void tell_closed(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    struct {
        struct tr_message header;
        struct troupe_stream_closed body;
    } message = { .header.type = &troupe_stream_closed_message,
                  .body = { stream->watched.source.id, stream->end, text_of(stream), stream->received, stream->sent } };
    tr_source_cancel(worker->node, cell, &stream->watched.source);
    (void)tr_deliver_own(worker, cell, &message.header);
}

/* ---- In ---- */

/* The other side will send no more. */
static bool input_ended(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    if (stream->ended) return true;
    stream->ended = true;
    if (stream->state == TR_STREAM_LINGERING) tr_stream_over(worker, stream, TROUPE_STREAM_FINISHED, 0);
    return stream->state != TR_STREAM_OPEN || tell_ended(worker, cell, stream);
}

static bool is_read(const struct tr_stream *stream) {
    return !stream->ended && !stream->paused && stream->state >= TR_STREAM_OPEN && stream->state < TR_STREAM_OVER;
}

/* One piece. `more`: there may be another. False: the stream is gone. */
static bool read_piece(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream, size_t *taken,
                       bool *more) {
    uint8_t bytes[PIECE];
    ssize_t size = recv(stream->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    *more = size == (ssize_t)sizeof bytes || (size < 0 && errno == EINTR);
    if (size < 0 && errno != EAGAIN && errno != EINTR) fail(worker, stream, errno);
    if (size == 0) return input_ended(worker, cell, stream);
    if (size <= 0) return true;
    *taken += (size_t)size;
    tr_stream_touch(worker, stream, TR_STREAM_READ);
    return stream->state == TR_STREAM_LINGERING || tell_data(worker, cell, stream, bytes, (size_t)size);
}

static bool read_in(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    size_t taken = 0;
    bool more = true, alive = true;
    while (alive && more && taken < AT_ONCE && is_read(stream)) alive = read_piece(worker, cell, stream, &taken, &more);
    if (!alive) return false;
    /* A short read means that no more has come; but the end may have, and is not told of again. */
    if (stream->hangs_up && !more && is_read(stream)) alive = read_piece(worker, cell, stream, &taken, &more);
    if (alive && more && is_read(stream)) tr_stream_again(worker, stream);
    return alive;
}

/* ---- Turns ---- */

static bool connected(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream, uint32_t happened) {
    int error = 0;
    socklen_t size = sizeof error;
    if ((happened & ((uint32_t)EPOLLOUT | (uint32_t)EPOLLERR | (uint32_t)EPOLLHUP)) == 0) return true;
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) {
        fail(worker, stream, error);
        return true;
    }
    tr_stream_move(stream, TR_STREAM_OPEN);
    stream->limits[TR_STREAM_CONNECT] = 0;
    return tell_connected(worker, cell, stream);
}

/* In its turn. False: the stream is gone. */
static bool turn(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream, uint32_t happened) {
    if (stream->state == TR_STREAM_CONNECTING && !connected(worker, cell, stream, happened)) return false;
    if (stream->state == TR_STREAM_CONNECTING || stream->state == TR_STREAM_OVER) return true;
    if ((happened & ((uint32_t)EPOLLRDHUP | (uint32_t)EPOLLHUP)) != 0) stream->hangs_up = true;
    if ((happened & (uint32_t)EPOLLERR) != 0 && stream->paused) fail(worker, stream, ECONNRESET);
    stream->corked = true;
    bool alive = read_in(worker, cell, stream);
    stream->corked = false;
    if (!alive) return false;
    tr_stream_write_out(worker, stream);
    if (stream->wants_drained && tr_stream_waits(stream) <= stream->write_limit / 4)
        return tell_drained(worker, cell, stream);
    return true;
}

bool tr_stream_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct tr_stream *stream = tr_stream_of(source);
    uint32_t happened = atomic_exchange(&stream->watched.happened, 0);
    if ((happened & TR_WATCHED_ELSEWHERE) != 0) tr_stream_follow(worker, stream);
    if (!turn(worker, cell, stream, happened)) return true;
    if (stream->state == TR_STREAM_OVER) tell_closed(worker, cell, stream);
    return true;
}
