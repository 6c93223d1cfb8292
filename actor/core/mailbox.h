/*
 * The mailbox: an intrusive queue of links, many senders, one consumer.
 *
 * Senders exchange `tail` for their link and hang it behind the one they got back: one atomic exchange.
 * If they got NULL, the mailbox was empty and its cell idle: the sender puts the link at the head and
 * schedules the cell. So the exchange that queues a message also decides who schedules.
 *
 * The consumer works on the head while it is still in the queue, and only then moves on: a link that is
 * being handled keeps the mailbox from being empty, so that no sender schedules a cell that is running.
 * When there is no next link, the consumer swaps `tail` from that link back to NULL; from that moment
 * the cell is idle, another worker may already be running it, and the consumer must not touch it again.
 * If the swap fails, a sender is between its exchange and its store: the next link is there in a moment.
 *
 * No stub node, nothing kept back: an empty mailbox holds no message. docs/decisions/0004 tells why.
 *
 * The two ends are apart, for a cell to keep them on different cache lines: a consumer that moves along a
 * long queue must not touch the line that its senders fight for.
 */
#ifndef TR_MAILBOX_H
#define TR_MAILBOX_H

#include "core/message.h"

struct tr_mailbox {
    _Atomic(struct tr_link *) tail; /* NULL: empty, and its cell is idle */
};

struct tr_mailbox_front {
    struct tr_link *head; /* the consumer's; the sender's who found tail NULL */
};

/* True: the cell was idle; the caller must schedule it. Any thread. */
static inline bool tr_mailbox_push(struct tr_mailbox *mailbox, struct tr_mailbox_front *front,
                                   struct tr_link *link) {
    atomic_store_explicit(&link->next, NULL, memory_order_relaxed);
    struct tr_link *before =
        atomic_exchange_explicit(&mailbox->tail, link, memory_order_acq_rel);
    if (before == NULL) {
        front->head = link;
        return true;
    }
    atomic_store_explicit(&before->next, link, memory_order_release);
    return false;
}

/* Takes the head off. False: the mailbox is empty now and the cell idle: it is not the caller's any
 * more, but the link is. Consumer only. */
static inline bool tr_mailbox_advance(struct tr_mailbox *mailbox, struct tr_mailbox_front *front) {
    struct tr_link *head = front->head;
    struct tr_link *next = atomic_load_explicit(&head->next, memory_order_acquire);
    if (next == NULL) {
        struct tr_link *last = head;
        if (atomic_compare_exchange_strong_explicit(&mailbox->tail, &last, NULL,
                                                    memory_order_seq_cst, memory_order_relaxed))
            return false;
        do next = atomic_load_explicit(&head->next, memory_order_acquire);
        while (next == NULL);
    }
    front->head = next;
    return true;
}

#endif
