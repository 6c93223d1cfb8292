/*
 * Dead letters: what becomes of a message that was taken and cannot be handled. One place, so that none
 * is forgotten: it is counted by its reason, logged (at a bounded rate), its sender is told if it wants
 * to know, the ask it carries ends, and its memory is freed.
 */
#ifndef TR_DEAD_H
#define TR_DEAD_H

#include "core/worker.h"

/* A message of this node or from another. Takes it. `worker` NULL: not a worker's thread. */
void tr_dead_letter(struct tr_node *node, struct tr_worker *worker, struct tr_message *message,
                    enum troupe_status reason);

/* The same as tr_dead_letter without freeing it: for the one at the head of a mailbox. */
void tr_dead_letter_keep(struct tr_node *node, struct tr_worker *worker, struct tr_message *message,
                         enum troupe_status reason);

/* Those who want to know of dead letters are told of one. */
void tr_dead_letter_tell(struct tr_node *node, struct tr_worker *worker, const struct tr_dead_news *news);

/* The ask that a message carried ends (0: it carried none), in the words of an ask. All that is told of one of
 * Troupe's own. */
void tr_tell_asker(struct tr_node *node, struct tr_worker *worker, troupe_address from, uint64_t ask,
                   enum troupe_status reason);

/* The sender of a message learns that it was not delivered: the notice, and the outcome of its ask. For
 * lanes, of messages that died on the way or over there. */
void tr_tell_sender(struct tr_node *node, struct tr_worker *worker, troupe_address from,
                    troupe_address to, const char *type, uint64_t ask, enum troupe_status reason);

/* A line about a message that was lost ("dead letter") or refused ("not sent"), unless there were too
 * many of late. */
void tr_loss_log(struct tr_node *node, const char *what, troupe_address to, const char *type,
                 enum troupe_status reason);

/* A line about a message that a send refuses for what is in it: a mistake of the sender's, which it names. */
void tr_refusal_log(struct tr_node *node, const struct tr_outgoing *outgoing, const char *why);

#endif
