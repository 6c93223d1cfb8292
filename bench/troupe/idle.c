/* A hundred actors that have started and have nothing to do, on all workers, until SIGTERM. */
#include "bench_troupe.h"

TROUPE_MESSAGE_EMPTY(tick)

enum { ACTORS = 100 };

struct idler {
    char unused;
};
TROUPE_ON(idler, tick) { return troupe_reply_empty(self, tick); }
TROUPE_ACTOR(idler, TROUPE_HANDLES(idler, tick))

struct starter {
    unsigned answers;
};
TROUPE_START(starter, bench_start) {
    for (unsigned i = 0; i < ACTORS; i++) {
        troupe_address address;
        enum troupe_status status = troupe_spawn_empty(self, &address, idler);
        if (status == TROUPE_OK) status = troupe_send_empty(self, address, tick);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, tick) {
    if (++me->answers == ACTORS) bench_ready("actors:100,workers:auto");
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, tick))

int main(void) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &idler_actor, NULL };
    return bench_run_starter("idle", "auto", 1, actors);
}
