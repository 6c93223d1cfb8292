/* Processes in which NNG has started. */
#include "../processes.h"
#include "started.h"

int main(int argc, char **argv) { return bench_idle_processes(argc, argv, start_nng); }
