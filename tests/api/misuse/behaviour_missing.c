/* expect: counter_tired_behaviour */
#include "common.h"

TROUPE_ON(counter, count) { return troupe_become(self, counter, tired); }
