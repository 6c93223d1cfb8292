/* The children of a supervisor as they are seen from outside: added, found, counted. */
#include "services/supervision_parts.h"

/* Significant is only what can end for good, and where that means something. */
static bool is_sound(const struct tr_supervision *s, const struct tr_child_rules *rules) {
    return !rules->significant || (rules->restart != TR_PERMANENT && s->rules.auto_shutdown != TR_NEVER &&
                                   s->rules.strategy != TR_DYNAMIC);
}

enum tr_answer tr_supervision_add(struct tr_supervision *s, const struct tr_child_rules *rules,
                                  tr_child_id *id) {
    tr_assert(rules->shutdown >= 0 && rules->ready > 0);
    if (tr_is_ending(s)) return TR_ANSWER_STOPPING;
    if (!is_sound(s, rules)) return TR_ANSWER_INVALID;
    if (s->count >= s->rules.max_children) return TR_ANSWER_LIMIT;
    const struct tr_supervised *child = tr_child_new(s, rules);
    if (child == NULL) return TR_ANSWER_NO_MEMORY;
    *id = child->id;
    return TR_ANSWER_OK;
}

void tr_supervision_drop(struct tr_supervision *s, tr_child_id id) {
    struct tr_supervised *child = tr_child_find(s, id);
    tr_assert(child != NULL && child->state == TR_CHILD_DOWN && child->run == 0);
    tr_child_drop(s, child);
}

bool tr_supervision_look(const struct tr_supervision *s, tr_child_id id, struct tr_child_look *look) {
    const struct tr_supervised *child = tr_child_find(s, id);
    if (child == NULL) return false;
    *look = (struct tr_child_look){ .state = child->state, .since = child->since,
                                    .restarts = child->run == 0 ? 0 : child->run - 1 };
    return true;
}

static bool show(const struct tr_supervised *child, tr_child_id *id) {
    if (child != NULL) *id = child->id;
    return child != NULL;
}

bool tr_supervision_first(const struct tr_supervision *s, tr_child_id *id) {
    return show(s->leftmost, id);
}

bool tr_supervision_next(const struct tr_supervision *s, tr_child_id *id) {
    const struct tr_supervised *child = tr_child_find(s, *id);
    return child != NULL && show(child->right, id);
}

uint32_t tr_supervision_count(const struct tr_supervision *s, uint32_t *living) {
    *living = s->living;
    return s->count;
}
