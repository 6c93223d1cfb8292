/* What becomes of the runs of actors, which the node tells (struct tr_watcher), and what is logged: of both the last
 * part is kept, until the test asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/kit.h"

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

static enum troupe_status begins(void *context, struct tr_worker *worker, struct tr_cell *cell) {
    troupe_test *kit = context;
    char text[TR_PATH_SIZE];
    const char *path = path_of(worker->node, cell, text);
    if (is_news(kit, cell)) note(kit, "+", path);
    const char *why = tr_kit_refuses(kit, path);
    if (why == NULL) return TROUPE_OK;
    snprintf(worker->self.failure, sizeof worker->self.failure, "%s", why);
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
