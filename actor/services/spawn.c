/* Actors started from code: the part of include/troupe/actor.h about that. */
#include <stdio.h>

#include "core/log.h"
#include "core/run.h"
#include "core/send.h"
#include "services/names.h"
#include "services/services.h"
#include "services/tie.h"

static enum troupe_status prepare(struct tr_node *node, struct tr_worker *worker,
                                  const struct troupe_actor_type *actor, const struct troupe_message_type *type,
                                  const void *args, struct tr_run_spec *start) {
    struct tr_codec_error error;
    enum troupe_status status = TROUPE_INVALID;
    start->class = tr_class_of(node->options.classes, actor);
    if (start->name != NULL && !tr_name_is_valid(start->name))
        tr_log(node, TROUPE_ERROR, NULL, "not spawned: %s: %s", actor->name, tr_name_rule);
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

/* The name is taken while the address is known and nobody runs there; it is found once whatever is sent there
 * waits for the actor. If that ends before, it has given its name up, and nothing is published. */
static enum troupe_status spawn_with_name(struct tr_node *node, struct tr_worker *worker,
                                          struct tr_run_spec *start, troupe_address *address) {
    char path[TR_NAME_MAX + 2];
    snprintf(path, sizeof path, "/%s", start->name);
    start->path = path;
    enum troupe_status status = tr_spawn(node, worker, start, address);
    if (status == TROUPE_OK) tr_name_publish(node, start->name, *address);
    return status;
}

static struct tr_run_spec spec_of(const struct troupe_spawn_options *options) {
    if (options == NULL) return (struct tr_run_spec){ 0 };
    return (struct tr_run_spec){ .name = options->name, .mailbox_limit = options->mailbox_limit,
                                 .drop_newest = options->drop_newest, .own_thread = options->own_thread };
}

static enum troupe_status spawn(struct tr_node *node, struct tr_worker *worker, troupe_address *address,
                                const struct troupe_actor_type *actor, const struct troupe_message_type *type,
                                const void *args, struct tr_run_spec *start) {
    enum troupe_status status = prepare(node, worker, actor, type, args, start);
    if (status != TROUPE_OK) return status;
    status = start->name == NULL ? tr_spawn(node, worker, start, address)
                                 : spawn_with_name(node, worker, start, address);
    if (status != TROUPE_OK) tr_message_free(start->args);
    return status;
}

enum troupe_status tr_spawn_named(struct tr_node *node, struct tr_worker *worker,
                                  troupe_address *address, const struct troupe_actor_type *actor,
                                  const struct troupe_spawn_options *options,
                                  const struct troupe_message_type *type, const void *args) {
    struct tr_run_spec start = spec_of(options);
    return spawn(node, worker, address, actor, type, args, &start);
}

/* With bonds that the new actor knows of before it begins. */
static enum troupe_status spawn_bound(troupe_self *self, troupe_address *address,
                                      const struct troupe_actor_type *actor,
                                      const struct troupe_spawn_options *options,
                                      const struct troupe_message_type *type, const void *args) {
    struct tr_new_bonds bonds;
    struct tr_run_spec start = spec_of(options);
    enum troupe_status status = tr_new_bonds_make(self, options, &bonds);
    if (status != TROUPE_OK) return status;
    start.words = bonds.words;
    status = spawn(self->worker->node, self->worker, address, actor, type, args, &start);
    if (status == TROUPE_OK) tr_new_bonds_keep(self, options, &bonds, *address);
    else tr_new_bonds_drop(self, &bonds);
    return status;
}

enum troupe_status troupe_spawn_actor(troupe_self *self, troupe_address *address,
                                      const struct troupe_actor_type *actor,
                                      const struct troupe_spawn_options *options,
                                      const struct troupe_message_type *type, const void *args) {
    troupe_address unused;
    if (self->cell->ended) return TROUPE_STOPPING;
    if (address == NULL) address = &unused;
    if (options != NULL && (options->link || options->monitor != NULL))
        return spawn_bound(self, address, actor, options, type, args);
    return tr_spawn_named(self->worker->node, self->worker, address, actor, options, type, args);
}
