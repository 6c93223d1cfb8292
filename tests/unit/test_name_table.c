/*
 * The table of names: by itself, from threads, from processes that are killed or stopped in the midst of it, full,
 * and with garbage in it. The processes of the tests share memory as those of an application do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/random.h"
#include "services/name_table.h"

enum { NODES = 8 };

static void *memory;
static struct tr_names names; /* as node 1 sees them */

static struct tr_name_owner owner(uint64_t node, uint32_t slot, uint64_t incarnation) {
    return (struct tr_name_owner){ { node, slot, 1 }, incarnation };
}

static int set_up(void **state) {
    (void)state;
    memory = mmap(NULL, tr_names_size(NODES), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    for (uint64_t i = 1; i <= NODES; i++) tr_names_set_alive(memory, i, 1);
    tr_names_open(&names, memory, NODES, 1, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tr_names_close(&names);
    return munmap(memory, tr_names_size(NODES));
}

static enum troupe_status add(const char *name, uint64_t node, uint32_t slot) {
    struct tr_name_owner who = owner(node, slot, 1);
    return tr_names_add(&names, name, &who, false);
}

static void drop(const char *name, uint64_t node, uint32_t slot) {
    struct tr_name_owner who = owner(node, slot, 1);
    tr_names_remove(&names, name, &who);
}

/* 0: nobody. */
static uint32_t slot_of(const char *name) { return tr_names_find(&names, name).slot; }

static bool is_past(const struct timespec *start, long seconds) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - start->tv_sec > seconds;
}

/* ---- By itself ---- */

static void a_name_is_its_owners(void **state) {
    (void)state;
    assert_int_equal(add("a", 1, 5), TROUPE_OK);
    assert_int_equal(add("a", 1, 5), TROUPE_OK);
    assert_int_equal(add("a", 2, 5), TROUPE_EXISTS);
    assert_int_equal(add("a", 1, 6), TROUPE_EXISTS);
    assert_int_equal(tr_names_find(&names, "a").node, 1);
    assert_int_equal(slot_of("a"), 5);
    assert_int_equal(slot_of("ab"), 0);
    drop("a", 2, 5);
    assert_int_equal(slot_of("a"), 5);
    drop("a", 1, 5);
    assert_int_equal(slot_of("a"), 0);
    drop("a", 1, 5);
    assert_int_equal(add("a", 2, 5), TROUPE_OK);
    drop("a", 2, 5);
    assert_int_equal(tr_names_used(&names), 0);
}

static void what_is_reserved_is_taken_but_not_found(void **state) {
    (void)state;
    struct tr_name_owner who = owner(1, 7, 1);
    assert_int_equal(tr_names_add(&names, "r", &who, true), TROUPE_OK);
    assert_int_equal(slot_of("r"), 0);
    assert_int_equal(add("r", 2, 8), TROUPE_EXISTS);
    tr_names_publish(&names, "r", &who);
    assert_int_equal(slot_of("r"), 7);
    tr_names_remove(&names, "r", &who);
    tr_names_publish(&names, "r", &who); /* it has ended meanwhile */
    assert_int_equal(slot_of("r"), 0);
    assert_int_equal(tr_names_used(&names), 0);
}

static void names_die_with_their_node(void **state) {
    char longest[TR_NAME_MAX + 1];
    (void)state;
    memset(longest, 'x', TR_NAME_MAX);
    longest[TR_NAME_MAX] = '\0';
    assert_int_equal(add("a", 2, 5), TROUPE_OK);
    assert_int_equal(add(longest, 3, 6), TROUPE_OK);
    tr_names_set_alive(memory, 2, 0);
    assert_int_equal(slot_of("a"), 0);
    assert_int_equal(slot_of(longest), 6);
    assert_int_equal(add("a", 3, 9), TROUPE_OK);
    tr_names_set_alive(memory, 2, 2);
    assert_int_equal(slot_of("a"), 9);
    drop("a", 2, 5);
    assert_int_equal(slot_of("a"), 9);
    tr_names_set_alive(memory, 3, 4); /* nobody said that it had died: but another one lives */
    assert_int_equal(slot_of("a"), 0);
    assert_int_equal(slot_of(longest), 0);
}

/* Names in one bucket: found by their hash, as many as are wanted. */
static void names_alike(char list[][24], const char *beginning, uint32_t count) {
    uint64_t wanted = tr_hash_text(beginning) % TR_NAMES_MAX;
    for (uint32_t found = 0, i = 0; found < count; i++) {
        snprintf(list[found], 24, "%s%u", beginning, i);
        if (tr_hash_text(list[found]) % TR_NAMES_MAX == wanted) found++;
    }
}

static void names_with_one_hash_do_not_meet(void **state) {
    static char list[TR_NAMES_ALIKE + 1][24];
    (void)state;
    names_alike(list, "alike", TR_NAMES_ALIKE + 1);
    for (uint32_t i = 0; i < TR_NAMES_ALIKE; i++) assert_int_equal(add(list[i], 1 + i % 3, i + 1), TROUPE_OK);
    assert_int_equal(add(list[TR_NAMES_ALIKE], 1, 99), TROUPE_LIMIT);
    tr_names_set_alive(memory, 2, 0);
    for (uint32_t i = 0; i < TR_NAMES_ALIKE; i++) assert_int_equal(slot_of(list[i]), i % 3 == 1 ? 0 : i + 1);
    assert_int_equal(add(list[TR_NAMES_ALIKE], 1, 99), TROUPE_OK); /* in the place of those */
    for (uint32_t i = 0; i < TR_NAMES_ALIKE; i++) assert_int_equal(slot_of(list[i]), i % 3 == 1 ? 0 : i + 1);
    for (uint32_t i = TR_NAMES_ALIKE; i-- > 0;) drop(list[i], 1 + i % 3, i + 1);
    assert_int_equal(slot_of(list[TR_NAMES_ALIKE]), 99);
    drop(list[TR_NAMES_ALIKE], 1, 99);
    assert_int_equal(tr_names_used(&names), 0);
}

static void a_full_table_says_so_and_takes_from_the_dead(void **state) {
    char name[24];
    (void)state;
    for (uint32_t i = 0; i < TR_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(add(name, 1 + i % 2, i + 1), TROUPE_OK);
    }
    assert_int_equal(add("one more", 1, 1), TROUPE_LIMIT);
    assert_int_equal(add("n7", 3, 1), TROUPE_EXISTS);
    tr_names_set_alive(memory, 2, 0);
    assert_int_equal(add("one more", 1, 1), TROUPE_OK);
    for (uint32_t i = 0; i < TR_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(slot_of(name), i % 2 == 1 ? 0 : i + 1);
        if (i % 2 == 0) drop(name, 1, i + 1);
    }
    drop("one more", 1, 1);
    assert_true(tr_names_used(&names) < TR_NAMES_MAX / 4); /* what is dead waits behind what lives */
}

/* ---- Threads ---- */

enum { FIGHTERS = 4, FIGHTS = 40000, RINGS = 4 };
static _Atomic uint32_t owners[RINGS]; /* how many think that they have the name */
static _Atomic uint32_t doubled, lost;
/* Two in each of two buckets: changes are in each other's way, and a record that was in one chain is soon in the
 * other one. */
static char rings[RINGS][24];

/* Takes names and gives them up; whoever has one must be the only one, and be found. */
static void *fight(void *context) {
    uint64_t node = *(uint64_t *)context;
    struct tr_names own;
    tr_names_open(&own, memory, NODES, node, 1); /* as another process would see it */
    for (uint32_t i = 0; i < FIGHTS; i++) {
        uint32_t ring = i % RINGS;
        struct tr_name_owner who = owner(node, 1 + i % 5, 1);
        if (tr_names_add(&own, rings[ring], &who, i % 2 == 0) != TROUPE_OK) continue;
        if (atomic_fetch_add(&owners[ring], 1) != 0) atomic_fetch_add(&doubled, 1);
        tr_names_publish(&own, rings[ring], &who);
        if (!troupe_address_equal(tr_names_find(&own, rings[ring]), who.address)) atomic_fetch_add(&lost, 1);
        atomic_fetch_sub(&owners[ring], 1);
        tr_names_remove(&own, rings[ring], &who);
    }
    tr_names_close(&own);
    return NULL;
}

static void one_of_many_threads_has_a_name(void **state) {
    pthread_t threads[FIGHTERS];
    uint64_t nodes[FIGHTERS];
    (void)state;
    names_alike(rings, "alike", RINGS / 2);
    names_alike(rings + RINGS / 2, "other", RINGS / 2);
    for (uint32_t i = 0; i < FIGHTERS; i++) {
        nodes[i] = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, fight, &nodes[i]), 0);
    }
    for (uint32_t i = 0; i < FIGHTERS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&doubled), 0);
    assert_int_equal(atomic_load(&lost), 0);
    for (uint32_t i = 0; i < RINGS; i++) assert_int_equal(slot_of(rings[i]), 0);
    assert_int_equal(tr_names_used(&names), 0);
}

/* ---- Processes ---- */

enum { CROWD = 12 };
#if defined(__SANITIZE_THREAD__)
enum { KILLS = 60 }; /* forking is slow there */
#else
enum { KILLS = 1000 };
#endif

/* Changes names in one bucket until somebody ends it: there is always something in the midst. */
__attribute__((noreturn)) static void churn(uint64_t node, uint64_t incarnation, char list[][24]) {
    struct tr_names own;
    struct tr_random random;
    tr_random_seed(&random, node * 1000 + incarnation);
    tr_names_open(&own, memory, NODES, node, incarnation);
    for (;;) {
        uint32_t which = (uint32_t)tr_random_below(&random, CROWD);
        struct tr_name_owner who = owner(node, which + 1, incarnation);
        enum troupe_status status = tr_names_add(&own, list[which], &who, tr_random_below(&random, 2) == 0);
        if (status != TROUPE_OK && status != TROUPE_EXISTS) _exit(3);
        if (tr_random_below(&random, 2) == 0) tr_names_publish(&own, list[which], &who);
        if (tr_random_below(&random, 2) == 0) tr_names_remove(&own, list[which], &who);
        if (getppid() == 1) _exit(4);
    }
}

static pid_t start_churn(uint64_t node, uint64_t incarnation, char list[][24]) {
    tr_names_set_alive(memory, node, incarnation);
    pid_t pid = fork();
    if (pid == 0) churn(node, incarnation, list);
    assert_true(pid > 0);
    return pid;
}

/* As the keeper does it: reaped first, then it lives no more. */
static void end_churn(pid_t pid, uint64_t node) {
    int status;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it had not found anything wrong */
    tr_names_set_alive(memory, node, 0);
}

static void a_moment(uint64_t ns) {
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((uint64_t)(now.tv_sec - start.tv_sec) * 1000000000 + (uint64_t)(now.tv_nsec - start.tv_nsec) < ns);
}

/* This process has a name in the midst of them all the time, and takes and gives up another. */
static void nothing_is_lost_when_processes_are_killed(void **state) {
    static char list[CROWD + 2][24];
    pid_t pids[2];
    struct tr_random random;
    tr_random_seed(&random, 7);
    struct timespec start;
    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &start);
    names_alike(list, "alike", CROWD + 2);
    assert_int_equal(add(list[CROWD], 1, 1000), TROUPE_OK);
    for (uint32_t i = 0; i < 2; i++) pids[i] = start_churn(2 + i, 1, list);
    for (uint32_t i = 0; i < KILLS; i++) {
        a_moment(tr_random_below(&random, 300000));
        uint64_t node = 2 + i % 2, incarnation = 1 + i / 2;
        end_churn(pids[i % 2], node);
        for (uint32_t n = 0; n < CROWD; n++) /* free at once, whoever else wants it */
            assert_int_not_equal(tr_names_find(&names, list[n]).node, node);
        assert_int_equal(slot_of(list[CROWD]), 1000);
        assert_int_equal(add(list[CROWD + 1], 1, i + 1), TROUPE_OK);
        assert_int_equal(slot_of(list[CROWD + 1]), i + 1);
        drop(list[CROWD + 1], 1, i + 1);
        assert_int_equal(slot_of(list[CROWD + 1]), 0);
        pids[i % 2] = start_churn(node, incarnation + 1, list);
    }
    for (uint32_t i = 0; i < 2; i++) end_churn(pids[i], 2 + i);
    assert_false(is_past(&start, 25));
    assert_int_equal(slot_of(list[CROWD]), 1000);
    for (uint32_t n = 0; n < CROWD; n++) assert_int_equal(slot_of(list[n]), 0);
    assert_true(tr_names_used(&names) < KILLS); /* a record or so of some that were killed */
    for (uint32_t i = 0; i < TR_NAMES_MAX - 1; i++) { /* ... which is found again when it is needed */
        char name[24];
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(add(name, 1, i + 1), TROUPE_OK);
    }
    assert_int_equal(add("one more", 1, 1), TROUPE_LIMIT);
}

static void nobody_waits_for_a_stopped_process(void **state) {
    static char list[CROWD + 2][24];
    struct timespec start;
    (void)state;
    names_alike(list, "alike", CROWD + 2);
    pid_t pid = start_churn(2, 1, list);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint32_t i = 0; i < 300; i++) {
        int status;
        a_moment(50000);
        kill(pid, SIGSTOP);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(add(list[CROWD], 1, i + 1), TROUPE_OK);
        assert_int_equal(slot_of(list[CROWD]), i + 1);
        drop(list[CROWD], 1, i + 1);
        assert_int_equal(slot_of(list[CROWD]), 0);
        kill(pid, SIGCONT);
    }
    assert_false(is_past(&start, 20));
    end_churn(pid, 2);
}

/* ---- Garbage ---- */

static void garbage_is_survived(void **state) {
    size_t keepers = tr_names_keepers_size(NODES);
    uint64_t *words = (void *)((char *)memory + keepers);
    size_t count = (tr_names_size(NODES) - keepers) / sizeof *words;
    static char list[CROWD][24];
    struct timespec start;
    (void)state;
    names_alike(list, "alike", CROWD);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct tr_random random;
    tr_random_seed(&random, seed);
        for (size_t i = 0; i < count; i++) { /* all, or small numbers, which lead in circles, or some */
            uint64_t word = tr_random_next(&random);
            if (seed % 3 == 0) words[i] = word;
            if (seed % 3 == 1) words[i] = word % 8;
            if (seed % 3 == 2 && word % 8 == 0) words[i] = (word >> 8) % TR_NAMES_MAX << (word >> 4) % 9;
        }
        for (uint32_t i = 0; i < CROWD; i++) {
            enum troupe_status status = add(list[i], 1, i + 1);
            assert_true(status == TROUPE_OK || status == TROUPE_EXISTS || status == TROUPE_LIMIT ||
                        status == TROUPE_UNREACHABLE);
            if (status == TROUPE_OK) assert_int_equal(slot_of(list[i]), i + 1);
            drop(list[i], 1, i + 1);
            slot_of(list[i]);
        }
    }
    assert_false(is_past(&start, 25));
}

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TABLE_TEST(a_name_is_its_owners),
        TABLE_TEST(what_is_reserved_is_taken_but_not_found),
        TABLE_TEST(names_die_with_their_node),
        TABLE_TEST(names_with_one_hash_do_not_meet),
        TABLE_TEST(a_full_table_says_so_and_takes_from_the_dead),
        TABLE_TEST(one_of_many_threads_has_a_name),
        TABLE_TEST(nothing_is_lost_when_processes_are_killed),
        TABLE_TEST(nobody_waits_for_a_stopped_process),
        TABLE_TEST(garbage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
