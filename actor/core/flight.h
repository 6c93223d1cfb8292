/*
 * The flight recorder: a page of memory that outlives the node. A process shares it with the keeper, so
 * that after SIGKILL somebody still knows what each worker was handling, and how many messages were sent
 * and settled.
 *
 * A message to another node is counted by its sender alone, also when it is handled or dies over there:
 * only so can no death between two stores make it count twice, or not at all.
 *
 * Each worker writes its own entry and nobody else's: plain stores, in effect; readers see each value
 * whole. One more entry, the last, is for threads that are not workers; those add atomically.
 */
#ifndef TR_FLIGHT_H
#define TR_FLIGHT_H

#include <stdatomic.h>
#include <troupe/system.h>

/* A node's threads: those of the pool come first, those of single actors (own.h) after them. */
enum { TR_MAX_POOL = 64, TR_MAX_OWN = 192, TR_MAX_WORKERS = TR_MAX_POOL + TR_MAX_OWN };

enum { TR_FLIGHT_TYPES = 1024, TR_FLIGHT_NAME = 48 };

struct tr_flight_worker {
    _Atomic uint64_t sent_local;    /* taken by a send, for this node */
    _Atomic uint64_t sent_remote;   /* taken by a send, for another node */
    _Atomic uint64_t handled_local; /* of this node's own messages */
    _Atomic uint64_t handled_remote; /* to other nodes, and handled there: as acks and ledgers say */
    _Atomic uint64_t refused;
    _Atomic uint64_t in_doubt;      /* messages to nodes that died, by their ledgers */
    _Atomic uint64_t blocked;       /* handlers reported for holding up a worker: in the last entry */
    _Atomic uint64_t dead_local[TROUPE_STATUS_COUNT];   /* dead letters sent within this node */
    _Atomic uint64_t dead_outbound[TROUPE_STATUS_COUNT]; /* to other nodes, dead on the way or there */
    _Atomic uint64_t current_type;  /* address of the message type being handled; 0: none */
    _Atomic uint64_t current_cell;  /* slot << 32 | generation */
    _Atomic uint32_t current_inbound; /* it is not among the local messages sent: another node's, or a tick */
    _Atomic uint32_t current_serial; /* raised before each: of two looks, whether they saw the same */
} __attribute__((aligned(128)));

struct tr_flight_type {
    _Atomic uint64_t type; /* its address in that process; 0: end of the list */
    char name[TR_FLIGHT_NAME];
};

struct tr_flight {
    struct tr_flight_worker workers[TR_MAX_WORKERS + 1];
    struct tr_flight_type types[TR_FLIGHT_TYPES];
};

/* For the single writer of a counter. */
static inline void tr_bump(_Atomic uint64_t *counter) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* What a worker is about to handle. Readers that find the same serial before and after they look have seen
 * one thing, whole: hence the orders. */
static inline void tr_flight_handling(struct tr_flight_worker *worker, uint64_t cell,
                                      const struct troupe_message_type *type, bool inbound) {
    uint32_t serial = atomic_load_explicit(&worker->current_serial, memory_order_relaxed);
    atomic_store_explicit(&worker->current_serial, serial + 1, memory_order_release);
    atomic_store_explicit(&worker->current_cell, cell, memory_order_release);
    atomic_store_explicit(&worker->current_inbound, inbound, memory_order_relaxed);
    atomic_store_explicit(&worker->current_type, (uint64_t)(uintptr_t)type, memory_order_release);
}

/* Remembers a type's name, once. Called under the lock of the node's type table. */
void tr_flight_name(struct tr_flight *flight, const struct troupe_message_type *type);

/* Adds this page's counts. */
void tr_flight_counts(const struct tr_flight *flight, struct troupe_counts *counts);

/* After the death of the node that wrote it. What was being handled, and by whom, "count in /counter/0,
 * line in /reader": into `text`, empty if there was nothing. `path` names the actor of a slot, or says
 * NULL. Believes nothing in the page. */
void tr_flight_describe(const struct tr_flight *flight,
                        const char *(*path)(void *context, uint32_t slot, uint32_t generation),
                        void *context, char *text, size_t size);
/* What was lost with it becomes counts too: local messages that were neither settled nor being handled are
 * dead letters (NODE_DIED), those being handled are in doubt. */
void tr_flight_close(struct tr_flight *flight);

#endif
