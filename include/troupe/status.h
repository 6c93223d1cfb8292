/*
 * Outcomes: one list for return codes, the outcome of an ask, and the reason
 * of a dead letter. A code that means the same thing has the same name
 * wherever it turns up.
 *
 * TROUPE_OK is 0. Every other code is positive and stable within a major
 * version: new ones are added at the end.
 */
#ifndef TROUPE_STATUS_H
#define TROUPE_STATUS_H

#include <stdint.h>

#include <troupe/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(code, name, text) */
#define TROUPE_STATUS_LIST(X)                                                                      \
    X(OK, "ok", "it worked")                                                                       \
    X(FAILED, "failed", "the handler reported a failure")                                          \
    X(FULL, "full", "the mailbox is full: wait for troupe_ready, or send less")                    \
    X(GONE, "gone", "no actor lives at this address any more")                                     \
    X(UNREACHABLE, "unreachable", "the node of this address cannot be reached")                    \
    X(TIMEOUT, "timeout", "no answer within the time allowed")                                     \
    X(DIED, "died", "the run that was handling it died")                                           \
    X(NO_REPLY, "no_reply", "the request was handled, but its handler gave no reply")              \
    X(WRONG_REPLY, "wrong_reply", "the reply is of another message type than the answer handles")  \
    X(UNHANDLED, "unhandled", "the actor has no handler for this message")                         \
    X(NO_MEMORY, "no_memory", "out of memory")                                                     \
    X(INVALID, "invalid", "an argument is invalid")                                                \
    X(TOO_BIG, "too_big", "larger than the limit allows")                                          \
    X(EXISTS, "exists", "the name is taken")                                                       \
    X(NOT_FOUND, "not_found", "no such name")                                                      \
    X(LIMIT, "limit", "a configured limit is reached")                                             \
    X(STOPPING, "stopping", "the system is shutting down")                                         \
    X(MALFORMED, "malformed", "the bytes are not a valid message")                                 \
    X(INCOMPATIBLE, "incompatible", "the other node knows this message with other fields")         \
    X(POISON, "poison", "the message brought its actor down too often")                            \
    X(FLUSHED, "flushed", "its mailbox was emptied by a restart or a stop")                        \
    X(NODE_DIED, "node_died", "the process that held it died before handling it")                  \
    X(SENDER_DIED, "sender_died", "its sender's process died before it knew what became of it")    \
    X(IN_DOUBT, "in_doubt", "its process died while handling it: it may have finished")            \
    X(SYSTEM, "system", "the operating system refused: see the log line")                          \
    X(BUSY, "busy", "it is at something else: it must rest for this")

enum troupe_status {
#define TROUPE_STATUS_ENUM(code, name, text) TROUPE_##code,
    TROUPE_STATUS_LIST(TROUPE_STATUS_ENUM)
#undef TROUPE_STATUS_ENUM
        TROUPE_STATUS_COUNT
};

/* The short name of a code ("full"), or "unknown". Never NULL. Any thread. */
const char *troupe_status_name(enum troupe_status status);

/* One sentence for people. Never NULL. Any thread. */
const char *troupe_status_text(enum troupe_status status);

/* Marks a result that must be looked at. */
#define TROUPE_MUST_USE __attribute__((warn_unused_result))

/* Durations are nanoseconds in int64_t, named by these units. */
#define TROUPE_NANOSECOND INT64_C(1)
#define TROUPE_MICROSECOND (INT64_C(1000) * TROUPE_NANOSECOND)
#define TROUPE_MILLISECOND (INT64_C(1000) * TROUPE_MICROSECOND)
#define TROUPE_SECOND (INT64_C(1000) * TROUPE_MILLISECOND)
#define TROUPE_MINUTE (INT64_C(60) * TROUPE_SECOND)

#ifdef __cplusplus
}
#endif
#endif
