/* One child of the tree, without its own children. */
#ifndef TR_CHILD_H
#define TR_CHILD_H

#include "config/check.h"
#include "config/tree.h"

/* Never NULL: after mistakes it has defaults, and `actor` may be NULL. */
struct tr_child *tr_child_actor(struct tr_tree_input *input, const struct tr_child *parent,
                                const struct tr_yaml *map);
struct tr_child *tr_child_supervisor(struct tr_tree_input *input, const struct tr_child *parent,
                                     const struct tr_yaml *map);

/* What each child of a dynamic supervisor is. NULL: it is no mapping. */
struct tr_child *tr_child_template(struct tr_tree_input *input, const struct tr_child *parent,
                                   const struct tr_yaml *map);

/* Once all are placed: tells actors that this program does not have, unless another one is executed for them. */
void tr_child_check_actors(struct tr_tree_input *input, struct tr_child *root);

/* ---- supervision.c ---- */

/* Makes a child a supervisor, but for its children. */
void tr_child_supervision(struct tr_tree_input *input, struct tr_child *child,
                          const struct tr_keys *keys, const struct tr_yaml *map);

/* What its supervisor needs to know of any child. */
void tr_child_common(struct tr_tree_input *input, const struct tr_child *parent, struct tr_child *child,
                     const struct tr_keys *keys, const struct tr_yaml *map);

#endif
