/*
 * For tests that run whole systems: a board on which actors note what happens to them and on which the
 * test waits, a gate that holds handlers up, and the start and the end of a system. The end proves
 * that every message is accounted for and that nothing is left: no thread, no descriptor, no buffer.
 *
 * No test sleeps. Every wait has a deadline, past which the test fails with the board as it is.
 */
#ifndef TR_TESTS_SYSTEM_TEST_H
#define TR_TESTS_SYSTEM_TEST_H

/* What cmocka.h needs, in the order it needs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <troupe.h>

/* ---- The board: any thread ---- */

void board_clear(void);
void board_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits until the line is there, so many times. */
void board_await_times(const char *line, uint32_t times);
#define board_await(line) board_await_times((line), 1)
uint32_t board_times(const char *line);
/* All lines so far, a blank between two. */
void board_expect(const char *text);
/* Lines that begin so, a blank between two: valid until the next call. */
const char *board_lines(const char *beginning);

enum { BOARD_TALLIES = 8 };
void board_add(uint32_t tally, int64_t number);
int64_t board_tally(uint32_t tally);
/* Waits until it is at least so much. */
void board_await_tally(uint32_t tally, int64_t at_least);

/* ---- The gate: handlers that pass it wait while it is closed ---- */

void gate_close(void);
void gate_open(void);
void gate_pass(void);
/* Waits until so many handlers stand before it. */
void gate_await(uint32_t waiting);

/* ---- Systems ---- */

/* The actors end with NULL. Clears the board. */
troupe_system *system_start(const char *config, const struct troupe_actor_type *const *actors);
troupe_system *system_start_with(const struct troupe_options *options);
/* The same, of which a failure is expected: its text, valid until the next call. */
const char *system_fails(enum troupe_status status, const char *config,
                         const struct troupe_actor_type *const *actors);
/* Stops it unless it has ended, and checks its exit code, the sum of contract 3, and that nothing is left.
 * `counts` may be NULL. */
void system_end(troupe_system *system, int code, struct troupe_counts *counts);
/* The same where the program has not released so many buffers: then says whether the log names them. */
bool system_end_forgetful(troupe_system *system, uint64_t buffers, uint64_t bytes);

/* Threads and descriptors of this process. */
uint32_t process_threads(void);
uint32_t process_descriptors(void);
/* Bytes of memory in use by this process: resident. */
int64_t process_memory(void);

#endif
