#include "core/look.h"

#include "core/send.h"

static void fill_more(struct tr_worker *worker, const struct tr_cell_more *more, struct tr_looked *looked) {
    if (more->path != NULL) looked->path = more->path;
    if (more->name != NULL) looked->name = more->name;
    looked->starting = more->unready;
    looked->run = more->run;
    looked->uptime = more->started == 0 ? 0 : tr_node_clock(worker->node) - more->started;
    looked->timers = more->alarms.count;
    looked->sources = more->sources.count;
    looked->stashed = more->stashed;
    looked->kept = more->kept.count;
    looked->otherwise = more->otherwise;
}

void tr_look_answer(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *look) {
    struct tr_looked looked = { .id = ((const struct tr_look *)tr_message_body(look))->id };
    if (cell->running->behaviour != NULL) looked.behaviour = cell->running->behaviour->name;
    if (cell->more != NULL) fill_more(worker, cell->more, &looked);
    tr_send_system(worker->node, worker, look->from, &tr_looked_message, &looked);
}
