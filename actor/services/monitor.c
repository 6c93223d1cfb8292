/* What actors call: include/troupe/monitor.h. */
#include <stdlib.h>
#include <troupe/monitor.h>

#include "core/log.h"
#include "services/services.h"
#include "services/tie.h"

static enum troupe_status refuse(troupe_self *self, const char *what, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "%s: %s", what, why);
    return TROUPE_INVALID;
}

static bool accepts(const troupe_self *self, const struct troupe_message_type *type) {
    return tr_class_accepts(atomic_load(&self->cell->class), type);
}

/* No two of an application at one time: the node, its incarnation, a count. */
static uint64_t new_id(struct tr_node *node) {
    uint64_t count = atomic_fetch_add_explicit(&tr_services_of(node)->far.made, 1, memory_order_relaxed) + 1;
    return node->id << 48 | (uint64_t)(node->options.incarnation & 0xff) << 40 | (count & 0xffffffffff);
}

/* NULL: there is none, and has been none. */
static struct tr_bonds *bonds_of(const troupe_self *self) {
    return self->cell->more == NULL ? NULL : self->cell->more->bonds;
}

static struct tr_tie_context context_of(troupe_self *self) {
    return (struct tr_tie_context){ .worker = self->worker, .cell = self->cell, .self = troupe_self_address(self) };
}

/* ---- A new one: all memory first ---- */

static enum troupe_status make(troupe_self *self, troupe_address other, enum tr_bond_kind kind, struct tr_tie **tie,
                               struct tr_said **said) {
    struct tr_node *node = self->worker->node;
    struct tr_holder *holder = tr_holder_of(self->cell);
    enum tr_bond_word word = kind == TR_BOND_LINK ? TR_WORD_LINK : TR_WORD_WATCH;
    enum troupe_status status = holder == NULL ? TROUPE_NO_MEMORY : tr_bonds_room(&holder->bonds, 2);
    if (status != TROUPE_OK) return status;
    uint64_t id = new_id(node);
    bool here = other.node == node->id;
    *tie = tr_tie_new(node, self->cell, kind, other, id);
    if (*tie != NULL) (*tie)->bond.ours = true;
    *said = here ? tr_said_new(self->worker, word, troupe_self_address(self), id) : NULL;
    if (*tie != NULL && (*said != NULL || !here)) return TROUPE_OK;
    if (*said != NULL) tr_said_free(self->worker, *said);
    if (*tie != NULL) tr_tie_free(node, *tie);
    *tie = NULL;
    return TROUPE_NO_MEMORY;
}

static enum troupe_status bond(troupe_self *self, troupe_address other, enum tr_bond_kind kind, uint64_t *id) {
    struct tr_tie *tie;
    struct tr_said *said;
    enum troupe_status status = make(self, other, kind, &tie, &said);
    if (status != TROUPE_OK) return status;
    *id = tie->bond.id;
    tr_bonds_add(&tr_holder_of(self->cell)->bonds, &tie->bond);
    tr_tie_ask(self->worker, tie, said, kind == TR_BOND_LINK ? TR_WORD_LINK : TR_WORD_WATCH);
    return TROUPE_OK;
}

/* ---- Monitors ---- */

enum troupe_status troupe_monitor(troupe_self *self, troupe_address address, troupe_monitor_id *monitor) {
    uint64_t id;
    if (self->cell->ended) return TROUPE_STOPPING;
    if (!accepts(self, &troupe_down_message))
        return refuse(self, "not monitored", "the actor does not handle troupe_down");
    enum troupe_status status = bond(self, address, TR_BOND_WATCHES, &id);
    if (status == TROUPE_OK) monitor->id = id;
    return status;
}

enum troupe_status troupe_demonitor(troupe_self *self, troupe_monitor_id monitor) {
    struct tr_bonds *bonds = bonds_of(self);
    struct tr_tie_context at = context_of(self);
    struct tr_bond *watch = bonds == NULL ? NULL : tr_bonds_watch(bonds, monitor.id);
    if (watch == NULL) return TROUPE_GONE;
    bonds->context = &at;
    tr_bonds_unwatch(bonds, watch);
    return TROUPE_OK;
}

/* ---- Links ---- */

enum troupe_status troupe_link(troupe_self *self, troupe_address address) {
    uint64_t id;
    const struct tr_bonds *bonds = bonds_of(self);
    if (self->cell->ended) return TROUPE_STOPPING;
    if (troupe_address_equal(address, troupe_self_address(self))) return TROUPE_OK;
    if (bonds != NULL && tr_bonds_is_linked(bonds, address)) return TROUPE_OK;
    return bond(self, address, TR_BOND_LINK, &id);
}

enum troupe_status troupe_unlink(troupe_self *self, troupe_address address) {
    struct tr_bonds *bonds = bonds_of(self);
    struct tr_tie_context at = context_of(self);
    if (bonds == NULL) return TROUPE_GONE;
    bonds->context = &at;
    return tr_bonds_unlink(bonds, address) ? TROUPE_OK : TROUPE_GONE;
}

enum troupe_status troupe_trap(troupe_self *self, bool traps) {
    if (self->cell->ended) return TROUPE_STOPPING;
    if (traps && !accepts(self, &troupe_exited_message))
        return refuse(self, "exits not trapped", "the actor does not handle troupe_exited");
    struct tr_holder *holder = tr_holder_of(self->cell);
    if (holder == NULL) return TROUPE_NO_MEMORY;
    holder->bonds.traps = traps;
    return TROUPE_OK;
}

/* ---- With a spawn ---- */

static enum troupe_status make_new(troupe_self *self, enum tr_bond_kind kind, struct tr_tie **tie,
                                   struct tr_notice **words) {
    struct tr_said *said;
    const troupe_address unknown = { .node = self->worker->node->id };
    enum troupe_status status = make(self, unknown, kind, tie, &said);
    if (status != TROUPE_OK) return status;
    said->notice.next = *words;
    *words = &said->notice;
    return TROUPE_OK;
}

enum troupe_status tr_new_bonds_make(troupe_self *self, const struct troupe_spawn_options *options,
                                     struct tr_new_bonds *made) {
    enum troupe_status status = TROUPE_OK;
    *made = (struct tr_new_bonds){ 0 };
    if (options->monitor != NULL && !accepts(self, &troupe_down_message))
        return refuse(self, "not spawned with a monitor", "the actor does not handle troupe_down");
    if (options->link) status = make_new(self, TR_BOND_LINK, &made->link, &made->words);
    if (status == TROUPE_OK && options->monitor != NULL)
        status = make_new(self, TR_BOND_WATCHES, &made->watch, &made->words);
    if (status != TROUPE_OK) tr_new_bonds_drop(self, made);
    return status;
}

static void keep(troupe_self *self, struct tr_tie *tie, troupe_address address) {
    if (tie == NULL) return;
    tie->bond.other = address;
    tr_bonds_add(&tr_holder_of(self->cell)->bonds, &tie->bond);
}

void tr_new_bonds_keep(troupe_self *self, const struct troupe_spawn_options *options, const struct tr_new_bonds *made,
                       troupe_address address) {
    keep(self, made->link, address);
    keep(self, made->watch, address);
    if (made->watch != NULL) options->monitor->id = made->watch->bond.id;
}

void tr_new_bonds_drop(troupe_self *self, const struct tr_new_bonds *made) {
    for (struct tr_notice *words = made->words; words != NULL;) {
        struct tr_notice *next = words->next;
        tr_said_free(self->worker, tr_said_of(words));
        words = next;
    }
    if (made->link != NULL) tr_tie_free(self->worker->node, made->link);
    if (made->watch != NULL) tr_tie_free(self->worker->node, made->watch);
}
