/* expect: cuont */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_send(self, me->other, cuont, .n = msg->n);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
