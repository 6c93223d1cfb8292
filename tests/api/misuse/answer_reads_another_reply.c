/* expect: word */
#include "common.h"

TROUPE_ANSWER(counter, lookup, found) {
    if (outcome == TROUPE_OK) me->sum += reply->word;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter, TROUPE_ANSWERS(counter, lookup, found))
