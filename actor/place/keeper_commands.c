/*
 * The lives of external programs, as far as somebody decides about them: each is wanted by an owner, ends when it
 * likes, and is made to end when nobody wants it any more, or its owner asks for it: with its signal first, and when
 * its grace is over, with SIGKILL. When main died everything is killed at once; when the application ends in order,
 * its programs are asked to, and have at most until the deadline of the shutdown. The keeper does not end before them.
 *
 * One that is detached is let go when its owner is gone, or the application is: it is nobody's from then on. So is one
 * that SIGKILL does not end, for it has another user's rights (sudo), or hangs in the kernel: nobody waits for it for
 * ever.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"
#include "place/keeper_parts.h"

static struct tr_keeper_command *find(struct tr_keeper *keeper, uint64_t number) {
    for (size_t i = 0; i < keeper->command_count; i++)
        if (keeper->commands[i].number == number) return &keeper->commands[i];
    return NULL;
}

static void forget(struct tr_keeper *keeper, struct tr_keeper_command *command) {
    *command = keeper->commands[--keeper->command_count];
}

static bool more_room(struct tr_keeper *keeper) {
    if (keeper->command_count < keeper->command_room) return true;
    size_t room = keeper->command_room == 0 ? 8 : 2 * keeper->command_room;
    struct tr_keeper_command *commands = realloc(keeper->commands, room * sizeof *commands);
    if (commands == NULL) return false;
    keeper->commands = commands;
    keeper->command_room = room;
    return true;
}

const char *tr_commands_begin(struct tr_keeper *keeper, uint64_t number, const struct tr_command_rules *rules) {
    tr_assert(find(keeper, number) == NULL);
    if (keeper->phase != TR_PHASE_UP && keeper->phase != TR_PHASE_STOPPING) return "the application ends";
    if (keeper->command_count >= TR_KEEPER_COMMANDS) return "too many programs run";
    if (!more_room(keeper)) return "no memory";
    keeper->commands[keeper->command_count++] =
        (struct tr_keeper_command){ .number = number, .rules = *rules, .deadline = INT64_MAX };
    return NULL;
}

/* ---- Ends ---- */

static void kill_now(struct tr_keeper *keeper, struct tr_keeper_command *command, int64_t now) {
    if (command->killed) return;
    command->asked = command->killed = true;
    command->deadline = tr_keeper_later(now, TR_KEEPER_KILL_PATIENCE);
    keeper->io->signal_command(keeper->context, command->number, SIGKILL);
}

static void ask_to_end(struct tr_keeper *keeper, struct tr_keeper_command *command, int64_t now) {
    if (command->asked) return;
    command->asked = true;
    if (command->rules.signal == SIGKILL || command->rules.grace == 0) {
        kill_now(keeper, command, now);
        return;
    }
    command->deadline = tr_keeper_later(now, command->rules.grace);
    keeper->io->signal_command(keeper->context, command->number, command->rules.signal);
}

static void release(struct tr_keeper *keeper, struct tr_keeper_command *command) {
    keeper->io->release_command(keeper->context, command->number);
    forget(keeper, command);
}

/* False: it is not one to be let go, or is to end. */
static bool let_go(struct tr_keeper *keeper, struct tr_keeper_command *command) {
    if (!command->rules.detached || command->asked) return false;
    release(keeper, command);
    return true;
}

void tr_commands_end(struct tr_keeper *keeper, uint64_t number, bool gone, int64_t now) {
    struct tr_keeper_command *command = find(keeper, number);
    if (command == NULL) return;
    if (!gone || !let_go(keeper, command)) ask_to_end(keeper, command, now);
}

void tr_commands_end_all(struct tr_keeper *keeper, bool in_order, int64_t deadline, int64_t now) {
    for (size_t i = keeper->command_count; i-- > 0;) {
        struct tr_keeper_command *command = &keeper->commands[i];
        if (let_go(keeper, command)) continue;
        if (in_order) ask_to_end(keeper, command, now);
        else kill_now(keeper, command, now);
        if (!command->killed && deadline < command->deadline) command->deadline = deadline;
    }
}

void tr_commands_exited(struct tr_keeper *keeper, uint64_t number) {
    struct tr_keeper_command *command = find(keeper, number);
    if (command != NULL) forget(keeper, command);
}

/* ---- Time ---- */

void tr_commands_tick(struct tr_keeper *keeper, int64_t now) {
    for (size_t i = keeper->command_count; i-- > 0;) {
        struct tr_keeper_command *command = &keeper->commands[i];
        if (now < command->deadline) continue;
        if (!command->killed) {
            kill_now(keeper, command, now);
            continue;
        }
        tr_keeper_say(keeper, "an external program does not end, though it was killed: it is not waited for");
        release(keeper, command);
    }
}

int64_t tr_commands_deadline(const struct tr_keeper *keeper) {
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < keeper->command_count; i++)
        if (keeper->commands[i].deadline < earliest) earliest = keeper->commands[i].deadline;
    return earliest;
}
