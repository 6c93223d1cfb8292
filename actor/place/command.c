/*
 * The actor troupe_command: include/troupe/command.h.
 *
 * It makes the pipes, writes the request on a socket of its own, and gives the other end to the keeper, by way of the
 * host (command_request.h says why it is so). From then on it watches that socket and its ends of the pipes; whatever
 * happens is noted in its state, and tr_command_go_on tells the owner as much of that as there is room for: when the
 * owner's mailbox is full it goes on with the troupe_ready that follows.
 *
 * Failures. What it holds, descriptors above all, must be closed however its run ends, a kill included, which runs no
 * handler: so all of it is a source of the run (core/source.h), which is cancelled at its end. The closed socket is
 * what tells the keeper. A command whose node or keeper ends has nothing left to do either.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <troupe/buffer.h>
#include <troupe/supervisor.h>
#include <unistd.h>

#include "core/log.h"
#include "core/run.h"
#include "place/command_parts.h"
#include "place/host_parts.h"

/* To itself. */
TROUPE_MESSAGE_EMPTY(tr_command_time_is_up)

/* ---- What it holds ---- */

static bool never_happens(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    (void)worker, (void)cell, (void)source;
    return false;
}

static void free_writes(struct tr_node *node, struct tr_command_stream *stream) {
    while (stream->first != NULL) {
        struct tr_command_write *next = stream->first->next;
        if (stream->first->data != NULL) (void)tr_buffers_release(node->options.buffers, stream->first->data);
        free(stream->first);
        stream->first = next;
    }
}

static void let_go(struct tr_node *node, struct tr_source *source) {
    struct tr_command *command = (struct tr_command *)(void *)source;
    for (uint32_t i = 0; i < TROUPE_COMMAND_DESCRIPTORS; i++) {
        struct tr_command_stream *stream = &command->streams[i];
        if (stream->fd >= 0) close(stream->fd);
        free(stream->buffer);
        free_writes(node, stream);
    }
    if (command->socket >= 0) close(command->socket);
}

static const struct tr_source_kind kind = { .handle = never_happens, .leave = let_go };

static struct tr_command *make(troupe_self *self, const struct troupe_program *args) {
    struct tr_command *command = tr_source_new(sizeof *command, &kind);
    if (command == NULL) return NULL;
    command->socket = -1;
    for (uint32_t i = 0; i < TROUPE_COMMAND_DESCRIPTORS; i++) command->streams[i].fd = -1;
    command->reason = "";
    command->max_output = args->max_output;
    command->timeout = args->timeout;
    command->signal = args->kill_signal == 0 ? SIGTERM : args->kill_signal;
    if (tr_source_add(self->cell, &command->source)) return command;
    tr_source_drop(&command->source);
    return NULL;
}

/* ---- Telling ---- */

/* False: its mailbox is full. What it does not handle it does not want; that it is gone is told otherwise. */
static bool tell(troupe_self *self, struct tr_command *command, const struct troupe_message_type *type,
                 const void *message) {
    if (troupe_address_is_none(command->to)) return true;
    command->full = troupe_send_message(self, command->to, type, message) == TROUPE_FULL;
    return !command->full;
}

static struct troupe_command_exited end_of(const struct tr_command *command) {
    bool known = command->status >= 0, signalled = known && WIFSIGNALED(command->status);
    return (struct troupe_command_exited){ .pid = command->pid, .reason = command->reason, .killed = command->killed,
                                           .code = known && !signalled ? WEXITSTATUS(command->status) : -1,
                                           .signal = signalled ? WTERMSIG(command->status) : 0 };
}

static bool tell_started(troupe_self *self, struct tr_command *command) {
    const struct troupe_command_started message = { .pid = command->pid };
    if (command->started && !command->told_started)
        command->told_started = tell(self, command, &troupe_command_started_message, &message);
    return command->told_started || !command->started;
}

static bool tell_ended(troupe_self *self, struct tr_command *command) {
    const struct troupe_command_exited message = end_of(command);
    if (command->ended && !command->told_ended)
        command->told_ended = tell(self, command, &troupe_command_exited_message, &message);
    return command->told_ended || !command->ended;
}

static bool tell_closed(troupe_self *self, struct tr_command *command) {
    const struct troupe_command_exited end = end_of(command);
    const struct troupe_command_closed message = { end.pid, end.code, end.signal, end.reason, end.killed };
    return tell(self, command, &troupe_command_closed_message, &message);
}

static bool tell_failed(troupe_self *self, struct tr_command *command) {
    const struct troupe_command_error message = { .error = command->error, .why = command->why };
    return tell(self, command, &troupe_command_error_message, &message);
}

/* ---- Ends ---- */

/* Somebody has to know: a supervisor, or, where there is no owner, the log. */
static bool fails(const struct tr_command *command) {
    return command->supervised || troupe_address_is_none(command->to);
}

static enum troupe_status end_as_it_did(troupe_self *self, const struct tr_command *command) {
    char how[96] = "nobody knows how it ended";
    if (command->status == 0 || !fails(command)) return troupe_exit(self);
    if (command->status > 0) tr_status_text(command->status, how, sizeof how);
    return TROUPE_FAIL(self, "%s%s%s", how, command->reason[0] != '\0' ? ": " : "", command->reason);
}

static enum troupe_status give_up(troupe_self *self, const struct tr_command *command) {
    return fails(command) ? TROUPE_FAIL(self, "%s", command->why) : troupe_exit(self);
}

enum troupe_status tr_command_go_on(troupe_self *self, struct tr_command *command) {
    if (command->full) return TROUPE_OK;
    if (command->failed) return tell_failed(self, command) ? give_up(self, command) : TROUPE_OK;
    if (!tell_started(self, command) || !tell_ended(self, command)) return TROUPE_OK;
    tr_command_emit(self, command);
    if (command->full || !command->ended || !tr_command_is_drained(command)) return TROUPE_OK;
    return tell_closed(self, command) ? end_as_it_did(self, command) : TROUPE_OK;
}

static enum troupe_status fail(troupe_self *self, struct tr_command *command, int error, const char *why) {
    command->failed = true;
    command->error = error;
    if (why != command->why) snprintf(command->why, sizeof command->why, "%s", why);
    return tr_command_go_on(self, command);
}

/* ---- To the keeper ---- */

static void say(const struct tr_command *command, const struct tr_control *control) {
    if (command->socket >= 0 && !command->ended) (void)tr_control_send(command->socket, control, NULL);
}

void tr_command_end(struct tr_command *command, const char *reason) {
    const struct tr_control control = { .type = TR_CONTROL_COMMAND_END };
    if (command->ended) return;
    if (command->reason[0] == '\0') command->reason = reason;
    say(command, &control);
}

/* ---- Starting ---- */

static const char *find_owner(troupe_self *self, struct tr_command *command, const struct troupe_program *args) {
    troupe_monitor_id monitor;
    command->to = args->to;
    if (args->owner[0] != '\0') {
        command->to = troupe_lookup(self, args->owner);
        if (troupe_address_is_none(command->to)) return "its owner is not there";
    }
    command->lines = args->lines || troupe_address_is_none(command->to);
    if (troupe_address_is_none(command->to)) return NULL;
    return troupe_monitor(self, command->to, &monitor) == TROUPE_OK ? NULL : "its owner cannot be monitored";
}

/* 0, or an errno, and command->why. */
static int order(troupe_self *self, struct tr_command *command, const struct tr_command_wish *wish,
                 const struct troupe_program *args) {
    struct tr_command_ends ends = { .count = 0 };
    int sockets[2];
    int error = tr_command_open(command, args, &ends, command->why, sizeof command->why);
    if (error == 0) error = tr_command_ask(wish, &ends, sockets, command->why, sizeof command->why);
    tr_command_ends_close(&ends);
    if (error != 0) return error;
    command->socket = sockets[0];
    if (tr_hosted_command(self->worker->node, sockets[1])) return 0;
    close(sockets[1]);
    snprintf(command->why, sizeof command->why, "there are no programs on virtual time");
    return ENOTSUP;
}

static enum troupe_status start(troupe_self *self, struct tr_command *command, const struct troupe_program *args) {
    const char *wrong = find_owner(self, command, args);
    if (wrong != NULL) return fail(self, command, EINVAL, wrong);
    struct tr_command_wish *wish = tr_command_wish_new(args, command->why, sizeof command->why);
    if (wish == NULL) return fail(self, command, EINVAL, command->why);
    int error = order(self, command, wish, args);
    tr_command_wish_free(wish);
    if (error != 0) return fail(self, command, error, command->why);
    if (troupe_watch(self, &command->watch, command->socket, TROUPE_READABLE) != TROUPE_OK)
        return fail(self, command, EMFILE, "no descriptors are left to watch it");
    return troupe_start_later(self);
}

static bool is_supervised(const troupe_self *self) {
    return self->cell->more != NULL && !troupe_address_is_none(self->cell->more->owner);
}

TROUPE_START(troupe_command, troupe_program) {
    me->it = make(self, args);
    if (me->it == NULL) return TROUPE_NO_MEMORY;
    me->it->supervised = is_supervised(self);
    return start(self, me->it, args);
}

/* ---- From the keeper ---- */

static void note_started(troupe_self *self, struct tr_command *command, int pid) {
    command->started = true;
    command->pid = pid;
    if (command->timeout > 0) (void)troupe_after_empty(self, NULL, command->timeout, tr_command_time_is_up);
    troupe_started(self);
}

/* There is nobody to read what would be written. */
static void note_ended(troupe_self *self, struct tr_command *command, int status) {
    command->ended = true;
    command->status = status;
    for (uint32_t i = 0; i < command->stream_count; i++) {
        struct tr_command_stream *stream = &command->streams[i];
        if (stream->writes && stream->reads) tr_command_drop_input(self, stream);
        if (stream->writes && !stream->reads) tr_command_close_stream(self, stream);
        stream->writes = false;
    }
}

static void hang_up(troupe_self *self, struct tr_command *command) {
    (void)troupe_unwatch(self, command->watch);
    close(command->socket);
    command->socket = -1;
}

/* Without a last word, the keeper had no room or memory for it, or is about to end. */
static enum troupe_status obey(troupe_self *self, struct tr_command *command, enum tr_control_result result,
                               const struct tr_control *control) {
    if (result != TR_CONTROL_OK) {
        hang_up(self, command);
        if (command->ended) return TROUPE_OK;
        return fail(self, command, EAGAIN, "the keeper does not take it: the application ends, or it has no memory "
                                           "or descriptors left");
    }
    switch (control->type) {
    case TR_CONTROL_COMMAND_STARTED: note_started(self, command, control->status); break;
    case TR_CONTROL_COMMAND_ENDED: note_ended(self, command, control->status); break;
    case TR_CONTROL_COMMAND_FAILED: return fail(self, command, control->status, control->text);
    default: break; /* not for here */
    }
    return tr_command_go_on(self, command);
}

static enum troupe_status hear(troupe_self *self, struct tr_command *command) {
    struct tr_control control;
    const char *error;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    enum tr_control_result result =
        tr_control_receive(command->socket, TR_CONTROL_TO_NODE, &control, descriptors, &error);
    if (result == TR_CONTROL_AGAIN) return TROUPE_OK;
    for (size_t i = 0; i < TR_CONTROL_DESCRIPTORS; i++)
        if (descriptors[i] >= 0) close(descriptors[i]); /* not for here */
    return obey(self, command, result, &control);
}

TROUPE_ON(troupe_command, troupe_descriptor) {
    struct tr_command *command = me->it;
    if (msg->watch == command->watch.id && command->socket >= 0) return hear(self, command);
    for (uint32_t i = 0; i < command->stream_count; i++) {
        struct tr_command_stream *stream = &command->streams[i];
        if (stream->fd < 0 || stream->watch.id != msg->watch) continue;
        if (stream->first != NULL) tr_command_write_some(self, stream);
        if (stream->fd >= 0 && stream->reads) tr_command_read(self, command, stream);
    }
    return tr_command_go_on(self, command);
}

/* ---- From the owner ---- */

TROUPE_ANSWER(troupe_command, troupe_command_output, troupe_command_next) {
    struct tr_command *command = me->it;
    command->under_way--;
    if (outcome == TROUPE_UNHANDLED) command->deaf = true;
    return tr_command_go_on(self, command);
}

TROUPE_ON(troupe_command, troupe_ready) {
    me->it->full = false;
    return tr_command_go_on(self, me->it);
}

TROUPE_ON(troupe_command, troupe_down) {
    if (!fails(me->it)) return troupe_exit(self);
    return TROUPE_FAIL(self, "its owner has ended");
}

TROUPE_ON(troupe_command, troupe_command_write) {
    enum troupe_status status = tr_command_take_input(self, me->it, msg);
    return status == TROUPE_OK ? tr_command_go_on(self, me->it) : status;
}

TROUPE_ON(troupe_command, troupe_command_finish) {
    if (msg->stream >= me->it->stream_count) return tr_decline(self, TROUPE_INVALID);
    tr_command_finish_input(self, &me->it->streams[msg->stream]);
    return tr_command_go_on(self, me->it);
}

TROUPE_ON(troupe_command, troupe_command_kill) {
    struct tr_control control = { .type = TR_CONTROL_COMMAND_SIGNAL,
                                  .signal = msg->signal == 0 ? me->it->signal : msg->signal };
    if (msg->signal < 0 || msg->signal >= NSIG) return tr_decline(self, TROUPE_INVALID);
    if (!me->it->ended) me->it->killed = true;
    say(me->it, &control);
    return TROUPE_OK;
}

TROUPE_ON(troupe_command, troupe_command_abort) {
    tr_command_end(me->it, "aborted");
    return TROUPE_OK;
}

TROUPE_ON(troupe_command, tr_command_time_is_up) {
    tr_command_end(me->it, "timeout");
    return TROUPE_OK;
}

TROUPE_ACTOR(troupe_command, TROUPE_STARTS(troupe_command, troupe_program),
    TROUPE_HANDLES(troupe_command, troupe_descriptor, troupe_ready, troupe_down, troupe_command_write,
                   troupe_command_finish, troupe_command_kill, troupe_command_abort, tr_command_time_is_up),
    TROUPE_ANSWERS(troupe_command, troupe_command_output, troupe_command_next))
