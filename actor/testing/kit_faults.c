/*
 * Faults. A run that is to fail first takes in what it has been sent, and is then ended between two steps, by the
 * worker that would run its cell: as if one of its handlers had just failed. Who is held has no turn: its cell is
 * kept out of the queue, as that of one whose handler does not return, until it is released or killed. The next
 * beginnings of a path fail when the node asks whether a run may begin (kit_watch.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/run.h"
#include "core/send.h"
#include "core/step.h"
#include "testing/kit.h"

struct tr_cell *tr_kit_running(troupe_test *kit, troupe_address address) {
    struct tr_cell *cell = address.node == kit->node->id ? tr_cells_at(&kit->node->cells, address.slot) : NULL;
    bool runs = cell != NULL && cell->life == TR_LIFE_RUNNING && cell->run_generation == address.generation;
    return runs ? cell : NULL;
}

bool troupe_test_lives(troupe_test *kit, troupe_address address) { return tr_kit_running(kit, address) != NULL; }

static void fail_nobody(troupe_test *kit, troupe_address address, const char *file, int line) {
    char path[TR_PATH_SIZE];
    tr_kit_fail(kit, file, line, "nobody runs at %s", tr_node_path(kit->node, address, path, sizeof path));
}

/* ---- Ends ---- */

void troupe_test_fail_run(troupe_test *kit, troupe_address address, const char *why, const char *file, int line) {
    struct tr_worker *worker = &kit->node->workers[0];
    struct tr_cell *cell = tr_kit_running(kit, address);
    if (cell == NULL) {
        fail_nobody(kit, address, file, line);
        return;
    }
    tr_kit_catch_up(kit, cell);
    if (tr_kit_running(kit, address) != cell) return; /* it has ended of that already */
    troupe_test_release(kit, address);
    worker->self = (struct troupe_self){ .worker = worker, .cell = cell };
    snprintf(worker->self.failure, sizeof worker->self.failure, "%s", why);
    tr_run_end(worker, cell, TROUPE_FAILED, false);
    tr_kit_be_probe(kit);
}

void troupe_test_kill_run(troupe_test *kit, troupe_address address, const char *file, int line) {
    if (tr_kit_running(kit, address) == NULL) fail_nobody(kit, address, file, line);
    else (void)tr_stop(kit->node, &kit->node->workers[0], address, TR_STOP_KILL, kit->probe);
}

/* ---- Beginnings that fail ---- */

static struct tr_kit_refusal *refusal_of(troupe_test *kit, const char *path) {
    struct tr_kit_refusal *refusal = kit->refusals;
    while (refusal != NULL && strcmp(refusal->path, path) != 0) refusal = refusal->next;
    return refusal;
}

static struct tr_kit_refusal *make_refusal(troupe_test *kit, const char *path) {
    struct tr_kit_refusal *refusal = calloc(1, sizeof *refusal);
    if (refusal == NULL) return NULL;
    snprintf(refusal->path, sizeof refusal->path, "%s", path);
    refusal->next = kit->refusals;
    return kit->refusals = refusal;
}

const char *tr_kit_refuses(troupe_test *kit, const char *path) {
    struct tr_kit_refusal *refusal = refusal_of(kit, path);
    if (refusal == NULL || refusal->times == 0) return NULL;
    refusal->times--;
    return refusal->why;
}

void troupe_test_refuse_runs(troupe_test *kit, const char *path, uint32_t times, const char *why, const char *file,
                             int line) {
    struct tr_kit_refusal *refusal = refusal_of(kit, path);
    if (refusal == NULL) refusal = make_refusal(kit, path);
    if (refusal == NULL) {
        tr_kit_fail(kit, file, line, "no memory to have the runs of %s fail", path);
        return;
    }
    refusal->times = times;
    snprintf(refusal->why, sizeof refusal->why, "%s", why);
}

void tr_kit_free_faults(troupe_test *kit) {
    while (kit->refusals != NULL) {
        struct tr_kit_refusal *refusal = kit->refusals;
        kit->refusals = refusal->next;
        free(refusal);
    }
}

/* ---- Who is held ---- */

struct tr_kit_held *tr_kit_held_of(troupe_test *kit, const struct tr_cell *cell) {
    struct tr_kit_held *held = kit->held;
    while (held != NULL && held->cell != cell) held = held->next;
    return held;
}

static void let_go(troupe_test *kit, struct tr_kit_held **at) {
    struct tr_kit_held *held = *at;
    *at = held->next;
    if (held->waits) tr_node_give_back(kit->node, held->cell);
    free(held);
}

static bool is_killed(struct tr_cell *cell) {
    uint64_t stop = atomic_load(&cell->stop);
    return stop != 0 && tr_stop_how(stop) == TR_STOP_KILL;
}

void tr_kit_let_killed_go(troupe_test *kit) {
    for (struct tr_kit_held **at = &kit->held; *at != NULL;) {
        if (is_killed((*at)->cell)) let_go(kit, at);
        else at = &(*at)->next;
    }
}

void tr_kit_let_all_go(troupe_test *kit) {
    while (kit->held != NULL) let_go(kit, &kit->held);
}

void troupe_test_hold_run(troupe_test *kit, troupe_address address, const char *file, int line) {
    struct tr_cell *cell = tr_kit_running(kit, address);
    if (cell == NULL) fail_nobody(kit, address, file, line);
    if (cell == NULL || tr_kit_held_of(kit, cell) != NULL) return;
    struct tr_kit_held *held = malloc(sizeof *held);
    if (held == NULL) {
        tr_kit_fail(kit, file, line, "no memory to hold it");
        return;
    }
    *held = (struct tr_kit_held){ .next = kit->held, .cell = cell };
    kit->held = held;
}

void troupe_test_release(troupe_test *kit, troupe_address address) {
    for (struct tr_kit_held **at = &kit->held; *at != NULL; at = &(*at)->next) {
        if ((*at)->cell->slot != address.slot) continue;
        let_go(kit, at);
        return;
    }
}
