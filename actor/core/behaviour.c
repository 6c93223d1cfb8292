/* What an actor is now: include/troupe/behaviour.h. Only the worker that runs a cell knows; senders look at the
 * class, which accepts what any of the variants handles. */
#include "core/log.h"
#include "core/worker.h"

enum troupe_status troupe_become_behaviour(troupe_self *self, const struct troupe_behaviour *behaviour) {
    const struct tr_class *class = atomic_load(&self->cell->class);
    const struct tr_class *variant = tr_class_variant(class, behaviour);
    if (variant == NULL) {
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self),
               "it does not become %s: actor %s has no TROUPE_BECOMES for it", behaviour->name,
               class->type->name);
        return TROUPE_INVALID;
    }
    self->cell->running = variant;
    return TROUPE_OK;
}
