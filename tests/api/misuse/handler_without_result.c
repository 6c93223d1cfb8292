/* expect: (return-type|non-void) */
#include "common.h"

TROUPE_ON(counter, count) {
    me->sum += msg->n;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
