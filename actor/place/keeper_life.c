/*
 * The lives of nodes: how an incarnation begins and ends, and who is told. The essay is in
 * keeper.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/rules.h"
#include "place/keeper_parts.h"

static const unsigned node_moves[TR_NODE_STATES] = {
    [TR_NODE_IDLE] = TR_BIT(TR_NODE_STARTING) | TR_BIT(TR_NODE_GONE),
    [TR_NODE_STARTING] = TR_BIT(TR_NODE_RUNNING) | TR_BIT(TR_NODE_STOPPING) | TR_BIT(TR_NODE_DEAD) |
                         TR_BIT(TR_NODE_IDLE),
    [TR_NODE_RUNNING] = TR_BIT(TR_NODE_STOPPING) | TR_BIT(TR_NODE_DEAD) | TR_BIT(TR_NODE_IDLE),
    [TR_NODE_STOPPING] = TR_BIT(TR_NODE_GONE) | TR_BIT(TR_NODE_DEAD) | TR_BIT(TR_NODE_IDLE),
    [TR_NODE_DEAD] = TR_BIT(TR_NODE_STARTING) | TR_BIT(TR_NODE_GONE) | TR_BIT(TR_NODE_IDLE),
    [TR_NODE_GONE] = TR_BIT(TR_NODE_STARTING) | TR_BIT(TR_NODE_IDLE),
};

void tr_member_move(struct tr_member *member, enum tr_node_state state) {
    tr_assert((node_moves[member->state] & TR_BIT(state)) != 0);
    member->state = state;
}

const char *tr_node_state_name(enum tr_node_state state) {
    static const char *const names[TR_NODE_STATES] = { "idle",     "starting", "running",
                                                       "stopping", "dead",     "gone" };
    return (unsigned)state < TR_NODE_STATES ? names[state] : "unknown";
}

bool tr_member_alive(const struct tr_member *member) {
    return member->state == TR_NODE_STARTING || member->state == TR_NODE_RUNNING ||
           member->state == TR_NODE_STOPPING;
}

int64_t tr_keeper_later(int64_t now, int64_t within) {
    return within >= INT64_MAX - now ? INT64_MAX : now + within;
}

struct tr_member *tr_keeper_find(const struct tr_keeper *keeper, uint64_t node) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        if (keeper->members[i].spec.id == node) return &keeper->members[i];
    }
    return NULL;
}

void tr_keeper_say(struct tr_keeper *keeper, const char *format, ...) {
    char line[2 * TR_CONTROL_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    keeper->io->log(keeper->context, line);
}

void tr_keeper_send(struct tr_keeper *keeper, const struct tr_member *process,
                    const struct tr_control *message) {
    if (process->exists && !process->killed) {
        keeper->io->send(keeper->context, process->spec.id, message);
    }
}

static void tell_everyone(struct tr_keeper *keeper, const struct tr_control *message) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        tr_keeper_send(keeper, &keeper->members[i], message);
    }
}

/* ---- Beginnings ---- */

void tr_member_start(struct tr_keeper *keeper, struct tr_member *member) {
    struct tr_member *process = member->process;
    bool hosted = process != member;
    if (hosted && (!process->exists || process->killed)) {
        tr_keeper_say(keeper, "%s: not started: its host %s does not run", member->spec.path,
                      process->spec.path);
        return;
    }
    tr_member_move(member, TR_NODE_STARTING);
    member->incarnation++;
    member->ready = member->again = member->killed = false;
    member->deadline = member->abort_until = INT64_MAX;
    member->exists = !hosted;
    member->fault[0] = '\0';
    member->ready_by = !hosted && member->spec.start == TR_START_SPAWN
                           ? tr_keeper_later(keeper->now, TR_KEEPER_SPAWN_PATIENCE)
                           : INT64_MAX;
    keeper->io->lives(keeper->context, member->spec.id, member->incarnation);
    if (!hosted) {
        keeper->io->fork_node(keeper->context, member->spec.id, member->incarnation);
        return;
    }
    struct tr_control message = { .type = TR_CONTROL_START_NODE,
                                  .node = member->spec.id,
                                  .incarnation = member->incarnation };
    tr_keeper_send(keeper, process, &message);
}

/* ---- Ends ---- */

void tr_member_kill(struct tr_keeper *keeper, struct tr_member *process, enum tr_cause cause,
                    const char *why) {
    if (!process->exists || process->killed) return;
    tr_assert(process->process == process);
    process->killed = true;
    process->cause = cause;
    if (why != process->why) snprintf(process->why, sizeof process->why, "%s", why);
    keeper->io->kill_node(keeper->context, process->spec.id);
}

void tr_keeper_kill_everyone(struct tr_keeper *keeper, const char *why) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        tr_member_kill(keeper, &keeper->members[i], TR_CAUSE_KILLED, why);
    }
}

void tr_member_tell_gone(struct tr_keeper *keeper, const struct tr_member *member) {
    struct tr_control message = { .type = TR_CONTROL_GONE, .node = member->spec.id };
    tell_everyone(keeper, &message);
}

/* Adds what it was handling, and says it to everyone who runs. */
static void tell_down(struct tr_keeper *keeper, const struct tr_member *member, enum tr_cause cause,
                      const char *why) {
    struct tr_control message = { .type = TR_CONTROL_DOWN,
                                  .node = member->spec.id,
                                  .incarnation = member->incarnation,
                                  .cause = cause,
                                  .status = member->process->exists ? -1 : member->process->status };
    char handling[TR_CONTROL_TEXT_SIZE] = "";
    if (cause != TR_CAUSE_STOPPED) {
        keeper->io->describe(keeper->context, member->spec.id, handling, sizeof handling);
    }
    tr_control_say(&message, "%s%s%s", why, handling[0] != '\0' ? " while handling " : "",
                   handling);
    if (cause != TR_CAUSE_STOPPED && !(tr_keeper_dying(keeper) && member->process->killed)) {
        tr_keeper_say(keeper, "%s (node %llu, incarnation %llu): %s", member->spec.path,
                      (unsigned long long)member->spec.id, (unsigned long long)member->incarnation,
                      message.text);
    }
    tell_everyone(keeper, &message);
}

void tr_member_end(struct tr_keeper *keeper, struct tr_member *member, enum tr_cause cause,
                   const char *why) {
    bool gone = member->state == TR_NODE_STOPPING && !member->again;
    bool again = member->again && !tr_keeper_dying(keeper);
    enum tr_node_state over = gone ? TR_NODE_GONE : TR_NODE_DEAD;
    tr_member_move(member, tr_keeper_dying(keeper) ? TR_NODE_IDLE : over);
    member->ready = member->again = false;
    member->deadline = INT64_MAX;
    tr_lanes_drop(keeper, member);
    keeper->io->lives(keeper->context, member->spec.id, 0);
    tell_down(keeper, member, cause, why);
    if (member->state == TR_NODE_GONE) tr_member_tell_gone(keeper, member);
    if (again) tr_member_start(keeper, member);
}

/* ---- Stops ---- */

static void stop_late(struct tr_keeper *keeper, struct tr_member *member) {
    member->deadline = INT64_MAX;
    if (member->process == member) {
        tr_member_kill(keeper, member, TR_CAUSE_KILLED, "killed: it did not stop in time");
    } else {
        tr_keeper_say(keeper, "%s (node %llu) does not stop; a thread cannot be killed",
                      member->spec.path, (unsigned long long)member->spec.id);
    }
}

static void hasten(struct tr_keeper *keeper, struct tr_member *member, int64_t within,
                   int64_t now) {
    int64_t deadline = tr_keeper_later(now, within);
    if (deadline < member->deadline) member->deadline = deadline;
    if (within == TR_KILL && member->process == member) {
        tr_member_kill(keeper, member, TR_CAUSE_KILLED, "killed by its supervisor");
    }
}

void tr_member_stop(struct tr_keeper *keeper, struct tr_member *member, int64_t within,
                    int64_t now) {
    if (!tr_member_alive(member)) {
        tr_member_move(member, TR_NODE_GONE);
        tr_lanes_drop(keeper, member);
        tr_member_tell_gone(keeper, member);
        return;
    }
    member->again = false;
    if (member->state != TR_NODE_STOPPING) {
        struct tr_control message = { .type = TR_CONTROL_STOP_NODE,
                                      .node = member->spec.id,
                                      .within = within };
        tr_member_move(member, TR_NODE_STOPPING);
        tr_keeper_send(keeper, member->process, &message);
    }
    hasten(keeper, member, within, now);
}

void tr_lives_tick(struct tr_keeper *keeper, int64_t now) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        struct tr_member *member = &keeper->members[i];
        if (member->state == TR_NODE_STOPPING && now >= member->deadline) stop_late(keeper, member);
        if (member->state == TR_NODE_STARTING && now >= member->ready_by)
            tr_member_kill(keeper, member, TR_CAUSE_CRASHED, "it was not ready in time: is it a program of Troupe?");
        if (now >= member->abort_until) tr_member_kill(keeper, member, member->cause, member->why);
    }
}

int64_t tr_lives_deadline(const struct tr_keeper *keeper) {
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < keeper->member_count; i++) {
        const struct tr_member *member = &keeper->members[i];
        if (member->state == TR_NODE_STOPPING && member->deadline < earliest) {
            earliest = member->deadline;
        }
        if (member->state == TR_NODE_STARTING && !member->killed && member->ready_by < earliest)
            earliest = member->ready_by;
        if (!member->killed && member->abort_until < earliest) earliest = member->abort_until;
    }
    return earliest;
}
