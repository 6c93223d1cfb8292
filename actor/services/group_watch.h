/* Who on this node is told when members of a group come and go. */
#ifndef TR_GROUP_WATCH_H
#define TR_GROUP_WATCH_H

#include "core/worker.h"
#include "services/group_table.h"

/* With the lock of the groups. */
void tr_group_watches_tell(struct tr_node *node, struct tr_worker *worker, struct tr_group *group, bool joined,
                           troupe_address member);

#endif
