/*
 * Work on several children, one after another: starting them from left to right, stopping them from right to
 * left. `cursor` is how far it has come; it waits at a child that was asked and has not answered.
 */
#include "services/supervision_parts.h"

#define TO(phase) (1u << (TR_PHASE_##phase))

static const unsigned phases[] = {
    [TR_PHASE_NEW] = TO(OPENING) | TO(ENDING),
    [TR_PHASE_OPENING] = TO(SUPERVISING) | TO(ENDING),
    [TR_PHASE_SUPERVISING] = TO(CLEARING) | TO(ENDING),
    [TR_PHASE_CLEARING] = TO(BACKING) | TO(RESTARTING) | TO(ENDING),
    [TR_PHASE_BACKING] = TO(RESTARTING) | TO(CLEARING) | TO(ENDING),
    [TR_PHASE_RESTARTING] = TO(SUPERVISING) | TO(ENDING),
    [TR_PHASE_ENDING] = TO(OVER),
    [TR_PHASE_OVER] = 0,
};

void tr_turn(struct tr_supervision *s, enum tr_phase to) {
    tr_assert((phases[s->phase] & (1u << to)) != 0);
    s->phase = to;
}

/* ---- One child ---- */

void tr_start_child_now(struct tr_supervision *s, struct tr_supervised *child) {
    bool flush = child->flush;
    child->flush = child->late = child->asked_down = false;
    tr_child_move(s, child, TR_CHILD_STARTING);
    tr_set_due(s, child, child->rules.ready);
    s->io.start(s->context, child->id, ++child->run, flush);
}

void tr_kill_child_now(struct tr_supervision *s, struct tr_supervised *child) {
    tr_child_move(s, child, TR_CHILD_KILLING);
    s->io.stop(s->context, child->id, child->run, true);
}

void tr_stop_child_now(struct tr_supervision *s, struct tr_supervised *child) {
    if (child->rules.shutdown == TR_KILL) {
        tr_kill_child_now(s, child);
        return;
    }
    tr_child_move(s, child, TR_CHILD_STOPPING);
    tr_set_due(s, child, child->rules.shutdown);
    s->io.stop(s->context, child->id, child->run, false);
}

static bool is_up(const struct tr_supervised *child) {
    return child->state == TR_CHILD_STARTING || child->state == TR_CHILD_RUNNING;
}

/* ---- Starting ---- */

static bool start_next(struct tr_supervision *s) {
    for (; s->cursor != NULL; s->cursor = s->cursor->right) {
        enum tr_child_state state = s->cursor->state;
        s->steps++;
        if (state == TR_CHILD_DOWN) tr_start_child_now(s, s->cursor);
        if (tr_child_lives(s->cursor) && state != TR_CHILD_RUNNING) return false;
    }
    bool first = s->phase == TR_PHASE_OPENING;
    tr_turn(s, TR_PHASE_SUPERVISING);
    s->origin = NULL;
    if (first) s->io.started(s->context);
    return true;
}

/* ---- Stopping ---- */

/* What is down in a group will be started again with it: temporary children not, nor whom somebody has asked
 * down since the group is being restarted. What is started because it was asked for keeps its mailbox. */
static void settle(struct tr_supervision *s, struct tr_supervised *child) {
    child->flush = child != s->origin && child->run > 0 && child->starter == 0;
    if (child->state == TR_CHILD_ENDED && child->rules.restart == TR_TEMPORARY) tr_put_aside(s, child);
    else if (child->state == TR_CHILD_RESTING && child->downed == s->groups) return;
    else if (child->state != TR_CHILD_DOWN) tr_child_move(s, child, TR_CHILD_DOWN);
}

/* True: all of the group are down. */
static bool stop_next(struct tr_supervision *s) {
    while (s->cursor != NULL && tr_in_group(s, s->cursor)) {
        struct tr_supervised *child = s->cursor;
        s->steps++;
        if (is_up(child)) tr_stop_child_now(s, child);
        if (tr_child_lives(child)) return false;
        s->cursor = child->left;
        if (s->phase == TR_PHASE_CLEARING) settle(s, child);
    }
    return true;
}

/* Dynamic children have no order. */
static bool stop_at_once(struct tr_supervision *s) {
    struct tr_supervised *child = s->all_asked ? NULL : s->leftmost;
    s->all_asked = true;
    for (; child != NULL; child = child->right) {
        s->steps++;
        if (is_up(child)) tr_stop_child_now(s, child);
    }
    return s->living == 0;
}

/* ---- A group: clear it, wait for its backoff, start it ---- */

void tr_restart_group(struct tr_supervision *s, struct tr_supervised *origin, int64_t delay) {
    tr_turn(s, TR_PHASE_CLEARING);
    s->groups++;
    s->origin = origin;
    s->delay = delay;
    s->first = s->rules.strategy == TR_ONE_FOR_ALL ? 0 : origin->order;
    s->cursor = s->rightmost;
}

void tr_start_group(struct tr_supervision *s) {
    tr_turn(s, TR_PHASE_RESTARTING);
    s->cursor = s->cursor == NULL ? s->leftmost : s->cursor->right;
}

static bool clear_next(struct tr_supervision *s) {
    if (!stop_next(s)) return false;
    if (s->origin == NULL || s->delay == 0) {
        tr_start_group(s);
        return true;
    }
    tr_turn(s, TR_PHASE_BACKING);
    tr_child_move(s, s->origin, TR_CHILD_WAITING);
    tr_set_due(s, s->origin, s->delay);
    return true;
}

void tr_give_up_group(struct tr_supervision *s) {
    if (s->phase != TR_PHASE_BACKING && s->phase != TR_PHASE_RESTARTING) return;
    for (struct tr_supervised *child = s->rightmost; child != NULL && tr_in_group(s, child);
         child = child->left) {
        s->steps++;
        if (child->state == TR_CHILD_DOWN && child->starter == 0) tr_child_move(s, child, TR_CHILD_RESTING);
    }
    if (s->phase == TR_PHASE_BACKING) tr_start_group(s); /* whom somebody has asked up meanwhile */
}

/* ---- The end ---- */

void tr_end_all(struct tr_supervision *s, enum tr_over over) {
    tr_turn(s, TR_PHASE_ENDING);
    s->over = over;
    s->first = 0;
    s->origin = NULL;
    s->cursor = s->rightmost;
    for (struct tr_supervised *child = s->leftmost; child != NULL; child = child->right) {
        tr_answer_start(s, child, TR_ANSWER_STOPPING);
        tr_answer_askers(s, child, TR_ANSWER_STOPPING);
        if (child->state == TR_CHILD_WAITING) tr_child_move(s, child, TR_CHILD_DOWN);
    }
}

static bool end_next(struct tr_supervision *s) {
    if (!(s->rules.strategy == TR_DYNAMIC ? stop_at_once(s) : stop_next(s))) return false;
    tr_turn(s, TR_PHASE_OVER);
    tr_set_timer(s);
    s->io.stopped(s->context, s->over);
    return false;
}

static bool step(struct tr_supervision *s) {
    s->steps++;
    switch (s->phase) {
    case TR_PHASE_OPENING:
    case TR_PHASE_RESTARTING: return start_next(s);
    case TR_PHASE_SUPERVISING:
    case TR_PHASE_BACKING: return tr_judge_next(s);
    case TR_PHASE_CLEARING: return clear_next(s);
    case TR_PHASE_ENDING: return end_next(s);
    case TR_PHASE_NEW:
    case TR_PHASE_OVER: break;
    }
    return false;
}

void tr_advance(struct tr_supervision *s) {
    while (step(s)) {
    }
    if (s->phase != TR_PHASE_OVER) tr_set_timer(s);
}
