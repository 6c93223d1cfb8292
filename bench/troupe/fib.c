/* Savina's "fib": an actor for each call of the recursive function. */
#include "bench_troupe.h"

#define CALL_FIELDS(field) field(u32, n) field(address, parent)
#define RESULT_FIELDS(field) field(u64, value) field(u64, calls)
TROUPE_MESSAGE(call, CALL_FIELDS)
TROUPE_MESSAGE(result, RESULT_FIELDS)

struct fib {
    uint64_t value, calls;
    troupe_address parent;
    bool half;
};
static enum troupe_status fib_tell(troupe_self *self, struct fib *me) {
    enum troupe_status status =
        troupe_send(self, me->parent, result, .value = me->value, .calls = me->calls + 1);
    return status == TROUPE_OK ? troupe_exit(self) : status;
}
TROUPE_ON(fib, result) {
    me->value += msg->value;
    me->calls += msg->calls;
    if (me->half) return fib_tell(self, me);
    me->half = true;
    return TROUPE_OK;
}
TROUPE_ACTOR_DECLARE(fib)
TROUPE_START(fib, call) {
    me->parent = args->parent;
    if (args->n < 2) {
        me->value = args->n;
        return fib_tell(self, me);
    }
    troupe_address left, right, here = troupe_self_address(self);
    enum troupe_status status = troupe_spawn(self, &left, fib, call, .n = args->n - 1, .parent = here);
    if (status != TROUPE_OK) return status;
    return troupe_spawn(self, &right, fib, call, .n = args->n - 2, .parent = here);
}
TROUPE_ACTOR(fib, TROUPE_STARTS(fib, call), TROUPE_HANDLES(fib, result))

struct starter {
    uint64_t n;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    troupe_address address;
    me->n = args->n;
    me->began = bench_now();
    return troupe_spawn(self, &address, fib, call, .n = (uint32_t)args->n,
                        .parent = troupe_self_address(self));
}
static uint64_t fib_plain(uint64_t n) { return n < 2 ? n : fib_plain(n - 1) + fib_plain(n - 2); }

TROUPE_ON(starter, result) {
    int64_t took = bench_now() - me->began;
    if (msg->value != fib_plain(me->n)) return TROUPE_FAIL(self, "a wrong number");
    char params[64];
    (void)snprintf(params, sizeof params, "fib:%llu,workers:auto", (unsigned long long)me->n);
    bench_latency("fib", params, msg->calls, took);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, result))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &fib_actor, NULL };
    return bench_run_starter("fib", "auto", bench_count(argc, argv, 25), actors);
}
