/*
 * Blocking work: one call on a thread that may wait, answered by a message.
 *
 *     TROUPE_WORK(hash_file, hash, hashed) {
 *         uint64_t sum;
 *         if (!sum_file(request->path, &sum)) return TROUPE_NOT_FOUND;
 *         return troupe_work_done(work, hashed, .sum = sum);
 *     }
 *
 *     troupe_work(self, hash_file, 5 * TROUPE_SECOND, hash, .path = "notes.txt");    in a handler
 *     TROUPE_ANSWER(reader, hash, hashed) { ... }                                    how it ended
 *
 * For calls that block, but not for ever: reading files, a name server, a library that knows no other way.
 * An actor that blocks again and again had better have a thread of its own (troupe_receive in actor.h).
 *
 * Each node has threads for this, as many as are needed at once, up to `work_threads` of the configuration;
 * further calls wait for one, up to 1024; threads that have had nothing to do for 2 seconds end.
 */
#ifndef TROUPE_WORK_H
#define TROUPE_WORK_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A call under way. Valid until its function returns, on its own thread. */
typedef struct troupe_job troupe_job;

/* What runs there: work (troupe_job *), request (const struct REQUEST *, a copy). It has no self and no
 * state, and shares nothing with the actor but what is in the request. Returns what troupe_work_done
 * returned, or why there is no reply: any code but TROUPE_OK. It must return: see troupe_work. */
#define TROUPE_WORK(tr_work, tr_request, tr_reply)                                                 \
    static enum troupe_status tr_work##_call(troupe_job *work, const struct tr_request *request);  \
    static enum troupe_status tr_work##_troupe_call(troupe_job *work, const void *request) {       \
        return tr_work##_call(work, (const struct tr_request *)request);                           \
    }                                                                                              \
    static const struct troupe_work_type tr_work##_work = { #tr_work, &tr_request##_message,       \
                                                            &tr_reply##_message,                   \
                                                            tr_work##_troupe_call };               \
    static inline __attribute__((unused)) enum troupe_status tr_work##_troupe_begin(               \
        troupe_self *self, int64_t timeout, const struct tr_request *request) {                    \
        return troupe_work_message(self, &tr_work##_work, timeout, request);                       \
    }                                                                                              \
    static enum troupe_status tr_work##_call(TROUPE_X_UNUSED troupe_job *work,                     \
                                             TROUPE_X_UNUSED const struct tr_request *request)

/* troupe_work(self, hash_file, 5 * TROUPE_SECOND, hash, .path = "notes.txt")
 *
 * Has the call made with a copy of the request. This actor's TROUPE_ANSWER for the two messages runs exactly
 * once, as after troupe_ask: OK and the reply; what the function returned instead; NO_REPLY when it returned
 * OK without one; TIMEOUT. A call cannot be interrupted: past its timeout, or when this run has ended, it
 * goes on, and its reply becomes a dead letter (`timeout`); one that has not begun by then is not made. At the
 * end of the node calls that have not begun are dropped, and those under way waited for, until the shutdown's
 * deadline.
 *
 * `timeout` in nanoseconds, more than 0. FULL (1024 calls wait already), INVALID (no TROUPE_ANSWER for these
 * messages, a field, the timeout: the log says which), STOPPING, SYSTEM (no threads are left), NO_MEMORY: then
 * the answer handler will not run. */
#define troupe_work(self, tr_work, timeout, tr_message, ...)                                       \
    tr_work##_troupe_begin((self), (timeout), &(const struct tr_message){ __VA_ARGS__ })
#define troupe_work_empty(self, tr_work, timeout, tr_message)                                      \
    tr_work##_troupe_begin((self), (timeout), &(const struct tr_message){ 0 })

/* Gives the reply: copied and sent at once. Returns OK, INVALID (it is not the reply of this work, there has
 * been one already, or a field is not valid), TOO_BIG, NO_MEMORY; GONE when the actor has ended for good. One that
 * comes too late is taken, and becomes a dead letter. */
#define troupe_work_done(work, tr_message, ...)                                                    \
    troupe_work_reply((work), &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
#define troupe_work_done_empty(work, tr_message)                                                   \
    troupe_work_reply((work), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_work_reply(troupe_job *work, const struct troupe_message_type *type,
                                     const void *message);

/* ---- How the macros do it ---- */

struct troupe_work_type {
    const char *name;
    const struct troupe_message_type *request, *reply;
    enum troupe_status (*call)(troupe_job *work, const void *request);
};

enum troupe_status troupe_work_message(troupe_self *self, const struct troupe_work_type *work,
                                       int64_t timeout, const void *request);

#ifdef __cplusplus
}
#endif
#endif
