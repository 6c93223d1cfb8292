/* expect: counter_troupe_start_found */
#include "common.h"

TROUPE_ACTOR(counter, TROUPE_STARTS(counter, found))
