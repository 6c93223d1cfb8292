/* Two processes, joined by an NNG unix socket. */
#include "pingpong_actors.h"

static const char tree[] =
    "name: pingpong_processes\n"
    "threads: 1\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong, place: process }\n"
    "    - { name: ping, actor: ping, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    return pingpong_run("pingpong_processes", "lane:ipc", tree, bench_count(argc, argv, 20000));
}
