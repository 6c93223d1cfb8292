/* Two actors, two workers: whether the scheduler keeps a pair together or pays for waking a thread. */
#include "pingpong_actors.h"

static const char tree[] =
    "name: pingpong_threads\n"
    "threads: 2\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong }\n"
    "    - { name: ping, actor: ping, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    return pingpong_run("pingpong_threads", "workers:2", tree, bench_count(argc, argv, 200000));
}
