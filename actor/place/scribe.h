/*
 * The scribe: the one who writes the log of all processes of an application. Part of the keeper.
 *
 * Each process has a pipe to the keeper (log_pipe.h). What comes out of it is cut into lines (tr_scribe_source),
 * and whole lines, the keeper's own among them, go through one buffer to one output. So lines of different
 * processes never mix, and they are written in the order in which the keeper saw them.
 *
 * The keeper has more to do than to wait for whoever reads the output: it is written only as far as it takes it.
 * What it does not take waits in the buffer; when 1 MiB waits, pipes are no longer read (tr_scribe_has_room), so
 * that processes feel it. Only the rest that a dead process left in its pipe is still taken, and what the
 * keeper says itself; at 2 MiB lines are dropped and counted.
 *
 * The output is somebody else's: to make it non-blocking would make it so for the shell, too. It is therefore
 * opened once more, if it can be (/proc/self/fd; not a socket, not another user's terminal). A regular file is
 * written as it is: that does not wait for anybody.
 *
 * When the other end of the output is closed, what is written is lost, and nothing else happens: SIGPIPE is
 * blocked meanwhile.
 *
 * One thread, and it must be the first: processes that are forked unblock SIGPIPE again (process.c).
 */
#ifndef TR_SCRIBE_H
#define TR_SCRIBE_H

#include "core/log.h"

struct tr_scribe {
    int output;       /* -1: not open */
    bool own;         /* it was opened once more */
    bool polls;       /* it may block a writer: ask first */
    char *buffer;     /* what waits is from `begin` to `end` */
    size_t begin, end;
    uint64_t dropped; /* lines, not yet said */
    bool sigpipe;     /* was blocked before */
    enum tr_log_form form;
};

/* Makes `output` the one. False: no memory. */
bool tr_scribe_open(struct tr_scribe *scribe, int output, enum tr_log_form form);
/* Writes what waits, for at most `within` ns. What is left then is lost. */
void tr_scribe_close(struct tr_scribe *scribe, int64_t within);

/* Takes a whole line. */
void tr_scribe_line(struct tr_scribe *scribe, const char *line, size_t size);
/* May more be read from processes? */
bool tr_scribe_has_room(const struct tr_scribe *scribe);
/* Writes as much as the output takes. True: nothing is left. */
bool tr_scribe_flush(struct tr_scribe *scribe);

/* ---- What comes from one process ---- */

struct tr_scribe_source {
    int pipe; /* -1: none; does not block */
    size_t used;
    char part[TR_LOG_LINE]; /* of a line whose end has not come yet */
};

enum tr_source_state { TR_SOURCE_EMPTY, TR_SOURCE_MORE, TR_SOURCE_ENDED };

/* Reads once, up to 64 KiB, and hands whole lines to `take`. A line that is longer than TR_LOG_LINE comes in
 * several. */
enum tr_source_state tr_source_read(struct tr_scribe_source *source,
                                    void (*take)(void *context, const char *line, size_t size), void *context);
/* What its writer has left: reads to the end, but not for ever if somebody still writes; a line without an end
 * gets one. Closes it. */
void tr_source_drain(struct tr_scribe_source *source,
                     void (*take)(void *context, const char *line, size_t size), void *context);

#endif
