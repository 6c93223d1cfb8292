/* A process is ready when NNG has started in it: its parent must not use NNG, which a fork would be fatal to. */
#include "../processes.h"
#include "started.h"

int main(int argc, char **argv) { return bench_start_processes(argc, argv, start_nng); }
