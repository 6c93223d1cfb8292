/*
 * The wire: what is common to all of them. Opening by URL, the order of events, frames, closing.
 *
 * Threads. Two locks: `telling` is held while up, frame or down is told, so that these never overlap and
 * none follows down; `lock` guards a few fields and is never held while the caller is told something, so
 * that a callback may send. NNG never completes an operation from within its start or its
 * cancellation, so no callback is entered from under another one.
 *
 * The end of a connection. Whoever notices it moves the state to LOST and then ends the operations under
 * way; whoever submits one looks at the state afterwards and cancels it when it is LOST. In any order
 * one of the two sees the other, so nothing waits for a connection that will never come.
 *
 * Closing. First silence, then the operations are stopped, which waits for their callbacks. A send that
 * was submitted to an operation already stopped gets no callback: close finds it by its flag.
 */
#include "transport/wire_inside.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const struct scheme schemes[] = {
    { "inproc://", &wire_pair_kind },
    { "tcp://", &wire_stream_kind },
};

/* ---- State and events ---- */

enum wire_state wire_state(struct tr_wire *wire) {
    pthread_mutex_lock(&wire->lock);
    enum wire_state state = wire->state;
    pthread_mutex_unlock(&wire->lock);
    return state;
}

bool wire_move(struct tr_wire *wire, enum wire_state to) {
    pthread_mutex_lock(&wire->lock);
    bool allowed = wire->state < to;
    if (allowed) wire->state = to;
    pthread_mutex_unlock(&wire->lock);
    return allowed;
}

void wire_lose(struct tr_wire *wire) {
    if (!wire_move(wire, WIRE_LOST)) return;
    wire->scheme->kind->lost(wire);
    pthread_mutex_lock(&wire->telling);
    if (!wire->silent) {
        wire->silent = true;
        wire->events.down(wire->context);
    }
    pthread_mutex_unlock(&wire->telling);
}

bool wire_tell_up(struct tr_wire *wire) {
    pthread_mutex_lock(&wire->telling);
    bool tell = !wire->silent;
    if (tell) wire->events.up(wire->context);
    pthread_mutex_unlock(&wire->telling);
    return tell;
}

void wire_tell_frame(struct tr_wire *wire, struct tr_wire_frame *frame) {
    pthread_mutex_lock(&wire->telling);
    bool tell = !wire->silent;
    if (tell) wire->events.frame(wire->context, frame);
    pthread_mutex_unlock(&wire->telling);
    if (!tell) tr_wire_frame_free(frame);
}

void wire_tell_sent(struct tr_wire *wire, bool ok) {
    pthread_mutex_lock(&wire->lock);
    wire->sending = false;
    pthread_mutex_unlock(&wire->lock);
    wire->events.sent(wire->context, ok);
}

/* ---- Opening ---- */

static enum troupe_status wire_error(int code, const char *what, const char *url, char *error,
                                     size_t error_size) {
    (void)snprintf(error, error_size, "%s %s: %s", what, url, nng_strerror(code));
    switch (code) {
    case NNG_ENOMEM: return TROUPE_NO_MEMORY;
    case NNG_EINVAL:
    case NNG_EADDRINVAL:
    case NNG_ENOTSUP: return TROUPE_INVALID;
    default: return TROUPE_SYSTEM;
    }
}

static const struct scheme *scheme_of(const char *url) {
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) return &schemes[i];
    return NULL;
}

static struct tr_wire *wire_new(const struct tr_wire_options *options, const struct scheme *scheme,
                                bool dials) {
    struct tr_wire *wire = calloc(1, scheme->kind->size);
    if (wire == NULL) return NULL;
    wire->events = *options->events;
    wire->context = options->context;
    wire->scheme = scheme;
    wire->max_frame = options->max_frame;
    wire->dials = dials;
    pthread_mutex_init(&wire->telling, NULL);
    pthread_mutex_init(&wire->lock, NULL);
    return wire;
}

/* The first use of NNG in a process starts its threads, which keep the signal mask of their creator:
 * signals belong to others. */
static int open_without_signals(struct tr_wire *wire, const char *url, char *bound, size_t bound_size) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int code = wire->scheme->kind->open(wire, url, bound, bound_size);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return code;
}

static enum troupe_status wire_open(const struct tr_wire_options *options, struct tr_wire **out,
                                    char *bound, size_t bound_size, char *error, size_t error_size) {
    const char *url = options->url;
    const struct scheme *scheme = scheme_of(url);
    if (scheme == NULL || options->max_frame == 0)
        return wire_error(NNG_EINVAL, scheme ? "no frame limit for" : "unknown kind of address", url,
                          error, error_size);
    struct tr_wire *wire = wire_new(options, scheme, bound == NULL);
    if (wire == NULL) return wire_error(NNG_ENOMEM, "opening", url, error, error_size);
    int code = open_without_signals(wire, url, bound, bound_size);
    if (code == 0) {
        *out = wire;
        return TROUPE_OK;
    }
    tr_wire_close(wire);
    return wire_error(code, bound == NULL ? "cannot dial" : "cannot listen on", url, error, error_size);
}

enum troupe_status tr_wire_listen(const struct tr_wire_options *options, struct tr_wire **wire,
                                  char *bound, size_t bound_size, char *error, size_t error_size) {
    tr_assert(bound != NULL);
    return wire_open(options, wire, bound, bound_size, error, error_size);
}

enum troupe_status tr_wire_dial(const struct tr_wire_options *options, struct tr_wire **wire,
                                char *error, size_t error_size) {
    return wire_open(options, wire, NULL, 0, error, error_size);
}

/* ---- Frames ---- */

enum troupe_status tr_wire_send(struct tr_wire *wire, const uint8_t *bytes, size_t size) {
    pthread_mutex_lock(&wire->lock);
    bool possible = wire->state < WIRE_LOST;
    if (possible) {
        tr_assert(!wire->sending);
        wire->sending = true;
    }
    pthread_mutex_unlock(&wire->lock);
    if (!possible) return TROUPE_UNREACHABLE;
    if (wire->scheme->kind->send(wire, bytes, size) == 0) return TROUPE_OK;
    pthread_mutex_lock(&wire->lock);
    wire->sending = false;
    pthread_mutex_unlock(&wire->lock);
    return TROUPE_NO_MEMORY;
}

void tr_wire_next(struct tr_wire *wire) {
    wire->scheme->kind->next(wire);
}

const uint8_t *tr_wire_frame_bytes(const struct tr_wire_frame *frame, size_t *size) {
    *size = frame->size;
    return frame->message != NULL ? nng_msg_body(frame->message) : frame->bytes;
}

void tr_wire_frame_free(struct tr_wire_frame *frame) {
    if (frame == NULL) return;
    nng_msg_free(frame->message);
    free(frame);
}

/* ---- Closing ---- */

/* Safe on one that is half open. */
void tr_wire_close(struct tr_wire *wire) {
    if (wire == NULL) return;
    pthread_mutex_lock(&wire->telling);
    wire->silent = true;
    pthread_mutex_unlock(&wire->telling);
    (void)wire_move(wire, WIRE_CLOSING);
    wire->scheme->kind->close(wire);
    if (wire->sending) wire_tell_sent(wire, false);
    pthread_mutex_destroy(&wire->telling);
    pthread_mutex_destroy(&wire->lock);
    free(wire);
}

void tr_wire_fini(void) {
    nng_fini();
}
