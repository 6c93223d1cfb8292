/*
 * What a program reads: it is written as far as its pipe takes it, and waits here behind that.
 *
 * A pipe that nobody reads any more sends whoever writes SIGPIPE, unlike a socket, of which a program could not open
 * /dev/stdin: so the signal is blocked in this thread for the time of the write, and taken back if it came.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <troupe/buffer.h>
#include <unistd.h>

#include "core/log.h"
#include "core/run.h"
#include "place/command_parts.h"

/* ---- Watching and closing ---- */

void tr_command_watch(troupe_self *self, struct tr_command_stream *stream, uint32_t events) {
    if (stream->fd < 0 || stream->events == events) return;
    if (stream->watch.id != 0) {
        (void)troupe_watch_events(self, stream->watch, events);
    } else if (events != 0 && troupe_watch(self, &stream->watch, stream->fd, events) != TROUPE_OK) {
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "a pipe of its program cannot be watched");
        tr_command_close_stream(self, stream);
        return;
    }
    stream->events = events;
}

void tr_command_close_stream(troupe_self *self, struct tr_command_stream *stream) {
    if (stream->watch.id != 0) (void)troupe_unwatch(self, stream->watch);
    stream->watch.id = 0;
    stream->events = 0;
    if (stream->fd >= 0) close(stream->fd);
    stream->fd = -1;
    stream->reads = stream->writes = false;
    tr_command_drop_input(self, stream);
}

/* ---- What waits ---- */

static void answer(troupe_self *self, const struct tr_command_stream *stream, struct troupe_asker asker,
                   enum troupe_status status) {
    if (asker.ask != 0)
        (void)troupe_answer_later(self, asker, troupe_command_written, .status = (uint32_t)status,
                                  .waiting = stream->waiting);
}

static void drop_first(troupe_self *self, struct tr_command_stream *stream, enum troupe_status status) {
    struct tr_command_write *first = stream->first;
    stream->waiting -= first->size - first->done;
    stream->first = first->next;
    if (stream->first == NULL) stream->last = NULL;
    answer(self, stream, first->asker, status);
    (void)troupe_buffer_release(self, first->data);
    free(first);
}

void tr_command_drop_input(troupe_self *self, struct tr_command_stream *stream) {
    uint64_t unasked = 0;
    for (; stream->first != NULL; drop_first(self, stream, TROUPE_GONE))
        if (stream->first->asker.ask == 0) unasked += stream->first->size - stream->first->done;
    if (unasked > 0)
        tr_log(self->worker->node, TROUPE_WARNING, troupe_self_path(self),
               "its program has not read %llu bytes of its input", (unsigned long long)unasked);
}

/* ---- Writing ---- */

static ssize_t write_quietly(int fd, const void *data, size_t size) {
    struct timespec none = { 0 };
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    ssize_t written = write(fd, data, size);
    int error = errno;
    if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0)
        while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

/* False: no more now. */
static bool write_first(troupe_self *self, struct tr_command_stream *stream) {
    struct tr_command_write *first = stream->first;
    size_t left = first->size - first->done;
    ssize_t written = left == 0 ? 0 : write_quietly(stream->fd, (const char *)first->data + first->done, left);
    if (written < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (written < 0) {
        stream->writes = false;
        tr_command_drop_input(self, stream);
        if (!stream->reads) tr_command_close_stream(self, stream);
        return false;
    }
    first->done += (uint32_t)written;
    stream->waiting -= (uint64_t)written;
    if (first->done == first->size) drop_first(self, stream, TROUPE_OK);
    return true;
}

static void close_if_done(troupe_self *self, struct tr_command_stream *stream) {
    if (!stream->closes || !stream->writes || stream->first != NULL) return;
    stream->writes = false;
    if (!stream->reads) tr_command_close_stream(self, stream);
    else shutdown(stream->fd, SHUT_WR);
}

void tr_command_write_some(troupe_self *self, struct tr_command_stream *stream) {
    while (stream->writes && stream->first != NULL && write_first(self, stream)) continue;
    close_if_done(self, stream);
}

void tr_command_finish_input(troupe_self *self, struct tr_command_stream *stream) {
    stream->closes = true;
    close_if_done(self, stream);
}

/* ---- Taking ---- */

static enum troupe_status refuse(troupe_self *self, enum troupe_status status) {
    if ((self->message->link.flags & TR_MESSAGE_ASKED) == 0) return tr_decline(self, status);
    return troupe_reply(self, troupe_command_written, .status = (uint32_t)status);
}

static struct tr_command_write *keep(troupe_self *self, const struct troupe_command_write *message) {
    struct tr_command_write *write = malloc(sizeof *write);
    if (write == NULL) return NULL;
    *write = (struct tr_command_write){ .size = message->data.size };
    if (message->data.size > 0) write->data = troupe_buffer_keep(self, message->data.data, message->data.size);
    if (message->data.size == 0 || write->data != NULL) return write;
    free(write);
    return NULL;
}

enum troupe_status tr_command_take_input(troupe_self *self, struct tr_command *command,
                                         const struct troupe_command_write *message) {
    if (message->stream >= command->stream_count) return refuse(self, TROUPE_INVALID);
    struct tr_command_stream *stream = &command->streams[message->stream];
    if (!stream->writes || stream->closes) return refuse(self, TROUPE_GONE);
    if (stream->waiting >= TROUPE_COMMAND_WAITING) return refuse(self, TROUPE_FULL);
    struct tr_command_write *write = keep(self, message);
    if (write == NULL) return refuse(self, TROUPE_NO_MEMORY);
    if ((self->message->link.flags & TR_MESSAGE_ASKED) != 0) write->asker = troupe_keep_asker(self);
    if (stream->first == NULL) stream->first = write;
    else stream->last->next = write;
    stream->last = write;
    stream->waiting += write->size;
    tr_command_write_some(self, stream);
    return TROUPE_OK;
}
