#include "lib/supervision_model.h"

#include <stddef.h>

#include "base/assert.h"

void model_note(struct model_actions *actions, enum model_act act, uint32_t kid, uint32_t outcome) {
    tr_assert(actions->count < MODEL_ACTIONS);
    actions->list[actions->count++] = (struct model_action){ act, kid, outcome };
}

static void act(struct model *m, enum model_act what, uint32_t kid) {
    model_note(&m->actions, what, kid, 0);
}

static void answer(struct model *m, uint32_t request, enum tr_answer with) {
    if (request != 0) model_note(&m->actions, ANSWER, request, with);
}

static bool is(const struct model *m, uint32_t kid, enum tr_child_state state) {
    return m->kids[kid].state == state;
}

static bool is_up(const struct model *m, uint32_t kid) {
    return is(m, kid, TR_CHILD_STARTING) || is(m, kid, TR_CHILD_RUNNING);
}

bool model_lives(const struct model *m, uint32_t kid) {
    return is_up(m, kid) || is(m, kid, TR_CHILD_STOPPING) || is(m, kid, TR_CHILD_KILLING);
}

static bool has_groups(const struct model *m) {
    return m->rules.strategy == TR_ONE_FOR_ALL || m->rules.strategy == TR_REST_FOR_ONE;
}

static void become(struct model *m, uint32_t kid, enum tr_child_state state, int64_t due) {
    m->kids[kid].state = state;
    m->kids[kid].since = m->now;
    m->kids[kid].due = due == INT64_MAX ? due : m->now + due;
    m->kids[kid].told = false;
}

static void up(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    become(m, kid, TR_CHILD_STARTING, k->rules.ready);
    act(m, k->flush ? FLUSH_START : START, kid);
    k->flush = k->late = k->asked = false;
    k->starts++;
}

static void down(struct model *m, uint32_t kid, bool kill) {
    kill = kill || m->kids[kid].rules.shutdown == TR_KILL;
    become(m, kid, kill ? TR_CHILD_KILLING : TR_CHILD_STOPPING, kill ? INT64_MAX : m->kids[kid].rules.shutdown);
    act(m, kill ? KILL : STOP, kid);
}

/* ---- Down, and not to be started by itself ---- */

static bool can_come_back(const struct model *m, uint32_t kid) {
    for (uint32_t i = 0; i < m->count; i++) {
        bool reaches = m->rules.strategy == TR_ONE_FOR_ALL || (m->rules.strategy == TR_REST_FOR_ONE && i < kid);
        bool may = !is(m, i, TR_CHILD_RESTING) && !is(m, i, TR_CHILD_GONE);
        if (reaches && may && m->kids[i].rules.restart != TR_TEMPORARY) return true;
    }
    return false;
}

static void tell_resting(struct model *m) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (!is(m, i, TR_CHILD_RESTING) || m->kids[i].told || can_come_back(m, i)) continue;
        act(m, REST, i);
        m->kids[i].told = true;
    }
}

static void answer_all(struct model *m, uint32_t kid, enum tr_answer start, enum tr_answer end) {
    struct model_kid *k = &m->kids[kid];
    answer(m, k->starter, start);
    for (uint32_t i = 0; i < k->asker_count; i++) answer(m, k->askers[i], end);
    k->starter = k->asker_count = 0;
}

static void lose_group(struct model *m) {
    for (uint32_t i = m->first; i < m->count; i++)
        if (is(m, i, TR_CHILD_DOWN) && m->kids[i].starter == 0) become(m, i, TR_CHILD_RESTING, INT64_MAX);
    if (m->mode == M_BACKING) m->at = m->first;
    m->mode = M_RESTARTING;
}

static void aside(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    bool kept = k->rules.restart != TR_TEMPORARY && m->rules.strategy != TR_DYNAMIC && !k->fresh;
    bool origin = m->origin == (int)kid;
    answer_all(m, kid, TR_ANSWER_FAILED, TR_ANSWER_OK);
    if (!kept) act(m, FORGET, kid);
    become(m, kid, kept ? TR_CHILD_RESTING : TR_CHILD_GONE, INT64_MAX);
    if (origin) m->origin = -1;
    if (origin && (m->mode == M_BACKING || m->mode == M_RESTARTING)) lose_group(m);
    tell_resting(m);
}

/* ---- Judging ---- */

static void end_all(struct model *m, enum tr_over over) {
    m->mode = M_ENDING;
    m->over = over;
    m->first = 0;
    m->origin = -1;
    for (uint32_t i = 0; i < m->count; i++) {
        answer_all(m, i, TR_ANSWER_STOPPING, TR_ANSWER_STOPPING);
        if (is(m, i, TR_CHILD_WAITING)) become(m, i, TR_CHILD_DOWN, INT64_MAX);
    }
}

static bool too_many(struct model *m, uint64_t cause) {
    uint32_t lately = 0;
    for (uint32_t i = 0; i < m->restart_count; i++)
        if (m->counted[i] == cause) return false;
    tr_assert(m->restart_count < MODEL_RESTARTS);
    m->counted[m->restart_count] = cause;
    m->restarts[m->restart_count++] = m->now;
    for (uint32_t i = 0; i < m->restart_count; i++)
        if (m->restarts[i] >= m->now - m->rules.within) lately++;
    return lately > m->rules.restarts;
}

static int64_t backoff(struct model *m, struct model_kid *k) {
    const struct tr_backoff_rules *rules = &m->rules.backoff;
    int64_t wait = rules->initial;
    if (wait == 0) return 0;
    for (uint32_t i = 0; i < k->in_a_row && wait < rules->maximum; i++) wait = wait * rules->factor / 100;
    k->in_a_row++;
    if (wait > rules->maximum) wait = rules->maximum;
    int64_t jitter = wait * rules->jitter / 100;
    return wait - jitter + (int64_t)tr_random_below(&m->random, 2 * (uint64_t)jitter + 1);
}

static void again(struct model *m, uint32_t kid) {
    if (too_many(m, m->kids[kid].cause)) {
        end_all(m, TR_OVER_GAVE_UP);
        return;
    }
    int64_t wait = backoff(m, &m->kids[kid]);
    if (has_groups(m)) {
        m->mode = M_CLEARING;
        m->groups++;
        m->origin = (int)kid;
        m->delay = wait;
        m->first = m->rules.strategy == TR_ONE_FOR_ALL ? 0 : kid;
    } else if (wait > 0) {
        become(m, kid, TR_CHILD_WAITING, wait);
    } else {
        up(m, kid);
    }
}

static bool others_matter(const struct model *m) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->kids[i].rules.significant && !is(m, i, TR_CHILD_RESTING) && !is(m, i, TR_CHILD_GONE)) return true;
    return false;
}

static void judge(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    bool failed = k->failed || k->why == TR_EXIT_FAILED;
    if (k->rules.restart == TR_PERMANENT || (k->rules.restart == TR_TRANSIENT && failed)) {
        again(m, kid);
        return;
    }
    aside(m, kid);
    if (!k->rules.significant) return;
    if (m->rules.auto_shutdown == TR_ANY_SIGNIFICANT || !others_matter(m)) end_all(m, TR_OVER_FINISHED);
}

/* ---- Steps: false: it has to wait, or there is nothing to do ---- */

static bool judge_leftmost(struct model *m) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (!is(m, i, TR_CHILD_ENDED)) continue;
        judge(m, i);
        return true;
    }
    return false;
}

static void settle(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    k->flush = m->origin != (int)kid && k->starts > 0 && k->starter == 0;
    if (is(m, kid, TR_CHILD_GONE) || is(m, kid, TR_CHILD_DOWN)) return;
    if (is(m, kid, TR_CHILD_RESTING) && k->stamp == m->groups) return;
    if (k->rules.restart == TR_TEMPORARY) aside(m, kid);
    else become(m, kid, TR_CHILD_DOWN, INT64_MAX);
}

static bool bring_down(struct model *m) {
    for (uint32_t i = m->count; i-- > m->first;) {
        if (is_up(m, i)) down(m, i, false);
        if (model_lives(m, i)) return false;
        if (m->mode == M_CLEARING) settle(m, i);
    }
    return true;
}

static bool bring_all_down(struct model *m) {
    bool alive = false;
    for (uint32_t i = 0; i < m->count; i++) {
        if (is_up(m, i)) down(m, i, false);
        alive = alive || model_lives(m, i);
    }
    return !alive;
}

static bool clear(struct model *m) {
    if (!bring_down(m)) return false;
    m->mode = M_RESTARTING;
    m->at = m->first;
    if (m->origin < 0 || m->delay == 0) return true;
    m->mode = M_BACKING;
    become(m, (uint32_t)m->origin, TR_CHILD_WAITING, m->delay);
    return true;
}

static bool bring_up(struct model *m) {
    for (; m->at < m->count; m->at++) {
        bool running = is(m, m->at, TR_CHILD_RUNNING);
        if (is(m, m->at, TR_CHILD_DOWN)) up(m, m->at);
        if (!running && model_lives(m, m->at)) return false;
    }
    if (m->mode == M_OPENING) act(m, STARTED, 0);
    m->mode = M_IDLE;
    m->origin = -1;
    return true;
}

static bool finish(struct model *m) {
    if (!(m->rules.strategy == TR_DYNAMIC ? bring_all_down(m) : bring_down(m))) return false;
    m->mode = M_OVER;
    model_note(&m->actions, STOPPED, 0, m->over);
    return false;
}

static bool step(struct model *m) {
    switch (m->mode) {
    case M_OPENING:
    case M_RESTARTING: return bring_up(m);
    case M_IDLE:
    case M_BACKING: return judge_leftmost(m);
    case M_CLEARING: return clear(m);
    case M_ENDING: return finish(m);
    default: return false;
    }
}

static void go_on(struct model *m) {
    while (step(m)) {
    }
}

/* ---- Events ---- */

void model_begin(struct model *m, const struct tr_supervision_rules *rules) {
    *m = (struct model){ .rules = *rules, .origin = -1 };
    tr_random_seed(&m->random, rules->seed);
}

uint32_t model_add(struct model *m, const struct tr_child_rules *rules) {
    m->kids[m->count] = (struct model_kid){ .rules = *rules };
    become(m, m->count, TR_CHILD_DOWN, INT64_MAX);
    return m->count++;
}

int64_t model_due(const struct model *m) {
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->kids[i].due < due) due = m->kids[i].due;
    return due;
}

void model_start(struct model *m) {
    if (m->mode != M_NEW) return;
    m->mode = M_OPENING;
    go_on(m);
}

void model_started(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    if (!is(m, kid, TR_CHILD_STARTING)) return;
    become(m, kid, TR_CHILD_RUNNING, INT64_MAX);
    k->fresh = false;
    answer(m, k->starter, TR_ANSWER_OK);
    k->starter = 0;
    if (m->origin == (int)kid) m->origin = -1;
    go_on(m);
}

static void note(struct model *m, uint32_t kid, enum tr_exit why) {
    struct model_kid *k = &m->kids[kid];
    if (is(m, kid, TR_CHILD_RUNNING) && m->now - k->since >= m->rules.backoff.reset) k->in_a_row = 0;
    k->failed = is(m, kid, TR_CHILD_STARTING) || k->late;
    k->why = why;
    k->cause = m->causes;
    become(m, kid, TR_CHILD_ENDED, INT64_MAX);
    if (m->mode == M_ENDING) return;
    if (k->asked || (k->failed && k->starter != 0)) {
        aside(m, kid);
    } else if (k->failed && m->mode == M_OPENING) {
        end_all(m, TR_OVER_GAVE_UP);
    } else if (k->failed && m->mode == M_RESTARTING) {
        m->mode = M_IDLE;
        m->origin = -1;
    }
}

void model_exited(struct model *m, uint32_t kid, enum tr_exit why) {
    m->causes++;
    note(m, kid, why);
    go_on(m);
}

void model_lost(struct model *m, uint64_t kids) {
    m->causes++;
    for (uint32_t i = 0; i < m->count; i++)
        if ((kids >> i & 1) != 0 && model_lives(m, i)) note(m, i, TR_EXIT_FAILED);
    go_on(m);
}

void model_ignored(struct model *m, uint32_t kid) {
    struct model_kid *k = &m->kids[kid];
    if (!is(m, kid, TR_CHILD_STARTING) || m->mode == M_ENDING) {
        model_exited(m, kid, TR_EXIT_NORMAL);
        return;
    }
    if (m->origin == (int)kid) m->origin = -1;
    answer(m, k->starter, TR_ANSWER_IGNORED);
    k->starter = 0;
    k->fresh = false;
    aside(m, kid);
    go_on(m);
}

static void pass(struct model *m, uint32_t kid) {
    if (!is(m, kid, TR_CHILD_WAITING)) {
        m->kids[kid].late = is(m, kid, TR_CHILD_STARTING);
        down(m, kid, true);
    } else if (has_groups(m)) {
        become(m, kid, TR_CHILD_DOWN, INT64_MAX);
        m->mode = M_RESTARTING;
        m->at = m->first;
    } else {
        up(m, kid);
    }
}

void model_tick(struct model *m) {
    for (int64_t due; (due = model_due(m)) <= m->now;)
        for (uint32_t i = 0; i < m->count; i++)
            if (m->kids[i].due == due) {
                pass(m, i);
                break;
            }
    go_on(m);
}

void model_stop(struct model *m) {
    if (m->mode == M_ENDING || m->mode == M_OVER) return;
    end_all(m, TR_OVER_ASKED);
    go_on(m);
}

/* ---- Requests ---- */

static bool refused(struct model *m, uint32_t kid, uint32_t request) {
    bool ending = m->mode == M_ENDING || m->mode == M_OVER;
    if (ending) answer(m, request, TR_ANSWER_STOPPING);
    else if (is(m, kid, TR_CHILD_GONE)) answer(m, request, TR_ANSWER_NOT_FOUND);
    return ending || is(m, kid, TR_CHILD_GONE);
}

static bool must_wait(const struct model *m, uint32_t kid) {
    if (m->mode == M_OPENING || m->mode == M_RESTARTING) return kid > m->at;
    if (m->mode == M_CLEARING || m->mode == M_BACKING) return kid >= m->first;
    return m->mode == M_NEW;
}

static void ask_up(struct model *m, uint32_t kid, uint32_t request) {
    m->kids[kid].starter = request;
    m->kids[kid].in_a_row = 0;
    m->kids[kid].flush = false;
    become(m, kid, TR_CHILD_DOWN, INT64_MAX);
    if (!must_wait(m, kid)) up(m, kid);
    go_on(m);
}

void model_launch(struct model *m, uint32_t kid, uint32_t request) {
    m->kids[kid].fresh = true;
    if (!refused(m, kid, request)) ask_up(m, kid, request);
}

void model_restart(struct model *m, uint32_t kid, uint32_t request) {
    if (refused(m, kid, request)) return;
    if (m->rules.strategy == TR_DYNAMIC) answer(m, request, TR_ANSWER_INVALID);
    else if (is(m, kid, TR_CHILD_RESTING)) ask_up(m, kid, request);
    else answer(m, request, is(m, kid, TR_CHILD_RUNNING) ? TR_ANSWER_RUNNING : TR_ANSWER_RESTARTING);
}

void model_terminate(struct model *m, uint32_t kid, uint32_t request) {
    struct model_kid *k = &m->kids[kid];
    if (refused(m, kid, request)) return;
    k->stamp = m->groups;
    if (!model_lives(m, kid)) {
        answer(m, request, TR_ANSWER_OK);
        if (!is(m, kid, TR_CHILD_RESTING)) aside(m, kid);
    } else {
        tr_assert(k->asker_count < MODEL_ASKERS);
        k->asked = true;
        k->askers[k->asker_count++] = request;
        if (is_up(m, kid) && !(m->mode == M_CLEARING && kid >= m->first)) down(m, kid, false);
    }
    go_on(m);
}

void model_delete(struct model *m, uint32_t kid, uint32_t request) {
    if (refused(m, kid, request)) return;
    bool running = is_up(m, kid) ? is(m, kid, TR_CHILD_RUNNING) : model_lives(m, kid);
    bool resting = is(m, kid, TR_CHILD_RESTING);
    if (m->rules.strategy == TR_DYNAMIC) answer(m, request, TR_ANSWER_INVALID);
    else answer(m, request, running ? TR_ANSWER_RUNNING : resting ? TR_ANSWER_OK : TR_ANSWER_RESTARTING);
    if (!resting || m->rules.strategy == TR_DYNAMIC) return;
    become(m, kid, TR_CHILD_GONE, INT64_MAX);
    act(m, FORGET, kid);
}
