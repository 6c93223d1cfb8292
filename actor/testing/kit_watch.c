/*
 * What becomes of the runs of actors, and of some before they begin: the node tells the kit (struct tr_watcher). Also
 * the log, as it is one more thing that is told. Of all of it the last part is kept.
 *
 * Faults. A run that is to fail first takes in what it has been sent, and is then ended between two steps, by the worker
 * that would run its cell: as if one of its handlers had just failed. The next beginnings of a path fail in the node's call of `begins`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/run.h"
#include "core/send.h"
#include "testing/kit.h"

/* ---- Tails ---- */

/* Without memory it is not kept. What goes is half of it, up to the next blank or line. */
void tr_kit_tail_add(struct tr_kit_tail *tail, const char *text, size_t size) {
    if (tail->text == NULL) tail->text = calloc(1, TR_KIT_TAIL + 1);
    if (tail->text == NULL || size > TR_KIT_TAIL / 2) return;
    if (tail->size + size > TR_KIT_TAIL) {
        const char *half = tail->text + tail->size / 2, *from = strpbrk(half, " \n");
        from = from == NULL ? half : from + 1;
        tail->size -= (size_t)(from - tail->text);
        memmove(tail->text, from, tail->size);
    }
    memcpy(tail->text + tail->size, text, size);
    tail->size += size;
    tail->text[tail->size] = '\0';
}

const char *tr_kit_tail_take(struct tr_kit_tail *tail) {
    free(tail->taken);
    tail->taken = tail->text;
    tail->text = NULL;
    tail->size = 0;
    return tail->taken == NULL ? "" : tail->taken;
}

void tr_kit_tail_free(struct tr_kit_tail *tail) {
    free(tail->text);
    free(tail->taken);
}

/* ---- Runs ---- */

static const char *path_of(struct tr_node *node, const struct tr_cell *cell, char text[TR_PATH_SIZE]) {
    troupe_address who = { node->id, cell->slot, cell->run_generation };
    if (cell->more != NULL && cell->more->path != NULL) return cell->more->path;
    return tr_node_path(node, who, text, TR_PATH_SIZE);
}

/* Those of Troupe's own that every node has, and the probe, are no news. */
static bool is_news(const troupe_test *kit, const struct tr_cell *cell) {
    return cell->slot >= TR_FIRST_SLOT && cell->slot != kit->probe.slot;
}

static void note(troupe_test *kit, const char *what, const char *path) {
    if (kit->life.size > 0) tr_kit_tail_add(&kit->life, " ", 1);
    tr_kit_tail_add(&kit->life, what, strlen(what));
    tr_kit_tail_add(&kit->life, path, strlen(path));
}

static struct tr_kit_refusal *refusal_of(troupe_test *kit, const char *path) {
    struct tr_kit_refusal *refusal = kit->refusals;
    while (refusal != NULL && strcmp(refusal->path, path) != 0) refusal = refusal->next;
    return refusal;
}

static enum troupe_status begins(void *context, struct tr_worker *worker, struct tr_cell *cell) {
    troupe_test *kit = context;
    char text[TR_PATH_SIZE];
    const char *path = path_of(worker->node, cell, text);
    if (is_news(kit, cell)) note(kit, "+", path);
    struct tr_kit_refusal *refusal = refusal_of(kit, path);
    if (refusal == NULL || refusal->times == 0) return TROUPE_OK;
    refusal->times--;
    snprintf(worker->self.failure, sizeof worker->self.failure, "%s", refusal->why);
    return TROUPE_FAILED;
}

/* The texts of a report lie beside it, but for those that last. */
static void copy_end(struct tr_kit_end *end, const struct troupe_death *death) {
    struct tr_death *to = &end->death;
    to->report = *death;
    snprintf(to->path, sizeof to->path, "%s", death->path);
    snprintf(to->by, sizeof to->by, "%s", death->by);
    snprintf(to->text, sizeof to->text, "%s", death->text);
    snprintf(to->message, sizeof to->message, "%s", death->message);
    snprintf(to->cause, sizeof to->cause, "%s", death->cause);
    to->report.path = to->path;
    to->report.by = to->by;
    to->report.text = to->text;
    to->report.message = to->message;
    to->report.cause = to->cause;
}

static struct tr_kit_end *take_first_end(troupe_test *kit) {
    struct tr_kit_end *end = kit->ends;
    kit->ends = end->next;
    if (kit->ends == NULL) kit->last_end = NULL;
    kit->end_count--;
    return end;
}

static void keep_end(troupe_test *kit, const struct troupe_death *death) {
    struct tr_kit_end *end = kit->end_count == TR_KIT_ENDS ? take_first_end(kit) : malloc(sizeof *end);
    if (end == NULL) return;
    end->next = NULL;
    copy_end(end, death);
    if (kit->ends == NULL) kit->ends = end;
    else kit->last_end->next = end;
    kit->last_end = end;
    kit->end_count++;
}

static void ended(void *context, struct tr_cell *cell, const struct troupe_death *death) {
    troupe_test *kit = context;
    char what[64];
    if (!is_news(kit, cell)) return;
    snprintf(what, sizeof what, "%s", troupe_death_name((enum troupe_death_kind)death->kind));
    note(kit, what, death->path);
    keep_end(kit, death);
}

/* ---- The log: the date is up to the first blank ---- */

static void take_line(void *context, enum troupe_level level, const char *line, size_t size) {
    troupe_test *kit = context;
    const char *rest = memchr(line, ' ', size);
    (void)level;
    rest = rest == NULL ? line : rest + 1;
    tr_kit_tail_add(&kit->log, rest, size - (size_t)(rest - line));
}

void tr_kit_watch(troupe_test *kit) {
    kit->watcher = (struct tr_watcher){ .begins = begins, .ended = ended, .context = kit };
    kit->logger = (struct tr_logger){ .form = TR_LOG_PRETTY, .level = kit->program.config->log_level,
                                      .line = take_line, .context = kit };
}

void tr_kit_unwatch(troupe_test *kit) {
    while (kit->ends != NULL) free(take_first_end(kit));
    free(kit->taken_end);
    for (struct tr_kit_refusal *refusal = kit->refusals; refusal != NULL;) {
        struct tr_kit_refusal *next = refusal->next;
        free(refusal);
        refusal = next;
    }
    tr_kit_tail_free(&kit->log);
    tr_kit_tail_free(&kit->life);
}

/* ---- For the test ---- */

const char *troupe_test_log(troupe_test *kit) { return tr_kit_tail_take(&kit->log); }

const char *troupe_test_take_life(troupe_test *kit, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    return tr_kit_tail_take(&kit->life);
}

static struct tr_kit_end *take_end(troupe_test *kit, const char *path) {
    struct tr_kit_end *before = NULL, *end = kit->ends;
    while (end != NULL && strcmp(end->death.path, path) != 0) {
        before = end;
        end = end->next;
    }
    if (end == NULL) return NULL;
    if (before == NULL) return take_first_end(kit);
    before->next = end->next;
    if (kit->last_end == end) kit->last_end = before;
    kit->end_count--;
    return end;
}

const struct troupe_death *troupe_test_take_death(troupe_test *kit, const char *path, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    struct tr_kit_end *end = take_end(kit, path);
    if (end == NULL) {
        tr_kit_fail(kit, file, line, "no run of %s has ended", path);
        return NULL;
    }
    free(kit->taken_end);
    kit->taken_end = end;
    return &end->death.report;
}

struct tr_cell *tr_kit_running(troupe_test *kit, troupe_address address) {
    struct tr_cell *cell = address.node == kit->node->id ? tr_cells_at(&kit->node->cells, address.slot) : NULL;
    bool runs = cell != NULL && cell->life == TR_LIFE_RUNNING && cell->run_generation == address.generation;
    return runs ? cell : NULL;
}

bool troupe_test_lives(troupe_test *kit, troupe_address address) { return tr_kit_running(kit, address) != NULL; }

void tr_kit_fail_nobody(troupe_test *kit, troupe_address address, const char *file, int line) {
    char path[TR_PATH_SIZE];
    tr_kit_fail(kit, file, line, "nobody runs at %s", tr_node_path(kit->node, address, path, sizeof path));
}

void troupe_test_fail_run(troupe_test *kit, troupe_address address, const char *why, const char *file, int line) {
    struct tr_worker *worker = &kit->node->workers[0];
    struct tr_cell *cell = tr_kit_running(kit, address);
    if (cell == NULL) {
        tr_kit_fail_nobody(kit, address, file, line);
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
    if (tr_kit_running(kit, address) == NULL) tr_kit_fail_nobody(kit, address, file, line);
    else (void)tr_stop(kit->node, &kit->node->workers[0], address, TR_STOP_KILL, kit->probe);
}

void troupe_test_fail_starts(troupe_test *kit, const char *path, uint32_t times, const char *why) {
    struct tr_kit_refusal *refusal = refusal_of(kit, path);
    if (refusal == NULL) {
        refusal = calloc(1, sizeof *refusal);
        if (refusal == NULL) return;
        refusal->next = kit->refusals;
        kit->refusals = refusal;
        snprintf(refusal->path, sizeof refusal->path, "%s", path);
    }
    refusal->times = times;
    snprintf(refusal->why, sizeof refusal->why, "%s", why);
}
