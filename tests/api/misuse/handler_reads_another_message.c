/* expect: limit */
#include "common.h"

TROUPE_ON(counter, count) {
    me->sum += msg->limit;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
