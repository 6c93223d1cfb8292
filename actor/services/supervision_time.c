/*
 * What a supervisor knows of time: deadlines of its children, how many restarts there were lately, how long
 * the next one waits. There is one timer, for the earliest deadline; it is set once at the end of an event.
 */
#include "services/supervision_parts.h"

#include <stdlib.h>

/* ---- Deadlines ---- */

static int64_t later(int64_t now, int64_t by) {
    return by > INT64_MAX - now ? INT64_MAX : now + by;
}

/* One that is never is none. Changing its state ends it. */
void tr_set_due(struct tr_supervision *s, struct tr_supervised *child, int64_t in) {
    tr_heap_set(s, TR_HEAP_DUE, child, false);
    child->due = later(s->now, in);
    tr_heap_set(s, TR_HEAP_DUE, child, child->due != INT64_MAX);
}

void tr_set_timer(struct tr_supervision *s) {
    const struct tr_supervised *child = tr_heap_first(s, TR_HEAP_DUE);
    int64_t at = child == NULL ? INT64_MAX : child->due;
    if (s->timer == at) return;
    s->timer = at;
    s->io.timer(s->context, at);
}

/* ---- Intensity: a ring of the times of those restarts that lie within the period ---- */

static void drop_old_times(struct tr_supervision *s) {
    while (s->time_count > 0 && s->now - s->times[s->time_first] > s->rules.within) {
        s->time_first = (s->time_first + 1) % s->time_space;
        s->time_count--;
    }
}

static void copy_times(const struct tr_supervision *s, int64_t *times) {
    for (uint32_t i = 0; i < s->time_count; i++) times[i] = s->times[(s->time_first + i) % s->time_space];
}

static bool have_room_for_time(struct tr_supervision *s) {
    if (s->time_count < s->time_space) return true;
    uint32_t space = s->time_space == 0 ? 4 : s->time_space * 2;
    int64_t *times = malloc(space * sizeof *times);
    if (times == NULL) return false;
    copy_times(s, times);
    free(s->times);
    s->times = times;
    s->time_first = 0;
    s->time_space = space;
    return true;
}

/* Without memory to count with, it is one too many: better to end than to restart without end. */
bool tr_count_restart(struct tr_supervision *s) {
    drop_old_times(s);
    if (s->time_count >= s->rules.restarts || !have_room_for_time(s)) return false;
    s->times[(s->time_first + s->time_count++) % s->time_space] = s->now;
    return true;
}

/* ---- Backoff ---- */

/* The wait before this restart, if it was `last` before the one before it; 0: this is the first in a row. */
static int64_t grown(const struct tr_backoff_rules *rules, int64_t last) {
    if (last == 0) return rules->initial < rules->maximum ? rules->initial : rules->maximum;
    if (last >= rules->maximum / rules->factor * 100 + 100) return rules->maximum; /* before it overflows */
    int64_t next = last / 100 * rules->factor + last % 100 * rules->factor / 100;
    return next < rules->maximum ? next : rules->maximum;
}

static int64_t jittered(struct tr_supervision *s, int64_t wait) {
    int64_t most = wait / 100 * s->rules.backoff.jitter + wait % 100 * s->rules.backoff.jitter / 100;
    return wait - most + (int64_t)tr_random_below(&s->random, 2 * (uint64_t)most + 1);
}

int64_t tr_next_backoff(struct tr_supervision *s, struct tr_supervised *child) {
    if (s->rules.backoff.initial == 0) return 0;
    child->backoff = grown(&s->rules.backoff, child->backoff);
    return jittered(s, child->backoff);
}
