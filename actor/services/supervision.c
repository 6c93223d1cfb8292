/*
 * The supervisor machine.
 *
 * Happy path. Children are started from left to right, the next when the one before has answered; then
 * the machine supervises. A run that ends is judged: the child is forgotten (temporary), rests (transient,
 * its work done) or is restarted. one_for_one and dynamic start that child alone, whatever the others do. The
 * other strategies work on a group, all children or those from the failed one on: clear it from right to
 * left, start it from left to right.
 *
 * Judging waits. While children are being started at first, or a group is restarted, a run that ends by
 * itself is only noted; when the work at hand is done, the noted ones are judged from the left. A child
 * that a group restart brings down anyway is not judged any more: three children that died at once are one
 * restart of one_for_all, and three of one_for_one. So does OTP, whose supervisor does not read its
 * mailbox meanwhile. But children that die with their node have one cause, and are one restart in any
 * strategy: the first of them that is restarted is counted, for all.
 *
 * Failures. A child that fails to start at first ends everything. A failed start during a restart is
 * another restart, counted like the first, of the child that failed. One more restart than allowed within
 * the period ends everything. A child that is not ready in time is killed, and has failed to start. A child
 * that does not stop within its deadline is killed; for the kill there is no deadline.
 *
 * Backoff. A restart is counted when the end is judged, and made when the child's backoff is over; meanwhile
 * it WAITs. A group is cleared at once, and waits for the child that made it restart. What ends on its left
 * meanwhile is judged, and may make a larger group of it.
 *
 * Rest. A child rests that is done (transient), had nothing to do (ignored), or was asked down. It comes back
 * when a group it belongs to is restarted, as in OTP, or when it is asked for. `rest` says that only the
 * latter is left, because every sibling that could cause the former is done, too. Temporary and dynamic
 * children never rest: they are forgotten.
 *
 * Requests are served in every phase but the last: supervision_request.c. A child that was launched and does
 * not become ready is no restart, and is forgotten.
 *
 * The end. All are stopped from right to left; dynamic children all at once, each with its own deadline. It
 * comes when it is asked for, when the machine gives up, or (auto_shutdown) when a significant child, or the
 * last of them, has ended by itself and is not restarted.
 *
 * The machine moves by steps: every event changes the state of a child, then steps are taken until one
 * has to wait. An event costs O(log n) and what it does to children, however many there are: who is due, who
 * has ended, who may cause a restart are heaps (supervision_heap.c), kept by the one function that changes
 * states (supervision_children.c).
 *
 * One thread: its caller's. Events allocate nothing, but for the ring of restarts when it grows, and for who
 * waits for a child's end; adding a child does.
 */
#include "services/supervision_parts.h"

#include <stdlib.h>

/* ---- Events ---- */

static void set_now(struct tr_supervision *s, int64_t now) {
    if (now > s->now) s->now = now;
}

void tr_supervision_start(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (s->phase != TR_PHASE_NEW) return;
    tr_turn(s, TR_PHASE_OPENING);
    s->cursor = s->leftmost;
    tr_advance(s);
}

/* NULL: the event is of an earlier run, or of nobody. */
static struct tr_supervised *running(struct tr_supervision *s, tr_child_id id, uint64_t run) {
    struct tr_supervised *child = tr_child_find(s, id);
    return child != NULL && tr_child_lives(child) && child->run == run ? child : NULL;
}

void tr_supervision_started(struct tr_supervision *s, tr_child_id id, uint64_t run, int64_t now) {
    struct tr_supervised *child = running(s, id, run);
    set_now(s, now);
    if (child == NULL || child->state != TR_CHILD_STARTING) return; /* it is being stopped already */
    tr_child_move(s, child, TR_CHILD_RUNNING);
    child->fresh = false;
    if (s->origin == child) s->origin = NULL;
    tr_answer_start(s, child, TR_ANSWER_OK);
    tr_advance(s);
}

/* A first start that fails ends everything; one of a group is to be judged like any end. */
static void note_failed_start(struct tr_supervision *s) {
    if (s->phase == TR_PHASE_OPENING) tr_end_all(s, TR_OVER_GAVE_UP);
    if (s->phase != TR_PHASE_RESTARTING) return;
    s->origin = NULL;
    tr_turn(s, TR_PHASE_SUPERVISING);
}

static bool lasted(const struct tr_supervision *s, const struct tr_supervised *child) {
    return child->state == TR_CHILD_RUNNING && s->now - child->since >= s->rules.backoff.reset;
}

static void note_end(struct tr_supervision *s, struct tr_supervised *child, enum tr_exit why) {
    bool failed_start = child->state == TR_CHILD_STARTING || child->late;
    if (lasted(s, child)) child->backoff = 0;
    tr_child_move(s, child, TR_CHILD_ENDED);
    child->why = why;
    child->failed_start = failed_start;
    child->counted = false;
    if (tr_is_ending(s)) return;
    if (child->asked_down || (failed_start && child->starter != 0)) tr_put_aside(s, child);
    else if (failed_start) note_failed_start(s);
}

void tr_supervision_exited(struct tr_supervision *s, tr_child_id id, uint64_t run, enum tr_exit why,
                           int64_t now) {
    struct tr_supervised *child = running(s, id, run);
    set_now(s, now);
    if (child == NULL) return;
    note_end(s, child, why);
    tr_advance(s);
}

void tr_supervision_ignored(struct tr_supervision *s, tr_child_id id, uint64_t run, int64_t now) {
    struct tr_supervised *child = running(s, id, run);
    set_now(s, now);
    if (child == NULL) return;
    if (child->state == TR_CHILD_STARTING && !tr_is_ending(s)) {
        child->fresh = false;
        if (s->origin == child) s->origin = NULL;
        tr_answer_start(s, child, TR_ANSWER_IGNORED);
        tr_child_move(s, child, TR_CHILD_ENDED);
        tr_put_aside(s, child);
    } else {
        note_end(s, child, TR_EXIT_NORMAL);
    }
    tr_advance(s);
}

/* Only those that still wait to be judged can share a cause. */
void tr_supervision_lost(struct tr_supervision *s, const tr_child_id *ids, uint32_t count, int64_t now) {
    struct tr_supervised *last = NULL;
    set_now(s, now);
    for (uint32_t i = 0; i < count; i++) {
        struct tr_supervised *child = tr_child_find(s, ids[i]);
        if (child == NULL || !tr_child_lives(child)) continue;
        note_end(s, child, TR_EXIT_FAILED);
        if (child->state != TR_CHILD_ENDED) continue;
        if (last != NULL) tr_cause_join(child, last);
        last = child;
    }
    tr_advance(s);
}

static void is_due(struct tr_supervision *s, struct tr_supervised *child) {
    if (child->state == TR_CHILD_WAITING) {
        tr_child_move(s, child, TR_CHILD_DOWN);
        if (tr_has_groups(s)) tr_start_group(s);
        else tr_start_child_now(s, child);
    } else {
        child->late = child->state == TR_CHILD_STARTING;
        tr_kill_child_now(s, child);
    }
}

/* The clock that fired may be ahead of the one that is read: then the timer is set again. */
void tr_supervision_tick(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (s->phase == TR_PHASE_OVER) return;
    s->timer = INT64_MAX;
    for (struct tr_supervised *child; (child = tr_heap_first(s, TR_HEAP_DUE)) != NULL && child->due <= s->now;)
        is_due(s, child);
    tr_advance(s);
}

void tr_supervision_stop(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (tr_is_ending(s)) return;
    tr_end_all(s, TR_OVER_ASKED);
    tr_advance(s);
}

/* ---- New and free ---- */

struct tr_supervision *tr_supervision_new(const struct tr_supervision_rules *rules,
                                          const struct tr_supervision_io *io, void *context) {
    struct tr_supervision *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    tr_assert(rules->within >= 0 && rules->max_children <= TR_MAX_CHILDREN);
    tr_assert(rules->backoff.initial == 0 || (rules->backoff.factor >= 100 && rules->backoff.maximum > 0));
    tr_assert(rules->backoff.initial >= 0 && rules->backoff.jitter <= 100);
    tr_assert(rules->backoff.maximum <= INT64_MAX / 2);
    *s = (struct tr_supervision){ .io = *io, .context = context, .rules = *rules, .timer = INT64_MAX };
    if (rules->max_children == 0) s->rules.max_children = TR_MAX_CHILDREN;
    tr_random_seed(&s->random, rules->seed);
    return s;
}

void tr_supervision_free(struct tr_supervision *s) {
    if (s == NULL) return;
    tr_children_free(s);
    free(s->times);
    free(s);
}
