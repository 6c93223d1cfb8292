/* The options of a process, from a mapping: a place, or `main`. */
#ifndef TR_PROCESS_READ_H
#define TR_PROCESS_READ_H

#include "config/keys.h"

/* `keys` were checked. NULL: there are none. What is wrong is told. */
const struct tr_process_options *tr_process_options_read(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                                                         const struct tr_yaml *map);

/* `user` and `group`; either may be NULL, not both. NULL: told. (identity.c) */
const struct tr_identity *tr_identity_read(struct tr_mistakes *mistakes, const struct tr_yaml *user,
                                           const struct tr_yaml *group);

/* A text of the user's that is not empty. NULL: told. */
const char *tr_process_text(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                            const char *shape);

#endif
