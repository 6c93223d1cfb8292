/*
 * The host: what one process has to do with the rest of the application. It makes the nodes of this
 * process and their lanes, and talks to the keeper, be that another process or, in one-process mode, the
 * same machine inside this one.
 *
 * One thread runs tr_host_run; everything else reaches it as a request. A process of a node gives it its
 * first thread; troupe_system_start makes one for it.
 */
#ifndef TR_HOST_H
#define TR_HOST_H

#include "place/plan.h"
#include "place/process.h"

struct tr_host;

struct tr_host_options {
    const struct tr_plan *plan;
    const struct tr_classes *classes; /* Troupe's own among them */
    const struct tr_node_start *start; /* what the keeper gave this process; NULL: one-process mode */
    int trace;                         /* descriptor, or -1; stays the caller's */
    const struct tr_logger *logger;    /* NULL: see core/log.h */
    bool serialize;
    const int64_t *time;               /* NULL: the monotonic clock. Else this is the time: the host is stepped, in
                                        * one-process mode with all on main */
    const struct tr_watcher *watcher;  /* of its nodes; NULL: none */
    bool signals;                      /* one-process mode: signals are Troupe's, SIGINT and SIGTERM stop it */
    /* The root of the tree is ready (main only). From the host's thread. May be NULL. */
    void (*started)(void *context);
    void *context;
};

/* NULL: no memory or descriptors. */
struct tr_host *tr_host_new(const struct tr_host_options *options);

/* Runs until the end, and returns the exit code of this process. Releases every node and lane. */
int tr_host_run(struct tr_host *host);

/* The same for a host that is stepped. Begin once; false: no memory or descriptors. A step does what there is to do
 * outside of the node, which is stepped apart (core/step.h); false: there was nothing. */
bool tr_host_begin(struct tr_host *host);
bool tr_host_step(struct tr_host *host);
/* When there will be something to do, if nothing happens before; INT64_MAX: no such time. */
int64_t tr_host_next(const struct tr_host *host);
/* The application has ended; with this code. */
bool tr_host_is_over(const struct tr_host *host);
int tr_host_code(const struct tr_host *host);
/* Once, whether it has ended or not. The exit code. */
int tr_host_end(struct tr_host *host);
/* False: a worker never came back, and everything it may use was left to it. The code is 137 then. */
bool tr_host_free(struct tr_host *host);

/* At the end of a process that Troupe owns, after the last tr_host_free: ends the transport's threads, so
 * that leak checkers see nothing. */
void tr_host_fini(void);

/* From any thread, until tr_host_run has returned. */
void tr_host_shutdown(struct tr_host *host);
/* The main node, which stays until tr_host_leave; NULL: it is not up, or about to go: do not leave. */
struct tr_node *tr_host_enter(struct tr_host *host);
void tr_host_leave(struct tr_host *host);
/* Adds up the nodes of this process, past ones included. Also after tr_host_run has returned. */
void tr_host_counts(struct tr_host *host, struct troupe_counts *counts);
/* Of all nodes of this process; stay until tr_host_free. */
struct tr_buffers *tr_host_buffers(struct tr_host *host);
/* Why the tree gave up; empty if it did not. */
const char *tr_host_failure(const struct tr_host *host);

#endif
