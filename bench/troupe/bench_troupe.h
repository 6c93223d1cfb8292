/* What the Troupe programs share: a start message with the number of messages, and running a tree that
 * is given as text in the manner of printf. */
#ifndef TR_BENCH_TROUPE_H
#define TR_BENCH_TROUPE_H

#include <troupe.h>

#include <stdarg.h>
#include <unistd.h>

#include "../bench.h"

#define BENCH_START_FIELDS(field) field(u64, n)
TROUPE_MESSAGE(bench_start, BENCH_START_FIELDS)

/* Runs the tree as `PROGRAM run FILE` does: with a keeper, and with processes where it says so. */
static inline __attribute__((format(printf, 3, 4))) int
bench_run(const char *program, const struct troupe_actor_type *const *actors, const char *format, ...) {
    char path[] = "/tmp/troupe-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    va_list arguments;
    va_start(arguments, format);
    int written = vdprintf(fd, format, arguments);
    va_end(arguments);
    (void)close(fd);
    if (written < 0) return 1;
    char name[64], verb[] = "run";
    (void)snprintf(name, sizeof name, "%s", program);
    char *command[] = { name, verb, path, NULL };
    int code = troupe_main_with(3, command, actors);
    (void)unlink(path);
    return code;
}

/* The tree of most works: one actor, `starter`, which spawns the others. `workers` is a number or auto.
 * Its mailbox holds what a million actors may tell it at once: the peers' mailboxes have no limit. To
 * end a million actors takes its time, on a busy machine or under a sanitizer, and is not measured. */
#define BENCH_STARTER                                                                              \
    "name: bench\nthreads: %s\nshutdown: 5m\ntree:\n  children:\n"                                 \
    "    - { name: starter, actor: starter, args: { n: %llu }, mailbox: { limit: 1048576 } }\n"

static inline int bench_run_starter(const char *work, const char *workers, uint64_t n,
                                    const struct troupe_actor_type *const *actors) {
    return bench_run(work, actors, BENCH_STARTER, workers, (unsigned long long)n);
}

#endif
