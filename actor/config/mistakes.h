/*
 * Every mistake that is found, kept until all are known, then told in the order of their places.
 */
#ifndef TR_MISTAKES_H
#define TR_MISTAKES_H

#include "config/arena.h"
#include "config/config.h"
#include "config/suggest.h"

enum { TR_MISTAKES_MAX = 1000 }; /* the rest is counted, not told */

struct tr_mistake {
    struct tr_where where;
    uint32_t order; /* in which it was found */
    const char *text;
};

struct tr_mistakes {
    struct tr_arena *arena;
    const char *file; /* its mistakes come before those of the command line */
    bool checked;     /* found right once, by the keeper: what this process may use now makes no mistake of it */
    struct tr_mistake *items;
    uint32_t count, room;
    uint32_t untold;
};

void tr_mistake(struct tr_mistakes *mistakes, struct tr_where where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, and at the end "; did you mean 'x'?", or, when nothing is near, "; allowed: ...". */
void tr_mistake_suggest(struct tr_mistakes *mistakes, struct tr_where where,
                        const struct tr_suggest *suggest, const char *allowed, const char *format,
                        ...) __attribute__((format(printf, 5, 6)));

/* A text of the user's for a message: quoted, one line, not too long. */
const char *tr_mistakes_quote(struct tr_mistakes *mistakes, const char *text);

/* True when further ones will only be counted: no need to look for suggestions. */
bool tr_mistakes_full(const struct tr_mistakes *mistakes);
bool tr_mistakes_any(const struct tr_mistakes *mistakes);

/* Sorts them and reports a line each. */
void tr_mistakes_tell(struct tr_mistakes *mistakes, void (*report)(void *context, const char *line),
                      void *context);

#endif
