/*
 * The keeper, process 0: which nodes run, who dies with whom, which lanes are made, and when the
 * application ends. Pure: events in, actions out through a table of callbacks; no clock, no I/O.
 * keeper_process.c drives it with real processes, the in-process host with threads, the simulation
 * with nothing at all. One thread.
 *
 * The rules of a node's life are in the essay of keeper.c; what the messages mean, in control.h.
 */
#ifndef TR_KEEPER_H
#define TR_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "place/control.h"

enum tr_node_kind {
    TR_NODE_MAIN,   /* the tree's root lives here; exactly one */
    TR_NODE_INPROC, /* a thread in the process of its host */
    TR_NODE_PROCESS /* a process of its own */
};

struct tr_node_spec {
    uint64_t id; /* not 0: that is the keeper */
    enum tr_node_kind kind;
    uint64_t host;       /* inproc: the node (main or a process) whose process runs it */
    enum tr_lane lane;   /* lanes to it from other processes: ipc or tcp (one tcp end makes it tcp);
                            within one process a lane is always inproc */
    enum tr_start start; /* main and processes */
    const char *path;    /* for people: "/counter/3", "main" */
};

/* A node's life. Allowed moves: the table in keeper_life.c. */
enum tr_node_state {
    TR_NODE_IDLE,     /* nobody has started it yet: who connects waits */
    TR_NODE_STARTING, /* it has a process, but is not ready */
    TR_NODE_RUNNING,
    TR_NODE_STOPPING, /* asked to stop */
    TR_NODE_DEAD,     /* died; its supervisor decides: who connects waits */
    TR_NODE_GONE,     /* stopped: who connects is told so */
    TR_NODE_STATES
};

/* How long a process may take to answer `listen`. */
#define TR_KEEPER_LANE_PATIENCE (INT64_C(5) * 1000 * 1000 * 1000)

/* The same signal again within this time is no second one. */
#define TR_KEEPER_ECHO (INT64_C(100) * 1000 * 1000)

/* How long a process that is executed anew may take to be ready: it may be a program that never will be. */
#define TR_KEEPER_SPAWN_PATIENCE (INT64_C(30) * 1000 * 1000 * 1000)

/* How long a process that was told to abort may take to die of it. */
#define TR_KEEPER_ABORT_PATIENCE (INT64_C(2) * 1000 * 1000 * 1000)

struct tr_keeper_rules {
    const struct tr_node_spec *nodes; /* copied; the paths too */
    size_t node_count;
    int64_t shutdown;  /* ns that an orderly stop may take; TR_INFINITY */
    uint32_t restarts; /* of main: at most so many ... */
    int64_t within;    /* ... in so many ns */
};

/* Actions. Called from within the event functions; none may call back into the keeper. A "process"
 * is named by its own node: main or a process node. */
struct tr_keeper_io {
    /* Make the process of this node. Later comes tr_keeper_exited, or tr_keeper_failed. */
    void (*fork_node)(void *context, uint64_t node, uint64_t incarnation);
    /* Kill the process with SIGKILL, and what it left behind; tr_keeper_exited follows. A host that
     * cannot kill reports it as exited, once it has done what it can. */
    void (*kill_node)(void *context, uint64_t node);
    /* Have the process say where it is, and die of that: SIGABRT, also if it is stopped; tr_keeper_exited follows, or the
     * patience ends (TR_KEEPER_ABORT_PATIENCE). Only after tr_keeper_stuck. */
    void (*abort_node)(void *context, uint64_t node);
    /* This incarnation of the node lives from now on, before it begins; 0: none does, before anybody is told. */
    void (*lives)(void *context, uint64_t node, uint64_t incarnation);
    /* Pass the message on to the process. Valid during the call. For start_node, listen and dial
     * the driver adds the descriptor: the node's flight page, or the ledger of that number, which
     * it makes when it first sees the number. */
    void (*send)(void *context, uint64_t process, const struct tr_control *message);
    /* Nobody is sent this ledger again. Only for numbers that were sent. */
    void (*forget_ledger)(void *context, uint64_t ledger);
    /* What the node was handling last ("count in /counter/0"): written to `text`, which is empty.
     * Called when an incarnation ends, or is about to be ended, other than in order. */
    void (*describe)(void *context, uint64_t node, char *text, size_t size);
    /* Unpredictable bytes. */
    void (*random)(void *context, void *bytes, size_t size);
    /* Call tr_keeper_tick at this time; INT64_MAX: no need. Replaces the one before. */
    void (*timer)(void *context, int64_t at);
    /* One line for people, without an end of line. */
    void (*log)(void *context, const char *line);
    /* Send this to the program of that number, and to all in its group. */
    void (*signal_command)(void *context, uint64_t number, int signal);
    /* It is nobody's from now on, neither ended nor waited for: it is detached, or cannot be killed. */
    void (*release_command)(void *context, uint64_t number);
    /* All processes are gone. The last action. */
    void (*exit)(void *context, int code);
};

struct tr_keeper;

/* NULL: no memory. Mistakes in the table of nodes are asserted. `io` must live as long. */
struct tr_keeper *tr_keeper_new(const struct tr_keeper_rules *rules, const struct tr_keeper_io *io,
                                void *context);
void tr_keeper_free(struct tr_keeper *keeper);

/* Events. Times are ns of one clock that does not go back. */
void tr_keeper_begin(struct tr_keeper *keeper, int64_t now); /* starts main */
/* A process has sent this. What it may not say, or of nodes that are not its own, breaks it. */
void tr_keeper_message(struct tr_keeper *keeper, uint64_t process, const struct tr_control *message,
                       int64_t now);
/* The process is gone, with this status of waitpid. */
void tr_keeper_exited(struct tr_keeper *keeper, uint64_t process, int status, int64_t now);
/* The process that fork_node asked for could not be made. */
void tr_keeper_failed(struct tr_keeper *keeper, uint64_t process, const char *why, int64_t now);
/* The process talks nonsense, does not read, or closed its control socket: it is killed for
 * that. */
void tr_keeper_broken(struct tr_keeper *keeper, uint64_t process, const char *why, int64_t now);
/* The process makes no progress, says the watchdog: it is to abort, and is killed if it does not. `cause`: STUCK or
 * FROZEN. Saying it again changes nothing. */
void tr_keeper_stuck(struct tr_keeper *keeper, uint64_t process, enum tr_cause cause, const char *why, int64_t now);
/* The process has more memory than it may have: it is killed. Also of one that ended by itself, before tr_keeper_exited. */
void tr_keeper_exceeded(struct tr_keeper *keeper, uint64_t process, const char *why);
/* SIGINT or SIGTERM. The first one stops in order, the second one kills. */
void tr_keeper_signal(struct tr_keeper *keeper, int signal, int64_t now);
void tr_keeper_tick(struct tr_keeper *keeper, int64_t now);
/* The end has begun. */
bool tr_keeper_is_stopping(const struct tr_keeper *keeper);

/* ---- External programs: keeper_commands.c ---- */

enum { TR_KEEPER_COMMANDS = 4096 }; /* of an application, at once */

/* How long one may take to end after SIGKILL. */
#define TR_KEEPER_KILL_PATIENCE (INT64_C(5) * 1000 * 1000 * 1000)

struct tr_command_rules {
    bool detached;
    int signal;    /* that ends it */
    int64_t grace; /* ns from then to SIGKILL */
};

/* Somebody wants a program to run, under a number that none has. NULL: start it, and say tr_keeper_command_exited
 * when it is over, or cannot start. Else why not. */
const char *tr_keeper_command(struct tr_keeper *keeper, uint64_t number, const struct tr_command_rules *rules);
/* Its owner wants it to end, or is gone. */
void tr_keeper_command_end(struct tr_keeper *keeper, uint64_t number, bool gone, int64_t now);
void tr_keeper_command_exited(struct tr_keeper *keeper, uint64_t number);
/* How many there are, detached ones that were let go not among them. */
size_t tr_keeper_commands(const struct tr_keeper *keeper);

/* ---- For drivers and tests ---- */

enum tr_node_state tr_keeper_state(const struct tr_keeper *keeper, uint64_t node);
uint64_t tr_keeper_incarnation(const struct tr_keeper *keeper,
                               uint64_t node); /* the last one; 0: none */
/* Pairs of nodes for which something is kept: a lane that is being made, or a ledger. */
size_t tr_keeper_pairs(const struct tr_keeper *keeper);
const char *tr_node_state_name(enum tr_node_state state);

/* "killed by signal 11 (SIGSEGV)", "exited with code 3". */
void tr_status_text(int status, char *text, size_t size);

#endif
