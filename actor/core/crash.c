#include "core/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { STACK_SIZE = 64 * 1024 };

static bool is_open;
static atomic_flag speaking = ATOMIC_FLAG_INIT;

static void say(const char *line) {
    ssize_t written = write(STDERR_FILENO, line, strlen(line));
    (void)written; /* it dies anyway */
}

/* The first frame is this function. A second thread that crashes meanwhile waits for the end. */
static void crashed(int number) {
    void *frames[TR_CRASH_FRAMES];
    while (atomic_flag_test_and_set(&speaking)) pause();
    int count = backtrace(frames, TR_CRASH_FRAMES);
    say(TR_CRASH_BEGIN "\n");
    if (count > 1) backtrace_symbols_fd(frames + 1, count - 1, STDERR_FILENO);
    say(TR_CRASH_END "\n");
    signal(number, SIG_DFL);
    raise(number); /* it is blocked until this returns */
}

void *tr_crash_stack_new(void) {
    stack_t stack = { .ss_size = STACK_SIZE, .ss_sp = is_open ? malloc(STACK_SIZE) : NULL };
    if (stack.ss_sp != NULL) sigaltstack(&stack, NULL);
    return stack.ss_sp;
}

void tr_crash_stack_free(void *memory) {
    stack_t none = { .ss_flags = SS_DISABLE };
    if (memory == NULL) return;
    sigaltstack(&none, NULL);
    free(memory);
}

void tr_crash_prepare(void) {
    void *frame;
    if (!SANITIZED) backtrace(&frame, 1);
}

void tr_crash_open(void) {
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    static char stack[STACK_SIZE];
    stack_t first = { .ss_size = sizeof stack, .ss_sp = stack };
    struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK };
    if (SANITIZED) return;
    tr_crash_prepare();
    sigaltstack(&first, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &action, NULL);
    is_open = true;
}
