/* What the services keep for a node, and what they need from the rooms above: node->options.services. */
#ifndef TR_SERVICES_H
#define TR_SERVICES_H

#include "core/node.h"
#include "services/groups.h"
#include "services/name_table.h"
#include "services/signals.h"
#include "services/supervision.h"
#include "services/tie.h"
#include "services/waits.h"
#include "services/work.h"

/* A child as its supervisor knows it. */
struct tr_child_spec {
    uint64_t node;         /* where it runs ... */
    uint32_t slot;         /* ... and its cell there, if it is configured */
    bool is_supervisor;
    const char *actor;     /* class name */
    const char *name;      /* in the supervisor; the end of ... */
    const char *path;
    const uint8_t *args;   /* its start message, packed */
    uint32_t args_size;
    uint32_t mailbox_limit;
    bool drop_newest, keep_mailbox, at_least_once;
    struct tr_child_rules rules;
};

/* A configured supervisor. It, and what it points to, lives as long as the node. */
struct tr_supervisor_spec {
    struct tr_supervision_rules rules;
    uint32_t child_count;
    const struct tr_child_spec *children;
    const struct tr_child_spec *child; /* TR_DYNAMIC: what each that is added is; NULL: whatever is asked for */
};

struct tr_services {
    struct tr_names *names;            /* the application's, as this process sees them */
    struct tr_groups groups;
    struct tr_signals signals;
    struct tr_work_pool work;
    struct tr_waits waits;             /* at shared memory */
    struct tr_far far;                 /* bonds with actors of other nodes */
    const char *name;                  /* of the node, for people */
    int64_t began;                     /* the node: by its clock */
    _Atomic uint64_t supervisor_runs; /* begun on this node */
    /* A supervisor wants this node to run; it has given up this child of it. Any worker. */
    void (*need_node)(struct tr_node *node, uint64_t id, uint32_t slot);
    void (*leave_node)(struct tr_node *node, uint64_t id, uint32_t slot);
    /* An actor there does not stop: its process goes, if that is not this one. Any worker. */
    void (*kill_node)(struct tr_node *node, uint64_t id);
    /* Kills the configured actors here whose supervisors are on that node. Any worker. */
    void (*end_orphans)(struct tr_node *node, uint64_t id);
    /* An actor has asked for a signal, or gives it up. Any worker. */
    void (*want_signal)(struct tr_node *node, int signal, bool wanted);
    /* The application's: shutdown, and the configured actors by path. */
    void (*shutdown)(struct tr_node *node);
    troupe_address (*find)(struct tr_node *node, const char *path); /* supervisors, too */
    /* The configured supervisor in this cell of the node; NULL: none is. */
    const struct tr_supervisor_spec *(*supervisor_at)(struct tr_node *node, uint32_t slot);
    /* That of the configured actor in this cell; none: nothing is. */
    troupe_address (*supervisor_of)(struct tr_node *node, uint32_t slot);
    uint32_t (*count)(struct tr_node *node, const char *path);
    const char *(*data)(struct tr_node *node, const char *name); /* NULL: there is none */
};

static inline struct tr_services *tr_services_of(struct tr_node *node) { return node->options.services; }

/* Troupe's own actors, besides the supervisor (include/troupe/supervisor.h). */
TROUPE_ACTOR_DECLARE(tr_agent)
TROUPE_ACTOR_DECLARE(tr_observer)
TROUPE_ACTOR_DECLARE(tr_surveyor)
TROUPE_ACTOR_DECLARE(tr_groups_agent)

/* Those that every node has, each in a cell that all know. */
struct tr_service_actor {
    uint32_t slot;
    const struct troupe_actor_type *type;
    const char *path;
};
enum { TR_SERVICE_ACTORS = 3 };
extern const struct tr_service_actor tr_service_actors[TR_SERVICE_ACTORS];

/* What core asks of the services. `path_of` is the application's and stays to be filled in. */
extern const struct tr_hooks tr_services_hooks;

#endif
