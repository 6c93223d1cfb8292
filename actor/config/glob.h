/* Globs over paths: which are well formed, and which of two is the more specific. */
#ifndef TR_GLOB_H
#define TR_GLOB_H

#include <stdint.h>

enum { TR_GLOB_MAX = 256 }; /* bytes */

/* NULL when well formed, else what is wrong with it: "'GLOB' ..." */
const char *tr_glob_check(const char *glob);

struct tr_glob_rank {
    uint32_t literal; /* parts without a star */
    uint32_t deep;    /* parts that are ** */
    uint32_t stars;   /* stars in other parts */
};

struct tr_glob_rank tr_glob_rank(const char *glob);

/* More than 0: `a` is the more specific. */
int tr_glob_compare(struct tr_glob_rank a, struct tr_glob_rank b);

#endif
