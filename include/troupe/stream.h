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

/* More than half of the limit waited to be written (troupe_stream_info), or a write returned FULL: now at most a quarter
 * of it waits. Who passes bytes on from one stream to another pauses the one (troupe_stream_pause) until it hears this of
 * the other. */
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

struct troupe_stream_facts {
    char peer[TROUPE_STREAM_ADDRESS], local[TROUPE_STREAM_ADDRESS]; /* as troupe_stream_connect takes them; "unix:" for
                                                                     * one without a name */
    uint64_t received, sent; /* bytes */
    size_t waits;            /* bytes, to be written */
};

enum troupe_status troupe_stream_info(troupe_self *self, troupe_stream stream, struct troupe_stream_facts *info);

/* ---- Listening ----
 *
 *     TROUPE_START(server, troupe_none) { return troupe_listen(self, "127.0.0.1:8080", NULL, &me->listener); }
 *     TROUPE_ON(server, troupe_connection) {
 *         troupe_address talker;
 *         return troupe_spawn(self, &talker, echo, troupe_connection, .socket = msg->socket, .peer = msg->peer);
 *     }
 */

/* A listener of this actor. Zero is none. */
typedef struct troupe_listener {
    uint64_t id;
} troupe_listener;

/* A connection was accepted. The socket is the message's, and closed with it: whoever wants it takes it
 * (troupe_take_descriptor) for troupe_stream_adopt, or sends the message on, to any actor on this machine. */
#define TROUPE_CONNECTION_FIELDS(field) field(u64, listener) field(descriptor, socket) field(str, peer)
TROUPE_MESSAGE(troupe_connection, TROUPE_CONNECTION_FIELDS)

/* Zero is the default of each. */
struct troupe_listen_options {
    uint32_t backlog;  /* connections that wait in the kernel; 0: 511, as in Node and nginx; the kernel has a limit too */
    bool reuse_port;   /* others, of the same user, may listen there too (SO_REUSEPORT): the kernel shares connections out */
    bool only_ipv6;    /* [::]:80 is not 0.0.0.0:80 too */
    bool paused;       /* nothing is accepted before troupe_listen_resume */
};

/* Listens at an address as of troupe_stream_connect; port 0 is any that is free (troupe_listener_address says which).
 * A unix socket's file is made, and removed with the listener; one that is there and at which nobody listens is replaced.
 * Connections are accepted one after the other, between other work, as long as the actor keeps up. When the process has
 * no descriptor left, accepting rests for a tenth of a second at a time, and the log says so; those who connect wait
 * in the kernel.
 * Errors: INVALID (no such address; the actor does not handle troupe_connection: the log says which), EXISTS (in use),
 * SYSTEM (the log says why: no right to, no such address here), LIMIT, NO_MEMORY, STOPPING. */
enum troupe_status troupe_listen(troupe_self *self, const char *address, const struct troupe_listen_options *options,
                                 troupe_listener *listener);

/* The same with a socket that listens already: inherited, or from another actor. Taken, as by troupe_stream_adopt, and
 * closed with the listener; several processes may have one each of the same: each connection goes to one of them. */
enum troupe_status troupe_listen_on(troupe_self *self, int socket, const struct troupe_listen_options *options,
                                    troupe_listener *listener);

/* Nothing is accepted until resume: those who connect wait in the kernel. GONE: there is no such listener. */
enum troupe_status troupe_listen_pause(troupe_self *self, troupe_listener listener);
enum troupe_status troupe_listen_resume(troupe_self *self, troupe_listener listener);
/* No more are accepted; those that wait in the kernel are reset. */
enum troupe_status troupe_unlisten(troupe_self *self, troupe_listener listener);
/* Where it listens. */
enum troupe_status troupe_listener_address(troupe_self *self, troupe_listener listener,
                                           char address[TROUPE_STREAM_ADDRESS]);

#ifdef __cplusplus
}
#endif
#endif
