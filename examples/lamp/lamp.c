#include <stdio.h>

#include "lamp.h"

struct lamp {
    char bulb[64];
    bool on;
};

static enum troupe_status turn(troupe_self *self, struct lamp *me, bool on) {
    troupe_address bulb = troupe_lookup(self, me->bulb);
    if (troupe_address_is_none(bulb)) return TROUPE_FAIL(self, "there is no bulb \"%s\"", me->bulb);
    me->on = on;
    return troupe_send(self, bulb, shine, .on = on);
}

/* The run before may have left the light on, and nobody would turn it off. */
TROUPE_START(lamp, wiring) {
    snprintf(me->bulb, sizeof me->bulb, "%s", args->bulb);
    return troupe_self_run(self) == 0 ? TROUPE_OK : turn(self, me, false);
}
TROUPE_ON(lamp, motion) {
    enum troupe_status status = troupe_idle_after(self, LAMP_TIME);
    return status != TROUPE_OK || me->on ? status : turn(self, me, true);
}
TROUPE_ON(lamp, troupe_idle) { return me->on ? turn(self, me, false) : TROUPE_OK; }

TROUPE_ACTOR(lamp, TROUPE_STARTS(lamp, wiring), TROUPE_HANDLES(lamp, motion, troupe_idle))
