/* Descriptors of include/troupe/io.h: the checks before core/watch.h, and what is told when they fail. */
#include <errno.h>
#include <string.h>
#include <troupe/io.h>

#include "core/log.h"
#include "core/watch.h"

static const uint32_t askable = TROUPE_READABLE | TROUPE_WRITABLE;
static const char other_events[] = "events other than READABLE and WRITABLE";

static enum troupe_status refuse(troupe_self *self, int fd, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not watched: descriptor %d: %s", fd, why);
    return TROUPE_INVALID;
}

static enum troupe_status failed(troupe_self *self, int fd) {
    switch (errno) {
    case ENOMEM: return TROUPE_NO_MEMORY;
    case EMFILE:
    case ENFILE:
    case ENOSPC: return TROUPE_LIMIT;
    case EPERM: return refuse(self, fd, "it is always ready, as files and folders are: just read it");
    case EBADF: return refuse(self, fd, "it is not open");
    default: return refuse(self, fd, strerror(errno));
    }
}

enum troupe_status troupe_watch(troupe_self *self, troupe_watcher *watch, int fd, uint32_t events) {
    bool handled = tr_class_accepts(atomic_load(&self->cell->class), &troupe_descriptor_message);
    if (watch != NULL) watch->id = 0;
    if (self->cell->ended) return TROUPE_STOPPING;
    if (!handled) return refuse(self, fd, "the actor does not handle troupe_descriptor");
    if ((events & ~askable) != 0) return refuse(self, fd, other_events);
    struct tr_watch *made = tr_watch_new(self->worker, self->cell, fd, events);
    if (made == NULL) return failed(self, fd);
    if (watch != NULL) watch->id = tr_watch_id(made);
    return TROUPE_OK;
}

enum troupe_status troupe_watch_events(troupe_self *self, troupe_watcher watch, uint32_t events) {
    struct tr_watch *found = tr_watch_find(self->cell, watch.id);
    if ((events & ~askable) != 0)
        return refuse(self, found == NULL ? -1 : tr_watch_descriptor(found), other_events);
    if (found == NULL) return TROUPE_GONE;
    tr_watch_set(self->worker, found, events);
    return TROUPE_OK;
}

enum troupe_status troupe_unwatch(troupe_self *self, troupe_watcher watch) {
    struct tr_watch *found = tr_watch_find(self->cell, watch.id);
    if (found == NULL) return TROUPE_GONE;
    tr_watch_cancel(self->worker->node, self->cell, found);
    return TROUPE_OK;
}
