/* Looking things up in a tree, and changing it. */
#include <string.h>

#include "base/assert.h"
#include "config/yaml.h"

struct tr_yaml_pair *tr_yaml_find(const struct tr_yaml *map, const char *key) {
    if (map == NULL || map->kind != TR_YAML_MAP) return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        if (strcmp(map->pairs[i].key->text, key) == 0) return &map->pairs[i];
    }
    return NULL;
}

struct tr_yaml *tr_yaml_get(const struct tr_yaml *map, const char *key) {
    struct tr_yaml_pair *pair = tr_yaml_find(map, key);
    return pair == NULL ? NULL : pair->value;
}

static struct tr_yaml *new_scalar(struct tr_arena *arena, struct tr_where where, const char *text) {
    struct tr_yaml *node = tr_arena_take(arena, sizeof *node);
    *node = (struct tr_yaml){ .kind = TR_YAML_SCALAR, .plain = true, .where = where };
    node->text = tr_arena_copy(arena, text, strlen(text));
    return node;
}

struct tr_yaml *tr_yaml_new_map(struct tr_arena *arena, struct tr_where where) {
    struct tr_yaml *node = tr_arena_take(arena, sizeof *node);
    *node = (struct tr_yaml){ .kind = TR_YAML_MAP, .where = where };
    return node;
}

void tr_yaml_put(struct tr_arena *arena, struct tr_yaml *map, const char *key,
                 struct tr_yaml *value) {
    tr_assert(map->kind == TR_YAML_MAP);
    struct tr_yaml_pair *pair = tr_yaml_find(map, key);
    if (pair == NULL) {
        struct tr_yaml_pair *pairs = tr_arena_array(arena, map->count + 1, sizeof *pairs);
        if (map->count > 0) memcpy(pairs, map->pairs, map->count * sizeof *pairs);
        map->pairs = pairs;
        pair = &pairs[map->count++];
        pair->key = new_scalar(arena, value->where, key);
    }
    pair->value = value;
}

bool tr_yaml_is_null(const struct tr_yaml *node) {
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };
    if (node->kind != TR_YAML_SCALAR || !node->plain) return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(node->text, words[i]) == 0) return true;
    }
    return false;
}

const char *tr_yaml_describe(struct tr_mistakes *mistakes, const struct tr_yaml *node) {
    if (node->kind == TR_YAML_LIST) return "a list";
    if (node->kind == TR_YAML_MAP) return "a mapping";
    if (tr_yaml_is_null(node)) return "nothing";
    const char *quoted = tr_mistakes_quote(mistakes, node->text);
    return node->plain ? quoted : tr_arena_print(mistakes->arena, "the text %s", quoted);
}
