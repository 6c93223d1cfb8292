/* expect: counter_troupe_answer_lookup_count */
#include "common.h"

TROUPE_ANSWER(counter, lookup, found) {
    if (outcome == TROUPE_OK) me->sum += reply->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_ANSWERS(counter, lookup, count))
