/* `explain`: who runs where, and why. */
#include <string.h>

#include "base/assert.h"
#include "config/placing.h"

enum { COLUMNS = 5, CELL_SIZE = 256 };

struct row {
    const char *cells[COLUMNS]; /* path, actor, place, lane, why */
    char place[2 * CELL_SIZE], why[2 * CELL_SIZE];
};

struct table {
    FILE *out;
    int widths[COLUMNS];
};

static const char *lane_name(enum tr_lane lane) {
    static const char *const names[] = { "direct", "inproc", "ipc", "tcp" };
    tr_assert(lane <= TR_LANE_TCP);
    return names[lane];
}

static void describe_place(const struct tr_child *child, char *text, size_t size) {
    const struct tr_placement *placement = &child->placement;
    const struct tr_child *host = tr_config_host(child);
    if (host != NULL) {
        snprintf(text, size, "thread%s in %s", placement->own_thread ? " own" : "", host->path);
        return;
    }
    bool process = placement->place == TR_PLACE_PROCESS;
    char details[CELL_SIZE] = "";
    if (process && placement->start == TR_START_SPAWN) snprintf(details, sizeof details, "spawn");
    tr_process_options_print(placement->options, details, sizeof details);
    snprintf(text, size, "%s%s%s%s%s%s", process ? "process" : "thread",
             placement->group == NULL && !placement->own_thread ? "" : " ",
             placement->own_thread ? "own" : placement->group == NULL ? "" : placement->group,
             details[0] == '\0' ? "" : " (", details, details[0] == '\0' ? "" : ")");
}

/* "the tree" and "default" are not quoted: they are not globs. */
static void describe_why(const struct tr_placement *placement, char *text, size_t size) {
    const struct tr_where *where = &placement->where;
    const char *quote = placement->rule[0] == '/' ? "\"" : "";
    int used = snprintf(text, size, "%s%s%s", quote, placement->rule, quote);
    if (where->line == 0 || used < 0 || (size_t)used >= size) return;
    snprintf(text + used, size - (size_t)used, ", %s:%u:%u", where->file, where->line,
             where->column);
}

static void make_row(const struct tr_child *actor, struct row *row) {
    describe_place(actor, row->place, sizeof row->place);
    describe_why(&actor->placement, row->why, sizeof row->why);
    row->cells[0] = actor->path;
    row->cells[1] = actor->is_supervisor ? "supervisor" : actor->actor_name == NULL ? "" : actor->actor_name;
    row->cells[2] = row->place;
    row->cells[3] = lane_name(actor->placement.lane);
    row->cells[4] = row->why;
}

static void widen(struct table *table, const char *const *cells) {
    for (int i = 0; i < COLUMNS; i++) {
        int width = (int)strlen(cells[i]);
        if (width > table->widths[i]) table->widths[i] = width;
    }
}

static void print(struct table *table, const char *const *cells) {
    for (int i = 0; i < COLUMNS - 1; i++) fprintf(table->out, "%-*s  ", table->widths[i], cells[i]);
    fprintf(table->out, "%s\n", cells[COLUMNS - 1]);
}

/* Supervisors without a place of their own are where the one above them is. */
static bool is_told(const struct tr_child *child) {
    const struct tr_placement *placement = &child->placement;
    return !child->is_supervisor || placement->place != TR_PLACE_THREAD || placement->lane != TR_LANE_DIRECT;
}

/* What a template makes is where its supervisor is. */
static void each_row(void *context, const struct tr_child *child,
                     void (*use)(struct table *table, const char *const *cells)) {
    struct row row;
    if (is_told(child)) {
        make_row(child, &row);
        use(context, row.cells);
    }
    if (child->template != NULL) each_row(context, child->template, use);
}

static void measure_child(void *context, struct tr_child *child) { each_row(context, child, widen); }

static void print_child(void *context, struct tr_child *child) { each_row(context, child, print); }

void tr_config_explain(const struct tr_config *config, FILE *out) {
    static const char *const head[COLUMNS] = { "path", "actor", "place", "lane", "why" };
    struct table table = { .out = out };
    widen(&table, head);
    measure_child(&table, config->root);
    tr_tree_all(config->root, measure_child, &table);
    print(&table, head);
    print_child(&table, config->root);
    tr_tree_all(config->root, print_child, &table);
}
