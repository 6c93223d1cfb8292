/*
 * The children of a supervisor: who there is, in which order, in which state.
 *
 * Entries lie in segments that never move, so pointers to them stay good. They are joined from left to right;
 * a new child is always the rightmost, so `order` is its rank for ever. The entry of a forgotten child is used
 * again, under the next serial.
 *
 * tr_child_move is the only way from state to state. The table says which moves there are; everything that
 * follows from a state (who lives, who waits to be judged, who may cause a restart) is kept there and nowhere
 * else, so that it cannot come apart.
 */
#include "services/supervision_parts.h"

#include <stdlib.h>

enum { SEGMENT = 64 };

#define TO(state) (1u << (TR_CHILD_##state))

static const unsigned moves[] = {
    [TR_CHILD_GONE] = TO(DOWN),
    [TR_CHILD_DOWN] = TO(STARTING) | TO(WAITING) | TO(RESTING) | TO(GONE),
    [TR_CHILD_STARTING] = TO(RUNNING) | TO(STOPPING) | TO(KILLING) | TO(ENDED),
    [TR_CHILD_RUNNING] = TO(STOPPING) | TO(KILLING) | TO(ENDED),
    [TR_CHILD_STOPPING] = TO(KILLING) | TO(ENDED),
    [TR_CHILD_KILLING] = TO(ENDED),
    [TR_CHILD_ENDED] = TO(DOWN) | TO(WAITING) | TO(RESTING) | TO(GONE),
    [TR_CHILD_WAITING] = TO(DOWN) | TO(RESTING) | TO(GONE),
    [TR_CHILD_RESTING] = TO(DOWN) | TO(GONE),
};

static bool lives(enum tr_child_state state) {
    return (moves[state] & TO(ENDED)) != 0;
}

/* It runs, or will. */
static bool is_present(enum tr_child_state state) {
    return state != TR_CHILD_RESTING && state != TR_CHILD_GONE;
}

bool tr_child_lives(const struct tr_supervised *child) {
    return lives(child->state);
}

/* May the end of this child make its group restart, now or later? */
static bool is_cause(const struct tr_supervision *s, const struct tr_supervised *child) {
    return tr_has_groups(s) && child->rules.restart != TR_TEMPORARY && is_present(child->state);
}

static void count(struct tr_supervision *s, const struct tr_supervised *child, uint32_t by) {
    if (lives(child->state)) s->living += by;
    if (child->rules.significant && is_present(child->state)) s->significant += by;
}

static void leave_cause(struct tr_supervised *child) {
    child->cause_left->cause_right = child->cause_right;
    child->cause_right->cause_left = child->cause_left;
    child->cause_left = child->cause_right = child;
}

void tr_child_move(struct tr_supervision *s, struct tr_supervised *child, enum tr_child_state to) {
    tr_assert((moves[child->state] & (1u << to)) != 0);
    if (child->state == TR_CHILD_ENDED) leave_cause(child);
    count(s, child, UINT32_MAX); /* one less */
    child->state = to;
    child->since = s->now;
    count(s, child, 1);
    tr_heap_set(s, TR_HEAP_DUE, child, false);
    tr_heap_set(s, TR_HEAP_ENDED, child, to == TR_CHILD_ENDED);
    tr_heap_set(s, TR_HEAP_KEPT, child, to == TR_CHILD_RESTING);
    tr_heap_set(s, TR_HEAP_CAUSES, child, is_cause(s, child));
}

static struct tr_supervised *at(const struct tr_supervision *s, uint32_t index) {
    return &s->segments[index / SEGMENT][index % SEGMENT];
}

struct tr_supervised *tr_child_find(const struct tr_supervision *s, tr_child_id id) {
    if (id.index >= s->segment_count * SEGMENT) return NULL;
    struct tr_supervised *child = at(s, id.index);
    return child->state != TR_CHILD_GONE && child->id.serial == id.serial ? child : NULL;
}

/* ---- New and gone ---- */

/* The lowest index is the first to be used. */
static bool add_segment(struct tr_supervision *s) {
    size_t size = (s->segment_count + 1) * sizeof(struct tr_supervised *);
    struct tr_supervised **segments = realloc(s->segments, size);
    if (segments == NULL) return false;
    s->segments = segments;
    struct tr_supervised *segment = segments[s->segment_count] = calloc(SEGMENT, sizeof *segment);
    if (segment == NULL) return false;
    for (uint32_t i = SEGMENT; i-- > 0;) {
        segment[i].id.index = s->segment_count * SEGMENT + i;
        segment[i].right = s->free;
        s->free = &segment[i];
    }
    s->segment_count++;
    return true;
}

static void join(struct tr_supervision *s, struct tr_supervised *child) {
    child->left = s->rightmost;
    child->right = NULL;
    *(child->left == NULL ? &s->leftmost : &child->left->right) = child;
    s->rightmost = child;
    s->count++;
}

static void part(struct tr_supervision *s, struct tr_supervised *child) {
    *(child->left == NULL ? &s->leftmost : &child->left->right) = child->right;
    *(child->right == NULL ? &s->rightmost : &child->right->left) = child->left;
    s->count--;
}

struct tr_supervised *tr_child_new(struct tr_supervision *s, const struct tr_child_rules *rules) {
    if (!tr_heap_reserve(s, s->count + 1) || (s->free == NULL && !add_segment(s))) return NULL;
    struct tr_supervised *child = s->free;
    s->free = child->right;
    *child = (struct tr_supervised){ .id = child->id, .rules = *rules, .order = ++s->orders };
    child->cause_left = child->cause_right = child;
    join(s, child);
    tr_child_move(s, child, TR_CHILD_DOWN);
    return child;
}

/* The work at hand goes on with the next one in its direction. */
static void pass_by(struct tr_supervision *s, const struct tr_supervised *child) {
    bool rightwards = s->phase == TR_PHASE_OPENING || s->phase == TR_PHASE_RESTARTING;
    if (s->cursor == child) s->cursor = rightwards ? child->right : child->left;
    if (s->origin == child) s->origin = NULL;
}

void tr_child_drop(struct tr_supervision *s, struct tr_supervised *child) {
    tr_assert(child->starter == 0 && child->askers == NULL);
    pass_by(s, child);
    tr_child_move(s, child, TR_CHILD_GONE);
    part(s, child);
    child->id.serial++;
    child->right = s->free;
    s->free = child;
}

static void free_askers(struct tr_supervised *child) {
    for (struct tr_asker *next; child->askers != NULL; child->askers = next) {
        next = child->askers->next;
        free(child->askers);
    }
}

void tr_children_free(struct tr_supervision *s) {
    for (struct tr_supervised *child = s->leftmost; child != NULL; child = child->right) free_askers(child);
    for (uint32_t i = 0; i < s->segment_count; i++) free(s->segments[i]);
    for (int i = 0; i < TR_HEAPS; i++) free(s->heaps[i].items);
    free(s->segments);
}
