/*
 * The keeper as a process: forks the nodes, and drives keeper.h with what happens to them.
 *
 * Call tr_keeper_run from a process with one thread: it makes this process the reaper of everything
 * below it, and returns when all of that is gone.
 */
#ifndef TR_KEEPER_PROCESS_H
#define TR_KEEPER_PROCESS_H

#include "place/keeper.h"
#include "place/process.h"
#include "place/scribe.h"

/* Zero is the default where it makes sense; strings and arrays need to live until tr_keeper_run
 * returns. */
struct tr_keeper_options {
    struct tr_keeper_rules rules;
    const char *name; /* of the application, for the titles of processes; NULL: "troupe" */
    const struct tr_process_options *const *processes; /* how that of each node is made, in the order of `rules`; each
                                                          may be NULL, and all: as the keeper is */
    const uint32_t *workers; /* of the pool of each node, in the order of `rules`, for those that are watched; NULL: 1 */
    size_t flight_size; /* bytes of a node's flight page: one memfd for each node, zeroed before
                           each incarnation. Not 0 */
    size_t ledger_size; /* bytes of a ledger: one memfd for each pair of incarnations. Not 0 */
    const void *config; /* for nodes that are spawned: what the config memfd holds. May be NULL */
    size_t config_size;
    char *const *argv;   /* for nodes that are spawned: this program's arguments, ends with NULL */
    const char *program; /* what to execute for them; NULL: /proc/self/exe */

    /* Runs a forked node; its result is the exit code. Called in the child, which is set up as
     * process.h says. Returns as an orderly end: stdio is flushed, _exit follows. */
    int (*run_node)(void *context, const struct tr_node_start *start);
    /* Says what a dead node was handling, from its flight page (of flight_size bytes, written by
     * that process: believe nothing in it). `text` is empty. May be NULL. */
    void (*describe)(void *context, uint64_t node, const void *page, char *text, size_t size);
    /* An incarnation is over for good; its page is about to be zeroed for the next one. Called once for
     * each, at the latest before tr_keeper_run returns. May be NULL. */
    void (*ended)(void *context, uint64_t node, void *page, bool in_order);
    /* Writes what nodes log; opened by the caller, and closed by it after tr_keeper_run has returned. NULL:
     * each node writes to standard error. */
    struct tr_scribe *scribe;
    bool tails; /* with a scribe: it also writes what nodes write to standard error, and the last lines of those
                   that die are reported */
    /* One line for people. NULL: standard error. */
    void (*log)(void *context, const char *line);
    void *context;
};

/* Returns the exit code of the application (see troupe_main). SIGCHLD, SIGINT and SIGTERM, and what
 * actors may ask for, are blocked and handled here while it runs, and put back at the end. In a child it does not return.
 * When the keeper itself cannot work (no descriptors, no memory) it says so on the log, kills what
 * runs, and returns 2. */
int tr_keeper_run(const struct tr_keeper_options *options);

#endif
