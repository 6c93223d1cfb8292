/* How an external program begins: from this process to the first instruction of another file. */
#ifndef TR_COMMAND_START_H
#define TR_COMMAND_START_H

#include <sys/resource.h>
#include <sys/types.h>

#include "place/command_request.h"

/* Who starts it, and for whom. */
struct tr_command_origin {
    uid_t user;                  /* of whoever asks, as the kernel says ... */
    gid_t group;
    const struct rlimit *files;  /* the program's limit of descriptors; NULL: as here */
    int undertaker;              /* undertaker.h; -1: there is none */
};

/* Starts it, in a process group or session of its own. `descriptors`: request->descriptors of them, which stay the
 * caller's, and are 16 or more. 0: it runs, `*pid`; else an errno, and `why` says what could not be done.
 * By the thread whose end is to be the program's, unless that is detached. */
int tr_command_start(const struct tr_command_request *request, const int *descriptors,
                     const struct tr_command_origin *origin, pid_t *pid, char *why, size_t size);

#endif
