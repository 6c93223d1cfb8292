/* Which cores threads stay on, or may use. */
#ifndef TR_CORES_H
#define TR_CORES_H

#include "config/yaml.h"

/* What is wrong is told; a core that this process may not use is no mistake in what was checked before. */

/* `pin`: `node` may be NULL: not pinned. */
void tr_cores_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, struct tr_config *config);
/* A list of cores, for the mistakes: the value of `key`. How many there are; `*cores` is in the arena. */
uint32_t tr_cores_list(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                       const uint32_t **cores);

#endif
