/* Troupe's own actors of every node, and where they live. */
#include "services/services.h"

const struct tr_service_actor tr_service_actors[TR_SERVICE_ACTORS] = {
    { TR_AGENT_SLOT, &tr_agent_actor, "/agent" },
    { TR_GROUPS_SLOT, &tr_groups_agent_actor, "/groups" },
    { TR_OBSERVER_SLOT, &tr_observer_actor, "/observer" },
};
