/* Mappings checked against the tables of keys, and their values read. */
#ifndef TR_CHECK_H
#define TR_CHECK_H

#include "config/keys.h"

/* Tells unknown keys, doubles and missing ones. False: not a mapping at all. */
bool tr_check_map(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                  const struct tr_yaml *map);

/* Tells that a key is missing, unless it is there with a slip. */
void tr_check_needed(struct tr_mistakes *mistakes, const struct tr_keys *keys, const struct tr_yaml *map,
                     const char *key);

/* Tells keys that are there twice, in any mapping. */
void tr_check_doubles(struct tr_mistakes *mistakes, const struct tr_yaml *map);

/* The value of a number, duration, word or flag; the default when it is not there or wrong, and 0
 * when there is no default. */
int64_t tr_check_value(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                       const struct tr_yaml *map, const char *key);

/* A name; NULL when it is not there or wrong. */
const char *tr_check_name(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                          const struct tr_yaml *map, const char *key);

/* "KEY: expected SHAPE, found ...". */
void tr_check_expected(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                       const char *shape);

#endif
