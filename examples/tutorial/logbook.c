/* The logbook: remembers how many readings there were, the lowest and the highest. It lives in its
 * state alone: a new run begins with an empty book. */
#include "messages.h"

struct logbook {
    uint64_t readings;
    double lowest, highest;
};

TROUPE_ON(logbook, reading) {
    if (msg->degrees < -273.15)
        return TROUPE_FAIL(self, "%.1f degrees cannot be", msg->degrees);
    if (me->readings == 0 || msg->degrees < me->lowest) me->lowest = msg->degrees;
    if (me->readings == 0 || msg->degrees > me->highest) me->highest = msg->degrees;
    me->readings++;
    return TROUPE_OK;
}

TROUPE_ON(logbook, report) {
    return troupe_reply(self, summary, .readings = me->readings, .lowest = me->lowest,
                        .highest = me->highest);
}

TROUPE_ACTOR(logbook, TROUPE_HANDLES(logbook, reading, report))
