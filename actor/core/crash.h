/*
 * What a process says when it crashes: the calls that led there, on standard error, before it dies of the very
 * signal that it would have died of.
 *
 * Handled are SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT (which is assert, too), unless the program handles them
 * itself. Each thread that tr_thread_start begins has a stack of its own for it, so that one that has overflowed
 * its stack can still speak. The frames stand between two lines that are known to whoever reads them
 * (scribe_tail.h). Names of functions are there as far as the program exports them (-rdynamic); addresses are
 * what addr2line takes.
 *
 * Nothing is allocated in the handler: what backtrace(3) loads when it is first used is loaded before. Under
 * sanitizers nothing is handled: theirs is better.
 */
#ifndef TR_CRASH_H
#define TR_CRASH_H

#define TR_CRASH_BEGIN "troupe: it crashed here:"
#define TR_CRASH_END "troupe: that was all"

enum { TR_CRASH_FRAMES = 48 };

/* Loads what it needs: in a process that forks others, which then need not. */
void tr_crash_prepare(void);
/* From here on, in this process. Call it once, from its first thread, before it has others. */
void tr_crash_open(void);

/* The stack of a new thread; NULL: none, or not needed. Give it back from that thread. */
void *tr_crash_stack_new(void);
void tr_crash_stack_free(void *stack);

#endif
