/* The floor of idling: a process that sleeps until SIGTERM. */
#include <unistd.h>

#include "../bench.h"

int main(void) {
    bench_ready("pause");
    (void)pause();
    return 0;
}
