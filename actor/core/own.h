/*
 * A thread of its own for one actor: a worker that runs a single cell, so that its handlers may block and
 * may call troupe_receive. It is not one of the pool: it is never idle for others, steals nothing, and
 * nothing is stolen from it. Its timers are in its own wheel.
 *
 * Whose a cell is stands in `cell->home`, which whoever schedules it looks at: 0 for the pool, otherwise the
 * place of its own worker in the node's table. It is written before the cell has an address (tr_bind,
 * tr_spawn), and set back to 0 by the own worker itself, when a spawned actor has ended and before its slot
 * is free again. A configured cell keeps its thread until its node ends: its supervisor may start it again.
 *
 * So the same slot may be the pool's first and a thread's afterwards, or the other way round, while the one
 * who ended the actor before is still at the rest of its batch. A start that comes up there is not obeyed,
 * but left where it is, and the cell scheduled again: at its home (tr_run_system).
 *
 * Sleeping. One word says what the thread does: AWAKE, asleep ON_FUTEX, asleep IN_LOOP (it watches
 * descriptors), and SCHEDULED: its cell has something to do. Whoever schedules the cell exchanges the word,
 * and makes a system call only if that says that the thread sleeps. The thread goes to sleep only from
 * AWAKE, by a swap that fails if the cell has been scheduled meanwhile; after it, it looks whether the node
 * was halted, for whoever halts it calls only those that sleep. tests/models/own.pml.
 */
#ifndef TR_OWN_H
#define TR_OWN_H

#include "core/death.h"
#include "core/worker.h"

enum tr_own_life { TR_OWN_FREE, TR_OWN_RUNNING, TR_OWN_ENDED };

struct tr_own {
    struct tr_worker worker;
    struct tr_cell *cell;
    _Atomic bool leaving;       /* its cell is somebody else's now */
    uint8_t life;               /* enum tr_own_life; under the node's end_lock */
    /* of troupe_receive */
    uint32_t received;
    enum troupe_status failed;  /* a handler that it called did: the run is to end with this */
    struct tr_death death;      /* ... and this */
    _Atomic uint32_t word __attribute__((aligned(64)));
} __attribute__((aligned(128)));

/* Gives a cell that nobody can schedule yet a thread of its own, with a name for people. LIMIT: too many have one; STOPPING: the node
 * is ending; SYSTEM: no descriptors or threads; NO_MEMORY. Any thread. */
enum troupe_status tr_own_give(struct tr_node *node, struct tr_cell *cell, const char *name);

/* The cell is the pool's again, if it is not: its actor has ended for good. By the own worker, whose thread ends
 * after its present batch. */
void tr_own_leave(struct tr_node *node, struct tr_cell *cell);

/* Its cell has something to do. Any thread that found the cell's mailbox empty. */
void tr_own_schedule(struct tr_node *node, uint8_t home);

/* By the own worker: waits until its cell has something to do. False: `until` is past (node time; INT64_MAX:
 * never), the node is halted, or the cell is not its own any more. */
bool tr_own_wait(struct tr_worker *worker, int64_t until);

/* By the own worker, whose cell somebody is about to schedule: waits for that alone. */
void tr_own_expect(struct tr_worker *worker);

/* ---- The end of the node (node.c) ---- */

/* Under the node's end_lock: no more threads are given, the node is halted, and those there are wake up to end.
 * In this order: in the place of one that has ended because of that, the next would not find it empty. */
void tr_owns_halt(struct tr_node *node);
void tr_owns_join(struct tr_node *node);
/* After that: what was scheduled is the pool's. */
void tr_owns_dissolve(struct tr_node *node);
void tr_owns_free(struct tr_node *node);

#endif
