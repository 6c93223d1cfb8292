/*
 * One turn of a cell on a worker: a batch of what its mailbox holds.
 *
 * A link is handled while it is the head of the mailbox and taken off afterwards; the message that
 * empties the mailbox makes the cell idle, and from then on another worker may be running it (mailbox.h).
 * Links that must outlive their turn, because the cell is DOWN or the message is to be handled again, are
 * taken out: if nothing is behind such a link, the cell's own guard is put there first, so that taking
 * it out never empties the mailbox. What is held comes before what is in the mailbox.
 */
#include "core/alarm.h"
#include "core/depth.h"
#include "core/idle.h"
#include "core/look.h"
#include "core/run.h"
#include "core/send.h"
#include "core/source.h"

enum { BATCH = 64, NATIVE_BATCH = 256 };

/* What is part of the loop over messages, though it is called in one more place, for few cells. */
#define ALWAYS_INLINE __attribute__((always_inline)) static inline

void tr_guard_behind(struct tr_worker *worker, struct tr_cell *cell) {
    if (atomic_load(&cell->front.head->next) != NULL || cell->guarded) return;
    cell->guarded = true;
    tr_cell_push(worker->node, worker, cell, &cell->guard);
}

struct tr_link *tr_take_out(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_link *link = cell->front.head;
    tr_guard_behind(worker, cell);
    tr_cell_advance(cell);
    return link;
}

void tr_hold_first(struct tr_cell *cell, struct tr_link *link) {
    atomic_store_explicit(&link->next, cell->held, memory_order_relaxed);
    if (cell->held == NULL) cell->held_last = link;
    cell->held = link;
}

void tr_hold_last(struct tr_cell *cell, struct tr_link *link) {
    atomic_store_explicit(&link->next, NULL, memory_order_relaxed);
    if (cell->held == NULL) cell->held = link;
    else atomic_store_explicit(&cell->held_last->next, link, memory_order_relaxed);
    cell->held_last = link;
}

static bool is_bounded(const struct tr_message *message) {
    return message->inbound == NULL &&
           (message->link.flags & (TR_MESSAGE_REPLY | TR_MESSAGE_SYSTEM | TR_MESSAGE_ASIDE)) == 0;
}

/* One writer: the worker that runs the cell. */
static void count_settled(struct tr_cell *cell) {
    uint32_t settled = atomic_load_explicit(&cell->settled, memory_order_relaxed);
    atomic_store_explicit(&cell->settled, settled + 1, memory_order_release);
}

/* Those that nobody had to find room for. */
static void count_otherwise(struct tr_cell *cell, const struct tr_message *message) {
    if (cell->more != NULL && !tr_is_look(&message->link)) cell->more->otherwise++;
}

/* A message that is out of the mailbox, and was not simply handled. */
static void end_otherwise(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message,
                          bool bounded, enum tr_handled handled) {
    switch (handled) {
    case TR_AGAIN: tr_hold_first(cell, &message->link); return;
    case TR_PUT_ASIDE: /* it is somebody else's now */
        if (bounded) count_settled(cell);
        return;
    case TR_LET_GO:
    case TR_DONE: tr_message_recycle(&worker->pool, message); return;
    }
}

/* ---- One link; each returns false if the cell is idle now ---- */

static bool take_held(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_message *message = tr_message_of(cell->held);
    bool bounded = is_bounded(message);
    /* Out of the list first: the handler may end the cell, and that flushes the list. */
    cell->held = atomic_load_explicit(&message->link.next, memory_order_relaxed);
    enum tr_handled handled = tr_deliver(worker, cell, message);
    if (handled != TR_DONE) {
        end_otherwise(worker, cell, message, bounded, handled);
        return true;
    }
    if (bounded) count_settled(cell);
    else count_otherwise(cell, message);
    tr_message_recycle(&worker->pool, message);
    return true;
}

ALWAYS_INLINE bool take_message(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message) {
    if (cell->life == TR_LIFE_DOWN) {
        tr_hold_last(cell, tr_take_out(worker, cell));
        return true;
    }
    bool bounded = is_bounded(message);
    enum tr_handled handled = tr_deliver(worker, cell, message);
    if (handled != TR_DONE) {
        if (handled == TR_AGAIN) tr_take_out(worker, cell);
        end_otherwise(worker, cell, message, bounded, handled);
        return true;
    }
    if (bounded) count_settled(cell);
    else count_otherwise(cell, message);
    bool more = tr_cell_advance(cell);
    tr_message_recycle(&worker->pool, message);
    return more;
}

/* While it was in the mailbox, others thought that this wake would see their notices too. */
static bool take_wake(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_node *node = worker->node;
    bool more = tr_cell_advance(cell);
    uint8_t before = atomic_fetch_and(&cell->bell, (uint8_t)~TR_BELL_WAKE);
    if ((before & TR_BELL_ORDERS) != 0) tr_cell_ring(node, worker, cell);
    return more;
}

static bool take_guard(struct tr_cell *cell) {
    cell->guarded = false;
    return tr_cell_advance(cell);
}

/* Unless the handler let go of it itself. */
static bool advance_from(struct tr_worker *worker, struct tr_cell *cell) {
    worker->self.at_hand = NULL;
    return worker->self.let_go != TR_LET_NOT || tr_cell_advance(cell);
}

/* Its address may be known by now, and it may have been asked to stop before it was there. */
static bool take_start(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *args) {
    if (!tr_is_at_home(worker, cell)) {
        tr_schedule(worker->node, worker, cell);
        return false;
    }
    worker->self.at_hand = &args->link;
    worker->self.let_go = TR_LET_NOT;
    tr_run_begin(worker, cell, args);
    bool more = advance_from(worker, cell);
    tr_message_recycle(&worker->pool, args);
    return more;
}

static bool take_alarm(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    worker->self.at_hand = &alarm->link;
    worker->self.let_go = TR_LET_NOT;
    if (cell->life == TR_LIFE_RUNNING) tr_alarm_handle(worker, cell, alarm);
    bool more = advance_from(worker, cell);
    if (worker->self.let_go != TR_LET_NOT) tr_alarm_drop(&worker->pool, alarm); /* its link may be in the mailbox again */
    else tr_alarm_handled(worker, alarm);
    return more;
}

static bool take_source(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_link *link = tr_take_out(worker, cell);
    worker->self.at_hand = link;
    tr_source_handle(worker, cell, tr_source_of_link(link));
    worker->self.at_hand = NULL;
    return true;
}

ALWAYS_INLINE bool take_one(struct tr_worker *worker, struct tr_cell *cell) {
    /* Not the wake: it says nothing while some worker is between the two steps of take_wake, and a message
     * behind a start must not be handled before it. */
    uint8_t bell = atomic_load_explicit(&cell->bell, memory_order_acquire);
    if ((bell & TR_BELL_ORDERS) != 0 && !tr_run_system(worker, cell)) {
        tr_schedule(worker->node, worker, cell);
        return false;
    }
    if (cell->held != NULL && cell->life == TR_LIFE_RUNNING) return take_held(worker, cell);
    struct tr_link *link = cell->front.head;
    if (link->kind == TR_LINK_MESSAGE) return take_message(worker, cell, tr_message_of(link));
    if (link->kind == TR_LINK_START) return take_start(worker, cell, tr_message_of(link));
    if (link->kind == TR_LINK_ALARM) return take_alarm(worker, cell, tr_alarm_of_link(link));
    if (link->kind == TR_LINK_SOURCE) return take_source(worker, cell);
    return link == &cell->wake ? take_wake(worker, cell) : take_guard(cell);
}

/* With the guard behind it the cell is still this worker's afterwards, if it was to be run here at all. */
__attribute__((noinline)) static bool take_watched(struct tr_worker *worker, struct tr_cell *cell) {
    if (!tr_idle_is_disturbed(cell)) return take_one(worker, cell);
    tr_guard_behind(worker, cell);
    if (!take_one(worker, cell)) return false;
    tr_idle_disturbed(worker, cell);
    return true;
}

/* ---- The same within a handler, for troupe_receive: what is taken is taken out, so that the mailbox does
 * not run empty and the cell stays this worker's ---- */

static void let_message_go(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message) {
    tr_settle_early(worker, message);
    if (is_bounded(message)) count_settled(cell);
    else count_otherwise(cell, message);
    if (cell->front.head == &message->link) tr_take_out(worker, cell); /* it is not one that was held */
}

/* The next tick of this timer, the next event of this descriptor, may be handled within. */
static void let_link_go(struct tr_worker *worker, struct tr_cell *cell, struct tr_link *link) {
    if (link->kind == TR_LINK_SOURCE) {
        tr_source_let_go(worker, tr_source_of_link(link));
        return;
    }
    tr_take_out(worker, cell);
    if (link->kind == TR_LINK_ALARM) tr_alarm_free_link(tr_alarm_of_link(link));
}

void tr_let_go(struct tr_worker *worker, struct tr_cell *cell) {
    struct troupe_self *self = &worker->self;
    if (self->let_go != TR_LET_NOT) return;
    self->let_go = TR_LET_SETTLED;
    if (self->counted) let_message_go(worker, cell, self->message);
    else if (self->at_hand != NULL) let_link_go(worker, cell, self->at_hand);
}

static void take_message_out(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_message *message = tr_message_of(tr_take_out(worker, cell));
    bool bounded = is_bounded(message);
    enum tr_handled handled = tr_deliver(worker, cell, message);
    if (handled != TR_DONE) {
        end_otherwise(worker, cell, message, bounded, handled);
        return;
    }
    if (bounded) count_settled(cell);
    else count_otherwise(cell, message);
    tr_message_recycle(&worker->pool, message);
}

/* An alarm that only looks whether it was silent long enough is nothing to the handler that waits. */
static bool take_alarm_out(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_alarm *alarm = tr_alarm_of_link(tr_take_out(worker, cell));
    bool early = tr_idle_is_early(worker, cell, alarm);
    bool handled = tr_alarm_handle(worker, cell, alarm);
    tr_alarm_handled(worker, alarm);
    return handled && !early;
}

static bool take_source_out(struct tr_worker *worker, struct tr_cell *cell) {
    return tr_source_handle(worker, cell, tr_source_of_link(tr_take_out(worker, cell)));
}

static void take_wake_out(struct tr_worker *worker, struct tr_cell *cell) {
    tr_take_out(worker, cell);
    uint8_t before = atomic_fetch_and(&cell->bell, (uint8_t)~TR_BELL_WAKE);
    if ((before & TR_BELL_ORDERS) != 0) tr_cell_ring(worker->node, worker, cell);
}

static enum tr_taken take_within(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_link *link = cell->front.head;
    if (cell->held != NULL) {
        take_held(worker, cell);
    } else if (link == &cell->guard) {
        if (atomic_load(&link->next) == NULL) return TR_TOOK_NOTHING;
        take_guard(cell);
        return TR_TOOK_OTHER;
    } else if (link == &cell->wake) {
        take_wake_out(worker, cell);
        return TR_TOOK_OTHER;
    } else if (link->kind == TR_LINK_ALARM) {
        return take_alarm_out(worker, cell) ? TR_TOOK_ONE : TR_TOOK_OTHER;
    } else if (link->kind == TR_LINK_SOURCE) {
        return take_source_out(worker, cell) ? TR_TOOK_ONE : TR_TOOK_OTHER;
    } else {
        bool look = tr_is_look(link);
        take_message_out(worker, cell);
        if (look) return TR_TOOK_OTHER;
    }
    return TR_TOOK_ONE;
}

enum tr_taken tr_take_within(struct tr_worker *worker, struct tr_cell *cell) {
    bool disturbs = tr_idle_is_disturbed(cell);
    enum tr_taken taken = take_within(worker, cell);
    if (disturbs) tr_idle_disturbed(worker, cell);
    return taken;
}

/* ---- Batches ---- */

/* A native cell's links live on in its handler's hands, so all are taken out: the guard goes behind them,
 * and when it comes up, that is what there was. */
static void run_native(struct tr_worker *worker, struct tr_cell *cell) {
    const struct tr_native_state native = *tr_cell_native(cell);
    for (uint32_t i = 0; i < NATIVE_BATCH; i++) {
        if (cell->front.head == &cell->guard) {
            native.methods->flush(native.context, worker);
            if (!take_guard(cell)) return;
        } else {
            native.methods->handle(native.context, worker, tr_take_out(worker, cell));
        }
    }
    native.methods->flush(native.context, worker);
    tr_schedule_last(worker, cell);
}

static void run_watched(struct tr_worker *worker, struct tr_cell *cell) {
    tr_cell_look(cell);
    for (uint32_t i = 0; i < BATCH && (i == 0 || !tr_worker_slice_is_over(worker)); i++) {
        if (take_watched(worker, cell)) continue;
        tr_tell_ready(worker->node, worker, cell);
        return;
    }
    tr_tell_ready(worker->node, worker, cell);
    tr_schedule_last(worker, cell);
}

/* A cell that begins to wait for silence ends its batch, and is still this worker's then. */
static void run_plain(struct tr_worker *worker, struct tr_cell *cell) {
    tr_cell_look(cell);
    for (uint32_t i = 0; i < BATCH && (i == 0 || !tr_worker_slice_is_over(worker)); i++) {
        if (take_one(worker, cell)) continue;
        tr_tell_ready(worker->node, worker, cell);
        return;
    }
    tr_idle_disturbed(worker, cell);
    tr_tell_ready(worker->node, worker, cell);
    tr_schedule_last(worker, cell);
}

void tr_cell_run(struct tr_worker *worker, struct tr_cell *cell) {
    worker->self.cell = cell;
    worker->self.now = 0;
    worker->self.failure[0] = '\0'; /* of another actor, which did not fail after all */
    switch ((enum tr_turn)cell->turn) {
    case TR_TURN_PLAIN: run_plain(worker, cell); return;
    case TR_TURN_NATIVE: run_native(worker, cell); return;
    case TR_TURN_WATCHED: run_watched(worker, cell); return;
    }
}
