/*
 * One-process mode: the keeper's machine inside the host. It decides the same as it would in a process of
 * its own; what it asks for is queued and done after it has returned, for it must not be called back.
 * The only process is main, this one: the other nodes are hosted by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/log.h"
#include "place/host_parts.h"

/* A ledger of the keeper's, kept until it says that nobody is sent it again. */
struct tr_ledger_memfd {
    struct tr_ledger_memfd *next;
    uint64_t number;
    int descriptor;
};

/* ---- What the machine asks for ---- */

static void fork_node(void *context, uint64_t node, uint64_t incarnation) {
    struct tr_host *host = context;
    tr_assert(node == TR_MAIN_NODE);
    host->start_main = true;
    host->main_incarnation = incarnation;
}

/* A process that cannot kill itself and go on: what still runs is cut off. */
static void kill_node(void *context, uint64_t node) {
    struct tr_host *host = context;
    (void)node;
    host->main_over = true;
    host->main_code = 9; /* as waitpid says it: SIGKILL */
}

static void lives(void *context, uint64_t node, uint64_t incarnation) {
    tr_names_set_alive(((struct tr_host *)context)->names_memory, node, incarnation);
}

static int ledger_of(struct tr_host *host, uint64_t number) {
    for (struct tr_ledger_memfd *ledger = host->ledgers; ledger != NULL; ledger = ledger->next)
        if (ledger->number == number) return ledger->descriptor;
    struct tr_ledger_memfd *ledger = malloc(sizeof *ledger);
    if (ledger == NULL) return -1;
    *ledger = (struct tr_ledger_memfd){ .next = host->ledgers, .number = number,
                                        .descriptor = tr_memfd_new("troupe-ledger",
                                                                   sizeof(struct tr_ledger)) };
    host->ledgers = ledger;
    return ledger->descriptor;
}

static void queue(void *context, uint64_t process, const struct tr_control *message) {
    struct tr_host *host = context;
    struct tr_delivery_item *item = malloc(sizeof *item);
    (void)process;
    tr_assert(item != NULL);
    bool ledger = message->type == TR_CONTROL_LISTEN || message->type == TR_CONTROL_DIAL;
    *item = (struct tr_delivery_item){ .control = *message,
                                       .descriptor = ledger ? dup(ledger_of(host, message->ledger))
                                                            : -1 };
    if (host->deliveries == NULL) host->deliveries = item;
    else host->last_delivery->next = item;
    host->last_delivery = item;
}

static void forget_ledger(void *context, uint64_t number) {
    struct tr_host *host = context;
    for (struct tr_ledger_memfd **at = &host->ledgers; *at != NULL; at = &(*at)->next) {
        struct tr_ledger_memfd *ledger = *at;
        if (ledger->number != number) continue;
        *at = ledger->next;
        close(ledger->descriptor);
        free(ledger);
        return;
    }
}

static void describe(void *context, uint64_t node, char *text, size_t size) {
    struct tr_host *host = context;
    tr_hosted_describe(&host->nodes[node], text, size);
}

static void fill_random(void *context, void *bytes, size_t size) {
    (void)context;
    ssize_t got = getrandom(bytes, size, 0);
    tr_assert(got == (ssize_t)size);
}

static void set_timer(void *context, int64_t at) { ((struct tr_host *)context)->keeper_timer = at; }

static void log_line(void *context, const char *line) {
    const struct tr_host *host = context;
    tr_log_say(host->options.logger, TROUPE_INFO, NULL, "%s", line);
}

static void signal_command(void *context, uint64_t number, int signal) {
    tr_commands_signal(((struct tr_host *)context)->commands, number, signal);
}

static void release_command(void *context, uint64_t number) {
    tr_commands_release(((struct tr_host *)context)->commands, number);
}

static void exit_keeper(void *context, int code) {
    struct tr_host *host = context;
    host->keeper_done = true;
    host->code = code;
}

static const struct tr_keeper_io actions = { .fork_node = fork_node, .kill_node = kill_node,
                                             .lives = lives,
                                             .send = queue, .forget_ledger = forget_ledger,
                                             .describe = describe, .random = fill_random,
                                             .timer = set_timer, .log = log_line,
                                             .signal_command = signal_command,
                                             .release_command = release_command,
                                             .exit = exit_keeper };

/* ---- Turns ---- */

static bool make_keeper(struct tr_host *host) {
    const struct tr_plan *plan = host->options.plan;
    struct tr_node_spec *specs = calloc(plan->node_count, sizeof *specs);
    if (specs == NULL) return false;
    for (uint32_t i = 0; i < plan->node_count; i++) specs[i] = plan->nodes[i].spec;
    struct tr_keeper_rules rules = { .nodes = specs, .node_count = plan->node_count,
                                     .shutdown = plan->config->shutdown };
    host->keeper = tr_keeper_new(&rules, &actions, host);
    free(specs);
    return host->keeper != NULL;
}

bool tr_embedded_begin(struct tr_host *host) {
    host->own = TR_MAIN_NODE;
    host->keeper_timer = INT64_MAX;
    if (!tr_host_names_open(host, -1, 1)) return false;
    if (!tr_host_signals_open(host) || !make_keeper(host)) return false;
    tr_keeper_begin(host->keeper, tr_host_now(host));
    return true;
}

static void start_main(struct tr_host *host) {
    struct tr_control ready = { .type = TR_CONTROL_READY, .node = TR_MAIN_NODE };
    struct tr_hosted *hosted = &host->nodes[TR_MAIN_NODE];
    host->start_main = false;
    hosted->host = host;
    pthread_rwlock_wrlock(&host->visitors);
    bool started = tr_hosted_start(hosted, TR_MAIN_NODE, host->main_incarnation, NULL);
    pthread_rwlock_unlock(&host->visitors);
    if (started) tr_host_tell_keeper(host, &ready);
    if (started && tr_hosted_start_root(hosted)) return;
    tr_keeper_failed(host->keeper, TR_MAIN_NODE, "no memory, descriptors or threads", tr_host_now(host));
}

static void deliver(struct tr_host *host) {
    struct tr_delivery_item *item = host->deliveries;
    host->deliveries = item->next;
    if (host->deliveries == NULL) host->last_delivery = NULL;
    int descriptors[TR_CONTROL_DESCRIPTORS] = { item->descriptor, -1 };
    tr_host_obey(host, &item->control, descriptors);
    free(item);
}

static void end_main(struct tr_host *host, int status) {
    host->main_over = true;
    host->done = false;
    tr_keeper_exited(host->keeper, TR_MAIN_NODE, status, tr_host_now(host));
}

void tr_embedded_turn(struct tr_host *host) {
    if (host->keeper_timer <= tr_host_now(host)) {
        host->keeper_timer = INT64_MAX;
        tr_keeper_tick(host->keeper, tr_host_now(host));
    }
    while (!host->keeper_done && (host->start_main || host->deliveries != NULL)) {
        if (host->start_main) start_main(host);
        else deliver(host);
    }
    if (host->keeper_done) return;
    if (host->done) end_main(host, host->code << 8); /* as waitpid says it: exited with the code */
    else if (host->main_over) end_main(host, host->main_code);
}

int64_t tr_embedded_next(const struct tr_host *host) {
    bool work = host->start_main || host->deliveries != NULL || host->done || host->main_over;
    return work ? 0 : host->keeper_timer;
}

void tr_embedded_end(struct tr_host *host) {
    while (host->deliveries != NULL) {
        struct tr_delivery_item *item = host->deliveries;
        host->deliveries = item->next;
        if (item->descriptor >= 0) close(item->descriptor);
        free(item);
    }
    while (host->ledgers != NULL) forget_ledger(host, host->ledgers->number);
    if (host->commands != NULL) tr_loop_unwatch(&host->loop, tr_commands_descriptor(host->commands));
    tr_commands_free(host->commands);
    host->commands = NULL;
    tr_keeper_free(host->keeper);
    host->keeper = NULL;
}
