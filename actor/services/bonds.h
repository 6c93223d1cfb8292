/*
 * What an actor has to do with the ends of others: whom it watches (monitors), who watches it, with whom it is
 * linked. Pure: calls of the actor and words of others in, words and ends out; no clock, no thread, no messages. The
 * driver is services/monitor.c; the simulation drives this very code.
 *
 * OTP's meanings (erlang:monitor/2, link/1, unlink/1, process_flag(trap_exit)), but one difference in how races are
 * decided: every monitor and every link has an id of its own, which whoever makes it chooses and every word about it
 * carries. So a word about one that is over is known as such, whatever has been made since; OTP's links have no id,
 * and need one for each unlink, an acknowledgement, and a wait for that. What the protocol needs is what OTP's does:
 * words of one actor to another arrive in the order in which they were said, those of them that arrive.
 *
 *     WATCH id     I want to know of your end
 *     UNWATCH id   no longer
 *     LINK id      our ends are one
 *     UNLINK id    no longer
 *     END id       my run is over, with its reason. Also said for an actor that is not there, or out of reach, by
 *                  whoever finds that out
 *
 * Both sides of a link may make one at the same time: then there are two, and the first END is the end of both.
 * Bonds belong to a run: the end of a run is the end of all of them.
 */
#ifndef TR_BONDS_H
#define TR_BONDS_H

#include <stdbool.h>
#include <troupe/message.h>

enum { TR_BONDS_MAX = 1 << 20 }; /* of one actor */

enum tr_bond_kind {
    TR_BOND_WATCHES, /* this actor wants to know of the other's end */
    TR_BOND_WATCHED, /* the other of this one's */
    TR_BOND_LINK,
};

enum tr_bond_word {
    TR_WORD_WATCH = 1,
    TR_WORD_UNWATCH,
    TR_WORD_LINK,
    TR_WORD_UNLINK,
    TR_WORD_END,
    TR_WORD_LOST, /* never sent: END, for the node of the other has died; what was said to it may reach its next life */
};

/* Part of what the driver allocates for it. */
struct tr_bond {
    struct tr_bond *previous, *next;   /* of all */
    struct tr_bond *same_id, *same_other; /* chains; the second for links alone */
    troupe_address other;
    uint64_t id;
    uint8_t kind; /* enum tr_bond_kind */
    bool ours;    /* this actor has made it */
    bool over;    /* its END has come, and waits to be handled: the actor may still take it back. First: no */
};

struct tr_bonds;

/* What follows. Must not call back, but for tr_bonds_handled. `reason`: as it was given. */
struct tr_bonds_io {
    /* A bond that another asks for, filled in with these, and all else zero. NULL: no memory. */
    struct tr_bond *(*make)(void *context, enum tr_bond_kind kind, troupe_address other, uint64_t id);
    /* The bond is in no table any more, and nothing is to be said: the driver frees it. */
    void (*drop)(void *context, struct tr_bond *bond);
    /* The same, and the last word about it goes to the other: UNWATCH, UNLINK, END. */
    void (*part)(void *context, struct tr_bond *bond, enum tr_bond_word word);
    /* UNWATCH, UNLINK, of a bond that is not given up: for a node that has died. */
    void (*withdraw)(void *context, const struct tr_bond *bond, enum tr_bond_word word);
    /* One that could not be made: END goes to the other, because of this. */
    void (*refuse)(void *context, troupe_address other, uint64_t id, enum troupe_status status);
    /* A message for the actor: the other has ended. When it is its turn, tr_bonds_handled; the driver drops it
     * without, if the bond has been dropped meanwhile. */
    void (*tell)(void *context, struct tr_bond *bond, const void *reason);
    /* The run of the actor must end for the end of one it was linked with: once the call at hand has returned. */
    void (*end)(void *context, troupe_address other, const void *reason);
};

struct tr_bonds {
    const struct tr_bonds_io *io;
    void *context;              /* for the call at hand */
    struct tr_bond *first, *last; /* as they were made */
    struct tr_bond **ids, **others; /* chains by id, and of links by the other: `size` each; NULL: not made yet */
    uint32_t size, count;
    bool traps;                 /* the ends of those it is linked with are messages, not its own */
};

void tr_bonds_init(struct tr_bonds *bonds, const struct tr_bonds_io *io);
/* There must be no bonds left. */
void tr_bonds_free(struct tr_bonds *bonds);

/* ---- The actor: bonds that it makes, with their ids, which nobody else has given out ---- */

/* Are so many more possible? OK, LIMIT, NO_MEMORY. */
enum troupe_status tr_bonds_room(struct tr_bonds *bonds, uint32_t more);
/* There must be room. Takes the bond, whose kind, other, id and `ours` are filled in. WATCH or LINK is the caller's to say. */
void tr_bonds_add(struct tr_bonds *bonds, struct tr_bond *bond);
/* Is there a link with it, whose end has not come? */
bool tr_bonds_is_linked(const struct tr_bonds *bonds, troupe_address other);
/* A monitor of this actor, whether or not its END waits. NULL: there is none. */
struct tr_bond *tr_bonds_watch(const struct tr_bonds *bonds, uint64_t id);
/* No message of it is handled after this. */
void tr_bonds_unwatch(struct tr_bonds *bonds, struct tr_bond *bond);
/* Every link with it, and every message about its end that waits. False: there was nothing. */
bool tr_bonds_unlink(struct tr_bonds *bonds, troupe_address other);
/* Its message is about to be handled: it is dropped. */
void tr_bonds_handled(struct tr_bonds *bonds, struct tr_bond *bond);

/* ---- Others ---- */

/* `is_normal`, of END: its work was done. Any order and any content are fine. */
void tr_bonds_word(struct tr_bonds *bonds, enum tr_bond_word word, troupe_address from, uint64_t id,
                   bool is_normal, const void *reason);
/* The run is over: all are told, and the table is empty. */
void tr_bonds_end(struct tr_bonds *bonds);

#endif
