/*
 * The names of the application: one table in memory that all its processes share, so that registering and
 * looking up are exact and cost no message. Any process may be killed or stopped at any moment without anybody
 * having to wait for it, and may write what it likes into the table without anybody crashing: the essay is in
 * name_table.c.
 *
 * In front of the table stands, for each node, the incarnation of it that lives. The keeper alone writes that,
 * and a name whose incarnation does not live is none: so all names of a dead process are free with one store.
 */
#ifndef TR_NAME_TABLE_H
#define TR_NAME_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <troupe/actor.h>

enum {
    TR_NAME_MAX = 64,     /* bytes of a name */
    TR_NAMES_MAX = 65536, /* names of the application, nearly: those that died a moment ago count too */
    TR_NAMES_ALIKE = 64   /* names that may have the same hash, modulo the above */
};

/* Whose name it is: an actor, in one incarnation of its node. */
struct tr_name_owner {
    troupe_address address;
    uint64_t incarnation; /* less than 2^32, as the node's number */
};

struct tr_name_page;

/* The table as one process sees it. */
struct tr_names {
    const _Atomic uint64_t *alive; /* by node: the incarnation that lives; 0: none */
    struct tr_name_page *page;
    uint64_t nodes;                /* the highest number of one */
    uint64_t process;              /* this one: its own node << 32 | incarnation */
    pthread_mutex_t lock;          /* for all to the end: threads of this process that change something */
    uint32_t cursor;               /* where to look for an unused record */
};

/* Bytes of the table for nodes 1 to `nodes`; all zero it is empty. Those of its beginning that the keeper alone
 * writes: whole pages. */
size_t tr_names_size(uint64_t nodes);
size_t tr_names_keepers_size(uint64_t nodes);

/* The keeper, or whoever stands for it: this incarnation of the node lives from now on; 0: none does. */
void tr_names_set_alive(void *memory, uint64_t node, uint64_t incarnation);

/* `memory` must stay until it is closed. `node`, `incarnation`: of the process. */
void tr_names_open(struct tr_names *names, void *memory, uint64_t nodes, uint64_t node, uint64_t incarnation);
void tr_names_close(struct tr_names *names);

/* What follows: any thread, any process. Names have 1 to TR_NAME_MAX bytes. */

/* OK, also if it is this owner's already; EXISTS; LIMIT; UNREACHABLE (somebody writes over the table). A name
 * that is `reserved` is taken, but not found until it is published. */
enum troupe_status tr_names_add(struct tr_names *names, const char *name, const struct tr_name_owner *owner,
                                bool reserved);
/* Nothing, if it is not this owner's (any more). */
void tr_names_publish(struct tr_names *names, const char *name, const struct tr_name_owner *owner);
void tr_names_remove(struct tr_names *names, const char *name, const struct tr_name_owner *owner);
/* No address: there is none. */
troupe_address tr_names_find(const struct tr_names *names, const char *name);

/* ---- For tests ---- */

/* Records in use, whether or not their names are found. */
uint32_t tr_names_used(const struct tr_names *names);

#endif
