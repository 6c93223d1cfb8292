/* One value of an argument, of any kind but a nested message. */
#ifndef TR_ARGS_VALUE_H
#define TR_ARGS_VALUE_H

#include "config/yaml.h"

/* Bytes of a value of this kind in a struct; not for nested messages. */
size_t tr_args_size(enum troupe_kind kind);

/* Checks `node` and writes its value to `at`. */
void tr_args_value(struct tr_mistakes *mistakes, const struct troupe_field *field,
                   const struct tr_yaml *node, void *at);

#endif
