/* The bell: rings when there is a record, whoever has seen it. */
#include <stdio.h>
#include <troupe/topic.h>

#include "messages.h"

struct bell {
    char unused;
};

TROUPE_START(bell, troupe_none) { return troupe_subscribe(self, "records"); }

TROUPE_ON(bell, record) {
    printf("the bell rings: %.1f degrees\n", msg->degrees);
    fflush(stdout);
    return TROUPE_OK;
}

TROUPE_ACTOR(bell, TROUPE_STARTS(bell, troupe_none), TROUPE_HANDLES(bell, record))
