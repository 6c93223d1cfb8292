/* One actor, so one worker, spawns 64 others and gives them tasks for the processor alone; what other
 * workers take from it is up to the scheduler. The time with one worker and with two is the speed-up. */
#include "bench_troupe.h"

#define TASK_FIELDS(field) field(u32, steps)
#define RESULT_FIELDS(field) field(u32, value)
TROUPE_MESSAGE(task, TASK_FIELDS)
TROUPE_MESSAGE(result, RESULT_FIELDS)

enum { ACTORS = 64, STEPS = 20000 };

static unsigned threads; /* set by main, inherited by every process */

struct doer {
    char unused;
};
TROUPE_ON(doer, task) { return troupe_reply(self, result, .value = bench_burn(msg->steps)); }
TROUPE_ACTOR(doer, TROUPE_HANDLES(doer, task))

struct starter {
    uint64_t n, results;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    troupe_address doers[ACTORS];
    me->n = args->n;
    me->began = bench_now();
    for (unsigned i = 0; i < ACTORS; i++) {
        enum troupe_status status = troupe_spawn_empty(self, &doers[i], doer);
        if (status != TROUPE_OK) return status;
    }
    for (uint64_t i = 0; i < me->n; i++) {
        enum troupe_status status = troupe_send(self, doers[i % ACTORS], task, .steps = STEPS);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, result) {
    if (++me->results < me->n) return TROUPE_OK;
    char params[64];
    (void)snprintf(params, sizeof params, "threads:%u,actors:64,steps:20000", threads);
    bench_latency("imbalance", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, result))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &doer_actor, NULL };
    char workers[16];
    threads = bench_variant(argc, argv, 2);
    (void)snprintf(workers, sizeof workers, "%u", threads);
    return bench_run_starter("imbalance", workers, bench_count(argc, argv, 20000), actors);
}
