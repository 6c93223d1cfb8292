/* The words that configuration and the rooms above it share. */
#ifndef TR_RULES_H
#define TR_RULES_H

#include <stdint.h>

enum tr_strategy { TR_ONE_FOR_ONE, TR_ONE_FOR_ALL, TR_REST_FOR_ONE, TR_DYNAMIC };
enum tr_restart { TR_PERMANENT, TR_TRANSIENT, TR_TEMPORARY };
/* Does a supervisor end when a significant child of its is done, or when the last of them is? */
enum tr_auto_shutdown { TR_NEVER, TR_ANY_SIGNIFICANT, TR_ALL_SIGNIFICANT };

/* Auto: pretty on a terminal, JSON otherwise. */
enum tr_log_form { TR_LOG_AUTO, TR_LOG_PRETTY, TR_LOG_JSON };

/* A deadline is nanoseconds, or one of these. */
#define TR_INFINITY INT64_MAX
#define TR_KILL INT64_C(0)

/* How long a child that ended waits for its restart. All zero: not at all. */
struct tr_backoff_rules {
    int64_t initial; /* ns before the first restart */
    int64_t maximum; /* ns */
    int64_t reset;   /* ns: one that ran for so long begins with `initial` again */
    uint32_t factor; /* percent: each restart in a row waits so much of what the one before did; >= 100 */
    uint32_t jitter; /* percent, either way, drawn for each restart; 0 to 100 */
};
/* What is not given. */
#define TR_BACKOFF_MAXIMUM (INT64_C(30) * 1000 * 1000 * 1000)
#define TR_BACKOFF_RESET (INT64_C(60) * 1000 * 1000 * 1000)
#define TR_BACKOFF_FACTOR UINT32_C(200)

#endif
