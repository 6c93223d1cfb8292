/*
 * External programs as actors: an actor starts one, gives its output on as messages, takes its input as messages, and
 * tells how it ended. The meanings are those of Node's child_process (docs/node/child_process.md goes through them side
 * by side); what is different is said here.
 *
 *     TROUPE_START(watcher, troupe_none) {
 *         static const char *const arguments[] = { "-f", "/var/log/syslog" };
 *         return troupe_spawn(self, &me->tail, troupe_command, troupe_program, .program = "tail",
 *                             .arguments = { arguments, 2 }, .lines = true, .to = troupe_self_address(self));
 *     }
 *     TROUPE_ON(watcher, troupe_command_output) {
 *         printf("%.*s\n", (int)msg->data.size, (const char *)msg->data.data);
 *         return TROUPE_OK;
 *     }
 *
 *     - { name: proxy, actor: troupe_command, args: { program: nginx, arguments: [ "-g", "daemon off;" ] } }
 *
 * `troupe_command` is one of Troupe's own actors, in every program: configured, spawned and supervised like any other.
 * It works in every process of an application; the keeper makes the program's process, and is its parent.
 *
 * Who owns it. The owner (`to`, or `owner`) is told everything, and its run is the life of the program: when that run
 * ends, however it does, or its process is killed, so does the program. One without an owner writes its output to the
 * log, line by line. A command that a supervisor started ends as its program does: in order when that exits with 0,
 * else it fails, and is started again or not as its `restart` says; it counts as started when the program runs. One
 * that was spawned tells its owner, and is done.
 *
 * How it ends. The program is the leader of a process group of its own. To end it, for whatever reason, sends the whole
 * group `kill_signal`, and SIGKILL when `grace` is over. What is left of the group when the program itself has ended is
 * killed then. So nothing is left of an application, whichever of its processes is killed: not of the programs either.
 * Only a `detached` one stays. What a program puts into sessions of their own (setsid) is found at the orderly end of
 * the application alone. In a program that owns its main (troupe_system_start) and is killed by SIGKILL, the programs
 * are killed, but what these had started is not.
 *
 * On virtual time (troupe/test.h) there are no programs: a command says so, and ends. Its owner is tested by sending it
 * what a command would.
 *
 * The other end of the terminal. As it is in another process group, a program cannot read the terminal of the
 * application (it is stopped by SIGTTIN), and Ctrl-C is not for it: it ends with its owner.
 */
#ifndef TROUPE_COMMAND_H
#define TROUPE_COMMAND_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The start message ---- */

enum {
    TROUPE_COMMAND_DESCRIPTORS = 16,        /* of a program, at most: 0 to 15 */
    TROUPE_COMMAND_REQUEST = 128 * 1024,    /* bytes of arguments and environment together, at most */
    TROUPE_COMMAND_LINE = 32 * 1024,        /* bytes of one output message, at most: a longer line comes in parts */
    TROUPE_COMMAND_WAITING = 1024 * 1024    /* bytes of input that wait, from which on no more is taken */
};

/* program: a file, looked up in the PATH of the program's environment if there is no slash in it. arguments: from
 *     argv[1] on. argv0: argv[0]; "": `program`.
 * shell: instead of those three: a line for /bin/sh -c.
 * cwd: "": the directory of the process that the command is in, or, if its user may not enter that, the keeper's.
 * env: changes of that process's environment: "NAME=value" adds or replaces, "NAME" takes away. clean_env: begins with
 *     an empty one instead.
 * uid, gid: numbers, as texts; "": those of that process. Without supplementary groups. Only root may be another.
 * detached: in a session of its own; it lives on when its owner is gone, and the application too.
 * stdio: what it has as descriptors 0, 1, 2, 3, ...: "pipe", or "" (what is missing of the first three): this actor has
 *     the other end: of 0 it is written to, of 1 and 2 it is read, from 3 on it is both, a socket. "ignore":
 *     /dev/null. "inherit": the same descriptor of the process that the command is in. "5": that descriptor of it.
 *     "open": the next one of `handles`.
 * handles: open descriptors: as many as stdio says "open". Those of the sender stay its own, as in every message.
 * lines: an output message for each line, without its end, instead of for what there is.
 * max_output: bytes of each of its outputs: at more it is ended, for the reason "max_output", and what is over is
 *     dropped. 0: no limit.
 * timeout: ns from when it runs until it is ended for the reason "timeout"; 0: none.
 * kill_signal: that ends it; 0: SIGTERM. grace: ns between that and SIGKILL; 0: 5 s.
 * to: the owner; or, for a configuration, owner: its name, or path in the tree. Neither: the log.
 *
 * Not given on: limits (ulimit), niceness, masks, cores of the process that the command is in. The program has those of
 * the application's first process, the keeper. */
#define TROUPE_PROGRAM_FIELDS(field)                                                               \
    field(str, program) field(array(str), arguments) field(str, argv0) field(str, shell)           \
    field(str, cwd) field(array(str), env) field(bool, clean_env) field(str, uid) field(str, gid)  \
    field(bool, detached) field(array(str), stdio) field(bool, lines) field(u64, max_output)       \
    field(i64, timeout) field(i32, kill_signal) field(i64, grace) field(address, to) field(str, owner) \
    field(array(descriptor), handles)
TROUPE_MESSAGE(troupe_program, TROUPE_PROGRAM_FIELDS)

TROUPE_ACTOR_DECLARE(troupe_command)

/* ---- What the owner is told. Sender: the command. What it does not handle it is not told ---- */

/* It runs, in this process. */
#define TROUPE_COMMAND_STARTED_FIELDS(field) field(i32, pid)
TROUPE_MESSAGE(troupe_command_started, TROUPE_COMMAND_STARTED_FIELDS)

/* It does not: the last message. error: an errno, ENOENT if there is no such program. why: what could not be done, for
 * people. */
#define TROUPE_COMMAND_ERROR_FIELDS(field) field(i32, error) field(str, why)
TROUPE_MESSAGE(troupe_command_error, TROUPE_COMMAND_ERROR_FIELDS)

/* What it has written to its descriptor `stream`, in order; any bytes. partial (`lines` only): no end of a line was
 * behind it: more of the line follows, or it was the last.
 *
 * These are asked, not sent: at most 8 are under way, and the next follows when the handler of one has returned. So a
 * slow owner makes a slow program, by its pipe, and memory is bounded. An owner that wants to wait longer keeps the
 * asker (troupe_keep_asker) and answers when it is ready, by a troupe_command_next. */
#define TROUPE_COMMAND_OUTPUT_FIELDS(field) field(u32, stream) field(bytes, data) field(bool, partial)
TROUPE_MESSAGE(troupe_command_output, TROUPE_COMMAND_OUTPUT_FIELDS)
#define TROUPE_COMMAND_NEXT_FIELDS(field) field(u32, unused)
TROUPE_MESSAGE(troupe_command_next, TROUPE_COMMAND_NEXT_FIELDS)

/* It has ended: code, or the signal that ended it (then code is -1; both: nobody knows). What it had written may
 * still follow. reason: why it was ended: "timeout", "max_output", "aborted"; "": it was not, for all that this actor
 * knows. killed: troupe_command_kill was used. */
#define TROUPE_COMMAND_EXITED_FIELDS(field)                                                        \
    field(i32, pid) field(i32, code) field(i32, signal) field(str, reason) field(bool, killed)
TROUPE_MESSAGE(troupe_command_exited, TROUPE_COMMAND_EXITED_FIELDS)

/* The same, and all its outputs have ended and were told: the last message. While another process still has one of
 * them open (a detached program's children may), it does not come. */
TROUPE_MESSAGE(troupe_command_closed, TROUPE_COMMAND_EXITED_FIELDS)

/* ---- What it can be told, by anybody ---- */

/* Bytes for its descriptor `stream`: 0, or one from 3 on that is a "pipe". In the order in which they come. Asked, it is
 * answered with a troupe_command_written when the last byte is in the pipe, or never will be: OK; GONE (its end is
 * closed), FULL (TROUPE_COMMAND_WAITING bytes wait: ask again after an answer), INVALID (no such stream), NO_MEMORY.
 * Sent, it waits as well; one that is not taken is a dead letter for one of these reasons. So who asks and waits for
 * the answer is as fast as the program. waiting: bytes that wait behind it. */
#define TROUPE_COMMAND_WRITE_FIELDS(field) field(bytes, data) field(u32, stream)
TROUPE_MESSAGE(troupe_command_write, TROUPE_COMMAND_WRITE_FIELDS)
#define TROUPE_COMMAND_WRITTEN_FIELDS(field) field(u32, status) field(u64, waiting)
TROUPE_MESSAGE(troupe_command_written, TROUPE_COMMAND_WRITTEN_FIELDS)

/* Nothing more is written there: it is closed when what waits is written. */
#define TROUPE_COMMAND_FINISH_FIELDS(field) field(u32, stream)
TROUPE_MESSAGE(troupe_command_finish, TROUPE_COMMAND_FINISH_FIELDS)

/* A signal to it and to all in its group; 0: kill_signal. Whether that ends it is its own affair. */
#define TROUPE_COMMAND_KILL_FIELDS(field) field(i32, signal)
TROUPE_MESSAGE(troupe_command_kill, TROUPE_COMMAND_KILL_FIELDS)

/* Ends it: kill_signal, and SIGKILL when `grace` is over. To stop the actor (troupe_stop_actor) does the same, but
 * nothing is told any more. */
TROUPE_MESSAGE_EMPTY(troupe_command_abort)

/* ---- Programs that are run to their end: Node's exec and execFile ---- */

/* An actor that runs programs for those who ask it, each to its end, several at once: spawned by troupe_spawn, or
 * configured. at_once: so many; 0: 16. More wait, up to 1024; then an ask ends with FULL. */
#define TROUPE_RUNNING_FIELDS(field) field(u32, at_once)
TROUPE_MESSAGE(troupe_running, TROUPE_RUNNING_FIELDS)
TROUPE_ACTOR_DECLARE(troupe_runner)

/* troupe_ask(self, runner, troupe_run, TROUPE_MINUTE, .shell = "uname -a", .timeout = 10 * TROUPE_SECOND)
 *
 * The fields of troupe_program; of these `to`, `owner`, `lines`, `detached`, `stdio` and `handles` are the runner's own affair
 * and ignored. input: what it reads; it is closed then. max_output: 0: 1 MiB, as Node's maxBuffer; at most 7 MiB. The
 * program ends when the run of whoever asked does. If the ask's own time is up first, it goes on: let `timeout` be
 * shorter. */
#define TROUPE_RUN_FIELDS(field) TROUPE_PROGRAM_FIELDS(field) field(bytes, input)
TROUPE_MESSAGE(troupe_run, TROUPE_RUN_FIELDS)

/* The answer: the three results. `why` is empty if all went well: exit code 0; else it says for people what did not, and:
 * error: an errno: it could not be started. code, signal, reason, killed: as in troupe_command_exited. output, errors:
 * what it wrote to descriptors 1 and 2, as far as that went. */
#define TROUPE_RAN_FIELDS(field)                                                                   \
    field(str, why) field(i32, error) field(i32, code) field(i32, signal) field(str, reason)       \
    field(bool, killed) field(bytes, output) field(bytes, errors)
TROUPE_MESSAGE(troupe_ran, TROUPE_RAN_FIELDS)

#ifdef __cplusplus
}
#endif
#endif
