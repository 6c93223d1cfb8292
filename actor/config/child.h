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

/* Makes a child a supervisor: strategy, restarts, within. */
void tr_child_supervision(struct tr_mistakes *mistakes, struct tr_child *child,
                          const struct tr_keys *keys, const struct tr_yaml *map);

#endif
