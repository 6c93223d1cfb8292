/* Timers of include/troupe/actor.h: an alarm with the message that it brings. */
#include "core/alarm.h"
#include "core/log.h"
#include "core/run.h"

struct tr_tick {
    struct tr_alarm alarm; /* first: an alarm is cast to its tick */
    struct tr_message *message;
};

static void release(struct tr_pool *pool, struct tr_alarm *alarm) {
    tr_message_recycle(pool, ((struct tr_tick *)(void *)alarm)->message);
    tr_pool_give(pool, alarm, alarm->link.memory);
}

static void tick(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    struct tr_tick *tick = (struct tr_tick *)(void *)alarm;
    tr_alarm_hold(alarm);
    tick->message->from = troupe_self_address(&worker->self);
    (void)tr_deliver_own(worker, cell, tick->message);
    tr_alarm_drop(&worker->pool, alarm);
}

static enum troupe_status refuse(troupe_self *self, const struct troupe_message_type *type, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no timer: %s: %s", type->name, why);
    return TROUPE_INVALID;
}

static struct tr_tick *tick_new(troupe_self *self, const struct troupe_message_type *type,
                                const void *message, enum troupe_status *status) {
    uint8_t memory;
    struct tr_codec_error error;
    struct tr_pool *pool = &self->worker->pool;
    struct tr_tick *made = tr_pool_take(pool, sizeof *made, &memory);
    *status = TROUPE_NO_MEMORY;
    if (made == NULL) return NULL;
    *made = (struct tr_tick){ .alarm = { .link.memory = memory, .fire = tick, .release = release } };
    made->message = tr_message_new(tr_memory_of(self->worker->node, self->worker), type, message, status,
                                   &error);
    if (made->message != NULL) return made;
    if (*status != TROUPE_NO_MEMORY) refuse(self, type, error.text);
    tr_pool_give(pool, made, memory);
    return NULL;
}

static const char *what_is_wrong(bool handled, int64_t delay, int64_t interval) {
    if (!handled) return "the actor does not handle it";
    if (interval < 0) return "its interval is not more than 0";
    if (interval > INT64_MAX / 4) return "its interval is more than 73 years";
    return delay < 0 ? "its delay is less than 0" : NULL;
}

enum troupe_status troupe_set_timer(troupe_self *self, troupe_timer *timer, int64_t delay,
                                    int64_t interval, const struct troupe_message_type *type,
                                    const void *message) {
    enum troupe_status status;
    bool handled = tr_class_accepts(atomic_load(&self->cell->class), type);
    if (timer != NULL) timer->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    const char *wrong = what_is_wrong(handled, delay, interval);
    if (wrong != NULL) return refuse(self, type, wrong);
    struct tr_tick *made = tick_new(self, type, message, &status);
    if (made == NULL) return status;
    uint64_t id = tr_alarm_set(self->worker, self->cell, &made->alarm, delay, interval);
    if (id == 0) {
        release(&self->worker->pool, &made->alarm);
        return TROUPE_NO_MEMORY;
    }
    if (timer != NULL) timer->id = id;
    return TROUPE_OK;
}

/* Asks have their ids from the same table: one of those is no timer. */
enum troupe_status troupe_cancel(troupe_self *self, troupe_timer timer) {
    const struct tr_cell_more *more = self->cell->more;
    const struct tr_alarm *alarm = more == NULL ? NULL : tr_ids_find(&more->alarms, timer.id);
    if (alarm == NULL || alarm->fire != tick) return TROUPE_GONE;
    return tr_alarm_cancel(self->worker, self->cell, timer.id) ? TROUPE_OK : TROUPE_GONE;
}
