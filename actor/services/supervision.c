/*
 * The supervisor machine.
 *
 * Happy path. Children are started from left to right, the next when the one before has answered; then
 * the machine supervises. A run that ends is judged: the child is forgotten (temporary), rests (transient,
 * its work done) or is restarted. one_for_one starts that child alone, whatever the others do. The other
 * strategies work on a group, all children or those from the failed one on: clear it from right to left,
 * start it from left to right.
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
 * the period ends everything. A child that does not stop within its deadline is killed; for the kill there
 * is no deadline.
 *
 * Rest. A transient child that is done comes back when a group it belongs to is restarted, as in OTP. It is
 * forgotten when that cannot happen any more, because every child that could cause it is done, too.
 *
 * The machine moves by steps: every event changes the state of a child, then steps are taken until one
 * has to wait. `cursor` is how far the work at hand has come: with stopping, everything from it on is down.
 *
 * One thread: its caller's. Nothing is allocated after tr_supervision_new.
 */
#include "services/supervision.h"

#include <stdlib.h>

#include "base/assert.h"

enum state {
    DOWN,     /* waits for its start */
    STARTING, /* asked to; not answered */
    RUNNING,
    STOPPING, /* asked to; not answered */
    KILLING,
    ENDED,    /* not judged yet */
    RESTING,  /* its work is done; may come back with its siblings */
    GONE,     /* forgotten */
};

#define TO(state) (1u << (state))

static const unsigned moves[] = {
    [DOWN] = TO(STARTING),
    [STARTING] = TO(RUNNING) | TO(STOPPING) | TO(KILLING) | TO(ENDED),
    [RUNNING] = TO(STOPPING) | TO(KILLING) | TO(ENDED),
    [STOPPING] = TO(KILLING) | TO(ENDED),
    [KILLING] = TO(ENDED),
    [ENDED] = TO(DOWN) | TO(RESTING) | TO(GONE),
    [RESTING] = TO(DOWN) | TO(GONE),
    [GONE] = 0,
};

enum phase {
    NEW,
    OPENING,     /* the first start, from left to right */
    SUPERVISING, /* judging, or nothing to do */
    CLEARING,    /* stopping a group, from right to left */
    RESTARTING,  /* starting a group, from left to right */
    ENDING,      /* stopping all, for good */
    OVER,
};

static const unsigned phases[] = {
    [NEW] = TO(OPENING) | TO(ENDING),
    [OPENING] = TO(SUPERVISING) | TO(ENDING),
    [SUPERVISING] = TO(CLEARING) | TO(ENDING),
    [CLEARING] = TO(RESTARTING) | TO(ENDING),
    [RESTARTING] = TO(SUPERVISING) | TO(ENDING),
    [ENDING] = TO(OVER),
    [OVER] = 0,
};

struct child {
    struct tr_child_rules rules;
    enum state state;
    uint64_t run;      /* starts so far */
    enum tr_exit why;  /* ENDED */
    bool failed_start; /* ENDED before it was started */
    uint64_t cause;    /* ENDED: shared by those that ended for one reason; 0: it was counted */
};

struct tr_supervision {
    struct tr_supervision_io io;
    void *context;
    struct tr_supervision_rules rules; /* `children` is NULL: see below */
    struct child *children;
    int64_t *times;       /* of the last restarts, a ring of rules.restarts */
    uint64_t time_count;  /* restarts so far */
    enum phase phase;
    uint32_t first;       /* the group: from this child on */
    uint32_t origin;      /* whose end made the group restart */
    uint32_t cursor;
    uint32_t ended;       /* children in ENDED */
    uint64_t causes;      /* given out so far */
    bool gave_up;
    int64_t now;
    int64_t deadline;     /* of the child that is stopping; INT64_MAX: none */
};

static void move(struct tr_supervision *s, struct child *child, enum state to) {
    tr_assert((moves[child->state] & TO(to)) != 0);
    if (child->state == ENDED) s->ended--;
    if (to == ENDED) s->ended++;
    child->state = to;
}

static void turn(struct tr_supervision *s, enum phase to) {
    tr_assert((phases[s->phase] & TO(to)) != 0);
    s->phase = to;
}

/* ---- Actions ---- */

static void set_deadline(struct tr_supervision *s, int64_t at) {
    if (s->deadline == at) return;
    s->deadline = at;
    s->io.timer(s->context, at);
}

static void start(struct tr_supervision *s, uint32_t index, bool flush) {
    struct child *child = &s->children[index];
    move(s, child, STARTING);
    s->io.start(s->context, index, ++child->run, flush);
}

static int64_t later(int64_t now, int64_t by) {
    return by > INT64_MAX - now ? INT64_MAX : now + by;
}

static void stop(struct tr_supervision *s, uint32_t index) {
    struct child *child = &s->children[index];
    bool kill = child->rules.shutdown == TR_KILL;
    tr_assert(s->deadline == INT64_MAX);
    move(s, child, kill ? KILLING : STOPPING);
    s->io.stop(s->context, index, child->run, kill);
    if (!kill) set_deadline(s, later(s->now, child->rules.shutdown));
}

static void forget(struct tr_supervision *s, uint32_t index) {
    move(s, &s->children[index], GONE);
    s->io.forget(s->context, index);
}

/* ---- Intensity ---- */

/* Counts a restart now. False: it is one more than allowed, so many earlier ones lie within the period. */
static bool count_restart(struct tr_supervision *s) {
    uint32_t allowed = s->rules.restarts;
    if (allowed == 0) return false;
    int64_t *oldest = &s->times[s->time_count % allowed];
    if (s->time_count >= allowed && s->now - *oldest <= s->rules.within) return false;
    *oldest = s->now;
    s->time_count++;
    return true;
}

/* One cause is counted once: the others that ended of it are excused. */
static bool count_cause(struct tr_supervision *s, uint64_t cause) {
    if (cause == 0) return true;
    for (uint32_t i = 0; i < s->rules.child_count; i++)
        if (s->children[i].cause == cause) s->children[i].cause = 0;
    return count_restart(s);
}

/* ---- Judging ---- */

static void end_all(struct tr_supervision *s, bool gave_up) {
    turn(s, ENDING);
    s->gave_up = gave_up;
    s->first = 0;
    s->cursor = s->rules.child_count;
}

static void restart(struct tr_supervision *s, uint32_t index) {
    if (!count_cause(s, s->children[index].cause)) {
        end_all(s, true);
    } else if (s->rules.strategy == TR_ONE_FOR_ONE) {
        move(s, &s->children[index], DOWN);
        start(s, index, false);
    } else {
        turn(s, CLEARING);
        s->origin = index;
        s->first = s->rules.strategy == TR_ONE_FOR_ALL ? 0 : index;
        s->cursor = s->rules.child_count;
    }
}

/* May the end of this child make its group restart, now or later? */
static bool is_cause(const struct child *child) {
    return child->state != RESTING && child->state != GONE && child->rules.restart != TR_TEMPORARY;
}

/* Forgets the children that rest and that no sibling can bring back any more. */
static void forget_the_done(struct tr_supervision *s) {
    uint32_t count = s->rules.child_count, cause = 0;
    while (cause < count && !is_cause(&s->children[cause])) cause++;
    uint32_t until = cause;
    if (s->rules.strategy == TR_ONE_FOR_ONE) until = count;
    if (s->rules.strategy == TR_ONE_FOR_ALL && cause < count) until = 0;
    for (uint32_t i = 0; i < until; i++)
        if (s->children[i].state == RESTING) forget(s, i);
}

static bool wants_restart(const struct child *child) {
    return child->failed_start || child->rules.restart == TR_PERMANENT || child->why == TR_EXIT_FAILED;
}

static void judge(struct tr_supervision *s, uint32_t index) {
    struct child *child = &s->children[index];
    if (child->rules.restart == TR_TEMPORARY) {
        forget(s, index);
    } else if (wants_restart(child)) {
        restart(s, index);
    } else {
        move(s, child, RESTING);
        forget_the_done(s);
    }
}

/* ---- Steps: each returns false when it has to wait ---- */

/* From the left. */
static bool judge_next(struct tr_supervision *s) {
    if (s->ended == 0) return false;
    uint32_t index = 0;
    while (s->children[index].state != ENDED) index++;
    judge(s, index);
    return true;
}

static bool start_next(struct tr_supervision *s) {
    for (; s->cursor < s->rules.child_count; s->cursor++) {
        enum state state = s->children[s->cursor].state;
        if (state == STARTING) return false;
        if (state != DOWN) continue;
        start(s, s->cursor, s->phase == RESTARTING && s->cursor != s->origin);
        return false;
    }
    bool first = s->phase == OPENING;
    turn(s, SUPERVISING);
    if (first) s->io.started(s->context);
    return true;
}

/* A child that has ended will be started again with its group. */
static void settle(struct tr_supervision *s, uint32_t index) {
    struct child *child = &s->children[index];
    if (child->state != ENDED && child->state != RESTING) return;
    if (s->phase == CLEARING && child->rules.restart == TR_TEMPORARY) forget(s, index);
    else move(s, child, DOWN);
}

/* True: all of the group are down. */
static bool stop_next(struct tr_supervision *s) {
    for (; s->cursor > s->first; s->cursor--) {
        enum state state = s->children[s->cursor - 1].state;
        if (state == STOPPING || state == KILLING) return false;
        if (state == STARTING || state == RUNNING) {
            stop(s, s->cursor - 1);
            return false;
        }
        settle(s, s->cursor - 1);
    }
    return true;
}

static bool clear_next(struct tr_supervision *s) {
    if (!stop_next(s)) return false;
    turn(s, RESTARTING);
    s->cursor = s->first;
    return true;
}

static bool end_next(struct tr_supervision *s) {
    if (!stop_next(s)) return false;
    turn(s, OVER);
    s->io.stopped(s->context, s->gave_up);
    return false;
}

static bool step(struct tr_supervision *s) {
    switch (s->phase) {
    case OPENING:
    case RESTARTING: return start_next(s);
    case SUPERVISING: return judge_next(s);
    case CLEARING: return clear_next(s);
    case ENDING: return end_next(s);
    case NEW:
    case OVER: break;
    }
    return false;
}

static void advance(struct tr_supervision *s) {
    while (step(s)) {
    }
}

/* ---- Events ---- */

static void set_now(struct tr_supervision *s, int64_t now) {
    if (now > s->now) s->now = now;
}

void tr_supervision_start(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (s->phase != NEW) return;
    turn(s, OPENING);
    advance(s);
}

/* NULL: the event is of an earlier run. */
static struct child *running(struct tr_supervision *s, uint32_t index, uint64_t run) {
    tr_assert(index < s->rules.child_count);
    struct child *child = &s->children[index];
    bool lives = (moves[child->state] & TO(ENDED)) != 0;
    return lives && child->run == run ? child : NULL;
}

void tr_supervision_started(struct tr_supervision *s, uint32_t index, uint64_t run, int64_t now) {
    struct child *child = running(s, index, run);
    set_now(s, now);
    if (child == NULL || child->state != STARTING) return; /* it is being stopped already */
    move(s, child, RUNNING);
    advance(s);
}

static void note_end(struct tr_supervision *s, struct child *child, enum tr_exit why) {
    if (child->state == STOPPING) set_deadline(s, INT64_MAX);
    child->why = why;
    child->cause = s->causes;
    child->failed_start = child->state == STARTING;
    move(s, child, ENDED);
    if (child->failed_start && s->phase == OPENING) end_all(s, true);
    if (child->failed_start && s->phase == RESTARTING) turn(s, SUPERVISING); /* to be judged */
}

void tr_supervision_exited(struct tr_supervision *s, uint32_t index, uint64_t run, enum tr_exit why,
                           int64_t now) {
    struct child *child = running(s, index, run);
    set_now(s, now);
    if (child == NULL) return;
    s->causes++;
    note_end(s, child, why);
    advance(s);
}

void tr_supervision_lost(struct tr_supervision *s, const bool *lost, int64_t now) {
    set_now(s, now);
    s->causes++;
    for (uint32_t i = 0; i < s->rules.child_count; i++) {
        struct child *child = &s->children[i];
        if (lost[i] && (moves[child->state] & TO(ENDED)) != 0) note_end(s, child, TR_EXIT_FAILED);
    }
    advance(s);
}

void tr_supervision_tick(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (s->deadline == INT64_MAX) return;
    if (s->now < s->deadline) { /* the clock that fired is ahead of the one that is read */
        s->io.timer(s->context, s->deadline);
        return;
    }
    uint32_t index = s->cursor - 1; /* stopping comes one by one: it is this one */
    tr_assert(s->children[index].state == STOPPING);
    set_deadline(s, INT64_MAX);
    move(s, &s->children[index], KILLING);
    s->io.stop(s->context, index, s->children[index].run, true);
}

void tr_supervision_stop(struct tr_supervision *s, int64_t now) {
    set_now(s, now);
    if (s->phase == ENDING || s->phase == OVER) return;
    end_all(s, false);
    advance(s);
}

uint32_t tr_supervision_restarts(const struct tr_supervision *s, uint32_t index) {
    tr_assert(index < s->rules.child_count);
    uint64_t run = s->children[index].run;
    return run == 0 ? 0 : (uint32_t)(run - 1);
}

/* ---- New and free ---- */

static void copy_children(struct tr_supervision *s, const struct tr_child_rules *rules) {
    for (uint32_t i = 0; i < s->rules.child_count; i++) {
        tr_assert(rules[i].shutdown >= 0);
        s->children[i].rules = rules[i];
    }
}

struct tr_supervision *tr_supervision_new(const struct tr_supervision_rules *rules,
                                          const struct tr_supervision_io *io, void *context) {
    struct tr_supervision *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    tr_assert(rules->within >= 0);
    *s = (struct tr_supervision){ .io = *io, .context = context, .rules = *rules };
    s->deadline = INT64_MAX;
    s->rules.children = NULL;
    s->children = calloc((size_t)rules->child_count + 1, sizeof *s->children);
    s->times = calloc((size_t)rules->restarts + 1, sizeof *s->times);
    if (s->children == NULL || s->times == NULL) {
        tr_supervision_free(s);
        return NULL;
    }
    copy_children(s, rules->children);
    return s;
}

void tr_supervision_free(struct tr_supervision *s) {
    if (s == NULL) return;
    free(s->children);
    free(s->times);
    free(s);
}
