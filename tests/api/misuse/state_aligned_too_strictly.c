/* expect: a state is aligned as malloc aligns memory */
#include "common.h"

struct vector {
    _Alignas(64) double lanes[8];
};

TROUPE_ON(vector, count) {
    me->lanes[0] += (double)msg->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(vector, TROUPE_HANDLES(vector, count))
