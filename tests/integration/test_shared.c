/*
 * Regions of shared memory between threads and processes: what is one and what is refused, waiting and waking on
 * either side of a fork, a process that is killed while it waits, and one that does its worst.
 */
#include "lib/system_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, ROUNDS = 2000, STORM = 20000, FIXED = F_SEAL_SHRINK | F_SEAL_GROW };

static uint32_t descriptors;

static int begin(void **state) {
    (void)state;
    descriptors = process_descriptors();
    return 0;
}

static int end(void **state) {
    (void)state;
    assert_int_equal(process_descriptors(), descriptors);
    return 0;
}

static troupe_shared *region_new(size_t size) {
    troupe_shared *region;
    assert_int_equal(troupe_shared_new(size, &region), TROUPE_OK);
    return region;
}

static _Atomic uint32_t *words(const troupe_shared *region) { return troupe_shared_data(region); }

/* Until somebody was there to be woken: so it is known that they waited. */
static void notify_one(const troupe_shared *region, size_t offset) {
    while (troupe_shared_notify(region, offset, 1) == 0) sched_yield(); /* past the deadline the test is killed */
}

/* ---- What is a region ---- */

static void region_is_zero_and_sealed(void **state) {
    (void)state;
    troupe_shared *region = region_new(PAGE + 1);
    const uint8_t *bytes = troupe_shared_data(region);
    assert_int_equal(troupe_shared_size(region), PAGE + 1);
    assert_int_equal((uintptr_t)bytes % PAGE, 0);
    for (size_t i = 0; i <= PAGE; i++) assert_int_equal(bytes[i], 0);
    int memory = troupe_shared_descriptor(region);
    assert_int_equal(fcntl(memory, F_GET_SEALS), FIXED | F_SEAL_SEAL);
    assert_int_equal(ftruncate(memory, 0), -1);
    assert_int_equal(ftruncate(memory, 2 * PAGE), -1);
    assert_int_equal(fcntl(memory, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    troupe_shared_release(region);
}

static void sizes_that_are_none(void **state) {
    troupe_shared *region = (troupe_shared *)state;
    assert_int_equal(troupe_shared_new(0, &region), TROUPE_INVALID);
    assert_null(region);
    assert_int_equal(troupe_shared_new((size_t)TROUPE_SHARED_MOST + 1, &region), TROUPE_TOO_BIG);
    assert_int_equal(troupe_shared_new(SIZE_MAX, &region), TROUPE_TOO_BIG);
    assert_int_equal(troupe_shared_new(1, NULL), TROUPE_INVALID);
    troupe_shared_release(NULL);
    assert_null(troupe_shared_keep(NULL));
}

static void last_reference_unmaps(void **state) {
    (void)state;
    troupe_shared *region = region_new(64);
    assert_ptr_equal(troupe_shared_keep(region), region);
    troupe_shared_release(region);
    words(region)[3] = 7;
    assert_int_equal(process_descriptors(), descriptors + 1);
    troupe_shared_release(region);
}

static void second_mapping_is_the_same_memory(void **state) {
    (void)state;
    troupe_shared *region = region_new(PAGE), *other;
    assert_int_equal(troupe_shared_open(troupe_shared_descriptor(region), PAGE, &other), TROUPE_OK);
    assert_ptr_not_equal(troupe_shared_data(other), troupe_shared_data(region));
    atomic_store(&words(region)[5], 55);
    troupe_shared_release(region);
    assert_int_equal(atomic_load(&words(other)[5]), 55);
    troupe_shared_release(other);
}

/* ---- What is none ---- */

static void refused(int descriptor, size_t least, enum troupe_status status) {
    troupe_shared *region = (troupe_shared *)&descriptor;
    assert_int_equal(troupe_shared_open(descriptor, least, &region), status);
    assert_null(region);
}

static int memory_with(off_t size, int seals) {
    int memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(memory >= 0);
    assert_int_equal(ftruncate(memory, size), 0);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, seals), 0);
    return memory;
}

static void memory_refused(off_t size, int seals, size_t least, enum troupe_status status) {
    int memory = memory_with(size, seals);
    refused(memory, least, status);
    close(memory);
}

static void seals_and_sizes_are_looked_at(void **state) {
    (void)state;
    memory_refused(PAGE, 0, 0, TROUPE_INVALID);
    memory_refused(PAGE, F_SEAL_SHRINK, 0, TROUPE_INVALID);
    memory_refused(PAGE, F_SEAL_GROW, 0, TROUPE_INVALID);
    memory_refused(PAGE, FIXED | F_SEAL_WRITE, 0, TROUPE_INVALID);
    memory_refused(PAGE, FIXED | F_SEAL_FUTURE_WRITE, 0, TROUPE_INVALID);
    memory_refused(0, FIXED, 0, TROUPE_INVALID);
    memory_refused(PAGE - 1, FIXED, PAGE, TROUPE_INVALID);
    memory_refused((off_t)TROUPE_SHARED_MOST + 1, FIXED, 0, TROUPE_TOO_BIG);
    int memory = memory_with(PAGE, FIXED); /* somebody else's, but as it should be */
    troupe_shared *region;
    assert_int_equal(troupe_shared_open(memory, PAGE, &region), TROUPE_OK);
    troupe_shared_release(region);
    close(memory);
}

static void what_cannot_be_written_to(void **state) {
    (void)state;
    char path[64];
    int memory = memory_with(PAGE, FIXED);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    int readable = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(readable >= 0);
    refused(readable, 0, TROUPE_INVALID);
    close(readable);
    close(memory);
}

static void what_is_no_memory(void **state) {
    (void)state;
    int ends[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    refused(ends[0], 0, TROUPE_INVALID);
    refused(file, 0, TROUPE_INVALID);
    refused(null, 0, TROUPE_INVALID);
    close(ends[0]);
    close(ends[1]);
    close(file);
    close(null);
    refused(ends[0], 0, TROUPE_INVALID); /* not open any more */
    refused(-1, 0, TROUPE_INVALID);
    assert_int_equal(troupe_shared_open(0, 0, NULL), TROUPE_INVALID);
}

/* Where a touched page may not be there: without huge pages the kernel does not even make such a one. */
static void huge_pages_are_refused(void **state) {
    (void)state;
    int memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
    if (memory < 0) skip();
    assert_int_equal(ftruncate(memory, 1 << 30), 0);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, FIXED), 0);
    refused(memory, 0, TROUPE_INVALID);
    close(memory);
}

/* ---- Waiting that ends at once, or is none ---- */

static void offsets_are_looked_at(void **state) {
    (void)state;
    static const size_t wrong[] = { 1, 2, 3, 6, 8, 12, PAGE, SIZE_MAX - 3, SIZE_MAX };
    troupe_shared *region = region_new(11), *tiny = region_new(3);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(troupe_shared_wait(region, wrong[i], 0, 0), TROUPE_SHARED_INVALID);
        assert_int_equal(troupe_shared_notify(region, wrong[i], 1), -1);
    }
    assert_int_equal(troupe_shared_wait(region, 4, 0, 0), TROUPE_SHARED_TIMED_OUT);
    assert_int_equal(troupe_shared_wait(region, 4, 0, -1), TROUPE_SHARED_INVALID);
    assert_int_equal(troupe_shared_wait(tiny, 0, 0, 0), TROUPE_SHARED_INVALID);
    assert_int_equal(troupe_shared_notify(tiny, 0, 1), -1);
    troupe_shared_release(region);
    troupe_shared_release(tiny);
}

static void other_values_are_not_waited_for(void **state) {
    (void)state;
    troupe_shared *region = region_new(64);
    atomic_store(&words(region)[2], UINT32_MAX);
    assert_int_equal(troupe_shared_wait(region, 8, 0, INT64_MAX), TROUPE_SHARED_NOT_EQUAL);
    assert_int_equal(troupe_shared_wait(region, 8, UINT32_MAX, 2 * TROUPE_MILLISECOND), TROUPE_SHARED_TIMED_OUT);
    assert_int_equal(troupe_shared_notify(region, 8, UINT32_MAX), 0);
    troupe_shared_release(region);
}

/* ---- Between threads ---- */

static void *wait_for_ever(void *region) {
    enum troupe_shared_outcome outcome = troupe_shared_wait(region, 4, 0, INT64_MAX);
    board_note("outcome %d", outcome);
    return NULL;
}

static void as_many_are_woken_as_are_asked_for(void **state) {
    (void)state;
    enum { THREADS = 5 };
    pthread_t threads[THREADS];
    troupe_shared *region = region_new(64);
    board_clear();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_ever, region), 0);
    notify_one(region, 4);
    notify_one(region, 4);
    board_await_times("outcome 0", 2);
    assert_int_equal(troupe_shared_notify(region, 4, 0), 0);
    assert_int_equal(troupe_shared_notify(region, 0, UINT32_MAX), 0); /* nobody waits at that word */
    for (int64_t woken = 2; woken < THREADS;) {
        assert_int_equal(board_times("outcome 0") > (uint32_t)woken, 0);
        woken += troupe_shared_notify(region, 4, UINT32_MAX);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(board_times("outcome 0"), THREADS);
    troupe_shared_release(region);
}

/* ---- Between processes ---- */

/* What runs in the other process ends it: a code, 0 for well. */
static pid_t child(int (*run)(int memory), const troupe_shared *region) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(run(troupe_shared_descriptor(region)));
    return pid;
}

static void expect_end(pid_t pid, int signal) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (signal != 0) assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    else assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Words 0 and 1 take turns: each side waits for its own to reach the round. */
static void await_round(const troupe_shared *region, size_t word, uint32_t round) {
    while (atomic_load(&words(region)[word]) != round)
        troupe_shared_wait(region, word * sizeof(uint32_t), round - 1, INT64_MAX);
}

static void begin_round(const troupe_shared *region, size_t word, uint32_t round) {
    atomic_store(&words(region)[word], round);
    troupe_shared_notify(region, word * sizeof(uint32_t), 1);
}

static int answer(int memory) {
    troupe_shared *region;
    if (troupe_shared_open(memory, 64, &region) != TROUPE_OK) return 1;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        await_round(region, 0, round);
        begin_round(region, 1, round);
    }
    troupe_shared_release(region);
    return 0;
}

static void two_processes_take_turns(void **state) {
    (void)state;
    troupe_shared *region = region_new(64);
    pid_t pid = child(answer, region);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        begin_round(region, 0, round);
        await_round(region, 1, round);
    }
    expect_end(pid, 0);
    troupe_shared_release(region);
}

static int wait_on_and_on(int memory) {
    troupe_shared *region;
    if (troupe_shared_open(memory, 64, &region) != TROUPE_OK) return 1;
    for (;;) troupe_shared_wait(region, 4, 0, INT64_MAX);
}

static void waiter_that_is_killed_is_no_waiter(void **state) {
    (void)state;
    troupe_shared *region = region_new(64);
    for (int i = 0; i < 20; i++) {
        pid_t pid = child(wait_on_and_on, region);
        notify_one(region, 4);
        kill(pid, SIGKILL);
        expect_end(pid, SIGKILL);
        assert_int_equal(troupe_shared_notify(region, 4, UINT32_MAX), 0);
    }
    troupe_shared_release(region);
}

/* Scribbles, notifies, tries to change the size, gives pages back. */
static int do_the_worst(int memory) {
    troupe_shared *region;
    if (troupe_shared_open(memory, 2 * PAGE, &region) != TROUPE_OK) return 1;
    for (uint32_t i = 0; i < STORM; i++) {
        memset(troupe_shared_data(region), (int)(i & 0xFF), troupe_shared_size(region));
        troupe_shared_notify(region, (i % 16) * sizeof(uint32_t), UINT32_MAX);
        if (ftruncate(memory, 0) == 0 || ftruncate(memory, 4 * PAGE) == 0) return 2;
        if (i % 64 == 0 && fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * PAGE) != 0) return 3;
    }
    atomic_store(&words(region)[0], UINT32_MAX);
    troupe_shared_notify(region, 0, UINT32_MAX);
    return 0;
}

static void worst_that_another_can_do(void **state) {
    (void)state;
    troupe_shared *region = region_new(2 * PAGE);
    pid_t pid = child(do_the_worst, region);
    uint32_t word;
    while ((word = atomic_load(&words(region)[0])) != UINT32_MAX) {
        enum troupe_shared_outcome outcome = troupe_shared_wait(region, 0, word, TROUPE_SECOND);
        assert_true(outcome < TROUPE_SHARED_INVALID);
    }
    expect_end(pid, 0);
    troupe_shared_release(region);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(region_is_zero_and_sealed, begin, end),
        cmocka_unit_test_setup_teardown(sizes_that_are_none, begin, end),
        cmocka_unit_test_setup_teardown(last_reference_unmaps, begin, end),
        cmocka_unit_test_setup_teardown(second_mapping_is_the_same_memory, begin, end),
        cmocka_unit_test_setup_teardown(seals_and_sizes_are_looked_at, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_to, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_memory, begin, end),
        cmocka_unit_test_setup_teardown(huge_pages_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(offsets_are_looked_at, begin, end),
        cmocka_unit_test_setup_teardown(other_values_are_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(as_many_are_woken_as_are_asked_for, begin, end),
        cmocka_unit_test_setup_teardown(two_processes_take_turns, begin, end),
        cmocka_unit_test_setup_teardown(waiter_that_is_killed_is_no_waiter, begin, end),
        cmocka_unit_test_setup_teardown(worst_that_another_can_do, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
