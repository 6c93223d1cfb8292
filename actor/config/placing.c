/* How a place is written. */
#include "config/placing.h"

#include <string.h>

#include "config/check.h"
#include "config/process_read.h"

const struct tr_place_word tr_place_words[] = {
    { "thread", TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK },
    { "inproc", TR_PLACE_THREAD, TR_LANE_INPROC, TR_START_FORK },
    { "process", TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK },
    { "spawn", TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_SPAWN },
    { "tcp", TR_PLACE_PROCESS, TR_LANE_TCP, TR_START_FORK },
    { NULL, TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK },
};

static bool read_word(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                      struct tr_placement *placement) {
    struct tr_suggest suggest;
    tr_suggest_start(&suggest, node->text);
    for (const struct tr_place_word *word = tr_place_words; word->word != NULL; word++) {
        tr_suggest_consider(&suggest, word->word);
        if (strcmp(node->text, word->word) != 0) continue;
        placement->place = word->place;
        placement->lane = word->lane;
        placement->start = word->start;
        return true;
    }
    if (strcmp(node->text, "own") == 0) suggest.best = "{ thread: own }";
    tr_mistake_suggest(mistakes, node->where, &suggest,
                       "thread, inproc, process, spawn, tcp, { process: NAME }, { thread: NAME }",
                       "place: %s is not known", tr_mistakes_quote(mistakes, node->text));
    return false;
}

/* A place of one's own may be a thread of the main node; what is shared is a node. */
static bool reaches(const struct tr_placement *placement, enum tr_lane lane) {
    if (placement->place == TR_PLACE_PROCESS) return lane == TR_LANE_IPC || lane == TR_LANE_TCP;
    return lane == TR_LANE_INPROC || (lane == TR_LANE_DIRECT && placement->group == NULL);
}

static void tell_unreachable(struct tr_mistakes *mistakes, const struct tr_yaml *lane,
                             const struct tr_placement *placement, enum tr_lane written) {
    bool process = placement->place == TR_PLACE_PROCESS;
    const char *quoted = tr_mistakes_quote(mistakes, lane->text);
    if (!process && written == TR_LANE_DIRECT) {
        tr_mistake(mistakes, lane->where,
                   "lane: %s is for 'thread: own'; actors that share the thread %s share a node, which is "
                   "reached by inproc",
                   quoted, tr_mistakes_quote(mistakes, placement->group));
        return;
    }
    tr_mistake(mistakes, lane->where, "lane: %s cannot reach a %s; allowed: %s", quoted,
               process ? "process" : "thread",
               process ? "ipc, tcp" : placement->group == NULL ? "direct, inproc" : "inproc");
}

static enum tr_lane standard_lane(const struct tr_placement *placement) {
    if (placement->place == TR_PLACE_PROCESS) return TR_LANE_IPC;
    return placement->group == NULL ? TR_LANE_DIRECT : TR_LANE_INPROC;
}

/* A lane that is told to be wrong leaves the default. */
static void read_lane(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                      struct tr_placement *placement) {
    const struct tr_yaml *lane = tr_yaml_get(node, "lane");
    placement->lane = standard_lane(placement);
    if (lane == NULL) return;
    int64_t written = tr_check_value(mistakes, &tr_keys_place, node, "lane");
    if (written == 0) return; /* told already */
    enum tr_lane chosen = (enum tr_lane)(written - 1);
    if (reaches(placement, chosen)) placement->lane = chosen;
    else tell_unreachable(mistakes, lane, placement, chosen);
}

/* What is another program is executed. */
static void read_exec(struct tr_mistakes *mistakes, const struct tr_yaml *node, struct tr_placement *placement) {
    const struct tr_yaml *exec = tr_yaml_get(node, "exec"), *start = tr_yaml_get(node, "start");
    if (exec == NULL) return;
    if (placement->place == TR_PLACE_THREAD)
        tr_mistake(mistakes, exec->where, "exec: only a process can be another program");
    else if (start != NULL && placement->start == TR_START_FORK)
        tr_mistake(mistakes, start->where, "start: another program cannot be forked from this one; with 'exec' it is spawn");
    placement->start = TR_START_SPAWN;
}

static void read_options(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                         struct tr_placement *placement) {
    if (placement->place == TR_PLACE_PROCESS) {
        placement->options = tr_process_options_read(mistakes, &tr_keys_place, node);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++)
        if (tr_keys_row(&tr_keys_process, node->pairs[i].key->text) != NULL)
            tr_mistake(mistakes, node->pairs[i].key->where, "%s: only a process has it; a thread has that of its process",
                       node->pairs[i].key->text);
}

/* Everything of the mapping but the group: what fits together. */
static void read_details(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                         struct tr_placement *placement) {
    const struct tr_yaml *start = tr_yaml_get(node, "start");
    placement->start = (enum tr_start)tr_check_value(mistakes, &tr_keys_place, node, "start");
    if (start != NULL && placement->place == TR_PLACE_THREAD)
        tr_mistake(mistakes, start->where, "start: only a process is started; a thread has none");
    read_exec(mistakes, node, placement);
    read_lane(mistakes, node, placement);
    read_options(mistakes, node, placement);
    placement->own_thread =
        placement->place == TR_PLACE_THREAD && placement->lane == TR_LANE_DIRECT;
}

static bool read_map(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                     struct tr_placement *placement) {
    const struct tr_yaml *process = tr_yaml_get(node, "process"),
                         *thread = tr_yaml_get(node, "thread");
    uint32_t before = mistakes->count;
    tr_check_map(mistakes, &tr_keys_place, node);
    if (process == NULL && thread == NULL && mistakes->count > before) return false; /* an unknown key */
    if ((process == NULL) == (thread == NULL)) {
        tr_mistake(mistakes, node->where,
                   "a place has either the key 'process' or the key 'thread'");
        return false;
    }
    placement->place = process != NULL ? TR_PLACE_PROCESS : TR_PLACE_THREAD;
    const char *group = tr_check_name(mistakes, &tr_keys_place, node,
                                      process != NULL ? "process" : "thread");
    placement->group = group == NULL || strcmp(group, "own") == 0 ? NULL : group;
    read_details(mistakes, node, placement);
    return true;
}

bool tr_placing_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *rule,
                     struct tr_placement *placement) {
    *placement = (struct tr_placement){ .where = node->where, .rule = rule };
    if (node->kind == TR_YAML_MAP) return read_map(mistakes, node, placement);
    if (node->kind == TR_YAML_SCALAR && !tr_yaml_is_null(node))
        return read_word(mistakes, node, placement);
    tr_check_expected(mistakes, node, "place", "a place");
    return false;
}

void tr_placing_check(struct tr_mistakes *mistakes, const struct tr_child *child) {
    if (child->is_supervisor && child->placement.own_thread)
        tr_mistake(mistakes, child->placement.where,
                   "place: a supervisor never blocks and needs no thread of its own; 'inproc' is a node for it and its "
                   "children");
    if (child->is_supervisor && child->placement.options != NULL && child->placement.options->exec != NULL)
        tr_mistake(mistakes, child->placement.where,
                   "exec: a supervisor is in this program; actors may be in another one");
}

static bool has_place(const struct tr_child *child) {
    return child->placement.place != TR_PLACE_THREAD || child->placement.lane != TR_LANE_DIRECT;
}

const struct tr_child *tr_config_host(const struct tr_child *child) {
    if (has_place(child)) return NULL;
    for (child = child->above; child != NULL; child = child->above)
        if (has_place(child)) return child;
    return NULL;
}
