/* expect: read-only|const-qualified */
#include "common.h"

TROUPE_ON(counter, count) {
    msg->n = 0;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
