#include "core/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <troupe/status.h>

#include "core/crash.h"

static void leave_faults(sigset_t *set) {
    sigdelset(set, SIGSEGV);
    sigdelset(set, SIGBUS);
    sigdelset(set, SIGFPE);
    sigdelset(set, SIGILL);
    sigdelset(set, SIGABRT);
}

const char *tr_thread_name(const char *name) {
    size_t size = strlen(name);
    return size < TR_THREAD_NAME_SIZE ? name : name + size - (TR_THREAD_NAME_SIZE - 1);
}

struct beginning {
    char name[TR_THREAD_NAME_SIZE];
    void *(*run)(void *context);
    void *context;
};

static void *begin(void *memory) {
    struct beginning beginning = *(struct beginning *)memory;
    free(memory);
    (void)pthread_setname_np(pthread_self(), beginning.name); /* it cannot be too long */
    void *stack = tr_crash_stack_new();
    void *result = beginning.run(beginning.context);
    tr_crash_stack_free(stack);
    return result;
}

/* The C library knows the limit that there was when the program was executed: a forked process may have another. None, or
 * one that is too small for any thread, leaves its default. */
static void size_stack(pthread_attr_t *attributes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        (void)pthread_attr_setstacksize(attributes, limit.rlim_cur);
}

static int create(pthread_t *thread, struct beginning *beginning) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    size_stack(&attributes);
    error = pthread_create(thread, &attributes, begin, beginning);
    pthread_attr_destroy(&attributes);
    return error;
}

bool tr_thread_start(pthread_t *thread, const char *name, void *(*run)(void *context), void *context) {
    sigset_t all, before;
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL) return false; /* errno says */
    *beginning = (struct beginning){ .run = run, .context = context };
    strncpy(beginning->name, tr_thread_name(name), sizeof beginning->name - 1);
    sigfillset(&all);
    leave_faults(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = create(thread, beginning);
    if (error != 0) free(beginning);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error == 0;
}

bool tr_thread_pin(pthread_t thread, uint32_t core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < CPU_SETSIZE) CPU_SET(core, &set);
    errno = pthread_setaffinity_np(thread, sizeof set, &set);
    return errno == 0;
}

int64_t tr_thread_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}
