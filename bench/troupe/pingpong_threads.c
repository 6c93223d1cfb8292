/* Two actors in one node of two workers. The scheduler puts such a pair together on one worker: this is
 * what a user gets, and no figure of crossing threads; the row says so. */
#include "pingpong_actors.h"

static const char tree[] =
    "name: pingpong_threads\n"
    "threads: 2\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong }\n"
    "    - { name: ping, actor: ping, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    return pingpong_run("pingpong_threads", "workers:2,placed_by:scheduler", tree,
                        bench_count(argc, argv, 200000));
}
