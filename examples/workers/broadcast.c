/* A broadcast channel: a topic. What is published there comes to all who have subscribed, the publisher too if it has.
 * Environment data: what the configuration has under `data`. */
#include <stdio.h>

#include "workers.h"

struct listener { char unused; };

TROUPE_START(listener, troupe_none) { return troupe_subscribe(self, "news"); }

TROUPE_ON(listener, news) {
    printf("%s in %s: %s\n", troupe_self_path(self), troupe_data(self, "region"), msg->text);
    fflush(stdout);
    return troupe_send_empty(self, msg->boss, over);
}

TROUPE_ACTOR(listener, TROUPE_STARTS(listener, troupe_none), TROUPE_HANDLES(listener, news))
