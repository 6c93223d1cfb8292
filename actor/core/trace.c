/*
 * The trace: a line for each message as it is handled and for each start and end of a run, written to the
 * file of --trace. The order of lines between one sender and one receiver is the order of their messages;
 * it is the same in every placement (contract 8), and a test compares it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/run.h"

enum { TRACE_LINE = 4096 };

static troupe_address address_of(struct tr_worker *worker, const struct tr_cell *cell) {
    return (troupe_address){ worker->node->id, cell->slot, cell->run_generation };
}

/* One write to a file opened for appending: lines of many processes do not mix. */
static void put(struct tr_worker *worker, char *line, int size) {
    size_t length = size < 0 ? 0 : (size_t)size < TRACE_LINE - 1 ? (size_t)size : TRACE_LINE - 2;
    line[length] = '\n';
    ssize_t written = write(worker->node->options.trace, line, length + 1);
    (void)written; /* a full disk must not stop the program */
}

void tr_trace_message(struct tr_worker *worker, const struct tr_message *message) {
    char line[TRACE_LINE], from[TR_PATH_SIZE], to[TR_PATH_SIZE], body[2048];
    troupe_address receiver = { worker->node->id, message->slot, message->generation };
    if ((message->link.flags & TR_MESSAGE_SYSTEM) != 0) return;
    tr_node_path(worker->node, message->from, from, sizeof from);
    tr_node_path(worker->node, receiver, to, sizeof to);
    troupe_message_print(message->type, message + 1, body, sizeof body);
    const char *kind = (message->link.flags & TR_MESSAGE_REPLY) != 0   ? "reply"
                       : (message->link.flags & TR_MESSAGE_ASKED) != 0 ? "ask"
                                                                       : "message";
    put(worker, line, snprintf(line, sizeof line, "%s %s -> %s %s", kind, from, to, body));
}

void tr_trace_life_line(struct tr_worker *worker, struct tr_cell *cell, const char *what) {
    char line[TRACE_LINE], path[TR_PATH_SIZE];
    tr_node_path(worker->node, address_of(worker, cell), path, sizeof path);
    put(worker, line, snprintf(line, sizeof line, "%s %s", what, path));
}
