#include "core/alarm.h"

static struct tr_alarm *alarm_of_timer(struct tr_timer *timer) {
    return (struct tr_alarm *)(void *)((char *)timer - offsetof(struct tr_alarm, timer));
}

void tr_alarm_hold(struct tr_alarm *alarm) { atomic_fetch_add(&alarm->references, 1); }

/* Whoever has the only reference has it alone: nobody else is left to take another. */
void tr_alarm_drop(struct tr_pool *pool, struct tr_alarm *alarm) {
    if (atomic_load_explicit(&alarm->references, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&alarm->references, 1, memory_order_acq_rel) == 1)
        alarm->release(pool, alarm);
}

/* One of two that are the caller's. */
static void drop_second(struct tr_alarm *alarm) {
    if (atomic_load_explicit(&alarm->references, memory_order_acquire) == 2)
        atomic_store_explicit(&alarm->references, 1, memory_order_relaxed);
    else
        atomic_fetch_sub_explicit(&alarm->references, 1, memory_order_acq_rel);
}

uint64_t tr_alarm_set(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm,
                      int64_t delay, int64_t interval) {
    struct tr_cell_more *more = tr_cell_more(cell);
    if (more != NULL && more->alarms.size == 0)
        more->alarms.first_serial = worker->node->options.incarnation << 20;
    alarm->id = more == NULL ? 0 : tr_ids_add(&more->alarms, alarm);
    if (alarm->id == 0) return 0;
    alarm->link.kind = TR_LINK_ALARM;
    alarm->owner = worker;
    alarm->cell = cell;
    alarm->interval = interval;
    atomic_store_explicit(&alarm->references, 2, memory_order_relaxed);
    int64_t now = tr_node_clock(worker->node);
    pthread_mutex_lock(&worker->wheel_lock);
    tr_timer_set(&worker->wheel, &alarm->timer, delay > INT64_MAX - now ? INT64_MAX : now + delay);
    atomic_store_explicit(&worker->has_alarms, true, memory_order_relaxed);
    pthread_mutex_unlock(&worker->wheel_lock);
    return alarm->id;
}

/* What is left is the table's reference. */
static void leave_wheel(struct tr_alarm *alarm) {
    struct tr_worker *owner = alarm->owner;
    alarm->cancelled = true;
    pthread_mutex_lock(&owner->wheel_lock);
    bool was_set = tr_timer_cancel(&owner->wheel, &alarm->timer);
    pthread_mutex_unlock(&owner->wheel_lock);
    if (was_set) drop_second(alarm);
}

struct tr_alarm *tr_alarm_take(struct tr_cell *cell, uint64_t id) {
    struct tr_alarm *alarm = cell->more == NULL ? NULL : tr_ids_remove(&cell->more->alarms, id);
    if (alarm != NULL) leave_wheel(alarm);
    return alarm;
}

bool tr_alarm_cancel(struct tr_worker *worker, struct tr_cell *cell, uint64_t id) {
    struct tr_alarm *alarm = tr_alarm_take(cell, id);
    if (alarm != NULL) tr_alarm_drop(tr_worker_pool(worker), alarm);
    return alarm != NULL;
}

void tr_alarms_cancel_all(struct tr_worker *worker, struct tr_cell *cell) {
    if (cell->more == NULL) return;
    struct tr_ids *ids = &cell->more->alarms;
    for (uint32_t i = 0; i < ids->size; i++) {
        struct tr_alarm *alarm = ids->entries[i].value;
        if (alarm != NULL) tr_alarm_cancel(worker, cell, alarm->id);
    }
}

bool tr_alarm_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    if (alarm->cancelled) return false;
    if (alarm->interval != 0) {
        alarm->fire(worker, cell, alarm);
        return true;
    }
    tr_ids_remove(&cell->more->alarms, alarm->id);
    alarm->fire(worker, cell, alarm);
    tr_alarm_drop(&worker->pool, alarm);
    return true;
}

void tr_alarm_free_link(struct tr_alarm *alarm) { atomic_store(&alarm->waiting, false); }

void tr_alarm_handled(struct tr_worker *worker, struct tr_alarm *alarm) {
    tr_alarm_free_link(alarm);
    tr_alarm_drop(&worker->pool, alarm);
}

/* ---- Firing: under the lock of the wheel ---- */

/* The next multiple of the interval that is not past: a late alarm does not fire in a burst. */
static void rearm(struct tr_alarm *alarm, int64_t now) {
    int64_t due = alarm->timer.due + alarm->interval;
    if (due <= now) due += (now - due) / alarm->interval * alarm->interval + alarm->interval;
    tr_timer_set(&alarm->owner->wheel, &alarm->timer, due);
}

/* Its link may still wait from the last time. */
static void fire(struct tr_worker *caller, struct tr_alarm *alarm, int64_t now) {
    bool again = alarm->interval != 0, push = !atomic_exchange(&alarm->waiting, true);
    if (push) tr_alarm_hold(alarm);
    if (again) rearm(alarm, now);
    if (push) tr_cell_push(alarm->owner->node, caller, alarm->cell, &alarm->link);
    if (!again) tr_alarm_drop(tr_worker_pool(caller), alarm);
}

static void fire_due(struct tr_worker *owner, struct tr_worker *caller) {
    struct tr_timer_list due;
    int64_t now = tr_node_clock(owner->node);
    tr_timer_list_init(&due);
    tr_timer_expire(&owner->wheel, now, &due);
    for (struct tr_timer *timer; (timer = tr_timer_list_pop(&due)) != NULL;)
        fire(caller, alarm_of_timer(timer), now);
}

static bool has_none(struct tr_worker *owner) {
    return !atomic_load_explicit(&owner->has_alarms, memory_order_relaxed);
}

void tr_alarms_expire(struct tr_worker *owner, struct tr_worker *caller) {
    if (has_none(owner)) return;
    pthread_mutex_lock(&owner->wheel_lock);
    fire_due(owner, caller);
    if (tr_timer_next(&owner->wheel) == INT64_MAX)
        atomic_store_explicit(&owner->has_alarms, false, memory_order_relaxed);
    pthread_mutex_unlock(&owner->wheel_lock);
}

int64_t tr_alarms_next(struct tr_worker *owner) {
    if (has_none(owner)) return INT64_MAX;
    pthread_mutex_lock(&owner->wheel_lock);
    int64_t next = tr_timer_next(&owner->wheel);
    pthread_mutex_unlock(&owner->wheel_lock);
    return next;
}
