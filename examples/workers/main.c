/* Node's worker_threads, part by part: docs/node/worker_threads.md walks through it. */
#include <stdio.h>

#include "workers.h"

struct boss { uint32_t part, awaited; };

static enum troupe_status connect_ends(troupe_self *self) {
    troupe_address left = troupe_lookup(self, "/left"), right = troupe_lookup(self, "/right");
    troupe_address me = troupe_self_address(self);
    enum troupe_status status = troupe_send(self, right, connect, .port = left, .boss = me);
    return status != TROUPE_OK ? status : troupe_send(self, left, connect, .port = right, .boss = me, .begins = true);
}

static enum troupe_status have_polled(troupe_self *self) {
    troupe_address poller = troupe_lookup(self, "/poller");
    enum troupe_status status = troupe_send(self, poller, poll_them, .messages = 3);
    for (uint32_t i = 0; i < 3 && status == TROUPE_OK; i++) status = troupe_send(self, poller, line, .text = "a line");
    return status;
}

/* Each part is over when so many have said so. */
static enum troupe_status next_part(troupe_self *self, struct boss *me) {
    me->awaited = 1;
    switch (me->part++) {
    case 0: return connect_ends(self);
    case 1:
        me->awaited = troupe_count(self, "/listener");
        return troupe_publish(self, "news", news, .text = "it rains", .boss = troupe_self_address(self));
    case 2: return give_block(self, troupe_lookup(self, "/taker"));
    case 3: return have_polled(self);
    default: troupe_shutdown(self); return TROUPE_OK;
    }
}

TROUPE_START(boss, troupe_none) { return next_part(self, me); }
TROUPE_ON(boss, over) { return --me->awaited > 0 ? TROUPE_OK : next_part(self, me); }
TROUPE_ACTOR(boss, TROUPE_STARTS(boss, troupe_none), TROUPE_HANDLES(boss, over))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &end_actor, &listener_actor, &taker_actor, &poller_actor, &boss_actor, NULL);
}
