/* What an actor says of its being ready: the part of include/troupe/supervisor.h about that. Its supervisor is told
 * by the run itself (run.c). */
#include <troupe/supervisor.h>

#include "core/run.h"

static struct tr_cell_more *unready(const troupe_self *self) {
    struct tr_cell_more *more = self->cell->more;
    return more != NULL && more->unready ? more : NULL;
}

enum troupe_status troupe_start_later(troupe_self *self) {
    if (!self->starting) return TROUPE_INVALID;
    self->unready = true;
    return TROUPE_OK;
}

/* A start handler that has not said "later" is followed by it anyway. */
void troupe_started(troupe_self *self) {
    if (self->starting && !self->unready) return;
    if (unready(self) != NULL && !self->cell->ended) tr_run_ready(self->worker, self->cell);
}

enum troupe_status troupe_ignore(troupe_self *self) {
    struct tr_cell_more *more = unready(self);
    if (more != NULL) more->ignored = true;
    if (self->starting) self->unready = true; /* nor will it be told that it is */
    return troupe_exit(self);
}
