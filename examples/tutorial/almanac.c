/* A logbook that lasts: its supervisor keeps what it knows, and its next run begins with that. Whoever wants to hear
 * of records subscribes to them. */
#include <troupe/supervisor.h>
#include <troupe/topic.h>

#include "messages.h"

struct almanac {
    struct summary known;
};

TROUPE_START(almanac, troupe_none) {
    const struct summary *before = troupe_saved(self, summary);
    if (before != NULL) me->known = *before;
    return TROUPE_OK;
}

static enum troupe_status save(troupe_self *self, const struct summary *known) {
    return troupe_save(self, summary, .readings = known->readings, .lowest = known->lowest,
                       .highest = known->highest);
}

TROUPE_ON(almanac, reading) {
    if (msg->degrees < -273.15) return TROUPE_FAIL(self, "%.1f degrees cannot be", msg->degrees);
    bool first = me->known.readings++ == 0, highest = first || msg->degrees > me->known.highest;
    if (highest) me->known.highest = msg->degrees;
    if (first || msg->degrees < me->known.lowest) me->known.lowest = msg->degrees;
    if (highest) (void)troupe_publish(self, "records", record, .degrees = msg->degrees);
    return save(self, &me->known);
}

TROUPE_ON(almanac, report) {
    return troupe_reply(self, summary, .readings = me->known.readings, .lowest = me->known.lowest,
                        .highest = me->known.highest);
}

TROUPE_ACTOR(almanac, TROUPE_STARTS(almanac, troupe_none), TROUPE_HANDLES(almanac, reading, report))
