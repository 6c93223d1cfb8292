/*
 * Watching a group: the second half of include/troupe/group.h.
 *
 * A watch is a source (core/source.h): it belongs to a run, and nothing of it reaches a later one. Whoever changes the
 * group puts the change behind those that wait in the watch, with the lock of the groups, and has the watch come up
 * in its cell's mailbox. There one notice is handled at a time; changes of one kind that have not been taken yet are
 * in one notice. The first notice of a watch is made with it, under the same lock: so no change is told twice, and
 * none is missed.
 *
 * Without memory for a notice the change is not told; the log says so.
 */
#include "services/group_watch.h"

#include <stdlib.h>
#include <string.h>
#include <troupe/group.h>

#include "core/log.h"
#include "core/run.h"
#include "core/source.h"
#include "services/names.h"
#include "services/services.h"

enum { NOTICE_ROOM = 4, NOTICE_MAX = 1024 };

struct notice {
    struct notice *next;
    bool joined;
    uint32_t count, size;
    troupe_address members[];
};

struct tr_group_watch {
    struct tr_source source; /* first: a source is cast to it */
    struct tr_group_watch *next; /* of the group */
    bool joins, leaves;      /* what its actor handles */
    struct notice *first, **last; /* not taken yet; the last one, where that hangs */
    char group[TR_NAME_MAX + 1];
};

static struct tr_groups *groups_of(struct tr_node *node) { return &tr_services_of(node)->groups; }

static struct tr_group_watch *watch_of(struct tr_source *source) {
    return (struct tr_group_watch *)(void *)source;
}

/* ---- Telling: with the lock ---- */

/* At the end, empty. */
static struct notice *notice_add(struct tr_group_watch *watch, bool joined) {
    struct notice *notice = malloc(sizeof *notice + NOTICE_ROOM * sizeof notice->members[0]);
    if (notice == NULL) return NULL;
    *notice = (struct notice){ .joined = joined, .size = NOTICE_ROOM };
    if (*watch->last != NULL) watch->last = &(*watch->last)->next;
    *watch->last = notice;
    return notice;
}

static struct notice *notice_grow(struct tr_group_watch *watch) {
    struct notice *notice = *watch->last;
    struct notice *more = realloc(notice, sizeof *notice + 2 * notice->size * sizeof notice->members[0]);
    if (more == NULL) return NULL;
    more->size *= 2;
    *watch->last = more;
    return more;
}

static bool append(struct tr_group_watch *watch, bool joined, troupe_address member) {
    struct notice *notice = *watch->last;
    if (notice == NULL || notice->joined != joined || notice->count == NOTICE_MAX) notice = notice_add(watch, joined);
    else if (notice->count == notice->size) notice = notice_grow(watch);
    if (notice == NULL) return false;
    notice->members[notice->count++] = member;
    return true;
}

static void happen(struct tr_node *node, struct tr_worker *worker, struct tr_group_watch *watch) {
    if (tr_source_happens(&watch->source)) tr_cell_push(node, worker, watch->source.cell, &watch->source.link);
}

void tr_group_watches_tell(struct tr_node *node, struct tr_worker *worker, struct tr_group *group, bool joined,
                           troupe_address member) {
    for (struct tr_group_watch *watch = group->watches; watch != NULL; watch = watch->next) {
        if (!(joined ? watch->joins : watch->leaves)) continue;
        if (append(watch, joined, member)) happen(node, worker, watch);
        else tr_log(node, TROUPE_ERROR, NULL, "a watcher of group %s is not told of a change: out of memory",
                    group->name);
    }
}

/* ---- In the actor ---- */

/* `*more`: others are behind it. */
static struct notice *take(struct tr_node *node, struct tr_worker *worker, struct tr_group_watch *watch) {
    struct tr_groups *groups = groups_of(node);
    pthread_rwlock_wrlock(&groups->lock);
    struct notice *notice = watch->first;
    if (notice != NULL) {
        if (watch->last == &notice->next) watch->last = &watch->first;
        watch->first = notice->next;
        if (watch->first != NULL) happen(node, worker, watch);
    }
    pthread_rwlock_unlock(&groups->lock);
    return notice;
}

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct tr_group_watch *watch = watch_of(source);
    struct notice *notice = take(worker->node, worker, watch);
    if (notice == NULL) return false;
    struct {
        struct tr_message header;
        struct troupe_joined body;
    } message = { .header.type = notice->joined ? &troupe_joined_message : &troupe_left_message,
                  .body = { watch->group, { notice->members, notice->count } } };
    bool handled = tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
    free(notice);
    return handled;
}

static void free_notices(struct tr_group_watch *watch) {
    while (watch->first != NULL) {
        struct notice *next = watch->first->next;
        free(watch->first);
        watch->first = next;
    }
    watch->last = &watch->first;
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct tr_groups *groups = groups_of(node);
    struct tr_group_watch *watch = watch_of(source);
    pthread_rwlock_wrlock(&groups->lock);
    struct tr_group *group = tr_group_find(&groups->table, TR_GROUP, watch->group);
    struct tr_group_watch **at = &group->watches;
    while (*at != watch) at = &(*at)->next;
    *at = watch->next;
    free_notices(watch);
    tr_group_tidy(&groups->table, group);
    pthread_rwlock_unlock(&groups->lock);
}

static const struct tr_source_kind kind = { .handle = handle, .leave = leave };

/* ---- Watching ---- */

static struct tr_group_watch *find(struct tr_cell *cell, const char *group) {
    const struct tr_ids *ids = cell->more == NULL ? NULL : &cell->more->sources;
    for (uint32_t i = 0; ids != NULL && i < ids->size; i++) {
        struct tr_source *source = ids->entries[i].value;
        if (source != NULL && source->kind == &kind && strcmp(watch_of(source)->group, group) == 0)
            return watch_of(source);
    }
    return NULL;
}

static bool append_all(struct tr_group_watch *watch, const struct tr_roster *roster) {
    bool all = true;
    for (uint32_t i = 0; all && i < tr_roster_count(roster); i++) all = append(watch, true, roster->items[i]);
    return all;
}

/* Who is in the group now, in at least one notice. */
static bool begin(struct tr_group_watch *watch, const struct tr_group *group) {
    if (!watch->joins) return true;
    return notice_add(watch, true) != NULL && append_all(watch, group->here) && append_all(watch, group->there);
}

static enum troupe_status enter(struct tr_node *node, struct tr_worker *worker, struct tr_group_watch *watch) {
    struct tr_groups *groups = groups_of(node);
    struct tr_group *group;
    pthread_rwlock_wrlock(&groups->lock);
    enum troupe_status status = tr_group_make(&groups->table, TR_GROUP, watch->group, &group);
    if (status == TROUPE_OK && !begin(watch, group)) {
        status = TROUPE_NO_MEMORY;
        tr_group_tidy(&groups->table, group);
    } else if (status == TROUPE_OK) {
        watch->next = group->watches;
        group->watches = watch;
        if (watch->first != NULL) happen(node, worker, watch);
    }
    pthread_rwlock_unlock(&groups->lock);
    return status;
}

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no group watched: %s", why);
    return TROUPE_INVALID;
}

/* Not the group's yet. NULL: no memory. */
static struct tr_group_watch *watch_new(struct tr_cell *cell, const char *group) {
    const struct tr_class *class = atomic_load(&cell->class);
    struct tr_group_watch *watch = tr_source_new(sizeof *watch, &kind);
    if (watch == NULL) return NULL;
    watch->last = &watch->first;
    watch->joins = tr_class_accepts(class, &troupe_joined_message);
    watch->leaves = tr_class_accepts(class, &troupe_left_message);
    memcpy(watch->group, group, strlen(group) + 1);
    return watch;
}

enum troupe_status troupe_group_watch(troupe_self *self, const char *group) {
    if (self->cell->ended) return TROUPE_STOPPING;
    if (!tr_name_is_valid(group)) return refuse(self, tr_name_rule);
    if (find(self->cell, group) != NULL) return TROUPE_OK;
    struct tr_group_watch *watch = watch_new(self->cell, group);
    if (watch == NULL) return TROUPE_NO_MEMORY;
    bool handled = watch->joins || watch->leaves;
    bool added = handled && tr_source_add(self->cell, &watch->source);
    enum troupe_status status = added ? enter(self->worker->node, self->worker, watch) : TROUPE_NO_MEMORY;
    if (status == TROUPE_OK) return TROUPE_OK;
    if (added) tr_ids_remove(&self->cell->more->sources, watch->source.id);
    free_notices(watch);
    tr_source_drop(&watch->source);
    return handled ? status : refuse(self, "the actor handles neither troupe_joined nor troupe_left");
}

enum troupe_status troupe_group_unwatch(troupe_self *self, const char *group) {
    struct tr_group_watch *watch = group == NULL ? NULL : find(self->cell, group);
    if (watch == NULL) return TROUPE_GONE;
    tr_source_cancel(self->worker->node, self->cell, &watch->source);
    return TROUPE_OK;
}
