/* One process after the other, each for one actor, which tells that it is there. `fork`, `spawn`: how the process is made:
 * a supervisor starts its children one after the other, each when the one before it is ready; from the first
 * message of one to the first of the next. `fork_from_2GiB`: when the process that holds the tree is of that size.
 * `crash`: from the kill of one until the first message of its next run. */
#include "bench_troupe.h"

#include <signal.h>
#include <string.h>

#include "../processes.h"

#define DRIVE_FIELDS(field) field(u64, n) field(str, how)
TROUPE_MESSAGE(drive, DRIVE_FIELDS)
#define READY_FIELDS(field) field(i64, pid)
TROUPE_MESSAGE(ready, READY_FIELDS)

struct child {
    char unused;
};
TROUPE_START(child, troupe_none) {
    (void)args;
    return troupe_send(self, troupe_lookup(self, "/driver"), ready, .pid = getpid());
}
TROUPE_ACTOR(child, TROUPE_STARTS(child, troupe_none))

struct driver {
    uint64_t n, left;
    int64_t began;
    char how[32];
};

TROUPE_START(driver, drive) {
    me->n = args->n;
    me->left = args->n + 1; /* the first one only says when it begins */
    (void)snprintf(me->how, sizeof me->how, "%s", args->how);
    if (strcmp(me->how, "fork_from_2GiB") == 0 && !bench_fill((size_t)2 << 30)) return TROUPE_FAIL(self, "no memory");
    return TROUPE_OK;
}
TROUPE_ON(driver, ready) {
    char params[64];
    if (me->left-- > me->n) me->began = bench_now();
    if (me->left > 0 && strcmp(me->how, "crash") == 0) return kill((pid_t)msg->pid, SIGKILL) == 0 ? TROUPE_OK : TROUPE_FAILED;
    if (me->left > 0) return TROUPE_OK;
    (void)snprintf(params, sizeof params, "metric:%s", me->how);
    bench_latency("start_processes", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(driver, TROUPE_STARTS(driver, drive), TROUPE_HANDLES(driver, ready))

static const char tree[] =
    "name: start\n"
    "threads: 1\n"
    "log: { level: error }\n"
    "tree:\n"
    "  restarts: 1000000\n"
    "  within: 1s\n"
    "  children:\n"
    "    - { name: driver, actor: driver, args: { n: %llu, how: %s } }\n"
    "    - { name: child, actor: child, count: %llu, place: { process: own, start: %s } }\n";

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &driver_actor, &child_actor, NULL };
    const char *how = argc > 2 ? argv[2] : "fork";
    unsigned long long n = bench_count(argc, argv, 30);
    if (getenv("TROUPE_NODE") != NULL) return troupe_main_with(argc, argv, actors); /* executed anew, as one of them */
    if (freopen("/dev/null", "w", stderr) == NULL) return 1;
    return bench_run("start_processes", actors, tree, n, how, strcmp(how, "crash") == 0 ? 1 : n + 1,
                     strcmp(how, "spawn") == 0 ? "spawn" : "fork");
}
