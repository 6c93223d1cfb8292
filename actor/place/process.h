/*
 * How the process of a node begins: in a forked child between fork and its own code, and again
 * after an exec in a spawned one.
 */
#ifndef TR_PROCESS_H
#define TR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/process.h"

/* What a node's process is given. The descriptors are its own, close-on-exec. */
struct tr_node_start {
    uint64_t node, incarnation;
    int control; /* to the keeper: control.h */
    int flight;  /* memfd, sealed in size: its flight page */
    int names;   /* memfd, sealed in size: services/name_table.h */
    int log;     /* pipe to the keeper's scribe: log_pipe.h; -1: what it logs goes to standard error */
    bool json;   /* the form of what goes there */
    int config;  /* spawned: memfd, the configuration as the keeper read it; else -1 */
    void *page;  /* the flight page, mapped shared */
    size_t page_size;
};

/* The environment variable of a spawned node:
 * "id:incarnation:controlfd:flightfd:namesfd:configfd:logfd:json". */
#define TR_NODE_VARIABLE "TROUPE_NODE"

/* In a spawned process: was it spawned as a node? 1: yes, `*start` is filled in, the variable is
 * removed; 0: no, there is no such variable; -1: the variable is nonsense, or what it names is not
 * there: `error` (terminated) says what. */
int tr_node_start_read(struct tr_node_start *start, char *error, size_t error_size);

/* Unmaps the page and closes the descriptors. */
void tr_node_start_release(struct tr_node_start *start);

/* ---- For the keeper ---- */

struct tr_process_setup {
    const char *application, *path; /* its title (title.h): of the application, and of the node */
    pid_t keeper;                /* the parent that it must still have */
    bool main;                   /* keeps standard input, and the terminal if that is one */
    int output, errors;          /* become its standard output and error; -1: that stays what it is */
    const struct tr_process_options *options; /* NULL: none */
    struct tr_node_start *start; /* with the descriptors as the keeper has them; they are moved */
};

/* In the child, straight after fork: dies with the keeper, has its own process group, no signal
 * blocked or handled, SIGINT and SIGTERM ignored (the keeper alone answers the terminal), no
 * descriptor but standard input, output, error and its own. Maps the page. Then what its options say. _exits with
 * TR_PROCESS_SETUP_FAILED when something fails; what, the keeper is told, or, where it cannot be, standard error. */
void tr_process_setup(const struct tr_process_setup *setup);

/* Tells the keeper that this process could not be set up, and why, and _exits; when the keeper cannot be told, people
 * are, on standard error. */
void tr_process_fail(int control, const char *why, int code) __attribute__((noreturn));

/* Executes `program` with `argv` and the variable. Does not return: where it cannot, it fails as above. */
void tr_process_spawn(const struct tr_node_start *start, const char *program, char *const *argv)
    __attribute__((noreturn));

/* Does a process with this setup leave the keeper's process group? Not main at a terminal: it could
 * not read from it in another one. */
bool tr_process_own_group(bool main);

enum { TR_PROCESS_SETUP_FAILED = 125, TR_PROCESS_EXEC_FAILED = 127 };

/* A memfd of this size, zeroed, which nobody can shrink or grow; close-on-exec. -1 with errno. */
int tr_memfd_new(const char *name, size_t size);
/* The same with these contents, which nobody can change. */
int tr_memfd_copy(const char *name, const void *data, size_t size);

#endif
