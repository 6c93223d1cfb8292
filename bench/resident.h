/* The resident memory of this process, in bytes, for programs in C and C++. */
#ifndef TR_BENCH_RESIDENT_H
#define TR_BENCH_RESIDENT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline double bench_resident(void) {
    unsigned long all, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2) abort();
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

#endif
