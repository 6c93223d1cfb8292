/*
 * The threads of a node for calls that block: include/troupe/work.h. See work.c.
 */
#ifndef TR_WORK_H
#define TR_WORK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tr_node;
struct troupe_job;

enum { TR_WORK_QUEUE = 1024 };

struct tr_work_thread;

struct tr_work_pool {
    pthread_mutex_t lock;       /* for all below */
    pthread_cond_t queued, ended;
    struct troupe_job *first, *last;
    uint32_t count;             /* of calls that have not begun */
    struct tr_work_thread *threads;
    uint32_t limit;             /* of `threads` */
    uint32_t alive, idle, busy; /* threads; one that is not idle may have yet to look for a call */
    bool closed;
};

/* At most so many threads; none: calls are made where they are asked for. False: no memory. */
bool tr_work_init(struct tr_work_pool *pool, uint32_t threads);

/* The end, once no worker runs: drops what has not begun and waits for what has, up to `within` ns (INT64_MAX:
 * for ever); the log names what it waits for. False: calls are still under way, and use pool and node. */
bool tr_work_close(struct tr_work_pool *pool, struct tr_node *node, int64_t within);
/* What is being done: "hash_file, resolve". */
void tr_work_describe(struct tr_work_pool *pool, char *text, size_t size);

/* After tr_work_close, or if no node was made. Safe on zeroes. */
void tr_work_free(struct tr_work_pool *pool);

#endif
