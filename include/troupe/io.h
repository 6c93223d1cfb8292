/*
 * The outside world as messages: a descriptor that is ready, a signal.
 *
 *     TROUPE_START(lines, read_input) {
 *         fcntl(0, F_SETFL, O_NONBLOCK);
 *         return troupe_watch(self, &me->input, 0, TROUPE_READABLE);
 *     }
 *     TROUPE_ON(lines, troupe_descriptor) {
 *         ssize_t size = read(msg->fd, me->text, sizeof me->text);
 *         ...
 *     }
 *     TROUPE_ACTOR(lines, TROUPE_STARTS(lines, read_input), TROUPE_HANDLES(lines, troupe_descriptor))
 *
 * As everything in actor.h, to be called from within a handler. What an actor watches and the signals it has
 * asked for end with its run, however that ends, before its supervisor hears of it: nothing of them reaches
 * a later run. These messages are not counted by contract 3 and not bounded by the mailbox's limit: there is
 * one at most of each watch, and of each signal, in a mailbox.
 */
#ifndef TROUPE_IO_H
#define TROUPE_IO_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Descriptors ---- */

/* What a descriptor is watched for, and what is told of it. */
enum troupe_events {
    TROUPE_READABLE = 1, /* a read, or an accept, will not block */
    TROUPE_WRITABLE = 2, /* nor will a write; a connect has ended */
    /* These two need not be asked for, and come together with all that was asked for: so a read or a
     * write finds out what is the matter. */
    TROUPE_HANGUP = 4,   /* the other end is gone; what it had written can still be read */
    TROUPE_FAULT = 8     /* an error waits: SO_ERROR, or a pipe that nobody reads */
};

/* A watched descriptor of this actor. Zero is none. */
typedef struct troupe_watcher {
    uint64_t id;
} troupe_watcher;

/* A watched descriptor is ready. `watch`: the id; `events`: a sum of enum troupe_events. It was so when this
 * message was sent: what an earlier handler has read meanwhile is not there any more, so let descriptors be
 * non-blocking. */
#define TROUPE_DESCRIPTOR_FIELDS(field) field(i32, fd) field(u32, events) field(u64, watch)
TROUPE_MESSAGE(troupe_descriptor, TROUPE_DESCRIPTOR_FIELDS)

/* troupe_watch(self, &me->input, fd, TROUPE_READABLE): gives this actor a troupe_descriptor when the
 * descriptor is ready, and again after its handler has returned, or while that waits in troupe_receive, for as
 * long as it is ready: who does not read all at once is told again, and who hears of a hangup must unwatch, or
 * will hear of nothing else. At most one message of a watch waits: a slow actor is not flooded. Events:
 * READABLE, WRITABLE, both, or 0 for none yet. `watch` may be NULL: watched until the run ends.
 *
 * The descriptor stays the caller's, which unwatches it before it closes it. Until then the open file behind it
 * stays open, for Troupe watches a duplicate: so a descriptor may be watched by several actors, and one that
 * was closed too early brings at worst messages of the old file, never another one's. Each watch costs one
 * descriptor of the process's limit.
 *
 * Pipes, sockets, terminals, eventfds, timerfds, pidfds and such can be watched. A worker looks at descriptors
 * between handlers; while a handler blocks, the node's monitor does for those that its worker watches (an actor's are
 * watched by the worker that ran it at the time), some milliseconds later.
 * Errors: INVALID (not open; a regular file or folder, which never makes anybody wait; other events; the actor
 * does not handle troupe_descriptor: the log says which), LIMIT (no descriptors left), NO_MEMORY, STOPPING. */
enum troupe_status troupe_watch(troupe_self *self, troupe_watcher *watch, int fd, uint32_t events);

/* Other events from now on; 0: none, not even a hangup, until it is called again: a writer with nothing to
 * write, a reader whose own output is full. GONE when there is no such watch, INVALID: other
 * events (the log says which watch). */
enum troupe_status troupe_watch_events(troupe_self *self, troupe_watcher watch, uint32_t events);

/* After this no message of the watch is handled, even one that waits already. GONE: there is no such watch. */
enum troupe_status troupe_unwatch(troupe_self *self, troupe_watcher watch);

/* ---- Signals ---- */

/* A signal that this actor has asked for: it came `count` times (at least: the kernel keeps one of each
 * ordinary signal) since the last such message was handled. */
#define TROUPE_SIGNALLED_FIELDS(field) field(i32, signal) field(u32, count)
TROUPE_MESSAGE(troupe_signalled, TROUPE_SIGNALLED_FIELDS)

/* troupe_signal(self, SIGHUP): gives this actor a troupe_signalled whenever this process gets the signal; in
 * the process of the main node, under troupe_main, also when the application's first process gets it. Each
 * actor that asks gets one. Asking again changes nothing. A signal for which nobody asks does what it always
 * did. At a terminal some signals (SIGWINCH, SIGHUP) go to both of these processes, and count as two.
 *
 * It may be: SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGURG, SIGIO, SIGPWR, SIGWINCH, SIGRTMIN to
 * SIGRTMAX. Not those that cannot be blocked or speak of a mistake of the program (SIGKILL, SIGSEGV, ...), nor
 * those that are Troupe's own: SIGINT and SIGTERM stop the application, SIGCHLD speaks of its processes.
 *
 * In a program that owns its main (troupe_system_start) every thread of the program must block the signal
 * (pthread_sigmask) before anybody may send it: a thread that does not may be given it, and it then does what
 * it does by itself, which is to end the process as a rule. Troupe's threads block it. The same holds for
 * threads that a program has started before troupe_main. If several systems in one process ask for one
 * signal, one of them is told.
 * Errors: INVALID (not one of the above, or the actor does not handle troupe_signalled: the log says which),
 * NO_MEMORY, STOPPING. */
enum troupe_status troupe_signal(troupe_self *self, int signal);

/* After this no message of the signal is handled, even one that waits already. GONE: it was not asked for. */
enum troupe_status troupe_unsignal(troupe_self *self, int signal);

#ifdef __cplusplus
}
#endif
#endif
