/* expect: counter_troupe_stop */
#include "common.h"

TROUPE_ACTOR(counter, TROUPE_STOPS(counter))
