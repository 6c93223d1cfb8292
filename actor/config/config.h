/*
 * The configuration: YAML, command line settings and actor types in; a checked tree, in which every
 * value knows its line and column, or a list of every mistake, out.
 *
 * Pure but for reading the named file. The result is one arena: tr_config_free releases it all.
 * docs/configuration.md is the reference of the keys; a test compares it with this room's tables.
 */
#ifndef TR_CONFIG_H
#define TR_CONFIG_H

#include <troupe/actor.h>

#include <stdio.h>

#include "base/rules.h"
#include "config/process.h"

/* Where a value was written. file is the name given, "--set 'KEY=VALUE'" or "--place '...'". */
struct tr_where {
    const char *file;
    uint32_t line, column; /* from 1; 0: the default */
};

enum tr_place { TR_PLACE_THREAD, TR_PLACE_PROCESS };
enum tr_lane { TR_LANE_DIRECT, TR_LANE_INPROC, TR_LANE_IPC, TR_LANE_TCP };
enum tr_start { TR_START_FORK, TR_START_SPAWN };

struct tr_placement {
    enum tr_place place;
    enum tr_lane lane;        /* thread: direct or inproc; process: ipc or tcp */
    enum tr_start start;      /* processes */
    const char *group;        /* "process: NAME", "thread: NAME" (inproc): shared by all actors with
                                 this name; NULL: its own */
    bool own_thread;          /* thread, direct: a thread of its own in the main node */
    const struct tr_process_options *options; /* of a process; NULL: none */
    struct tr_where where;    /* what decided; line 0: the default (thread, direct) */
    const char *rule;         /* the glob that decided, or "the tree", or "default" */
};

/* One node of the tree, after `count` is multiplied out: an actor or a supervisor. */
struct tr_child {
    const char *name;              /* "counter", of each of a `count`; "" for the root */
    const char *path;              /* "/counter/3", "/ingest/reader"; "/" for the root */
    struct tr_where where;
    bool is_supervisor;
    enum tr_restart restart;
    int64_t shutdown;              /* ns, TR_INFINITY, TR_KILL; default 5 s, supervisors infinity */
    int64_t ready;                 /* ns from its start until it must be ready; default TR_INFINITY */
    bool significant;              /* counts for its supervisor's auto_shutdown */
    const struct tr_child *above;  /* its supervisor; NULL: the root */
    struct tr_placement placement; /* thread, direct: where its supervisor is */

    /* actors */
    const struct troupe_actor_type *actor;       /* NULL: this program has none of that name; another one, which is
                                                    executed for it, is to have it */
    const char *actor_name;
    struct tr_where actor_where, args_where;     /* args_where.line 0: no args */
    const struct troupe_message_type *args_type; /* what starts it; troupe_none by default */
    const void *args;                            /* filled in; in the arena */
    uint32_t mailbox_limit;                      /* messages, default 1024 */
    bool drop_newest;                            /* overflow: drop_newest; default reject */
    bool keep_mailbox;                           /* when a sibling's death restarts it */
    bool at_least_once;                          /* delivery */
    uint32_t index, count;                       /* which of how many; 0 of 1 without `count`.
                                                    With `count`, be it 1, the path has the index */

    /* supervisors */
    enum tr_strategy strategy;
    enum tr_auto_shutdown auto_shutdown;
    uint32_t restarts;             /* default 1 ... */
    int64_t within;                /* ... in 5 s */
    uint32_t max_children;         /* at once; 0: no limit of its own */
    struct tr_backoff_rules backoff;
    struct tr_child *template;     /* dynamic: what each child is; NULL: whatever is asked for */
    struct tr_child **children;
    uint32_t child_count;
};

/* One of `data:`. */
struct tr_datum {
    const char *name, *text;
};

struct tr_config {
    const char *name;              /* of the application; default: the file's base name */
    uint32_t threads;              /* workers of the main node; 0: auto, one a core */
    uint32_t work_threads;         /* of troupe_work, in each node */
    int64_t spin;                  /* ns */
    const uint32_t *cores;         /* to pin the threads of the main node to, in turn */
    uint32_t core_count;           /* 0: they are not pinned */
    const struct tr_process_options *main; /* how the main process is made; NULL: as the keeper is */
    int64_t shutdown;              /* ns, one deadline for all, default 10 s */
    int64_t blocked;               /* ns in one handler before it is reported, default 100 ms; TR_INFINITY */
    enum tr_log_form log_form;
    enum troupe_level log_level;   /* from this one on */
    bool log_tails;                /* standard error of processes goes through the keeper */
    const struct tr_datum *data;
    uint32_t data_count;
    struct tr_child *root;         /* a supervisor; without children when there is no tree */
    const char *source;            /* the YAML text: a spawned process reads the very same */
    size_t source_size;
    void *arena;
};

struct tr_config_input {
    const char *file;                               /* in messages; read unless `text` is given */
    const char *text;                               /* NULL: `file`; both NULL: an empty one */
    size_t text_size;
    const struct troupe_actor_type *const *actors;  /* ends with NULL */
    const char *const *settings;                    /* "key=value", ends with NULL; may be NULL */
    const char *const *placements;                  /* "glob=place", ends with NULL; may be NULL */
    bool checked; /* found right once, by the keeper: what this process may use now makes no mistake of it */
};

/* Every mistake goes to `report`, one call and one line each, "FILE:LINE:COLUMN: error: what; did
 * you mean ...": sorted by place. Returns NULL if there was any. */
struct tr_config *tr_config_load(const struct tr_config_input *input,
                                 void (*report)(void *context, const char *line), void *context);
/* config may be NULL. */
void tr_config_free(struct tr_config *config);

/* The actor types themselves: names taken twice, entries for the same thing. One line for each
 * mistake, "actor 'NAME': error: ..."; false if there was any. tr_config_load begins with it. */
bool tr_actors_check(const struct troupe_actor_type *const *actors,
                     void (*report)(void *context, const char *line), void *context);

/* The supervisor with a place of its own in which this one is, because it has none; NULL: the main node, or its own. */
const struct tr_child *tr_config_host(const struct tr_child *child);

/* For `explain`: a table of path, actor, place, and why, one line for each actor and each supervisor with a place. */
void tr_config_explain(const struct tr_config *config, FILE *out);

/* Does the glob match the path? `*` within one part, `**` any number of parts. */
bool tr_glob_match(const char *glob, const char *path);

#endif
