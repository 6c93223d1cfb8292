/*
 * Actors that wait at shared memory without blocking: each wait ends exactly once, or with its run; what it holds is
 * given back; a wake that nobody was told of reaches somebody else. Others notify from outside the system, from
 * another process too. And all of it once more on a kernel that cannot wait at several words.
 */
#include "lib/system_test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place/host.h"

enum { WORD = 8, WOKEN = 0, ENDED = 1, MOST = 1016, ROUNDS = 1000 };

#define ORDER(field) field(str, what) field(u32, offset) field(u32, expected) field(i64, timeout) field(u32, n) \
    field(bool, looks)
TROUPE_MESSAGE(order, ORDER)

static troupe_shared *region;
static uint32_t descriptors; /* before there was one */

static void make_region(size_t size) {
    descriptors = process_descriptors();
    assert_int_equal(troupe_shared_new(size, &region), TROUPE_OK);
}

static _Atomic uint32_t *word_at(size_t offset) {
    return (_Atomic uint32_t *)(void *)((char *)troupe_shared_data(region) + offset);
}

static void notify_one(size_t offset) {
    while (troupe_shared_notify(region, offset, 1) == 0) sched_yield(); /* past the deadline the test is killed */
}

static void change(size_t offset, uint32_t value) {
    atomic_store(word_at(offset), value);
    troupe_shared_notify(region, offset, UINT32_MAX);
}

/* ---- An actor that does what it is told ---- */

struct waiter {
    troupe_shared_waiter last;
};

/* 0: for ever, unless it only looks. */
static int64_t timeout_of(const struct order *how) {
    if (how->looks) return 0;
    return how->timeout == 0 ? INT64_MAX : how->timeout;
}

static enum troupe_status wait_so(troupe_self *self, struct waiter *me, const struct order *how) {
    return troupe_shared_await(self, &me->last, region, how->offset, how->expected, timeout_of(how));
}

/* Each at a word of its own. */
static void wait_many(troupe_self *self, const struct order *how) {
    uint32_t taken = 0;
    enum troupe_status status = TROUPE_OK;
    for (; status == TROUPE_OK && taken < how->n; taken += status == TROUPE_OK)
        status = troupe_shared_await(self, NULL, region, how->offset + taken * sizeof(uint32_t), 0, timeout_of(how));
    board_note("many %u %s", taken, troupe_status_name(status));
}

TROUPE_ON(waiter, order) {
    const char *what = msg->what;
    if (strcmp(what, "wait") == 0) board_note("wait %s", troupe_status_name(wait_so(self, me, msg)));
    if (strcmp(what, "many") == 0) wait_many(self, msg);
    if (strcmp(what, "unwait") == 0) board_note("unwait %s", troupe_status_name(troupe_shared_unwait(self, me->last)));
    if (strcmp(what, "note") == 0) board_note("note");
    if (strcmp(what, "gate") == 0) gate_pass();
    if (strcmp(what, "block") == 0)
        board_note("blocked %d", (int)troupe_shared_wait(region, msg->offset, msg->expected, timeout_of(msg)));
    if (strcmp(what, "receive") == 0) board_note("received %s", troupe_status_name(troupe_receive(self, timeout_of(msg))));
    if (strcmp(what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(what, "exit") == 0) {
        (void)troupe_exit(self);
        board_note("wait %s", troupe_status_name(wait_so(self, me, msg)));
    }
    return TROUPE_OK;
}
TROUPE_ON(waiter, troupe_shared_waited) {
    board_add(ENDED, 1);
    if (msg->waiter == me->last.id) board_note("outcome %u", msg->outcome);
    return TROUPE_OK;
}
TROUPE_ACTOR(waiter, TROUPE_HANDLES(waiter, order, troupe_shared_waited))

/* Waits for the next number, again and again. */
struct follower { uint32_t seen; };
static enum troupe_status follow(troupe_self *self, struct follower *me) {
    board_add(WOKEN, 1);
    me->seen = atomic_load(word_at(WORD));
    return troupe_shared_await(self, NULL, region, WORD, me->seen, INT64_MAX);
}
TROUPE_START(follower, troupe_none) { return follow(self, me); }
TROUPE_ON(follower, troupe_shared_waited) {
    if (msg->outcome > TROUPE_SHARED_NOT_EQUAL) board_note("follower: outcome %u", msg->outcome);
    return follow(self, me);
}
TROUPE_ON(follower, order) {
    if (me->seen == msg->n) board_note("seen");
    return TROUPE_OK;
}
TROUPE_ACTOR(follower, TROUPE_STARTS(follower, troupe_none), TROUPE_HANDLES(follower, troupe_shared_waited, order))

struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    board_note("deaf %s", troupe_status_name(troupe_shared_await(self, NULL, region, 0, 0, INT64_MAX)));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

static const struct troupe_actor_type *const actors[] = { &waiter_actor, &follower_actor, &deaf_actor, NULL };
static const char tree[] =
    "{ threads: 2, tree: { restarts: 10, children: [ { name: a, actor: waiter }, { name: b, actor: waiter }, "
    "{ name: apart, actor: waiter, place: inproc }, { name: own, actor: waiter, place: { thread: own } }, "
    "{ name: deaf, actor: deaf } ] } }";

static troupe_system *begin(void) {
    make_region(2 * MOST * sizeof(uint32_t));
    return system_start(tree, actors);
}

/* Waits have references of their own, and have given them back. */
static void finish(troupe_system *system) {
    system_end(system, 0, NULL);
    troupe_shared_release(region);
    assert_int_equal(process_descriptors(), descriptors);
}

static void tell(troupe_system *system, const char *who, const struct order *how) {
    assert_int_equal(troupe_system_send_message(system, troupe_system_lookup(system, who), &order_message, how),
                     TROUPE_OK);
}
#define TELL(system, who, ...) tell((system), (who), &(const struct order){ __VA_ARGS__ })

/* ---- How waits end ---- */

static void ends_once(void **state) {
    static const char *const who[] = { "a", "own", "apart" };
    (void)state;
    troupe_system *system = begin();
    for (uint32_t i = 0; i < 3; i++) {
        TELL(system, who[i], .what = "wait", .offset = WORD);
        board_await_times("wait ok", i + 1);
        change(WORD, 1);
        board_await_tally(ENDED, i + 1);
        change(WORD, 0);
    }
    TELL(system, "a", .what = "wait", .offset = WORD, .expected = 1);
    board_await("outcome 1");
    TELL(system, "a", .what = "wait", .offset = WORD, .timeout = 5 * TROUPE_MILLISECOND);
    board_await("outcome 2");
    TELL(system, "a", .what = "wait", .offset = WORD, .looks = true);
    board_await_times("outcome 2", 2);
    assert_int_equal(troupe_shared_notify(region, WORD, UINT32_MAX), 0);
    TELL(system, "a", .what = "unwait");
    board_await("unwait gone");
    assert_int_equal(board_tally(ENDED), 6);
    finish(system);
}

/* The kernel's way only: a notify that changes nothing is counted, and heard. */
static void notify_counts_actors(void **state) {
    (void)state;
    troupe_system *system = begin();
    for (uint32_t i = 1; i <= 3; i++) TELL(system, i == 3 ? "apart" : "a", .what = "wait", .offset = WORD);
    board_await_times("wait ok", 3);
    for (uint32_t i = 1; i <= 3; i++) {
        notify_one(WORD);
        board_await_tally(ENDED, i);
    }
    assert_int_equal(troupe_shared_notify(region, WORD, UINT32_MAX), 0);
    finish(system);
}

static void is_refused(void **state) {
    (void)state;
    troupe_system *system = begin();
    TELL(system, "a", .what = "wait", .offset = 2);
    TELL(system, "a", .what = "wait", .offset = 2 * MOST * sizeof(uint32_t));
    TELL(system, "a", .what = "wait", .timeout = -1);
    board_await_times("wait invalid", 3);
    TELL(system, "deaf", .what = "wait");
    board_await("deaf invalid");
    TELL(system, "a", .what = "exit");
    board_await("wait stopping");
    finish(system);
}

/* ---- Waits that are given up ---- */

static void *wait_here(void *context) {
    (void)context;
    while (atomic_load(word_at(WORD)) == 0) (void)troupe_shared_wait(region, WORD, 0, INT64_MAX);
    return NULL;
}

/* Its one wake goes to whoever waits besides, if that does not see the change by itself. */
static void given_up(const char *how) {
    troupe_system *system = begin();
    pthread_t thread;
    TELL(system, "a", .what = "wait", .offset = WORD);
    board_await("wait ok");
    assert_int_equal(pthread_create(&thread, NULL, wait_here, NULL), 0);
    TELL(system, "a", .what = how);
    atomic_store(word_at(WORD), 1);
    troupe_shared_notify(region, WORD, 1);
    pthread_join(thread, NULL);
    TELL(system, "a", .what = "note");
    board_await("note");
    finish(system);
}

static void wake_is_passed_on_by_unwait(void **state) {
    (void)state;
    given_up("unwait");
}

static void wake_is_passed_on_by_end_of_run(void **state) {
    (void)state;
    given_up("fail");
}

/* What waits in the mailbox when it is given up, or its run ends, is never handled. */
static void nothing_after_the_end(const char *how) {
    troupe_system *system = begin();
    gate_close();
    TELL(system, "a", .what = "wait", .offset = WORD);
    board_await("wait ok");
    TELL(system, "a", .what = "gate");
    gate_await(1);
    TELL(system, "a", .what = how);
    change(WORD, 1);
    for (bool told = false; !told;) { /* until the thread that waited has let go of it */
        told = troupe_shared_notify(region, WORD, UINT32_MAX) == 0;
        sched_yield();
    }
    gate_open();
    TELL(system, "a", .what = "note");
    board_await("note");
    assert_int_equal(board_times("outcome 0") + board_times("outcome 1"), 0);
    finish(system);
}

static void nothing_after_unwait(void **state) {
    (void)state;
    nothing_after_the_end("unwait");
}

static void nothing_in_the_next_run(void **state) {
    (void)state;
    nothing_after_the_end("fail");
}

static void system_ends_while_many_wait(void **state) {
    (void)state;
    troupe_system *system = begin();
    TELL(system, "a", .what = "many", .n = 300);
    TELL(system, "apart", .what = "many", .n = 300);
    TELL(system, "own", .what = "many", .n = 5);
    board_await_times("many 300 ok", 2);
    board_await("many 5 ok");
    finish(system);
}

/* ---- Many ---- */

static void limit_is_told_and_all_are_woken(void **state) {
    (void)state;
    troupe_system *system = begin();
    TELL(system, "a", .what = "many", .n = MOST + 1);
    board_await("many 1016 limit");
    for (uint32_t i = 0; i < MOST; i++) change(i * sizeof(uint32_t), 1);
    board_await_tally(ENDED, MOST);
    for (uint32_t i = 0; i < MOST; i++) atomic_store(word_at(i * sizeof(uint32_t)), 0);
    TELL(system, "a", .what = "many", .n = MOST, .timeout = TROUPE_MILLISECOND); /* there is room again */
    board_await("many 1016 ok");
    board_await_tally(ENDED, 2 * MOST);
    assert_int_equal(board_tally(ENDED), 2 * MOST);
    finish(system);
}

/* ---- Threads of their own ---- */

static void own_thread_may_block(void **state) {
    (void)state;
    troupe_system *system = begin();
    TELL(system, "own", .what = "block", .offset = WORD);
    notify_one(WORD);
    board_await("blocked 0");
    TELL(system, "own", .what = "wait", .offset = WORD);
    board_await("wait ok");
    TELL(system, "own", .what = "receive");
    change(WORD, 1);
    board_await("received ok");
    assert_int_equal(board_tally(ENDED), 1);
    finish(system);
}

/* ---- Another process ---- */

static int count_up(void) {
    for (uint32_t i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(word_at(WORD), 1);
        troupe_shared_notify(region, WORD, UINT32_MAX);
        for (uint32_t k = 0; k < 50; k++) troupe_shared_notify(region, (k % 64) * sizeof(uint32_t), UINT32_MAX);
    }
    return 0;
}

static pid_t child(int (*run)(void)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(run());
    return pid;
}

static void expect_well(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* It is forked before there are threads, and waits until the actors follow. However often it notifies, each wait brings
 * one message, and the last number is seen. */
static int count_up_once_told(void) {
    while (atomic_load(word_at(0)) == 0) (void)troupe_shared_wait(region, 0, 0, INT64_MAX);
    return count_up();
}

static void another_process_notifies_in_a_storm(void **state) {
    static const char config[] = "{ threads: 2, tree: { children: [ { name: a, actor: follower }, "
                                 "{ name: apart, actor: follower, place: inproc } ] } }";
    (void)state;
    make_region(4096);
    pid_t pid = child(count_up_once_told);
    troupe_system *system = system_start(config, actors);
    board_await_tally(WOKEN, 2);
    change(0, 1);
    expect_well(pid);
    assert_int_equal(atomic_load(word_at(WORD)), ROUNDS);
    while (board_times("seen") < 2) { /* past the deadline the test is killed */
        TELL(system, "a", .n = ROUNDS);
        TELL(system, "apart", .n = ROUNDS);
        board_await_tally(WOKEN, 2);
        sched_yield();
    }
    assert_true(board_tally(WOKEN) <= 2 * (1 + ROUNDS * 51));
    assert_string_equal(board_lines("follower"), "");
    finish(system);
}

/* ---- An older kernel ---- */

enum { SYSTEM_CALL = 449, NOT_ALLOWED = SECCOMP_RET_ERRNO | ENOSYS };

static bool forget_futex_waitv(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* the number of the call is the first field */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYSTEM_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, NOT_ALLOWED),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = tree };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    TELL(system, "apart", .what = "note");
    board_await("note");
    assert_int_equal(troupe_system_free(system), 0);
}

static int run_on_an_older_kernel(void) {
    if (!forget_futex_waitv()) return 1; /* a process without the right to say so: nothing was tested */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_once),
        cmocka_unit_test(nothing_after_unwait),
        cmocka_unit_test(nothing_in_the_next_run),
        cmocka_unit_test(system_ends_while_many_wait),
        cmocka_unit_test(limit_is_told_and_all_are_woken),
        cmocka_unit_test(another_process_notifies_in_a_storm),
    };
    start_transport();
    int failed = cmocka_run_group_tests_name("older kernel", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}

static bool went_well_on_an_older_kernel;

static void older_kernel(void **state) {
    (void)state;
    assert_true(went_well_on_an_older_kernel);
}

/* In a process of its own, before this one has threads. */
int main(void) {
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(run_on_an_older_kernel());
    went_well_on_an_older_kernel = pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_once),
        cmocka_unit_test(notify_counts_actors),
        cmocka_unit_test(is_refused),
        cmocka_unit_test(wake_is_passed_on_by_unwait),
        cmocka_unit_test(wake_is_passed_on_by_end_of_run),
        cmocka_unit_test(nothing_after_unwait),
        cmocka_unit_test(nothing_in_the_next_run),
        cmocka_unit_test(system_ends_while_many_wait),
        cmocka_unit_test(limit_is_told_and_all_are_woken),
        cmocka_unit_test(own_thread_may_block),
        cmocka_unit_test(another_process_notifies_in_a_storm),
        cmocka_unit_test(older_kernel),
    };
    start_transport();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0) tr_host_fini();
    return failed;
}
