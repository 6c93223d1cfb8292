/*
 * One child of the tree: its keys read into a struct tr_child. A mistake leaves the default and is
 * told; reading goes on.
 */
#include "config/child.h"

#include <string.h>

#include "config/args.h"
#include "config/placing.h"

static const char *path_of(struct tr_tree_input *input, const struct tr_child *parent,
                           const char *name) {
    bool root = strcmp(parent->path, "/") == 0;
    return tr_arena_print(input->mistakes->arena, "%s/%s", root ? "" : parent->path, name);
}

static struct tr_child *new_child(struct tr_tree_input *input, const struct tr_child *parent,
                                  const struct tr_keys *keys, const struct tr_yaml *map) {
    struct tr_child *child = tr_arena_take(input->mistakes->arena, sizeof *child);
    const char *name = tr_check_name(input->mistakes, keys, map, "name");
    child->name = name == NULL ? "" : name;
    child->path = path_of(input, parent, child->name);
    child->above = parent;
    child->where = map->where;
    child->placement.rule = "default";
    child->placement.where.file = map->where.file;
    child->count = 1;
    tr_child_common(input, parent, child, keys, map);
    return child;
}

static void read_place(struct tr_mistakes *mistakes, struct tr_child *child, const struct tr_yaml *place) {
    if (place == NULL || !tr_placing_read(mistakes, place, "the tree", &child->placement)) return;
    tr_placing_check(mistakes, child);
}

struct tr_child *tr_child_supervisor(struct tr_tree_input *input, const struct tr_child *parent,
                                     const struct tr_yaml *map) {
    const struct tr_yaml *actor = tr_yaml_get(map, "actor");
    if (actor != NULL) {
        tr_mistake(input->mistakes, actor->where,
                   "a child has either the key 'actor' or the key 'children'");
    } else {
        tr_check_map(input->mistakes, &tr_keys_supervisor, map);
    }
    struct tr_child *child = new_child(input, parent, &tr_keys_supervisor, map);
    tr_child_supervision(input, child, &tr_keys_supervisor, map);
    read_place(input->mistakes, child, tr_yaml_get(map, "place"));
    return child;
}

static void tell_unknown_actor(struct tr_tree_input *input, const struct tr_child *child) {
    struct tr_mistakes *mistakes = input->mistakes;
    struct tr_suggest suggest;
    const char *names = "";
    if (tr_mistakes_full(mistakes)) return;
    tr_suggest_start(&suggest, child->actor_name);
    for (size_t i = 0; input->actors != NULL && input->actors[i] != NULL; i++) {
        tr_suggest_consider(&suggest, input->actors[i]->name);
        names = tr_arena_print(mistakes->arena, "%s%s%s", names, i == 0 ? "" : ", ",
                               input->actors[i]->name);
    }
    tr_mistake_suggest(mistakes, child->actor_where, &suggest, *names == '\0' ? NULL : names,
                       "the program has no actor %s", tr_mistakes_quote(mistakes, child->actor_name));
}

static bool is_elsewhere(const struct tr_child *child) {
    return child->placement.options != NULL && child->placement.options->exec != NULL;
}

/* Of each of a `count` it is told once. */
static void check_actor(void *context, struct tr_child *child) {
    struct tr_tree_input *input = context;
    if (child->actor != NULL || child->actor_name == NULL || child->index > 0) return;
    if (!is_elsewhere(child)) {
        tell_unknown_actor(input, child);
    } else if (child->args_where.line != 0) {
        tr_mistake(input->mistakes, child->args_where,
                   "args: this program has no actor %s, so they cannot be checked and sent; it must have its type, as "
                   "%s has",
                   tr_mistakes_quote(input->mistakes, child->actor_name), child->placement.options->exec);
    }
}

static void check_template(void *context, struct tr_child *child) {
    if (child->template != NULL) check_actor(context, child->template);
}

/* In a program that another one has executed, what is not its own is that one's affair. */
void tr_child_check_actors(struct tr_tree_input *input, struct tr_child *root) {
    if (input->mistakes->checked) return;
    tr_tree_each(root, check_actor, input);
    tr_tree_all(root, check_template, input);
    check_template(input, root);
}

static const struct troupe_actor_type *find_actor(const struct tr_tree_input *input, const char *name) {
    for (size_t i = 0; input->actors != NULL && input->actors[i] != NULL; i++)
        if (strcmp(input->actors[i]->name, name) == 0) return input->actors[i];
    return NULL;
}

static void read_actor(struct tr_tree_input *input, struct tr_child *child, const struct tr_yaml *node) {
    if (node == NULL) return;
    if (node->kind != TR_YAML_SCALAR || tr_yaml_is_null(node)) {
        tr_check_expected(input->mistakes, node, "actor", "an actor type of the program");
        return;
    }
    child->actor_name = node->text;
    child->actor_where = node->where;
    child->actor = find_actor(input, node->text);
}

static void read_mailbox(struct tr_tree_input *input, struct tr_child *child,
                         const struct tr_yaml *node) {
    static const struct tr_yaml none = { .kind = TR_YAML_MAP };
    struct tr_mistakes *mistakes = input->mistakes;
    bool keep = node != NULL && node->kind == TR_YAML_SCALAR && strcmp(node->text, "keep") == 0;
    if (node == NULL || keep) node = &none;
    if (node != &none && node->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, node, "mailbox", "a mapping, or keep");
        return;
    }
    tr_check_map(mistakes, &tr_keys_mailbox, node);
    child->mailbox_limit = (uint32_t)tr_check_value(mistakes, &tr_keys_mailbox, node, "limit");
    child->drop_newest = tr_check_value(mistakes, &tr_keys_mailbox, node, "overflow") != 0;
    child->keep_mailbox = keep || tr_check_value(mistakes, &tr_keys_mailbox, node, "keep") != 0;
}

/* What it is and what it is started with, and its mailbox. */
static void read_actor_keys(struct tr_tree_input *input, struct tr_child *child, const struct tr_keys *keys,
                            const struct tr_yaml *map) {
    struct tr_mistakes *mistakes = input->mistakes;
    const struct tr_yaml *args = tr_yaml_get(map, "args");
    read_actor(input, child, tr_yaml_get(map, "actor"));
    if (args != NULL) child->args_where = args->where;
    if (child->actor != NULL) {
        child->args_type = tr_args_type(child->actor);
        child->args = tr_args_fill(mistakes, child->actor, args);
    }
    read_mailbox(input, child, tr_yaml_get(map, "mailbox"));
    child->at_least_once = tr_check_value(mistakes, keys, map, "delivery") != 0;
}

struct tr_child *tr_child_actor(struct tr_tree_input *input, const struct tr_child *parent,
                                const struct tr_yaml *map) {
    tr_check_map(input->mistakes, &tr_keys_actor, map);
    struct tr_child *child = new_child(input, parent, &tr_keys_actor, map);
    read_place(input->mistakes, child, tr_yaml_get(map, "place"));
    read_actor_keys(input, child, &tr_keys_actor, map);
    return child;
}

struct tr_child *tr_child_template(struct tr_tree_input *input, const struct tr_child *parent,
                                   const struct tr_yaml *map) {
    if (!tr_check_map(input->mistakes, &tr_keys_template, map)) return NULL;
    struct tr_child *child = tr_arena_take(input->mistakes->arena, sizeof *child);
    child->name = "";
    child->path = path_of(input, parent, "*");
    child->above = parent;
    child->where = map->where;
    child->placement.rule = "its supervisor";
    tr_child_common(input, parent, child, &tr_keys_template, map);
    read_actor_keys(input, child, &tr_keys_template, map);
    return child;
}
