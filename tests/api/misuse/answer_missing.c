/* expect: counter_troupe_answer_lookup_found */
#include "common.h"

TROUPE_ACTOR(counter, TROUPE_ANSWERS(counter, lookup, found))
