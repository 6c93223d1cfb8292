/* expect: counter_troupe_tired_on_count */
#include "common.h"

TROUPE_ON_AS(counter, awake, count) { return TROUPE_OK; }
TROUPE_BEHAVIOUR(counter, tired, TROUPE_HANDLES_AS(counter, tired, count))
TROUPE_ACTOR(counter, TROUPE_BECOMES(counter, tired))
