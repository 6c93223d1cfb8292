/* expect: counter_troupe_start_count */
#include "common.h"

TROUPE_START(counter, found) {
    me->sum = args->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_STARTS(counter, count))
