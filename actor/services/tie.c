/* The bonds of an actor with real cells: what its machine asks for, and what it is told. tie.h has the essay. */
#include "services/tie.h"

#include <stdlib.h>
#include <troupe/monitor.h>

#include "core/log.h"
#include "core/run.h"
#include "services/services.h"

static const struct tr_bonds_io actions;
static const struct tr_source_kind kind;

/* ---- Memory ---- */

struct tr_holder *tr_holder_of(struct tr_cell *cell) {
    struct tr_cell_more *more = tr_cell_more(cell);
    if (more == NULL) return NULL;
    if (more->bonds != NULL) return (struct tr_holder *)(void *)more->bonds;
    struct tr_holder *holder = calloc(1, sizeof *holder);
    if (holder == NULL) return NULL;
    tr_bonds_init(&holder->bonds, &actions);
    more->bonds = &holder->bonds;
    return holder;
}

struct tr_tie *tr_tie_new(struct tr_node *node, struct tr_cell *cell, enum tr_bond_kind bond, troupe_address other,
                          uint64_t id) {
    struct tr_tie *tie = tr_source_new(sizeof *tie, &kind);
    if (tie == NULL) return NULL;
    tie->source.cell = cell;
    tie->generation = cell->run_generation;
    tie->bond.kind = (uint8_t)bond;
    tie->bond.other = other;
    tie->bond.id = id;
    if (other.node != node->id) tr_tie_is_far(node, tie);
    return tie;
}

/* Its link may still be in the mailbox, or its notice on a lane. */
void tr_tie_free(struct tr_node *node, struct tr_tie *tie) {
    if (tie->bond.other.node != node->id) tr_tie_no_longer_far(node, tie);
    tr_obituary_drop(tie->reason.obituary);
    tie->reason.obituary = NULL;
    tie->source.cancelled = true;
    tr_source_drop(&tie->source);
}

/* ---- What the machine asks for ---- */

static struct tr_bond *make(void *context, enum tr_bond_kind bond, troupe_address other, uint64_t id) {
    const struct tr_tie_context *at = context;
    struct tr_tie *tie = tr_tie_new(at->worker->node, at->cell, bond, other, id);
    return tie == NULL ? NULL : &tie->bond;
}

static void drop(void *context, struct tr_bond *bond) {
    const struct tr_tie_context *at = context;
    tr_tie_free(at->worker->node, tr_tie_of(bond));
}

static void part(void *context, struct tr_bond *bond, enum tr_bond_word word) {
    tr_tie_part(context, tr_tie_of(bond), word);
}

static void withdraw(void *context, const struct tr_bond *bond, enum tr_bond_word word) {
    tr_tie_withdraw(context, bond, word);
}

static void refuse(void *context, troupe_address other, uint64_t id, enum troupe_status status) {
    const struct tr_tie_context *at = context;
    tr_tie_refuse(at->worker->node, at->worker, at->self, other, id, status);
}

static struct tr_reason hold(const void *reason) {
    struct tr_reason held = *(const struct tr_reason *)reason;
    tr_obituary_hold(held.obituary);
    return held;
}

static void tell(void *context, struct tr_bond *bond, const void *reason) {
    const struct tr_tie_context *at = context;
    struct tr_tie *tie = tr_tie_of(bond);
    tie->reason = hold(reason);
    if (tr_source_happens(&tie->source)) tr_cell_push(at->worker->node, at->worker, at->cell, &tie->source.link);
}

static void end(void *context, troupe_address other, const void *reason) {
    struct tr_tie_context *at = context;
    at->ends = true;
    at->by = other;
    at->because = hold(reason);
}

static const struct tr_bonds_io actions = { .make = make, .drop = drop, .part = part, .withdraw = withdraw,
                                            .refuse = refuse, .tell = tell, .end = end };

/* ---- Reports, as the actor gets them ---- */

/* Of whom it is we know ourselves; the rest is what was said. `path`: room for the path. */
static struct troupe_death death_of(struct tr_node *node, const struct tr_reason *reason, troupe_address who,
                                    char *path, size_t size) {
    struct troupe_death death = { .path = "", .actor = "", .kind = reason->kind, .text = "", .message = "", .by = "",
                                  .status = reason->status, .at = tr_death_time(), .cause = "" };
    if (reason->obituary != NULL) death = reason->obituary->death;
    death.who = who;
    if (death.path[0] == '\0') death.path = tr_node_path(node, who, path, size);
    return death;
}

static bool deliver_down(struct tr_worker *worker, struct tr_cell *cell, const struct tr_bond *bond,
                         const struct troupe_death *death) {
    struct {
        struct tr_message header;
        struct troupe_down body;
    } message = { .header.type = &troupe_down_message,
                  .body = { .monitor = bond->id, .who = bond->other, .death = *death } };
    return tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
}

static bool deliver_exited(struct tr_worker *worker, struct tr_cell *cell, const struct tr_bond *bond,
                           const struct troupe_death *death) {
    struct {
        struct tr_message header;
        struct troupe_exited body;
    } message = { .header.type = &troupe_exited_message, .body = { .who = bond->other, .death = *death } };
    return tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
}

/* A tie that is over: its message's turn has come. The mailbox's reference keeps it meanwhile. */
static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    char path[TR_PATH_SIZE];
    struct tr_tie *tie = (struct tr_tie *)(void *)source;
    struct tr_holder *holder = tr_holder_of(cell);
    struct tr_tie_context at = { .worker = worker, .cell = cell };
    struct tr_reason reason = hold(&tie->reason);
    const struct troupe_death death = death_of(worker->node, &reason, tie->bond.other, path, sizeof path);
    holder->bonds.context = &at;
    tr_bonds_handled(&holder->bonds, &tie->bond);
    bool handled = (tie->bond.kind == TR_BOND_LINK ? deliver_exited : deliver_down)(worker, cell, &tie->bond, &death);
    tr_obituary_drop(reason.obituary);
    return handled;
}

/* Never in the cell's table of sources, and not to be left there: its machine knows it. */
static const struct tr_source_kind kind = { .handle = handle };

/* ---- What it is told ---- */

/* Troupe's own actors, and supervisors, end with nobody who has linked himself with them: OTP's trap, and ignore. */
static bool is_mortal(const struct tr_cell *cell) {
    return cell->life == TR_LIFE_RUNNING && cell->slot >= TR_FIRST_SLOT && !cell->running->stops_others;
}

static void end_run(struct tr_tie_context *at) {
    char path[TR_PATH_SIZE];
    struct tr_worker *worker = at->worker;
    if (!at->ends) return;
    const struct troupe_death death = death_of(worker->node, &at->because, at->by, path, sizeof path);
    if (is_mortal(at->cell)) tr_run_end_linked(worker, at->cell, &death);
    tr_obituary_drop(at->because.obituary);
}

/* What is asked of an actor that nobody runs, of one before, or without memory. */
static void refuse_notice(struct tr_worker *worker, struct tr_cell *cell, struct tr_said *said,
                          enum troupe_status status) {
    const troupe_address self = { worker->node->id, cell->slot, said->notice.generation };
    if (said->word == TR_WORD_WATCH || said->word == TR_WORD_LINK)
        tr_tie_refuse(worker->node, worker, self, said->from, said->id, status);
    tr_said_free(worker, said);
}

static void hear(struct tr_worker *worker, struct tr_cell *cell, struct tr_said *said) {
    struct tr_holder *holder = tr_holder_of(cell);
    struct tr_tie_context at = { .worker = worker, .cell = cell,
                                 .self = { worker->node->id, cell->slot, cell->run_generation } };
    if (holder == NULL) {
        refuse_notice(worker, cell, said, TROUPE_NO_MEMORY);
        return;
    }
    holder->bonds.context = &at;
    tr_bonds_word(&holder->bonds, (enum tr_bond_word)said->word, said->from, said->id,
                  said->reason.kind == TROUPE_DEATH_DONE, &said->reason);
    tr_said_free(worker, said);
    end_run(&at);
}

/* An actor that is spawned with a link is to end with the other, though that may end first. */
static void wait_for_begin(struct tr_cell *cell, struct tr_said *said) {
    struct tr_holder *holder = (struct tr_holder *)(void *)cell->more->bonds;
    said->notice.next = holder->waiting == NULL ? NULL : &holder->waiting->notice;
    holder->waiting = said;
}

void tr_tie_told(struct tr_worker *worker, struct tr_cell *cell, struct tr_notice *notice, bool valid) {
    struct tr_said *said = tr_said_of(notice);
    bool bound = cell->more != NULL && cell->more->bonds != NULL;
    if (!valid) refuse_notice(worker, cell, said, TROUPE_GONE);
    else if (said->word != TR_WORD_END && said->word != TR_WORD_LOST) hear(worker, cell, said);
    else if (!bound) tr_said_free(worker, said);
    else if (cell->life == TR_LIFE_EMPTY) wait_for_begin(cell, said);
    else hear(worker, cell, said);
}

static struct tr_said *take_waiting(struct tr_holder *holder) {
    struct tr_said *said = holder->waiting;
    if (said != NULL) holder->waiting = said->notice.next == NULL ? NULL : tr_said_of(said->notice.next);
    return said;
}

void tr_ties_began(struct tr_worker *worker, struct tr_cell *cell) {
    struct tr_said *said;
    while (cell->life == TR_LIFE_RUNNING && (said = take_waiting(tr_holder_of(cell))) != NULL) hear(worker, cell, said);
}

void tr_ties_ended(struct tr_worker *worker, troupe_address who, struct tr_bonds *bonds,
                   const struct troupe_death *death) {
    char path[TR_PATH_SIZE];
    struct tr_holder *holder = (struct tr_holder *)(void *)bonds;
    const struct troupe_death gone = { .who = who, .path = tr_node_path(worker->node, who, path, sizeof path),
                                       .kind = TROUPE_DEATH_GONE, .status = TROUPE_GONE, .at = tr_death_time() };
    struct tr_tie_context at = { .worker = worker, .self = who, .death = death == NULL ? &gone : death };
    for (struct tr_said *said; (said = take_waiting(holder)) != NULL;) tr_said_free(worker, said);
    bonds->context = &at;
    tr_bonds_end(bonds);
    tr_obituary_drop(at.reason.obituary);
    tr_bonds_free(bonds);
    free(holder);
}
