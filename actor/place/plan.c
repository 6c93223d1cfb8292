#include "place/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <troupe/supervisor.h>

#include "base/assert.h"

/* ---- Counting, so that every table is made once ---- */

static void count_tree(const struct tr_child *child, uint32_t *all, uint32_t *supervisors) {
    (*all)++;
    if (!child->is_supervisor) return;
    (*supervisors)++;
    for (uint32_t i = 0; i < child->child_count; i++)
        count_tree(child->children[i], all, supervisors);
}

/* ---- Nodes ---- */

static bool is_plain(const struct tr_placement *placement) {
    return placement->place == TR_PLACE_THREAD && placement->lane == TR_LANE_DIRECT;
}

/* Actors share a node if they name the same group, and all that makes the node is the same. */
static struct tr_planned_node *find_group(struct tr_plan *plan, const struct tr_placement *placement,
                                          const struct tr_node_spec *spec) {
    for (uint32_t i = 1; placement->group != NULL && i < plan->node_count; i++) {
        const struct tr_node_spec *other = &plan->nodes[i].spec;
        if (other->kind == spec->kind && other->host == spec->host && other->lane == spec->lane &&
            other->start == spec->start &&
            strcmp(other->path, placement->group) == 0)
            return &plan->nodes[i];
    }
    return NULL;
}

static struct tr_planned_node *add_node(struct tr_plan *plan, const struct tr_node_spec *spec,
                                        uint32_t workers) {
    struct tr_planned_node *node = &plan->nodes[plan->node_count++];
    *node = (struct tr_planned_node){ .spec = *spec, .workers = workers,
                                      .next_slot = TR_FIRST_SLOT };
    node->spec.id = plan->node_count;
    return node;
}

/* A node that is no process is in the process of whoever is above. */
static uint64_t host_of(const struct tr_planned_node *above) {
    return above->spec.kind == TR_NODE_INPROC ? above->spec.host : above->spec.id;
}

/* `above`: the supervisor's; NULL: there is none above the root. */
static struct tr_planned_node *node_for(struct tr_plan *plan, const struct tr_child *child,
                                        struct tr_planned_node *above, bool one_process) {
    const struct tr_placement *placement = &child->placement;
    if (above == NULL) return &plan->nodes[0];
    if (is_plain(placement)) return above;
    bool process = placement->place == TR_PLACE_PROCESS && !one_process;
    struct tr_node_spec spec = { .kind = process ? TR_NODE_PROCESS : TR_NODE_INPROC,
                                 .host = process ? TR_MAIN_NODE : host_of(above),
                                 .lane = process ? placement->lane : TR_LANE_INPROC,
                                 .start = placement->start,
                                 .path = placement->group != NULL ? placement->group : child->path };
    struct tr_planned_node *node = find_group(plan, placement, &spec);
    if (node != NULL) return node;
    node = add_node(plan, &spec, 1);
    node->options = process ? placement->options : NULL;
    return node;
}

/* ---- Actors and supervisors ---- */

static void add_children(struct tr_plan *plan, struct tr_planned *planned, bool one_process);

static struct tr_planned *add(struct tr_plan *plan, const struct tr_child *child, const struct tr_planned *above,
                              bool one_process) {
    struct tr_planned_node *node =
        node_for(plan, child, above == NULL ? NULL : &plan->nodes[above->node - 1], one_process);
    struct tr_planned *planned = &plan->actors[plan->actor_count++];
    *planned = (struct tr_planned){ .child = child, .node = node->spec.id, .slot = node->next_slot++,
                                    .above = above == NULL ? 0 : above->supervisor };
    if (child->is_supervisor) add_children(plan, planned, one_process);
    return planned;
}

static void add_children(struct tr_plan *plan, struct tr_planned *planned, bool one_process) {
    planned->supervisor = plan->supervisor_count++;
    plan->nodes[planned->node - 1].has_supervisors = true;
    plan->places[planned->supervisor] = (troupe_address){ planned->node, planned->slot, TR_BOUND_GENERATION };
    for (uint32_t i = 0; i < planned->child->child_count; i++)
        add(plan, planned->child->children[i], planned, one_process);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct tr_planned *)a)->child->path, ((const struct tr_planned *)b)->child->path);
}

/* Each node is looked at once: a supervisor that was met at it has its number in `met`. */
static void index_above(struct tr_planned_node *node, uint64_t *met) {
    for (uint32_t slot = TR_FIRST_SLOT; slot < node->next_slot; slot++) {
        uint32_t above = node->by_slot[slot]->above;
        if (met[above] == node->spec.id) continue;
        met[above] = node->spec.id;
        node->above[node->above_count++] = above;
    }
}

static bool index_supervisors(struct tr_plan *plan) {
    uint64_t *met = calloc(plan->supervisor_count, sizeof *met);
    for (uint32_t i = 0; met != NULL && i < plan->node_count; i++) index_above(&plan->nodes[i], met);
    free(met);
    return met != NULL;
}

static bool index_slots(struct tr_plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++) {
        struct tr_planned_node *node = &plan->nodes[i];
        node->by_slot = calloc(node->next_slot, sizeof(struct tr_planned *));
        node->above = calloc(node->next_slot, sizeof *node->above);
        if (node->by_slot == NULL || node->above == NULL) return false;
    }
    for (uint32_t i = 0; i < plan->actor_count; i++) {
        struct tr_planned *planned = &plan->actors[i];
        plan->nodes[planned->node - 1].by_slot[planned->slot] = planned;
    }
    return true;
}

/* ---- What supervisors need to know ---- */

static bool pack_args(const struct troupe_message_type *type, const void *args,
                      struct tr_child_spec *spec) {
    struct tr_bytes bytes = { 0 };
    if (!tr_codec_pack(type, args, &bytes, NULL)) {
        tr_bytes_free(&bytes);
        return false;
    }
    spec->args = bytes.data;
    spec->args_size = (uint32_t)bytes.size;
    return true;
}

/* "counter/3" of "/ingest/counter/3". */
static const char *name_in(const struct tr_child *supervisor, const struct tr_child *child) {
    bool root = strcmp(supervisor->path, "/") == 0;
    return child->path + (root ? 0 : strlen(supervisor->path)) + 1;
}

static struct tr_child_spec spec_of(const struct tr_child *child, const char *name) {
    return (struct tr_child_spec){ .is_supervisor = child->is_supervisor, .name = name, .path = child->path,
                                   .actor = child->is_supervisor ? troupe_supervisor_actor.name
                                                                 : child->actor_name,
                                   .mailbox_limit = child->mailbox_limit,
                                   .drop_newest = child->drop_newest,
                                   .keep_mailbox = child->keep_mailbox,
                                   .at_least_once = child->at_least_once,
                                   .rules = { .restart = child->restart, .shutdown = child->shutdown,
                                              .ready = child->ready, .significant = child->significant } };
}

/* A supervisor finds what it is in this plan, by its place: its start message says nothing. An actor that this program
 * does not have is started without arguments. */
static bool pack_start(const struct tr_child *child, struct tr_child_spec *spec) {
    const struct troupe_supervise nothing = { 0 };
    const struct troupe_none none = { 0 };
    if (!child->is_supervisor && child->actor == NULL) return pack_args(&troupe_none_message, &none, spec);
    return child->is_supervisor ? pack_args(&troupe_supervise_message, &nothing, spec)
                                : pack_args(child->args_type, child->args, spec);
}

static bool fill_child(const struct tr_plan *plan, const struct tr_child *parent, const struct tr_child *child,
                       struct tr_child_spec *spec) {
    const struct tr_planned *planned = tr_plan_find(plan, child->path);
    *spec = spec_of(child, name_in(parent, child));
    spec->node = planned->node;
    spec->slot = planned->slot;
    return pack_start(child, spec);
}

/* What code adds is where its supervisor is. */
static bool fill_template(const struct tr_planned *planned, struct tr_supervisor_spec *spec) {
    const struct tr_child *template = planned->child->template;
    if (template == NULL) return true;
    struct tr_child_spec *child = calloc(1, sizeof *child);
    spec->child = child;
    if (child == NULL) return false;
    *child = spec_of(template, "");
    child->node = planned->node;
    return pack_start(template, child);
}

static bool fill_supervisor(struct tr_plan *plan, const struct tr_planned *planned) {
    const struct tr_child *child = planned->child;
    struct tr_supervisor_spec *spec = &plan->supervisors[planned->supervisor];
    struct tr_child_spec *children = calloc(child->child_count + 1, sizeof *children);
    spec->children = children;
    spec->child_count = child->child_count;
    spec->rules = (struct tr_supervision_rules){ .strategy = child->strategy,
                                                 .auto_shutdown = child->auto_shutdown,
                                                 .restarts = child->restarts,
                                                 .within = child->within,
                                                 .max_children = child->max_children,
                                                 .backoff = child->backoff };
    if (children == NULL || !fill_template(planned, spec)) return false;
    for (uint32_t i = 0; i < child->child_count; i++)
        if (!fill_child(plan, child, child->children[i], &children[i])) return false;
    return true;
}

static bool fill_supervisors(struct tr_plan *plan) {
    for (uint32_t i = 0; i < plan->actor_count; i++)
        if (plan->actors[i].child->is_supervisor && !fill_supervisor(plan, &plan->actors[i]))
            return false;
    return true;
}

/* ---- Making and freeing ---- */

static bool make(struct tr_plan *plan, bool one_process, uint32_t threads) {
    uint32_t all = 0, supervisors = 0;
    count_tree(plan->config->root, &all, &supervisors);
    plan->nodes = calloc(all + 1, sizeof *plan->nodes);
    plan->actors = calloc(all, sizeof *plan->actors);
    plan->supervisors = calloc(supervisors, sizeof *plan->supervisors);
    plan->places = calloc(supervisors, sizeof *plan->places);
    if (plan->nodes == NULL || plan->actors == NULL || plan->supervisors == NULL || plan->places == NULL) return false;
    add_node(plan, &(struct tr_node_spec){ .kind = TR_NODE_MAIN, .lane = TR_LANE_IPC, .path = "main" },
             threads);
    plan->nodes[0].options = plan->config->main;
    const struct tr_planned *root = add(plan, plan->config->root, NULL, one_process);
    tr_assert(root->slot == TR_ROOT_SLOT && root->supervisor == 0);
    qsort(plan->actors, plan->actor_count, sizeof *plan->actors, by_path);
    return index_slots(plan) && index_supervisors(plan) && fill_supervisors(plan);
}

static uint32_t worker_count(const struct tr_config *config, uint32_t threads) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads == 0) threads = config->threads;
    if (threads == 0) threads = cores > 0 ? (uint32_t)cores : 1;
    return threads < TR_MAX_POOL ? threads : TR_MAX_POOL;
}

struct tr_plan *tr_plan_new(const struct tr_config *config, bool one_process, uint32_t threads) {
    struct tr_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) return NULL;
    plan->config = config;
    if (make(plan, one_process, worker_count(config, threads))) return plan;
    tr_plan_free(plan);
    return NULL;
}

static void free_supervisor(struct tr_supervisor_spec *spec) {
    for (uint32_t i = 0; spec->children != NULL && i < spec->child_count; i++)
        free((void *)(uintptr_t)spec->children[i].args);
    free((void *)(uintptr_t)spec->children);
    if (spec->child != NULL) free((void *)(uintptr_t)spec->child->args);
    free((void *)(uintptr_t)spec->child);
}

void tr_plan_free(struct tr_plan *plan) {
    for (uint32_t i = 0; i < plan->supervisor_count && plan->supervisors != NULL; i++)
        free_supervisor(&plan->supervisors[i]);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        free(plan->nodes[i].by_slot);
        free(plan->nodes[i].above);
    }
    free(plan->supervisors);
    free(plan->places);
    free(plan->actors);
    free(plan->nodes);
    free(plan);
}

/* ---- Finding ---- */

const struct tr_planned *tr_plan_find(const struct tr_plan *plan, const char *path) {
    char full[512];
    int length = snprintf(full, sizeof full, "%s%s", path[0] == '/' ? "" : "/", path);
    if (length < 0 || (size_t)length >= sizeof full) return NULL; /* no path is as long */
    const struct tr_child child = { .path = full };
    const struct tr_planned key = { .child = &child };
    return bsearch(&key, plan->actors, plan->actor_count, sizeof key, by_path);
}

uint32_t tr_plan_count(const struct tr_plan *plan, const char *path) {
    char first[512];
    const struct tr_planned *found = tr_plan_find(plan, path);
    if (found != NULL) return found->child->is_supervisor ? 0 : 1;
    snprintf(first, sizeof first, "%s/0", path);
    found = tr_plan_find(plan, first);
    return found == NULL ? 0 : found->child->count;
}

troupe_address tr_plan_supervisor(const struct tr_plan *plan, uint32_t supervisor) { return plan->places[supervisor]; }

struct tr_planned_node *tr_plan_node(const struct tr_plan *plan, uint64_t id) {
    return id == 0 || id > plan->node_count ? NULL : &plan->nodes[id - 1];
}

const struct tr_planned *tr_plan_at(const struct tr_plan *plan, uint64_t node, uint32_t slot) {
    const struct tr_planned_node *found = tr_plan_node(plan, node);
    return found == NULL || slot >= found->next_slot ? NULL : found->by_slot[slot];
}

static uint64_t process_of(const struct tr_node_spec *spec) {
    return spec->kind == TR_NODE_INPROC ? spec->host : spec->id;
}

enum tr_lane tr_plan_lane(const struct tr_plan *plan, uint64_t a, uint64_t b) {
    const struct tr_node_spec *left = &tr_plan_node(plan, a)->spec, *right = &tr_plan_node(plan, b)->spec;
    if (process_of(left) == process_of(right)) return TR_LANE_INPROC;
    return left->lane == TR_LANE_TCP || right->lane == TR_LANE_TCP ? TR_LANE_TCP : TR_LANE_IPC;
}
