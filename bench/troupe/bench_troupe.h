/* What the Troupe programs share: a start message with the number of messages, and running a tree that
 * is given as text, `%llu` in it being that number. */
#ifndef TR_BENCH_TROUPE_H
#define TR_BENCH_TROUPE_H

#include <troupe.h>

#include <unistd.h>

#include "../bench.h"

#define BENCH_START_FIELDS(field) field(u64, n)
TROUPE_MESSAGE(bench_start, BENCH_START_FIELDS)

/* Runs the tree as `PROGRAM run FILE` does: with a keeper, and with processes where it says so. */
static inline int bench_run(const char *program, const char *format, uint64_t n,
                            const struct troupe_actor_type *const *actors) {
    char path[] = "/tmp/troupe-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    if (dprintf(fd, format, (unsigned long long)n) < 0) return 1;
    (void)close(fd);
    char name[64], verb[] = "run";
    (void)snprintf(name, sizeof name, "%s", program);
    char *arguments[] = { name, verb, path, NULL };
    int code = troupe_main_with(3, arguments, actors);
    (void)unlink(path);
    return code;
}

#endif
