/*
 * Time limits of streams. Each activity only notes its time; one alarm at a time looks, when the first limit may be
 * over, whether it is, and else sets itself anew. So a busy stream costs a look now and then, not two changes of the
 * timer wheel for each message.
 */
#include "cluster/stream_parts.h"

struct look {
    struct tr_alarm alarm; /* first: an alarm is cast to its look */
    uint64_t stream;
};

void tr_stream_touch(struct tr_worker *worker, struct tr_stream *stream, enum tr_stream_clock clock) {
    if (!tr_stream_is_timed(stream)) return;
    stream->since[clock] = tr_node_clock(worker->node);
    if (clock == TR_STREAM_READ || clock == TR_STREAM_WRITE) stream->since[TR_STREAM_IDLE] = stream->since[clock];
}

/* Does this limit count now? */
static bool counts(const struct tr_stream *stream, enum tr_stream_clock clock) {
    if (stream->limits[clock] == 0) return false;
    if (stream->state == TR_STREAM_CONNECTING) return clock == TR_STREAM_CONNECT;
    if (stream->state == TR_STREAM_LINGERING) return true;
    if (clock == TR_STREAM_WRITE) return tr_stream_waits(stream) > 0;
    return clock != TR_STREAM_READ || (!stream->paused && !stream->ended);
}

/* When to look: a limit that does not count now may begin to at any time, and be over no earlier than this. */
static int64_t next_look(const struct tr_stream *stream, int64_t now) {
    int64_t next = INT64_MAX;
    for (int clock = 0; clock < 4; clock++) {
        if (stream->limits[clock] == 0) continue;
        int64_t begun = counts(stream, (enum tr_stream_clock)clock) ? stream->since[clock] : now;
        int64_t at = stream->limits[clock] > INT64_MAX - begun ? INT64_MAX : begun + stream->limits[clock];
        if (at < next) next = at;
    }
    return next;
}

static bool is_over(const struct tr_stream *stream, int64_t now) {
    for (int clock = 0; clock < 4; clock++)
        if (counts(stream, (enum tr_stream_clock)clock) && now - stream->since[clock] >= stream->limits[clock])
            return true;
    return false;
}

static void release(struct tr_pool *pool, struct tr_alarm *alarm) {
    tr_pool_give(pool, alarm, alarm->link.memory);
}

static void fire(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    const struct look *look = (const struct look *)(const void *)alarm;
    struct tr_source *source = tr_source_find(cell, look->stream, &tr_stream_kind);
    if (source == NULL) return;
    struct tr_stream *stream = tr_stream_of(source);
    stream->alarm = 0;
    if (stream->state == TR_STREAM_OVER) return;
    bool lingers = stream->state == TR_STREAM_LINGERING;
    if (is_over(stream, tr_node_clock(worker->node)))
        tr_stream_over(worker, stream, lingers ? TROUPE_STREAM_FINISHED : TROUPE_STREAM_TIMEOUT, 0);
    else if (!tr_stream_arm(worker, cell, stream)) tr_run_after(worker, cell, TROUPE_NO_MEMORY);
}

bool tr_stream_arm(struct tr_worker *worker, struct tr_cell *cell, struct tr_stream *stream) {
    uint8_t memory;
    if (!tr_stream_is_timed(stream)) return true;
    if (stream->alarm != 0) tr_alarm_cancel(worker, cell, stream->alarm);
    stream->alarm = 0;
    int64_t now = tr_node_clock(worker->node), next = next_look(stream, now);
    if (next == INT64_MAX) return true;
    struct look *look = tr_pool_take(&worker->pool, sizeof *look, &memory);
    if (look == NULL) return false;
    *look = (struct look){ .alarm = { .link.memory = memory, .fire = fire, .release = release },
                           .stream = stream->watched.source.id };
    stream->alarm = tr_alarm_set(worker, cell, &look->alarm, next > now ? next - now : 0, 0);
    if (stream->alarm == 0) release(&worker->pool, &look->alarm);
    return stream->alarm != 0;
}
