/*
 * The observer. What a question about the node asks for is read at once. One about the tree is handed to an actor that
 * is made for it (surveyor.c). One about an actor is asked of that actor's worker too, by a message that it finds in
 * its mailbox (core/look.h); the asker is kept meanwhile. If the worker has not come to it after PATIENCE, the reply
 * is what anybody can know.
 *
 * So many questions about actors may be open at once: an open one has a place, and its number says which, and which
 * of all that had that place. What comes back late finds another number there.
 */
#include "services/observer.h"

#include <stdlib.h>

#include "core/look.h"
#include "core/send.h"
#include "services/services.h"

enum { OPEN = 1024 };

#define PATIENCE (100 * TROUPE_MILLISECOND)

#define LATE_FIELDS(field) field(u64, id)
TROUPE_MESSAGE(tr_look_late, LATE_FIELDS)

struct open {
    uint64_t id; /* the last that was here: serial << 32 | place */
    bool used;
    troupe_address actor;
    struct troupe_asker asker;
    troupe_timer timer;
};

struct tr_observer {
    struct open *open; /* OPEN of them, made when the first is needed */
    uint32_t next;     /* where to look for a free one */
};

troupe_address troupe_observer(troupe_address address) {
    return (troupe_address){ address.node, TR_OBSERVER_SLOT, TR_BOUND_GENERATION };
}

static enum troupe_status refuse(troupe_self *self, troupe_address actor, enum troupe_status status) {
    return troupe_reply(self, troupe_actor_info, .status = status, .address = actor);
}

/* NULL: it is stale. */
static struct tr_cell *cell_of(struct tr_node *node, troupe_address actor) {
    struct tr_cell *cell = tr_cells_at(&node->cells, actor.slot);
    bool valid = cell != NULL && actor.generation != 0 && atomic_load(&cell->class) != NULL &&
                 atomic_load(&cell->generation) == actor.generation;
    return valid ? cell : NULL;
}

/* ---- Open questions ---- */

/* NULL: there are too many. */
static struct open *find_place(struct tr_observer *me) {
    if (me->open == NULL) me->open = calloc(OPEN, sizeof *me->open);
    for (uint32_t i = 0; me->open != NULL && i < OPEN; i++) {
        uint32_t place = (me->next + i) % OPEN;
        struct open *open = &me->open[place];
        if (open->used) continue;
        me->next = place + 1;
        open->id = (open->id & ~UINT64_C(0xFFFFFFFF)) + (UINT64_C(1) << 32) + place;
        return open;
    }
    return NULL;
}

static struct open *find_open(struct tr_observer *me, uint64_t id) {
    uint32_t place = (uint32_t)id;
    bool is = me->open != NULL && place < OPEN && me->open[place].used && me->open[place].id == id;
    return is ? &me->open[place] : NULL;
}

static void add(const struct tr_looked *looked, struct troupe_actor_info *info) {
    info->whole = info->running = true;
    info->path = looked->path;
    info->name = looked->name;
    info->behaviour = looked->behaviour;
    info->starting = looked->starting;
    info->run = looked->run;
    info->uptime = looked->uptime;
    info->timers = looked->timers;
    info->sources = looked->sources;
    info->stashed = looked->stashed;
    info->kept = looked->kept;
    info->handled += looked->otherwise;
}

/* `looked`: NULL: its worker did not come. The actor may have ended since it was asked about. */
static enum troupe_status finish(troupe_self *self, struct open *open, const struct tr_looked *looked) {
    char handling[TR_HANDLING_SIZE];
    struct tr_node *node = self->worker->node;
    struct tr_cell *cell = cell_of(node, open->actor);
    struct troupe_actor_info info = { .status = TROUPE_GONE, .address = open->actor };
    if (cell != NULL) tr_observe_cell(node, cell, open->actor, &info, handling);
    if (cell != NULL && looked != NULL) add(looked, &info);
    open->used = false;
    (void)troupe_answer_message(self, open->asker, &troupe_actor_info_message, &info);
    return TROUPE_OK;
}

/* ---- Questions ---- */

static enum troupe_status ask_worker(troupe_self *self, struct open *open, troupe_address actor) {
    const struct tr_look look = { .id = open->id };
    struct tr_outgoing outgoing = { .to = actor, .from = troupe_self_address(self), .type = &tr_look_message,
                                    .body = &look, .flags = TR_MESSAGE_SYSTEM };
    return tr_send(self->worker->node, self->worker, &outgoing);
}

static enum troupe_status inspect(troupe_self *self, struct tr_observer *me, troupe_address actor) {
    struct open *open = find_place(me);
    if (open == NULL) return refuse(self, actor, TROUPE_LIMIT);
    enum troupe_status status = troupe_after(self, &open->timer, PATIENCE, tr_look_late, .id = open->id);
    if (status != TROUPE_OK) return refuse(self, actor, status);
    open->used = true;
    open->actor = actor;
    open->asker = troupe_keep_asker(self);
    (void)ask_worker(self, open, actor); /* if that fails, nobody answers in time */
    return TROUPE_OK;
}

TROUPE_ON(tr_observer, troupe_inspect_actor) {
    struct tr_node *node = self->worker->node;
    if (msg->actor.node != node->id) {
        enum troupe_status status = troupe_forward(self, troupe_observer(msg->actor));
        return status == TROUPE_OK ? status : refuse(self, msg->actor, status);
    }
    if (cell_of(node, msg->actor) == NULL) return refuse(self, msg->actor, TROUPE_GONE);
    return inspect(self, me, msg->actor);
}

/* What another node says of an actor of this one is not believed. */
TROUPE_ON(tr_observer, tr_looked) {
    struct open *open = self->message->inbound != NULL ? NULL : find_open(me, msg->id);
    if (open == NULL) return TROUPE_OK;
    (void)troupe_cancel(self, open->timer);
    return finish(self, open, msg);
}

TROUPE_ON(tr_observer, tr_look_late) {
    struct open *open = find_open(me, msg->id);
    return open == NULL ? TROUPE_OK : finish(self, open, NULL);
}

TROUPE_ON(tr_observer, troupe_inspect_node) {
    struct troupe_node_info info = { 0 };
    struct tr_observed_threads threads;
    (void)me;
    tr_observe_node(self->worker->node, &info, &threads);
    return troupe_reply_message(self, &troupe_node_info_message, &info);
}

TROUPE_ON(tr_observer, troupe_inspect_tree) {
    enum troupe_status status = tr_survey(self);
    return status == TROUPE_OK ? status : troupe_reply(self, troupe_tree_info, .status = status);
}

TROUPE_STOP(tr_observer) { free(me->open); }

TROUPE_ACTOR(tr_observer, TROUPE_STOPS(tr_observer),
             TROUPE_HANDLES(tr_observer, troupe_inspect_actor, troupe_inspect_node, troupe_inspect_tree, tr_looked,
                            tr_look_late))
