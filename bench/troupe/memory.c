/* What an idle actor with 16 bytes of state costs: resident memory of the process before and after n of
 * them have started. They are spawned a thousand at a time, so that no queue of messages is counted. */
#include "bench_troupe.h"

#include "../resident.h"

#define IDLER_FIELDS(field) field(u64, number) field(address, parent)
TROUPE_MESSAGE(idler_start, IDLER_FIELDS)
TROUPE_MESSAGE_EMPTY(started)

enum { BATCH = 1000 };

struct idler {
    uint64_t number, seen;
};
TROUPE_START(idler, idler_start) {
    me->number = args->number;
    return troupe_send_empty(self, args->parent, started);
}
TROUPE_ON(idler, started) {
    me->seen++;
    return TROUPE_OK;
}
TROUPE_ACTOR(idler, TROUPE_STARTS(idler, idler_start), TROUPE_HANDLES(idler, started))

struct starter {
    uint64_t n, spawned, started;
    double before;
};
static enum troupe_status starter_spawn(troupe_self *self, struct starter *me) {
    for (unsigned i = 0; i < BATCH && me->spawned < me->n; i++) {
        troupe_address address;
        enum troupe_status status = troupe_spawn(self, &address, idler, idler_start,
                                                 .number = me->spawned,
                                                 .parent = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
        me->spawned++;
    }
    return TROUPE_OK;
}
TROUPE_START(starter, bench_start) {
    me->n = args->n;
    me->before = bench_resident();
    return starter_spawn(self, me);
}
TROUPE_ON(starter, started) {
    if (++me->started < me->spawned) return TROUPE_OK;
    if (me->spawned < me->n) return starter_spawn(self, me);
    bench_each("memory", "state:16,workers:1", me->n, bench_resident() - me->before, "bytes");
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, started))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &idler_actor, NULL };
    return bench_run_starter("memory", "1", bench_count(argc, argv, 1000000), actors);
}
