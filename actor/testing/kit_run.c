/*
 * Stepping: the host, then one turn of the node, until neither finds anything to do. Time passes from one thing that
 * is due to the next, so that each sees the clock as it would have, had it really waited.
 */
#include "core/step.h"
#include "testing/kit.h"

enum { STEPS = 1000000 };

/* A hundred years: later, sums of times would overflow. */
#define LAST (100 * INT64_C(365) * 24 * 60 * TROUPE_MINUTE)

static uint32_t whose_turn(troupe_test *kit) {
    if (kit->options.seed == 0) return 0;
    return (uint32_t)tr_random_below(&kit->random, tr_node_runnable(kit->node));
}

/* ---- Steps ---- */

static bool step_node(troupe_test *kit) {
    tr_kit_let_killed_go(kit);
    struct tr_cell *cell = tr_node_take(kit->node, whose_turn(kit));
    struct tr_kit_held *held = cell == NULL ? NULL : tr_kit_held_of(kit, cell);
    if (held != NULL) held->waits = true;
    else if (cell != NULL) tr_node_run(kit->node, cell);
    return cell != NULL;
}

static bool step(troupe_test *kit) {
    bool host = tr_host_step(kit->host);
    return step_node(kit) || host;
}

/* ---- One at a time ---- */

/* False: it had none to take. The order of the others stays. */
static bool give_turn(troupe_test *kit, const struct tr_cell *to) {
    bool found = false;
    for (uint32_t left = tr_node_runnable(kit->node); left > 0; left--) {
        struct tr_cell *cell = tr_node_take(kit->node, 0);
        if (cell == to && !found) tr_node_run(kit->node, cell);
        else tr_node_give_back(kit->node, cell);
        found = found || cell == to;
    }
    return found;
}

static void catch_up(troupe_test *kit, const struct tr_cell *cell) {
    uint32_t turns = 0;
    while (turns < STEPS && tr_kit_held_of(kit, cell) == NULL && give_turn(kit, cell)) turns++;
}

void tr_kit_catch_up(troupe_test *kit, const struct tr_cell *cell) {
    catch_up(kit, cell);
    tr_kit_be_probe(kit);
}

/* Whoever has stopped it, or was linked with it: the test goes on, with another one in its place. */
static void renew_probe(troupe_test *kit) {
    if (!tr_kit_start_probe(kit)) return;
    kit->probes++;
    catch_up(kit, tr_cells_at(&kit->node->cells, kit->probe.slot));
}

/* As it is when a handler begins, but that nothing is at hand. */
void tr_kit_be_probe(troupe_test *kit) {
    struct tr_worker *worker = &kit->node->workers[0];
    if (tr_kit_running(kit, kit->probe) == NULL) renew_probe(kit);
    worker->self = (struct troupe_self){ .worker = worker,
                                         .cell = tr_cells_at(&kit->node->cells, kit->probe.slot) };
}

/* ---- All of them ---- */

bool tr_kit_settle(troupe_test *kit) {
    uint32_t steps = 0;
    while (steps < STEPS && step(kit)) steps++;
    tr_kit_be_probe(kit);
    return steps < STEPS;
}

int64_t tr_kit_next(troupe_test *kit) {
    int64_t node = tr_node_next(kit->node), host = tr_host_next(kit->host);
    return node < host ? node : host;
}

bool tr_kit_pass(troupe_test *kit, int64_t until) {
    int64_t next = tr_kit_next(kit);
    if (next > until) next = until;
    if (next > kit->time) kit->time = next;
    return tr_kit_settle(kit);
}

void troupe_test_run_all(troupe_test *kit, const char *file, int line) {
    if (!tr_kit_settle(kit)) tr_kit_fail(kit, file, line, "the actors go on for ever: a million steps at one time");
}

int64_t tr_kit_after(const troupe_test *kit, int64_t duration) {
    return duration > LAST - kit->time ? LAST : kit->time + duration;
}

void troupe_test_let_pass(troupe_test *kit, int64_t duration, const char *file, int line) {
    bool sound = duration >= 0 && duration <= LAST - kit->time;
    int64_t until = sound ? kit->time + duration : kit->time;
    bool settled = tr_kit_settle(kit);
    while (settled && kit->time < until) settled = tr_kit_pass(kit, until);
    if (!settled) tr_kit_fail(kit, file, line, "the actors go on for ever: a million steps at one time");
    else if (!sound)
        tr_kit_fail(kit, file, line, "%s: a duration of %lld ns",
                    duration < 0 ? "time does not go back" : "a kit has a hundred years", (long long)duration);
}
