/*
 * Requests: children that somebody asks to be started, stopped, brought back, forgotten.
 *
 * Each is served at once, whatever the machine is at. What takes a child its time is answered when that is
 * done: a start by the child's next answer, a stop by its end. Only who is asked up joins the work at hand:
 * while the children are started at first, or a group is restarted, it is started in its turn.
 *
 * Whoever is asked down stays down: its end is not judged. If it made its group restart and was not ready
 * again yet, that restart is over: the others of the group stay down with it, as in OTP.
 *
 * The tables say what each request means in each state of the child.
 */
#include "services/supervision_parts.h"

#include <stdlib.h>

enum way_down {
    STOP,  /* and answer when it has ended */
    AWAIT, /* its end is on its way */
    ASIDE, /* it does not run, but would again */
    DONE,
};

static const enum way_down ways_down[] = {
    [TR_CHILD_DOWN] = ASIDE,     [TR_CHILD_STARTING] = STOP, [TR_CHILD_RUNNING] = STOP,
    [TR_CHILD_STOPPING] = AWAIT, [TR_CHILD_KILLING] = AWAIT, [TR_CHILD_ENDED] = ASIDE,
    [TR_CHILD_WAITING] = ASIDE,  [TR_CHILD_RESTING] = DONE,
};

/* OK: it rests, and can be started again. */
static const enum tr_answer can_restart[] = {
    [TR_CHILD_DOWN] = TR_ANSWER_RESTARTING,     [TR_CHILD_STARTING] = TR_ANSWER_RESTARTING,
    [TR_CHILD_RUNNING] = TR_ANSWER_RUNNING,     [TR_CHILD_STOPPING] = TR_ANSWER_RESTARTING,
    [TR_CHILD_KILLING] = TR_ANSWER_RESTARTING,  [TR_CHILD_ENDED] = TR_ANSWER_RESTARTING,
    [TR_CHILD_WAITING] = TR_ANSWER_RESTARTING,  [TR_CHILD_RESTING] = TR_ANSWER_OK,
};

static const enum tr_answer can_delete[] = {
    [TR_CHILD_DOWN] = TR_ANSWER_RESTARTING,     [TR_CHILD_STARTING] = TR_ANSWER_RESTARTING,
    [TR_CHILD_RUNNING] = TR_ANSWER_RUNNING,     [TR_CHILD_STOPPING] = TR_ANSWER_RUNNING,
    [TR_CHILD_KILLING] = TR_ANSWER_RUNNING,     [TR_CHILD_ENDED] = TR_ANSWER_RESTARTING,
    [TR_CHILD_WAITING] = TR_ANSWER_RESTARTING,  [TR_CHILD_RESTING] = TR_ANSWER_OK,
};

/* ---- Answers ---- */

void tr_answer_start(struct tr_supervision *s, struct tr_supervised *child, enum tr_answer answer) {
    uint64_t request = child->starter;
    child->starter = 0;
    if (request != 0) s->io.answer(s->context, request, answer, child->id);
}

/* In the order in which they had asked. */
void tr_answer_askers(struct tr_supervision *s, struct tr_supervised *child, enum tr_answer answer) {
    struct tr_asker *asker = child->askers;
    child->askers = NULL;
    for (struct tr_asker *next; asker != NULL; asker = next) {
        next = asker->next;
        s->io.answer(s->context, asker->request, answer, child->id);
        s->asker_count--;
        free(asker);
    }
}

static enum tr_answer add_asker(struct tr_supervision *s, struct tr_supervised *child, uint64_t request) {
    if (s->asker_count == TR_MAX_CHILDREN) return TR_ANSWER_LIMIT;
    struct tr_asker *asker = malloc(sizeof *asker);
    if (asker == NULL) return TR_ANSWER_NO_MEMORY;
    *asker = (struct tr_asker){ .request = request };
    *(child->askers == NULL ? &child->askers : &child->last_asker->next) = asker;
    child->last_asker = asker;
    s->asker_count++;
    return TR_ANSWER_OK;
}

/* NULL: there is nothing to be done for this request, and it was answered. */
static struct tr_supervised *admit(struct tr_supervision *s, tr_child_id id, uint64_t request, int64_t now) {
    if (now > s->now) s->now = now;
    struct tr_supervised *child = tr_child_find(s, id);
    if (child != NULL && !tr_is_ending(s)) return child;
    s->io.answer(s->context, request, tr_is_ending(s) ? TR_ANSWER_STOPPING : TR_ANSWER_NOT_FOUND, id);
    return NULL;
}

/* ---- Up ---- */

/* Its turn comes with the work at hand. */
static bool waits_for_its_turn(const struct tr_supervision *s, const struct tr_supervised *child) {
    switch (s->phase) {
    case TR_PHASE_OPENING:
    case TR_PHASE_RESTARTING: return child->order > s->cursor->order;
    case TR_PHASE_CLEARING:
    case TR_PHASE_BACKING: return tr_in_group(s, child);
    default: return s->phase == TR_PHASE_NEW;
    }
}

static void bring_up(struct tr_supervision *s, struct tr_supervised *child, uint64_t request) {
    child->starter = request;
    child->backoff = 0;
    child->flush = false;
    if (child->state == TR_CHILD_RESTING) tr_child_move(s, child, TR_CHILD_DOWN);
    if (!waits_for_its_turn(s, child)) tr_start_child_now(s, child);
    tr_advance(s);
}

void tr_supervision_launch(struct tr_supervision *s, tr_child_id id, uint64_t request, int64_t now) {
    struct tr_supervised *child = admit(s, id, request, now);
    if (child == NULL) return;
    tr_assert(child->state == TR_CHILD_DOWN && child->run == 0 && request != 0);
    child->fresh = true;
    bring_up(s, child, request);
}

void tr_supervision_restart(struct tr_supervision *s, tr_child_id id, uint64_t request, int64_t now) {
    struct tr_supervised *child = admit(s, id, request, now);
    if (child == NULL) return;
    bool dynamic = s->rules.strategy == TR_DYNAMIC;
    enum tr_answer answer = dynamic ? TR_ANSWER_INVALID : can_restart[child->state];
    if (answer != TR_ANSWER_OK) s->io.answer(s->context, request, answer, id);
    else bring_up(s, child, request);
}

/* ---- Down ---- */

static void stop(struct tr_supervision *s, struct tr_supervised *child) {
    bool in_turn = s->phase == TR_PHASE_CLEARING && tr_in_group(s, child);
    if (!in_turn) tr_stop_child_now(s, child);
}

static void await(struct tr_supervision *s, struct tr_supervised *child, uint64_t request) {
    enum tr_answer answer = add_asker(s, child, request);
    if (answer != TR_ANSWER_OK) {
        s->io.answer(s->context, request, answer, child->id);
        return;
    }
    child->asked_down = true;
    if (ways_down[child->state] == STOP) stop(s, child);
}

void tr_supervision_terminate(struct tr_supervision *s, tr_child_id id, uint64_t request, int64_t now) {
    struct tr_supervised *child = admit(s, id, request, now);
    if (child == NULL) return;
    enum way_down way = ways_down[child->state];
    child->downed = s->groups;
    if (way == STOP || way == AWAIT) {
        await(s, child, request);
    } else {
        s->io.answer(s->context, request, TR_ANSWER_OK, id);
        if (way == ASIDE) tr_put_aside(s, child);
    }
    tr_advance(s);
}

void tr_supervision_delete(struct tr_supervision *s, tr_child_id id, uint64_t request, int64_t now) {
    struct tr_supervised *child = admit(s, id, request, now);
    if (child == NULL) return;
    bool dynamic = s->rules.strategy == TR_DYNAMIC;
    enum tr_answer answer = dynamic ? TR_ANSWER_INVALID : can_delete[child->state];
    s->io.answer(s->context, request, answer, id);
    if (answer == TR_ANSWER_OK) tr_forget_for_good(s, child);
}
