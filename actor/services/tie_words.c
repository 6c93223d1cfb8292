/* What actors say to each other about bonds, and what lanes say in place of those who cannot: tie.h. */
#include "base/assert.h"
#include "core/log.h"
#include "core/send.h"
#include "services/services.h"
#include "services/tie.h"

static struct tr_far *far_of(struct tr_node *node) { return &tr_services_of(node)->far; }

/* ---- Reasons ---- */

static struct tr_reason reason_of(const struct troupe_death *death) {
    return (struct tr_reason){ .obituary = tr_obituary_new(death), .kind = death->kind, .status = death->status };
}

/* Nobody lives there, or it cannot be said. */
static struct tr_reason reason_of_status(struct tr_node *node, troupe_address who, enum troupe_status status) {
    char path[TR_PATH_SIZE];
    bool gone = status == TROUPE_GONE || status == TROUPE_FLUSHED;
    bool unreachable = status != TROUPE_NO_MEMORY && status != TROUPE_LIMIT;
    struct troupe_death death = { .who = who, .path = tr_node_path(node, who, path, sizeof path),
                                  .kind = gone ? TROUPE_DEATH_GONE : TROUPE_DEATH_UNREACHABLE,
                                  .status = gone ? TROUPE_GONE : unreachable ? TROUPE_UNREACHABLE : (uint32_t)status,
                                  .at = tr_death_time() };
    if (!gone && !unreachable) death.text = troupe_status_text(status);
    return reason_of(&death);
}

static struct tr_reason reason_of_node(struct tr_obituary *of_node) {
    if (of_node == NULL) return (struct tr_reason){ NULL, TROUPE_DEATH_LOST, TROUPE_NODE_DIED };
    tr_obituary_hold(of_node);
    return (struct tr_reason){ of_node, of_node->death.kind, of_node->death.status };
}

/* ---- Notices ---- */

struct tr_said *tr_said_new(struct tr_worker *worker, enum tr_bond_word word, troupe_address from, uint64_t id) {
    uint8_t memory;
    struct tr_said *said = tr_pool_take(tr_worker_pool(worker), sizeof *said, &memory);
    if (said == NULL) return NULL;
    *said = (struct tr_said){ .notice = { .kind = TR_NOTICE_BOND, .memory = memory },
                              .word = (uint8_t)word, .from = from, .id = id };
    return said;
}

void tr_said_free(struct tr_worker *worker, struct tr_said *said) {
    tr_obituary_drop(said->reason.obituary);
    said->reason.obituary = NULL;
    if (said->part_of != NULL) tr_source_drop(&said->part_of->source);
    else tr_pool_give(tr_worker_pool(worker), said, said->notice.memory);
}

static void say(struct tr_node *node, struct tr_worker *worker, struct tr_said *said, struct tr_cell *cell,
                uint32_t generation) {
    said->notice.generation = generation;
    tr_notify(node, worker, cell, &said->notice);
}

/* NULL: nobody lives there. */
static struct tr_cell *cell_of(struct tr_node *node, troupe_address who) {
    struct tr_cell *cell = who.generation == 0 ? NULL : tr_cells_at(&node->cells, who.slot);
    bool there = cell != NULL && atomic_load(&cell->generation) == who.generation && atomic_load(&cell->class) != NULL;
    return there ? cell : NULL;
}

/* END or LOST to the actor whose tie it is, in place of the other. Takes the reason. */
static void end_here(struct tr_node *node, struct tr_worker *worker, struct tr_tie *tie, struct tr_reason reason,
                     enum tr_bond_word word) {
    atomic_fetch_add(&tie->source.references, 1);
    tie->said = (struct tr_said){ .notice.kind = TR_NOTICE_BOND, .word = (uint8_t)word, .part_of = tie,
                                  .from = tie->bond.other, .id = tie->bond.id, .reason = reason };
    say(node, worker, &tie->said, tie->source.cell, tie->generation);
}

/* ---- To other nodes ---- */

static enum troupe_status send(struct tr_node *node, struct tr_worker *worker, troupe_address from, troupe_address to,
                               enum tr_bond_word word, uint64_t id, const struct troupe_death *death) {
    struct tr_bond_said said = { .word = word };
    struct tr_outgoing outgoing = { .to = to, .from = from, .type = &tr_bond_said_message, .body = &said, .ask = id,
                                    .flags = TR_MESSAGE_SYSTEM | TR_MESSAGE_REPLY | TR_MESSAGE_BOND };
    if (death != NULL) said.death = *death;
    return tr_send(node, worker, &outgoing);
}

static bool is_here(const struct tr_node *node, troupe_address who) { return who.node == node->id; }

/* ---- Asking ---- */

static enum troupe_status ask_there(struct tr_node *node, struct tr_worker *worker, struct tr_tie *tie,
                                    enum tr_bond_word word) {
    const troupe_address self = { node->id, tie->source.cell->slot, tie->generation };
    enum troupe_status status = send(node, worker, self, tie->bond.other, word, tie->bond.id, NULL);
    bool told = status != TROUPE_OK && !tr_tie_no_longer_far(node, tie);
    return told ? TROUPE_OK : status; /* its node has died just now, which is on its way to this actor */
}

static enum troupe_status ask_here(struct tr_node *node, struct tr_worker *worker, const struct tr_tie *tie,
                                   struct tr_said *said) {
    struct tr_cell *cell = cell_of(node, tie->bond.other);
    if (cell == NULL) return TROUPE_GONE;
    say(node, worker, said, cell, tie->bond.other.generation);
    return TROUPE_OK;
}

void tr_tie_ask(struct tr_worker *worker, struct tr_tie *tie, struct tr_said *said, enum tr_bond_word word) {
    struct tr_node *node = worker->node;
    enum troupe_status status =
        said != NULL ? ask_here(node, worker, tie, said) : ask_there(node, worker, tie, word);
    if (status == TROUPE_OK) return;
    if (said != NULL) tr_said_free(worker, said);
    tie->said_here = true;
    end_here(node, worker, tie, reason_of_status(node, tie->bond.other, status), TR_WORD_END);
}

/* ---- Last words ---- */

static void end_there(struct tr_tie_context *context, struct tr_tie *tie, enum tr_bond_word word) {
    struct tr_node *node = context->worker->node;
    const struct troupe_death *death = word == TR_WORD_END ? context->death : NULL;
    enum troupe_status status =
        send(node, context->worker, context->self, tie->bond.other, word, tie->bond.id, death);
    if (status == TROUPE_NO_MEMORY && word == TR_WORD_END)
        tr_log(node, TROUPE_ERROR, NULL, "an actor of node %llu is not told of an end: no memory",
               (unsigned long long)tie->bond.other.node);
    tr_tie_free(node, tie);
}

static void give_reason(struct tr_tie_context *context, struct tr_said *said) {
    if (context->reason.obituary == NULL) context->reason = reason_of(context->death);
    tr_obituary_hold(context->reason.obituary);
    said->reason = context->reason;
}

/* Whatever has become of the other: it is looked at where the notice comes up. */
void tr_tie_part(struct tr_tie_context *context, struct tr_tie *tie, enum tr_bond_word word) {
    struct tr_node *node = context->worker->node;
    const troupe_address other = tie->bond.other;
    struct tr_cell *cell = is_here(node, other) ? tr_cells_at(&node->cells, other.slot) : NULL;
    if (!is_here(node, other)) {
        end_there(context, tie, word);
    } else if (cell == NULL || tie->said_here) { /* nobody is there, and this actor is about to be told so */
        tr_tie_free(node, tie);
    } else {
        tie->source.cancelled = true;
        tie->said = (struct tr_said){ .notice.kind = TR_NOTICE_BOND, .word = (uint8_t)word, .part_of = tie,
                                      .from = context->self, .id = tie->bond.id };
        if (word == TR_WORD_END) give_reason(context, &tie->said);
        say(node, context->worker, &tie->said, cell, other.generation);
    }
}

void tr_tie_withdraw(struct tr_tie_context *context, const struct tr_bond *bond, enum tr_bond_word word) {
    (void)!send(context->worker->node, context->worker, context->self, bond->other, word, bond->id, NULL);
}

/* Takes the reason. */
static void say_end(struct tr_node *node, struct tr_worker *worker, troupe_address self, troupe_address other,
                    uint64_t id, struct tr_reason reason) {
    struct tr_cell *cell = tr_cells_at(&node->cells, other.slot);
    struct tr_said *said = cell == NULL ? NULL : tr_said_new(worker, TR_WORD_END, self, id);
    tr_assert(cell == NULL || said != NULL); /* lost, it would be an actor that waits in vain */
    if (said == NULL) {
        tr_obituary_drop(reason.obituary);
        return;
    }
    said->reason = reason;
    say(node, worker, said, cell, other.generation);
}

void tr_tie_refuse(struct tr_node *node, struct tr_worker *worker, troupe_address self, troupe_address other,
                   uint64_t id, enum troupe_status status) {
    struct tr_reason reason = reason_of_status(node, self, status);
    const struct troupe_death bare = { .who = self, .kind = reason.kind, .status = reason.status };
    if (is_here(node, other)) {
        say_end(node, worker, self, other, id, reason);
        return;
    }
    (void)!send(node, worker, self, other, TR_WORD_END, id, reason.obituary == NULL ? &bare : &reason.obituary->death);
    tr_obituary_drop(reason.obituary);
}

/* ---- Other nodes ---- */

void tr_far_init(struct tr_far *far) {
    far->first = far->last = NULL;
    pthread_mutex_init(&far->lock, NULL);
}

void tr_far_free(struct tr_far *far) { pthread_mutex_destroy(&far->lock); }

void tr_tie_is_far(struct tr_node *node, struct tr_tie *tie) {
    struct tr_far *far = far_of(node);
    pthread_mutex_lock(&far->lock);
    tie->is_far = true;
    tie->next_far = NULL;
    tie->previous_far = far->last;
    if (far->last != NULL) far->last->next_far = tie;
    else far->first = tie;
    far->last = tie;
    pthread_mutex_unlock(&far->lock);
}

static void unlist(struct tr_far *far, struct tr_tie *tie) {
    tie->is_far = false;
    if (tie->previous_far != NULL) tie->previous_far->next_far = tie->next_far;
    else far->first = tie->next_far;
    if (tie->next_far != NULL) tie->next_far->previous_far = tie->previous_far;
    else far->last = tie->previous_far;
}

bool tr_tie_no_longer_far(struct tr_node *node, struct tr_tie *tie) {
    struct tr_far *far = far_of(node);
    pthread_mutex_lock(&far->lock);
    bool is_far = tie->is_far;
    if (is_far) unlist(far, tie);
    pthread_mutex_unlock(&far->lock);
    return is_far;
}

void tr_bonds_node_died(struct tr_node *node, struct tr_worker *worker, uint64_t peer, struct tr_obituary *of_node) {
    struct tr_far *far = far_of(node);
    pthread_mutex_lock(&far->lock);
    for (struct tr_tie *tie = far->first, *next; tie != NULL; tie = next) {
        next = tie->next_far;
        if (tie->bond.other.node != peer) continue;
        unlist(far, tie);
        end_here(node, worker, tie, reason_of_node(of_node), TR_WORD_LOST);
    }
    pthread_mutex_unlock(&far->lock);
}

void tr_bond_not_taken(struct tr_node *node, struct tr_worker *worker, troupe_address from, troupe_address to,
                       uint64_t id, enum troupe_status status, struct tr_obituary *of_node) {
    bool died = status == TROUPE_NODE_DIED || status == TROUPE_IN_DOUBT;
    say_end(node, worker, to, from, id, died ? reason_of_node(of_node) : reason_of_status(node, to, status));
}

static bool is_word(uint32_t word) { return word >= TR_WORD_WATCH && word <= TR_WORD_END; }

bool tr_bond_arrived(struct tr_node *node, struct tr_worker *worker, struct tr_message *message) {
    const struct tr_bond_said *body = tr_message_body(message);
    struct tr_cell *cell = tr_cells_at(&node->cells, message->slot);
    if (message->type != &tr_bond_said_message || !is_word(body->word) || cell == NULL ||
        troupe_address_is_none(message->from))
        return true;
    struct tr_said *said = tr_said_new(worker, (enum tr_bond_word)body->word, message->from, message->ask);
    tr_assert(said != NULL || body->word != TR_WORD_END); /* as above; what is asked for can be refused */
    if (said == NULL) return false;
    if (body->word == TR_WORD_END) said->reason = reason_of(&body->death);
    say(node, worker, said, cell, message->generation);
    return true;
}
