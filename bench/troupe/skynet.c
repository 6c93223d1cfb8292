/* Skynet: an actor spawns ten, each of them ten, down to a million leaves; each leaf tells its number, and
 * the sums travel back up. */
#include "bench_troupe.h"

#define BRANCH_FIELDS(field) field(u64, first) field(u64, size) field(address, parent)
#define SUM_FIELDS(field) field(u64, value)
TROUPE_MESSAGE(branch, BRANCH_FIELDS)
TROUPE_MESSAGE(sum, SUM_FIELDS)

enum { CHILDREN = 10 };

struct sky {
    uint64_t value;
    unsigned answers;
    troupe_address parent;
};
TROUPE_ACTOR_DECLARE(sky)
static enum troupe_status sky_tell(troupe_self *self, troupe_address parent, uint64_t value) {
    enum troupe_status status = troupe_send(self, parent, sum, .value = value);
    return status == TROUPE_OK ? troupe_exit(self) : status;
}
TROUPE_START(sky, branch) {
    if (args->size == 1) return sky_tell(self, args->parent, args->first);
    me->parent = args->parent;
    for (uint64_t i = 0, size = args->size / CHILDREN; i < CHILDREN; i++) {
        troupe_address address;
        enum troupe_status status = troupe_spawn(self, &address, sky, branch, .size = size,
                                                 .first = args->first + i * size,
                                                 .parent = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(sky, sum) {
    me->value += msg->value;
    return ++me->answers < CHILDREN ? TROUPE_OK : sky_tell(self, me->parent, me->value);
}
TROUPE_ACTOR(sky, TROUPE_STARTS(sky, branch), TROUPE_HANDLES(sky, sum))

struct starter {
    uint64_t n;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    troupe_address address;
    me->n = args->n;
    me->began = bench_now();
    return troupe_spawn(self, &address, sky, branch, .size = args->n,
                        .parent = troupe_self_address(self));
}
TROUPE_ON(starter, sum) {
    if (msg->value != me->n * (me->n - 1) / 2) return TROUPE_FAIL(self, "a wrong sum");
    bench_latency("skynet", "per:leaf,workers:auto", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, sum))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &sky_actor, NULL };
    return bench_run_starter("skynet", "auto", bench_count(argc, argv, 1000000), actors);
}
