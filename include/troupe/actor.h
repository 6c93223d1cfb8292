/*
 * Actors: a state struct with handlers, and what a handler may do.
 *
 *     struct counter { struct table words; };
 *
 *     TROUPE_ON(counter, count) {
 *         if (msg->n == 0) return TROUPE_FAIL(self, "a count of zero");
 *         table_add(&me->words, msg->word, msg->n);
 *         return TROUPE_OK;
 *     }
 *     TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, count))
 *
 * Every handler is a function with the types of its actor and message; the compiler refuses one that
 * does not fit. No semicolon follows these macros.
 *
 * One actor handles one message at a time, on one thread at a time, though not always on the same
 * thread. Handlers must not block: what waits becomes a message, and what cannot but block is a call of
 * troupe_work (work.h), or an actor with a thread of its own. One that blocks is reported in the log
 * (`blocked` in docs/configuration.md). Everything in this header is called from within a handler, with
 * the `self` that the handler was given; `self` must not be kept.
 *
 * Ownership: success takes, failure leaves. A sent message is a copy that the runtime owns from
 * TROUPE_OK on; with any other code nothing was sent. Large data can be shared instead: troupe/buffer.h.
 */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include <troupe/message.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troupe_self troupe_self;

/* ---- What an actor is made of ---- */

/* The message an actor handles: self, me (struct ACTOR *), msg (const struct MESSAGE *).
 * Returns TROUPE_OK, or what TROUPE_FAIL returns: then this run of the actor is over, its supervisor
 * decides what follows, and the message is reported as a dead letter (or delivered again, see
 * `delivery` in docs/configuration.md). Any other code ends the run too, with that code's text: so
 * `return troupe_send(...)` makes a full mailbox somewhere else the end of this run. */
#define TROUPE_ON(tr_actor, tr_message)                                                            \
    TROUPE_X_TYPED(tr_actor, on_##tr_message, const struct tr_message *msg, msg, const struct tr_message *)

/* The message that starts it, before any other: self, me (all zero bytes), args. `args:` in the
 * configuration and troupe_spawn fill it. Failing here counts as a failed start. An actor without
 * this starts with zeroed state and takes no arguments. */
#define TROUPE_START(tr_actor, tr_message)                                                         \
    TROUPE_X_TYPED(tr_actor, start_##tr_message, const struct tr_message *args, args, const struct tr_message *)

/* Runs once when a run ends, unless its process died or it was killed (`shutdown: kill`, a deadline
 * passed): self, me, reason. Release here what start acquired; after a failed start it runs too, so it
 * must cope with a half-built state. It may send and reply; it cannot ask, spawn or set timers any more
 * (STOPPING). */
#define TROUPE_STOP(tr_actor)                                                                      \
    static void tr_actor##_stop(troupe_self *self, struct tr_actor *me, enum troupe_status reason); \
    static enum troupe_status tr_actor##_troupe_stop(troupe_self *self, void *me, const void *msg) { \
        tr_actor##_stop(self, (struct tr_actor *)me, *(const enum troupe_status *)msg);            \
        return TROUPE_OK;                                                                          \
    }                                                                                              \
    static void tr_actor##_stop(TROUPE_X_UNUSED troupe_self *self,                                 \
                                TROUPE_X_UNUSED struct tr_actor *me,                               \
                                TROUPE_X_UNUSED enum troupe_status reason)

/* How an ask of this actor ended: self, me, outcome, request (what was asked), reply.
 * Runs exactly once for each troupe_ask that returned TROUPE_OK, as long as the run that asked lives;
 * answers to an ended run are dropped with it. `reply` is NULL unless `outcome` is
 * TROUPE_OK; otherwise outcome says why: TIMEOUT, DIED, UNREACHABLE, FULL, GONE, UNHANDLED, NO_REPLY,
 * WRONG_REPLY. */
#define TROUPE_ANSWER(tr_actor, tr_request, tr_reply)                                              \
    static enum troupe_status tr_actor##_answer_##tr_request(                                      \
        troupe_self *self, struct tr_actor *me, enum troupe_status outcome,                        \
        const struct tr_request *request, const struct tr_reply *reply);                           \
    static enum troupe_status tr_actor##_troupe_answer_##tr_request##_##tr_reply(                  \
        troupe_self *self, void *me, const void *msg) {                                            \
        const struct troupe_answer *answer = (const struct troupe_answer *)msg;                    \
        return tr_actor##_answer_##tr_request(self, (struct tr_actor *)me, answer->outcome,        \
                                              (const struct tr_request *)answer->request,          \
                                              (const struct tr_reply *)answer->reply);             \
    }                                                                                              \
    static enum troupe_status tr_actor##_answer_##tr_request(                                      \
        TROUPE_X_UNUSED troupe_self *self, TROUPE_X_UNUSED struct tr_actor *me,                    \
        TROUPE_X_UNUSED enum troupe_status outcome,                                                \
        TROUPE_X_UNUSED const struct tr_request *request,                                          \
        TROUPE_X_UNUSED const struct tr_reply *reply)

/* The description ACTOR_actor, from the parts below, in any order:
 *     TROUPE_ACTOR(reader,
 *         TROUPE_STARTS(reader, read), TROUPE_STOPS(reader),
 *         TROUPE_HANDLES(reader, line, done),          up to 16 messages; repeat for more
 *         TROUPE_ANSWERS(reader, lookup, found)) */
#define TROUPE_ACTOR(tr_actor, ...)                                                                \
    TROUPE_X_ASSERT(__alignof__(struct tr_actor) <= __alignof__(max_align_t),                      \
                    "a state is aligned as malloc aligns memory, not more strictly")               \
    static const struct troupe_entry tr_actor##_troupe_entries[] = { __VA_ARGS__ };                \
    TROUPE_ACTOR_DECLARE(tr_actor)                                                                 \
    const struct troupe_actor_type tr_actor##_actor = {                                            \
        #tr_actor, (uint32_t)sizeof(struct tr_actor),                                              \
        (uint32_t)(sizeof tr_actor##_troupe_entries / sizeof tr_actor##_troupe_entries[0]),        \
        tr_actor##_troupe_entries                                                                  \
    };

/* For a header: the actor is defined in another file. */
#define TROUPE_ACTOR_DECLARE(tr_actor) extern const struct troupe_actor_type tr_actor##_actor;

#define TROUPE_STARTS(tr_actor, tr_message)                                                        \
    { TROUPE_ROLE_START, &tr_message##_message, NULL, tr_actor##_troupe_start_##tr_message, NULL }
#define TROUPE_STOPS(tr_actor) { TROUPE_ROLE_STOP, NULL, NULL, tr_actor##_troupe_stop, NULL }
#define TROUPE_ANSWERS(tr_actor, tr_request, tr_reply)                                             \
    { TROUPE_ROLE_ANSWER, &tr_request##_message, &tr_reply##_message,                              \
      tr_actor##_troupe_answer_##tr_request##_##tr_reply, NULL }
#define TROUPE_HANDLES(tr_actor, ...) TROUPE_X_EACH(TROUPE_X_HANDLE, tr_actor, __VA_ARGS__)

/* ---- Who and where ---- */

troupe_address troupe_self_address(const troupe_self *self);

/* "/counter/3": the place in the tree, or the name given to troupe_spawn. Valid until the handler
 * returns. */
const char *troupe_self_path(const troupe_self *self);

/* Who sent the message at hand; no address if it came from outside the actors. */
troupe_address troupe_sender(const troupe_self *self);

/* 0 for the first run of this cell, 1 after one restart, ... */
uint32_t troupe_self_run(const troupe_self *self);

/* Monotonic nanoseconds; virtual in tests. As of the start of this batch of messages. */
int64_t troupe_now(troupe_self *self);

/* What the configuration has under this name in `data:`, or NULL: the same in every process of the application, from
 * its start to its end, and as long valid. Whoever starts it may change it: --set 'data.NAME=TEXT', `settings` in
 * troupe_options. Node's getEnvironmentData. */
const char *troupe_data(const troupe_self *self, const char *name);

/* ---- Sending ---- */

/* troupe_send(self, to, count, .word = "the", .n = 3)
 *
 * Sends a copy. From one sender to one receiver, messages arrive in the order sent (contract 2).
 * Returns what this node knows (contract 4): OK, FULL (nothing was sent; an actor that handles
 * troupe_ready gets one when the mailbox has emptied to half, or cannot be full any more because the
 * receiver is gone), GONE, UNHANDLED, UNREACHABLE, TOO_BIG, STOPPING,
 * INVALID (a field is not valid: the log says which), NO_MEMORY. What fails later becomes a dead
 * letter, and a troupe_undelivered for a sender that handles it. */
#define troupe_send(self, to, tr_message, ...)                                                     \
    troupe_send_message((self), (to), &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
#define troupe_send_empty(self, to, tr_message)                                                    \
    troupe_send_message((self), (to), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_send_message(troupe_self *self, troupe_address to,
                                       const struct troupe_message_type *type, const void *message);

/* troupe_send_many(self, addresses, 3, statuses, count, .word = "the", .n = 3)
 *
 * The same message to each of an array of addresses, in its order: as so many troupe_send, with the same
 * codes and the same order for each receiver, but for receivers on other nodes it is packed once, and
 * large data that is in no buffer is copied once. `statuses` has room for as many codes as there are
 * addresses, or is NULL. Returns OK if all were sent, else the first other code; INVALID when `addresses` is NULL,
 * but for none at all. */
#define troupe_send_many(self, to, to_count, statuses, tr_message, ...)                            \
    troupe_send_many_message((self), (to), (to_count), (statuses), &tr_message##_message,          \
                             &(const struct tr_message){ __VA_ARGS__ })
#define troupe_send_many_empty(self, to, to_count, statuses, tr_message)                           \
    troupe_send_many_message((self), (to), (to_count), (statuses), &tr_message##_message,          \
                             &(const struct tr_message){ 0 })
enum troupe_status troupe_send_many_message(troupe_self *self, const troupe_address *to, size_t count,
                                            enum troupe_status *statuses,
                                            const struct troupe_message_type *type, const void *message);

/* troupe_reply(self, found, .n = 3)
 *
 * Answers the message at hand: ends the ask it came with, or, if it was merely sent, is a send to its
 * sender. The first reply to an ask counts; a second is refused with INVALID. The reply to an ask is
 * taken even if the asker's mailbox is full, so that a served ask cannot time out for that. */
#define troupe_reply(self, tr_message, ...)                                                        \
    troupe_reply_message((self), &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
#define troupe_reply_empty(self, tr_message)                                                       \
    troupe_reply_message((self), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_reply_message(troupe_self *self, const struct troupe_message_type *type,
                                        const void *message);

/* How full a mailbox is, and was. What other nodes send is bounded by their windows and does not count
 * here; nor do replies, ticks and Troupe's own notices. A restart of the actor changes nothing. */
struct troupe_mailbox_info {
    uint32_t waiting;    /* messages now, the one being handled included */
    uint32_t high_water; /* the most that waited, as seen when a batch began or a message found no room */
    uint32_t limit;      /* the most that may wait */
    uint32_t refused;    /* messages that found no room, whatever `overflow` made of them; 0 after 2^32 - 1 */
};
/* Of an actor of the same node, this one included. GONE; INVALID: it is on another node, where its mailbox
 * is, or `info` is NULL. `info` is all zero then. */
enum troupe_status troupe_mailbox(const troupe_self *self, troupe_address address,
                                  struct troupe_mailbox_info *info);

/* ---- Asking ---- */

/* troupe_ask(self, to, lookup, 2 * TROUPE_SECOND, .word = "the")
 *
 * Sends a request; the TROUPE_ANSWER for `lookup` runs exactly once, with the reply or with how it
 * failed (contract 5), and is handed the request again. Any number may be outstanding. Requests are
 * delivered at most once, whatever the receiver's `delivery`: the asker knows best whether to repeat
 * one. `timeout` in nanoseconds, more than 0. The codes are those of troupe_send, and INVALID when this actor has no
 * TROUPE_ANSWER for the message. If it is not OK, the answer handler will not run. */
#define troupe_ask(self, to, tr_message, timeout, ...)                                             \
    troupe_ask_message((self), (to), (timeout), &tr_message##_message,                             \
                       &(const struct tr_message){ __VA_ARGS__ })
#define troupe_ask_empty(self, to, tr_message, timeout)                                            \
    troupe_ask_message((self), (to), (timeout), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_ask_message(troupe_self *self, troupe_address to, int64_t timeout,
                                      const struct troupe_message_type *type, const void *message);

/* A reply that comes later. Take the asker while the request is at hand; answer it from any later
 * handler of the same actor. If the run dies first, the ask ends with DIED. A plain value: copy it
 * freely; a second answer is refused with INVALID, and so is one by a later run. */
struct troupe_asker {
    troupe_address address;
    uint64_t ask; /* 0: the message was sent, not asked */
};
struct troupe_asker troupe_keep_asker(troupe_self *self);
#define troupe_answer_later(self, asker, tr_message, ...)                                          \
    troupe_answer_message((self), (asker), &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
enum troupe_status troupe_answer_message(troupe_self *self, struct troupe_asker asker,
                                         const struct troupe_message_type *type, const void *message);

/* Hands the message at hand on, unchanged: its sender stays its sender, and if it was asked, the reply of the other
 * actor ends the ask, wherever the two are. Counts as handled here. The codes of troupe_send, FULL with its
 * troupe_ready for this actor; with any but OK it is still this actor's to answer. What becomes of it later is told
 * to its sender. A plain message may be forwarded to several. INVALID (the log says which): no message is at hand (a
 * tick, an answer), or it was answered, its asker kept, or put aside. An ask over several nodes ends with DIED, at the
 * latest with its deadline, when one of the processes dies that it went through; and it may, if this handler fails
 * after it has forwarded it, as if it fails after it has answered. */
enum troupe_status troupe_forward(troupe_self *self, troupe_address to) TROUPE_MUST_USE;

/* ---- Starting and stopping ---- */

struct troupe_spawn_options {
    const char *name;       /* as by troupe_register, and the last part of the path; NULL: none */
    uint32_t mailbox_limit; /* messages; 0: the configured default */
    bool drop_newest;       /* a full mailbox drops what arrives, as a dead letter, instead of refusing */
    bool own_thread;        /* a thread for this actor alone: it may block, and call troupe_receive */
    bool link;              /* linked with its spawner from the start: troupe/monitor.h */
    struct troupe_monitor_id *monitor; /* monitored by its spawner from the start: this is written; NULL: it is not */
};

/* troupe_spawn(self, &child, worker, job, .from = 1)
 *
 * Starts an actor on this node with a start message; troupe_spawn_with takes options too. Returns at
 * once with its address: what is sent there before it has started waits. Not supervised: if it fails,
 * the failure is logged and its address goes stale. It outlives its spawner; at shutdown such actors
 * stop after the tree. An actor without TROUPE_START is spawned with troupe_spawn_empty. With any code but OK
 * the address is not written.
 * Errors: INVALID (wrong start message, or a name that troupe_register would not take: the log says which),
 * EXISTS (name), LIMIT (actors on this node; with own_thread: such actors, of which a node may have 192; names),
 * SYSTEM (own_thread: no threads or descriptors are left), INVALID and LIMIT of troupe_monitor and troupe_link,
 * UNREACHABLE (as troupe_register), NO_MEMORY, STOPPING. */
#define troupe_spawn(self, address, tr_actor, tr_message, ...)                                     \
    troupe_spawn_actor((self), (address), &tr_actor##_actor, NULL, &tr_message##_message,          \
                       &(const struct tr_message){ __VA_ARGS__ })
#define troupe_spawn_with(self, address, options, tr_actor, tr_message, ...)                       \
    troupe_spawn_actor((self), (address), &tr_actor##_actor, (options), &tr_message##_message,     \
                       &(const struct tr_message){ __VA_ARGS__ })
#define troupe_spawn_empty(self, address, tr_actor)                                                \
    troupe_spawn_actor((self), (address), &tr_actor##_actor, NULL, &troupe_none_message,           \
                       &(const struct troupe_none){ 0 })
struct troupe_actor_type;
enum troupe_status troupe_spawn_actor(troupe_self *self, troupe_address *address,
                                      const struct troupe_actor_type *actor,
                                      const struct troupe_spawn_options *options,
                                      const struct troupe_message_type *type, const void *args);

/* Ends another actor (or this one) after the message it is handling. A flag and a wake, never a queued
 * message: it cannot be lost or refused. A supervised actor counts as stopped on purpose: permanent ones
 * are started again, which counts as a restart, and keep their mailbox; otherwise the mailbox becomes
 * dead letters (FLUSHED). GONE when there is none, UNREACHABLE. */
enum troupe_status troupe_stop_actor(troupe_self *self, troupe_address address);

/* Ends this actor after the current message, in order: its work is done. Returns TROUPE_OK, so that a
 * handler may end with `return troupe_exit(self);`. A transient actor is not started again. */
enum troupe_status troupe_exit(troupe_self *self);

/* Ends this run as failed, with a text in the manner of printf. Returns TROUPE_FAILED:
 * `return TROUPE_FAIL(self, "no such file: %s", path);` */
#define TROUPE_FAIL(self, ...) troupe_fail((self), __FILE__, __LINE__, __VA_ARGS__)
enum troupe_status troupe_fail(troupe_self *self, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ends the whole program in order, everywhere: the tree stops from right to left within the configured
 * deadline, and the exit code is 0. Returns at once. */
void troupe_shutdown(troupe_self *self);

/* ---- Names ---- */

/* Gives this actor a name in the whole application, until it gives it up, its cell ends or its process dies: in
 * the same process a supervised actor keeps it over restarts, and may register it again. When this returns,
 * the actor is found by the name from every node, and no other has it: no message is sent for that, and nobody
 * waited for. One name an actor. Whoever is told that an actor is gone for good, or that its process died, finds
 * its name free.
 * EXISTS (someone else has it, on any node, or it is a name of the tree), INVALID (empty, longer than 64 bytes,
 * with a slash or control characters, not UTF-8, or this actor has another name: the log says which), LIMIT (some
 * 65,000 names in the application, or 64 with the same hash), NO_MEMORY, UNREACHABLE (a process writes over the
 * memory of the names, which the log says too). troupe_unregister: NOT_FOUND, it has no such name. */
enum troupe_status troupe_register(troupe_self *self, const char *name) TROUPE_MUST_USE;
enum troupe_status troupe_unregister(troupe_self *self, const char *name);

/* Finds an actor, from any node: by a name that is registered, wherever that actor is, or by its path in the
 * configured tree ("/counter/3", "/reader"; a child of the tree's root also by its bare name, and the k-th of
 * `count` as "counter/k"). A look into memory, some 20 ns. No address if there is none. */
troupe_address troupe_lookup(troupe_self *self, const char *name) TROUPE_MUST_USE;

/* How many actors the configuration has under this path: the `count` of a child, 0 if there is none. */
uint32_t troupe_count(troupe_self *self, const char *path);

/* ---- Time ---- */

/* A timer of this actor. Zero is none. */
typedef struct troupe_timer {
    uint64_t id;
} troupe_timer;

/* troupe_after(self, &timer, 5 * TROUPE_SECOND, tick, .n = 1): gives the message to this actor once,
 * or every so often, after what is in its mailbox by then, full or not. At most one tick of a timer
 * waits there: a slow actor misses ticks, not memory. `timer` may be NULL. Cancelled with the run that
 * set it: no tick reaches a later run. Delays are at least 0, intervals more than 0 and up to 73 years.
 * INVALID (one that is not, the actor does not handle the message, or a field is not valid: the log says which),
 * STOPPING, NO_MEMORY. */
#define troupe_after(self, timer, delay, tr_message, ...)                                          \
    troupe_set_timer((self), (timer), (delay), 0, &tr_message##_message,                           \
                     &(const struct tr_message){ __VA_ARGS__ })
#define troupe_every(self, timer, interval, tr_message, ...)                                       \
    troupe_set_timer((self), (timer), (interval), TROUPE_X_INTERVAL(interval), &tr_message##_message, \
                     &(const struct tr_message){ __VA_ARGS__ })
#define troupe_after_empty(self, timer, delay, tr_message)                                         \
    troupe_set_timer((self), (timer), (delay), 0, &tr_message##_message, &(const struct tr_message){ 0 })
#define troupe_every_empty(self, timer, interval, tr_message)                                      \
    troupe_set_timer((self), (timer), (interval), TROUPE_X_INTERVAL(interval), &tr_message##_message, \
                     &(const struct tr_message){ 0 })
enum troupe_status troupe_set_timer(troupe_self *self, troupe_timer *timer, int64_t delay,
                                    int64_t interval, const struct troupe_message_type *type,
                                    const void *message);

/* After this no tick of the timer, which must be this actor's, is handled, even one already due. GONE when it
 * had fired or ended. */
enum troupe_status troupe_cancel(troupe_self *self, troupe_timer timer);

/* ---- Waiting within a handler ---- */

/* Handles the next message of this actor (or tick, answer, ready descriptor, signal) by its handler, within
 * the present one, and returns once that has returned. Waits for one for up to `timeout` nanoseconds; 0: only
 * looks; INT64_MAX: for as long as it takes. Where the present handler is itself one of a tick, a descriptor or
 * a signal, the next of that same timer, descriptor or signal comes like any other. Only for an actor with a
 * thread of its own: `place: { thread: own }` in the configuration, `own_thread` when it is spawned.
 *
 * OK: one was handled (one that became a dead letter when its turn came counts, too). TIMEOUT. STOPPING:
 * the actor is to stop, or has called troupe_exit: return soon; every further call says the same. INVALID:
 * the actor has no thread of its own, the handler at work was itself called by troupe_receive, or `timeout`
 * is negative. FAILED: the handler that was called failed, with whatever code. The run is over then, and ends
 * when the handler at work has returned, whatever that returns; every further call says FAILED or STOPPING.
 *
 * The message at hand counts as handled from the first call on, for order's sake: it is settled before those
 * that follow it, and is not delivered again. It stays valid, and may be answered, until its handler
 * returns: troupe_sender, troupe_reply and troupe_keep_asker always mean the message of the handler that
 * calls them. A start handler that calls troupe_receive counts as started from then on: an actor may be
 * written as a loop in there. */
enum troupe_status troupe_receive(troupe_self *self, int64_t timeout) TROUPE_MUST_USE;

/* ---- Telling people ---- */

enum troupe_level { TROUPE_DEBUG, TROUPE_INFO, TROUPE_WARNING, TROUPE_ERROR };

/* One line of the log: time, level, this actor's path, the text, cut off at 2 KiB. See log.h, also for lines with
 * fields. */
void troupe_log(troupe_self *self, enum troupe_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- Messages of Troupe's own ---- */

/* Starts an actor that takes no arguments. */
TROUPE_MESSAGE_EMPTY(troupe_none)

/* There is room again in a mailbox that refused a message of this actor with FULL. */
#define TROUPE_READY_FIELDS(field) field(address, to)
TROUPE_MESSAGE(troupe_ready, TROUPE_READY_FIELDS)

/* A message that this actor had sent became a dead letter. `message` is its type's name, `reason` an
 * enum troupe_status. One notice a message; when the message was lost with its sender there is none. */
#define TROUPE_UNDELIVERED_FIELDS(field) field(address, to) field(str, message) field(u32, reason)
TROUPE_MESSAGE(troupe_undelivered, TROUPE_UNDELIVERED_FIELDS)

/* ---- From here on: how the macros do it. Nothing below is to be used directly. ---- */

enum troupe_role {
    TROUPE_ROLE_HANDLE,
    TROUPE_ROLE_START,
    TROUPE_ROLE_STOP,
    TROUPE_ROLE_ANSWER,
    TROUPE_ROLE_BEHAVIOUR /* see behaviour.h */
};

/* Every handler, behind one type: msg points to the message, to an enum troupe_status (STOP) or to a
 * struct troupe_answer (ANSWER). */
typedef enum troupe_status (*troupe_thunk)(troupe_self *self, void *me, const void *msg);

struct troupe_behaviour;

struct troupe_entry {
    enum troupe_role role;
    const struct troupe_message_type *message; /* NULL for STOP, BEHAVIOUR */
    const struct troupe_message_type *reply;   /* for ANSWER, else NULL */
    troupe_thunk thunk;                        /* NULL for BEHAVIOUR */
    const struct troupe_behaviour *behaviour;  /* for BEHAVIOUR, else NULL */
};

struct troupe_actor_type {
    const char *name;
    uint32_t state_size;
    uint32_t entry_count;
    const struct troupe_entry *entries;
};

struct troupe_answer {
    enum troupe_status outcome;
    const void *request;
    const void *reply;
};

/* An interval of 0 is a mistake, not a timer that fires once. */
#define TROUPE_X_INTERVAL(interval) ((interval) > 0 ? (interval) : INT64_C(-1))

#define TROUPE_X_UNUSED __attribute__((unused))

#ifdef __cplusplus
#define TROUPE_X_ASSERT(tr_condition, tr_text) static_assert(tr_condition, tr_text);
#else
#define TROUPE_X_ASSERT(tr_condition, tr_text) _Static_assert(tr_condition, tr_text);
#endif

/* A typed function, and the thunk in front of it. */
#define TROUPE_X_TYPED(tr_actor, tr_suffix, tr_parameter, tr_name, tr_pointer)                     \
    static enum troupe_status tr_actor##_##tr_suffix(troupe_self *self, struct tr_actor *me, tr_parameter); \
    static enum troupe_status tr_actor##_troupe_##tr_suffix(troupe_self *self, void *me, const void *msg) { \
        return tr_actor##_##tr_suffix(self, (struct tr_actor *)me, (tr_pointer)msg);               \
    }                                                                                              \
    static enum troupe_status tr_actor##_##tr_suffix(TROUPE_X_UNUSED troupe_self *self,            \
                                                     TROUPE_X_UNUSED struct tr_actor *me,          \
                                                     TROUPE_X_UNUSED tr_parameter)

#define TROUPE_X_HANDLE(tr_actor, tr_message)                                                      \
    { TROUPE_ROLE_HANDLE, &tr_message##_message, NULL, tr_actor##_troupe_on_##tr_message, NULL }

#define TROUPE_X_EACH(f, a, ...)                                                                   \
    TROUPE_X_PICK(__VA_ARGS__, TROUPE_X_16, TROUPE_X_15, TROUPE_X_14, TROUPE_X_13, TROUPE_X_12,    \
                  TROUPE_X_11, TROUPE_X_10, TROUPE_X_9, TROUPE_X_8, TROUPE_X_7, TROUPE_X_6,        \
                  TROUPE_X_5, TROUPE_X_4, TROUPE_X_3, TROUPE_X_2, TROUPE_X_1, 0)                   \
    (f, a, __VA_ARGS__)
#define TROUPE_X_PICK(m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, f, ...) f
#define TROUPE_X_1(f, a, m) f(a, m)
#define TROUPE_X_2(f, a, m, ...) f(a, m), TROUPE_X_1(f, a, __VA_ARGS__)
#define TROUPE_X_3(f, a, m, ...) f(a, m), TROUPE_X_2(f, a, __VA_ARGS__)
#define TROUPE_X_4(f, a, m, ...) f(a, m), TROUPE_X_3(f, a, __VA_ARGS__)
#define TROUPE_X_5(f, a, m, ...) f(a, m), TROUPE_X_4(f, a, __VA_ARGS__)
#define TROUPE_X_6(f, a, m, ...) f(a, m), TROUPE_X_5(f, a, __VA_ARGS__)
#define TROUPE_X_7(f, a, m, ...) f(a, m), TROUPE_X_6(f, a, __VA_ARGS__)
#define TROUPE_X_8(f, a, m, ...) f(a, m), TROUPE_X_7(f, a, __VA_ARGS__)
#define TROUPE_X_9(f, a, m, ...) f(a, m), TROUPE_X_8(f, a, __VA_ARGS__)
#define TROUPE_X_10(f, a, m, ...) f(a, m), TROUPE_X_9(f, a, __VA_ARGS__)
#define TROUPE_X_11(f, a, m, ...) f(a, m), TROUPE_X_10(f, a, __VA_ARGS__)
#define TROUPE_X_12(f, a, m, ...) f(a, m), TROUPE_X_11(f, a, __VA_ARGS__)
#define TROUPE_X_13(f, a, m, ...) f(a, m), TROUPE_X_12(f, a, __VA_ARGS__)
#define TROUPE_X_14(f, a, m, ...) f(a, m), TROUPE_X_13(f, a, __VA_ARGS__)
#define TROUPE_X_15(f, a, m, ...) f(a, m), TROUPE_X_14(f, a, __VA_ARGS__)
#define TROUPE_X_16(f, a, m, ...) f(a, m), TROUPE_X_15(f, a, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
