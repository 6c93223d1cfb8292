/*
 * The supervisor actor. The machine of supervision.h decides; this actor turns its actions into messages
 * to the agents of the children's nodes, and reports and dead nodes into its events. Nothing here waits.
 *
 * A child's node is asked for before the child's start is sent to it: the message then waits in the lane
 * until that node is up. When the node dies, every child on it has exited.
 *
 * A supervisor that is killed has its children killed: the orders leave in its stop handler, and come before
 * whatever its next run tells the same agents. Nobody waits for these ends. What is still reported of them comes
 * to the next run, which knows it by the key: the key says in which run of the supervisor the child was started.
 */
#include "services/supervisor.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "core/death.h"
#include "core/log.h"
#include "core/report.h"
#include "core/run.h"
#include "core/send.h"
#include "services/agent.h"
#include "services/services.h"

enum { EPOCH_SHIFT = 40 };

struct tr_supervisor {
    const struct tr_supervisor_spec *spec;
    uint64_t epoch;     /* no other run of a supervisor on this node has it */
    struct tr_supervision *machine;
    troupe_self *self;  /* of the handler at hand */
    uint64_t *runs;     /* the latest of each child; 0: it has not run, or has exited */
    int64_t *since;     /* when that was started */
    tr_child_id *lost;  /* children that died with their node: for the event at hand */
    troupe_timer timer;
    bool ready, stopped;
    enum tr_over over;
    char last_failure[TR_DEATH_TEXT]; /* for the report when it gives up */
};

static enum troupe_status tell_agent(struct tr_supervisor *me, uint32_t child,
                                     const struct troupe_message_type *type, const void *message) {
    return tr_send_system(me->self->worker->node, me->self->worker,
                          tr_agent_address(me->spec->children[child].node), type, message);
}

/* A child's name in the messages about it. */
static uint64_t key_of(const struct tr_supervisor *me, uint32_t child) {
    return me->epoch << EPOCH_SHIFT | child;
}

/* False: of a child that an earlier run has started. */
static bool is_child(const struct tr_supervisor *me, uint64_t key, uint32_t *child) {
    *child = (uint32_t)key;
    return key < me->spec->child_count + (me->epoch << EPOCH_SHIFT) && key >= me->epoch << EPOCH_SHIFT;
}

/* The machine must not be called back: it hears of it as it would from the agent. */
static void start_refused(struct tr_supervisor *me, const struct tr_start_child *start,
                          enum troupe_status status) {
    char why[256];
    snprintf(why, sizeof why, "its node cannot be told to start it: %s", troupe_status_text(status));
    troupe_address who = { me->spec->children[(uint32_t)start->key].node, start->slot, TR_BOUND_GENERATION };
    struct tr_exited exited = { .key = start->key, .run = start->run,
                                .death = tr_death_unborn(who, start->path, start->actor, start->run, status, why) };
    tr_send_system(me->self->worker->node, me->self->worker, start->owner, &tr_exited_message, &exited);
}

/* ---- What the machine asks for ---- */

static void start_child(void *context, tr_child_id id, uint64_t run, bool flush) {
    struct tr_supervisor *me = context;
    const struct tr_child_spec *spec = &me->spec->children[id.index];
    struct tr_node *node = me->self->worker->node;
    struct tr_start_child start = { .slot = spec->slot, .actor = spec->actor,
                                    .args = { spec->args, spec->args_size }, .path = spec->path,
                                    .owner = troupe_self_address(me->self), .key = key_of(me, id.index),
                                    .run = (uint32_t)(run - 1),
                                    .mailbox_limit = spec->mailbox_limit,
                                    .drop_newest = spec->drop_newest,
                                    .at_least_once = spec->at_least_once,
                                    .flush = flush && !spec->keep_mailbox };
    me->runs[id.index] = run;
    me->since[id.index] = troupe_now(me->self);
    tr_services_of(node)->need_node(node, spec->node, spec->slot);
    enum troupe_status status = tell_agent(me, id.index, &tr_start_child_message, &start);
    if (status != TROUPE_OK) start_refused(me, &start, status);
}

static void order_stop(struct tr_supervisor *me, uint32_t child, bool kill) {
    struct tr_stop_cell stop = { .slot = me->spec->children[child].slot,
                                 .generation = TR_BOUND_GENERATION, .kill = kill,
                                 .by = troupe_self_address(me->self) };
    tell_agent(me, child, &tr_stop_cell_message, &stop);
}

static void stop_child(void *context, tr_child_id id, uint64_t run, bool kill) {
    struct tr_supervisor *me = context;
    (void)run;
    order_stop(me, id.index, kill);
    if (!kill) return;
    struct tr_node *node = me->self->worker->node;
    tr_services_of(node)->kill_node(node, me->spec->children[id.index].node);
}

/* One that rests, or is forgotten: nobody here asks for it again, so both are one. */
static void let_child_go(void *context, tr_child_id id) {
    struct tr_supervisor *me = context;
    const struct tr_child_spec *spec = &me->spec->children[id.index];
    struct tr_node *node = me->self->worker->node;
    struct tr_forget_child forget = { .slot = spec->slot };
    tell_agent(me, id.index, &tr_forget_child_message, &forget);
    tr_services_of(node)->leave_node(node, spec->node, spec->slot);
}

static void all_started(void *context) {
    struct tr_supervisor *me = context;
    me->ready = true;
    tr_run_ready(me->self->worker, me->self->cell);
}

static void all_stopped(void *context, enum tr_over over) {
    struct tr_supervisor *me = context;
    me->stopped = true;
    me->over = over;
}

static void set_timer(void *context, int64_t at) {
    struct tr_supervisor *me = context;
    (void)troupe_cancel(me->self, me->timer);
    me->timer.id = 0;
    if (at == INT64_MAX) return;
    int64_t now = troupe_now(me->self);
    (void)troupe_after_empty(me->self, &me->timer, at > now ? at - now : 0, tr_supervisor_tick);
}

/* No `answer`: this actor makes no requests. */
static const struct tr_supervision_io actions = { .start = start_child, .stop = stop_child,
                                                  .rest = let_child_go, .forget = let_child_go,
                                                  .started = all_started, .stopped = all_stopped,
                                                  .timer = set_timer };

/* ---- What happens ---- */

static int64_t enter(struct tr_supervisor *me, troupe_self *self) {
    me->self = self;
    return troupe_now(self);
}

/* For people: no place in this file, no message of ours, only what they can act on. */
static enum troupe_status give_up(struct tr_supervisor *me) {
    troupe_self *self = me->self;
    uint32_t restarts = me->spec->rules.restarts;
    double within = (double)me->spec->rules.within / (double)TROUPE_SECOND;
    self->message = NULL;
    self->cause = me->last_failure;
    if (me->ready)
        snprintf(self->failure, sizeof self->failure, "more than %u restart%s within %g s", restarts,
                 restarts == 1 ? "" : "s", within);
    else
        snprintf(self->failure, sizeof self->failure, "a child could not be started");
    return TROUPE_FAILED;
}

/* After each event: once everything is stopped, so is the supervisor. */
static enum troupe_status leave(struct tr_supervisor *me) {
    troupe_self *self = me->self;
    if (!me->stopped) return TROUPE_OK;
    if (me->over == TR_OVER_GAVE_UP) return give_up(me);
    self->cell->end_status = TROUPE_STOPPING;
    return troupe_exit(self);
}

static bool make_machine(struct tr_supervisor *me) {
    uint32_t count = me->spec->child_count;
    me->runs = calloc(count + 1, sizeof *me->runs);
    me->since = calloc(count + 1, sizeof *me->since);
    me->lost = calloc(count + 1, sizeof *me->lost);
    me->machine = tr_supervision_new(&me->spec->rules, &actions, me);
    if (me->runs == NULL || me->since == NULL || me->lost == NULL || me->machine == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        tr_child_id id;
        if (tr_supervision_add(me->machine, &me->spec->children[i].rules, &id) != TR_ANSWER_OK) return false;
        tr_assert(id.index == i && id.serial == 0);
    }
    return true;
}

static tr_child_id id_of(uint32_t child) { return (tr_child_id){ .index = child }; }

TROUPE_START(tr_supervisor, tr_supervise) {
    struct tr_services *services = tr_services_of(self->worker->node);
    if (args->index >= services->supervisor_count) return TROUPE_FAIL(self, "no such supervisor");
    me->spec = &services->supervisors[args->index];
    me->epoch = atomic_fetch_add(&services->supervisor_runs, 1);
    if (!make_machine(me)) return TROUPE_NO_MEMORY;
    self->unready = true;
    tr_supervision_start(me->machine, enter(me, self));
    return leave(me);
}

/* There are some only if it is killed. Their processes stay, for the next run starts the same children there, and
 * would take the end of a process for theirs. */
static void kill_children(struct tr_supervisor *me, troupe_self *self) {
    me->self = self;
    for (uint32_t i = me->spec->child_count; i > 0; i--)
        if (me->runs[i - 1] != 0) order_stop(me, i - 1, true);
}

TROUPE_STOP(tr_supervisor) {
    if (me->runs != NULL) kill_children(me, self);
    if (me->machine != NULL) tr_supervision_free(me->machine);
    free(me->runs);
    free(me->since);
    free(me->lost);
}

TROUPE_ON(tr_supervisor, tr_started) {
    uint32_t child;
    if (!is_child(me, msg->key, &child)) return TROUPE_OK;
    if (msg->run > 0)
        tr_log(self->worker->node, TROUPE_INFO, me->spec->children[child].path,
               "started again (restart %u)", msg->run);
    tr_supervision_started(me->machine, id_of(child), (uint64_t)msg->run + 1, enter(me, self));
    return leave(me);
}

static enum tr_exit exit_of(enum troupe_status status) {
    return status == TROUPE_OK         ? TR_EXIT_NORMAL
           : status == TROUPE_STOPPING ? TR_EXIT_SHUTDOWN
                                       : TR_EXIT_FAILED;
}

/* A kill that is the rule for this child is no news; one past its deadline is. */
static bool is_news(const struct tr_supervisor *me, uint32_t child, const struct troupe_death *death) {
    return death->kind == TROUPE_DEATH_KILLED && me->spec->children[child].rules.shutdown != TR_KILL;
}

/* Whom it is about we know ourselves: the report may come from a process that says what it likes. */
static void note_exit(struct tr_supervisor *me, uint32_t child, const struct troupe_death *report) {
    struct tr_node *node = me->self->worker->node;
    struct troupe_death death = *report;
    death.path = me->spec->children[child].path;
    me->runs[child] = 0;
    if (is_news(me, child, &death)) tr_death_log(node, TROUPE_WARNING, &death);
    if (exit_of((enum troupe_status)death.status) != TR_EXIT_FAILED) return;
    tr_death_log(node, TROUPE_ERROR, &death);
    troupe_death_print(&death, me->last_failure, sizeof me->last_failure);
}

TROUPE_ON(tr_supervisor, tr_exited) {
    uint32_t child;
    uint64_t run = (uint64_t)msg->run + 1;
    if (!is_child(me, msg->key, &child) || run != me->runs[child]) return TROUPE_OK;
    int64_t now = enter(me, self);
    note_exit(me, child, &msg->death);
    tr_supervision_exited(me->machine, id_of(child), run, exit_of((enum troupe_status)msg->death.status),
                          now);
    return leave(me);
}

/* What happened to its node happened to the child. */
static void note_loss(struct tr_supervisor *me, uint32_t child, const struct troupe_death *of_node, int64_t now) {
    const struct tr_child_spec *spec = &me->spec->children[child];
    struct troupe_death death = *of_node;
    death.who = (troupe_address){ spec->node, spec->slot, TR_BOUND_GENERATION };
    death.actor = spec->actor;
    death.run = (uint32_t)(me->runs[child] - 1);
    death.uptime = now - me->since[child];
    note_exit(me, child, &death);
}

TROUPE_ON(tr_supervisor, tr_node_down) {
    int64_t now = enter(me, self);
    uint32_t lost = 0;
    for (uint32_t i = 0; i < me->spec->child_count; i++) {
        if (me->spec->children[i].node != msg->node || me->runs[i] == 0) continue;
        note_loss(me, i, &msg->death, now);
        me->lost[lost++] = id_of(i);
    }
    tr_supervision_lost(me->machine, me->lost, lost, now);
    return leave(me);
}

TROUPE_ON(tr_supervisor, tr_supervisor_tick) {
    me->timer.id = 0;
    tr_supervision_tick(me->machine, enter(me, self));
    return leave(me);
}

TROUPE_ON(tr_supervisor, tr_stopping) {
    tr_supervision_stop(me->machine, enter(me, self));
    return leave(me);
}

TROUPE_ACTOR(tr_supervisor, TROUPE_STARTS(tr_supervisor, tr_supervise), TROUPE_STOPS(tr_supervisor),
             TROUPE_HANDLES(tr_supervisor, tr_started, tr_exited, tr_node_down, tr_supervisor_tick,
                            tr_stopping))
