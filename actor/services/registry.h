/* Names of a node: which actor has which. One name for a cell at most. */
#ifndef TR_REGISTRY_H
#define TR_REGISTRY_H

#include <pthread.h>
#include <troupe/actor.h>

struct tr_node;
struct tr_worker;
struct tr_cell;

enum { TR_NAME_BUCKETS = 1024, TR_NAME_MAX = 64 };

struct tr_name {
    struct tr_name *next;
    troupe_address address;
    char text[];
};

struct tr_registry {
    pthread_mutex_t lock;
    struct tr_name *buckets[TR_NAME_BUCKETS];
};

void tr_registry_init(struct tr_registry *registry);
void tr_registry_free(struct tr_registry *registry);

/* May an actor be called so? */
bool tr_name_is_valid(const char *name);

/* EXISTS, INVALID (no valid name), NO_MEMORY. Any thread, all of these. */
enum troupe_status tr_registry_add(struct tr_registry *registry, const char *name,
                                   troupe_address address);
/* No address: there is no such name. */
troupe_address tr_registry_find(struct tr_registry *registry, const char *name);
void tr_registry_remove(struct tr_registry *registry, const char *name);

/* Under the registry's lock, for an actor that is being made: a name that the caller gives its address
 * before it unlocks, or drops again. */
enum troupe_status tr_name_take(struct tr_registry *registry, const char *text, struct tr_name **name);
void tr_name_drop(struct tr_registry *registry, const char *text);

/* troupe_spawn, from a worker or (NULL) from outside. */
enum troupe_status tr_spawn_named(struct tr_node *node, struct tr_worker *worker,
                                  troupe_address *address, const struct troupe_actor_type *actor,
                                  const struct troupe_spawn_options *options,
                                  const struct troupe_message_type *type, const void *args);

/* A cell ends: its name is free. By the worker that runs it. */
void tr_name_release(struct tr_node *node, struct tr_cell *cell);

/* troupe_lookup, likewise. */
troupe_address tr_lookup(struct tr_node *node, const char *name);

#endif
