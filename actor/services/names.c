/* Names, and actors started from code: the part of include/troupe/actor.h about them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/run.h"
#include "core/send.h"
#include "services/services.h"

/* ---- Names ---- */

/* The tree's names are the tree's on every node: nobody may stand in for a configured actor. */
static enum troupe_status claim(struct tr_node *node, const char *name, troupe_address address) {
    struct tr_services *services = tr_services_of(node);
    troupe_address owner = services->find(node, name);
    if (!troupe_address_is_none(owner) && !troupe_address_equal(owner, address)) return TROUPE_EXISTS;
    return tr_registry_add(&services->registry, name, address);
}

static const char no_name[] = "a name has 1 to 64 bytes of UTF-8, and no slash or control character";

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not registered: %s", why);
    return TROUPE_INVALID;
}

enum troupe_status troupe_register(troupe_self *self, const char *name) {
    struct tr_cell_more *more = tr_cell_more(self->cell);
    if (more == NULL) return TROUPE_NO_MEMORY;
    if (!tr_name_is_valid(name)) return refuse(self, no_name);
    if (more->name != NULL && strcmp(more->name, name) != 0)
        return refuse(self, "the actor has another name, to be given up by troupe_unregister first");
    struct tr_registry *registry = &tr_services_of(self->worker->node)->registry;
    enum troupe_status status = claim(self->worker->node, name, troupe_self_address(self));
    if (status != TROUPE_OK || more->name != NULL) return status;
    more->name = strdup(name);
    if (more->name != NULL) return TROUPE_OK;
    tr_registry_remove(registry, name);
    return TROUPE_NO_MEMORY;
}

void tr_name_release(struct tr_node *node, struct tr_cell *cell) {
    if (cell->more == NULL || cell->more->name == NULL) return;
    tr_registry_remove(&tr_services_of(node)->registry, cell->more->name);
    free(cell->more->name);
    cell->more->name = NULL;
}

enum troupe_status troupe_unregister(troupe_self *self, const char *name) {
    const struct tr_cell_more *more = self->cell->more;
    if (more == NULL || more->name == NULL || name == NULL || strcmp(more->name, name) != 0)
        return TROUPE_NOT_FOUND;
    tr_name_release(self->worker->node, self->cell);
    return TROUPE_OK;
}

troupe_address tr_lookup(struct tr_node *node, const char *name) {
    struct tr_services *services = tr_services_of(node);
    if (name == NULL) return (troupe_address){ 0 };
    troupe_address address = tr_registry_find(&services->registry, name);
    return troupe_address_is_none(address) ? services->find(node, name) : address;
}

troupe_address troupe_lookup(troupe_self *self, const char *name) {
    return tr_lookup(self->worker->node, name);
}

uint32_t troupe_count(troupe_self *self, const char *path) {
    struct tr_node *node = self->worker->node;
    return path == NULL ? 0 : tr_services_of(node)->count(node, path);
}

void troupe_shutdown(troupe_self *self) {
    struct tr_node *node = self->worker->node;
    tr_services_of(node)->shutdown(node);
}

/* ---- Spawning ---- */

static enum troupe_status prepare(struct tr_node *node, struct tr_worker *worker,
                                  const struct troupe_actor_type *actor, const struct troupe_message_type *type,
                                  const void *args, struct tr_run_spec *start) {
    struct tr_codec_error error;
    enum troupe_status status = TROUPE_INVALID;
    start->class = tr_class_of(node->options.classes, actor);
    if (start->name != NULL && !tr_name_is_valid(start->name))
        tr_log(node, TROUPE_ERROR, NULL, "not spawned: %s: %s", actor->name, no_name);
    else if (start->class == NULL)
        tr_log(node, TROUPE_ERROR, NULL, "not spawned: actor type %s was not given to troupe_main",
               actor->name);
    else if (start->class->start_type != type)
        tr_log(node, TROUPE_ERROR, NULL, "not spawned: %s starts with %s, not with %s", actor->name,
               start->class->start_type->name, type->name);
    else {
        start->args = tr_message_new(tr_memory_of(node, worker), type, args, &status, &error);
        if (status != TROUPE_OK && status != TROUPE_NO_MEMORY)
            tr_log(node, TROUPE_ERROR, NULL, "not spawned: %s: %s", type->name, error.text);
    }
    return status;
}

/* Under the lock of the names: nobody else takes the name before the actor has it, and if the actor ends
 * at once, its name is released after it was given. */
static enum troupe_status spawn_with_name(struct tr_node *node, struct tr_worker *worker,
                                          struct tr_run_spec *start, troupe_address *address) {
    char path[TR_NAME_MAX + 2];
    struct tr_registry *registry = &tr_services_of(node)->registry;
    struct tr_name *name = NULL;
    if (!troupe_address_is_none(tr_services_of(node)->find(node, start->name))) return TROUPE_EXISTS;
    pthread_mutex_lock(&registry->lock);
    enum troupe_status status = tr_name_take(registry, start->name, &name);
    if (status == TROUPE_OK) {
        snprintf(path, sizeof path, "/%s", start->name);
        start->path = path;
        status = tr_spawn(node, worker, start, address);
        if (status == TROUPE_OK) name->address = *address;
        else tr_name_drop(registry, start->name);
    }
    pthread_mutex_unlock(&registry->lock);
    return status;
}

enum troupe_status tr_spawn_named(struct tr_node *node, struct tr_worker *worker,
                                  troupe_address *address, const struct troupe_actor_type *actor,
                                  const struct troupe_spawn_options *options,
                                  const struct troupe_message_type *type, const void *args) {
    struct tr_run_spec start = { 0 };
    if (options != NULL) {
        start.name = options->name;
        start.mailbox_limit = options->mailbox_limit;
        start.drop_newest = options->drop_newest;
        start.own_thread = options->own_thread;
    }
    enum troupe_status status = prepare(node, worker, actor, type, args, &start);
    if (status != TROUPE_OK) return status;
    status = start.name == NULL ? tr_spawn(node, worker, &start, address)
                                : spawn_with_name(node, worker, &start, address);
    if (status != TROUPE_OK) tr_message_free(start.args);
    return status;
}

enum troupe_status troupe_spawn_actor(troupe_self *self, troupe_address *address,
                                      const struct troupe_actor_type *actor,
                                      const struct troupe_spawn_options *options,
                                      const struct troupe_message_type *type, const void *args) {
    troupe_address unused;
    if (self->cell->ended) return TROUPE_STOPPING;
    return tr_spawn_named(self->worker->node, self->worker, address == NULL ? &unused : address,
                          actor, options, type, args);
}

