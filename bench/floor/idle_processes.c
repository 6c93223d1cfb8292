/* Processes that sleep. */
#include "../processes.h"

static void nothing(void) {}

int main(int argc, char **argv) { return bench_idle_processes(argc, argv, nothing); }
