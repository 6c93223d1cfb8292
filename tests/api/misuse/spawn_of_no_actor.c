/* expect: nobody_actor */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_spawn(self, &me->other, nobody, count, .n = msg->n);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
