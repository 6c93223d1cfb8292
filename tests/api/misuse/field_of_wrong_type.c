/* expect: (pointer from integer|integer to pointer) */
#include "common.h"

TROUPE_ON(counter, count) {
    troupe_send(self, me->other, count, .word = 3);
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
