/* A lamp in a hall: on when somebody moves, off when nobody has for two minutes. */
#ifndef LAMP_H
#define LAMP_H

#include <troupe.h>

#define LAMP_TIME (2 * TROUPE_MINUTE)

/* Starts it: the name of the actor that switches the bulb. */
#define WIRING(field) field(str, bulb)
TROUPE_MESSAGE(wiring, WIRING)

TROUPE_MESSAGE_EMPTY(motion)

/* To the bulb. */
#define SHINE(field) field(bool, on)
TROUPE_MESSAGE(shine, SHINE)

TROUPE_ACTOR_DECLARE(lamp)

#endif
