/* expect: incomplete type */
#include "common.h"

#define TREE_FIELDS(field) field(message(tree), left)
TROUPE_MESSAGE(tree, TREE_FIELDS)
