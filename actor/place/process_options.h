/* What makes a process other than its keeper: applied in the child, after everything else was set up. */
#ifndef TR_PROCESS_APPLY_H
#define TR_PROCESS_APPLY_H

#include "config/process.h"

/* Who it runs as comes last: before it, limits may be raised and its priority too; after it, the directory is entered
 * as that user may. `keeper`: the parent that it must still have (changing the user forgets PDEATHSIG, which is set
 * again). False: `error` says what the system refused. `options` may be NULL. One thread. */
bool tr_process_options_apply(const struct tr_process_options *options, pid_t keeper, char *error, size_t size);

#endif
