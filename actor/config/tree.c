/*
 * The supervisor tree. A child with `children` is a supervisor, one with `actor` an actor; an actor
 * with `count` becomes so many nodes of the tree, which differ in their paths and share the rest.
 *
 * A mistake in one child hides none in another. Depth is that of the YAML, so recursion is fine.
 */
#include "config/tree.h"

#include <stdlib.h>
#include <string.h>

#include "config/child.h"
#include "config/limits.h"

/* A child of the list, and how many of it. */
struct part {
    struct tr_child *child; /* NULL: not a mapping */
    uint32_t count;         /* 0: there is no `count` */
};

static void build_children(struct tr_tree_input *input, struct tr_child *parent,
                           const struct tr_yaml *list);

static bool is_supervisor(const struct tr_yaml *map) {
    if (tr_yaml_find(map, "children") != NULL) return true;
    return tr_yaml_find(map, "actor") == NULL && tr_yaml_find(map, "strategy") != NULL;
}

/* What `count` says, 0 without one; 0 too when the whole tree has no room for so many. */
static uint32_t read_count(struct tr_tree_input *input, const struct tr_yaml *map) {
    uint32_t count = (uint32_t)tr_check_value(input->mistakes, &tr_keys_actor, map, "count");
    uint32_t wanted = count == 0 ? 1 : count;
    if (wanted > TR_CONFIG_MAX_ACTORS - input->count) {
        tr_mistake(input->mistakes, map->where, "too many actors: at most %d",
                   TR_CONFIG_MAX_ACTORS);
        return 0;
    }
    input->count += wanted;
    return count;
}

static struct part build_part(struct tr_tree_input *input, struct tr_child *parent,
                              const struct tr_yaml *map) {
    struct part part = { NULL, 0 };
    if (map->kind != TR_YAML_MAP) {
        tr_check_expected(input->mistakes, map, "children", "a mapping for each child");
    } else if (is_supervisor(map)) {
        part.child = tr_child_supervisor(input, parent, map);
        build_children(input, part.child, tr_yaml_get(map, "children"));
    } else {
        part.child = tr_child_actor(input, parent, map);
        part.count = read_count(input, map);
    }
    return part;
}

static void add(struct tr_tree_input *input, struct tr_child *parent, const struct part *part) {
    if (part->count == 0) {
        parent->children[parent->child_count++] = part->child;
        return;
    }
    for (uint32_t i = 0; i < part->count; i++) {
        struct tr_child *copy = tr_arena_take(input->mistakes->arena, sizeof *copy);
        *copy = *part->child;
        copy->path = tr_arena_print(input->mistakes->arena, "%s/%u", part->child->path, i);
        copy->index = i;
        copy->count = part->count;
        parent->children[parent->child_count++] = copy;
    }
}

struct sibling {
    const struct tr_yaml *name;
    uint32_t index;
};

static int compare_siblings(const void *left, const void *right) {
    const struct sibling *a = left, *b = right;
    int order = strcmp(a->name->text, b->name->text);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static void check_siblings(struct tr_mistakes *mistakes, const struct tr_yaml *list) {
    struct sibling *siblings = tr_arena_array(mistakes->arena, list->count, sizeof *siblings);
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tr_yaml *name = tr_yaml_get(list->items[i], "name");
        if (name != NULL && name->kind == TR_YAML_SCALAR)
            siblings[count++] = (struct sibling){ name, i };
    }
    qsort(siblings, count, sizeof *siblings, compare_siblings);
    for (uint32_t i = 1; i < count; i++) {
        const struct tr_yaml *before = siblings[i - 1].name, *name = siblings[i].name;
        if (strcmp(before->text, name->text) != 0) continue;
        tr_mistake(mistakes, name->where, "the name %s is taken by the child in line %u",
                   tr_mistakes_quote(mistakes, name->text), before->where.line);
    }
}

static void build_children(struct tr_tree_input *input, struct tr_child *parent,
                           const struct tr_yaml *list) {
    if (list == NULL) return;
    if (list->kind != TR_YAML_LIST) {
        tr_check_expected(input->mistakes, list, "children", "a list of children");
        return;
    }
    struct part *parts = tr_arena_array(input->mistakes->arena, list->count, sizeof *parts);
    size_t total = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        parts[i] = build_part(input, parent, list->items[i]);
        total += parts[i].count == 0 ? 1 : parts[i].count;
    }
    parent->children = tr_arena_array(input->mistakes->arena, total, sizeof *parent->children);
    for (uint32_t i = 0; i < list->count; i++) {
        if (parts[i].child != NULL) add(input, parent, &parts[i]);
    }
    check_siblings(input->mistakes, list);
}

struct tr_child *tr_tree_build(struct tr_tree_input *input, const struct tr_yaml *tree) {
    struct tr_yaml none = { .kind = TR_YAML_MAP };
    tr_yaml_put(input->mistakes->arena, &none, "children", &(struct tr_yaml){ .kind = TR_YAML_LIST });
    struct tr_child *root = tr_arena_take(input->mistakes->arena, sizeof *root);
    root->name = "";
    root->path = "/";
    root->shutdown = root->ready = TR_INFINITY;
    root->placement.rule = "default";
    root->count = 1;
    if (tree != NULL && !tr_check_map(input->mistakes, &tr_keys_tree, tree)) tree = NULL;
    if (tree != NULL) root->where = root->placement.where = tree->where;
    tr_child_supervision(input, root, &tr_keys_tree, tree == NULL ? &none : tree);
    if (tree != NULL) build_children(input, root, tr_yaml_get(tree, "children"));
    root->placement.where.line = root->placement.where.column = 0;
    return root;
}
