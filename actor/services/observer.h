/* The observer of a node: answers the questions of include/troupe/inspect.h. */
#ifndef TR_OBSERVER_H
#define TR_OBSERVER_H

#include <troupe/inspect.h>

#include "core/node.h"

/* Starts one who goes through the tree for one question, and hands it the question at hand. */
enum troupe_status tr_survey(troupe_self *self);

/* What any thread may know of the actor in this cell. `handling` has room for a name. */
enum { TR_HANDLING_SIZE = TR_FLIGHT_NAME };
void tr_observe_cell(struct tr_node *node, struct tr_cell *cell, troupe_address actor,
                     struct troupe_actor_info *info, char handling[TR_HANDLING_SIZE]);

/* What the reply about a node points to. */
struct tr_observed_threads {
    struct troupe_worker_info items[TR_MAX_WORKERS];
    char names[TR_MAX_WORKERS][TR_THREAD_NAME_SIZE];
    uint32_t count;
};
void tr_observe_node(struct tr_node *node, struct troupe_node_info *info, struct tr_observed_threads *threads);

#endif
