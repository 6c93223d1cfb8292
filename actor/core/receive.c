/*
 * troupe_receive: the next message of an actor, handled within the handler that waits for it.
 *
 * Only for an actor with a thread of its own (own.h): nobody else runs its cell, so that the thread may let
 * go of it while a handler still stands on its stack, and take it back when the next message schedules it.
 *
 * The handler that calls it first lets go of what is at hand: its message is settled, in its order, and out
 * of the mailbox, but not freed. From then on each message is taken out before it is handled, with the guard
 * behind it (batch.c), so that the mailbox is never empty while a handler runs: the cell stays ours. Only
 * to wait is the mailbox left empty; when the wait ends without a message the guard goes back in.
 *
 * A handler that fails within another must not end the run at once, for the other one still uses the state:
 * the end is noted, every later call says so, and it comes when the outer handler has returned (run.c). So
 * do stops: they raise the flag of the cell, which is looked at here, and are obeyed afterwards.
 */
#include "core/depth.h"
#include "core/log.h"
#include "core/own.h"
#include "core/run.h"
#include "core/send.h"

enum { MESSAGES_PER_LOOK = 64 }; /* at those who wait for room */

/* What the present handler knows of what it handles. */
struct at_hand {
    struct tr_message *message;
    bool answered, kept, counted;
    uint8_t let_go;
    const struct troupe_message_type *type; /* as the flight recorder has it */
};

static struct at_hand put_aside(const troupe_self *self) {
    uint64_t type = atomic_load_explicit(&self->worker->flight->current_type, memory_order_relaxed);
    return (struct at_hand){ .message = self->message, .answered = self->answered, .kept = self->kept, .counted = self->counted,
                             .let_go = TR_LET_SETTLED, .type = (const void *)(uintptr_t)type };
}

static void take_up(troupe_self *self, const struct at_hand *at_hand) {
    self->message = at_hand->message;
    self->answered = at_hand->answered;
    self->kept = at_hand->kept;
    self->counted = at_hand->counted;
    self->let_go = at_hand->let_go;
    tr_handling_own(self->worker, self->cell, at_hand->type);
}

static enum tr_taken take(troupe_self *self, const struct at_hand *outer) {
    self->nested = true;
    self->now = 0;
    enum tr_taken taken = tr_take_within(self->worker, self->cell);
    self->nested = false;
    if (taken == TR_TOOK_ONE) take_up(self, outer);
    return taken;
}

/* ---- Waiting ---- */

/* The guard is alone in the mailbox. False: not any more. */
static bool go_idle(struct tr_cell *cell) {
    cell->guarded = false;
    return !tr_cell_advance(cell);
}

/* Nobody has sent anything, unless somebody is just about to schedule the cell. */
static void take_back(struct tr_worker *worker, struct tr_cell *cell) {
    cell->guarded = true;
    if (!tr_mailbox_push(&cell->mailbox, &cell->front, &cell->guard)) tr_own_expect(worker);
}

/* TROUPE_OK: there is something in the mailbox. */
static enum troupe_status await(struct tr_worker *worker, struct tr_cell *cell, int64_t until) {
    tr_tell_ready(worker->node, worker, cell);
    if (!go_idle(cell) || tr_own_wait(worker, until)) return TROUPE_OK;
    take_back(worker, cell);
    return atomic_load(&worker->node->halted) ? TROUPE_STOPPING : TROUPE_TIMEOUT;
}

static bool is_stopping(struct tr_worker *worker, struct tr_cell *cell) {
    return cell->ended || tr_run_is_asked_to_stop(worker, cell) || atomic_load(&worker->node->halted);
}

static enum troupe_status receive(troupe_self *self, int64_t until, const struct at_hand *outer) {
    struct tr_worker *worker = self->worker;
    enum tr_taken taken = TR_TOOK_OTHER;
    enum troupe_status status = TROUPE_OK;
    while (taken != TR_TOOK_ONE) {
        if (is_stopping(worker, self->cell)) return TROUPE_STOPPING;
        tr_worker_look_around(worker);
        taken = take(self, outer);
        if (taken == TR_TOOK_NOTHING) status = await(worker, self->cell, until);
        if (status != TROUPE_OK) return status;
    }
    return worker->own->failed != TROUPE_OK ? TROUPE_FAILED : TROUPE_OK;
}

/* ---- The call ---- */

/* A start handler that receives will not return soon: the actor is as ready as it gets. */
static void tell_readiness(troupe_self *self) {
    if (!self->starting || self->unready) return;
    self->unready = true;
    tr_run_ready(self->worker, self->cell);
}

static int64_t time_in(troupe_self *self, int64_t timeout) {
    if (timeout == 0) return 0; /* past in any case */
    int64_t now = timeout == INT64_MAX ? 0 : tr_node_clock(self->worker->node);
    return timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
}

static const char *what_is_wrong(const troupe_self *self, int64_t timeout) {
    if (self->worker->own == NULL)
        return "the actor has no thread of its own: see troupe_receive in include/troupe/actor.h";
    if (self->nested) return "the handler that calls it was itself called by it";
    if (self->let_go == TR_LET_ASIDE) return "the message at hand was put aside";
    return timeout < 0 ? "its timeout is less than 0" : NULL;
}

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "nothing received: %s", why);
    return TROUPE_INVALID;
}

enum troupe_status troupe_receive(troupe_self *self, int64_t timeout) {
    struct tr_worker *worker = self->worker;
    struct tr_own *own = worker->own;
    if (atomic_load(&worker->node->halted)) return TROUPE_STOPPING;
    const char *wrong = what_is_wrong(self, timeout);
    if (wrong != NULL) return refuse(self, wrong);
    if (is_stopping(worker, self->cell)) return TROUPE_STOPPING;
    if (own->failed != TROUPE_OK) return TROUPE_FAILED; /* whatever its code: TIMEOUT means another thing here */
    const struct at_hand outer = put_aside(self);
    tell_readiness(self);
    tr_let_go(worker, self->cell);
    tr_handling_own(worker, self->cell, outer.type);
    tr_cell_look(self->cell);
    if (++own->received % MESSAGES_PER_LOOK == 0) tr_tell_ready(worker->node, worker, self->cell);
    return receive(self, time_in(self, timeout), &outer);
}
