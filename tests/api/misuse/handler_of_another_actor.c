/* expect: counter_troupe_on_count */
#include "common.h"

struct other {
    uint64_t sum;
};

TROUPE_ON(other, count) {
    me->sum += msg->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
