/* The arguments of an actor: YAML checked against the fields of its start message, filled in. */
#ifndef TR_ARGS_H
#define TR_ARGS_H

#include "config/yaml.h"

/* The message that starts an actor; troupe_none's when it takes no arguments. */
const struct troupe_message_type *tr_args_type(const struct troupe_actor_type *actor);

/* The start message, in the arena. `args` may be NULL. Fields that are not given are zero, "" and
 * empty arrays. After mistakes it is incomplete. */
const void *tr_args_fill(struct tr_mistakes *mistakes, const struct troupe_actor_type *actor,
                         const struct tr_yaml *args);

#endif
