/* A process that is ready at once. */
#include "../processes.h"

static void nothing(void) {}

int main(int argc, char **argv) { return bench_start_processes(argc, argv, nothing); }
