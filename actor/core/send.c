#include "core/send.h"

#include <stdlib.h>
#include <string.h>

#include "core/dead.h"
#include "core/depth.h"
#include "core/log.h"
#include "core/own.h"

enum { ROOM_FOR_ONE = 128 }; /* messages: whoever was refused is likely to have so many */

static bool is_bounded(uint8_t flags) {
    return (flags & (TR_MESSAGE_REPLY | TR_MESSAGE_SYSTEM)) == 0;
}

/* ---- Building the message ---- */

/* As if it had crossed to another process and back. */
static struct tr_message *build_serialized(struct tr_memory memory, const struct tr_outgoing *outgoing,
                                           enum troupe_status *status, struct tr_codec_error *error) {
    struct tr_message *message = NULL;
    struct tr_bytes bytes = { .limit = TR_CODEC_MAX_SIZE };
    struct tr_attachments attachments = { .buffers = memory.buffers };
    if (tr_codec_pack_with(outgoing->type, outgoing->body, &bytes, &attachments, error)) {
        const struct tr_arrived arrived = { attachments.descriptors, attachments.count };
        message = tr_message_unpack_with(memory, outgoing->type, bytes.data, bytes.size, &arrived, status, error);
        tr_attachments_close(&attachments);
    } else {
        *status = error->status;
    }
    tr_bytes_free(&bytes);
    return message;
}

static struct tr_message *build_body(struct tr_node *node, struct tr_memory memory,
                                     const struct tr_outgoing *outgoing, enum troupe_status *status,
                                     struct tr_codec_error *error) {
    if (outgoing->type != NULL && node->options.serialize)
        return build_serialized(memory, outgoing, status, error);
    if (outgoing->type != NULL)
        return tr_message_new(memory, outgoing->type, outgoing->body, status, error);
    *status = TROUPE_NO_MEMORY;
    return tr_message_outcome(outgoing->ask, (enum troupe_status)outgoing->status);
}

static struct tr_message *build(struct tr_node *node, struct tr_worker *worker,
                                const struct tr_outgoing *outgoing, enum troupe_status *status) {
    struct tr_codec_error error;
    struct tr_message *message = build_body(node, tr_memory_of(node, worker), outgoing, status, &error);
    if (message == NULL) {
        if (*status != TROUPE_NO_MEMORY)
            tr_refusal_log(node, outgoing, error.text);
        return NULL;
    }
    message->from = outgoing->from;
    message->slot = outgoing->to.slot;
    message->generation = outgoing->to.generation;
    message->ask = outgoing->ask;
    message->link.flags |= outgoing->flags;
    return message;
}

/* ---- Within the node ---- */

static struct tr_cell *cell_of(struct tr_node *node, troupe_address to) {
    struct tr_cell *cell = tr_cells_at(&node->cells, to.slot);
    if (cell != NULL) tr_cell_expect(cell);
    bool valid = cell != NULL && to.generation != 0 &&
                 atomic_load_explicit(&cell->generation, memory_order_acquire) == to.generation;
    return valid ? cell : NULL;
}

/* Others' messages may have been queued and settled since `queued` was read: it may be the lesser. */
static bool is_below(uint32_t queued, uint32_t settled, uint32_t limit) {
    return (int64_t)(int32_t)(queued - settled) < (int64_t)limit;
}

/* Room for one more, which the caller must use or give back. The consumer's count is on its own cache
 * line; what was last seen of it does until the mailbox looks full. */
static bool reserve(struct tr_cell *cell) {
    uint32_t queued = atomic_fetch_add_explicit(&cell->queued, 1, memory_order_relaxed);
    uint32_t limit = atomic_load_explicit(&cell->limit, memory_order_relaxed);
    uint32_t settled = atomic_load_explicit(&cell->settled_seen, memory_order_relaxed);
    if (is_below(queued, settled, limit)) return true;
    settled = atomic_load_explicit(&cell->settled, memory_order_acquire);
    atomic_store_explicit(&cell->settled_seen, settled, memory_order_relaxed);
    if (is_below(queued, settled, limit)) return true;
    atomic_fetch_sub(&cell->queued, 1);
    return false;
}

/* Room that was reserved, if only for a moment, may have kept others from being told of theirs. */
static void give_back(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell) {
    atomic_fetch_sub(&cell->queued, 1);
    tr_tell_ready(node, worker, cell);
}

static bool wants_ready(struct tr_node *node, troupe_address who) {
    struct tr_cell *cell = who.node == node->id ? cell_of(node, who) : NULL;
    const struct tr_class *class = cell == NULL ? NULL : atomic_load(&cell->class);
    return class != NULL && class->wants_ready;
}

/* Of one that is forwarded, not its sender: the worker runs whoever forwards it. */
static troupe_address refused_one(const struct tr_worker *worker, const struct tr_outgoing *outgoing) {
    return (outgoing->flags & TR_MESSAGE_FORWARDED) != 0 ? troupe_self_address(&worker->self) : outgoing->from;
}

/* The mailbox may have emptied since, or seemed fuller than it was while this sender tried: then nobody
 * else would tell those who wait. */
static void wait_for_room(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                          const struct tr_outgoing *outgoing) {
    troupe_address who = refused_one(worker, outgoing);
    if (wants_ready(node, who) && tr_waiters_add(&node->waiters, outgoing->to, who))
        atomic_store(&cell->waiters, true);
    tr_tell_ready(node, worker, cell);
}

/* All at once, they would fill what room there is and be refused again, most of them. Others follow when the next
 * batch is over; but when nothing waits in the mailbox any more, there is none, and all are told. */
static uint32_t how_many_to_tell(uint32_t depth, uint32_t limit) {
    return depth == 0 ? UINT32_MAX : 1 + (limit - depth) / ROOM_FOR_ONE;
}

/* False: nobody is left. */
static bool tell_some(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell, uint32_t most) {
    bool more;
    struct tr_waiter *waiter = tr_waiters_take(&node->waiters, cell->slot, most, &more);
    while (waiter != NULL) {
        struct tr_waiter *next = waiter->next;
        struct troupe_ready ready = { .to = waiter->to };
        tr_send_system(node, worker, waiter->who, &troupe_ready_message, &ready);
        free(waiter);
        waiter = next;
    }
    return more;
}

/* The last message may have been settled while `waiters` said that there are none. */
void tr_tell_waiters(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell) {
    uint32_t depth = 0;
    while (depth == 0 && atomic_load(&cell->waiters)) {
        uint32_t limit = atomic_load(&cell->limit);
        depth = tr_cell_depth(cell);
        if (depth > limit / 2 || !atomic_exchange(&cell->waiters, false)) return;
        if (!tell_some(node, worker, cell, how_many_to_tell(depth, limit))) return;
        atomic_store(&cell->waiters, true);
        depth = tr_cell_depth(cell);
    }
}

/* Taken, and dead. */
static enum troupe_status lose(struct tr_node *node, struct tr_worker *worker, const struct tr_outgoing *outgoing,
                               enum troupe_status reason) {
    enum troupe_status status;
    struct tr_message *message = build(node, worker, outgoing, &status);
    if (message == NULL) return status;
    tr_count(worker, &tr_counters(node, worker)->sent_local);
    tr_dead_letter(node, worker, message, reason);
    return TROUPE_OK;
}

static enum troupe_status refuse_full(struct tr_node *node, struct tr_worker *worker,
                                      struct tr_cell *cell, const struct tr_outgoing *outgoing) {
    tr_cell_saw_full(cell);
    if (atomic_load(&cell->drop_newest) || outgoing->lossy) return lose(node, worker, outgoing, TROUPE_FULL);
    wait_for_room(node, worker, cell, outgoing);
    return TROUPE_FULL;
}

static enum troupe_status refuse_unhandled(struct tr_node *node, struct tr_worker *worker,
                                           const struct tr_outgoing *outgoing) {
    if (outgoing->lossy) return lose(node, worker, outgoing, TROUPE_UNHANDLED);
    tr_loss_log(node, "not sent", outgoing->to, outgoing->type->name, TROUPE_UNHANDLED);
    return TROUPE_UNHANDLED;
}

static bool is_handled(const struct tr_outgoing *outgoing, const struct tr_class *class) {
    return class != NULL && tr_class_accepts(class, outgoing->type);
}

static enum troupe_status push_built(struct tr_node *node, struct tr_worker *worker,
                                     struct tr_cell *cell, const struct tr_outgoing *outgoing) {
    enum troupe_status status = TROUPE_OK;
    struct tr_message *message = build(node, worker, outgoing, &status);
    if (message == NULL) return status;
    if ((outgoing->flags & TR_MESSAGE_SYSTEM) == 0)
        tr_count(worker, &tr_counters(node, worker)->sent_local);
    tr_cell_push(node, worker, cell, &message->link);
    return TROUPE_OK;
}

static enum troupe_status send_bounded(struct tr_node *node, struct tr_worker *worker,
                                       struct tr_cell *cell, const struct tr_outgoing *outgoing) {
    if (!is_handled(outgoing, atomic_load_explicit(&cell->class, memory_order_acquire)))
        return refuse_unhandled(node, worker, outgoing);
    if (!reserve(cell)) return refuse_full(node, worker, cell, outgoing);
    enum troupe_status status = push_built(node, worker, cell, outgoing);
    if (status != TROUPE_OK) give_back(node, worker, cell);
    return status;
}

static enum troupe_status send_local(struct tr_node *node, struct tr_worker *worker,
                                     const struct tr_outgoing *outgoing) {
    struct tr_cell *cell = cell_of(node, outgoing->to);
    if (cell == NULL) return outgoing->lossy ? TROUPE_OK : TROUPE_GONE; /* no subscriber any more */
    return is_bounded(outgoing->flags) ? send_bounded(node, worker, cell, outgoing)
                                       : push_built(node, worker, cell, outgoing);
}

/* ---- Anywhere ---- */

static struct tr_route *route_to(struct tr_node *node, uint64_t id) {
    struct tr_route *route = tr_routes_find(&node->routes, id);
    return route != NULL ? route : node->options.hooks->route(node, id);
}

static enum troupe_status send_remote(struct tr_node *node, struct tr_worker *worker,
                                      const struct tr_outgoing *outgoing) {
    if (troupe_address_is_none(outgoing->to)) return TROUPE_GONE;
    struct tr_route *route = route_to(node, outgoing->to.node);
    if (route == NULL) return TROUPE_UNREACHABLE;
    enum troupe_status status = route->methods->send(route, worker, outgoing);
    if (status == TROUPE_FULL && wants_ready(node, refused_one(worker, outgoing)))
        route->methods->want_ready(route, worker, outgoing->to, refused_one(worker, outgoing));
    return status;
}

enum troupe_status tr_send(struct tr_node *node, struct tr_worker *worker,
                           const struct tr_outgoing *outgoing) {
    enum troupe_status status = outgoing->to.node == node->id ? send_local(node, worker, outgoing)
                                                              : send_remote(node, worker, outgoing);
    if (status != TROUPE_OK && (outgoing->flags & TR_MESSAGE_SYSTEM) == 0)
        tr_count(worker, &tr_counters(node, worker)->refused);
    return status;
}

enum troupe_status tr_send_system(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                                  const struct troupe_message_type *type, const void *body) {
    struct tr_outgoing outgoing = {
        .to = to, .type = type, .body = body, .flags = TR_MESSAGE_SYSTEM
    };
    return tr_send(node, worker, &outgoing);
}

enum troupe_status tr_send_outcome(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                                   uint64_t ask, enum troupe_status status) {
    struct tr_outgoing outgoing = { .to = to,
                                    .ask = ask,
                                    .flags = TR_MESSAGE_SYSTEM | TR_MESSAGE_REPLY | TR_MESSAGE_OUTCOME,
                                    .status = (uint8_t)status };
    return tr_send(node, worker, &outgoing);
}

void tr_send_inbound(struct tr_node *node, struct tr_worker *worker, struct tr_message *message) {
    struct tr_cell *cell = tr_cells_at(&node->cells, message->slot);
    if (cell == NULL) tr_dead_letter(node, worker, message, TROUPE_GONE);
    else tr_cell_push(node, worker, cell, &message->link);
}

/* ---- Starting and stopping ---- */

void tr_notify(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice) {
    notice->next = atomic_load(&cell->notices);
    while (!atomic_compare_exchange_weak(&cell->notices, &notice->next, notice)) {
    }
    tr_cell_ring(node, worker, cell);
}

/* What senders look at. */
static void set_options(struct tr_cell *cell, const struct tr_run_spec *start) {
    uint32_t limit = start->mailbox_limit == 0 ? TR_DEFAULT_MAILBOX : start->mailbox_limit;
    atomic_store_explicit(&cell->limit, limit, memory_order_relaxed);
    atomic_store_explicit(&cell->drop_newest, start->drop_newest, memory_order_relaxed);
    atomic_store_explicit(&cell->at_least_once, start->at_least_once, memory_order_relaxed);
    atomic_store_explicit(&cell->class, start->class, memory_order_release);
}

/* One that was not seen yet is for the run before. */
static void forget_stop(struct tr_cell *cell) {
    if (atomic_load(&cell->stop) != 0) atomic_store(&cell->stop, 0);
}

enum troupe_status tr_start(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                            uint32_t generation, const struct tr_run_spec *start) {
    struct tr_notice *notice = tr_notice_start(tr_worker_pool(worker), start, generation);
    if (notice == NULL) return TROUPE_NO_MEMORY;
    forget_stop(cell);
    set_options(cell, start);
    tr_notify(node, worker, cell, notice);
    return TROUPE_OK;
}

bool tr_bind(struct tr_node *node, uint32_t slot, const struct tr_run_spec *start) {
    struct tr_cell *cell = tr_cells_make(&node->cells, slot);
    struct tr_cell_more *more = cell == NULL ? NULL : tr_cell_more(cell);
    if (more == NULL) return false;
    more->path = strdup(start->path);
    if (more->path == NULL) return false;
    if (start->own_thread && tr_own_give(node, cell, start->path) != TROUPE_OK) return false;
    set_options(cell, start);
    tr_cell_move(cell, TR_LIFE_DOWN);
    tr_cell_set_generation(cell, TR_BOUND_GENERATION);
    return true;
}

/* What begins a run: a notice, or, if it is a plain one, its start message alone. That goes into the mailbox,
 * and is there before anything that could be sent to the new address: so there is no ringing. */
struct beginning {
    struct tr_notice *notice;
    struct tr_message *args;
};

static bool is_plain(const struct tr_run_spec *start) {
    return start->path == NULL && start->name == NULL && troupe_address_is_none(start->owner);
}

static bool make_beginning(struct tr_pool *pool, const struct tr_run_spec *start, uint32_t generation,
                           struct beginning *made) {
    *made = (struct beginning){ 0 };
    if (!is_plain(start)) made->notice = tr_notice_start(pool, start, generation);
    else made->args = start->args != NULL ? start->args : tr_message_empty(pool);
    return made->notice != NULL || made->args != NULL;
}

/* What it was made from is the caller's again. */
static void drop_beginning(struct tr_pool *pool, const struct tr_run_spec *start, struct beginning *made) {
    if (made->notice != NULL) {
        tr_order_of(made->notice)->start.args = NULL;
        tr_notice_free(pool, made->notice);
    } else if (made->args != start->args) {
        tr_message_recycle(pool, made->args);
    }
}

/* Bonds with an actor that is about to begin: it cannot end before they are known to it. */
static void tell_first(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                       struct tr_notice *words) {
    while (words != NULL) {
        struct tr_notice *next = words->next;
        words->generation = atomic_load(&cell->generation);
        tr_notify(node, worker, cell, words);
        words = next;
    }
}

/* Takes what was made. */
static void begin(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                  const struct tr_run_spec *start, const struct beginning *made) {
    forget_stop(cell);
    set_options(cell, start);
    if (start->words != NULL) tell_first(node, worker, cell, start->words);
    if (made->notice != NULL) {
        tr_notify(node, worker, cell, made->notice);
        return;
    }
    made->args->link.kind = TR_LINK_START;
    made->args->generation = atomic_load(&cell->generation);
    tr_cell_push(node, worker, cell, &made->args->link);
}

/* A thread comes last: a cell that has one cannot be given back, for somebody with an old address may have
 * scheduled it there. */
static enum troupe_status spawn_in(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                                   const struct tr_run_spec *start) {
    struct beginning made;
    struct tr_pool *pool = tr_worker_pool(worker);
    if (!make_beginning(pool, start, atomic_load(&cell->generation), &made)) return TROUPE_NO_MEMORY;
    const char *name = start->path == NULL ? start->class->type->name : start->path;
    enum troupe_status status = start->own_thread ? tr_own_give(node, cell, name) : TROUPE_OK;
    if (status == TROUPE_OK) begin(node, worker, cell, start, &made);
    else drop_beginning(pool, start, &made);
    return status;
}

/* The name first: once the actor runs, it may have ended, and given its name up, before anybody looks. */
static enum troupe_status spawn_as(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
                                   const struct tr_run_spec *start, troupe_address address) {
    const struct tr_hooks *hooks = node->options.hooks;
    if (start->name == NULL) return spawn_in(node, worker, cell, start);
    enum troupe_status status = hooks->reserve_name(node, start->name, address);
    if (status != TROUPE_OK) return status;
    status = spawn_in(node, worker, cell, start);
    if (status != TROUPE_OK) hooks->give_up_name(node, start->name, address);
    return status;
}

enum troupe_status tr_spawn(struct tr_node *node, struct tr_worker *worker, const struct tr_run_spec *start,
                            troupe_address *address) {
    enum troupe_status status = TROUPE_STOPPING;
    struct tr_cell *cell =
        atomic_load(&node->stopping) ? NULL : tr_cells_take(&node->cells, tr_worker_slots(worker), &status);
    if (cell == NULL) return status;
    const troupe_address made = { node->id, cell->slot, atomic_load(&cell->generation) };
    tr_cell_saw_nothing(cell);
    status = spawn_as(node, worker, cell, start, made);
    if (status == TROUPE_OK) *address = made; /* else it is the next one's */
    else tr_cells_release(&node->cells, tr_worker_slots(worker), cell);
    return status;
}

void tr_forget(struct tr_node *node, struct tr_worker *worker, struct tr_cell *cell,
               uint32_t generation) {
    struct tr_notice *notice = tr_notice_start(tr_worker_pool(worker), &(struct tr_run_spec){ 0 }, generation);
    if (notice == NULL) return;
    notice->kind = TR_NOTICE_FORGET;
    tr_notify(node, worker, cell, notice);
}

static void remember_stopper(struct tr_node *node, uint32_t number, troupe_address by) {
    struct tr_stopper *stopper = &node->stoppers[number % TR_STOPPERS];
    if (troupe_address_is_none(by)) return;
    atomic_store(&stopper->number, UINT32_MAX); /* not to be read meanwhile */
    atomic_store(&stopper->node, by.node);
    atomic_store(&stopper->place, (uint64_t)by.slot << 32 | by.generation);
    atomic_store(&stopper->number, number);
}

troupe_address tr_stopped_by(struct tr_node *node, uint64_t stop) {
    uint32_t number = (uint32_t)stop % (1u << TR_STOP_SHIFT);
    struct tr_stopper *stopper = &node->stoppers[number % TR_STOPPERS];
    bool before = atomic_load(&stopper->number) == number;
    uint64_t id = atomic_load(&stopper->node), place = atomic_load(&stopper->place);
    bool same = before && atomic_load(&stopper->number) == number;
    return same ? (troupe_address){ id, (uint32_t)(place >> 32), (uint32_t)place } : (troupe_address){ 0 };
}

/* A later generation comes before an earlier one, and a kill before a stop in order. No two are alike: so whoever
 * takes one that he has looked at does not take another that was set behind the next start. */
static void set_stop(struct tr_node *node, struct tr_cell *cell, uint32_t generation, enum tr_stop how,
                     troupe_address by) {
    uint32_t number = atomic_fetch_add_explicit(&node->stops, 1, memory_order_relaxed) % (1u << TR_STOP_SHIFT);
    remember_stopper(node, number, by);
    uint64_t stop = (uint64_t)generation << 32 | (uint64_t)how << TR_STOP_SHIFT | number;
    uint64_t before = atomic_load(&cell->stop);
    while (before < stop && !atomic_compare_exchange_weak(&cell->stop, &before, stop)) {
    }
}

/* A configured one that was forgotten has its address again only when the start is obeyed that it may have been sent.
 * An order behind that start must not be lost; without a start it is for nobody. NULL: it is none. */
static struct tr_cell *forgotten_cell(struct tr_node *node, troupe_address to) {
    bool configured = to.slot < node->options.reserved_slots && to.generation == TR_BOUND_GENERATION;
    return configured ? tr_cells_at(&node->cells, to.slot) : NULL;
}

enum troupe_status tr_stop(struct tr_node *node, struct tr_worker *worker, troupe_address to,
                           enum tr_stop how, troupe_address by) {
    if (troupe_address_is_none(to)) return TROUPE_GONE;
    if (to.node != node->id) {
        struct tr_route *route = route_to(node, to.node);
        return route == NULL ? TROUPE_UNREACHABLE : route->methods->stop(route, worker, to, by);
    }
    struct tr_cell *there = cell_of(node, to), *cell = there != NULL ? there : forgotten_cell(node, to);
    if (cell == NULL || atomic_load(&cell->class) == NULL) return TROUPE_GONE;
    set_stop(node, cell, to.generation, how, by);
    tr_cell_ring(node, worker, cell);
    return there == NULL ? TROUPE_GONE : TROUPE_OK;
}

struct tr_cell *tr_native_new(struct tr_node *node, const struct tr_native *native, void *context) {
    struct tr_cell *cell = tr_cells_take_unused(&node->cells);
    if (cell == NULL) return NULL;
    cell->turn = TR_TURN_NATIVE;
    *tr_cell_native(cell) = (struct tr_native_state){ native, context };
    return cell;
}
