/*
 * Runs: how an actor begins and ends in its cell.
 *
 * Both come over the system lane: a start is a notice with the class and the start message, a stop is a
 * flag. They are looked at before each message, so that neither waits behind a full mailbox. Only the start
 * of an actor that nobody supervises comes through the mailbox itself: its cell was EMPTY, so that what is
 * before it is for actors that have ended, and the cell knows all but the start message.
 *
 * A supervisor starts only what is down, as far as it knows. So a start that finds a run under way comes from
 * one that does not know of it: the supervisor was killed, and this is its next run. The run that is left over
 * ends as one that is killed, nobody is told of it, and the new one begins (tests/models/replace.pml).
 *
 * When a run ends, in this order: the stop handler; its timers, asks, descriptors and signals; the askers
 * it still owed an answer; its state. Then, for a supervised cell, the supervisor is told, and the cell is
 * DOWN: address, name and mailbox stay, and what arrives is held until the next run. Any other cell is
 * EMPTY: its name is released, its generation raised, so that its address is stale from here on, and
 * whatever is still in its mailbox turns up with an old generation and becomes a dead letter. Those who had bonds
 * with the run, monitors and links, are told after all this, but before the supervisor.
 */
#include "core/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/alarm.h"
#include "core/dead.h"
#include "core/death.h"
#include "core/idle.h"
#include "core/log.h"
#include "core/own.h"
#include "core/report.h"
#include "core/send.h"
#include "core/source.h"

static bool is_supervised(const struct tr_cell *cell) {
    return cell->more != NULL && !troupe_address_is_none(cell->more->owner);
}

/* ---- Ending ---- */

static void call_stop(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status) {
    const struct tr_class *class = atomic_load(&cell->class);
    if (class->stop == NULL || cell->state == NULL) return; /* no memory to begin with */
    struct tr_message *message = worker->self.message;
    worker->self.message = NULL;
    cell->ended = true; /* no asks, spawns and timers from here on */
    /* Within a handler that failed, it is the message that counts. */
    bool alone = atomic_load_explicit(&worker->flight->current_type, memory_order_relaxed) == 0;
    if (alone) tr_handling_own(worker, cell, &tr_stopping_message);
    class->stop(&worker->self, cell->state, &status);
    if (alone) tr_handling_ended(worker);
    worker->self.message = message;
}

/* The table stays, and with it the serials: what this run has kept is nothing to the next. */
static void end_kept(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_ids *kept = &cell->more->kept;
    for (uint32_t i = 0; i < kept->size; i++) {
        struct troupe_asker *asker = kept->entries[i].value;
        if (asker == NULL) continue;
        tr_send_outcome(worker->node, worker, asker->address, asker->ask, TROUPE_DIED);
        tr_ids_remove(kept, (uint64_t)kept->entries[i].serial << 32 | (i + 1));
        free(asker);
    }
}

void tr_run_free_more(struct tr_cell *cell) {
    if (cell->more == NULL) return;
    free(cell->more->path);
    free(cell->more->name);
    tr_ids_free(&cell->more->alarms);
    tr_ids_free(&cell->more->sources);
    tr_ids_free(&cell->more->kept);
    free(cell->more);
    cell->more = NULL;
}

static void flush_held(struct tr_worker *worker, struct tr_cell *cell) {
    while (cell->held != NULL) {
        struct tr_message *message = tr_message_of(cell->held);
        cell->held = atomic_load_explicit(&cell->held->next, memory_order_relaxed);
        bool bounded = message->inbound == NULL &&
                       (message->link.flags & (TR_MESSAGE_REPLY | TR_MESSAGE_SYSTEM | TR_MESSAGE_ASIDE)) == 0;
        tr_dead_letter(worker->node, worker, message, TROUPE_FLUSHED);
        if (bounded) atomic_fetch_add(&cell->settled, 1);
    }
}

/* Takes the head out of the mailbox. False: it is the wake that brought what is being done, or there is
 * nothing behind the guard. An alarm or a source is of a run that has ended. */
static bool hold_next(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_link *head = cell->front.head;
    if (head->kind == TR_LINK_MESSAGE) {
        tr_hold_last(cell, tr_take_out(worker, cell));
    } else if (head->kind == TR_LINK_ALARM) {
        tr_alarm_handled(worker, tr_alarm_of_link(tr_take_out(worker, cell)));
    } else if (head->kind == TR_LINK_SOURCE) {
        tr_source_handle(worker, cell, tr_source_of_link(tr_take_out(worker, cell)));
    } else {
        if (head == &cell->wake || atomic_load(&head->next) == NULL) return false;
        cell->guarded = false;
        tr_cell_advance(cell);
    }
    return true;
}

/* All that has arrived for a cell without a run becomes dead letters. */
static void flush(struct tr_worker *worker, struct tr_cell *cell) {
    while (hold_next(worker, cell)) {
    }
    flush_held(worker, cell);
}

static uint32_t next_generation(uint32_t generation) {
    return generation == UINT32_MAX ? 1 : generation + 1;
}

/* A configured cell that was forgotten has no valid address, until its supervisor, restarted itself, starts
 * it again: then it is the cell that all know. */
static bool is_revived(const struct tr_node *node, struct tr_cell *cell,
                       const struct tr_notice *notice) {
    return notice->kind == TR_NOTICE_START && cell->life == TR_LIFE_EMPTY &&
           cell->slot < node->options.reserved_slots && notice->generation == TR_BOUND_GENERATION;
}

static bool has_bonds(const struct tr_cell *cell) { return cell->more != NULL && cell->more->bonds != NULL; }

/* Out of the cell, which may be somebody else's before they are told. */
static struct tr_bonds *take_bonds(struct tr_cell *cell) {
    if (!has_bonds(cell)) return NULL;
    struct tr_bonds *bonds = cell->more->bonds;
    cell->more->bonds = NULL;
    return bonds;
}

/* `death`: NULL for a cell that is forgotten. */
static void end_bonds(struct tr_worker *worker, troupe_address who, struct tr_bonds *bonds,
                      const struct tr_death *death) {
    worker->node->options.hooks->bonds_ended(worker, who, bonds, death == NULL ? NULL : &death->report);
}

static troupe_address address_of(const struct tr_worker *worker, const struct tr_cell *cell) {
    return (troupe_address){ worker->node->id, cell->slot, cell->run_generation };
}

/* From here on the address is stale; the slot may be taken by the next spawn at once. */
static void retire(struct tr_worker *worker, struct tr_cell *cell, const struct tr_death *death) {
    struct tr_node *node = worker->node;
    const uint32_t ended = cell->run_generation;
    struct tr_bonds *bonds = take_bonds(cell);
    tr_cell_move(cell, TR_LIFE_EMPTY);
    node->options.hooks->cell_ended(node, cell);
    flush_held(worker, cell);
    tr_run_free_more(cell);
    bool configured = cell->slot < node->options.reserved_slots;
    uint32_t generation = configured ? 0 : next_generation(atomic_load(&cell->generation));
    tr_cell_set_generation(cell, generation);
    if (bonds != NULL) end_bonds(worker, (troupe_address){ node->id, cell->slot, ended }, bonds, death);
    tr_tell_ready(node, worker, cell);
    if (configured) return;
    if (worker->own != NULL) tr_own_leave(node, cell);
    tr_cells_release(&node->cells, tr_worker_slots(worker), cell);
}

static void report_end(struct tr_worker *worker, struct tr_cell *cell, const struct tr_death *death) {
    struct tr_exited exited = { .key = cell->more->key, .run = cell->more->run, .death = death->report,
                                .ignored = cell->more->ignored };
    tr_send_system(worker->node, worker, cell->more->owner, &tr_exited_message, &exited);
}

static bool is_failure(enum troupe_status status) {
    return status != TROUPE_OK && status != TROUPE_STOPPING;
}

/* The handler that is waiting in troupe_receive still uses the state. */
static void end_later(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status) {
    worker->own->failed = status;
    tr_death_fill(&worker->own->death, worker, cell, status, false);
}

/* What a handler within troupe_receive failed with comes before what the one around it made of that. Of most ends
 * of those that nobody supervises nobody hears: there is no report then. */
static const struct tr_death *describe_end(struct tr_worker *worker, struct tr_cell *cell,
                                           enum troupe_status *status, bool killed, struct tr_death *here) {
    struct tr_own *own = worker->own;
    if (own != NULL && own->failed != TROUPE_OK) {
        *status = own->failed;
        own->failed = TROUPE_OK;
        return &own->death;
    }
    bool told = worker->node->options.watcher != NULL || has_bonds(cell);
    if (is_supervised(cell) || is_failure(*status) || told)
        tr_death_fill(here, worker, cell, *status, killed);
    return here;
}

static void end_more(struct tr_worker *worker, struct tr_cell *cell) {
    tr_alarms_cancel_all(worker, cell);
    tr_sources_cancel_all(worker->node, cell);
    tr_idle_end(worker, cell);
    tr_stash_hold(cell);
    end_kept(worker, cell);
}

/* It may end by itself, having been told within troupe_receive to stop, before the kill is obeyed. */
static bool is_to_be_killed(struct tr_cell *cell) {
    uint64_t stop = atomic_load(&cell->stop);
    return (uint32_t)(stop >> 32) == cell->run_generation && tr_stop_how(stop) == TR_STOP_KILL;
}

/* What the run had. A kill does not wait for a stop handler; but whoever has others to stop stops them, for they
 * must not outlive it. */
static void end_run(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status, bool killed) {
    if (!killed || cell->running->stops_others) call_stop(worker, cell, status);
    tr_trace_life(worker, cell, is_failure(status) ? "failed" : status == TROUPE_OK ? "done" : "stopped");
    if (cell->more != NULL) end_more(worker, cell);
    if (cell->state != cell->small_state) free(cell->state);
    cell->state = NULL;
    cell->ended = false;
    cell->end_status = TROUPE_OK;
    worker->self.failure[0] = '\0';
    worker->self.cause = NULL;
}

static void tell_watcher(struct tr_node *node, struct tr_cell *cell, const struct tr_death *death) {
    const struct tr_watcher *watcher = node->options.watcher;
    if (watcher != NULL) watcher->ended(watcher->context, cell, &death->report);
}

static void end_and_tell(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status, bool killed,
                         const struct tr_death *death) {
    end_run(worker, cell, status, killed);
    tell_watcher(worker->node, cell, death);
    if (is_failure(status) && !is_supervised(cell)) tr_death_log(worker->node, TROUPE_ERROR, &death->report);
    if (!is_supervised(cell)) {
        retire(worker, cell, death);
        return;
    }
    tr_cell_move(cell, TR_LIFE_DOWN);
    if (has_bonds(cell)) end_bonds(worker, address_of(worker, cell), take_bonds(cell), death);
    report_end(worker, cell, death);
}

void tr_run_end(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status,
                bool killed) {
    struct tr_death here;
    if (worker->self.nested) {
        end_later(worker, cell, status);
        return;
    }
    killed = killed || is_to_be_killed(cell);
    const struct tr_death *death = describe_end(worker, cell, &status, killed, &here);
    end_and_tell(worker, cell, status, killed, death);
}

void tr_run_end_linked(struct tr_worker *worker, struct tr_cell *cell, const struct troupe_death *other) {
    struct tr_own *own = worker->self.nested ? worker->own : NULL;
    struct tr_death here, *death = own != NULL ? &own->death : &here;
    if (own != NULL && own->failed != TROUPE_OK) return; /* it is over already */
    enum troupe_status status = tr_death_linked(death, worker, cell, other);
    if (own != NULL) {
        own->failed = status;
        return;
    }
    worker->self.message = NULL;
    end_and_tell(worker, cell, status, false, death);
}

void tr_run_after(struct tr_worker *worker, struct tr_cell *cell, enum troupe_status status) {
    if (status == TROUPE_OK && worker->own != NULL) status = worker->own->failed;
    if (status != TROUPE_OK) tr_run_end(worker, cell, status, false);
    else if (cell->ended && !worker->self.nested) tr_run_end(worker, cell, (enum troupe_status)cell->end_status, false);
}

/* ---- Beginning ---- */

static bool keep_options(struct tr_worker *worker, struct tr_cell *cell, struct tr_run_spec *start) {
    if (start->flush) flush(worker, cell);
    if (cell->more == NULL) {
        cell->more = start->more;
        start->more = NULL;
    }
    bool plain = start->path == NULL && start->name == NULL &&
                 troupe_address_is_none(start->owner) && cell->more == NULL;
    if (plain) return true;
    struct tr_cell_more *more = tr_cell_more(cell);
    if (more == NULL) return false;
    if (more->path == NULL && start->path != NULL) more->path = strdup(start->path);
    if (more->name == NULL && start->name != NULL) more->name = strdup(start->name);
    more->owner = start->owner;
    more->key = start->key;
    more->run = start->run;
    more->started = tr_worker_now(worker);
    more->unready = true;
    more->ignored = false;
    more->stopped_by = (troupe_address){ 0 };
    return true;
}

static bool make_state(struct tr_cell *cell, size_t size) {
    bool small = size <= sizeof cell->small_state;
    cell->state = small ? memset(cell->small_state, 0, sizeof cell->small_state) : calloc(1, size);
    return cell->state != NULL;
}

static enum troupe_status ask_watcher(struct tr_worker *worker, struct tr_cell *cell) {
    const struct tr_watcher *watcher = worker->node->options.watcher;
    return watcher == NULL ? TROUPE_OK : watcher->begins(watcher->context, worker, cell);
}

/* What was saved is shown to the start handler alone. */
static enum troupe_status call_start_handler(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *args,
                                             const struct tr_saved *saved) {
    struct troupe_self *self = &worker->self;
    self->starting = true;
    self->saved = saved;
    self->let_go = TR_LET_NOT;
    enum troupe_status status = cell->running->start(self, cell->state, tr_message_body(args));
    self->starting = false;
    if (self->unpacked != NULL) tr_message_recycle(&worker->pool, self->unpacked);
    self->unpacked = NULL;
    self->saved = NULL;
    return status;
}

static enum troupe_status call_start(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *args,
                                     const struct tr_saved *saved) {
    const struct tr_class *class = cell->running;
    if (!make_state(cell, class->type->state_size)) return TROUPE_NO_MEMORY;
    tr_trace_life(worker, cell, "start");
    enum troupe_status refused = ask_watcher(worker, cell);
    if (class->start == NULL || refused != TROUPE_OK) return refused;
    tr_handling_own(worker, cell, class->start_type);
    enum troupe_status status = call_start_handler(worker, cell, args, saved);
    tr_handling_ended(worker);
    return status;
}

void tr_run_ready(struct tr_worker *worker, struct tr_cell *cell) {
    if (cell->more != NULL) cell->more->unready = false;
    if (!is_supervised(cell)) return;
    struct tr_started started = { .key = cell->more->key, .run = cell->more->run };
    tr_send_system(worker->node, worker, cell->more->owner, &tr_started_message, &started);
}

/* A stop behind the start was seen with it, and left; a start handler that waits is to see it, too. */
static void look_again_for_stop(struct tr_cell *cell) {
    if (atomic_load(&cell->stop) != 0) atomic_fetch_or(&cell->bell, TR_BELL_ORDERS);
}

/* `options`: NULL if there are none. */
static void begin(struct tr_worker *worker, struct tr_cell *cell, const struct tr_class *class,
                  struct tr_message *args, struct tr_run_spec *options) {
    tr_cell_move(cell, TR_LIFE_RUNNING);
    cell->running = class;
    look_again_for_stop(cell);
    bool kept = options == NULL || keep_options(worker, cell, options);
    worker->self.message = NULL;
    const struct tr_saved *saved = options == NULL ? NULL : options->saved;
    enum troupe_status status = kept ? call_start(worker, cell, args, saved) : TROUPE_NO_MEMORY;
    bool ready = status == TROUPE_OK && !worker->self.unready;
    worker->self.unready = false;
    if (ready) tr_run_ready(worker, cell);
    tr_run_after(worker, cell, status);
    if (cell->life == TR_LIFE_RUNNING && has_bonds(cell)) worker->node->options.hooks->bonds_began(worker, cell);
}

/* ---- The system lane ---- */

/* A supervisor that was killed has left the present run behind; this is its next run, and knows nothing of it. */
static void replace(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_death here;
    worker->self.message = NULL;
    if (worker->node->options.watcher != NULL || has_bonds(cell))
        tr_death_fill(&here, worker, cell, TROUPE_STOPPING, true);
    end_run(worker, cell, TROUPE_STOPPING, true);
    tell_watcher(worker->node, cell, &here);
    tr_cell_move(cell, TR_LIFE_DOWN);
    if (has_bonds(cell)) end_bonds(worker, address_of(worker, cell), take_bonds(cell), &here);
}

/* One that is forgotten while it runs is nobody's from then on: it ends as such an actor does. A configured cell
 * stays its supervisor's, whose next run knows it. */
static void obey_forget(struct tr_worker *worker, struct tr_cell *cell) {
    if (cell->life == TR_LIFE_DOWN) {
        flush(worker, cell);
        retire(worker, cell, NULL);
    } else if (cell->more != NULL && cell->slot >= worker->node->options.reserved_slots) {
        cell->more->owner = (troupe_address){ 0 };
    }
}

static void obey(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice) {
    if (is_revived(worker->node, cell, notice))
        tr_cell_set_generation(cell, TR_BOUND_GENERATION);
    bool valid = notice->generation == atomic_load(&cell->generation);
    if (notice->kind == TR_NOTICE_BOND) {
        worker->node->options.hooks->bond_told(worker, cell, notice, valid);
        return;
    }
    struct tr_run_spec *start = &tr_order_of(notice)->start;
    if (valid && notice->kind == TR_NOTICE_START) {
        if (cell->life == TR_LIFE_RUNNING) replace(worker, cell);
        begin(worker, cell, start->class, start->args, start);
    } else if (valid && notice->kind == TR_NOTICE_FORGET) {
        obey_forget(worker, cell);
    }
    tr_notice_free(&worker->pool, notice);
}

/* The lane is a stack: the oldest notice is at its end. */
static struct tr_notice *oldest_first(struct tr_notice *stack) {
    struct tr_notice *queue = NULL;
    while (stack != NULL) {
        struct tr_notice *next = stack->next;
        stack->next = queue;
        queue = stack;
        stack = next;
    }
    return queue;
}

/* A notice of it, which may be for a cell that runs; or its start message in the mailbox: an address that is
 * valid, though nothing runs. */
static bool is_to_be_started(struct tr_cell *cell, bool valid) {
    return atomic_load(&cell->notices) != NULL || (valid && cell->life == TR_LIFE_EMPTY);
}

/* The stop that the present run is to obey; NONE: there is none. One that was set behind a start is for that run:
 * it waits until the start is obeyed. */
static enum tr_stop take_stop(struct tr_worker *worker, struct tr_cell *cell) {
    uint64_t stop = atomic_load(&cell->stop);
    bool valid = (uint32_t)(stop >> 32) == atomic_load(&cell->generation);
    if (stop == 0 || is_to_be_started(cell, valid)) return TR_STOP_NONE;
    if (!atomic_compare_exchange_strong(&cell->stop, &stop, 0)) return TR_STOP_NONE; /* a later one, with its own order */
    if (!valid || cell->life != TR_LIFE_RUNNING) return TR_STOP_NONE;
    if (cell->more != NULL) cell->more->stopped_by = tr_stopped_by(worker->node, stop);
    return tr_stop_how(stop);
}

static void obey_stop(struct tr_worker *worker, struct tr_cell *cell) {
    enum tr_stop stop = take_stop(worker, cell);
    bool killed = stop == TR_STOP_KILL;
    if (stop == TR_STOP_NONE) return;
    worker->self.message = NULL;
    const struct tr_class *class = atomic_load(&cell->class);
    const struct troupe_entry *trap =
        killed || !class->stops_others ? NULL : tr_class_handler(class, &tr_stopping_message);
    if (trap == NULL) {
        tr_run_end(worker, cell, TROUPE_STOPPING, killed);
        return;
    }
    enum troupe_status status =
        trap->thunk(&worker->self, cell->state, &(struct tr_stopping){ 0 });
    tr_run_after(worker, cell, status);
}

/* What an actor that nobody supervises needs to begin with, its cell knows, but for the message. */
void tr_run_begin(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *args) {
    tr_assert(cell->life == TR_LIFE_EMPTY && args->generation == cell->run_generation);
    begin(worker, cell, atomic_load_explicit(&cell->class, memory_order_acquire), args, NULL);
    if (atomic_load(&cell->stop) != 0) obey_stop(worker, cell);
}

/* A start behind this one would end its run at once; and the run, if it waited for messages in its start handler,
 * would not see that. */
static bool is_overtaken(const struct tr_notice *notice) {
    const struct tr_notice *next = notice->next;
    while (next != NULL && next->kind != TR_NOTICE_START) next = next->next;
    return notice->kind == TR_NOTICE_START && next != NULL;
}

static void obey_all(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice) {
    while (notice != NULL) {
        struct tr_notice *next = notice->next;
        if (is_overtaken(notice)) tr_notice_free(&worker->pool, notice);
        else obey(worker, cell, notice);
        notice = next;
    }
}

/* Takes what there is, if it is for this worker: the actor that is to start may live elsewhere from now on. Where a
 * cell is at home was written before the first notice for whoever lives there: so what is looked at after the newest
 * is true of all, and nobody else takes any. False: it is not. */
static bool take_notices(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice **queue) {
    struct tr_notice *stack = atomic_load(&cell->notices);
    do {
        if (stack != NULL && !tr_is_at_home(worker, cell)) return false;
    } while (!atomic_compare_exchange_weak(&cell->notices, &stack, NULL));
    *queue = oldest_first(stack);
    return true;
}

/* Orders that come after this ring again. */
bool tr_run_system(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_notice *notice;
    atomic_fetch_and(&cell->bell, (uint8_t)~TR_BELL_ORDERS);
    if (!take_notices(worker, cell, &notice)) {
        atomic_fetch_or(&cell->bell, TR_BELL_ORDERS);
        return false;
    }
    obey_all(worker, cell, notice);
    obey_stop(worker, cell);
    return true;
}

static bool has_orders(const struct tr_notice *notice) {
    while (notice != NULL && notice->kind == TR_NOTICE_BOND) notice = notice->next;
    return notice != NULL;
}

/* What is said of monitors and links does not wait for the handler that waits: a link may end its run. False: there
 * is an order, the start of another run in its place, and all waits until that can be obeyed. */
static bool hear_of_bonds(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_notice *stack = atomic_load(&cell->notices);
    do {
        if (has_orders(stack)) return false;
    } while (!atomic_compare_exchange_weak(&cell->notices, &stack, NULL));
    worker->self.nested = true;
    obey_all(worker, cell, oldest_first(stack));
    worker->self.nested = false;
    return true;
}

bool tr_run_is_asked_to_stop(struct tr_worker *worker, struct tr_cell *cell) {
    if ((atomic_load_explicit(&cell->bell, memory_order_acquire) & TR_BELL_ORDERS) == 0) return false;
    atomic_fetch_and(&cell->bell, (uint8_t)~TR_BELL_ORDERS);
    bool failed = worker->own->failed != TROUPE_OK;
    bool stop = (uint32_t)(atomic_load(&cell->stop) >> 32) == cell->run_generation || !hear_of_bonds(worker, cell);
    if (stop) atomic_fetch_or(&cell->bell, TR_BELL_ORDERS);
    return stop || (!failed && worker->own->failed != TROUPE_OK);
}
