/*
 * Ties: the bonds of actors (bonds.h) with real cells. Each actor that has any keeps a holder, with its machine, in
 * its cell, touched only by the worker that runs it. What actors say to each other about bonds, the machine's words:
 *
 *     within a node    a notice on the other's system lane: it waits behind no message
 *     to another node  a message to the actor itself, so that it keeps its place among what is sent to it. When it
 *                      arrives, the lane makes a notice of it; in the mailbox it is nothing any more
 *
 * A notice for a cell that has another actor by now, or none, is answered with END. A word that another node did not
 * take, and the death of that node, become END here: by the lane, when all that the node had said has been read.
 *
 * The end of a run needs no memory: a tie within the node is itself the notice by which the other is told, and at the
 * other's, whose tie it is, the link that goes into the mailbox, for a message (core/source.h). Only the texts of the
 * report are allocated, once for all who are told; without them it says kind and status.
 */
#ifndef TR_TIE_H
#define TR_TIE_H

#include "core/death.h"
#include "core/source.h"
#include "services/bonds.h"

/* Between nodes; its id is where an ask has its own. `word`: enum tr_bond_word. `death`: of END. */
#define TR_BOND_SAID_FIELDS(field) field(u32, word) field(message(troupe_death), death)
TROUPE_MESSAGE(tr_bond_said, TR_BOND_SAID_FIELDS)

/* Why something is over. `obituary`: NULL without memory. */
struct tr_reason {
    struct tr_obituary *obituary;
    uint32_t kind, status;
};

struct tr_tie;

/* A word on the system lane. */
struct tr_said {
    struct tr_notice notice;  /* first: a notice is cast to it */
    uint8_t word;             /* enum tr_bond_word */
    struct tr_tie *part_of;   /* whose memory this is; NULL: its own */
    troupe_address from;
    uint64_t id;
    struct tr_reason reason;  /* of END, LOST */
};

struct tr_tie {
    struct tr_source source;  /* first: a source is cast to it */
    struct tr_bond bond;
    struct tr_said said;      /* the last word of this tie, or the last to its own actor */
    bool said_here;           /* within the node: `said` is on its own actor's lane: END */
    uint32_t generation;      /* of the actor whose it is */
    struct tr_reason reason;  /* once it is over */
    struct tr_tie *previous_far, *next_far; /* of those with actors of other nodes: under tr_far's lock */
    bool is_far;
};

/* The ties of a node with actors of others. */
struct tr_far {
    pthread_mutex_t lock;
    struct tr_tie *first, *last;
    _Atomic uint64_t made; /* ids given out */
};

void tr_far_init(struct tr_far *far);
void tr_far_free(struct tr_far *far);

/* What an actor has: tr_cell_more's `bonds`. */
struct tr_holder {
    struct tr_bonds bonds;    /* first: cast from it */
    struct tr_said *waiting;  /* ENDs that came before the run began, the last first */
};

static inline struct tr_said *tr_said_of(struct tr_notice *notice) { return (struct tr_said *)(void *)notice; }

static inline struct tr_tie *tr_tie_of(struct tr_bond *bond) {
    return (struct tr_tie *)(void *)((char *)bond - offsetof(struct tr_tie, bond));
}

/* ---- tie.c ---- */

/* Makes it. NULL: no memory. */
struct tr_holder *tr_holder_of(struct tr_cell *cell);
/* For the actor in this cell: not in its table. NULL: no memory. */
struct tr_tie *tr_tie_new(struct tr_node *node, struct tr_cell *cell, enum tr_bond_kind kind, troupe_address other,
                          uint64_t id);
void tr_tie_free(struct tr_node *node, struct tr_tie *tie);

/* Of tr_hooks. */
void tr_tie_told(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice, bool valid);
void tr_ties_began(struct tr_worker *worker, struct tr_cell *cell);
void tr_ties_ended(struct tr_worker *worker, troupe_address who, struct tr_bonds *bonds,
                   const struct troupe_death *death);

/* What an actor's calls of the machine lead to. */
struct tr_tie_context {
    struct tr_worker *worker;
    struct tr_cell *cell;             /* NULL: its run has ended */
    troupe_address self;
    const struct troupe_death *death; /* of that run */
    struct tr_reason reason;          /* the same, once it was needed */
    bool ends;                        /* the run is to end for this: */
    troupe_address by;
    struct tr_reason because;
};

/* ---- tie_words.c ---- */

/* Says WATCH or LINK for a tie that is in the table of the actor at hand, with the notice (NULL: to another node). If
 * there is nobody to say it to, END comes back. */
void tr_tie_ask(struct tr_worker *worker, struct tr_tie *tie, struct tr_said *said, enum tr_bond_word word);
/* Such a notice. NULL: no memory. */
struct tr_said *tr_said_new(struct tr_worker *worker, enum tr_bond_word word, troupe_address from, uint64_t id);
void tr_said_free(struct tr_worker *worker, struct tr_said *said);

/* The last word of a tie, which it takes. */
void tr_tie_part(struct tr_tie_context *context, struct tr_tie *tie, enum tr_bond_word word);
/* END to somebody who asked for a bond that does not come to be. */
void tr_tie_refuse(struct tr_node *node, struct tr_worker *worker, troupe_address self, troupe_address other,
                   uint64_t id, enum troupe_status status);

/* UNWATCH or UNLINK of one whose node has died. */
void tr_tie_withdraw(struct tr_tie_context *context, const struct tr_bond *bond, enum tr_bond_word word);

/* With actors of other nodes: to be found when the node dies. */
void tr_tie_is_far(struct tr_node *node, struct tr_tie *tie);
/* False: it has been found, or was not. */
bool tr_tie_no_longer_far(struct tr_node *node, struct tr_tie *tie);

/* ---- monitor.c: bonds that come with a spawn, so that the new actor cannot end unseen ---- */

struct tr_new_bonds {
    struct tr_tie *link, *watch; /* NULL: not asked for */
    struct tr_notice *words;     /* for tr_run_spec */
};

/* As far as the options ask for them. Else as troupe_monitor and troupe_link. */
enum troupe_status tr_new_bonds_make(troupe_self *self, const struct troupe_spawn_options *options,
                                     struct tr_new_bonds *made);
/* It was spawned, here; or was not. */
void tr_new_bonds_keep(troupe_self *self, const struct troupe_spawn_options *options, const struct tr_new_bonds *made,
                       troupe_address address);
void tr_new_bonds_drop(troupe_self *self, const struct tr_new_bonds *made);

/* ---- For lanes ---- */

/* A message with TR_MESSAGE_BOND has arrived, and goes into the mailbox next. False: no memory, nothing was done. */
bool tr_bond_arrived(struct tr_node *node, struct tr_worker *worker, struct tr_message *message);
/* One that this node has sent was not taken there, for this reason. */
void tr_bond_not_taken(struct tr_node *node, struct tr_worker *worker, troupe_address from, troupe_address to,
                       uint64_t id, enum troupe_status status, struct tr_obituary *of_node);
/* A node has died, and all that it had said was read. NULL: it is not known how. */
void tr_bonds_node_died(struct tr_node *node, struct tr_worker *worker, uint64_t peer, struct tr_obituary *of_node);

#endif
