/* Two nodes in one process, joined by an NNG inproc socket. */
#include "pingpong_actors.h"

static const char tree[] =
    "name: pingpong_inproc\n"
    "threads: 1\n"
    "tree:\n"
    "  children:\n"
    "    - { name: pong, actor: pong, place: inproc }\n"
    "    - { name: ping, actor: ping, args: { n: %llu } }\n";

int main(int argc, char **argv) {
    return pingpong_run("pingpong_inproc", "lane:inproc", tree, bench_count(argc, argv, 20000));
}
