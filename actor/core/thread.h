/* The threads of a node. */
#ifndef TR_THREAD_H
#define TR_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

enum { TR_THREAD_NAME_SIZE = 16 }; /* the kernel's */

/* Begins a thread that gets no signals but those of its own faults: signals are the keeper's, or the owner
 * of main's. Its stack is what the process's limit says. Its name is for people who look at the process; of a longer one they see the end. False: errno. */
bool tr_thread_start(pthread_t *thread, const char *name, void *(*run)(void *context), void *context);

/* That end. */
const char *tr_thread_name(const char *name);

/* From now on it runs on this core alone. False: errno; it runs on as before. */
bool tr_thread_pin(pthread_t thread, uint32_t core);

enum { TR_TURNS_PER_YIELD = 256 };

/* The n-th turn of a spin. What is waited for may need this very core: a long spin lets others have it now
 * and then. */
static inline void tr_spin(uint32_t n) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
    if (n % TR_TURNS_PER_YIELD == 0) sched_yield();
}

/* Now, by the monotonic clock: for spinning and deadlines of threads, whatever clock a node has. */
int64_t tr_thread_clock(void);

#endif
