/*
 * Messages put aside (include/troupe/behaviour.h).
 *
 * A message that was put aside leaves the mailbox when its handler has returned, and gives its room there back, or
 * an actor could not be sent what it waits for. It has left its channel, too, if it came by one: channels settle in
 * their order, so for the other node it is handled, and from here on it is a message of this node. It stays
 * unsettled here, and comes up again as what is held does: before all that is in the mailbox (batch.c).
 *
 * The list is a ring, of which the last one is known. At the end of a run all of it goes to what is held: that is
 * for the next run, or flushed.
 */
#include "core/log.h"
#include "core/run.h"

void tr_stash_add(struct tr_cell *cell, struct tr_message *message) {
    struct tr_cell_more *more = cell->more;
    struct tr_link *last = more->stash;
    struct tr_link *first = last == NULL ? &message->link : atomic_load_explicit(&last->next, memory_order_relaxed);
    atomic_store_explicit(&message->link.next, first, memory_order_relaxed);
    if (last != NULL) atomic_store_explicit(&last->next, &message->link, memory_order_relaxed);
    message->link.flags |= TR_MESSAGE_ASIDE;
    more->stash = &message->link;
    more->stashed++;
}

uint32_t tr_stash_hold(struct tr_cell *cell) {
    struct tr_cell_more *more = cell->more;
    if (more == NULL || more->stash == NULL) return 0;
    struct tr_link *last = more->stash, *first = atomic_load_explicit(&last->next, memory_order_relaxed);
    uint32_t count = more->stashed;
    atomic_store_explicit(&last->next, cell->held, memory_order_relaxed);
    if (cell->held == NULL) cell->held_last = last;
    cell->held = first;
    more->stash = NULL;
    more->stashed = 0;
    return count;
}

/* ---- For handlers ---- */

static bool is_one_at_hand(const troupe_self *self) {
    const struct tr_message *message = self->message;
    return message != NULL && self->counted && (message->link.flags & TR_MESSAGE_REPLY) == 0;
}

static const char *what_is_wrong(const troupe_self *self) {
    if (!is_one_at_hand(self)) return "there is none at hand";
    if (self->let_go == TR_LET_SETTLED) return "it counts as handled since troupe_receive";
    return self->answered || self->kept ? "it was answered, its asker kept, or it was forwarded" : NULL;
}

enum troupe_status troupe_stash(troupe_self *self) {
    if (is_one_at_hand(self) && self->let_go == TR_LET_ASIDE) return TROUPE_OK;
    const char *wrong = what_is_wrong(self);
    if (wrong != NULL) {
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no message put aside: %s", wrong);
        return TROUPE_INVALID;
    }
    const struct tr_cell_more *more = tr_cell_more(self->cell);
    if (more == NULL) return TROUPE_NO_MEMORY;
    if (more->stashed >= atomic_load_explicit(&self->cell->limit, memory_order_relaxed)) return TROUPE_FULL;
    self->let_go = TR_LET_ASIDE;
    self->kept = true;
    return TROUPE_OK;
}

/* What is held needs a mailbox that is not empty: or nobody would run the cell. */
uint32_t troupe_unstash(troupe_self *self) {
    uint32_t count = tr_stash_hold(self->cell);
    if (count > 0) tr_guard_behind(self->worker, self->cell);
    return count;
}
