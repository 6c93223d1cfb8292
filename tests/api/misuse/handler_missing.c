/* expect: counter_troupe_on_count */
#include "common.h"

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
