/* Names of actors, and actors started from code, for the rooms above. */
#ifndef TR_NAMES_H
#define TR_NAMES_H

#include <troupe/actor.h>

struct tr_node;
struct tr_worker;
struct tr_cell;

/* May an actor be called so? */
bool tr_name_is_valid(const char *name);
/* For the log: what is wrong with a name that is not valid. */
extern const char tr_name_rule[];

/* troupe_lookup, likewise. Any thread. */
troupe_address tr_lookup(struct tr_node *node, const char *name);

/* An actor is about to begin in this cell: it is to have the name, which nobody finds before it is published.
 * Codes of troupe_spawn. Any thread, as the other two. */
enum troupe_status tr_name_reserve(struct tr_node *node, const char *name, troupe_address address);
void tr_name_publish(struct tr_node *node, const char *name, troupe_address address);
void tr_name_give_up(struct tr_node *node, const char *name, troupe_address address);

/* A cell ends: its name is free. By the worker that runs it. */
void tr_name_release(struct tr_node *node, struct tr_cell *cell);

/* troupe_spawn, from a worker or (NULL) from outside. */
enum troupe_status tr_spawn_named(struct tr_node *node, struct tr_worker *worker,
                                  troupe_address *address, const struct troupe_actor_type *actor,
                                  const struct troupe_spawn_options *options,
                                  const struct troupe_message_type *type, const void *args);

#endif
