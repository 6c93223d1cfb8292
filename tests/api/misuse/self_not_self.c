/* expect: incompatible pointer type */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_send(me, me->other, count, .n = msg->n);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
