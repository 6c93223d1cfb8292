/*
 * Wires within a process: an NNG pair0 socket over inproc.
 *
 * The pipe callbacks are registered before the endpoint starts. The first pipe is admitted, every other
 * one is closed before a message moves. One aio sends and one receives, each reused for every frame,
 * for an aio costs a random number and a few locks to make. There is one receive at a time, so frames
 * stay in order; the first is asked for after `up` was told.
 *
 * pipe_gone may come before pipe_added. A send that then still waits in the socket for a next pipe, which
 * will never be admitted, is cancelled. NNG ignores the frame limit here: it is enforced on receipt.
 *
 * Close stops the aios before nng_close: NNG deadlocks when it closes under a busy one. nng_close waits
 * for the pipe callbacks, so the aios are freed last.
 */
#include "transport/wire_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { NO_REDIAL_MS = 24 * 3600 * 1000 };

struct pair {
    struct tr_wire wire;
    nng_socket socket;
    bool socket_open;
    nng_dialer dialer;
    nng_aio *send_aio;
    nng_aio *receive_aio;
    nng_pipe pipe;  /* the admitted one; under wire.lock */
    bool receiving; /* under wire.lock */
};

/* ---- Frames ---- */

static void pair_next(struct tr_wire *wire) {
    struct pair *pair = (struct pair *)wire;
    pthread_mutex_lock(&wire->lock);
    bool ready = wire->state == WIRE_CONNECTED;
    if (ready) {
        tr_assert(!pair->receiving);
        pair->receiving = true;
    }
    pthread_mutex_unlock(&wire->lock);
    if (ready) nng_recv_aio(pair->socket, pair->receive_aio);
}

static void pair_deliver(struct pair *pair, nng_msg *message) {
    const size_t size = nng_msg_len(message);
    struct tr_wire_frame *frame = size > pair->wire.max_frame ? NULL : malloc(sizeof *frame);
    if (frame == NULL) {
        nng_msg_free(message);
        (void)nng_pipe_close(pair->pipe);
        return;
    }
    frame->message = message;
    frame->size = size;
    wire_tell_frame(&pair->wire, frame);
}

static void on_received(void *context) {
    struct pair *pair = context;
    bool ok = nng_aio_result(pair->receive_aio) == 0;
    nng_msg *message = ok ? nng_aio_get_msg(pair->receive_aio) : NULL;
    pthread_mutex_lock(&pair->wire.lock);
    pair->receiving = false;
    pthread_mutex_unlock(&pair->wire.lock);
    if (message != NULL) pair_deliver(pair, message);
}

/* What NNG did not take is still the aio's. */
static void pair_reclaim(struct pair *pair) {
    nng_msg_free(nng_aio_get_msg(pair->send_aio));
    nng_aio_set_msg(pair->send_aio, NULL);
}

static void on_sent(void *context) {
    struct pair *pair = context;
    bool ok = nng_aio_result(pair->send_aio) == 0;
    if (!ok) pair_reclaim(pair);
    wire_tell_sent(&pair->wire, ok);
}

static int pair_send(struct tr_wire *wire, const uint8_t *bytes, size_t size) {
    struct pair *pair = (struct pair *)wire;
    nng_msg *message;
    int code = nng_msg_alloc(&message, size);
    if (code != 0) return code;
    if (size > 0) memcpy(nng_msg_body(message), bytes, size);
    nng_aio_set_msg(pair->send_aio, message);
    nng_send_aio(pair->socket, pair->send_aio);
    if (wire_state(wire) == WIRE_LOST) nng_aio_cancel(pair->send_aio);
    return 0;
}

/* ---- The pipe ---- */

static bool pair_owns(struct pair *pair, nng_pipe pipe) {
    pthread_mutex_lock(&pair->wire.lock);
    bool owns = nng_pipe_id(pipe) > 0 && nng_pipe_id(pair->pipe) == nng_pipe_id(pipe);
    pthread_mutex_unlock(&pair->wire.lock);
    return owns;
}

static void pipe_adding(nng_pipe pipe, nng_pipe_ev event, void *context) {
    (void)event;
    struct pair *pair = context;
    pthread_mutex_lock(&pair->wire.lock);
    bool admitted = pair->wire.state == WIRE_WAITING;
    if (admitted) {
        pair->wire.state = WIRE_CONNECTED;
        pair->pipe = pipe;
    }
    pthread_mutex_unlock(&pair->wire.lock);
    if (!admitted) (void)nng_pipe_close(pipe);
}

static void pipe_added(nng_pipe pipe, nng_pipe_ev event, void *context) {
    (void)event;
    struct pair *pair = context;
    if (pair_owns(pair, pipe) && wire_tell_up(&pair->wire)) pair_next(&pair->wire);
}

static void pipe_gone(nng_pipe pipe, nng_pipe_ev event, void *context) {
    (void)event;
    struct pair *pair = context;
    if (pair_owns(pair, pipe)) wire_lose(&pair->wire);
}

static void pair_lost(struct tr_wire *wire) {
    struct pair *pair = (struct pair *)wire;
    if (wire->dials) (void)nng_dialer_set_ms(pair->dialer, NNG_OPT_RECONNMINT, NO_REDIAL_MS);
    nng_aio_cancel(pair->send_aio);
}

/* ---- Opening and closing ---- */

/* Everything that must be in place before the endpoint starts. */
static int pair_prepare(struct pair *pair) {
    int code = nng_pair0_open(&pair->socket);
    if (code != 0) return code;
    pair->socket_open = true;
    if ((code = nng_pipe_notify(pair->socket, NNG_PIPE_EV_ADD_PRE, pipe_adding, pair)) != 0 ||
        (code = nng_pipe_notify(pair->socket, NNG_PIPE_EV_ADD_POST, pipe_added, pair)) != 0 ||
        (code = nng_pipe_notify(pair->socket, NNG_PIPE_EV_REM_POST, pipe_gone, pair)) != 0 ||
        (code = nng_aio_alloc(&pair->send_aio, on_sent, pair)) != 0)
        return code;
    return nng_aio_alloc(&pair->receive_aio, on_received, pair);
}

/* One attempt: where nobody listens the wire is down. */
static int pair_dial(struct pair *pair, const char *url) {
    int code = nng_dialer_create(&pair->dialer, pair->socket, url);
    if (code != 0) return code;
    code = nng_dialer_start(pair->dialer, 0);
    if (code != NNG_ECONNREFUSED) return code;
    wire_lose(&pair->wire);
    return 0;
}

static int pair_open(struct tr_wire *wire, const char *url, char *bound, size_t bound_size) {
    struct pair *pair = (struct pair *)wire;
    int code = pair_prepare(pair);
    if (code != 0) return code;
    if (wire->dials) return pair_dial(pair, url);
    int length = snprintf(bound, bound_size, "%s", url);
    if (length < 0 || (size_t)length >= bound_size) return NNG_EINVAL;
    return nng_listen(pair->socket, url, NULL, 0);
}

static void pair_close(struct tr_wire *wire) {
    struct pair *pair = (struct pair *)wire;
    if (pair->send_aio != NULL) nng_aio_stop(pair->send_aio);
    if (pair->receive_aio != NULL) nng_aio_stop(pair->receive_aio);
    if (wire->sending) pair_reclaim(pair);
    if (pair->socket_open) (void)nng_close(pair->socket);
    if (pair->send_aio != NULL) nng_aio_free(pair->send_aio);
    if (pair->receive_aio != NULL) nng_aio_free(pair->receive_aio);
}

const struct wire_kind wire_pair_kind = { sizeof(struct pair), pair_open, pair_send, pair_next,
                                          pair_lost, pair_close };
