/*
 * The plan: who runs where, worked out from the configuration before anything runs, and the same in every
 * process. It numbers the nodes and gives every configured actor its node and cell, so that addresses and
 * paths of the tree are known everywhere from the start, without asking anybody.
 *
 * Node 1 is main: the root. Whoever has no place of his own is on the node of his supervisor. Every other place
 * has a node of its own; those of one group share theirs. Nodes that are no processes are in that of their
 * supervisor. The first slots of each node are for Troupe's own actors, the configured cells follow.
 */
#ifndef TR_PLAN_H
#define TR_PLAN_H

#include "config/config.h"
#include "place/keeper.h"
#include "services/services.h"

enum { TR_MAIN_NODE = 1, TR_ROOT_SLOT = TR_FIRST_SLOT };

struct tr_planned {
    const struct tr_child *child; /* an actor or a supervisor */
    uint64_t node;
    uint32_t slot;
    uint32_t supervisor;          /* supervisors: index in `supervisors` */
    uint32_t above;               /* the index of its own supervisor; of the root: 0 */
};

struct tr_planned_node {
    struct tr_node_spec spec;
    const struct tr_process_options *options; /* of its process; NULL: none */
    uint32_t workers;
    uint32_t next_slot;           /* after planning: how many slots are reserved */
    struct tr_planned **by_slot;
    uint32_t *above;              /* the supervisors of those that are here: indexes, each once */
    uint32_t above_count;
    bool has_supervisors;
};

struct tr_plan {
    const struct tr_config *config;
    struct tr_planned_node *nodes; /* nodes[i] has id i + 1 */
    uint32_t node_count;
    struct tr_planned *actors;     /* sorted by path */
    uint32_t actor_count;
    struct tr_supervisor_spec *supervisors; /* the root is 0 */
    troupe_address *places;                 /* of the supervisors */
    uint32_t supervisor_count;
};

/* `one_process`: process places become inproc nodes. `threads`: workers of main. NULL: no memory. The
 * configuration must live as long as the plan. */
struct tr_plan *tr_plan_new(const struct tr_config *config, bool one_process, uint32_t threads);
void tr_plan_free(struct tr_plan *plan);

/* By path, "/counter/3", or without the first slash. NULL: none. */
const struct tr_planned *tr_plan_find(const struct tr_plan *plan, const char *path);
/* How many there are of this path: `count` of a child, 1 for one without; 0: none. */
uint32_t tr_plan_count(const struct tr_plan *plan, const char *path);
/* NULL: not a configured cell. */
const struct tr_planned *tr_plan_at(const struct tr_plan *plan, uint64_t node, uint32_t slot);
/* Where a supervisor is, by its index. */
troupe_address tr_plan_supervisor(const struct tr_plan *plan, uint32_t supervisor);
struct tr_planned_node *tr_plan_node(const struct tr_plan *plan, uint64_t id);
/* What a lane between two nodes is: INPROC, IPC or TCP. */
enum tr_lane tr_plan_lane(const struct tr_plan *plan, uint64_t a, uint64_t b);

#endif
