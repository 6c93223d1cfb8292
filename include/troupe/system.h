/*
 * Running actors: troupe_main for programs that leave main to Troupe, and systems that a program
 * starts and stops itself.
 */
#ifndef TROUPE_SYSTEM_H
#define TROUPE_SYSTEM_H

#include <troupe/actor.h>
#include <troupe/buffer.h>
#include <troupe/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/* int main(int argc, char **argv) { return troupe_main(argc, argv, &counter_actor, &reader_actor, NULL); }
 *
 * The command line, and everything behind it: run, check, explain, --help, --version (docs/tutorial.md).
 * Takes the actor types of the program, up to 256, ended by NULL. Call it from main, before any thread exists: it
 * becomes the keeper, which forks every other process of the application.
 * Returns the exit code: 0 stopped in order (SIGTERM and SIGINT too), 1 the configuration or the command
 * line is wrong, 2 gave up restarting, 128 + n forced by signal n. In a process that it forked it does
 * not return at all. */
int troupe_main(int argc, char **argv, ...) __attribute__((sentinel));

/* The same with the actor types in an array that ends with NULL. */
int troupe_main_with(int argc, char **argv, const struct troupe_actor_type *const *actors);

/* ---- A system in a program that owns its main ---- */

typedef struct troupe_system troupe_system;

/* Zero is the default of everything but `actors`. Strings are copied. */
struct troupe_options {
    const struct troupe_actor_type *const *actors; /* ends with NULL */
    const char *config_file;       /* YAML; NULL: config_text */
    const char *config_text;       /* YAML, the tree included; NULL too: no tree, only what is spawned */
    const char *const *settings;   /* "key=value" as for --set, ends with NULL */
    const char *const *placements; /* "glob=place" as for --place, ends with NULL */
    uint32_t threads;              /* workers of the main node, up to 64; 0: as configured, else one a core */
    const char *trace_file;        /* as for --trace; NULL: none */
    troupe_log_line log;           /* takes the lines of the log; NULL: they go to standard error */
    void *log_context;
};

/* Starts the whole application with every node in this process: process places become nodes behind
 * inproc sockets. Returns once the tree is started.
 * On failure `*system` is NULL and `error` (always terminated; NULL: not wanted) holds every mistake found, a line each:
 * INVALID (configuration or actors), FAILED (the tree gave up while starting), SYSTEM, NO_MEMORY.
 * Any thread; several systems can live in one process. */
enum troupe_status troupe_system_start(const struct troupe_options *options, troupe_system **system,
                                       char *error, size_t error_size) TROUPE_MUST_USE;

/* Asks for the end, in order, as troupe_shutdown does from an actor. Returns at once. Any thread. */
void troupe_system_stop(troupe_system *system);

/* Waits until the application has ended: by troupe_system_stop, by troupe_shutdown, or because its tree
 * gave up. Returns the exit code of troupe_main; 137 when the configured deadline passed with actors
 * still running, whose paths are logged. Any thread but those of actors. */
int troupe_system_wait(troupe_system *system);

/* Stops if that was not done yet, waits, and releases everything. Returns what wait returns. The last
 * call: no other thread may be using the system. NULL, as after a start that failed, is 0. */
int troupe_system_free(troupe_system *system);

/* Sends from outside the actors, to any address. Copies; the codes of troupe_send. Any thread, until
 * troupe_system_free is called; FIFO for each thread. After FULL, try again later. */
#define troupe_system_send(system, to, tr_message, ...)                                            \
    troupe_system_send_message((system), (to), &tr_message##_message,                              \
                               &(const struct tr_message){ __VA_ARGS__ })
#define troupe_system_send_empty(system, to, tr_message)                                           \
    troupe_system_send_message((system), (to), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_system_send_message(troupe_system *system, troupe_address to,
                                              const struct troupe_message_type *type,
                                              const void *message);

/* As troupe_spawn and troupe_lookup, on the main node, from outside the actors. Any thread, with the
 * same end. */
#define troupe_system_spawn(system, address, tr_actor, tr_message, ...)                            \
    troupe_system_spawn_actor((system), (address), &tr_actor##_actor, NULL, &tr_message##_message, \
                              &(const struct tr_message){ __VA_ARGS__ })
#define troupe_system_spawn_empty(system, address, tr_actor)                                       \
    troupe_system_spawn_actor((system), (address), &tr_actor##_actor, NULL, &troupe_none_message,  \
                              &(const struct troupe_none){ 0 })
enum troupe_status troupe_system_spawn_actor(troupe_system *system, troupe_address *address,
                                             const struct troupe_actor_type *actor,
                                             const struct troupe_spawn_options *options,
                                             const struct troupe_message_type *type, const void *args);
troupe_address troupe_system_lookup(troupe_system *system, const char *name) TROUPE_MUST_USE;

/* As troupe_buffer and troupe_buffer_release, from outside the actors. Any thread; what such a thread
 * holds stays until troupe_system_free, even if the application has ended. */
void *troupe_system_buffer(troupe_system *system, size_t size) TROUPE_MUST_USE;
enum troupe_status troupe_system_buffer_release(troupe_system *system, const void *data);

/* The buffers of this process at this moment. Any thread, until troupe_system_free. */
void troupe_system_buffers(troupe_system *system, struct troupe_buffer_counts *counts);
/* As troupe_mailbox, for actors of the main node; STOPPING when that has ended. */
enum troupe_status troupe_system_mailbox(troupe_system *system, troupe_address address,
                                         struct troupe_mailbox_info *info);

enum { TROUPE_REASONS = 64 }; /* room for codes to come */

/* What contract 3 counts: messages, requests and replies; not ticks and notices. When a system is at
 * rest, sent = handled + dead_letters + in_doubt, and dead_letters is the sum of dead_by_reason. */
struct troupe_counts {
    uint64_t sent;         /* messages taken by a send */
    uint64_t handled;      /* handlers that returned OK */
    uint64_t dead_letters; /* all reasons together */
    uint64_t in_doubt;     /* being handled when their process died */
    uint64_t refused;      /* sends that returned an error: never taken */
    uint64_t dead_by_reason[TROUPE_REASONS]; /* by enum troupe_status */
    uint64_t blocked;      /* handlers that were reported for holding up their worker (`blocked:`) */
};
void troupe_system_counts(troupe_system *system, struct troupe_counts *counts);

#ifdef __cplusplus
}
#endif
#endif
