/*
 * A test kit: real actors, run step by step in the calling thread, on time that is a number.
 *
 *     troupe_test *kit = troupe_test_new(.actors = actors, .config = tree);
 *     troupe_self *self = troupe_test_self(kit);                      the test is an actor, too: the probe
 *     troupe_address counter = troupe_test_lookup(kit, "/counter");
 *
 *     troupe_send(self, counter, count, .word = "the", .n = 3);
 *     troupe_ask(self, counter, lookup, 2 * TROUPE_SECOND, .word = "the");
 *     assert(troupe_test_expect_reply(kit, found)->n == 3);
 *
 *     troupe_test_crash(kit, counter, "out of luck");
 *     assert(troupe_test_expect_death(kit, "/counter")->kind == TROUPE_DEATH_FAILED);
 *     troupe_test_advance(kit, 5 * TROUPE_SECOND);
 *     troupe_test_free(kit);
 *
 * There are no threads, no sleeping, no sockets: the actors, their supervisors and all timers are those of a running
 * program, but they run only while the test calls the kit, one message at a time, and time passes only where
 * the test says so. So a test of an hour of backoff takes as long as its messages, and does the same each time.
 *
 * What is not as in a program:
 *   - all is on one node, wherever the configuration places it: no process dies, nothing is serialised unless
 *     TROUPE_SERIALIZE=always is set;
 *   - troupe_work makes its call at once, before it returns; its reply comes as ever;
 *   - an actor with a thread of its own has none: troupe_receive tells it INVALID;
 *   - signals do not come; descriptors are looked at before each step, and nothing waits for them;
 *   - troupe_shared_await returns SYSTEM: who wakes at shared memory is a thread;
 *   - external programs do not start: troupe_command tells its owner so;
 *   - dates (the `at` of a death) are the computer's.
 *
 * A test that fails says where it stands, what was expected, what came instead and what waits where, to `fail`
 * of the options, or to standard error, and then aborts. `fail` may leave by longjmp, as test frameworks do: the kit
 * stays usable. If it returns, the function that failed returns NULL or a zero.
 *
 * One thread for each kit; several kits may be in use at once. Nothing here may be called from a handler.
 */
#ifndef TROUPE_TEST_H
#define TROUPE_TEST_H

#include <troupe/actor.h>
#include <troupe/death.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troupe_test troupe_test;

/* Zero is the default of everything. Strings and arrays must last until troupe_test_new returns. */
struct troupe_test_options {
    const struct troupe_actor_type *const *actors; /* ends with NULL; NULL: none */
    const char *config;          /* YAML, the tree included; NULL: config_file */
    const char *config_file;     /* NULL too: no tree, only what is spawned */
    const char *const *settings; /* "key=value" as for --set, ends with NULL */
    const char *trace_file;      /* as for --trace: the same seed writes the same trace; NULL: none */
    /* 0: what is to run does so first come, first served. Else whose turn it is next is drawn from this seed: another
     * seed, another order, as threads might have it; the same seed, the same order. Messages between two actors keep
     * theirs in any case. */
    uint64_t seed;
    /* Takes a failure: file and line of the call that failed, and the text. NULL: see above. */
    void (*fail)(void *context, const char *file, int line, const char *text);
    void *context;
};

/* troupe_test_new(.actors = actors, .config = "tree: ..."): the options, as many as are wanted.
 * Starts all that can start without time passing. NULL, after a failure: the options or the configuration are wrong,
 * or there is no memory. A tree that gives up at once is no failure yet: troupe_test_ended tells. */
#define troupe_test_new(...)                                                                       \
    troupe_test_begin(&(const struct troupe_test_options){ __VA_ARGS__ }, __FILE__, __LINE__)
troupe_test *troupe_test_begin(const struct troupe_test_options *options, const char *file, int line) TROUPE_MUST_USE;

/* Ends the application in order, with as much time as that takes, unless it has ended; then checks that all messages
 * are accounted for (contract 3 of docs/guarantees.md) and that no buffer is left, and releases everything. Returns
 * the exit code that the program would have had: 137 if the configured deadline of the end had passed. NULL is 0. */
#define troupe_test_free(kit) troupe_test_end((kit), __FILE__, __LINE__)
int troupe_test_end(troupe_test *kit, const char *file, int line);

/* ---- The probe: the test as an actor ---- */

/* What a handler is given, for the test itself: with it, the test sends, asks, spawns, registers, sets timers,
 * stops actors, as the headers say of a handler of an actor that handles every message and every answer.
 * What these functions do has no effect on others before the next call of the kit. No message is at hand: reply by
 * troupe_answer_later and troupe_test_asker. It is the same pointer from beginning to end.
 * If the probe ends (troupe_exit, a link, somebody stops it), another takes its place at the next call of the kit:
 * with another address, and without the asks, timers, names and monitors that it had. What it has got stays. */
troupe_self *troupe_test_self(troupe_test *kit);

/* As troupe_lookup; a failure if there is none. */
#define troupe_test_lookup(kit, name) troupe_test_find_actor((kit), (name), __FILE__, __LINE__)
troupe_address troupe_test_find_actor(troupe_test *kit, const char *name, const char *file, int line);

/* ---- Running ---- */

/* Until nothing is left to do at this time. A failure after a million steps: then somebody goes on for ever. */
#define troupe_test_run(kit) troupe_test_run_all((kit), __FILE__, __LINE__)
void troupe_test_run_all(troupe_test *kit, const char *file, int line);

/* The same, then lets so many nanoseconds pass: what is due on the way happens when it is due, in that order. As in a
 * program, timers count in ticks of a millisecond: one is never early, and may be late by less than a tick. A kit has a hundred
 * years: a failure, and nothing passes, if that is not enough. */
#define troupe_test_advance(kit, duration) troupe_test_let_pass((kit), (duration), __FILE__, __LINE__)
void troupe_test_let_pass(troupe_test *kit, int64_t duration, const char *file, int line);

/* ---- What the probe got ---- */

/* Runs until nothing is left to do, and takes the first of what the probe has got and the test has not taken: it must
 * be such a message; else, and when there is none, that is a failure. It may be read until the next call that takes
 * something. What Troupe tells a sender (troupe_undelivered, troupe_ready) is passed over, unless it is expected.
 *     const struct count *got = troupe_test_expect(kit, count); */
#define troupe_test_expect(kit, tr_message)                                                        \
    ((const struct tr_message *)troupe_test_take((kit), &tr_message##_message, 0, __FILE__, __LINE__))

/* The same, but if there is nothing yet lets time pass until there is, up to `duration`. */
#define troupe_test_expect_within(kit, duration, tr_message)                                       \
    ((const struct tr_message *)troupe_test_take((kit), &tr_message##_message, (duration), __FILE__, __LINE__))

/* The first such message, whatever came before it: that stays. For what may come in any order. */
#define troupe_test_expect_among(kit, tr_message)                                                  \
    ((const struct tr_message *)troupe_test_take_any((kit), &tr_message##_message, __FILE__, __LINE__))

/* As troupe_test_expect, for an ask of the probe: it must have ended with such a reply, or with this outcome. Lets no
 * time pass: for a TIMEOUT advance first. */
#define troupe_test_expect_reply(kit, tr_message)                                                  \
    ((const struct tr_message *)troupe_test_take_reply((kit), &tr_message##_message, __FILE__, __LINE__))
#define troupe_test_expect_outcome(kit, outcome) troupe_test_take_outcome((kit), (outcome), __FILE__, __LINE__)

/* There must be nothing that the test has not taken. */
#define troupe_test_expect_nothing(kit) troupe_test_check_empty((kit), __FILE__, __LINE__)

/* Of the message that was taken last: its sender, and, if it was an ask, its asker, to be answered once:
 *     troupe_answer_later(self, troupe_test_asker(kit), found, .n = 3); */
struct troupe_asker troupe_test_asker(const troupe_test *kit);

const void *troupe_test_take(troupe_test *kit, const struct troupe_message_type *type, int64_t within,
                             const char *file, int line);
const void *troupe_test_take_any(troupe_test *kit, const struct troupe_message_type *type, const char *file, int line);
const void *troupe_test_take_reply(troupe_test *kit, const struct troupe_message_type *type, const char *file,
                                   int line);
void troupe_test_take_outcome(troupe_test *kit, enum troupe_status outcome, const char *file, int line);
void troupe_test_check_empty(troupe_test *kit, const char *file, int line);

/* ---- What became of the actors ---- */

/* Runs until nothing is left to do, and takes the first end of a run of the actor with this path that the test has not
 * taken: any end, not failures alone. A failure if there is none. It may be read until the next call that takes an
 * end. The last 1024 ends are kept. */
#define troupe_test_expect_death(kit, path) troupe_test_take_death((kit), (path), __FILE__, __LINE__)
const struct troupe_death *troupe_test_take_death(troupe_test *kit, const char *path, const char *file, int line);

/* The beginnings and ends of all runs since the last call, supervisors included, in their order, a blank between two:
 * a beginning is "+/reader", an end its kind (death.h) and the path, "failed/reader":
 *
 *     "failed/b stopped/c +/b +/c"
 *
 * Runs until nothing is left to do. Valid until the next call. Only the last 64 KiB are kept. */
#define troupe_test_life(kit) troupe_test_take_life((kit), __FILE__, __LINE__)
const char *troupe_test_take_life(troupe_test *kit, const char *file, int line);

/* A run is under way at this address. Only looks, as the next one: nobody has a turn for it. */
bool troupe_test_lives(troupe_test *kit, troupe_address address);

/* The application has ended, with this code (NULL: not wanted): its tree gave up, or somebody called
 * troupe_shutdown. */
bool troupe_test_ended(troupe_test *kit, int *code);

/* The lines of the log since the last call, without their dates: "warning /reader: no such file\n". Valid until the
 * next call. Only the last 64 KiB are kept. */
const char *troupe_test_log(troupe_test *kit);

/* As troupe_system_counts. */
void troupe_test_counts(troupe_test *kit, struct troupe_counts *counts);

/* ---- Faults ---- */

/* This actor handles what it has been sent up to now; then its present run ends, as if a handler had called
 * TROUPE_FAIL with this text, unless it has ended of what it handled. A supervisor, too. A failure if nobody runs
 * there. What follows, follows with the next call of the kit: so several can fail at once. */
#define troupe_test_crash(kit, address, why) troupe_test_fail_run((kit), (address), (why), __FILE__, __LINE__)
void troupe_test_fail_run(troupe_test *kit, troupe_address address, const char *why, const char *file, int line);

/* The run is killed, as by a supervisor when a deadline is past: without its stop handler. */
#define troupe_test_kill(kit, address) troupe_test_kill_run((kit), (address), __FILE__, __LINE__)
void troupe_test_kill_run(troupe_test *kit, troupe_address address, const char *file, int line);

/* As if a handler of this actor did not return: it is given nothing more and does not stop, until it is released. A
 * kill ends it all the same, as that of its process would. Its mailbox fills. A failure if nobody runs there; one
 * that is not held is released without effect. troupe_test_free releases all. */
#define troupe_test_hold(kit, address) troupe_test_hold_run((kit), (address), __FILE__, __LINE__)
void troupe_test_hold_run(troupe_test *kit, troupe_address address, const char *file, int line);
void troupe_test_release(troupe_test *kit, troupe_address address);

/* The next so many runs of the actor with this path fail in their beginning, with this text, instead of calling its
 * start handler. 0: no more. */
#define troupe_test_fail_starts(kit, path, times, why)                                             \
    troupe_test_refuse_runs((kit), (path), (times), (why), __FILE__, __LINE__)
void troupe_test_refuse_runs(troupe_test *kit, const char *path, uint32_t times, const char *why, const char *file,
                             int line);

#ifdef __cplusplus
}
#endif
#endif
