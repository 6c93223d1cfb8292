/* expect: (unused|ignoring) */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_lookup(self, msg->word);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
