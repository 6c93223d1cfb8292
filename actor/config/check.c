#include "config/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/value.h"

static int compare_pairs(const void *left, const void *right) {
    const struct tr_yaml_pair *const *a = left, *const *b = right;
    int order = strcmp((*a)->key->text, (*b)->key->text);
    return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* Sorted, for a mapping may have fifty thousand keys. */
void tr_check_doubles(struct tr_mistakes *mistakes, const struct tr_yaml *map) {
    const struct tr_yaml_pair **pairs = tr_arena_array(mistakes->arena, map->count, sizeof *pairs);
    for (uint32_t i = 0; i < map->count; i++) pairs[i] = &map->pairs[i];
    qsort(pairs, map->count, sizeof *pairs, compare_pairs);
    for (uint32_t i = 1, first = 0; i < map->count; i++) {
        if (strcmp(pairs[first]->key->text, pairs[i]->key->text) != 0) {
            first = i;
            continue;
        }
        tr_mistake(mistakes, pairs[i]->key->where, "the key %s is given twice; first in line %u",
                   tr_mistakes_quote(mistakes, pairs[i]->key->text), pairs[first]->key->where.line);
    }
}

static void add_words(char *list, size_t size, const struct tr_keys *keys) {
    const struct tr_key *row;
    for (uint32_t i = 0; (row = tr_keys_at(keys, i)) != NULL; i++) {
        size_t used = strlen(list);
        snprintf(list + used, size - used, "%s%s", i == 0 ? "" : ", ", row->key);
    }
}

static void look_for_near(const struct tr_keys *keys, const char *key, struct tr_suggest *suggest) {
    const struct tr_key *row;
    tr_suggest_start(suggest, key);
    for (uint32_t i = 0; (row = tr_keys_at(keys, i)) != NULL; i++) tr_suggest_consider(suggest, row->key);
}

/* Of which other mapping it is a key: NULL if of none. */
static const struct tr_keys *elsewhere(const struct tr_keys *keys, const char *key) {
    if (keys->also != NULL && tr_keys_row(keys->also, key) != NULL) return keys->also;
    for (const struct tr_keys *const *all = tr_keys_all; *all != NULL; all++)
        if (tr_keys_row(*all, key) != NULL) return *all;
    return NULL;
}

/* What is a key of the mapping that this one could be taken for, is that; any other may be a slip. */
static void tell_unknown(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                         const struct tr_yaml *key) {
    char list[512] = "";
    struct tr_suggest suggest;
    const char *quoted = tr_mistakes_quote(mistakes, key->text);
    const struct tr_keys *other = elsewhere(keys, key->text);
    look_for_near(keys, key->text, &suggest);
    if (other != NULL && (other == keys->also || suggest.best == NULL)) {
        tr_mistake(mistakes, key->where, "%s is a key of %s, not of %s", quoted, other->what, keys->what);
        return;
    }
    add_words(list, sizeof list, keys);
    tr_mistake_suggest(mistakes, key->where, &suggest, list, "unknown key %s of %s", quoted,
                       keys->what);
}

/* True: it is there with a slip, which is told already. */
static bool is_misspelt(const struct tr_keys *keys, const struct tr_yaml *map, const char *wanted) {
    for (uint32_t i = 0; i < map->count && i < TR_MISTAKES_MAX; i++) {
        struct tr_suggest suggest;
        if (tr_keys_row(keys, map->pairs[i].key->text) != NULL) continue;
        look_for_near(keys, map->pairs[i].key->text, &suggest);
        if (suggest.best != NULL && strcmp(suggest.best, wanted) == 0) return true;
    }
    return false;
}

void tr_check_needed(struct tr_mistakes *mistakes, const struct tr_keys *keys, const struct tr_yaml *map,
                     const char *key) {
    bool actor = keys == &tr_keys_actor && strcmp(key, "actor") == 0;
    if (tr_yaml_find(map, key) != NULL || is_misspelt(keys, map, key)) return;
    tr_mistake(mistakes, map->where, "%s needs the key '%s'%s", keys->what, key,
               actor ? ", or 'children' to be a supervisor" : "");
}

static void check_missing(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                          const struct tr_yaml *map) {
    const struct tr_key *row;
    for (uint32_t i = 0; (row = tr_keys_at(keys, i)) != NULL; i++)
        if (row->required) tr_check_needed(mistakes, keys, map, row->key);
}

bool tr_check_map(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                  const struct tr_yaml *map) {
    if (map->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, map, keys->what, "a mapping");
        return false;
    }
    for (uint32_t i = 0; i < map->count && !tr_mistakes_full(mistakes); i++) {
        const struct tr_yaml *key = map->pairs[i].key;
        if (tr_keys_row(keys, key->text) == NULL) tell_unknown(mistakes, keys, key);
    }
    tr_check_doubles(mistakes, map);
    check_missing(mistakes, keys, map);
    return true;
}

void tr_check_expected(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                       const char *shape) {
    tr_mistake(mistakes, node->where, "%s: expected %s, found %s", key, shape,
               tr_yaml_describe(mistakes, node));
}

const char *tr_check_name(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                          const struct tr_yaml *map, const char *key) {
    const struct tr_yaml *node = tr_yaml_get(map, key);
    tr_assert(tr_keys_row(keys, key) != NULL && tr_keys_row(keys, key)->kind == TR_KEY_NAME);
    if (node == NULL) return NULL;
    if (node->kind != TR_YAML_SCALAR || tr_yaml_is_null(node)) {
        tr_check_expected(mistakes, node, key, "a name");
        return NULL;
    }
    const char *wrong = tr_value_name(node->text);
    if (wrong == NULL) return node->text;
    tr_mistake(mistakes, node->where, "%s: %s %s", key, tr_mistakes_quote(mistakes, node->text),
               wrong);
    return NULL;
}
