/*
 * The supervisor actor. The machine of supervision.h decides; this actor turns its actions into starts and stops of
 * children (supervisor_children.c), and reports, dead nodes and requests (supervisor_request.c) into its events.
 * Nothing here waits.
 *
 * A supervisor of the configuration finds its rules and children in the plan, by its own cell; any other in its
 * start message. More children come by request. What is configured may be on any node, what was added is here. All
 * stand in one table (supervisor_kin.c); what happens to one costs no more for the others there are.
 *
 * When a node dies, every child on it has exited. That, and what becomes of the children of a third one, another node cannot say.
 *
 * A supervisor that is killed has its children killed: the orders leave in its stop handler, and come before
 * whatever its next run tells the same agents. Nobody waits for these ends. What is still reported of them comes
 * to the next run, which knows it by the key: the key says in which run of the supervisor the child was started.
 */
#include "services/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/log.h"
#include "core/report.h"
#include "core/run.h"
#include "services/supervisor_parts.h"

/* ---- What the machine asks for ---- */

static void start_child(void *context, tr_child_id id, uint64_t run, bool flush) {
    struct troupe_supervisor *me = context;
    tr_kin_start(me, tr_kindred_of(&me->kindred, id), run, flush);
}

static void stop_child(void *context, tr_child_id id, uint64_t run, bool kill) {
    struct troupe_supervisor *me = context;
    (void)run;
    tr_kin_stop(me, tr_kindred_of(&me->kindred, id), kill);
}

static void rest_child(void *context, tr_child_id id) {
    struct troupe_supervisor *me = context;
    tr_kin_rest(me, tr_kindred_of(&me->kindred, id));
}

static void forget_child(void *context, tr_child_id id) {
    struct troupe_supervisor *me = context;
    tr_kin_forget(me, tr_kindred_of(&me->kindred, id));
}

static void all_started(void *context) {
    struct troupe_supervisor *me = context;
    me->ready = true;
    tr_run_ready(me->self->worker, me->self->cell);
}

static void all_stopped(void *context, enum tr_over over) {
    struct troupe_supervisor *me = context;
    me->stopped = true;
    me->over = over;
}

static void set_timer(void *context, int64_t at) {
    struct troupe_supervisor *me = context;
    (void)troupe_cancel(me->self, me->timer);
    me->timer.id = 0;
    if (at == INT64_MAX) return;
    int64_t now = troupe_now(me->self);
    (void)troupe_after_empty(me->self, &me->timer, at > now ? at - now : 0, tr_supervisor_tick);
}

static const struct tr_supervision_io actions = { .start = start_child, .stop = stop_child,
                                                  .rest = rest_child, .forget = forget_child,
                                                  .answer = tr_supervisor_answer,
                                                  .started = all_started, .stopped = all_stopped,
                                                  .timer = set_timer };

/* ---- Around each event ---- */

static int64_t enter(struct troupe_supervisor *me, troupe_self *self) {
    me->self = self;
    me->report = NULL;
    return troupe_now(self);
}

/* For people: no place in this file, no message of ours, only what they can act on. */
static enum troupe_status give_up(struct troupe_supervisor *me) {
    troupe_self *self = me->self;
    uint32_t restarts = me->rules.restarts;
    double within = (double)me->rules.within / (double)TROUPE_SECOND;
    self->message = NULL;
    self->cause = me->cause;
    if (me->ready)
        snprintf(self->failure, sizeof self->failure, "more than %u restart%s within %g s", restarts,
                 restarts == 1 ? "" : "s", within);
    else
        snprintf(self->failure, sizeof self->failure, "a child could not be started");
    return TROUPE_FAILED;
}

/* After each event: once everything is stopped, so is the supervisor: as it was asked to, or as one whose work is
 * done. */
static enum troupe_status leave(struct troupe_supervisor *me) {
    troupe_self *self = me->self;
    tr_supervisor_tell_askers(me);
    if (!me->stopped) return TROUPE_OK;
    if (me->over == TR_OVER_GAVE_UP) return give_up(me);
    if (me->over == TR_OVER_ASKED) self->cell->end_status = TROUPE_STOPPING;
    return troupe_exit(self);
}

/* ---- The start ---- */

static int by_node(const void *a, const void *b) {
    const struct tr_kin *left = *(struct tr_kin *const *)a, *right = *(struct tr_kin *const *)b;
    return (left->spec.node > right->spec.node) - (left->spec.node < right->spec.node);
}

static bool add_configured(struct troupe_supervisor *me, const struct tr_child_spec *spec) {
    tr_child_id id;
    struct tr_kin *kin = &me->configured[me->configured_count++];
    *kin = (struct tr_kin){ .spec = *spec, .address = { spec->node, spec->slot, TR_BOUND_GENERATION } };
    if (spec->node != tr_supervisor_node(me)->id) me->remote[me->remote_count++] = kin;
    return tr_supervision_add(me->machine, &spec->rules, &id) == TR_ANSWER_OK &&
           tr_kindred_add(&me->kindred, kin, id, me->epoch);
}

static bool make_machine(struct troupe_supervisor *me) {
    me->rules.seed = (uint64_t)tr_node_clock(tr_supervisor_node(me)) ^ me->epoch << 32;
    me->machine = tr_supervision_new(&me->rules, &actions, me);
    return me->machine != NULL;
}

static enum troupe_status begin_configured(struct troupe_supervisor *me, const struct tr_supervisor_spec *spec) {
    uint32_t count = spec->child_count;
    me->rules = spec->rules;
    me->configured = calloc((size_t)count + 1, sizeof *me->configured);
    me->remote = calloc((size_t)count + 1, sizeof(struct tr_kin *));
    me->lost = calloc((size_t)count + 1, sizeof *me->lost);
    if (me->configured == NULL || me->remote == NULL || me->lost == NULL || !make_machine(me))
        return TROUPE_NO_MEMORY;
    if (spec->child != NULL && (me->template = tr_kin_new(spec->child, me->path, "")) == NULL)
        return TROUPE_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        if (!add_configured(me, &spec->children[i])) return TROUPE_NO_MEMORY;
    qsort(me->remote, me->remote_count, sizeof(struct tr_kin *), by_node);
    return TROUPE_OK;
}

static enum troupe_status begin_asked(struct troupe_supervisor *me, const struct troupe_supervise *asked) {
    char why[TR_WHY] = "";
    struct tr_kin *kin;
    enum troupe_status status = tr_spec_rules(me, asked, why);
    if (status == TROUPE_OK && !make_machine(me)) status = TROUPE_NO_MEMORY;
    for (uint32_t i = 0; status == TROUPE_OK && i < asked->children.count; i++) {
        status = tr_supervisor_add(me, &asked->children.items[i], &kin, why);
        if (status == TROUPE_OK) continue;
        return TROUPE_FAIL(me->self, "child %u, '%.64s': %s%s%s", i, asked->children.items[i].name,
                           troupe_status_text(status), why[0] == '\0' ? "" : ": ", why);
    }
    return status == TROUPE_OK || why[0] == '\0' ? status : TROUPE_FAIL(me->self, "%s", why);
}

static const struct tr_supervisor_spec *configured_as(const troupe_self *self) {
    const struct tr_cell *cell = self->cell;
    struct tr_node *node = self->worker->node;
    return cell->slot < node->options.reserved_slots ? tr_services_of(node)->supervisor_at(node, cell->slot) : NULL;
}

/* A child that an earlier incarnation of this node has started elsewhere may still be told of. */
static uint64_t next_epoch(struct tr_node *node) {
    uint64_t run = atomic_fetch_add(&tr_services_of(node)->supervisor_runs, 1);
    return ((uint64_t)node->options.incarnation << 16 | run % (1u << 16)) % (UINT64_C(1) << 32);
}

TROUPE_START(troupe_supervisor, troupe_supervise) {
    const struct tr_supervisor_spec *spec = configured_as(self);
    int64_t now = enter(me, self);
    me->epoch = next_epoch(self->worker->node);
    me->path = strdup(troupe_self_path(self));
    if (me->path == NULL) return TROUPE_NO_MEMORY;
    enum troupe_status status = spec != NULL ? begin_configured(me, spec) : begin_asked(me, args);
    if (status != TROUPE_OK) return status;
    self->unready = true;
    tr_supervision_start(me->machine, now);
    return leave(me);
}

TROUPE_STOP(troupe_supervisor) {
    me->self = self;
    tr_kin_leave_all(me);
    if (me->machine != NULL) tr_supervision_free(me->machine);
    tr_supervisor_forget_askers(me);
    tr_kindred_free(&me->kindred);
    tr_kin_free(me->template);
    free(me->configured);
    free(me->remote);
    free(me->lost);
    free(me->path);
}

/* ---- What happens to children ---- */

/* The node that the message at hand comes from. An order to stop is no message. */
static uint64_t speaker_of(const troupe_self *self) {
    bool here = self->message == NULL || self->message->inbound == NULL;
    return here ? self->worker->node->id : self->message->inbound->node;
}

static bool is_foreign(const troupe_self *self) { return speaker_of(self) != self->worker->node->id; }

/* NULL: it is of a child that an earlier run has started, or of one that was forgotten; or of one of another node than
 * the one that says so. Of those that could not be started there, we say so ourselves. */
static struct tr_kin *kin_of(const struct troupe_supervisor *me, const troupe_self *self, uint64_t key, uint32_t run) {
    struct tr_kin *kin = tr_kindred_keyed(&me->kindred, key);
    bool known = kin != NULL && kin->run == (uint64_t)run + 1;
    return known && (!is_foreign(self) || speaker_of(self) == kin->spec.node) ? kin : NULL;
}

TROUPE_ON(troupe_supervisor, tr_started) {
    struct tr_kin *kin = kin_of(me, self, msg->key, msg->run);
    if (kin == NULL) return TROUPE_OK;
    if (msg->run > 0)
        tr_log(self->worker->node, TROUPE_INFO, kin->spec.path, "started again (restart %u)", msg->run);
    tr_supervision_started(me->machine, kin->id, kin->run, enter(me, self));
    return leave(me);
}

/* Who was killed had not stopped when it was told to, or was not even told. */
static enum tr_exit exit_of(const struct troupe_death *death) {
    if (death->kind == TROUPE_DEATH_KILLED) return TR_EXIT_FAILED;
    return death->status == TROUPE_OK         ? TR_EXIT_NORMAL
           : death->status == TROUPE_STOPPING ? TR_EXIT_SHUTDOWN
                                              : TR_EXIT_FAILED;
}

/* A kill that is the rule for this child is no news; one past its deadline is. */
static bool is_news(const struct tr_kin *kin, const struct troupe_death *death) {
    return death->kind == TROUPE_DEATH_KILLED && kin->spec.rules.shutdown != TR_KILL;
}

/* Then something else has failed. */
static bool is_own_kill(const struct troupe_supervisor *me, const struct troupe_death *death) {
    char own[TR_PATH_SIZE];
    if (death->kind != TROUPE_DEATH_KILLED) return false;
    tr_node_path(tr_supervisor_node(me), troupe_self_address(me->self), own, sizeof own);
    return strcmp(death->by, own) == 0;
}

/* For those who look at the tree. Without memory, none is better than an older one. */
static void keep_failure(struct tr_kin *kin, const struct troupe_death *death, const char *printed) {
    free(kin->failure);
    kin->failure = strdup(printed);
    kin->failed_at = death->at;
}

/* When this one gives up for it, too, what began it all counts, however deep below: the log has the steps between. */
static void keep_cause(struct troupe_supervisor *me, const struct troupe_death *death, const char *printed) {
    bool first = death->kind != TROUPE_DEATH_GAVE_UP || death->cause[0] == '\0';
    snprintf(me->cause, sizeof me->cause, "%s", first ? printed : death->cause);
}

/* Whom it is about we know ourselves: the report may come from a process that says what it likes. */
static void note_exit(struct troupe_supervisor *me, struct tr_kin *kin, const struct troupe_death *report) {
    struct tr_node *node = tr_supervisor_node(me);
    struct troupe_death death = *report;
    char printed[TR_DEATH_TEXT];
    death.path = kin->spec.path;
    kin->run = 0;
    me->report = report;
    if (is_news(kin, &death)) tr_death_log(node, TROUPE_WARNING, &death);
    if (exit_of(&death) != TR_EXIT_FAILED || is_own_kill(me, &death)) return;
    if (death.kind != TROUPE_DEATH_KILLED) tr_death_log(node, TROUPE_ERROR, &death);
    troupe_death_print(&death, printed, sizeof printed);
    keep_failure(kin, &death, printed);
    keep_cause(me, &death, printed);
}

TROUPE_ON(troupe_supervisor, tr_exited) {
    struct tr_kin *kin = kin_of(me, self, msg->key, msg->run);
    if (kin == NULL) return TROUPE_OK;
    uint64_t run = kin->run;
    int64_t now = enter(me, self);
    enum tr_exit why = exit_of(&msg->death);
    note_exit(me, kin, &msg->death);
    if (msg->ignored && why == TR_EXIT_NORMAL) tr_supervision_ignored(me->machine, kin->id, run, now);
    else tr_supervision_exited(me->machine, kin->id, run, why, now);
    return leave(me);
}

/* What happened to its node happened to the child. */
static void note_loss(struct troupe_supervisor *me, struct tr_kin *kin, const struct troupe_death *of_node,
                      int64_t now) {
    struct troupe_death death = *of_node;
    death.who = kin->address;
    death.actor = kin->spec.actor;
    death.run = (uint32_t)(kin->run - 1);
    death.uptime = now - kin->since;
    death.starting = tr_kin_state(me, kin) == TROUPE_CHILD_STARTING;
    note_exit(me, kin, &death);
}

/* The first of those that are configured on the node, or on the next one. */
static uint32_t first_on(const struct troupe_supervisor *me, uint64_t node) {
    uint32_t low = 0, high = me->remote_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (me->remote[middle]->spec.node < node) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* From our own host. */
TROUPE_ON(troupe_supervisor, tr_node_down) {
    if (is_foreign(self)) return TROUPE_OK;
    int64_t now = enter(me, self);
    uint32_t lost = 0;
    for (uint32_t i = first_on(me, msg->node); i < me->remote_count && me->remote[i]->spec.node == msg->node; i++) {
        struct tr_kin *kin = me->remote[i];
        if (kin->run == 0) continue;
        note_loss(me, kin, &msg->death, now);
        me->lost[lost++] = kin->id;
    }
    me->report = &msg->death;
    tr_supervision_lost(me->machine, me->lost, lost, now);
    return leave(me);
}

TROUPE_ON(troupe_supervisor, tr_supervisor_tick) {
    if (is_foreign(self)) return TROUPE_OK;
    me->timer.id = 0;
    tr_supervision_tick(me->machine, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, tr_stopping) {
    if (is_foreign(self)) return TROUPE_OK;
    tr_supervision_stop(me->machine, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, tr_save) {
    struct tr_kin *kin = kin_of(me, self, msg->key, msg->run);
    enter(me, self);
    if (kin != NULL) tr_kin_save(me, kin, msg->type, msg->data);
    return TROUPE_OK;
}

/* ---- Requests ---- */

TROUPE_ON(troupe_supervisor, troupe_start_child) {
    tr_supervisor_launch(me, msg, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, troupe_terminate_child) {
    tr_supervisor_request(me, TR_REQUEST_TERMINATE, msg->name, msg->address, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, troupe_restart_child) {
    tr_supervisor_request(me, TR_REQUEST_RESTART, msg->name, msg->address, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, troupe_delete_child) {
    tr_supervisor_request(me, TR_REQUEST_DELETE, msg->name, msg->address, enter(me, self));
    return leave(me);
}

TROUPE_ON(troupe_supervisor, troupe_which_children) {
    enter(me, self);
    return tr_supervisor_which(me, msg);
}

TROUPE_ON(troupe_supervisor, troupe_count_children) {
    enter(me, self);
    return tr_supervisor_count(me);
}

TROUPE_ACTOR(troupe_supervisor, TROUPE_STARTS(troupe_supervisor, troupe_supervise), TROUPE_STOPS(troupe_supervisor),
             TROUPE_HANDLES(troupe_supervisor, tr_started, tr_exited, tr_node_down, tr_supervisor_tick, tr_stopping,
                            tr_save, troupe_start_child, troupe_terminate_child, troupe_restart_child, troupe_delete_child,
                            troupe_which_children, troupe_count_children))
