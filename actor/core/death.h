/* What is known of the end of a run when it ends: include/troupe/death.h has the report. */
#ifndef TR_DEATH_H
#define TR_DEATH_H

#include <stdatomic.h>
#include <troupe/death.h>

#include "core/log.h"

struct tr_cell;
struct tr_worker;

enum { TR_DEATH_TEXT = 512 };

/* The report, and the texts in it that do not last: it is not to be copied. */
struct tr_death {
    struct troupe_death report;
    char path[TR_PATH_SIZE], by[TR_PATH_SIZE];
    char text[TR_DEATH_TEXT], message[TR_DEATH_TEXT], cause[TR_DEATH_TEXT];
};

/* The present run ends, with what its handler returned. Before its stop handler is called. */
void tr_death_fill(struct tr_death *death, struct tr_worker *worker, const struct tr_cell *cell,
                   enum troupe_status status, bool killed);

/* The present run ends because another did, with which it was linked. Returns with which status. */
enum troupe_status tr_death_linked(struct tr_death *death, struct tr_worker *worker, const struct tr_cell *cell,
                                   const struct troupe_death *other);

/* A report that lives as long as somebody refers to it: of a death that many are told of. NULL: no memory. The
 * first reference is the caller's; NULL is fine for the other two. */
struct tr_obituary {
    _Atomic uint32_t references;
    struct troupe_death death; /* its texts follow */
};
struct tr_obituary *tr_obituary_new(const struct troupe_death *death);
void tr_obituary_hold(struct tr_obituary *obituary);
void tr_obituary_drop(struct tr_obituary *obituary);

/* Of a run that did not even begin. What it points to stays the caller's. */
struct troupe_death tr_death_unborn(troupe_address who, const char *path, const char *actor, uint32_t run,
                                    enum troupe_status status, const char *why);

/* Ns since 1970. */
int64_t tr_death_time(void);

/* As troupe_death_print, without whom it is about. */
size_t tr_death_say(const struct troupe_death *death, char *text, size_t size);

/* A line of the log. */
void tr_death_log(struct tr_node *node, enum troupe_level level, const struct troupe_death *death);

#endif
