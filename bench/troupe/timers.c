/* One actor sets n timers, 10 to 75 seconds ahead, so that all are pending at once, and cancels them in the
 * order in which it had set them. */
#include "bench_troupe.h"

TROUPE_MESSAGE_EMPTY(tick)

struct starter {
    char unused;
};

static enum troupe_status set_all(troupe_self *self, troupe_timer *timers, uint64_t n) {
    uint32_t seed = 1;
    int64_t began = bench_now();
    for (uint64_t i = 0; i < n; i++) {
        int64_t delay = (int64_t)(10000 + bench_random(&seed)) * TROUPE_MILLISECOND;
        enum troupe_status status = troupe_after_empty(self, &timers[i], delay, tick);
        if (status != TROUPE_OK) return status;
    }
    bench_latency("timers", "metric:set", n, bench_now() - began);
    return TROUPE_OK;
}
static enum troupe_status cancel_all(troupe_self *self, const troupe_timer *timers, uint64_t n) {
    int64_t began = bench_now();
    for (uint64_t i = 0; i < n; i++) {
        enum troupe_status status = troupe_cancel(self, timers[i]);
        if (status != TROUPE_OK) return status;
    }
    bench_latency("timers", "metric:cancel", n, bench_now() - began);
    return TROUPE_OK;
}
TROUPE_START(starter, bench_start) {
    troupe_timer *timers = calloc(args->n, sizeof *timers);
    if (timers == NULL) return TROUPE_NO_MEMORY;
    enum troupe_status status = set_all(self, timers, args->n);
    if (status == TROUPE_OK) status = cancel_all(self, timers, args->n);
    free(timers);
    if (status == TROUPE_OK) troupe_shutdown(self);
    return status;
}
TROUPE_ON(starter, tick) { return TROUPE_FAIL(self, "a timer fired"); }
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, tick))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, NULL };
    return bench_run_starter("timers", "1", bench_count(argc, argv, 1000000), actors);
}
