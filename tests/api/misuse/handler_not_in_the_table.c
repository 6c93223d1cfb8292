/* expect: (unused).* */
#include "common.h"

TROUPE_ON(counter, count) {
    me->sum += msg->n;
    return TROUPE_OK;
}

TROUPE_ON(counter, found) {
    me->sum += msg->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
