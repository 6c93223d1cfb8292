/*
 * A look at an actor by its own worker, between two handlers: what only that may read. It comes through the mailbox,
 * as a message that every class knows, and disturbs nothing: it is neither counted nor an end to silence.
 */
#ifndef TR_LOOK_H
#define TR_LOOK_H

#include "core/worker.h"

/* To the cell; answered with a tr_looked to the sender. */
#define TR_LOOK_FIELDS(field) field(u64, id)
TROUPE_MESSAGE(tr_look, TR_LOOK_FIELDS)

/* As in troupe_actor_info (include/troupe/inspect.h). */
#define TR_LOOKED_FIELDS(field)                                                                    \
    field(u64, id) field(str, path) field(str, name) field(str, behaviour) field(bool, starting)   \
    field(u32, run) field(i64, uptime) field(u32, timers) field(u32, sources) field(u32, stashed)  \
    field(u32, kept) field(u32, otherwise)
TROUPE_MESSAGE(tr_looked, TR_LOOKED_FIELDS)

/* Not one from another node: whoever sends that does not keep the rules. */
static inline bool tr_is_look(const struct tr_link *link) {
    if (link->kind != TR_LINK_MESSAGE) return false;
    const struct tr_message *message = tr_message_of((struct tr_link *)(uintptr_t)link);
    return message->type == &tr_look_message && message->inbound == NULL;
}

void tr_look_answer(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *look);

#endif
