/*
 * What processes ask the keeper for, and the table of nodes.
 *
 * A message is taken at its word only where the word is the sender's to give: a node reports for
 * nodes in its own process. What comes late, about something that has ended meanwhile, is no
 * mistake and changes nothing. What could not have been sent by a node in its right mind is
 * returned as an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rules.h"
#include "place/keeper_parts.h"

/* ---- Messages ---- */

static const char not_its_own[] = "it spoke for a node that is not its own";
static const char no_such_node[] = "it spoke of a node that does not exist";

static const char *obey_ready(struct tr_keeper *keeper, struct tr_member *node, int64_t now) {
    if (node->ready || !tr_member_alive(node)) return NULL;
    node->ready = true;
    node->ready_by = INT64_MAX;
    if (node->state == TR_NODE_STARTING) tr_member_move(node, TR_NODE_RUNNING);
    tr_lanes_ready(keeper, node, now);
    return NULL;
}

/* While main stops too: its supervisors may not know yet, and would wait for ever for a start that was
 * refused. They stop what they have started. But another process is told to stop when its supervisors have ended: what
 * it still says is from before, and nobody would stop what it starts. */
static const char *obey_start(struct tr_keeper *keeper, const struct tr_member *process, struct tr_member *node) {
    if (node == keeper->main) return "it wanted to start main";
    if (process != keeper->main && process->state == TR_NODE_STOPPING) return NULL;
    if (node->state == TR_NODE_STOPPING) {
        node->again = true;
    } else if (!tr_member_alive(node)) {
        tr_member_start(keeper, node);
    }
    return NULL;
}

static const char *obey_stop(struct tr_keeper *keeper, const struct tr_member *process,
                             struct tr_member *node, int64_t within, int64_t now) {
    if (node == keeper->main) return "it wanted to stop main";
    if (node->state == TR_NODE_GONE) {
        struct tr_control answer = { .type = TR_CONTROL_GONE, .node = node->spec.id };
        tr_keeper_send(keeper, process, &answer);
    } else if (within == TR_KILL && node->process == node && tr_member_alive(node)) {
        tr_member_kill(keeper, node, TR_CAUSE_KILLED, "killed by its supervisor");
    } else {
        tr_member_stop(keeper, node, within, now);
    }
    return NULL;
}

static const char *obey_connect(struct tr_keeper *keeper, struct tr_member *node,
                                struct tr_member *peer, uint64_t known, int64_t now) {
    if (peer == NULL) return no_such_node;
    if (peer == node) return "it wanted a lane to itself";
    return tr_member_alive(node) ? tr_lanes_connect(keeper, node, peer, known, now) : NULL;
}

static const char *obey_stopped(struct tr_keeper *keeper, struct tr_member *node,
                                const char *text) {
    if (node->process == node) return "it has not ended, but says so";
    if (!tr_member_alive(node)) return NULL;
    bool orderly = text[0] == '\0';
    if (node->state == TR_NODE_STOPPING && orderly) {
        tr_member_end(keeper, node, TR_CAUSE_STOPPED, "stopped");
    } else {
        tr_member_end(keeper, node, TR_CAUSE_CRASHED,
                      orderly ? "ended without being asked to" : text);
    }
    return NULL;
}

static const char *obey_failed(struct tr_member *process, const char *text) {
    snprintf(process->fault, sizeof process->fault, "%s", text);
    return NULL;
}

/* Those that name a node; `own`: it lives in the process that speaks. */
static const char *obey_about(struct tr_keeper *keeper, struct tr_member *process,
                              struct tr_member *node, const struct tr_control *message,
                              int64_t now) {
    bool own = node->process == process;
    switch (message->type) {
    case TR_CONTROL_START: return obey_start(keeper, process, node);
    case TR_CONTROL_STOP: return obey_stop(keeper, process, node, message->within, now);
    case TR_CONTROL_READY: return own ? obey_ready(keeper, node, now) : not_its_own;
    case TR_CONTROL_STOPPED: return own ? obey_stopped(keeper, node, message->text) : not_its_own;
    default:
        tr_assert(message->type == TR_CONTROL_CONNECT);
        if (!own) return not_its_own;
        return obey_connect(keeper, node, tr_keeper_find(keeper, message->peer), message->lane, now);
    }
}

const char *tr_keeper_obey(struct tr_keeper *keeper, struct tr_member *process,
                           const struct tr_control *message, int64_t now) {
    struct tr_member *node;
    switch (message->type) {
    case TR_CONTROL_LISTENING: return tr_lanes_listening(keeper, process, message);
    case TR_CONTROL_LISTEN_FAILED: return tr_lanes_failed(keeper, process, message);
    case TR_CONTROL_SHUTDOWN: tr_keeper_shut_down(keeper, now); return NULL;
    case TR_CONTROL_GAVE_UP:
        tr_keeper_say(keeper, "%s gives up: %s", process->spec.path, message->text);
        return NULL;
    case TR_CONTROL_FAILED: return obey_failed(process, message->text);
    case TR_CONTROL_READY:
    case TR_CONTROL_START:
    case TR_CONTROL_STOP:
    case TR_CONTROL_CONNECT:
    case TR_CONTROL_STOPPED:
        node = tr_keeper_find(keeper, message->node);
        return node != NULL ? obey_about(keeper, process, node, message, now) : no_such_node;
    default: return "it sent what only the keeper sends";
    }
}

/* ---- The table of nodes ---- */

static void check_spec(const struct tr_keeper *keeper, const struct tr_member *member) {
    const struct tr_node_spec *spec = &member->spec;
    tr_assert(spec->id != 0);
    tr_assert(tr_keeper_find(keeper, spec->id) == member); /* the only one of this id */
    tr_assert(member->process != NULL && member->process->spec.kind != TR_NODE_INPROC);
    tr_assert(spec->kind == TR_NODE_INPROC || spec->lane == TR_LANE_IPC ||
              spec->lane == TR_LANE_TCP);
    tr_assert(spec->kind != TR_NODE_MAIN || keeper->main == member); /* the only one */
}

static bool copy_specs(struct tr_keeper *keeper, const struct tr_node_spec *specs) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        struct tr_member *member = &keeper->members[i];
        member->spec = specs[i];
        member->spec.path = strdup(specs[i].path);
        member->deadline = member->abort_until = member->ready_by = INT64_MAX;
        if (specs[i].kind == TR_NODE_MAIN && keeper->main == NULL) keeper->main = member;
        if (member->spec.path == NULL) return false;
    }
    return true;
}

static void check_specs(struct tr_keeper *keeper) {
    tr_assert(keeper->main != NULL);
    for (size_t i = 0; i < keeper->member_count; i++) {
        struct tr_member *member = &keeper->members[i];
        bool hosted = member->spec.kind == TR_NODE_INPROC;
        member->process = hosted ? tr_keeper_find(keeper, member->spec.host) : member;
        check_spec(keeper, member);
    }
}

struct tr_keeper *tr_keeper_new(const struct tr_keeper_rules *rules, const struct tr_keeper_io *io,
                                void *context) {
    tr_assert(rules->node_count > 0);
    struct tr_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) return NULL;
    keeper->io = io;
    keeper->context = context;
    keeper->shutdown = rules->shutdown;
    keeper->deadline = keeper->armed = INT64_MAX;
    keeper->restarts = rules->restarts;
    keeper->within = rules->within;
    keeper->restarted = calloc((size_t)rules->restarts + 1, sizeof *keeper->restarted);
    keeper->members = calloc(rules->node_count, sizeof *keeper->members);
    keeper->member_count = keeper->members != NULL ? rules->node_count : 0;
    if (keeper->restarted == NULL || keeper->members == NULL || !copy_specs(keeper, rules->nodes)) {
        tr_keeper_free(keeper);
        return NULL;
    }
    check_specs(keeper);
    return keeper;
}

void tr_keeper_free(struct tr_keeper *keeper) {
    if (keeper == NULL) return;
    for (size_t i = 0; i < keeper->member_count; i++) free((char *)keeper->members[i].spec.path);
    free(keeper->members);
    free(keeper->restarted);
    free(keeper->pairs);
    free(keeper->commands);
    free(keeper);
}

enum tr_node_state tr_keeper_state(const struct tr_keeper *keeper, uint64_t node) {
    const struct tr_member *member = tr_keeper_find(keeper, node);
    return member != NULL ? member->state : TR_NODE_GONE;
}

uint64_t tr_keeper_incarnation(const struct tr_keeper *keeper, uint64_t node) {
    const struct tr_member *member = tr_keeper_find(keeper, node);
    return member != NULL ? member->incarnation : 0;
}

size_t tr_keeper_pairs(const struct tr_keeper *keeper) { return keeper->pair_count; }
