/*
 * Deaths: who, why, in which message, after how long, how often before. The end of every run is put into
 * one message, which its supervisor gets, and from which the lines of the log are made.
 */
#ifndef TROUPE_DEATH_H
#define TROUPE_DEATH_H

#include <troupe/message.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, name, text, is it a failure). New ones are added at the end. */
#define TROUPE_DEATH_LIST(X)                                                                       \
    X(DONE, "done", "its work was done", false)                                                    \
    X(STOPPED, "stopped", "it was told to stop", false)                                            \
    X(FAILED, "failed", "a handler reported a failure", true)                                      \
    X(NO_MEMORY, "no_memory", "no memory was left", true)                                          \
    X(KILLED, "killed", "it was killed", true)                                                     \
    X(GAVE_UP, "gave_up", "a supervisor restarted its children too often", true)                   \
    X(SIGNAL, "signal", "its process was ended by a signal", true)                                 \
    X(EXITED, "exited", "its process exited", true)                                                \
    X(LOST, "lost", "its node has ended", true)                                                    \
    X(GONE, "gone", "no actor lived at its address", true)                                         \
    X(UNREACHABLE, "unreachable", "its node could not be reached", true)                           \
    X(WATCHDOG, "watchdog", "its process made no progress", true)

enum troupe_death_kind {
#define TROUPE_DEATH_ENUM(code, name, text, failure) TROUPE_DEATH_##code,
    TROUPE_DEATH_LIST(TROUPE_DEATH_ENUM)
#undef TROUPE_DEATH_ENUM
        TROUPE_DEATH_COUNT
};

/* GONE and UNREACHABLE are of no run that anybody saw: told to those who asked for it (troupe/monitor.h).
 *
 * who: the cell. path, actor: of the actor and of its type. kind: enum troupe_death_kind. text: for people: what
 * TROUPE_FAIL said, with file and line, or how its process ended, and what it was handling; "": the kind says
 * all. message: the one at hand when a handler failed, as people read it. by: the path of the actor that stopped
 * or killed it, as far as that is known, or of the one that it was linked with, whose end was its own.
 * status: what the handler returned (enum troupe_status); OK, it was done; STOPPING, it was stopped or killed. signal,
 * code: of its process, 0 if that did not end by it. run: how often it was started again before. uptime: ns, of this
 * run; 0: nobody took the time. at: ns since 1970. starting: it was not ready yet. cause: the death that this one comes
 * from, printed: why a supervisor gave up; of a chain of supervisors, or of links, the first.
 * Texts are cut off at 511 bytes. */
#define TROUPE_DEATH_FIELDS(field)                                                                 \
    field(address, who) field(str, path) field(str, actor) field(u32, kind) field(str, text)       \
    field(str, message) field(str, by) field(u32, status) field(i32, signal) field(i32, code)      \
    field(u32, run) field(i64, uptime) field(i64, at) field(bool, starting) field(str, cause)
TROUPE_MESSAGE(troupe_death, TROUPE_DEATH_FIELDS)

/* "gave_up", or "unknown". Never NULL. Any thread. */
const char *troupe_death_name(enum troupe_death_kind kind);

/* The same in a few words, or "unknown". Never NULL. Any thread. */
const char *troupe_death_text(enum troupe_death_kind kind);

/* Was it the end of something that had not been asked to end? Any thread. */
bool troupe_death_is_failure(enum troupe_death_kind kind);

/* One line: `/counter/3 failed: a count of zero (counter.c:12); message count{word: "the", n: 0}; up 1.234 s;
 * restart 2`. Written and counted as troupe_message_print does. Any thread. */
size_t troupe_death_print(const struct troupe_death *death, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
