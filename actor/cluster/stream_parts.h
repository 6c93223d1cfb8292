/* The parts of a stream: for the stream_*.c files only. */
#ifndef TR_STREAM_PARTS_H
#define TR_STREAM_PARTS_H

#include <troupe/stream.h>

#include "cluster/address.h"
#include "core/alarm.h"
#include "core/run.h"
#include "core/watch.h"

enum tr_stream_state {
    TR_STREAM_CONNECTING, /* -> OPEN, OVER */
    TR_STREAM_OPEN,       /* -> FINISHING, OVER */
    TR_STREAM_FINISHING,  /* all is to be written, then it ends: -> LINGERING, OVER */
    TR_STREAM_LINGERING,  /* all is written, and the other side knows; what it still says is dropped: -> OVER */
    TR_STREAM_OVER,       /* its end is still to be told */
    TR_STREAM_STATES
};

struct tr_stream {
    struct tr_watched watched; /* first: a source is cast to its stream */
    struct tr_worker *owner;   /* in whose loop it is ... */
    uint64_t place;            /* ... and table; 0: in none */
    int fd;                    /* -1: closed, or given back */
    uint8_t state;             /* enum tr_stream_state */
    uint8_t end;               /* enum troupe_stream_end, once OVER */
    bool paused;
    bool hangs_up;             /* the kernel has told of the end of what comes: read until it is there */
    bool ended;                /* ... and it was read: the other side will send no more */
    bool followed;             /* it is finished because of that alone */
    bool corked;               /* within the handler of its data: what is written leaves behind it */
    bool wants_drained;        /* much waited, or a write returned FULL */
    int error;                 /* errno of its end; 0: none */
    uint8_t *out;              /* waits to be written: from out_begin to out_end */
    size_t out_begin, out_end, out_room;
    uint64_t received, sent;
    uint32_t write_limit;
    int64_t limits[4];         /* by enum tr_stream_clock; 0: none */
    int64_t since[4];          /* when each began */
    uint64_t alarm;            /* the next look at them; 0: none */
};

/* What time limits are for. */
enum tr_stream_clock { TR_STREAM_READ, TR_STREAM_WRITE, TR_STREAM_IDLE, TR_STREAM_CONNECT };

extern const struct tr_source_kind tr_stream_kind;

static inline struct tr_stream *tr_stream_of(struct tr_source *source) {
    return (struct tr_stream *)(void *)source;
}

static inline size_t tr_stream_waits(const struct tr_stream *stream) { return stream->out_end - stream->out_begin; }

void tr_stream_move(struct tr_stream *stream, enum tr_stream_state to);

/* Its worker has no time for it: into the loop of the one that has. */
void tr_stream_follow(struct tr_worker *worker, struct tr_stream *stream);

/* ---- stream_io.c: by the worker that runs the cell, all of these ---- */

/* Something has happened, or may have: looked at when the cell's mailbox comes to it. */
void tr_stream_again(struct tr_worker *worker, struct tr_stream *stream);
/* It is over; to be told in its own turn. */
void tr_stream_over(struct tr_worker *worker, struct tr_stream *stream, enum troupe_stream_end end, int error);
/* Behind what waits. False: no memory. */
bool tr_stream_append(struct tr_stream *stream, const uint8_t *bytes, size_t size);
/* As much as the kernel takes. */
void tr_stream_write_out(struct tr_worker *worker, struct tr_stream *stream);
void tr_stream_finish_now(struct tr_worker *worker, struct tr_stream *stream);
bool tr_stream_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source);

/* ---- stream_time.c ---- */

static inline bool tr_stream_is_timed(const struct tr_stream *stream) {
    return (stream->limits[0] | stream->limits[1] | stream->limits[2] | stream->limits[3]) != 0;
}

/* This begins anew. */
void tr_stream_touch(struct tr_worker *worker, struct tr_stream *stream, enum tr_stream_clock clock);
/* Sets the alarm, if a limit needs one. False: no memory. */
bool tr_stream_arm(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream);

#endif
