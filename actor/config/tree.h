/* The supervisor tree, from YAML to struct tr_child. */
#ifndef TR_TREE_H
#define TR_TREE_H

#include "config/yaml.h"

struct tr_tree_input {
    struct tr_mistakes *mistakes;
    const struct troupe_actor_type *const *actors; /* ends with NULL; may be NULL */
    uint32_t count;                                /* actors so far; starts as 0 */
};

/* The root; `tree` may be NULL. Never NULL: after mistakes it is what could be made out. */
struct tr_child *tr_tree_build(struct tr_tree_input *input, const struct tr_yaml *tree);

#endif
