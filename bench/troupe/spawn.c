/* One actor spawns n others, one after the other; each reports that it has started, and ends. */
#include "bench_troupe.h"

#define JOB_FIELDS(field) field(address, parent)
TROUPE_MESSAGE(job, JOB_FIELDS)
TROUPE_MESSAGE_EMPTY(started)

struct child {
    char unused;
};
TROUPE_START(child, job) {
    enum troupe_status status = troupe_send_empty(self, args->parent, started);
    return status == TROUPE_OK ? troupe_exit(self) : status;
}
TROUPE_ACTOR(child, TROUPE_STARTS(child, job))

struct parent {
    uint64_t n, left;
    int64_t began;
};
static enum troupe_status parent_spawn(troupe_self *self) {
    troupe_address address;
    return troupe_spawn(self, &address, child, job, .parent = troupe_self_address(self));
}
TROUPE_START(parent, bench_start) {
    me->n = me->left = args->n;
    me->began = bench_now();
    return parent_spawn(self);
}
TROUPE_ON(parent, started) {
    if (--me->left > 0) return parent_spawn(self);
    bench_latency("spawn", "chain", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(parent, TROUPE_STARTS(parent, bench_start), TROUPE_HANDLES(parent, started))

static const char tree[] =
    "name: spawn\n"
    "threads: 1\n"
    "tree:\n"
    "  children:\n"
    "    - { name: parent, actor: parent, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &parent_actor, &child_actor, NULL };
    return bench_run("spawn", actors, tree, (unsigned long long)bench_count(argc, argv, 300000));
}
