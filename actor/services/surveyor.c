/*
 * Goes through the tree for one question: a supervisor after the other is asked for its children, in the order in
 * which they were found, so that those of one stand together. When all have told, or had their time, the asker gets
 * its reply, and this actor is done. It keeps what it was told in the messages' own form.
 *
 * A supervisor that does not tell leaves its item incomplete, and the look goes on with the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "core/worker.h"
#include "services/observer.h"
#include "services/services.h"

enum { MOST = 10000, NOBODY = UINT32_MAX };

#define TIME (1 * TROUPE_SECOND)

struct tr_surveyor {
    struct troupe_asker asker;
    struct troupe_tree_item *items; /* their strings are copies */
    uint32_t count, limit;
    troupe_address supervisor; /* who is asked for its children ... */
    uint32_t parent;           /* ... its item; NOBODY: the look began with it */
    enum troupe_status status; /* of that one */
    bool complete;
};

static void free_item(struct troupe_tree_item *item) {
    free((void *)(uintptr_t)item->name);
    free((void *)(uintptr_t)item->path);
    free((void *)(uintptr_t)item->actor);
    free((void *)(uintptr_t)item->failure);
}

TROUPE_STOP(tr_surveyor) {
    for (uint32_t i = 0; i < me->count; i++) free_item(&me->items[i]);
    free(me->items);
}

static enum troupe_status tell(troupe_self *self, struct tr_surveyor *me) {
    const struct troupe_tree_info info = { .status = me->status, .complete = me->complete,
                                           .items = { me->items, me->count } };
    enum troupe_status status = troupe_answer_message(self, me->asker, &troupe_tree_info_message, &info);
    if (status == TROUPE_TOO_BIG || status == TROUPE_NO_MEMORY)
        (void)troupe_answer_later(self, me->asker, troupe_tree_info, .status = status);
    return troupe_exit(self);
}

static enum troupe_status ask(troupe_self *self, struct tr_surveyor *me, uint64_t after) {
    return troupe_ask(self, me->supervisor, troupe_which_children, TIME, .after = after);
}

/* To the next supervisor that was found; one that cannot be asked stays incomplete. */
static enum troupe_status go_on(troupe_self *self, struct tr_surveyor *me) {
    for (uint32_t next = me->parent + 1; next < me->count; next++) {
        if (!me->items[next].is_supervisor) continue;
        me->parent = next;
        me->supervisor = me->items[next].address;
        if (me->count < me->limit && ask(self, me, 0) == TROUPE_OK) return TROUPE_OK;
    }
    return tell(self, me);
}

TROUPE_ON(tr_surveyor, troupe_inspect_tree) {
    me->supervisor = troupe_address_is_none(msg->under) ? troupe_lookup(self, "/") : msg->under;
    me->asker = troupe_keep_asker(self);
    me->parent = NOBODY;
    me->limit = msg->limit == 0 || msg->limit > MOST ? MOST : msg->limit;
    me->items = calloc(me->limit, sizeof *me->items);
    me->status = me->items == NULL ? TROUPE_NO_MEMORY : ask(self, me, 0);
    return me->status == TROUPE_OK ? TROUPE_OK : tell(self, me);
}

static bool add(struct tr_surveyor *me, const struct troupe_child_info *child, int64_t now) {
    struct troupe_tree_item *item = &me->items[me->count];
    *item = (struct troupe_tree_item){ .parent = me->parent,
                                       .depth = me->parent == NOBODY ? 0 : me->items[me->parent].depth + 1,
                                       .name = strdup(child->name), .path = strdup(child->path),
                                       .actor = strdup(child->actor), .address = child->address,
                                       .is_supervisor = child->is_supervisor, .complete = !child->is_supervisor,
                                       .state = child->state, .age = now - child->since,
                                       .restarts = child->restarts, .restart = child->restart,
                                       .failure = strdup(child->failure), .failed_at = child->failed_at };
    if (item->name != NULL && item->path != NULL && item->actor != NULL && item->failure != NULL) {
        me->count++;
        return true;
    }
    free_item(item);
    return false;
}

static void is_complete(struct tr_surveyor *me, uint32_t strategy) {
    if (me->parent == NOBODY) {
        me->complete = true;
        return;
    }
    me->items[me->parent].complete = true;
    me->items[me->parent].strategy = strategy;
}

/* Those who do not tell in time, or have ended meanwhile. */
static enum troupe_status missed(troupe_self *self, struct tr_surveyor *me, enum troupe_status outcome) {
    if (me->parent != NOBODY) return go_on(self, me);
    me->status = outcome;
    return tell(self, me);
}

TROUPE_ANSWER(tr_surveyor, troupe_which_children, troupe_children) {
    bool room = true;
    uint64_t last = request->after;
    if (outcome != TROUPE_OK) return missed(self, me, outcome);
    for (uint32_t i = 0; i < reply->children.count && room; i++) {
        const struct troupe_child_info *child = &reply->children.items[i];
        room = me->count < me->limit && add(me, child, reply->now);
        last = child->number;
    }
    bool more = reply->more && last > request->after;
    if (room && more && ask(self, me, last) == TROUPE_OK) return TROUPE_OK;
    if (room && !reply->more) is_complete(me, reply->strategy);
    return go_on(self, me);
}

TROUPE_ACTOR(tr_surveyor, TROUPE_STOPS(tr_surveyor), TROUPE_HANDLES(tr_surveyor, troupe_inspect_tree),
             TROUPE_ANSWERS(tr_surveyor, troupe_which_children, troupe_children))

enum troupe_status tr_survey(troupe_self *self) {
    troupe_address surveyor;
    enum troupe_status status = troupe_spawn_empty(self, &surveyor, tr_surveyor);
    if (status != TROUPE_OK) return status;
    status = troupe_forward(self, surveyor);
    if (status != TROUPE_OK) (void)troupe_stop_actor(self, surveyor);
    return status;
}
