/* expect: (incompatible type|troupe_address) */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_send(self, &me->other, count, .n = msg->n);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
