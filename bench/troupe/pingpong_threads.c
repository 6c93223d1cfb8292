/* Two actors, each with a thread of its own: asleep between two messages, and spinning (which needs two free
 * cores). The floor's hand-offs are the same without a framework. */
#include "pingpong_actors.h"

#include <string.h>

static const char tree[] =
    "name: pingpong_threads\n"
    "threads: 1\n"
    "spin: %s\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong, place: { thread: own } }\n"
    "    - { name: ping, actor: ping, place: { thread: own }, args: { n: %llu } }\n";

/* pingpong_threads [N [asleep|spinning]] */
int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &pong_actor, &ping_actor, NULL };
    bool spins = argc > 2 && strcmp(argv[2], "spinning") == 0;
    bench_work = "pingpong_threads";
    bench_params = spins ? "handoff:spinning,spin:10ms" : "handoff:asleep,spin:0";
    return bench_run(bench_work, actors, tree, spins ? "10ms" : "0us",
                     (unsigned long long)bench_count(argc, argv, 100000));
}
