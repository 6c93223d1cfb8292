/* Assertions that stay on in release builds: they guard the invariants of lifecycles and
 * protocols. */
#ifndef TR_ASSERT_H
#define TR_ASSERT_H

#define tr_assert(condition)                                                                       \
    ((condition) ? (void)0 : tr_assert_failed(#condition, __FILE__, __LINE__))

/* Writes "FILE:LINE: assertion failed: TEXT" to standard error and aborts. Async-signal-safe. */
void tr_assert_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn, cold));

#endif
