/* A weather station: which actors there are. Which of them run, and where, says the configuration. */
#include <troupe.h>

TROUPE_ACTOR_DECLARE(thermometer)
TROUPE_ACTOR_DECLARE(logbook)
TROUPE_ACTOR_DECLARE(display)
TROUPE_ACTOR_DECLARE(almanac)
TROUPE_ACTOR_DECLARE(bell)

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &thermometer_actor, &logbook_actor, &display_actor, &almanac_actor, &bell_actor,
                       NULL);
}
