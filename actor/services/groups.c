/*
 * include/troupe/group.h, and the changes of the table (groups.h).
 *
 * Memory is taken before anything is changed: whoever joins takes two memberships, one that its cell keeps and one to
 * be told to the others. When it leaves, the one that the cell has kept is what is told: so leaving cannot fail.
 */
#include "services/groups.h"

#include <stdlib.h>
#include <string.h>
#include <troupe/topic.h>

#include "core/log.h"
#include "core/send.h"
#include "services/group_watch.h"
#include "services/names.h"
#include "services/services.h"

static struct tr_groups *groups_of(struct tr_node *node) { return &tr_services_of(node)->groups; }

void tr_groups_init(struct tr_groups *groups, uint64_t hub, bool relays) {
    *groups = (struct tr_groups){ .hub = hub, .relays = relays };
    pthread_rwlock_init(&groups->lock, NULL);
}

static void free_list(struct tr_membership *list) {
    while (list != NULL) {
        struct tr_membership *next = list->next;
        free(list);
        list = next;
    }
}

void tr_groups_free(struct tr_groups *groups) {
    free_list(groups->first);
    tr_group_table_free(&groups->table);
    pthread_rwlock_destroy(&groups->lock);
}

void tr_groups_share(struct tr_groups *groups, enum tr_group_space space, const char *name, struct tr_roster **here,
                     struct tr_roster **there) {
    pthread_rwlock_rdlock(&groups->lock);
    const struct tr_group *group = tr_group_find(&groups->table, space, name);
    *here = group == NULL ? NULL : tr_roster_share(group->here);
    *there = group == NULL ? NULL : tr_roster_share(group->there);
    pthread_rwlock_unlock(&groups->lock);
}

/* ---- A change, with the lock ---- */

static void count_dead_letters(struct tr_groups *groups, const struct tr_group *group, bool joined) {
    if (group->space != TR_TOPIC || strcmp(group->name, TROUPE_DEAD_LETTERS) != 0) return;
    if (joined) atomic_fetch_add(&groups->dead_letter_subscribers, 1);
    else atomic_fetch_sub(&groups->dead_letter_subscribers, 1);
}

/* Somebody is in it who was not, or the other way round. */
static void note(struct tr_node *node, struct tr_worker *worker, struct tr_group *group, bool joined,
                 troupe_address member) {
    count_dead_letters(groups_of(node), group, joined);
    tr_group_watches_tell(node, worker, group, joined, member);
}

static enum troupe_status add(struct tr_node *node, struct tr_worker *worker, bool topic, const char *name, bool here,
                              troupe_address member) {
    struct tr_group_table *table = &groups_of(node)->table;
    struct tr_group *group;
    enum troupe_status status = tr_group_make(table, topic ? TR_TOPIC : TR_GROUP, name, &group);
    if (status != TROUPE_OK) return status;
    status = tr_group_add(table, group, here, member);
    if (status == TROUPE_OK) note(node, worker, group, true, member);
    else tr_group_tidy(table, group);
    return status;
}

/* False: it was no member. */
static bool take_out(struct tr_node *node, struct tr_worker *worker, bool topic, const char *name, bool here,
                     troupe_address member) {
    struct tr_group_table *table = &groups_of(node)->table;
    struct tr_group *group = tr_group_find(table, topic ? TR_TOPIC : TR_GROUP, name);
    if (group == NULL || !tr_group_remove(table, group, here, member)) return false;
    note(node, worker, group, false, member);
    tr_group_tidy(table, group);
    return true;
}

/* Of a topic the others hear when the first has come and when the last has gone, `left` being those that are in it
 * now. True: the groups actor has to be woken. Takes the change. */
static bool list(struct tr_groups *groups, struct tr_membership *change, uint32_t left) {
    if (!groups->relays || (change->topic && left != (change->joined ? 1 : 0))) {
        free(change);
        return false;
    }
    change->next = NULL;
    if (groups->first == NULL) groups->first = change;
    else groups->last->next = change;
    groups->last = change;
    bool wake = !groups->woken;
    groups->woken = true;
    return wake;
}

static uint32_t count_here(const struct tr_groups *groups, const struct tr_membership *of) {
    const struct tr_group *group = tr_group_find(&groups->table, of->topic ? TR_TOPIC : TR_GROUP, of->name);
    return group == NULL ? 0 : tr_roster_count(group->here);
}

/* Without memory for this the next change wakes it. */
static void wake(struct tr_node *node, struct tr_worker *worker) {
    struct tr_groups *groups = groups_of(node);
    enum troupe_status status = tr_send_system(node, worker, tr_groups_address(node->id), &tr_groups_changed_message,
                                               &(struct tr_groups_changed){ 0 });
    if (status == TROUPE_OK) return;
    pthread_rwlock_wrlock(&groups->lock);
    groups->woken = false;
    pthread_rwlock_unlock(&groups->lock);
}

/* ---- Members of this node ---- */

static struct tr_membership *membership_new(bool topic, const char *name, troupe_address member) {
    size_t size = strlen(name) + 1;
    struct tr_membership *made = malloc(sizeof *made + size);
    if (made == NULL) return NULL;
    *made = (struct tr_membership){ .topic = topic, .joined = true, .member = member };
    memcpy(made->name, name, size);
    return made;
}

static struct tr_membership **find(struct tr_cell_more *more, bool topic, const char *name) {
    struct tr_membership **at = &more->memberships;
    while (*at != NULL && ((*at)->topic != topic || strcmp((*at)->name, name) != 0)) at = &(*at)->next;
    return at;
}

/* Takes the change, if it succeeds. */
static enum troupe_status join(struct tr_node *node, struct tr_worker *worker, struct tr_membership *change) {
    struct tr_groups *groups = groups_of(node);
    bool has_to_wake = false;
    pthread_rwlock_wrlock(&groups->lock);
    enum troupe_status status = add(node, worker, change->topic, change->name, true, change->member);
    if (status == TROUPE_OK) has_to_wake = list(groups, change, count_here(groups, change));
    pthread_rwlock_unlock(&groups->lock);
    if (has_to_wake) wake(node, worker);
    return status;
}

static enum troupe_status enter(troupe_self *self, bool topic, const char *name) {
    struct tr_cell_more *more = tr_cell_more(self->cell);
    struct tr_membership *kept = membership_new(topic, name, troupe_self_address(self));
    struct tr_membership *change = membership_new(topic, name, troupe_self_address(self));
    enum troupe_status status = TROUPE_NO_MEMORY;
    if (more != NULL && kept != NULL && change != NULL) status = join(self->worker->node, self->worker, change);
    if (status != TROUPE_OK) {
        free(kept);
        free(change);
        return status;
    }
    kept->next = more->memberships;
    more->memberships = kept;
    return TROUPE_OK;
}

/* Takes the membership. */
static void leave(struct tr_node *node, struct tr_worker *worker, struct tr_membership *kept) {
    struct tr_groups *groups = groups_of(node);
    kept->joined = false;
    pthread_rwlock_wrlock(&groups->lock);
    (void)take_out(node, worker, kept->topic, kept->name, true, kept->member);
    bool has_to_wake = list(groups, kept, count_here(groups, kept));
    pthread_rwlock_unlock(&groups->lock);
    if (has_to_wake) wake(node, worker);
}

void tr_groups_leave_all(struct tr_node *node, struct tr_cell *cell) {
    struct tr_membership *kept = cell->more == NULL ? NULL : cell->more->memberships;
    while (kept != NULL) {
        struct tr_membership *next = kept->next;
        leave(node, NULL, kept);
        kept = next;
    }
    if (cell->more != NULL) cell->more->memberships = NULL;
}

/* ---- For actors ---- */

static enum troupe_status refuse(troupe_self *self, const char *what) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "%s: %s", what, tr_name_rule);
    return TROUPE_INVALID;
}

static enum troupe_status enter_once(troupe_self *self, bool topic, const char *name, const char *refused) {
    if (self->cell->ended) return TROUPE_STOPPING;
    if (!tr_name_is_valid(name)) return refuse(self, refused);
    bool already = self->cell->more != NULL && *find(self->cell->more, topic, name) != NULL;
    return already ? TROUPE_OK : enter(self, topic, name);
}

static enum troupe_status leave_one(troupe_self *self, bool topic, const char *name) {
    if (self->cell->more == NULL || name == NULL) return TROUPE_NOT_FOUND;
    struct tr_membership **at = find(self->cell->more, topic, name), *kept = *at;
    if (kept == NULL) return TROUPE_NOT_FOUND;
    *at = kept->next;
    leave(self->worker->node, self->worker, kept);
    return TROUPE_OK;
}

enum troupe_status troupe_join(troupe_self *self, const char *group) {
    return enter_once(self, false, group, "no group joined");
}

enum troupe_status troupe_leave(troupe_self *self, const char *group) { return leave_one(self, false, group); }

enum troupe_status troupe_subscribe(troupe_self *self, const char *topic) {
    return enter_once(self, true, topic, "not subscribed");
}

enum troupe_status troupe_unsubscribe(troupe_self *self, const char *topic) { return leave_one(self, true, topic); }

static size_t copy(const struct tr_roster *roster, troupe_address *addresses, size_t capacity) {
    size_t count = tr_roster_count(roster), some = count < capacity ? count : capacity;
    if (some > 0) memcpy(addresses, roster->items, some * sizeof *addresses);
    return count;
}

size_t troupe_members(troupe_self *self, const char *group, troupe_address *addresses, size_t capacity) {
    struct tr_roster *here, *there;
    if (!tr_name_is_valid(group)) return 0;
    if (addresses == NULL) capacity = 0;
    tr_groups_share(groups_of(self->worker->node), TR_GROUP, group, &here, &there);
    size_t count = copy(here, addresses, capacity);
    size_t left = count < capacity ? capacity - count : 0;
    count += copy(there, left == 0 ? NULL : addresses + count, left);
    tr_roster_drop(here);
    tr_roster_drop(there);
    return count;
}

/* ---- For the groups actor ---- */

enum troupe_status tr_groups_apply(struct tr_node *node, struct tr_worker *worker, bool topic, bool joined,
                                   const char *name, troupe_address member) {
    struct tr_groups *groups = groups_of(node);
    enum troupe_status status = TROUPE_OK;
    pthread_rwlock_wrlock(&groups->lock);
    if (joined) status = add(node, worker, topic, name, false, member);
    else (void)take_out(node, worker, topic, name, false, member);
    pthread_rwlock_unlock(&groups->lock);
    return status == TROUPE_EXISTS ? TROUPE_OK : status;
}

struct loss {
    struct tr_node *node;
    struct tr_worker *worker;
};

static void gone(void *context, struct tr_group *group, troupe_address member) {
    const struct loss *loss = context;
    note(loss->node, loss->worker, group, false, member);
}

void tr_groups_lose_node(struct tr_node *node, struct tr_worker *worker, uint64_t lost) {
    struct tr_groups *groups = groups_of(node);
    struct loss loss = { node, worker };
    pthread_rwlock_wrlock(&groups->lock);
    for (struct tr_group *group = tr_group_next(&groups->table, NULL), *next; group != NULL; group = next) {
        next = tr_group_next(&groups->table, group);
        tr_group_remove_node(&groups->table, group, lost, gone, &loss);
        tr_group_tidy(&groups->table, group);
    }
    pthread_rwlock_unlock(&groups->lock);
}

struct tr_membership *tr_groups_take(struct tr_groups *groups) {
    pthread_rwlock_wrlock(&groups->lock);
    struct tr_membership *changes = groups->first;
    groups->first = groups->last = NULL;
    groups->woken = false;
    pthread_rwlock_unlock(&groups->lock);
    return changes;
}

static void tell_roster(const struct tr_group *group, const struct tr_roster *roster, uint64_t but,
                        void (*tell)(void *context, const struct tr_group *group, troupe_address member),
                        void *context) {
    for (uint32_t i = 0; i < tr_roster_count(roster); i++)
        if (roster->items[i].node != but) tell(context, group, roster->items[i]);
}

void tr_groups_tell_all(struct tr_node *node, uint64_t but,
                        void (*tell)(void *context, const struct tr_group *group, troupe_address member),
                        void *context) {
    struct tr_groups *groups = groups_of(node);
    pthread_rwlock_wrlock(&groups->lock);
    groups->relays = true;
    for (struct tr_group *group = tr_group_next(&groups->table, NULL); group != NULL;
         group = tr_group_next(&groups->table, group)) {
        if (group->space == TR_GROUP) tell_roster(group, group->here, but, tell, context);
        else if (group->here != NULL) tell(context, group, tr_groups_address(node->id));
        tell_roster(group, group->there, but, tell, context);
    }
    pthread_rwlock_unlock(&groups->lock);
}
