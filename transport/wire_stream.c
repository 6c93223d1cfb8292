/*
 * Wires between machines: an NNG byte stream (tcp) that speaks the format of NNG's pair0
 * sockets, so that a pair0 socket may sit at the other end.
 *
 * Why not the pair0 socket itself. In NNG 1.5 (Debian's), when a socket closes a connection, or a write
 * fails because the peer has died, just between the head of an incoming frame and its body, the receive
 * is lost; NNG's only reaper thread waits for it for ever, and no socket of the process can be closed
 * again. With traffic in both directions about one death in a few does it. And a stranger that connects
 * and hangs up stops a listener for good. The byte streams below have neither fault, and every operation
 * on them can be cancelled.
 *
 * The format. Each side sends 8 bytes first: 0 'S' 'P' 0, the protocol number (16, big-endian 16 bits),
 * 0 0. A frame is its length in 8 bytes, big-endian, and its bytes.
 *
 * Happy path. The listener accepts a connection, or the dialer gets one. Both greet: the greeting goes out through the send operation and comes in through the receive one;
 * when both are done the wire is up, and the listener stops listening. A listener whose guest fails to
 * greet accepts the next one; everything else that fails is `down`.
 *
 * Sending: one frame is in `out`, head and all; a send before `up` waits there. Receiving: bytes are read
 * into `in`, as many as there are, so that small frames cost one read for several; a frame that is not
 * complete there gets memory of its own and the rest is read into it. `reading` is the right to do all
 * this, held by one thread or by the receive operation; `wanted` says that the caller is ready. A frame
 * that nobody wants stays in `in`, and nothing is read.
 */
#include "transport/wire_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

enum {
    GREETING_SIZE = 8,
    HEAD_SIZE = 8,
    IN_SIZE = 16 * 1024,
    OUT_KEPT = 256 * 1024, /* a larger buffer is given back after its frame */
    GREET_WITHIN_MS = 5000
};

static const uint8_t greeting[GREETING_SIZE] = { 0, 'S', 'P', 0, 0, 16, 0, 0 };

struct stream {
    struct tr_wire wire;
    nng_stream_listener *listener;
    nng_stream_dialer *dialer;
    nng_aio *connect_aio;
    nng_aio *send_aio;
    nng_aio *receive_aio;

    /* under wire.lock */
    nng_stream *connection;
    unsigned greetings;  /* of the two, those done */
    bool greeted;        /* both, well; from here on the aios carry frames */
    bool greeting_failed;
    bool pending;        /* a frame in `out` waits for `up` */
    bool wanted;
    bool reading;

    /* the sender's */
    uint8_t *out;
    size_t out_capacity, out_size, out_done;

    /* the reader's */
    uint8_t *in;
    size_t in_size;
    struct tr_wire_frame *frame; /* being filled */
    size_t filled;
};

static void stream_accept(struct stream *stream);

/* After each submission: when the connection is over, what was submitted would wait for ever. Whoever ends
 * the connection sets the state first and ends what is submitted afterwards; in any order one of the two
 * sees the other. Under the lock, so that it never hits an operation for the next guest. */
static void cancel_if_over(struct stream *stream, nng_aio *aio) {
    pthread_mutex_lock(&stream->wire.lock);
    if (stream->wire.state >= WIRE_LOST || (!stream->greeted && stream->greeting_failed))
        nng_aio_cancel(aio);
    pthread_mutex_unlock(&stream->wire.lock);
}

/* ---- Sending ---- */

static void submit_send(struct stream *stream, const uint8_t *bytes, size_t size) {
    nng_iov part = { .iov_buf = (void *)(uintptr_t)bytes, .iov_len = size };
    (void)nng_aio_set_iov(stream->send_aio, 1, &part);
    nng_stream_send(stream->connection, stream->send_aio);
    cancel_if_over(stream, stream->send_aio);
}

static void send_rest(struct stream *stream) {
    submit_send(stream, stream->out + stream->out_done, stream->out_size - stream->out_done);
}

static void frame_sent(struct stream *stream, int result) {
    if (result != 0) {
        wire_lose(&stream->wire);
        wire_tell_sent(&stream->wire, false);
        return;
    }
    stream->out_done += nng_aio_count(stream->send_aio);
    if (stream->out_done < stream->out_size) {
        send_rest(stream);
        return;
    }
    if (stream->out_capacity > OUT_KEPT) {
        free(stream->out);
        stream->out = NULL;
        stream->out_capacity = 0;
    }
    wire_tell_sent(&stream->wire, true);
}

static bool out_reserve(struct stream *stream, size_t size) {
    if (size <= stream->out_capacity) return true;
    uint8_t *larger = realloc(stream->out, size);
    if (larger == NULL) return false;
    stream->out = larger;
    stream->out_capacity = size;
    return true;
}

static int stream_send(struct tr_wire *wire, const uint8_t *bytes, size_t size) {
    struct stream *stream = (struct stream *)wire;
    if (size > SIZE_MAX - HEAD_SIZE || !out_reserve(stream, HEAD_SIZE + size)) return NNG_ENOMEM;
    for (size_t i = 0; i < HEAD_SIZE; i++) stream->out[HEAD_SIZE - 1 - i] = (uint8_t)((uint64_t)size >> 8 * i);
    if (size > 0) memcpy(stream->out + HEAD_SIZE, bytes, size);
    stream->out_size = HEAD_SIZE + size;
    stream->out_done = 0;
    pthread_mutex_lock(&wire->lock);
    bool now = stream->greeted;
    stream->pending = !now;
    bool lost = wire->state >= WIRE_LOST;
    if (lost && !now) stream->pending = false;
    pthread_mutex_unlock(&wire->lock);
    if (now) send_rest(stream);
    else if (lost) wire_tell_sent(wire, false);
    return 0;
}

/* ---- Receiving ---- */

static void submit_receive(struct stream *stream, unsigned count, const nng_iov *parts) {
    (void)nng_aio_set_iov(stream->receive_aio, count, parts);
    nng_stream_recv(stream->connection, stream->receive_aio);
    cancel_if_over(stream, stream->receive_aio);
}

static void read_more(struct stream *stream) {
    nng_iov parts[2];
    unsigned count = 0;
    if (stream->frame != NULL) {
        parts[count].iov_buf = stream->frame->bytes + stream->filled;
        parts[count++].iov_len = stream->frame->size - stream->filled;
    }
    parts[count].iov_buf = stream->in + stream->in_size;
    parts[count++].iov_len = IN_SIZE - stream->in_size;
    submit_receive(stream, count, parts);
}

/* What was read filled the frame first. */
static void account(struct stream *stream, size_t count) {
    if (stream->frame != NULL) {
        const size_t missing = stream->frame->size - stream->filled;
        const size_t part = count < missing ? count : missing;
        stream->filled += part;
        count -= part;
    }
    stream->in_size += count;
}

/* From the head in `in`. False: too large, or no memory. */
static bool begin_frame(struct stream *stream) {
    uint64_t size = 0;
    for (size_t i = 0; i < HEAD_SIZE; i++) size = size << 8 | stream->in[i];
    if (size > stream->wire.max_frame) return false;
    struct tr_wire_frame *frame = malloc(sizeof *frame + (size_t)size);
    if (frame == NULL) return false;
    frame->message = NULL;
    frame->size = (size_t)size;
    const size_t present = stream->in_size - HEAD_SIZE;
    stream->filled = present < frame->size ? present : frame->size;
    memcpy(frame->bytes, stream->in + HEAD_SIZE, stream->filled);
    stream->in_size = present - stream->filled;
    memmove(stream->in, stream->in + HEAD_SIZE + stream->filled, stream->in_size);
    stream->frame = frame;
    return true;
}

/* Takes the frame that is complete, if the caller is ready for it; else gives up the right to read. */
static struct tr_wire_frame *take_frame(struct stream *stream) {
    struct tr_wire_frame *frame = NULL;
    pthread_mutex_lock(&stream->wire.lock);
    if (stream->wanted) {
        stream->wanted = false;
        frame = stream->frame;
        stream->frame = NULL;
    } else {
        stream->reading = false;
    }
    pthread_mutex_unlock(&stream->wire.lock);
    return frame;
}

/* With the right to read: goes on until more bytes or the caller's readiness are needed. */
static void advance(struct stream *stream) {
    for (;;) {
        if (stream->frame == NULL && stream->in_size >= HEAD_SIZE && !begin_frame(stream)) {
            wire_lose(&stream->wire);
            return;
        }
        if (stream->frame == NULL || stream->filled < stream->frame->size) {
            read_more(stream);
            return;
        }
        struct tr_wire_frame *frame = take_frame(stream);
        if (frame == NULL) return;
        wire_tell_frame(&stream->wire, frame);
    }
}

static void stream_next(struct tr_wire *wire) {
    struct stream *stream = (struct stream *)wire;
    pthread_mutex_lock(&wire->lock);
    stream->wanted = true;
    bool mine = stream->greeted && !stream->reading && wire->state == WIRE_CONNECTED;
    if (mine) stream->reading = true;
    pthread_mutex_unlock(&wire->lock);
    if (mine) advance(stream);
}

static void bytes_received(struct stream *stream, int result) {
    if (result != 0) {
        wire_lose(&stream->wire);
        return;
    }
    account(stream, nng_aio_count(stream->receive_aio));
    advance(stream);
}

/* ---- Greeting ---- */

static void stream_up(struct stream *stream) {
    if (stream->listener != NULL) nng_stream_listener_close(stream->listener);
    if (!wire_tell_up(&stream->wire)) return;
    pthread_mutex_lock(&stream->wire.lock);
    stream->greeted = stream->wire.state == WIRE_CONNECTED;
    bool send = stream->greeted && stream->pending;
    if (send) stream->pending = false;
    pthread_mutex_unlock(&stream->wire.lock);
    if (send) send_rest(stream);
    stream_next(&stream->wire);
}

/* A guest that did not greet properly: the listener waits for the next one. */
static void turn_away(struct stream *stream) {
    pthread_mutex_lock(&stream->wire.lock);
    nng_stream *guest = stream->connection;
    bool again = !stream->wire.dials && stream->wire.state == WIRE_WAITING;
    if (again) stream->connection = NULL;
    pthread_mutex_unlock(&stream->wire.lock);
    if (again) {
        nng_stream_close(guest);
        nng_stream_free(guest);
        stream_accept(stream);
    } else {
        wire_lose(&stream->wire);
    }
}

/* One half of the greeting is over. The last one decides. */
static void greeting_over(struct stream *stream, bool ok) {
    pthread_mutex_lock(&stream->wire.lock);
    stream->greeting_failed |= !ok;
    bool last = ++stream->greetings == 2, failed = stream->greeting_failed;
    bool up = last && !failed && stream->wire.state == WIRE_WAITING;
    if (up) stream->wire.state = WIRE_CONNECTED;
    /* Ends the other half; under the lock, for that half may turn the guest away. */
    if (!last && failed) nng_stream_close(stream->connection);
    pthread_mutex_unlock(&stream->wire.lock);
    if (up) stream_up(stream);
    else if (last) turn_away(stream);
}

static void greeting_sent(struct stream *stream, int result) {
    greeting_over(stream, result == 0 && nng_aio_count(stream->send_aio) == GREETING_SIZE);
}

static void read_greeting(struct stream *stream) {
    nng_iov part = { .iov_buf = stream->in + stream->in_size,
                     .iov_len = GREETING_SIZE - stream->in_size };
    submit_receive(stream, 1, &part);
}

static void greeting_received(struct stream *stream, int result) {
    if (result == 0) stream->in_size += nng_aio_count(stream->receive_aio);
    if (result == 0 && stream->in_size < GREETING_SIZE) {
        read_greeting(stream);
        return;
    }
    bool ok = result == 0 && memcmp(stream->in, greeting, GREETING_SIZE) == 0;
    stream->in_size = 0;
    nng_aio_set_timeout(stream->receive_aio, NNG_DURATION_INFINITE);
    greeting_over(stream, ok);
}

static void greet(struct stream *stream) {
    stream->in_size = 0;
    nng_aio_set_timeout(stream->receive_aio, GREET_WITHIN_MS);
    read_greeting(stream);
    submit_send(stream, greeting, GREETING_SIZE);
}

static bool is_greeted(struct stream *stream) {
    pthread_mutex_lock(&stream->wire.lock);
    bool greeted = stream->greeted;
    pthread_mutex_unlock(&stream->wire.lock);
    return greeted;
}

static void on_sent(void *context) {
    struct stream *stream = context;
    int result = nng_aio_result(stream->send_aio);
    if (is_greeted(stream)) frame_sent(stream, result);
    else greeting_sent(stream, result);
}

static void on_received(void *context) {
    struct stream *stream = context;
    int result = nng_aio_result(stream->receive_aio);
    if (is_greeted(stream)) bytes_received(stream, result);
    else greeting_received(stream, result);
}

/* ---- Connecting ---- */

static void stream_connected(struct stream *stream, nng_stream *connection) {
    pthread_mutex_lock(&stream->wire.lock);
    bool welcome = stream->wire.state == WIRE_WAITING;
    if (welcome) {
        stream->connection = connection;
        stream->greetings = 0;
        stream->greeting_failed = false;
    }
    pthread_mutex_unlock(&stream->wire.lock);
    if (!welcome) {
        nng_stream_close(connection);
        nng_stream_free(connection);
        return;
    }
    greet(stream);
}

static void on_connect(void *context) {
    struct stream *stream = context;
    if (nng_aio_result(stream->connect_aio) == 0)
        stream_connected(stream, nng_aio_get_output(stream->connect_aio, 0));
    else
        wire_lose(&stream->wire);
}

static void stream_accept(struct stream *stream) {
    nng_stream_listener_accept(stream->listener, stream->connect_aio);
}

/* ---- Opening and closing ---- */

/* The URL with the port that was bound in place of the one asked for. */
static int bound_url(struct stream *stream, const char *url, char *bound, size_t bound_size) {
    const char *colon = strrchr(url, ':'); /* of tcp:// at least */
    int port = 0;
    int code = nng_stream_listener_get_int(stream->listener, NNG_OPT_TCP_BOUND_PORT, &port);
    if (code != 0) return code;
    int length = snprintf(bound, bound_size, "%.*s:%d", (int)(colon - url), url, port);
    return length >= 0 && (size_t)length < bound_size ? 0 : NNG_EINVAL;
}

static int open_listener(struct stream *stream, const char *url, char *bound, size_t bound_size) {
    int code = nng_stream_listener_alloc(&stream->listener, url);
    if (code == 0) code = nng_stream_listener_set_bool(stream->listener, NNG_OPT_TCP_NODELAY, true);
    if (code == 0) code = nng_stream_listener_listen(stream->listener);
    if (code == 0) code = bound_url(stream, url, bound, bound_size);
    if (code == 0) stream_accept(stream);
    return code;
}

static int open_dialer(struct stream *stream, const char *url) {
    int code = nng_stream_dialer_alloc(&stream->dialer, url);
    if (code == 0) code = nng_stream_dialer_set_bool(stream->dialer, NNG_OPT_TCP_NODELAY, true);
    if (code == 0) nng_stream_dialer_dial(stream->dialer, stream->connect_aio);
    return code;
}

static int stream_open(struct tr_wire *wire, const char *url, char *bound, size_t bound_size) {
    struct stream *stream = (struct stream *)wire;
    int code;
    if ((stream->in = malloc(IN_SIZE)) == NULL) return NNG_ENOMEM;
    if ((code = nng_aio_alloc(&stream->connect_aio, on_connect, stream)) != 0 ||
        (code = nng_aio_alloc(&stream->send_aio, on_sent, stream)) != 0 ||
        (code = nng_aio_alloc(&stream->receive_aio, on_received, stream)) != 0)
        return code;
    return wire->dials ? open_dialer(stream, url) : open_listener(stream, url, bound, bound_size);
}

static void stream_lost(struct tr_wire *wire) {
    struct stream *stream = (struct stream *)wire;
    pthread_mutex_lock(&wire->lock);
    nng_stream *connection = stream->connection;
    bool unsent = stream->pending;
    stream->pending = false;
    pthread_mutex_unlock(&wire->lock);
    if (connection != NULL) nng_stream_close(connection);
    nng_aio_cancel(stream->send_aio);
    nng_aio_cancel(stream->receive_aio);
    if (unsent) wire_tell_sent(wire, false);
}

static void stop(nng_aio *aio) {
    if (aio != NULL) nng_aio_stop(aio);
}

/* A dialer is closed before its dial is stopped: where NNG 1.11 cancels a dial that is just done, it frees what the
 * poller still needs to say so. */
static void stream_close(struct tr_wire *wire) {
    struct stream *stream = (struct stream *)wire;
    if (stream->dialer != NULL) nng_stream_dialer_close(stream->dialer);
    stop(stream->connect_aio);
    stop(stream->send_aio);
    stop(stream->receive_aio);
    if (stream->connection != NULL) {
        nng_stream_close(stream->connection);
        nng_stream_free(stream->connection);
    }
    if (stream->listener != NULL) nng_stream_listener_free(stream->listener);
    if (stream->dialer != NULL) nng_stream_dialer_free(stream->dialer);
    if (stream->connect_aio != NULL) nng_aio_free(stream->connect_aio);
    if (stream->send_aio != NULL) nng_aio_free(stream->send_aio);
    if (stream->receive_aio != NULL) nng_aio_free(stream->receive_aio);
    free(stream->frame);
    free(stream->out);
    free(stream->in);
}

const struct wire_kind wire_stream_kind = { sizeof(struct stream), stream_open, stream_send, stream_next,
                                            stream_lost, stream_close };
