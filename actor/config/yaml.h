/*
 * YAML text as a tree in which every node knows where it was written.
 *
 * The subset that a configuration needs: one document of mappings, lists and scalars. Anchors,
 * aliases and tags are refused, and sizes are limited, before anything is built: a text is read
 * twice, first as events (yaml_scan.c), which cost nothing, then as a document (yaml.c), which
 * costs memory.
 */
#ifndef TR_YAML_H
#define TR_YAML_H

#include "config/mistakes.h"

enum {
    TR_YAML_MAX_SIZE = 4 * 1024 * 1024, /* bytes of text */
    TR_YAML_MAX_NODES = 100 * 1000,     /* scalars (keys too), lists and mappings */
    TR_YAML_MAX_DEPTH = 32              /* lists and mappings in each other */
};

enum tr_yaml_kind { TR_YAML_SCALAR, TR_YAML_LIST, TR_YAML_MAP };

struct tr_yaml_pair;

struct tr_yaml {
    enum tr_yaml_kind kind;
    bool plain; /* a scalar without quotes */
    struct tr_where where;
    const char *text;           /* of a scalar: UTF-8, no NUL */
    struct tr_yaml **items;     /* of a list */
    struct tr_yaml_pair *pairs; /* of a mapping, in the order written, doubles included */
    uint32_t count;             /* of items or pairs */
};

struct tr_yaml_pair {
    struct tr_yaml *key; /* a scalar */
    struct tr_yaml *value;
};

/* `start` is where the first byte stands. An empty text gives NULL. False: there were mistakes, and
 * `*root` is NULL or what could be read all the same. */
bool tr_yaml_read(struct tr_mistakes *mistakes, struct tr_where start, const char *text,
                  size_t size, struct tr_yaml **root);

/* The value of the first pair with this key; NULL: none, or not a mapping. */
struct tr_yaml *tr_yaml_get(const struct tr_yaml *map, const char *key);

/* The same, with the key. */
struct tr_yaml_pair *tr_yaml_find(const struct tr_yaml *map, const char *key);

/* Adds a pair to a mapping, or gives the one it has another value. */
void tr_yaml_put(struct tr_arena *arena, struct tr_yaml *map, const char *key,
                 struct tr_yaml *value);

struct tr_yaml *tr_yaml_new_map(struct tr_arena *arena, struct tr_where where);

/* A scalar that stands for no value: nothing at all, ~ or null. */
bool tr_yaml_is_null(const struct tr_yaml *node);

/* "a list", "'text'", "nothing": for "expected ..., found ...". */
const char *tr_yaml_describe(struct tr_mistakes *mistakes, const struct tr_yaml *node);

#endif
