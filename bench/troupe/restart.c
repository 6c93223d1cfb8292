/* A supervised actor ends, and is told to end again as soon as its next run is ready: from one end to the next, the
 * supervisor's part included. `failed`: its handler fails, which is a line of the log each time. `done`: its work is
 * done, which nobody reports. `process`: it kills the process that it has to itself.
 *
 * What is logged goes to /dev/null, by way of the keeper as ever. */
#include "bench_troupe.h"

#include <signal.h>
#include <string.h>

#define FRAGILITY_FIELDS(field) field(str, how)
TROUPE_MESSAGE(fragility, FRAGILITY_FIELDS)
#define DRIVE_FIELDS(field) field(u64, n) field(str, how)
TROUPE_MESSAGE(drive, DRIVE_FIELDS)
TROUPE_MESSAGE_EMPTY(end)
TROUPE_MESSAGE_EMPTY(ready)

struct fragile {
    char how; /* the first letter says it */
};
TROUPE_START(fragile, fragility) {
    me->how = args->how[0];
    return troupe_send_empty(self, troupe_lookup(self, "/driver"), ready);
}
TROUPE_ON(fragile, end) {
    if (me->how == 'd') return troupe_exit(self);
    if (me->how == 'p') raise(SIGKILL);
    return TROUPE_FAIL(self, "as it was told to");
}
TROUPE_ACTOR(fragile, TROUPE_STARTS(fragile, fragility), TROUPE_HANDLES(fragile, end))

struct driver {
    uint64_t n, left;
    int64_t began;
    char params[64];
};
TROUPE_START(driver, drive) {
    me->n = args->n;
    me->left = args->n + args->n / 10 + 1;
    snprintf(me->params, sizeof me->params, "metric:%s,workers:1", args->how);
    return TROUPE_OK;
}
TROUPE_ON(driver, ready) {
    if (me->left == me->n) me->began = bench_now();
    if (me->left-- > 0) return troupe_send_empty(self, troupe_sender(self), end);
    bench_latency("restart", me->params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(driver, TROUPE_STARTS(driver, drive), TROUPE_HANDLES(driver, ready))

static const char tree[] =
    "name: restart\n"
    "threads: 1\n"
    "log: { level: error }\n"
    "tree:\n"
    "  restarts: 1000000\n"
    "  within: 1s\n"
    "  children:\n"
    "    - { name: driver, actor: driver, args: { n: %llu, how: %s } }\n"
    "    - { name: fragile, actor: fragile, args: { how: %s }, place: %s }\n";

/* A process takes a thousand times as long: so many fewer of them. */
int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &driver_actor, &fragile_actor, NULL };
    const char *how = argc > 2 ? argv[2] : "failed";
    bool process = strcmp(how, "process") == 0;
    unsigned long long n = bench_count(argc, argv, 100000);
    if (freopen("/dev/null", "w", stderr) == NULL) return 1;
    return bench_run("restart", actors, tree, process ? n / 1000 + 1 : n, how, how, process ? "process" : "thread");
}
