/* Two actors on one worker: the cost of a message and of switching between actors. */
#include "pingpong_actors.h"

static const char tree[] =
    "name: pingpong\n"
    "threads: 1\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong }\n"
    "    - { name: ping, actor: ping, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    return pingpong_run("pingpong", "workers:1", tree, bench_count(argc, argv, 2000000));
}
