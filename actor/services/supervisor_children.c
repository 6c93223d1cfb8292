/*
 * What the machine asks for, done to children.
 *
 * Those on the supervisor's own node are started and stopped here and now: a notice or a flag on their cells. Those
 * on other nodes are their agents' to start and stop. A child's node is asked for before the child's start is sent
 * to it: the message then waits in the lane until that node is up.
 *
 * A child that was added has a cell that was taken for it, as a spawned actor's is, but which is DOWN between runs,
 * so that its address stays. When the child rests or is forgotten, so is the cell; one that rested gets another.
 *
 * Whatever cannot be started is reported to the supervisor itself as a run that failed at once: the machine must not
 * be called back, and hears of it as it would from elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/depth.h"
#include "core/log.h"
#include "core/report.h"
#include "core/saved.h"
#include "core/send.h"
#include "services/agent.h"
#include "services/supervisor_parts.h"

static enum troupe_status tell_agent(struct troupe_supervisor *me, const struct tr_kin *kin,
                                     const struct troupe_message_type *type, const void *message) {
    return tr_send_system(tr_supervisor_node(me), me->self->worker, tr_agent_address(kin->spec.node), type, message);
}

static bool is_here(const struct troupe_supervisor *me, const struct tr_kin *kin) {
    return kin->spec.node == tr_supervisor_node(me)->id;
}

/* ---- Starting ---- */

static void refuse(struct troupe_supervisor *me, const struct tr_kin *kin, enum troupe_status status,
                   const char *detail) {
    char why[TR_WHY];
    uint32_t run = (uint32_t)(kin->run - 1);
    snprintf(why, sizeof why, "cannot start actor %s: %s%s%s", kin->spec.actor, troupe_status_text(status),
             detail[0] == '\0' ? "" : ": ", detail);
    struct tr_exited exited = { .key = kin->key, .run = run,
                                .death = tr_death_unborn(kin->address, kin->spec.path, kin->spec.actor, run, status,
                                                         why) };
    tr_send_system(tr_supervisor_node(me), me->self->worker, troupe_self_address(me->self), &tr_exited_message,
                   &exited);
}

enum troupe_status tr_kin_settle(struct troupe_supervisor *me, struct tr_kin *kin) {
    enum troupe_status status = TROUPE_STOPPING;
    struct tr_node *node = tr_supervisor_node(me);
    if (!kin->added || !troupe_address_is_none(kin->address)) return TROUPE_OK;
    struct tr_cell *cell = atomic_load(&node->stopping)
                               ? NULL
                               : tr_cells_take(&node->cells, tr_worker_slots(me->self->worker), &status);
    if (cell == NULL) return status;
    tr_cell_saw_nothing(cell);
    tr_kindred_move(&me->kindred, kin, (troupe_address){ node->id, cell->slot, atomic_load(&cell->generation) });
    kin->begun = false;
    return TROUPE_OK;
}

static struct tr_run_spec run_of(struct troupe_supervisor *me, const struct tr_kin *kin, bool flush) {
    const struct tr_child_spec *spec = &kin->spec;
    return (struct tr_run_spec){ .path = spec->path, .owner = troupe_self_address(me->self), .key = kin->key,
                                 .run = (uint32_t)(kin->run - 1), .mailbox_limit = spec->mailbox_limit,
                                 .drop_newest = spec->drop_newest, .at_least_once = spec->at_least_once,
                                 .flush = flush && !spec->keep_mailbox };
}

/* What the run takes with it. False: no memory; what is there is the caller's. */
static bool equip(const struct tr_kin *kin, struct tr_run_spec *start) {
    bool fresh = kin->added && !kin->begun;
    const struct tr_saved *saved = kin->saved;
    if (fresh) start->more = calloc(1, sizeof *start->more);
    if (saved != NULL)
        start->saved = tr_saved_new(tr_saved_type(saved), (struct troupe_bytes){ saved->bytes, saved->size });
    return (!fresh || start->more != NULL) && (saved == NULL || start->saved != NULL);
}

static enum troupe_status begin_here(struct troupe_supervisor *me, struct tr_kin *kin, bool flush,
                                     struct tr_codec_error *error) {
    struct tr_run_spec start = run_of(me, kin, flush);
    struct troupe_bytes args = { kin->spec.args, kin->spec.args_size };
    enum troupe_status status = tr_kin_settle(me, kin);
    if (status != TROUPE_OK) return status;
    status = equip(kin, &start) ? tr_agent_begin(tr_supervisor_node(me), me->self->worker, kin->address, &start,
                                                 kin->spec.actor, args, error)
                                : TROUPE_NO_MEMORY;
    if (status == TROUPE_OK) {
        kin->begun = true;
        if (kin->added && kin->spec.rules.restart == TR_TEMPORARY) tr_kin_drop_args(kin);
    } else {
        free(start.more);
        free(start.saved);
    }
    return status;
}

static enum troupe_status begin_there(struct troupe_supervisor *me, const struct tr_kin *kin, bool flush) {
    struct tr_node *node = tr_supervisor_node(me);
    const struct tr_child_spec *spec = &kin->spec;
    const struct tr_run_spec run = run_of(me, kin, flush);
    struct tr_start_child start = { .slot = spec->slot, .actor = spec->actor, .args = { spec->args, spec->args_size },
                                    .path = run.path, .owner = run.owner, .key = run.key, .run = run.run,
                                    .mailbox_limit = run.mailbox_limit, .drop_newest = run.drop_newest,
                                    .at_least_once = run.at_least_once, .flush = run.flush, .saved_type = "" };
    if (kin->saved != NULL) {
        start.saved_type = tr_saved_type(kin->saved);
        start.saved = (struct troupe_bytes){ kin->saved->bytes, kin->saved->size };
    }
    tr_services_of(node)->need_node(node, spec->node, spec->slot);
    return tell_agent(me, kin, &tr_start_child_message, &start);
}

void tr_kin_start(struct troupe_supervisor *me, struct tr_kin *kin, uint64_t run, bool flush) {
    struct tr_codec_error error = { .text = "" };
    kin->run = run;
    kin->since = troupe_now(me->self);
    enum troupe_status status = is_here(me, kin) ? begin_here(me, kin, flush, &error) : begin_there(me, kin, flush);
    if (status != TROUPE_OK) refuse(me, kin, status, error.text);
}

/* ---- Stopping ---- */

static void order_stop(struct troupe_supervisor *me, const struct tr_kin *kin, bool kill) {
    troupe_address by = troupe_self_address(me->self);
    struct tr_stop_cell stop = { .slot = kin->address.slot, .generation = kin->address.generation, .kill = kill,
                                 .by = by };
    if (is_here(me, kin))
        tr_stop(tr_supervisor_node(me), me->self->worker, kin->address, kill ? TR_STOP_KILL : TR_STOP_ORDERLY, by);
    else
        tell_agent(me, kin, &tr_stop_cell_message, &stop);
}

/* A thread of this process cannot be killed. */
void tr_kin_stop(struct troupe_supervisor *me, const struct tr_kin *kin, bool kill) {
    struct tr_node *node = tr_supervisor_node(me);
    order_stop(me, kin, kill);
    if (kill && !is_here(me, kin)) tr_services_of(node)->kill_node(node, kin->spec.node);
}

/* ---- Letting go ---- */

/* Nothing has begun there, and nobody looks at it; but somebody may have been told its address. */
static void release(struct troupe_supervisor *me, struct tr_cell *cell) {
    uint32_t generation = atomic_load(&cell->generation);
    tr_cell_set_generation(cell, generation == UINT32_MAX ? 1 : generation + 1);
    tr_cells_release(&tr_supervisor_node(me)->cells, tr_worker_slots(me->self->worker), cell);
}

static void leave_cell(struct troupe_supervisor *me, struct tr_kin *kin) {
    struct tr_node *node = tr_supervisor_node(me);
    if (troupe_address_is_none(kin->address)) return;
    struct tr_cell *cell = tr_cells_at(&node->cells, kin->address.slot);
    if (kin->begun) tr_forget(node, me->self->worker, cell, kin->address.generation);
    else release(me, cell);
    tr_kindred_move(&me->kindred, kin, (troupe_address){ 0 });
}

static void leave_configured(struct troupe_supervisor *me, const struct tr_kin *kin) {
    struct tr_node *node = tr_supervisor_node(me);
    struct tr_forget_child forget = { .slot = kin->spec.slot };
    if (is_here(me, kin)) {
        tr_forget(node, me->self->worker, tr_cells_at(&node->cells, kin->spec.slot), TR_BOUND_GENERATION);
        return;
    }
    tell_agent(me, kin, &tr_forget_child_message, &forget);
    tr_services_of(node)->leave_node(node, kin->spec.node, kin->spec.slot);
}

void tr_kin_rest(struct troupe_supervisor *me, struct tr_kin *kin) {
    if (kin->added) leave_cell(me, kin);
    else leave_configured(me, kin);
}

void tr_kin_forget(struct troupe_supervisor *me, struct tr_kin *kin) {
    tr_kin_rest(me, kin);
    tr_kindred_remove(&me->kindred, kin);
    free(kin->saved);
    free(kin->failure);
    kin->saved = NULL;
    kin->failure = NULL;
    if (kin->added) tr_kin_free(kin);
}

/* ---- What a run has left for the next ---- */

/* Without memory, what was saved before stays: it is older, but whole. */
void tr_kin_save(struct troupe_supervisor *me, struct tr_kin *kin, const char *type, struct troupe_bytes data) {
    struct tr_saved *saved = NULL;
    if (data.size > TROUPE_SAVE_MAX || strlen(type) > TR_SAVED_NAME) return; /* of a process that keeps no rules */
    if (type[0] != '\0' && (saved = tr_saved_new(type, data)) == NULL) {
        tr_log(tr_supervisor_node(me), TROUPE_ERROR, kin->spec.path, "not saved: %s: no memory", type);
        return;
    }
    free(kin->saved);
    kin->saved = saved;
}

/* Some run only if the supervisor is killed. Their processes stay, for the next run starts the same children there,
 * and would take the end of a process for theirs. What was added, nobody starts again. */
void tr_kin_leave_all(struct troupe_supervisor *me) {
    for (uint32_t i = me->kindred.indexes; i > 0; i--) {
        struct tr_kin *kin = me->kindred.by_index[i - 1];
        if (kin == NULL) continue;
        if (kin->run != 0) order_stop(me, kin, true);
        if (kin->added) leave_cell(me, kin);
    }
}
