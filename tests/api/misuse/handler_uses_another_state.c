/* expect: nope */
#include "common.h"

TROUPE_ON(counter, count) {
    me->nope += msg->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
