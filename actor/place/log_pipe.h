/*
 * A process's end of the log: a pipe to the keeper, whose scribe writes what comes (scribe.h).
 *
 * A line has at most PIPE_BUF bytes, and the pipe takes it whole or not at all: lines of several threads do not
 * mix, and what the pipe has taken is written even if this process is killed in the next instant.
 *
 * Failures. A pipe that is full means that the keeper is behind, or that nobody reads what it writes. A line
 * waits a second for room; when one has waited in vain, those after it do not wait until there is room again.
 * What finds none is dropped and counted, and the next line that is taken is preceded by one that says how many.
 * So a program whose output nobody reads goes on.
 */
#ifndef TR_LOG_PIPE_H
#define TR_LOG_PIPE_H

#include <stdatomic.h>

#include "core/log.h"

struct tr_log_pipe {
    int descriptor;           /* does not block */
    enum tr_log_form form;    /* of the line about lines that were dropped */
    _Atomic uint32_t dropped; /* not yet said */
    _Atomic bool stuck;       /* one has waited in vain */
};

/* The descriptor stays the caller's. */
void tr_log_pipe_open(struct tr_log_pipe *pipe, int descriptor, enum tr_log_form form);
/* The end: says what is left to be said. */
void tr_log_pipe_close(struct tr_log_pipe *pipe);

/* As tr_logger.line; `context` is the pipe. */
void tr_log_pipe_line(void *context, enum troupe_level level, const char *line, size_t size);

#endif
