/*
 * What becomes of a child that has ended: it is forgotten, rests, or is restarted; and what that means for the
 * supervisor: more restarts than allowed, or significant children that are done, end it.
 */
#include "services/supervision_parts.h"

/* ---- Causes ---- */

void tr_cause_join(struct tr_supervised *child, struct tr_supervised *other) {
    child->cause_right = other->cause_right;
    child->cause_left = other;
    other->cause_right->cause_left = child;
    other->cause_right = child;
}

/* One cause is counted once: the others that ended of it are excused. */
static bool count_cause(struct tr_supervision *s, struct tr_supervised *child) {
    if (child->counted) return true;
    for (struct tr_supervised *other = child->cause_right; other != child; other = other->cause_right) {
        other->counted = true;
        s->steps++;
    }
    return tr_count_restart(s);
}

/* ---- Resting and forgetting ---- */

/* No sibling can bring it back: all that could cause it are done, too. */
static bool is_out_of_reach(const struct tr_supervision *s, const struct tr_supervised *child) {
    const struct tr_supervised *cause = tr_heap_first(s, TR_HEAP_CAUSES);
    if (cause == NULL) return true;
    return s->rules.strategy == TR_REST_FOR_ONE && child->order < cause->order;
}

void tr_tell_resting(struct tr_supervision *s) {
    for (struct tr_supervised *child; (child = tr_heap_first(s, TR_HEAP_KEPT)) != NULL;) {
        if (!is_out_of_reach(s, child)) return;
        tr_heap_set(s, TR_HEAP_KEPT, child, false);
        s->io.rest(s->context, child->id);
    }
}

void tr_forget_for_good(struct tr_supervision *s, struct tr_supervised *child) {
    s->io.forget(s->context, child->id);
    tr_child_drop(s, child);
}

static bool is_kept(const struct tr_supervision *s, const struct tr_supervised *child) {
    return child->rules.restart != TR_TEMPORARY && s->rules.strategy != TR_DYNAMIC && !child->fresh;
}

void tr_put_aside(struct tr_supervision *s, struct tr_supervised *child) {
    bool origin = child == s->origin;
    if (origin) s->origin = NULL;
    tr_answer_start(s, child, TR_ANSWER_FAILED);
    tr_answer_askers(s, child, TR_ANSWER_OK);
    if (is_kept(s, child)) tr_child_move(s, child, TR_CHILD_RESTING);
    else tr_forget_for_good(s, child);
    if (origin) tr_give_up_group(s);
    tr_tell_resting(s);
}

/* ---- Judging ---- */

static bool wants_restart(const struct tr_supervised *child) {
    if (child->rules.restart == TR_TEMPORARY) return false;
    return child->failed_start || child->rules.restart == TR_PERMANENT || child->why == TR_EXIT_FAILED;
}

static void restart(struct tr_supervision *s, struct tr_supervised *child) {
    if (!count_cause(s, child)) {
        tr_end_all(s, TR_OVER_GAVE_UP);
        return;
    }
    int64_t delay = tr_next_backoff(s, child);
    if (tr_has_groups(s)) {
        tr_restart_group(s, child, delay);
    } else if (delay > 0) {
        tr_child_move(s, child, TR_CHILD_WAITING);
        tr_set_due(s, child, delay);
    } else {
        tr_child_move(s, child, TR_CHILD_DOWN);
        tr_start_child_now(s, child);
    }
}

/* A significant child has ended by itself, for good. */
static bool is_finished(const struct tr_supervision *s) {
    return s->rules.auto_shutdown == TR_ANY_SIGNIFICANT ||
           (s->rules.auto_shutdown == TR_ALL_SIGNIFICANT && s->significant == 0);
}

bool tr_judge_next(struct tr_supervision *s) {
    struct tr_supervised *child = tr_heap_first(s, TR_HEAP_ENDED);
    if (child == NULL) return false;
    bool significant = child->rules.significant;
    if (wants_restart(child)) {
        restart(s, child);
    } else {
        tr_put_aside(s, child);
        if (significant && is_finished(s)) tr_end_all(s, TR_OVER_FINISHED);
    }
    return true;
}
