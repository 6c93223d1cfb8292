/*
 * One connection over NNG: frames in, frames out. inproc and tcp differ by their URL alone. The other end may be a
 * wire, or an NNG pair0 socket in any language. (Between processes of one machine: socket.h.)
 */
#ifndef TR_WIRE_H
#define TR_WIRE_H

#include <troupe/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tr_wire;
struct tr_wire_frame; /* a received frame; owns its bytes */

/* Called on threads of the transport: never block, never call tr_wire_close; tr_wire_send, tr_wire_next
 * and the frame functions are allowed. `wire` may not yet have been returned by listen or dial when the
 * first one comes.
 *
 * up, frame and down never overlap. up is the first of them and comes at most once; down is the last,
 * comes at most once, and may come without up. sent is apart: it may overlap with the others and come
 * after down. Once tr_wire_close has begun only an outstanding sent still comes. */
struct tr_wire_events {
    void (*up)(void *context);   /* connected; says nothing about who is there */
    void (*frame)(void *context, struct tr_wire_frame *frame); /* takes it; the next comes after tr_wire_next */
    void (*sent)(void *context, bool ok); /* the last tr_wire_send is over; exactly one for each that was OK */
    void (*down)(void *context); /* the connection is gone for good; the wire never reconnects by itself */
};

struct tr_wire_options {
    const char *url;    /* inproc://NAME, tcp://HOST:PORT (listen: port 0 picks one) */
    size_t max_frame;   /* a larger one closes the connection unread; at least 1 */
    const struct tr_wire_events *events; /* copied */
    void *context;      /* valid until tr_wire_close returns */
};

/* Listen writes the URL to dial (the bound port filled in) to `bound`. Errors: SYSTEM with a text that
 * says what and why, INVALID, NO_MEMORY. The first call in a process starts NNG's threads with every
 * signal blocked.
 * A listener accepts one connection and stops listening. It turns away those that do not speak the
 * format, and goes on. A dialer tries once: where nobody listens, it is `down`. */
enum troupe_status tr_wire_listen(const struct tr_wire_options *options, struct tr_wire **wire,
                                  char *bound, size_t bound_size, char *error, size_t error_size);
enum troupe_status tr_wire_dial(const struct tr_wire_options *options, struct tr_wire **wire,
                                char *error, size_t error_size);

/* Copies the bytes; one send at a time, until `sent`, which says that the transport took the frame, not
 * that it arrived. Before `up` the frame waits for the connection. Any thread. OK; UNREACHABLE (down or
 * closing) and NO_MEMORY: no `sent` follows. */
enum troupe_status tr_wire_send(struct tr_wire *wire, const uint8_t *bytes, size_t size);
/* Ready for the next frame: once for each frame. Any thread. */
void tr_wire_next(struct tr_wire *wire);
/* Closes, waits until no callback runs, frees. Frames that have not arrived may be lost. While a frame is
 * unread nobody reads, so the end of the connection may not be noticed until tr_wire_next. Not from a callback, and not while another thread of the caller's
 * is in tr_wire_send or tr_wire_next. NULL is nothing. */
void tr_wire_close(struct tr_wire *wire);

/* Frames outlive their wire, but not tr_wire_fini. */
const uint8_t *tr_wire_frame_bytes(const struct tr_wire_frame *frame, size_t *size);
void tr_wire_frame_free(struct tr_wire_frame *frame);

/* Ends NNG in this process: every wire must be closed, every frame freed. For the end of a process, so
 * that leak checkers see nothing. */
void tr_wire_fini(void);

#endif
