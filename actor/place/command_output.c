/*
 * What a program writes, on its way to its owner.
 *
 * Each output has a buffer of one size. It is read into when there is room, one read for each message of its watch;
 * what is in it is given on as long as fewer than eight outputs are under way and the owner's mailbox has room. A full
 * buffer is not watched: then the pipe fills, and the program waits.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "place/command_parts.h"

enum { UNDER_WAY = 8, ROOM = TROUPE_COMMAND_LINE };

static const int64_t patience = INT64_C(365) * 24 * 60 * TROUPE_MINUTE; /* the owner may be as slow as it likes */

/* ---- Reading ---- */

static bool make_room(struct tr_command_stream *stream) {
    if (stream->buffer == NULL) stream->buffer = malloc(ROOM);
    if (stream->buffer == NULL) return false;
    if (stream->begin > 0) memmove(stream->buffer, stream->buffer + stream->begin, stream->end - stream->begin);
    stream->end -= stream->begin;
    stream->begin = 0;
    return stream->end < ROOM;
}

/* It has said more than it may: the rest is not wanted. */
static void check_limit(troupe_self *self, struct tr_command *command, struct tr_command_stream *stream) {
    if (command->max_output == 0 || stream->total <= command->max_output) return;
    uint64_t over = stream->total - command->max_output;
    stream->end -= (uint32_t)over;
    stream->total = command->max_output;
    tr_command_close_stream(self, stream);
    tr_command_end(command, "max_output");
}

void tr_command_read(troupe_self *self, struct tr_command *command, struct tr_command_stream *stream) {
    if (!make_room(stream)) return; /* asked for again when there is some, or memory */
    ssize_t size = read(stream->fd, stream->buffer + stream->end, ROOM - stream->end);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
        stream->reads = false;
        if (stream->writes) tr_command_watch(self, stream, stream->first != NULL ? TROUPE_WRITABLE : 0);
        else tr_command_close_stream(self, stream);
        return;
    }
    stream->end += (uint32_t)size;
    stream->total += (uint64_t)size;
    check_limit(self, command, stream);
}

/* ---- Giving on ---- */

struct piece {
    uint32_t size, behind; /* the end of a line, which is not told */
    bool partial;
};

static bool has_ended(const struct tr_command_stream *stream) { return stream->fd < 0 || !stream->reads; }

/* False: not yet. */
static bool next_piece(const struct tr_command *command, const struct tr_command_stream *stream, struct piece *piece) {
    uint32_t size = stream->end - stream->begin;
    if (size == 0) return false;
    *piece = (struct piece){ .size = size };
    if (!command->lines) return true;
    const char *begin = stream->buffer + stream->begin, *end = memchr(begin, '\n', size);
    piece->partial = end == NULL;
    if (end == NULL) return size == ROOM || has_ended(stream);
    piece->size = (uint32_t)(end - begin);
    piece->behind = 1;
    return true;
}

static void log_piece(troupe_self *self, uint32_t number, const char *data, uint32_t size) {
    tr_log(self->worker->node, number == 2 ? TROUPE_WARNING : TROUPE_INFO, troupe_self_path(self), "%.*s", (int)size,
           data);
}

/* True: it is done with. */
static bool give_on(troupe_self *self, struct tr_command *command, uint32_t number, const char *data,
                    const struct piece *piece) {
    if (troupe_address_is_none(command->to)) {
        log_piece(self, number, data, piece->size);
        return true;
    }
    if (command->deaf) return true;
    enum troupe_status status =
        troupe_ask(self, command->to, troupe_command_output, patience, .stream = number,
                   .data = { data, piece->size }, .partial = piece->partial);
    command->full = status == TROUPE_FULL;
    command->deaf = status == TROUPE_UNHANDLED;
    if (status == TROUPE_OK) command->under_way++;
    return !command->full;
}

static void emit_of(troupe_self *self, struct tr_command *command, uint32_t number) {
    struct tr_command_stream *stream = &command->streams[number];
    struct piece piece;
    while (command->under_way < UNDER_WAY && !command->full && next_piece(command, stream, &piece)) {
        if (!give_on(self, command, number, stream->buffer + stream->begin, &piece)) return;
        stream->begin += piece.size + piece.behind;
        if (stream->begin == stream->end) stream->begin = stream->end = 0;
    }
}

/* Only what there is room for is read. */
static void watch(troupe_self *self, struct tr_command_stream *stream) {
    if (stream->fd < 0) return;
    bool room = stream->end - stream->begin < ROOM;
    uint32_t events = (stream->reads && room ? TROUPE_READABLE : 0) | (stream->first != NULL ? TROUPE_WRITABLE : 0);
    tr_command_watch(self, stream, events);
}

void tr_command_emit(troupe_self *self, struct tr_command *command) {
    for (uint32_t i = 0; i < command->stream_count; i++) {
        emit_of(self, command, i);
        watch(self, &command->streams[i]);
    }
}

bool tr_command_is_drained(const struct tr_command *command) {
    for (uint32_t i = 0; i < command->stream_count; i++) {
        const struct tr_command_stream *stream = &command->streams[i];
        if (!has_ended(stream) || stream->end > stream->begin) return false;
    }
    return true;
}
