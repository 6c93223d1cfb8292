/* `pin`: which cores threads stay on. */
#ifndef TR_CORES_H
#define TR_CORES_H

#include "config/yaml.h"

/* `node` may be NULL: not pinned. What is wrong is told; a core that this process may not use is no mistake in
 * what was `checked` before. */
void tr_cores_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, bool checked,
                   struct tr_config *config);

#endif
