/* External programs, between whoever wants one and the keeper: the socket that stands for it is passed on. In
 * one-process mode the keeper's machine is in this process, and so are its programs' parents: this one. */
#include <sys/epoll.h>
#include <unistd.h>

#include "core/log.h"
#include "place/host_parts.h"

bool tr_hosted_command(struct tr_node *node, int socket) {
    struct tr_host *host = ((struct tr_hosted *)node->options.application)->host;
    if (host->options.time != NULL) return false;
    tr_host_request_command(host, socket);
    return true;
}

/* The program that owns this process may have other threads: there is no undertaker. */
static struct tr_commands *make(struct tr_host *host) {
    struct tr_commands *commands = tr_commands_new(host->keeper, NULL, false);
    if (commands == NULL) return NULL;
    if (tr_loop_watch(&host->loop, tr_commands_descriptor(commands), TR_HOST_COMMANDS, EPOLLIN)) return commands;
    tr_commands_free(commands);
    return NULL;
}

static void take(struct tr_host *host, int socket) {
    if (host->commands == NULL && !host->keeper_done) host->commands = make(host);
    if (host->commands != NULL) tr_commands_take(host->commands, socket);
    else close(socket); /* which says no */
}

static void pass_on(struct tr_host *host, int socket) {
    struct tr_control control = { .type = TR_CONTROL_COMMAND };
    enum tr_control_result sent = tr_outbox_send(&host->outbox, host->options.start->control, &control, &socket);
    close(socket);
    if (sent == TR_CONTROL_CLOSED) _exit(1); /* the keeper is gone: so are we */
    if (sent == TR_CONTROL_BAD) tr_log_say(host->options.logger, TROUPE_ERROR, NULL, "cannot talk to the keeper");
}

void tr_host_command(struct tr_host *host, int socket) {
    if (host->options.start == NULL) take(host, socket);
    else pass_on(host, socket);
}
