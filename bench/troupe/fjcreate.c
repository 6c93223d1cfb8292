/* Savina's "fork-join create": one actor spawns n others at once and sends each one message; each answers
 * and ends; the time is up when all have. */
#include "bench_troupe.h"

#define TASK_FIELDS(field) field(u64, number)
TROUPE_MESSAGE(task, TASK_FIELDS)
TROUPE_MESSAGE(finished, TASK_FIELDS)

struct child {
    char unused;
};
TROUPE_ON(child, task) {
    enum troupe_status status = troupe_reply(self, finished, .number = msg->number);
    return status == TROUPE_OK ? troupe_exit(self) : status;
}
TROUPE_ACTOR(child, TROUPE_HANDLES(child, task))

struct starter {
    uint64_t n, finished;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    me->n = args->n;
    me->began = bench_now();
    for (uint64_t i = 0; i < me->n; i++) {
        troupe_address address;
        enum troupe_status status = troupe_spawn_empty(self, &address, child);
        if (status == TROUPE_OK) status = troupe_send(self, address, task, .number = i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, finished) {
    if (++me->finished < me->n) return TROUPE_OK;
    bench_latency("fjcreate", "workers:auto", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, finished))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &child_actor, NULL };
    return bench_run_starter("fjcreate", "auto", bench_count(argc, argv, 200000), actors);
}
