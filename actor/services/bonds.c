#include "services/bonds.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/hash.h"

enum { FIRST_SIZE = 16 };

void tr_bonds_init(struct tr_bonds *bonds, const struct tr_bonds_io *io) { *bonds = (struct tr_bonds){ .io = io }; }

void tr_bonds_free(struct tr_bonds *bonds) {
    tr_assert(bonds->first == NULL && bonds->count == 0);
    free(bonds->ids);
    free(bonds->others);
}

/* ---- The table: a list of all, and two sets of chains ---- */

static struct tr_bond **chain_of_id(const struct tr_bonds *bonds, uint64_t id) {
    return &bonds->ids[id * UINT64_C(0x9E3779B97F4A7C15) >> 32 & (bonds->size - 1)];
}

static struct tr_bond **chain_of_other(const struct tr_bonds *bonds, troupe_address other) {
    return &bonds->others[tr_hash(&other, sizeof other) & (bonds->size - 1)];
}

static void enter(struct tr_bonds *bonds, struct tr_bond *bond) {
    struct tr_bond **ids = chain_of_id(bonds, bond->id), **others = chain_of_other(bonds, bond->other);
    bond->same_id = *ids;
    *ids = bond;
    if (bond->kind != TR_BOND_LINK) return;
    bond->same_other = *others;
    *others = bond;
}

/* Without memory for a larger one the old one does: its chains get longer. */
static bool grow(struct tr_bonds *bonds) {
    uint32_t size = bonds->size == 0 ? FIRST_SIZE : bonds->size * 2;
    struct tr_bond **ids = calloc(size, sizeof(struct tr_bond *)), **others = calloc(size, sizeof(struct tr_bond *));
    if (ids == NULL || others == NULL) {
        free(ids);
        free(others);
        return bonds->size > 0;
    }
    free(bonds->ids);
    free(bonds->others);
    bonds->ids = ids;
    bonds->others = others;
    bonds->size = size;
    for (struct tr_bond *bond = bonds->first; bond != NULL; bond = bond->next) enter(bonds, bond);
    return true;
}

enum troupe_status tr_bonds_room(struct tr_bonds *bonds, uint32_t more) {
    if (bonds->count + more > TR_BONDS_MAX) return TROUPE_LIMIT;
    return bonds->count < bonds->size || grow(bonds) ? TROUPE_OK : TROUPE_NO_MEMORY;
}

void tr_bonds_add(struct tr_bonds *bonds, struct tr_bond *bond) {
    bond->next = NULL;
    bond->previous = bonds->last;
    if (bonds->last != NULL) bonds->last->next = bond;
    else bonds->first = bond;
    bonds->last = bond;
    bonds->count++;
    enter(bonds, bond);
}

static void take(struct tr_bonds *bonds, struct tr_bond *bond) {
    struct tr_bond **at = chain_of_id(bonds, bond->id);
    while (*at != bond) at = &(*at)->same_id;
    *at = bond->same_id;
    if (bond->kind == TR_BOND_LINK) {
        at = chain_of_other(bonds, bond->other);
        while (*at != bond) at = &(*at)->same_other;
        *at = bond->same_other;
    }
    if (bond->previous != NULL) bond->previous->next = bond->next;
    else bonds->first = bond->next;
    if (bond->next != NULL) bond->next->previous = bond->previous;
    else bonds->last = bond->previous;
    bonds->count--;
}

/* One with this actor, and not another that has found out an id: words are not believed. */
static struct tr_bond *find(const struct tr_bonds *bonds, enum tr_bond_kind kind, troupe_address other, uint64_t id) {
    if (bonds->size == 0) return NULL;
    struct tr_bond *bond = *chain_of_id(bonds, id);
    while (bond != NULL && (bond->id != id || bond->kind != kind || !troupe_address_equal(bond->other, other)))
        bond = bond->same_id;
    return bond;
}

static struct tr_bond *next_link(struct tr_bond *bond, troupe_address other) {
    while (bond != NULL && !troupe_address_equal(bond->other, other)) bond = bond->same_other;
    return bond;
}

static struct tr_bond *first_link(const struct tr_bonds *bonds, troupe_address other) {
    return bonds->size == 0 ? NULL : next_link(*chain_of_other(bonds, other), other);
}

/* ---- Leaving it ---- */

static void drop(struct tr_bonds *bonds, struct tr_bond *bond) {
    take(bonds, bond);
    bonds->io->drop(bonds->context, bond);
}

/* Once its END has come there is nobody to tell. */
static void part(struct tr_bonds *bonds, struct tr_bond *bond, enum tr_bond_word word) {
    take(bonds, bond);
    if (bond->over) bonds->io->drop(bonds->context, bond);
    else bonds->io->part(bonds->context, bond, word);
}

/* ---- The actor ---- */

bool tr_bonds_is_linked(const struct tr_bonds *bonds, troupe_address other) {
    struct tr_bond *bond = first_link(bonds, other);
    while (bond != NULL && bond->over) bond = next_link(bond->same_other, other);
    return bond != NULL;
}

struct tr_bond *tr_bonds_watch(const struct tr_bonds *bonds, uint64_t id) {
    if (bonds->size == 0) return NULL;
    struct tr_bond *bond = *chain_of_id(bonds, id);
    while (bond != NULL && (bond->id != id || bond->kind != TR_BOND_WATCHES)) bond = bond->same_id;
    return bond;
}

void tr_bonds_unwatch(struct tr_bonds *bonds, struct tr_bond *bond) { part(bonds, bond, TR_WORD_UNWATCH); }

bool tr_bonds_unlink(struct tr_bonds *bonds, troupe_address other) {
    struct tr_bond *bond = first_link(bonds, other);
    bool any = bond != NULL;
    while (bond != NULL) {
        struct tr_bond *next = next_link(bond->same_other, other);
        part(bonds, bond, TR_WORD_UNLINK);
        bond = next;
    }
    return any;
}

void tr_bonds_handled(struct tr_bonds *bonds, struct tr_bond *bond) { drop(bonds, bond); }

/* ---- Others ---- */

static void ask_for(struct tr_bonds *bonds, enum tr_bond_kind kind, troupe_address from, uint64_t id) {
    enum troupe_status status = tr_bonds_room(bonds, 1);
    struct tr_bond *bond = status != TROUPE_OK ? NULL : bonds->io->make(bonds->context, kind, from, id);
    if (bond != NULL) tr_bonds_add(bonds, bond);
    else bonds->io->refuse(bonds->context, from, id, status == TROUPE_OK ? TROUPE_NO_MEMORY : status);
}

static void take_back(struct tr_bonds *bonds, enum tr_bond_kind kind, troupe_address from, uint64_t id) {
    struct tr_bond *bond = find(bonds, kind, from, id);
    if (bond != NULL && !bond->over) drop(bonds, bond);
}

static void tell(struct tr_bonds *bonds, struct tr_bond *bond, const void *reason) {
    bond->over = true;
    bonds->io->tell(bonds->context, bond, reason);
}

/* The end of one is the end of the others with it. Those are taken back: what this actor had asked for may still be on
 * its way, and is not meant for the next run; and the other may be there all the same, and could not make one more. */
static void drop_others(struct tr_bonds *bonds, const struct tr_bond *but) {
    struct tr_bond *bond = first_link(bonds, but->other);
    while (bond != NULL) {
        struct tr_bond *next = next_link(bond->same_other, but->other);
        if (bond != but && !bond->over) part(bonds, bond, TR_WORD_UNLINK);
        bond = next;
    }
}

static void end_link(struct tr_bonds *bonds, struct tr_bond *bond, bool is_normal, const void *reason) {
    const troupe_address other = bond->other;
    drop_others(bonds, bond);
    if (bonds->traps) {
        tell(bonds, bond, reason);
        return;
    }
    drop(bonds, bond);
    if (!is_normal) bonds->io->end(bonds->context, other, reason);
}

/* A node that has died may still be asked for what this actor had wanted of it, in its next life. */
static void withdraw(struct tr_bonds *bonds, const struct tr_bond *bond, enum tr_bond_word word) {
    if (bond != NULL && bond->ours && !bond->over) bonds->io->withdraw(bonds->context, bond, word);
}

static void lost(struct tr_bonds *bonds, troupe_address from, uint64_t id) {
    withdraw(bonds, find(bonds, TR_BOND_WATCHES, from, id), TR_WORD_UNWATCH);
    withdraw(bonds, find(bonds, TR_BOND_LINK, from, id), TR_WORD_UNLINK);
}

static void ended(struct tr_bonds *bonds, troupe_address from, uint64_t id, bool is_normal, const void *reason) {
    struct tr_bond *watch = find(bonds, TR_BOND_WATCHES, from, id), *link = find(bonds, TR_BOND_LINK, from, id);
    if (watch != NULL && !watch->over) tell(bonds, watch, reason);
    if (link != NULL && !link->over) end_link(bonds, link, is_normal, reason);
    take_back(bonds, TR_BOND_WATCHED, from, id);
}

void tr_bonds_word(struct tr_bonds *bonds, enum tr_bond_word word, troupe_address from, uint64_t id,
                   bool is_normal, const void *reason) {
    switch (word) {
    case TR_WORD_WATCH: ask_for(bonds, TR_BOND_WATCHED, from, id); break;
    case TR_WORD_UNWATCH: take_back(bonds, TR_BOND_WATCHED, from, id); break;
    case TR_WORD_LINK: ask_for(bonds, TR_BOND_LINK, from, id); break;
    case TR_WORD_UNLINK: take_back(bonds, TR_BOND_LINK, from, id); break;
    case TR_WORD_LOST:
        lost(bonds, from, id);
        ended(bonds, from, id, false, reason);
        break;
    case TR_WORD_END: ended(bonds, from, id, is_normal, reason); break;
    }
}

void tr_bonds_end(struct tr_bonds *bonds) {
    while (bonds->first != NULL)
        part(bonds, bonds->first, bonds->first->kind == TR_BOND_WATCHES ? TR_WORD_UNWATCH : TR_WORD_END);
}
