#include "core/idle.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/look.h"
#include "core/run.h"

static void release(struct tr_pool *pool, struct tr_alarm *alarm) {
    tr_pool_give(pool, alarm, alarm->link.memory);
}

static void fire(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm);

static bool arm(struct tr_worker *worker, struct tr_cell *cell, int64_t delay) {
    uint8_t memory;
    struct tr_idle *idle = cell->more->idle;
    struct tr_alarm *alarm = tr_pool_take(&worker->pool, sizeof *alarm, &memory);
    if (alarm == NULL) return false;
    *alarm = (struct tr_alarm){ .link.memory = memory, .fire = fire, .release = release };
    idle->alarm = tr_alarm_set(worker, cell, alarm, delay, 0);
    if (idle->alarm == 0) release(&worker->pool, alarm);
    return idle->alarm != 0;
}

/* How much of the silence is still to come: 0 or less, nothing. */
static int64_t rest(struct tr_worker *worker, const struct tr_idle *idle) {
    return idle->time - (tr_node_clock(worker->node) - idle->last);
}

bool tr_idle_is_early(struct tr_worker *worker, struct tr_cell *cell, const struct tr_alarm *alarm) {
    return alarm->fire == fire && (alarm->cancelled || rest(worker, cell->more->idle) > 0);
}

static void fire(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    struct tr_idle *idle = cell->more->idle;
    int64_t left = rest(worker, idle);
    (void)alarm;
    idle->alarm = 0;
    if (left > 0) {
        if (!arm(worker, cell, left)) tr_run_after(worker, cell, TROUPE_NO_MEMORY);
        return;
    }
    idle->message->from = troupe_self_address(&worker->self);
    (void)tr_deliver_own(worker, cell, idle->message);
}

/* ---- What comes ---- */

bool tr_idle_is_disturbed(struct tr_cell *cell) {
    const struct tr_link *head = cell->front.head;
    if (cell->life != TR_LIFE_RUNNING) return false;
    if (cell->held == NULL && tr_is_look(head)) return false;
    if (cell->held != NULL || head->kind == TR_LINK_MESSAGE || head->kind == TR_LINK_SOURCE) return true;
    return head->kind == TR_LINK_ALARM && ((const struct tr_alarm *)(const void *)head)->fire != fire;
}

void tr_idle_disturbed(struct tr_worker *worker, struct tr_cell *cell) {
    if (cell->turn != TR_TURN_WATCHED) return;
    struct tr_idle *idle = cell->more->idle;
    idle->last = tr_node_clock(worker->node);
    if (idle->alarm == 0 && !arm(worker, cell, idle->time)) tr_run_after(worker, cell, TROUPE_NO_MEMORY);
}

/* ---- Asking for it ---- */

static struct tr_idle *make(struct tr_worker *worker, struct tr_cell *cell) {
    enum troupe_status status;
    struct tr_codec_error error;
    struct tr_cell_more *more = tr_cell_more(cell);
    if (more == NULL || more->idle != NULL) return more == NULL ? NULL : more->idle;
    struct tr_idle *idle = calloc(1, sizeof *idle);
    if (idle == NULL) return NULL;
    idle->message = tr_message_new(tr_memory_of(worker->node, worker), &troupe_idle_message,
                                   &(struct troupe_idle){ 0 }, &status, &error);
    if (idle->message != NULL) return more->idle = idle;
    free(idle);
    return NULL;
}

/* The batch at hand does not watch yet: it ends with the message at hand, and the time counts from then. */
static enum troupe_status begin(struct tr_worker *worker, struct tr_cell *cell, int64_t time) {
    struct tr_idle *idle = make(worker, cell);
    if (idle == NULL) return TROUPE_NO_MEMORY;
    idle->time = time;
    idle->last = tr_node_clock(worker->node);
    if (!arm(worker, cell, time)) return TROUPE_NO_MEMORY;
    cell->turn = TR_TURN_WATCHED;
    tr_guard_behind(worker, cell);
    atomic_store_explicit(&worker->slice_over, true, memory_order_relaxed);
    return TROUPE_OK;
}

static void stop(struct tr_worker *worker, struct tr_cell *cell) {
    if (cell->turn != TR_TURN_WATCHED) return;
    tr_alarm_cancel(worker, cell, cell->more->idle->alarm);
    cell->turn = TR_TURN_PLAIN;
}

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no idle time: %s", why);
    return TROUPE_INVALID;
}

enum troupe_status troupe_idle_after(troupe_self *self, int64_t time) {
    if (self->cell->ended) return TROUPE_STOPPING;
    if (time < 0) return refuse(self, "it is less than 0");
    if (!tr_class_names(atomic_load(&self->cell->class), &troupe_idle_message))
        return refuse(self, "the actor does not handle troupe_idle");
    stop(self->worker, self->cell);
    return time == 0 ? TROUPE_OK : begin(self->worker, self->cell, time);
}

void tr_idle_end(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_idle *idle = cell->more->idle;
    if (idle == NULL) return;
    cell->turn = TR_TURN_PLAIN;
    cell->more->idle = NULL;
    tr_message_recycle(&worker->pool, idle->message);
    free(idle);
}
