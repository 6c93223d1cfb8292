/*
 * Streams: TCP and unix connections that an actor owns, as messages.
 *
 *     TROUPE_START(echo, troupe_connection) {
 *         return troupe_stream_adopt(self, troupe_take_descriptor(&args->socket), NULL, &me->stream);
 *     }
 *     TROUPE_ON(echo, troupe_stream_data) {
 *         return troupe_stream_write(self, me->stream, msg->bytes.data, msg->bytes.size);
 *     }
 *     TROUPE_ON(echo, troupe_stream_closed) { return troupe_exit(self); }
 *
 * As everything in actor.h, to be called from within a handler. A stream belongs to the run that made it, and ends with
 * it: what had not been written by then is lost, and the other side sees the end of the connection. The messages below
 * are not counted by contract 3 and not bounded by the mailbox's limit: one of each stream is under way at most, and
 * while an actor is at something else, the kernel keeps what comes, and lets the other side wait.
 *
 * Their meanings are those of Node's net.Socket: data, drain, end, close; write, end (here: finish), destroy (here:
 * close), pause, resume, setTimeout.
 */
#ifndef TROUPE_STREAM_H
#define TROUPE_STREAM_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stream of this actor. Zero is none. */
typedef struct troupe_stream {
    uint64_t id;
} troupe_stream;

/* Why a stream is over. */
enum troupe_stream_end {
    TROUPE_STREAM_FINISHED, /* by troupe_stream_finish: all was written */
    TROUPE_STREAM_ENDED,    /* by the other side, which will send no more, and all was written */
    TROUPE_STREAM_RESET,    /* the other side, or the way there, is gone: what waited to be written is lost */
    TROUPE_STREAM_REFUSED,  /* it never was connected */
    TROUPE_STREAM_TIMEOUT   /* one of its time limits was over */
};

/* ---- What its owner is told: `stream` is the id ---- */

/* Bytes have come. They are valid while the handler runs; at most 64 KiB. An actor must handle this. */
#define TROUPE_STREAM_DATA_FIELDS(field) field(u64, stream) field(bytes, bytes)
TROUPE_MESSAGE(troupe_stream_data, TROUPE_STREAM_DATA_FIELDS)

/* troupe_stream_connect has its connection: it may be written to before, and what is written waits for this. */
#define TROUPE_STREAM_CONNECTED_FIELDS(field) field(u64, stream)
TROUPE_MESSAGE(troupe_stream_connected, TROUPE_STREAM_CONNECTED_FIELDS)

/* After a write that returned FULL: at most half of the limit waits to be written now. */
#define TROUPE_STREAM_DRAINED_FIELDS(field) field(u64, stream)
TROUPE_MESSAGE(troupe_stream_drained, TROUPE_STREAM_DRAINED_FIELDS)

/* The other side will send no more; it may still be written to, until troupe_stream_finish. For an actor that does not
 * handle this, Troupe finishes the stream by itself. */
#define TROUPE_STREAM_ENDED_FIELDS(field) field(u64, stream)
TROUPE_MESSAGE(troupe_stream_ended, TROUPE_STREAM_ENDED_FIELDS)

/* It is over, the last that is heard of it; but not after troupe_stream_close or _release. `end`: enum
 * troupe_stream_end; `text` says more, for people; `received` and `sent` are bytes, since it was made. An actor must
 * handle this. */
#define TROUPE_STREAM_CLOSED_FIELDS(field)                                                                             \
    field(u64, stream) field(u8, end) field(str, text) field(u64, received) field(u64, sent)
TROUPE_MESSAGE(troupe_stream_closed, TROUPE_STREAM_CLOSED_FIELDS)

/* ---- Making one ---- */

/* Zero is the default of each. Times in ns; 0: no limit. */
struct troupe_stream_options {
    uint32_t write_limit;  /* bytes that may wait to be written; 0: 1 MiB */
    int64_t idle;          /* without a byte in either direction */
    int64_t read;          /* without a byte from the other side, though it is not paused */
    int64_t write;         /* without the other side taking a byte, though some wait */
    int64_t connect;       /* until it is connected; 0: as long as the kernel tries */
    bool paused;           /* nothing is read before troupe_stream_resume */
};

/* Takes a connected socket (TCP, unix), which is made non-blocking and closed with the stream; on failure it stays the
 * caller's. `options` may be NULL. Bytes that came before are told first.
 * Errors: INVALID (no connected stream socket; an option out of range; the actor does not handle what it must: the log
 * says which), LIMIT (no descriptors), NO_MEMORY, STOPPING. */
enum troupe_status troupe_stream_adopt(troupe_self *self, int socket, const struct troupe_stream_options *options,
                                       troupe_stream *stream);

/* Connects to an address: "127.0.0.1:80", "[::1]:80", "unix:/run/app.socket", "unix:@name" (Linux's abstract names).
 * Names of hosts are not looked up, for that blocks: troupe_work can do it. Ends with troupe_stream_connected, or
 * troupe_stream_closed with REFUSED or TIMEOUT.
 * Errors: as above; INVALID also for an address that is none. */
enum troupe_status troupe_stream_connect(troupe_self *self, const char *address,
                                         const struct troupe_stream_options *options, troupe_stream *stream);

/* ---- Using it. GONE: there is no such stream, or it is over, and its troupe_stream_closed comes ---- */

/* Writes bytes: copied, unless the kernel takes them at once. What a handler of troupe_stream_data writes leaves when
 * that returns, in one piece if it is not too large. FULL: nothing was taken, for there would be more than the limit:
 * troupe_stream_drained follows. TOO_BIG: it is more than the limit alone. INVALID: after troupe_stream_finish.
 * NO_MEMORY. */
enum troupe_status troupe_stream_write(troupe_self *self, troupe_stream stream, const void *bytes, size_t size);

/* No more will be written: what waits leaves, then the other side sees the end, and troupe_stream_closed follows, with
 * FINISHED. What still comes meanwhile is read, for five seconds at most, and dropped: else the kernel would reset the
 * connection, and what was written last might be lost (RFC 9112, 9.6). */
enum troupe_status troupe_stream_finish(troupe_self *self, troupe_stream stream);

/* Ends it at once: nothing more is written, read or told. */
enum troupe_status troupe_stream_close(troupe_self *self, troupe_stream stream);

/* Nothing is read until resume: the other side has to wait, once the kernel is full. The end of the connection is not
 * noticed meanwhile, unless it is reset. */
enum troupe_status troupe_stream_pause(troupe_self *self, troupe_stream stream);
enum troupe_status troupe_stream_resume(troupe_self *self, troupe_stream stream);

/* Gives the socket back, to be handed to another actor, here or in another process, in a field of kind descriptor:
 * what has not been read is read there. BUSY: something waits to be written, or it is not connected yet. */
enum troupe_status troupe_stream_release(troupe_self *self, troupe_stream stream, int *socket);

enum { TROUPE_STREAM_ADDRESS = 128 };

struct troupe_stream_info {
    char peer[TROUPE_STREAM_ADDRESS], local[TROUPE_STREAM_ADDRESS]; /* as troupe_stream_connect takes them; "unix:" for
                                                                     * one without a name */
    uint64_t received, sent; /* bytes */
    size_t waits;            /* bytes, to be written */
};

enum troupe_status troupe_stream_info(troupe_self *self, troupe_stream stream, struct troupe_stream_info *info);

#ifdef __cplusplus
}
#endif
#endif
