/*
 * Supervisors as actors: children that are added, stopped and looked at while the program runs, supervisors that
 * are started from code, and what a supervised actor tells its supervisor.
 *
 *     TROUPE_ON(boss, open) {
 *         troupe_address pool = troupe_lookup(self, "/pool");
 *         return troupe_ask_start_child(self, pool, TROUPE_SECOND, NULL, worker, job, .from = 1);
 *     }
 *     TROUPE_ANSWER(boss, troupe_start_child, troupe_child) {
 *         if (outcome == TROUPE_OK && reply->status == TROUPE_OK) me->worker = reply->address;
 *         return TROUPE_OK;
 *     }
 *     TROUPE_ACTOR(boss, TROUPE_HANDLES(boss, open), TROUPE_ANSWERS(boss, troupe_start_child, troupe_child))
 *
 * A supervisor is an actor at an address like any other: those of the configuration are found by their paths
 * (troupe_lookup; "/" is the root), others are started from code (troupe_supervisor_actor). Its requests are
 * ordinary messages, which any actor on any node may ask of it; most are answered with a troupe_child. The words
 * and meanings are those of OTP's supervisor(3); what differs is said here.
 *
 * Children that code has added run on the supervisor's own node, on its workers: a thread of its own is for actors that
 * are configured or spawned. Each has an address of its own, which stays the same while it is restarted and is stale
 * once its supervisor has forgotten it. They are forgotten, too, when the supervisor itself ends or is restarted; then
 * only those come again that it was configured or started with.
 */
#ifndef TROUPE_SUPERVISOR_H
#define TROUPE_SUPERVISOR_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Words ---- */

/* Who is restarted when a child has failed: that child; all; that one and those started after it. DYNAMIC
 * (OTP's simple_one_for_one) is for children that code adds: any number, without order, stopped all at once, and
 * forgotten as soon as they do not run any more. */
enum troupe_strategy { TROUPE_ONE_FOR_ONE, TROUPE_ONE_FOR_ALL, TROUPE_REST_FOR_ONE, TROUPE_DYNAMIC };

/* When a child is started again: always; unless its work was done; never, and then it is forgotten. */
enum troupe_restart { TROUPE_PERMANENT, TROUPE_TRANSIENT, TROUPE_TEMPORARY };

/* Does a supervisor end when a significant child has ended by itself, or when the last of them has? */
enum troupe_auto_shutdown { TROUPE_NEVER, TROUPE_ANY_SIGNIFICANT, TROUPE_ALL_SIGNIFICANT };

#define TROUPE_INFINITY INT64_MAX      /* a deadline that there is none */
#define TROUPE_KILL INT64_C(-1)        /* `shutdown`: without asking first */
#define TROUPE_NO_RESTARTS UINT32_MAX  /* `restarts`: the first failure is one too many */

/* X(code, name): what a child is at. */
#define TROUPE_CHILD_LIST(X)                                                                       \
    X(UNKNOWN, "unknown")   /* the supervisor has no such child */                                 \
    X(DOWN, "down")         /* its turn to be started comes */                                     \
    X(STARTING, "starting") /* it runs and is not ready yet */                                     \
    X(RUNNING, "running")                                                                          \
    X(STOPPING, "stopping") /* it was told to stop */                                              \
    X(KILLING, "killing")                                                                          \
    X(ENDED, "ended")       /* what follows is not decided yet */                                  \
    X(WAITING, "waiting")   /* for the end of its backoff */                                       \
    X(RESTING, "resting")   /* until somebody asks for it, or its siblings are restarted */

enum troupe_child_state {
#define TROUPE_CHILD_ENUM(code, name) TROUPE_CHILD_##code,
    TROUPE_CHILD_LIST(TROUPE_CHILD_ENUM)
#undef TROUPE_CHILD_ENUM
        TROUPE_CHILD_STATES
};

/* "running"; "unknown" for what is no state. Never NULL. Any thread. */
const char *troupe_child_state_name(enum troupe_child_state state);

/* ---- A child as it is described ---- */

/* Zero is the default of everything. Durations in nanoseconds. The string is copied. */
struct troupe_child_options {
    const char *name;       /* as of troupe_register, and the last part of its path; NULL: it gets a number */
    enum troupe_restart restart;
    int64_t shutdown;       /* from the order to stop until it is killed; 0: 5 s, supervisors INFINITY; KILL */
    int64_t ready;          /* from its start until it must be ready, else it is killed; 0: INFINITY */
    bool significant;       /* counts for auto_shutdown; not if it is permanent */
    uint32_t mailbox_limit; /* messages; 0: 1024 */
    bool drop_newest;       /* a full mailbox drops what arrives, as a dead letter, instead of refusing */
    bool keep_mailbox;      /* when it is restarted because of a sibling */
    bool at_least_once;     /* a message whose handler failed is handled again by the next run */
};

/* The same as a message. actor: the name of its type. start: of the type of its start message; args: that, packed
 * (docs/wire.md). restart: enum troupe_restart. Filled by the functions below. */
#define TROUPE_CHILD_SPEC_FIELDS(field)                                                            \
    field(str, name) field(str, actor) field(str, start) field(bytes, args) field(u32, restart)    \
    field(i64, shutdown) field(i64, ready) field(bool, significant) field(u32, mailbox_limit)      \
    field(bool, drop_newest) field(bool, keep_mailbox) field(bool, at_least_once)
TROUPE_MESSAGE(troupe_child_spec, TROUPE_CHILD_SPEC_FIELDS)

/* troupe_describe_child(&children[0], &options, worker, job, .from = 1)
 *
 * Describes a child for troupe_supervise. `options` may be NULL; their name must live as long as the description.
 * The start message is packed into memory that is the caller's, for troupe_child_spec_free. Any thread. INVALID (the
 * actor is not started with such a message, or a field is not valid), TOO_BIG, NO_MEMORY: nothing is to be freed. */
#define troupe_describe_child(spec, options, tr_actor, tr_message, ...)                            \
    troupe_describe_child_of((spec), (options), &tr_actor##_actor, &tr_message##_message,          \
                             &(const struct tr_message){ __VA_ARGS__ })
#define troupe_describe_child_empty(spec, options, tr_actor)                                       \
    troupe_describe_child_of((spec), (options), &tr_actor##_actor, &troupe_none_message,           \
                             &(const struct troupe_none){ 0 })
enum troupe_status troupe_describe_child_of(struct troupe_child_spec *spec,
                                            const struct troupe_child_options *options,
                                            const struct troupe_actor_type *actor,
                                            const struct troupe_message_type *type,
                                            const void *args) TROUPE_MUST_USE;
void troupe_child_spec_free(struct troupe_child_spec *spec);

/* ---- Requests, and what answers them ---- */

/* status: enum troupe_status; why: for people, "" if there is nothing to add. address: of the child, no address if it
 * has none at the moment. name: its own. state: enum troupe_child_state, as the request left it. */
#define TROUPE_CHILD_FIELDS(field)                                                                 \
    field(u32, status) field(str, why) field(address, address) field(str, name) field(u32, state)
TROUPE_MESSAGE(troupe_child, TROUPE_CHILD_FIELDS)

/* Adds a child to the right of the others and starts it. Answered with a troupe_child once it is ready:
 * OK. With no address, and RESTING or UNKNOWN: it had nothing to do (troupe_ignore).
 * EXISTS: the supervisor has a child of this name, whose address and state are told: it runs, or it rests and
 *   may be restarted or deleted.
 * FAILED: it did not become ready; `why` is its death. It is forgotten, and counts as no restart.
 * INVALID: what is described cannot be; `why` says what is wrong. NOT_FOUND: there is no such actor type.
 * LIMIT: max_children, or the actors of this node. STOPPING: the supervisor ends. NO_MEMORY.
 * To a supervisor with a template (`child` below, and in the configuration) everything but the start message, and a
 * name, must be left out, and the actor be that of the template; without an actor it is started with the template's
 * own start message: troupe_ask_empty(self, pool, troupe_start_child, timeout). */
#define TROUPE_START_CHILD_FIELDS(field) field(message(troupe_child_spec), child)
TROUPE_MESSAGE(troupe_start_child, TROUPE_START_CHILD_FIELDS)

/* troupe_ask_start_child(self, supervisor, 2 * TROUPE_SECOND, &options, worker, job, .from = 1)
 *
 * Asks it, with a start message as troupe_spawn takes one; `options` may be NULL. The actor needs a
 * TROUPE_ANSWER for troupe_start_child and troupe_child. The codes of troupe_ask, and INVALID when the actor is not
 * started with such a message (the log says so). An ask that times out takes nothing back: the child may yet start. */
#define troupe_ask_start_child(self, supervisor, timeout, options, tr_actor, tr_message, ...)      \
    troupe_ask_start_child_of((self), (supervisor), (timeout), (options), &tr_actor##_actor,       \
                              &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
#define troupe_ask_start_child_empty(self, supervisor, timeout, options, tr_actor)                 \
    troupe_ask_start_child_of((self), (supervisor), (timeout), (options), &tr_actor##_actor,       \
                              &troupe_none_message, &(const struct troupe_none){ 0 })
enum troupe_status troupe_ask_start_child_of(troupe_self *self, troupe_address supervisor, int64_t timeout,
                                             const struct troupe_child_options *options,
                                             const struct troupe_actor_type *actor,
                                             const struct troupe_message_type *type, const void *args);

/* Which child: by its name ("counter/3" is the fourth of a configured `count`), or, if that is "", by its address. */
#define TROUPE_WHICH_CHILD_FIELDS(field) field(str, name) field(address, address)

/* Stops a child; the answer comes when it has ended. It rests then, until it is restarted or deleted, or a sibling's
 * failure restarts it; temporary children, and those of DYNAMIC, are forgotten.
 * OK (also for one that rests already), NOT_FOUND, STOPPING, LIMIT, NO_MEMORY. */
TROUPE_MESSAGE(troupe_terminate_child, TROUPE_WHICH_CHILD_FIELDS)

/* Starts one that rests; answered as troupe_start_child is, but one that fails rests again. Of a child that code
 * had added, the address is a new one. BUSY: it does not rest (the state says what it is at). INVALID: DYNAMIC. */
TROUPE_MESSAGE(troupe_restart_child, TROUPE_WHICH_CHILD_FIELDS)

/* Forgets one that rests, configured ones included. OK, BUSY, NOT_FOUND, INVALID (DYNAMIC), STOPPING. */
TROUPE_MESSAGE(troupe_delete_child, TROUPE_WHICH_CHILD_FIELDS)

/* Who there is, from left to right: those behind the child with the number `after` (0: from the first), at most
 * `limit` (0, and at most: 1000). Answered with troupe_children; if there are `more`, ask again, after the last. */
#define TROUPE_WHICH_CHILDREN_FIELDS(field) field(u64, after) field(u32, limit)
TROUPE_MESSAGE(troupe_which_children, TROUPE_WHICH_CHILDREN_FIELDS)

/* number: rises from left to right, never given twice. actor: the name of its type. state: enum troupe_child_state, and
 * since when, in the time of troupe_now of the supervisor's node. restarts: starts but the first, those that failed
 * included. restart: enum troupe_restart. failure: its latest death that was one, as troupe_death_print has it (death.h),
 * whatever it died of, its process included; "": none that this run of the supervisor has seen. failed_at: when that
 * was, ns since 1970, by the clock of its own node. */
#define TROUPE_CHILD_INFO_FIELDS(field)                                                            \
    field(u64, number) field(str, name) field(str, path) field(str, actor) field(address, address) \
    field(bool, is_supervisor) field(u32, state) field(i64, since) field(u64, restarts)            \
    field(u32, restart) field(str, failure) field(i64, failed_at)
TROUPE_MESSAGE(troupe_child_info, TROUPE_CHILD_INFO_FIELDS)

/* now: troupe_now there, to compare `since` with. strategy: enum troupe_strategy. */
#define TROUPE_CHILDREN_FIELDS(field)                                                              \
    field(array(message(troupe_child_info)), children) field(bool, more) field(i64, now) field(u32, strategy)
TROUPE_MESSAGE(troupe_children, TROUPE_CHILDREN_FIELDS)

/* How many there are; answered with troupe_child_counts, whatever their number at once. */
TROUPE_MESSAGE_EMPTY(troupe_count_children)

/* specs: all, those that rest included; active: that run, from their start to their end; supervisors, workers: of
 * all. */
#define TROUPE_CHILD_COUNTS_FIELDS(field)                                                          \
    field(u32, specs) field(u32, active) field(u32, supervisors) field(u32, workers)
TROUPE_MESSAGE(troupe_child_counts, TROUPE_CHILD_COUNTS_FIELDS)

/* ---- Supervisors from code ---- */

/* How long a child waits before it is started again: `initial`, then each time in a row `factor` percent of what it
 * was, at most `maximum`; one that ran for `reset` begins anew. `jitter`: up to so many percent more or less, drawn
 * each time. initial 0: not at all. Defaults: factor 200, maximum 30 s, reset 1 minute, jitter 0. */
#define TROUPE_BACKOFF_FIELDS(field)                                                               \
    field(i64, initial) field(i64, maximum) field(i64, reset) field(u32, factor) field(u32, jitter)
TROUPE_MESSAGE(troupe_backoff, TROUPE_BACKOFF_FIELDS)

/* The start message of a supervisor. restarts: so many are allowed ... (0: 1; TROUPE_NO_RESTARTS) within: ... in this
 * time (0: 5 s); one more and it gives up, which is its own supervisor's matter. max_children: at once, 0: 1,048,576.
 * children: that it begins with, from left to right, and again whenever it is restarted. child: DYNAMIC only: what each
 * of its children is, a template; without an actor: whatever is asked for.
 *
 * Wherever an actor is started: troupe_ask_start_child(self, above, timeout, &options, troupe_supervisor,
 * troupe_supervise, .strategy = TROUPE_DYNAMIC), troupe_spawn, and as a child of another troupe_supervise, to any
 * depth. One that is spawned is nobody's child: if it gives up, it is gone with all below it. */
#define TROUPE_SUPERVISE_FIELDS(field)                                                             \
    field(u32, strategy) field(u32, auto_shutdown) field(u32, restarts) field(i64, within)         \
    field(u32, max_children) field(message(troupe_backoff), backoff)                               \
    field(array(message(troupe_child_spec)), children) field(message(troupe_child_spec), child)
TROUPE_MESSAGE(troupe_supervise, TROUPE_SUPERVISE_FIELDS)

TROUPE_ACTOR_DECLARE(troupe_supervisor)

/* ---- What a supervised actor tells its supervisor ---- */

/* In a start handler: this run is not ready when the handler returns OK, but when it calls troupe_started, from any
 * later handler. It is given messages meanwhile. Its supervisor starts the next child, and answers
 * whoever has asked for this one, only then; and kills it if that takes longer than its `ready` deadline. INVALID: not
 * in a start handler. Of an actor that nobody supervises neither changes anything. */
enum troupe_status troupe_start_later(troupe_self *self);
/* More than once, or without the other, changes nothing. */
void troupe_started(troupe_self *self);

/* return troupe_ignore(self);
 *
 * There is nothing to do for this actor (OTP's `ignore`): in a start handler, or before troupe_started. The run ends
 * in order and counts neither as started nor as failed: the supervisor goes on with the next child, and lets
 * this one rest. Later, or of an actor that nobody supervises, it is troupe_exit. Returns TROUPE_OK. */
enum troupe_status troupe_ignore(troupe_self *self);

/* ---- State across restarts ---- */

enum { TROUPE_SAVE_MAX = 1 << 20 }; /* bytes of what is saved, packed */

/* troupe_save(self, ledger, .total = me->total)
 *
 * Hands a message to this actor's supervisor, which gives it to the next run, and the runs after that, until another is
 * saved: the last one counts. Packed, up to TROUPE_SAVE_MAX bytes. It is kept as long as the supervisor knows this
 * child: over failures, stops and restarts on request, and over the death of this actor's process, if the supervisor
 * is in another one. It is lost when the child is forgotten and when the supervisor's own run ends; and what had not
 * arrived at the supervisor yet when this process was killed is lost with it: then the one before counts.
 * What failed is not saved by itself: whoever saves in the handler of a message, and fails after that, has saved.
 *
 * A message to the supervisor, with the codes of troupe_send: FULL (its mailbox is; save again later), TOO_BIG,
 * INVALID (a field is not valid, or nobody supervises this actor: the log says which), NO_MEMORY. */
#define troupe_save(self, tr_message, ...)                                                         \
    troupe_save_message((self), &tr_message##_message, &(const struct tr_message){ __VA_ARGS__ })
enum troupe_status troupe_save_message(troupe_self *self, const struct troupe_message_type *type,
                                       const void *message);
/* Nothing is saved any more. The same codes. */
enum troupe_status troupe_save_nothing(troupe_self *self);

/* const struct ledger *before = troupe_saved(self, ledger);
 *
 * In a start handler: what the last run that saved anything had saved, valid until the start handler returns. NULL:
 * nothing, a message of another name, or bytes that are none of this one (the log says so); and in any other handler.
 * Fields that were added since are zero or empty. */
#define troupe_saved(self, tr_message)                                                             \
    ((const struct tr_message *)troupe_saved_message((self), &tr_message##_message))
const void *troupe_saved_message(troupe_self *self, const struct troupe_message_type *type);

#ifdef __cplusplus
}
#endif
#endif
