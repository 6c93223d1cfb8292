#include "lib/system_test.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE = 25 /* seconds */, LINES = 4096, LINE = 96 };

/* One test at a time has them. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char lines[LINES][LINE];
    uint32_t count;
    int64_t tallies[BOARD_TALLIES];
    bool closed;
    uint32_t before_gate;
    char text[LINES * 8];
} board = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static uint32_t threads_before, descriptors_before;

/* ---- The board ---- */

static struct timespec deadline(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += DEADLINE;
    return at;
}

/* False: the deadline has passed. */
static bool wait_until(const struct timespec *at) {
    return pthread_cond_timedwait(&board.changed, &board.lock, at) == 0;
}

void board_clear(void) {
    pthread_mutex_lock(&board.lock);
    board.count = 0;
    memset(board.tallies, 0, sizeof board.tallies);
    pthread_mutex_unlock(&board.lock);
}

void board_note(const char *format, ...) {
    va_list list;
    va_start(list, format);
    pthread_mutex_lock(&board.lock);
    if (board.count < LINES) vsnprintf(board.lines[board.count++], LINE, format, list);
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
    va_end(list);
}

static uint32_t times(const char *line) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < board.count; i++) found += strcmp(board.lines[i], line) == 0;
    return found;
}

static const char *join(const char *beginning) {
    size_t used = 0;
    board.text[0] = '\0';
    for (uint32_t i = 0; i < board.count && used < sizeof board.text; i++)
        if (strncmp(board.lines[i], beginning, strlen(beginning)) == 0)
            used += (size_t)snprintf(board.text + used, sizeof board.text - used, "%s%s",
                                     used == 0 ? "" : " ", board.lines[i]);
    return board.text;
}

void board_await_times(const char *line, uint32_t at_least) {
    struct timespec at = deadline();
    pthread_mutex_lock(&board.lock);
    while (times(line) < at_least && wait_until(&at)) {
    }
    uint32_t found = times(line);
    if (found < at_least) print_error("the board: %s\n", join(""));
    pthread_mutex_unlock(&board.lock);
    if (found < at_least) fail_msg("waited in vain for \"%s\", %u times", line, at_least);
}

uint32_t board_times(const char *line) {
    pthread_mutex_lock(&board.lock);
    uint32_t found = times(line);
    pthread_mutex_unlock(&board.lock);
    return found;
}

const char *board_lines(const char *beginning) {
    pthread_mutex_lock(&board.lock);
    const char *text = join(beginning);
    pthread_mutex_unlock(&board.lock);
    return text;
}

void board_expect(const char *text) { assert_string_equal(board_lines(""), text); }

void board_add(uint32_t tally, int64_t number) {
    pthread_mutex_lock(&board.lock);
    board.tallies[tally] += number;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
}

int64_t board_tally(uint32_t tally) {
    pthread_mutex_lock(&board.lock);
    int64_t number = board.tallies[tally];
    pthread_mutex_unlock(&board.lock);
    return number;
}

void board_await_tally(uint32_t tally, int64_t at_least) {
    struct timespec at = deadline();
    pthread_mutex_lock(&board.lock);
    while (board.tallies[tally] < at_least && wait_until(&at)) {
    }
    int64_t number = board.tallies[tally];
    if (number < at_least) print_error("the board: %s\n", join(""));
    pthread_mutex_unlock(&board.lock);
    if (number < at_least)
        fail_msg("tally %u is %lld, waited for %lld", tally, (long long)number, (long long)at_least);
}

/* ---- The gate ---- */

static void set_gate(bool closed) {
    pthread_mutex_lock(&board.lock);
    board.closed = closed;
    pthread_cond_broadcast(&board.changed);
    pthread_mutex_unlock(&board.lock);
}

void gate_close(void) { set_gate(true); }

void gate_open(void) { set_gate(false); }

/* Past the deadline it lets pass: the test that forgot to open it fails elsewhere. */
void gate_pass(void) {
    struct timespec at = deadline();
    pthread_mutex_lock(&board.lock);
    board.before_gate++;
    pthread_cond_broadcast(&board.changed);
    while (board.closed && wait_until(&at)) {
    }
    board.before_gate--;
    pthread_mutex_unlock(&board.lock);
}

void gate_await(uint32_t waiting) {
    struct timespec at = deadline();
    pthread_mutex_lock(&board.lock);
    while (board.before_gate < waiting && wait_until(&at)) {
    }
    uint32_t found = board.before_gate;
    pthread_mutex_unlock(&board.lock);
    assert_true(found >= waiting);
}

/* ---- The process ---- */

static uint32_t entries_of(const char *path) {
    uint32_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

uint32_t process_threads(void) { return entries_of("/proc/self/task"); }

uint32_t process_descriptors(void) { return entries_of("/proc/self/fd"); }

int64_t process_memory(void) {
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &total, &resident), 2);
    fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

/* A thread that was joined may still be listed for a moment. */
static bool threads_are_back(void) {
    struct timespec now, at = deadline();
    do {
        if (process_threads() <= threads_before) return true;
        clock_gettime(CLOCK_REALTIME, &now);
    } while (now.tv_sec < at.tv_sec);
    return false;
}

/* ---- Systems ---- */

static uint32_t systems;

static void *nothing(void *unused) { return unused; }

/* The first thread of all may bring others with it that stay: a sanitizer's own. */
static void remember_process(void) {
    pthread_t thread;
    if (systems++ > 0) return;
    assert_int_equal(pthread_create(&thread, NULL, nothing, NULL), 0);
    pthread_join(thread, NULL);
    threads_before = process_threads();
    descriptors_before = process_descriptors();
}

troupe_system *system_start(const char *config, const struct troupe_actor_type *const *actors) {
    struct troupe_options options = { .actors = actors, .config_text = config };
    return system_start_with(&options);
}

troupe_system *system_start_with(const struct troupe_options *options) {
    char error[2048];
    troupe_system *system = NULL;
    remember_process();
    board_clear();
    enum troupe_status status = troupe_system_start(options, &system, error, sizeof error);
    if (status != TROUPE_OK) fail_msg("the system does not start: %s", error);
    return system;
}

const char *system_fails(enum troupe_status expected, const char *config,
                         const struct troupe_actor_type *const *actors) {
    static char error[4096];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = config };
    remember_process();
    enum troupe_status status = troupe_system_start(&options, &system, error, sizeof error);
    assert_string_equal(troupe_status_name(status), troupe_status_name(expected));
    assert_null(system);
    systems--;
    return error;
}

static void check_counts(const struct troupe_counts *counts) {
    uint64_t reasons = 0;
    for (uint32_t i = 0; i < TROUPE_REASONS; i++) reasons += counts->dead_by_reason[i];
    assert_int_equal(counts->dead_letters, reasons);
    assert_int_equal(counts->sent, counts->handled + counts->dead_letters + counts->in_doubt);
}

static void check_nothing_waits(troupe_system *system, int code, struct troupe_counts *counts,
                                uint64_t expected) {
    struct troupe_counts own;
    struct troupe_buffer_counts buffers;
    if (counts == NULL) counts = &own;
    troupe_system_stop(system);
    assert_int_equal(troupe_system_wait(system), code);
    troupe_system_counts(system, counts);
    check_counts(counts);
    troupe_system_buffers(system, &buffers);
    assert_int_equal(buffers.live, expected);
}

static void check_process(void) {
    if (--systems > 0) return;
    assert_true(threads_are_back());
    assert_int_equal(process_descriptors(), descriptors_before);
}

void system_end(troupe_system *system, int code, struct troupe_counts *counts) {
    check_nothing_waits(system, code, counts, 0);
    assert_int_equal(troupe_system_free(system), code);
    check_process();
}

/* What the end of the system writes on standard error. */
static void log_of_end(troupe_system *system, char *text, size_t size) {
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_true(file != NULL && saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    int code = troupe_system_free(system);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    close(saved);
    fclose(file);
    assert_int_equal(code, 0);
}

bool system_end_forgetful(troupe_system *system, uint64_t buffers, uint64_t bytes) {
    char text[2048], expected[96];
    check_nothing_waits(system, 0, NULL, buffers);
    snprintf(expected, sizeof expected, "%llu of them, %llu bytes, were never given",
             (unsigned long long)buffers, (unsigned long long)bytes);
    log_of_end(system, text, sizeof text);
    check_process();
    return strstr(text, expected) != NULL;
}
