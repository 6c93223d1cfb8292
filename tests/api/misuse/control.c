/* What every other file here does, done right. */
#include "common.h"

TROUPE_START(counter, found) {
    me->sum = args->n;
    return TROUPE_OK;
}

TROUPE_STOP(counter) { troupe_log(self, TROUPE_INFO, "%s", troupe_status_name(reason)); }

TROUPE_ON(counter, count) {
    me->sum += msg->n;
    if (msg->n == 0) return TROUPE_FAIL(self, "a count of %d", 0);
    me->other = troupe_lookup(self, "other");
    (void)troupe_send(self, me->other, found, .n = me->sum);
    return troupe_ask(self, me->other, lookup, TROUPE_SECOND, .word = msg->word, .limit = 1);
}

TROUPE_ANSWER(counter, lookup, found) {
    if (outcome == TROUPE_OK && request->limit > 0) me->sum += reply->n;
    return TROUPE_OK;
}

TROUPE_ACTOR(counter,
    TROUPE_STARTS(counter, found), TROUPE_STOPS(counter), TROUPE_HANDLES(counter, count),
    TROUPE_ANSWERS(counter, lookup, found))
