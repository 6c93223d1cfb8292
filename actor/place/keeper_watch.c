/*
 * The keeper looks after processes that have a `watchdog` or a limit of `memory`: now and then, and only while there
 * are any. The processes themselves are not woken by it, whatever they do.
 *
 * A look at a node is a few loads from its flight page, and one call that says whether its process is stopped; waitid
 * says nothing of one that is being traced, so that a debugger may take its time. A look at memory is one read of
 * /proc/PID/statm: what the process has for itself alone, and in memory (not what it shares: code, large payloads, pages
 * of the keeper that it has not touched). About once a second, and more often when it grows.
 *
 * Failures. A process without /proc is not looked at for its memory; its hard limit is there in any case
 * (process_options.c), and what the process had at most is known when it is reaped.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place/keeper_driver.h"

#define SECOND (INT64_C(1000) * 1000 * 1000)
#define GROWING (SECOND / 20) /* from one look to the next, at memory that may soon be too much */

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* All that are looked at as often are looked at together. */
static int64_t next_look(int64_t now, int64_t interval) { return (now / interval + 1) * interval; }

static struct tr_ward *process_of(struct tr_driver *driver, struct tr_ward *ward) {
    return ward->spec->kind == TR_NODE_INPROC ? tr_wards_find(driver, ward->spec->host) : ward;
}

/* ---- The watchdog ---- */

static bool is_stopped(const struct tr_ward *process) {
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid == process->pid;
}

static void bark(struct tr_driver *driver, const struct tr_ward *ward, const struct tr_ward *process,
                 enum tr_watchdog_verdict verdict, int64_t lasted, int64_t now) {
    char why[TR_CONTROL_TEXT_SIZE];
    bool stopped = verdict == TR_WATCHDOG_STOPPED, own = ward == process;
    snprintf(why, sizeof why, "watchdog: %s for %.1f s%s%.100s", stopped ? "it was stopped" : "no progress",
             (double)lasted / (double)SECOND, own ? "" : " of ", own ? "" : ward->spec->path);
    tr_keeper_stuck(driver->keeper, process->spec->id, stopped ? TR_CAUSE_FROZEN : TR_CAUSE_STUCK, why, now);
}

static int64_t watch(struct tr_driver *driver, struct tr_ward *ward, const struct tr_ward *process, int64_t now) {
    struct tr_watchdog *dog = ward->dog;
    int64_t lasted;
    enum tr_watchdog_verdict verdict =
        tr_watchdog_look(dog, ward->page, ward->workers, is_stopped(process), now, &lasted);
    if (verdict != TR_WATCHDOG_FINE) bark(driver, ward, process, verdict, lasted, now);
    return next_look(now, dog->usual);
}

/* ---- Memory ---- */

/* Bytes; -1: not to be had. */
static int64_t memory_of(struct tr_ward *ward) {
    char text[128];
    long long size, resident, shared;
    ssize_t got = pread(ward->statm, text, sizeof text - 1, 0);
    if (got <= 0) return -1;
    text[got] = '\0';
    if (sscanf(text, "%lld %lld %lld", &size, &resident, &shared) != 3) return -1;
    ward->shared = shared * sysconf(_SC_PAGESIZE);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

static void say_how_much(int64_t used, int64_t allowed, char *text, size_t size) {
    snprintf(text, size, "out of memory: it had %.1f MiB, and %.1f MiB are allowed", (double)used / 1048576,
             (double)allowed / 1048576);
}

static int64_t weigh(struct tr_driver *driver, struct tr_ward *ward, int64_t allowed, int64_t now) {
    char why[TR_CONTROL_TEXT_SIZE];
    int64_t used = memory_of(ward), grown = used - ward->memory;
    if (used < 0) return INT64_MAX;
    ward->memory = used;
    if (used > allowed) {
        say_how_much(used, allowed, why, sizeof why);
        tr_keeper_exceeded(driver->keeper, ward->spec->id, why);
    }
    ward->calm = grown > allowed / 64 ? GROWING : earlier(2 * ward->calm, SECOND);
    return next_look(now, used > allowed / 2 ? GROWING : ward->calm);
}

/* ---- All of them ---- */

static int64_t look_at(struct tr_driver *driver, struct tr_ward *ward, int64_t now) {
    struct tr_ward *process = process_of(driver, ward);
    const struct tr_process_options *options = tr_ward_options(driver, process);
    if (options == NULL || process->pid == 0) return INT64_MAX;
    if (now < ward->look_at) return ward->look_at;
    int64_t next = INT64_MAX;
    if (options->watchdog > 0 && ward->page_used) next = watch(driver, ward, process, now);
    if (ward == process && ward->statm >= 0) next = earlier(next, weigh(driver, ward, options->memory, now));
    ward->look_at = next;
    return next;
}

void tr_driver_look(struct tr_driver *driver, int64_t now) {
    if (now < driver->look_at) return;
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < driver->ward_count; i++) next = earlier(next, look_at(driver, &driver->wards[i], now));
    driver->look_at = next;
}

bool tr_watch_open(struct tr_driver *driver) {
    for (size_t i = 0; i < driver->ward_count; i++) {
        struct tr_ward *ward = &driver->wards[i];
        const struct tr_process_options *options = tr_ward_options(driver, process_of(driver, ward));
        ward->workers = driver->options->workers == NULL ? 1 : driver->options->workers[i];
        if (options == NULL || options->watchdog == 0) continue;
        ward->dog = calloc(1, sizeof *ward->dog);
        if (ward->dog == NULL) return false;
    }
    return true;
}

void tr_ward_watch_from_now(struct tr_driver *driver, struct tr_ward *ward) {
    const struct tr_process_options *options = tr_ward_options(driver, process_of(driver, ward));
    int64_t now = tr_driver_now();
    if (options == NULL) return;
    ward->memory = 0;
    ward->calm = GROWING;
    ward->look_at = 0;
    if (ward->dog != NULL) tr_watchdog_reset(ward->dog, options->watchdog, now);
    if (ward->dog != NULL || options->memory > 0) driver->look_at = earlier(driver->look_at, now);
}

void tr_ward_watch_process(struct tr_driver *driver, struct tr_ward *ward) {
    const struct tr_process_options *options = tr_ward_options(driver, ward);
    char path[64];
    if (options == NULL || options->memory == 0) return;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)ward->pid);
    ward->statm = open(path, O_RDONLY | O_CLOEXEC);
}

void tr_ward_unwatch(struct tr_ward *ward) {
    if (ward->statm >= 0) close(ward->statm);
    ward->statm = -1;
}

bool tr_ward_exceeded(const struct tr_driver *driver, const struct tr_ward *ward, const struct rusage *usage,
                      char *why, size_t size) {
    const struct tr_process_options *options = tr_ward_options(driver, ward);
    int64_t peak = (int64_t)usage->ru_maxrss * 1024 - ward->shared;
    if (options == NULL || options->memory == 0 || peak <= options->memory) return false;
    say_how_much(peak, options->memory, why, size);
    return true;
}
