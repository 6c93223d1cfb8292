/* expect: format */
#include "common.h"

TROUPE_ON(counter, count) {
    if (msg->n == 0) return TROUPE_FAIL(self, "%s", 3);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
