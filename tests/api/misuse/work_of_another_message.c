/* expect: incompatible[- ]pointer */
#include "common.h"

TROUPE_WORK(hash, lookup, found) { return troupe_work_done(work, found, .n = request->limit); }

TROUPE_ON(counter, count) { return troupe_work(self, hash, TROUPE_SECOND, count, .word = "x"); }

TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
