/*
 * --set 'KEY=VALUE': KEY is a path of dots through the mappings of the configuration, VALUE is
 * YAML.
 *
 * At the configuration itself and at a supervisor a part of the path is one of its keys, or else
 * the name of one of its children: `counter.count` is `tree.children.counter.count`. Mappings that
 * are missing on the way are made; what is set is checked afterwards like the rest of the file.
 */
#include "config/settings.h"

#include <string.h>

#include "config/check.h"

struct setting {
    struct tr_mistakes *mistakes;
    struct tr_where where; /* of the part of the path at hand */
    const char *rest;      /* the path from there; its parts end with a dot */
    const char *part;      /* a copy */
    struct tr_yaml *value;
};

static bool is_last(const struct setting *setting) {
    return *setting->rest == '\0';
}

/* Takes the next part of the path. */
static void take_part(struct setting *setting) {
    size_t size = strcspn(setting->rest, ".");
    setting->part = tr_arena_copy(setting->mistakes->arena, setting->rest, size);
    setting->rest += size;
    if (*setting->rest == '.') setting->rest++;
}

static struct tr_yaml **child_named(const struct tr_yaml *list, const char *name) {
    if (list == NULL || list->kind != TR_YAML_LIST) return NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tr_yaml *node = tr_yaml_get(list->items[i], "name");
        if (node != NULL && node->kind == TR_YAML_SCALAR && strcmp(node->text, name) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

static void consider_children(struct tr_suggest *suggest, const struct tr_yaml *list) {
    for (uint32_t i = 0; list != NULL && list->kind == TR_YAML_LIST && i < list->count; i++) {
        const struct tr_yaml *name = tr_yaml_get(list->items[i], "name");
        if (name != NULL && name->kind == TR_YAML_SCALAR) tr_suggest_consider(suggest, name->text);
    }
}

/* `keys` may be NULL. */
static void tell_unknown(struct setting *setting, const struct tr_keys *keys,
                         const struct tr_yaml *list) {
    struct tr_suggest suggest;
    tr_suggest_start(&suggest, setting->part);
    for (uint32_t i = 0; keys != NULL && i < keys->count; i++) {
        tr_suggest_consider(&suggest, keys->rows[i].key);
    }
    consider_children(&suggest, list);
    tr_mistake_suggest(setting->mistakes, setting->where, &suggest, NULL, "there is no %s %s",
                       keys == NULL ? "child" : "key or child",
                       tr_mistakes_quote(setting->mistakes, setting->part));
}

/* The keys of a mapping that may have children as well; NULL for any other. */
static const struct tr_keys *keys_of(const struct tr_yaml *map, const struct tr_yaml *root) {
    if (map == root) return &tr_keys_root;
    if (map == tr_yaml_get(root, "tree")) return &tr_keys_tree;
    return tr_yaml_get(map, "children") != NULL ? &tr_keys_supervisor : NULL;
}

static const struct tr_yaml *children_of(const struct tr_yaml *map, const struct tr_yaml *root) {
    return tr_yaml_get(map == root ? tr_yaml_get(root, "tree") : map, "children");
}

/* Where the value of a missing key will be: adds an empty mapping. */
static struct tr_yaml **add_key(struct setting *setting, struct tr_yaml *map) {
    struct tr_arena *arena = setting->mistakes->arena;
    tr_yaml_put(arena, map, setting->part, tr_yaml_new_map(arena, setting->where));
    return &tr_yaml_find(map, setting->part)->value;
}

static struct tr_yaml **step_into_map(struct setting *setting, struct tr_yaml *map,
                                      const struct tr_yaml *root) {
    struct tr_yaml_pair *pair = tr_yaml_find(map, setting->part);
    if (pair != NULL) return &pair->value;
    const struct tr_keys *keys = keys_of(map, root);
    if (keys == NULL || tr_keys_row(keys, setting->part) != NULL) return add_key(setting, map);
    const struct tr_yaml *children = children_of(map, root);
    struct tr_yaml **child = child_named(children, setting->part);
    if (child == NULL) tell_unknown(setting, keys, children);
    return child;
}

/* Where the next part of the path leads; NULL: told that it leads nowhere. */
static struct tr_yaml **step(struct setting *setting, struct tr_yaml *from,
                             const struct tr_yaml *root) {
    if (from->kind == TR_YAML_MAP) return step_into_map(setting, from, root);
    if (from->kind == TR_YAML_LIST) {
        struct tr_yaml **child = child_named(from, setting->part);
        if (child == NULL) tell_unknown(setting, NULL, from);
        return child;
    }
    tr_mistake(setting->mistakes, setting->where, "%s is a key of nothing: what is before it is %s",
               tr_mistakes_quote(setting->mistakes, setting->part),
               tr_yaml_describe(setting->mistakes, from));
    return NULL;
}

static void walk(struct setting *setting, struct tr_yaml **root) {
    struct tr_yaml **at = root;
    while (at != NULL && !is_last(setting)) {
        const char *before = setting->rest;
        take_part(setting);
        at = step(setting, *at, *root);
        setting->where.column += (uint32_t)(setting->rest - before);
    }
    if (at != NULL) *at = setting->value;
}

static void apply(struct tr_mistakes *mistakes, struct tr_yaml **root, const char *text) {
    struct tr_where start = { tr_arena_print(mistakes->arena, "--set '%s'", text), 1, 1 };
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        tr_mistake(mistakes, start, "expected KEY=VALUE, as in 'counter.count=8'");
        return;
    }
    struct setting setting = { .mistakes = mistakes, .where = start };
    setting.rest = tr_arena_copy(mistakes->arena, text, (size_t)(equals - text));
    start.column += (uint32_t)(equals + 1 - text);
    if (!tr_yaml_read(mistakes, start, equals + 1, strlen(equals + 1), &setting.value)) return;
    if (setting.value == NULL) {
        tr_mistake(mistakes, start, "expected a value after '='");
        return;
    }
    walk(&setting, root);
}

void tr_settings_apply(struct tr_mistakes *mistakes, struct tr_yaml **root,
                       const char *const *settings) {
    if (settings == NULL || *settings == NULL) return;
    if (*root == NULL) {
        *root = tr_yaml_new_map(mistakes->arena, (struct tr_where){ mistakes->file, 1, 1 });
    }
    for (; *settings != NULL; settings++) apply(mistakes, root, *settings);
}
