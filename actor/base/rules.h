/* The words of supervision that configuration and supervisors share. */
#ifndef TR_RULES_H
#define TR_RULES_H

#include <stdint.h>

enum tr_strategy { TR_ONE_FOR_ONE, TR_ONE_FOR_ALL, TR_REST_FOR_ONE };
enum tr_restart { TR_PERMANENT, TR_TRANSIENT, TR_TEMPORARY };

/* A shutdown deadline is nanoseconds, or one of these. */
#define TR_INFINITY INT64_MAX
#define TR_KILL INT64_C(0)

#endif
