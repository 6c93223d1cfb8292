/*
 * The keeper: the lives of nodes, and of the application.
 *
 * A node's life. `start` makes it: a process of its own (fork_node), or a thread in its host's
 * process (start_node). It is ready when it says so. `stop` asks it to end, with a deadline, after
 * which a process is killed (a thread cannot be: that is only said on the log). Every incarnation
 * that began ends in one `down` to every process that runs, with the cause; `gone` follows when a
 * stop was the reason. A node that died stays dead until a supervisor starts it again: whether and
 * when is not decided here.
 *
 * Main's life is the application's. Its exit with 0 is the orderly end, 2 means that its tree gave
 * up. Any other end takes everybody with it: the tree is rebuilt from its root, so all processes
 * are killed, and main starts again when the last one is reaped, as often as its intensity allows. A main
 * that exits before it was ever ready is not started again.
 *
 * The end. A signal or a `shutdown` asks main to stop; it stops the tree, which stops the other
 * nodes. One deadline holds for all of it. Whatever the reason, the end is the same: kill what
 * exists, wait until all of it is reaped, external programs included (keeper_commands.c), exit.
 *
 * Failures. A process that says what it may not say is broken, and killed for it (TR_CAUSE_CRASHED:
 * nobody asked for that). A process that was killed counts as good as dead: nothing is sent to it
 * and nothing taken from it until it is reaped, and it is told nothing.
 */
#include "place/keeper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/assert.h"
#include "place/keeper_parts.h"

static const unsigned phase_moves[TR_PHASES] = {
    [TR_PHASE_BEFORE] = TR_BIT(TR_PHASE_UP),
    [TR_PHASE_UP] =
        TR_BIT(TR_PHASE_RESTARTING) | TR_BIT(TR_PHASE_STOPPING) | TR_BIT(TR_PHASE_ENDING),
    [TR_PHASE_RESTARTING] = TR_BIT(TR_PHASE_UP) | TR_BIT(TR_PHASE_ENDING),
    [TR_PHASE_STOPPING] = TR_BIT(TR_PHASE_ENDING),
    [TR_PHASE_ENDING] = TR_BIT(TR_PHASE_ENDED),
};

static void enter(struct tr_keeper *keeper, enum tr_keeper_phase phase) {
    tr_assert((phase_moves[keeper->phase] & TR_BIT(phase)) != 0);
    keeper->phase = phase;
}

bool tr_keeper_dying(const struct tr_keeper *keeper) {
    return keeper->phase == TR_PHASE_RESTARTING || keeper->phase == TR_PHASE_ENDING;
}

/* ---- Main ---- */

static void finish(struct tr_keeper *keeper, int code, int64_t now) {
    int64_t deadline =
        keeper->phase == TR_PHASE_STOPPING ? keeper->deadline : tr_keeper_later(now, keeper->shutdown);
    enter(keeper, TR_PHASE_ENDING);
    keeper->exit_code = code;
    keeper->deadline = INT64_MAX;
    tr_commands_end_all(keeper, code == 0, deadline, now);
    tr_keeper_kill_everyone(keeper, "killed: the application ends");
}

static bool may_restart(struct tr_keeper *keeper, int64_t now) {
    if (keeper->restarts == 0) return false;
    int64_t *oldest = &keeper->restarted[keeper->restart_count % keeper->restarts];
    bool allowed = keeper->restart_count < keeper->restarts || now - *oldest > keeper->within;
    if (!allowed) return false;
    *oldest = now;
    keeper->restart_count++;
    return true;
}

static void main_died(struct tr_keeper *keeper, int64_t now) {
    if (may_restart(keeper, now)) {
        tr_keeper_say(keeper, "%s died: everything starts again", keeper->main->spec.path);
        enter(keeper, TR_PHASE_RESTARTING);
        tr_commands_end_all(keeper, false, now, now);
        tr_keeper_kill_everyone(keeper, "killed: main died");
        return;
    }
    tr_keeper_say(keeper, "%s died too often (more than %lu times in %lld ms): giving up",
                  keeper->main->spec.path, (unsigned long)keeper->restarts,
                  (long long)(keeper->within / 1000000));
    finish(keeper, 2, now);
}

/* Instead of the code of an exit. */
enum { KILLED = -1, NEVER_BEGAN = 1 };

/* It exited by itself before it was ready, and never was: it will not be the next time either. */
static bool cannot_start(const struct tr_member *main, int code) {
    return main->incarnation == 1 && !main->ready && code != KILLED;
}

/* `code`: of its exit, or one of the above. */
static void main_ended(struct tr_keeper *keeper, int code, int64_t now) {
    if (tr_keeper_dying(keeper)) return;
    if (code == 0) {
        finish(keeper, 0, now);
    } else if (code == 2) {
        tr_keeper_say(keeper, "%s gave up", keeper->main->spec.path);
        finish(keeper, 2, now);
    } else if (keeper->phase == TR_PHASE_STOPPING) {
        tr_keeper_say(keeper, "%s died while it was stopping", keeper->main->spec.path);
        finish(keeper, 2, now);
    } else if (cannot_start(keeper->main, code)) {
        tr_keeper_say(keeper, "%s cannot start: giving up", keeper->main->spec.path);
        finish(keeper, 2, now);
    } else {
        main_died(keeper, now);
    }
}

/* Goes on once nothing is left to wait for. */
static void settle(struct tr_keeper *keeper) {
    if (!tr_keeper_dying(keeper)) return;
    for (size_t i = 0; i < keeper->member_count; i++) {
        if (keeper->members[i].exists) return;
    }
    if (keeper->command_count > 0) return;
    for (size_t i = 0; i < keeper->member_count; i++) {
        if (keeper->members[i].state != TR_NODE_IDLE)
            tr_member_move(&keeper->members[i], TR_NODE_IDLE);
        tr_lanes_drop(keeper, &keeper->members[i]);
    }
    if (keeper->phase == TR_PHASE_RESTARTING) {
        enter(keeper, TR_PHASE_UP);
        tr_member_start(keeper, keeper->main);
        return;
    }
    enter(keeper, TR_PHASE_ENDED);
    keeper->io->exit(keeper->context, keeper->exit_code);
}

/* ---- The shutdown ---- */

void tr_keeper_shut_down(struct tr_keeper *keeper, int64_t now) {
    if (keeper->phase == TR_PHASE_RESTARTING) {
        finish(keeper, 0, now);
        return;
    }
    if (keeper->phase != TR_PHASE_UP) return;
    enter(keeper, TR_PHASE_STOPPING);
    keeper->deadline = tr_keeper_later(now, keeper->shutdown);
    tr_member_move(keeper->main, TR_NODE_STOPPING);
    struct tr_control message = { .type = TR_CONTROL_STOP_NODE,
                                  .node = keeper->main->spec.id,
                                  .within = keeper->shutdown };
    tr_keeper_send(keeper, keeper->main, &message);
}

static void name_survivors(struct tr_keeper *keeper) {
    for (size_t i = 0; i < keeper->member_count; i++) {
        const struct tr_member *member = &keeper->members[i];
        if (!tr_member_alive(member)) continue;
        char handling[TR_CONTROL_TEXT_SIZE] = "";
        keeper->io->describe(keeper->context, member->spec.id, handling, sizeof handling);
        tr_keeper_say(keeper, "%s (node %llu) did not stop in time (%s%s%s): killed", member->spec.path,
                      (unsigned long long)member->spec.id, tr_node_state_name(member->state),
                      handling[0] != '\0' ? ", handling " : "", handling);
    }
}

/* ---- The end of a process ---- */

void tr_status_text(int status, char *text, size_t size) {
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        snprintf(text, size, "killed by signal %d (SIG%s)", WTERMSIG(status),
                 name != NULL ? name : "?");
    } else {
        snprintf(text, size, "exited with code %d", WEXITSTATUS(status));
    }
}

static enum tr_cause judge(const struct tr_member *process, int status, char *why, size_t size) {
    bool orderly = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (orderly && (process->state == TR_NODE_STOPPING || process->spec.kind == TR_NODE_MAIN)) {
        snprintf(why, size, "stopped");
        return TR_CAUSE_STOPPED;
    }
    if (process->killed || process->abort_until != INT64_MAX) {
        snprintf(why, size, "%s", process->why);
        return process->cause;
    }
    tr_status_text(status, why, size);
    if (orderly) snprintf(why, size, "exited without being asked to");
    if (process->spec.start == TR_START_SPAWN && !process->ready && WIFEXITED(status))
        snprintf(why, size, "exited with code %d before it was ready: is it a program of Troupe?", WEXITSTATUS(status));
    if (process->fault[0] != '\0') {
        snprintf(why, size, "%s", process->fault);
        return TR_CAUSE_CRASHED;
    }
    bool from_outside = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return from_outside ? TR_CAUSE_KILLED : TR_CAUSE_CRASHED;
}

/* First who is told, then who is told about: the nodes in a process end with it. */
static void process_over(struct tr_keeper *keeper, struct tr_member *process, enum tr_cause cause,
                         const char *why) {
    char with[TR_CONTROL_TEXT_SIZE];
    snprintf(with, sizeof with, "its process ended: %.200s", why);
    for (size_t i = 0; i < keeper->member_count; i++) {
        struct tr_member *member = &keeper->members[i];
        if (member->process != process || member == process || !tr_member_alive(member)) continue;
        tr_member_end(keeper, member, cause, with);
    }
    tr_member_end(keeper, process, cause, why);
}

static void arm(struct tr_keeper *keeper); /* below */

void tr_keeper_exited(struct tr_keeper *keeper, uint64_t node, int status, int64_t now) {
    struct tr_member *process = tr_keeper_find(keeper, node);
    if (process == NULL || !process->exists) return;
    keeper->now = now;
    char why[TR_CONTROL_TEXT_SIZE];
    enum tr_cause cause = judge(process, status, why, sizeof why);
    process->exists = false;
    process->status = status;
    process->abort_until = INT64_MAX;
    if (process == keeper->main)
        main_ended(keeper, WIFEXITED(status) ? WEXITSTATUS(status) : KILLED, now);
    process_over(keeper, process, cause, why);
    settle(keeper);
    arm(keeper);
}

void tr_keeper_failed(struct tr_keeper *keeper, uint64_t node, const char *why, int64_t now) {
    struct tr_member *process = tr_keeper_find(keeper, node);
    if (process == NULL || !process->exists) return;
    char text[TR_CONTROL_TEXT_SIZE];
    snprintf(text, sizeof text, "could not be started: %s", why);
    keeper->now = now;
    process->exists = false;
    process->status = -1;
    if (process == keeper->main) main_ended(keeper, NEVER_BEGAN, now);
    process_over(keeper, process, TR_CAUSE_CRASHED, text);
    settle(keeper);
    arm(keeper);
}

/* ---- Time, signals, messages ---- */

static void arm(struct tr_keeper *keeper) {
    int64_t at = tr_lives_deadline(keeper), lanes = tr_lanes_deadline(keeper);
    if (lanes < at) at = lanes;
    if (keeper->phase == TR_PHASE_STOPPING && keeper->deadline < at) at = keeper->deadline;
    if (tr_keeper_dying(keeper) || keeper->phase == TR_PHASE_ENDED) at = INT64_MAX;
    if (tr_commands_deadline(keeper) < at) at = tr_commands_deadline(keeper);
    if (at == keeper->armed) return;
    keeper->armed = at;
    keeper->io->timer(keeper->context, at);
}

void tr_keeper_begin(struct tr_keeper *keeper, int64_t now) {
    keeper->now = now;
    enter(keeper, TR_PHASE_UP);
    tr_member_start(keeper, keeper->main);
    arm(keeper);
}

void tr_keeper_tick(struct tr_keeper *keeper, int64_t now) {
    keeper->armed = -1; /* used up: the next one is said in any case */
    tr_commands_tick(keeper, now);
    if (!tr_keeper_dying(keeper)) {
        tr_lives_tick(keeper, now);
        tr_lanes_tick(keeper, now);
    }
    if (keeper->phase == TR_PHASE_STOPPING && now >= keeper->deadline) {
        name_survivors(keeper);
        finish(keeper, 128 + SIGKILL, now);
    }
    settle(keeper);
    arm(keeper);
}

/* Some send one twice at once, to the process and to its group, as timeout(1) does, or a terminal and a shell. */
static bool is_echo(struct tr_keeper *keeper, int signal, int64_t now) {
    bool echo = signal == keeper->signal && now - keeper->signalled_at < TR_KEEPER_ECHO;
    if (!echo) keeper->signalled_at = now;
    keeper->signal = signal;
    return echo;
}

void tr_keeper_signal(struct tr_keeper *keeper, int signal, int64_t now) {
    if (is_echo(keeper, signal, now)) return;
    if (keeper->phase == TR_PHASE_ENDING) tr_commands_end_all(keeper, false, now, now); /* its programs take long */
    if (keeper->phase == TR_PHASE_ENDING || keeper->phase == TR_PHASE_ENDED) return;
    if (++keeper->signals == 1) {
        tr_keeper_shut_down(keeper, now);
    } else {
        tr_keeper_say(keeper, "stopping at once: a second signal");
        finish(keeper, 128 + signal, now);
    }
    arm(keeper);
}

bool tr_keeper_is_stopping(const struct tr_keeper *keeper) { return keeper->phase >= TR_PHASE_STOPPING; }

void tr_keeper_broken(struct tr_keeper *keeper, uint64_t node, const char *why, int64_t now) {
    (void)now;
    struct tr_member *process = tr_keeper_find(keeper, node);
    if (process == NULL || !process->exists) return;
    tr_member_kill(keeper, process, TR_CAUSE_CRASHED, why);
}

void tr_keeper_stuck(struct tr_keeper *keeper, uint64_t node, enum tr_cause cause, const char *why, int64_t now) {
    struct tr_member *process = tr_keeper_find(keeper, node);
    tr_assert(cause == TR_CAUSE_STUCK || cause == TR_CAUSE_FROZEN);
    if (process == NULL || !process->exists || process->killed || process->abort_until != INT64_MAX) return;
    process->cause = cause;
    process->abort_until = tr_keeper_later(now, TR_KEEPER_ABORT_PATIENCE);
    snprintf(process->why, sizeof process->why, "%s", why);
    keeper->io->abort_node(keeper->context, node);
    arm(keeper);
}

void tr_keeper_exceeded(struct tr_keeper *keeper, uint64_t node, const char *why) {
    struct tr_member *process = tr_keeper_find(keeper, node);
    if (process != NULL) tr_member_kill(keeper, process, TR_CAUSE_NO_MEMORY, why);
}

void tr_keeper_message(struct tr_keeper *keeper, uint64_t node, const struct tr_control *message,
                       int64_t now) {
    struct tr_member *process = tr_keeper_find(keeper, node);
    if (process == NULL || !process->exists || process->killed || tr_keeper_dying(keeper)) return;
    keeper->now = now;
    const char *error = tr_keeper_obey(keeper, process, message, now);
    if (error != NULL) tr_keeper_broken(keeper, node, error, now);
    arm(keeper);
}

/* ---- External programs ---- */

const char *tr_keeper_command(struct tr_keeper *keeper, uint64_t number, const struct tr_command_rules *rules) {
    return tr_commands_begin(keeper, number, rules);
}

void tr_keeper_command_end(struct tr_keeper *keeper, uint64_t number, bool gone, int64_t now) {
    tr_commands_end(keeper, number, gone, now);
    settle(keeper);
    arm(keeper);
}

void tr_keeper_command_exited(struct tr_keeper *keeper, uint64_t number) {
    tr_commands_exited(keeper, number);
    settle(keeper);
    arm(keeper);
}

size_t tr_keeper_commands(const struct tr_keeper *keeper) { return keeper->command_count; }
