/* The nodes of a process: making them, with their configured cells bound, and taking them down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <troupe/supervisor.h>

#include "base/rules.h"
#include "core/death.h"
#include "core/log.h"
#include "core/report.h"
#include "core/send.h"
#include "place/host_parts.h"
#include "services/supervisor.h"

/* What a handler gets to return in, when the shutdown's deadline is past or all but past. */
#define LATE (TROUPE_SECOND / 10)

static struct tr_hosted *hosted_of(struct tr_node *node) { return node->options.application; }

/* ---- What services need from above ---- */

static void ask_keeper(struct tr_node *node, enum tr_control_type type, uint64_t id, int64_t within) {
    struct tr_control control = { .type = type, .node = id, .within = within };
    tr_host_request(hosted_of(node)->host, TR_REQUEST_CONTROL, TROUPE_OK, &control);
}

static void set_absent(struct tr_node *node, uint64_t id, uint32_t slot, bool absent) {
    const struct tr_host *host = hosted_of(node)->host;
    const struct tr_planned *planned = tr_plan_at(host->options.plan, id, slot);
    if (planned != NULL) atomic_store(&host->absent[planned - host->options.plan->actors], absent);
}

/* Whoever has his supervisor there is there only with it. */
static bool is_empty(const struct tr_host *host, uint64_t id) {
    const struct tr_plan *plan = host->options.plan;
    const struct tr_planned_node *node = tr_plan_node(plan, id);
    for (uint32_t slot = TR_FIRST_SLOT; slot < node->next_slot; slot++) {
        const struct tr_planned *actor = node->by_slot[slot];
        bool above = tr_plan_supervisor(plan, actor->above).node == id;
        if (!above && !atomic_load(&host->absent[actor - plan->actors])) return false;
    }
    return true;
}

static void need_node(struct tr_node *node, uint64_t id, uint32_t slot) {
    struct tr_route *route = id == node->id ? NULL : tr_routes_find(&node->routes, id);
    if (id == node->id) return;
    set_absent(node, id, slot, false);
    if (route != NULL) tr_lane_wanted((struct tr_lane_driver *)(void *)route);
    ask_keeper(node, TR_CONTROL_START, id, 0);
}

/* Others may still live there. */
static void leave_node(struct tr_node *node, uint64_t id, uint32_t slot) {
    if (id == node->id) return;
    set_absent(node, id, slot, true);
    if (is_empty(hosted_of(node)->host, id)) ask_keeper(node, TR_CONTROL_STOP, id, 5 * TROUPE_SECOND);
}

/* Its handler may never return, so asking the agent there may not be enough. */
static void kill_node(struct tr_node *node, uint64_t id) {
    const struct tr_planned_node *planned = tr_plan_node(hosted_of(node)->host->options.plan, id);
    if (planned != NULL && planned->spec.kind == TR_NODE_PROCESS)
        ask_keeper(node, TR_CONTROL_STOP, id, TR_KILL);
}

/* A supervisor that died with its process could not have its children killed. */
static void end_orphans(struct tr_node *node, uint64_t id) {
    const struct tr_plan *plan = hosted_of(node)->host->options.plan;
    const struct tr_planned_node *here = tr_plan_node(plan, node->id), *there = tr_plan_node(plan, id);
    if (there == NULL || !there->has_supervisors) return;
    for (uint32_t slot = TR_FIRST_SLOT; slot < here->next_slot; slot++) {
        troupe_address child = { node->id, slot, TR_BOUND_GENERATION };
        if (tr_plan_supervisor(plan, here->by_slot[slot]->above).node == id)
            tr_stop(node, NULL, child, TR_STOP_KILL, (troupe_address){ 0 });
    }
}

static void want_signal(struct tr_node *node, int signal, bool wanted) {
    tr_host_want_signal(hosted_of(node)->host, signal, wanted);
}

static void shut_down(struct tr_node *node) { ask_keeper(node, TR_CONTROL_SHUTDOWN, 0, 0); }

static troupe_address find_configured(struct tr_node *node, const char *path) {
    const struct tr_plan *plan = hosted_of(node)->host->options.plan;
    const struct tr_planned *found = path[0] == '\0' ? NULL : tr_plan_find(plan, path);
    if (found == NULL) return (troupe_address){ 0 };
    return (troupe_address){ found->node, found->slot, TR_BOUND_GENERATION };
}

static const struct tr_supervisor_spec *supervisor_at(struct tr_node *node, uint32_t slot) {
    const struct tr_plan *plan = hosted_of(node)->host->options.plan;
    const struct tr_planned *planned = tr_plan_at(plan, node->id, slot);
    return planned == NULL || !planned->child->is_supervisor ? NULL : &plan->supervisors[planned->supervisor];
}

static troupe_address supervisor_of(struct tr_node *node, uint32_t slot) {
    const struct tr_plan *plan = hosted_of(node)->host->options.plan;
    const struct tr_planned *planned = tr_plan_at(plan, node->id, slot);
    return planned == NULL ? (troupe_address){ 0 } : tr_plan_supervisor(plan, planned->above);
}

static const char *find_data(struct tr_node *node, const char *name) {
    const struct tr_config *config = hosted_of(node)->host->options.plan->config;
    for (uint32_t i = 0; i < config->data_count; i++)
        if (strcmp(config->data[i].name, name) == 0) return config->data[i].text;
    return NULL;
}

static uint32_t count_configured(struct tr_node *node, const char *path) {
    return tr_plan_count(hosted_of(node)->host->options.plan, path);
}

static const char *path_of(struct tr_node *node, troupe_address address) {
    const struct tr_planned *planned =
        address.generation != TR_BOUND_GENERATION
            ? NULL
            : tr_plan_at(hosted_of(node)->host->options.plan, address.node, address.slot);
    return planned == NULL ? NULL : planned->child->path;
}

/* ---- Lanes ---- */

static void lane_connect(void *context, uint64_t node, uint64_t peer, uint64_t known) {
    struct tr_control control = { .type = TR_CONTROL_CONNECT, .node = node, .peer = peer, .lane = known };
    tr_host_request(context, TR_REQUEST_CONTROL, TROUPE_OK, &control);
}

static void lane_listening(void *context, uint64_t lane, const char *url, const char *error) {
    struct tr_control control = { .type = url != NULL ? TR_CONTROL_LISTENING : TR_CONTROL_LISTEN_FAILED,
                                  .lane = lane };
    if (url != NULL) snprintf(control.url, sizeof control.url, "%s", url);
    else tr_control_say(&control, "%s", error);
    tr_host_request(context, TR_REQUEST_CONTROL, TROUPE_OK, &control);
}

struct tr_lane_driver *tr_hosted_lane(struct tr_hosted *hosted, uint64_t peer) {
    const struct tr_lane_host host = { lane_connect, lane_listening, hosted->host };
    const struct tr_plan *plan = hosted->host->options.plan;
    if (peer == 0 || peer > hosted->host->node_count || peer == hosted->node->id) return NULL;
    pthread_mutex_lock(&hosted->lock);
    if (hosted->lanes[peer] == NULL)
        hosted->lanes[peer] =
            tr_lane_new(hosted->node, peer, hosted->node->options.incarnation,
                        tr_plan_lane(plan, hosted->node->id, peer) == TR_LANE_IPC, &host);
    struct tr_lane_driver *lane = hosted->lanes[peer];
    pthread_mutex_unlock(&hosted->lock);
    return lane;
}

static struct tr_route *make_route(struct tr_node *node, uint64_t peer) {
    return (struct tr_route *)(void *)tr_hosted_lane(hosted_of(node), peer);
}

/* ---- The root, seen from outside the tree ---- */

static void door_handle(void *context, struct tr_worker *worker, struct tr_link *link) {
    struct tr_message *message = tr_message_of(link);
    struct tr_control control = { 0 };
    (void)worker;
    if (link->kind != TR_LINK_MESSAGE) return;
    if (message->type == &tr_started_message)
        tr_host_request(context, TR_REQUEST_STARTED, TROUPE_OK, &control);
    if (message->type == &tr_exited_message) {
        const struct tr_exited *exited = tr_message_body(message);
        const struct troupe_death *death = &exited->death;
        tr_control_say(&control, "%s%s%s", death->text, death->cause[0] == '\0' ? "" : "; because ", death->cause);
        tr_host_request(context, TR_REQUEST_ENDED, (enum troupe_status)death->status, &control);
    }
    tr_message_free(message);
}

static void door_flush(void *context, struct tr_worker *worker) {
    (void)context;
    (void)worker;
}

static const struct tr_native door = { .handle = door_handle, .flush = door_flush };

static troupe_address root_address(void) {
    return (troupe_address){ TR_MAIN_NODE, TR_ROOT_SLOT, TR_BOUND_GENERATION };
}

bool tr_hosted_start_root(struct tr_hosted *hosted) {
    struct tr_node *node = hosted->node;
    struct tr_codec_error error;
    enum troupe_status status;
    const struct troupe_supervise args = { 0 };
    hosted->door = tr_native_new(node, &door, hosted->host);
    if (hosted->door == NULL) return false;
    struct tr_run_spec start = { .class = tr_class_of(node->options.classes, &troupe_supervisor_actor),
                                 .args = tr_message_new(tr_memory_of(node, NULL), &troupe_supervise_message, &args,
                                                        &status, &error),
                                 .path = "/",
                                 .owner = { node->id, hosted->door->slot,
                                            atomic_load(&hosted->door->generation) } };
    if (start.args == NULL) return false;
    status = tr_start(node, NULL, tr_cells_at(&node->cells, TR_ROOT_SLOT), TR_BOUND_GENERATION, &start);
    if (status != TROUPE_OK) tr_message_free(start.args);
    return status == TROUPE_OK;
}

void tr_hosted_stop_root(struct tr_hosted *hosted) {
    tr_stop(hosted->node, NULL, root_address(), TR_STOP_ORDERLY, (troupe_address){ 0 });
}

/* What ended it says more than how. */
static enum troupe_death_kind kind_of(const struct tr_control *down) {
    if (down->cause == TR_CAUSE_NO_MEMORY) return TROUPE_DEATH_NO_MEMORY;
    if (down->cause == TR_CAUSE_STUCK || down->cause == TR_CAUSE_FROZEN) return TROUPE_DEATH_WATCHDOG;
    if (down->status > 0 && WIFSIGNALED(down->status)) return TROUPE_DEATH_SIGNAL;
    return down->status >= 0 && WIFEXITED(down->status) ? TROUPE_DEATH_EXITED : TROUPE_DEATH_LOST;
}

static struct troupe_death death_of_node(const struct tr_control *down) {
    bool signalled = down->status > 0 && WIFSIGNALED(down->status);
    bool exited = down->status >= 0 && WIFEXITED(down->status);
    return (struct troupe_death){ .kind = kind_of(down),
                                  .text = down->text, .status = TROUPE_NODE_DIED,
                                  .signal = signalled ? WTERMSIG(down->status) : 0,
                                  .code = exited ? WEXITSTATUS(down->status) : 0, .at = tr_death_time() };
}

/* The groups' hub alone tells the others. */
static void tell_groups(struct tr_hosted *hosted, const struct tr_control *down) {
    struct tr_groups_down notice = { .node = down->node, .incarnation = down->incarnation };
    if (hosted->node->id == hosted->services.groups.hub)
        tr_send_system(hosted->node, NULL, tr_groups_address(hosted->node->id), &tr_groups_down_message, &notice);
}

/* Those that are here and have children there. */
static void tell_supervisors(struct tr_hosted *hosted, const struct tr_control *down) {
    struct tr_node_down notice = { .node = down->node, .death = death_of_node(down) };
    const struct tr_plan *plan = hosted->host->options.plan;
    const struct tr_planned_node *there = tr_plan_node(plan, down->node);
    for (uint32_t i = 0; i < there->above_count; i++) {
        troupe_address supervisor = tr_plan_supervisor(plan, there->above[i]);
        if (supervisor.node == hosted->node->id)
            tr_send_system(hosted->node, NULL, supervisor, &tr_node_down_message, &notice);
    }
}

void tr_hosted_node_down(struct tr_hosted *hosted, const struct tr_control *down) {
    struct tr_route *route = tr_routes_find(&hosted->node->routes, down->node);
    const struct troupe_death death = death_of_node(down);
    if (route != NULL)
        tr_lane_down((struct tr_lane_driver *)(void *)route, down->cause, &death);
    tell_supervisors(hosted, down);
    tell_groups(hosted, down);
}

/* ---- Making ---- */

static bool bind_cells(struct tr_hosted *hosted) {
    struct tr_node *node = hosted->node;
    const struct tr_planned_node *planned = tr_plan_node(hosted->host->options.plan, node->id);
    for (uint32_t slot = TR_FIRST_SLOT; slot < planned->next_slot; slot++) {
        const struct tr_child *child = planned->by_slot[slot]->child;
        struct tr_run_spec spec = { .class = tr_class_of(node->options.classes,
                                                         child->is_supervisor ? &troupe_supervisor_actor
                                                                              : child->actor),
                                    .path = child->path, .mailbox_limit = child->mailbox_limit,
                                    .drop_newest = child->drop_newest,
                                    .at_least_once = child->at_least_once,
                                    .own_thread = child->placement.own_thread };
        if (!tr_bind(node, slot, &spec)) return false;
    }
    return true;
}

static bool start_service(struct tr_node *node, const struct tr_service_actor *service) {
    struct tr_codec_error error;
    enum troupe_status status;
    struct tr_run_spec spec = { .class = tr_class_of(node->options.classes, service->type),
                                .path = service->path };
    if (!tr_bind(node, service->slot, &spec)) return false;
    spec.args = tr_message_new(tr_memory_of(node, NULL), &troupe_none_message, &(struct troupe_none){ 0 },
                               &status, &error);
    if (spec.args == NULL) return false;
    status = tr_start(node, NULL, tr_cells_at(&node->cells, service->slot), TR_BOUND_GENERATION, &spec);
    if (status != TROUPE_OK) tr_message_free(spec.args);
    return status == TROUPE_OK;
}

static bool start_services(struct tr_node *node) {
    for (uint32_t i = 0; i < TR_SERVICE_ACTORS; i++)
        if (!start_service(node, &tr_service_actors[i])) return false;
    return true;
}

static bool fill_services(struct tr_hosted *hosted, uint64_t id) {
    const struct tr_plan *plan = hosted->host->options.plan;
    hosted->services.names = &hosted->host->names;
    hosted->services.name = tr_plan_node(plan, id)->spec.path;
    tr_groups_init(&hosted->services.groups, TR_MAIN_NODE, id != TR_MAIN_NODE);
    tr_signals_init(&hosted->services.signals);
    tr_waits_init(&hosted->services.waits);
    tr_far_init(&hosted->services.far);
    hosted->services.need_node = need_node;
    hosted->services.leave_node = leave_node;
    hosted->services.kill_node = kill_node;
    hosted->services.end_orphans = end_orphans;
    hosted->services.want_signal = want_signal;
    hosted->services.shutdown = shut_down;
    hosted->services.find = find_configured;
    hosted->services.supervisor_at = supervisor_at;
    hosted->services.supervisor_of = supervisor_of;
    hosted->services.count = count_configured;
    hosted->services.data = find_data;
    uint32_t threads = hosted->host->options.time == NULL ? plan->config->work_threads : 0;
    return tr_work_init(&hosted->services.work, threads);
}

static struct tr_node *make_node(struct tr_hosted *hosted, uint64_t id, uint64_t incarnation) {
    const struct tr_planned_node *planned = tr_plan_node(hosted->host->options.plan, id);
    hosted->hooks = tr_services_hooks;
    hosted->hooks.path_of = path_of;
    hosted->hooks.route = make_route;
    struct tr_node_options options = { .id = id, .name = planned->spec.path,
                                       .incarnation = (uint32_t)incarnation,
                                       .workers = planned->workers,
                                       .reserved_slots = planned->next_slot,
                                       .classes = hosted->host->options.classes, .hooks = &hosted->hooks,
                                       .flight = hosted->page, .trace = hosted->host->options.trace,
                                       .buffers = &hosted->host->buffers, .application = hosted,
                                       .logger = hosted->host->options.logger,
                                       .blocked = hosted->host->options.plan->config->blocked,
                                       .services = &hosted->services,
                                       .serialize = hosted->host->options.serialize,
                                       .watcher = hosted->host->options.watcher,
                                       .time = hosted->host->options.time,
                                       .spin = hosted->host->options.plan->config->spin };
    if (id == TR_MAIN_NODE) {
        options.cores = hosted->host->options.plan->config->cores;
        options.core_count = hosted->host->options.plan->config->core_count;
    }
    return tr_node_new(&options);
}

bool tr_hosted_start(struct tr_hosted *hosted, uint64_t id, uint64_t incarnation, void *page) {
    hosted->page = page;
    hosted->lanes = calloc(hosted->host->node_count + 1, sizeof(struct tr_lane_driver *));
    if (hosted->lanes == NULL) return false;
    pthread_mutex_init(&hosted->lock, NULL);
    if (fill_services(hosted, id)) hosted->node = make_node(hosted, id, incarnation);
    if (hosted->node != NULL) hosted->services.began = tr_node_clock(hosted->node);
    bool knows = hosted->node != NULL && tr_types_index(&hosted->node->types, &tr_bond_said_message) != UINT32_MAX;
    if (knows && bind_cells(hosted) && start_services(hosted->node)) return true;
    tr_hosted_stop(hosted, tr_hosted_halt(hosted));
    return false;
}

/* ---- The end ---- */

static void add_counts(struct tr_hosted *hosted) {
    struct tr_host *host = hosted->host;
    pthread_mutex_lock(&host->lock);
    tr_flight_counts(hosted->node->flight, &host->counts);
    pthread_mutex_unlock(&host->lock);
}

bool tr_hosted_leave(struct tr_hosted *hosted) {
    bool settled = true;
    pthread_mutex_lock(&hosted->lock);
    for (uint32_t i = 1; i <= hosted->host->node_count; i++)
        if (hosted->lanes[i] != NULL && !tr_lane_leave(hosted->lanes[i])) settled = false;
    pthread_mutex_unlock(&hosted->lock);
    return settled;
}

static const char *path_of_slot(void *context, uint32_t slot, uint32_t generation) {
    struct tr_hosted *hosted = context;
    return path_of(hosted->node, (troupe_address){ hosted->node->id, slot, generation });
}

void tr_hosted_describe(struct tr_hosted *hosted, char *text, size_t size) {
    if (hosted->node != NULL)
        tr_flight_describe(hosted->node->flight, path_of_slot, hosted, text, size);
}

/* A handler that does not return: a process of a node would be killed for it, a thread cannot be. The
 * node, its lanes and its thread are left as they are. */
static void leave_behind(struct tr_hosted *hosted) {
    char text[TR_CONTROL_TEXT_SIZE] = "", calls[256];
    tr_hosted_describe(hosted, text, sizeof text);
    tr_work_describe(&hosted->services.work, calls, sizeof calls);
    tr_log(hosted->node, TROUPE_ERROR, NULL, "did not stop in time and is left behind, handling %s%s%s",
           text[0] == '\0' ? "nothing" : text, calls[0] == '\0' ? "" : "; calls of troupe_work: ", calls);
    tr_flight_close(hosted->node->flight);
    add_counts(hosted);
    hosted->host->stuck = hosted->stuck = true;
    hosted->node = NULL;
}

/* What is left of the one deadline of the end. A node that ends while the others go on has as long. */
static int64_t time_to_halt(const struct tr_host *host, int64_t now) {
    if (host->code > 128) return LATE;
    if (host->deadline == 0) return host->options.plan->config->shutdown;
    return host->deadline - now > LATE ? host->deadline - now : LATE;
}

bool tr_hosted_halt(struct tr_hosted *hosted) {
    if (hosted->node == NULL) return true;
    const struct tr_host *host = hosted->host;
    struct tr_work_pool *work = &hosted->services.work;
    int64_t now = tr_host_now(host), within = time_to_halt(host, now);
    if (host->options.start == NULL)
        return tr_node_halt_within(hosted->node, within) &&
               tr_work_close(work, hosted->node, within - (tr_host_now(host) - now));
    tr_node_halt(hosted->node); /* the keeper kills whoever takes too long */
    return tr_work_close(work, hosted->node, INT64_MAX);
}

/* The threads have ended; now lanes are cut, which settles what was on its way; then every run ends and every
 * mailbox is emptied; then the memory goes. */
void tr_hosted_stop(struct tr_hosted *hosted, bool halted) {
    struct tr_node *node = hosted->node;
    if (!halted) {
        leave_behind(hosted);
        return;
    }
    tr_waits_close(&hosted->services.waits);
    if (node != NULL) {
        for (uint32_t i = 1; i <= hosted->host->node_count; i++)
            if (hosted->lanes[i] != NULL) tr_lane_close(hosted->lanes[i]);
        tr_node_drain(node);
        for (uint32_t i = 1; i <= hosted->host->node_count; i++)
            if (hosted->lanes[i] != NULL) tr_lane_free(hosted->lanes[i]);
        add_counts(hosted);
        tr_node_free(node);
    }
    tr_work_free(&hosted->services.work);
    tr_groups_free(&hosted->services.groups);
    tr_signals_free(&hosted->services.signals);
    tr_waits_free(&hosted->services.waits);
    tr_far_free(&hosted->services.far);
    pthread_mutex_destroy(&hosted->lock);
    free(hosted->lanes);
    if (hosted->page != NULL) munmap(hosted->page, sizeof(struct tr_flight));
    memset(hosted, 0, sizeof *hosted);
}
