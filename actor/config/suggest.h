/*
 * "Did you mean ...?": of the words that would have been right, the nearest to the one that was
 * written.
 *
 *     struct tr_suggest suggest;
 *     tr_suggest_start(&suggest, "cuont");
 *     tr_suggest_consider(&suggest, "count");     for each word that is allowed
 *     suggest.best                                "count", or NULL: none is near
 */
#ifndef TR_SUGGEST_H
#define TR_SUGGEST_H

#include <stddef.h>

struct tr_suggest {
    const char *word; /* as written */
    const char *best; /* NULL: nothing is near enough */
    size_t distance;  /* of `best`; without one, the first distance that is too far */
};

enum { TR_SUGGEST_MAX = 64 }; /* longer words are near nothing */

void tr_suggest_start(struct tr_suggest *suggest, const char *word);

/* Of two that are equally near, the first. */
void tr_suggest_consider(struct tr_suggest *suggest, const char *candidate);

/* How many letters must be inserted, dropped, replaced or swapped with their neighbour (Damerau and
 * Levenshtein, each letter touched once), upper and lower case alike; `limit` when it is that or
 * more. */
size_t tr_suggest_distance(const char *a, const char *b, size_t limit);

#endif
