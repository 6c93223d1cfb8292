/*
 * What makes a child a supervisor: its strategy, its limits, and, of a dynamic one, what its children are. A mistake
 * leaves the default and is told; reading goes on.
 */
#include "config/child.h"

static void read_backoff(struct tr_mistakes *mistakes, struct tr_child *child, const struct tr_yaml *node) {
    struct tr_backoff_rules *rules = &child->backoff;
    if (node == NULL || !tr_check_map(mistakes, &tr_keys_backoff, node)) return;
    rules->initial = tr_check_value(mistakes, &tr_keys_backoff, node, "initial");
    rules->maximum = tr_check_value(mistakes, &tr_keys_backoff, node, "maximum");
    rules->reset = tr_check_value(mistakes, &tr_keys_backoff, node, "reset");
    rules->factor = (uint32_t)tr_check_value(mistakes, &tr_keys_backoff, node, "factor");
    rules->jitter = (uint32_t)tr_check_value(mistakes, &tr_keys_backoff, node, "jitter");
    const struct tr_yaml *maximum = tr_yaml_get(node, "maximum");
    if (maximum != NULL && rules->maximum < rules->initial)
        tr_mistake(mistakes, maximum->where, "maximum: it is less than 'initial', with which the waits begin");
}

static void read_template(struct tr_tree_input *input, struct tr_child *child, const struct tr_yaml *map) {
    const struct tr_yaml_pair *pair = tr_yaml_find(map, "child");
    if (pair == NULL) return;
    if (child->strategy == TR_DYNAMIC) child->template = tr_child_template(input, child, pair->value);
    else
        tr_mistake(input->mistakes, pair->key->where,
                   "child: only a supervisor with 'strategy: dynamic' has one; others have 'children'");
}

/* A dynamic supervisor begins with none; any other has a list, be it empty. */
static void check_children(struct tr_mistakes *mistakes, const struct tr_child *child, const struct tr_keys *keys,
                           const struct tr_yaml *map) {
    const struct tr_yaml_pair *children = tr_yaml_find(map, "children");
    bool dynamic = child->strategy == TR_DYNAMIC;
    if (dynamic && children != NULL)
        tr_mistake(mistakes, children->key->where,
                   "children: a dynamic supervisor begins with none, code adds them; 'child' says what each is");
    else if (!dynamic)
        tr_check_needed(mistakes, keys, map, "children");
}

void tr_child_supervision(struct tr_tree_input *input, struct tr_child *child, const struct tr_keys *keys,
                          const struct tr_yaml *map) {
    struct tr_mistakes *mistakes = input->mistakes;
    child->is_supervisor = true;
    child->strategy = (enum tr_strategy)tr_check_value(mistakes, keys, map, "strategy");
    child->restarts = (uint32_t)tr_check_value(mistakes, keys, map, "restarts");
    child->within = tr_check_value(mistakes, keys, map, "within");
    child->auto_shutdown = (enum tr_auto_shutdown)tr_check_value(mistakes, keys, map, "auto_shutdown");
    child->max_children = (uint32_t)tr_check_value(mistakes, keys, map, "max_children");
    read_backoff(mistakes, child, tr_yaml_get(map, "backoff"));
    read_template(input, child, map);
    check_children(mistakes, child, keys, map);
}

/* Told where it says that it is. */
static void check_significant(struct tr_mistakes *mistakes, const struct tr_child *parent,
                              const struct tr_child *child, const struct tr_yaml *map) {
    const struct tr_yaml_pair *pair = tr_yaml_find(map, "significant");
    if (child->restart == TR_PERMANENT)
        tr_mistake(mistakes, pair->key->where,
                   "significant: a permanent child never ends for good; it needs 'restart: transient' or temporary");
    else if (parent->auto_shutdown == TR_NEVER)
        tr_mistake(mistakes, pair->key->where,
                   "significant: it means nothing without 'auto_shutdown' of its supervisor");
}

void tr_child_common(struct tr_tree_input *input, const struct tr_child *parent, struct tr_child *child,
                     const struct tr_keys *keys, const struct tr_yaml *map) {
    struct tr_mistakes *mistakes = input->mistakes;
    child->restart = (enum tr_restart)tr_check_value(mistakes, keys, map, "restart");
    child->shutdown = tr_check_value(mistakes, keys, map, "shutdown");
    child->ready = tr_check_value(mistakes, keys, map, "ready");
    if (keys == &tr_keys_template) return; /* it cannot be significant */
    child->significant = tr_check_value(mistakes, keys, map, "significant") != 0;
    if (child->significant) check_significant(mistakes, parent, child, map);
}
