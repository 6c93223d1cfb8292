/*
 * A record of the log, and the two forms in which it is written. Pure: a record in, a line out.
 *
 * Text comes from anywhere: from messages of strangers, from memory that a bug has been in. Whatever it holds,
 * a line is one line, valid UTF-8, and has at most TR_LOG_LINE bytes; in JSON it is one object that any reader
 * takes. A line that was cut says so.
 */
#ifndef TR_LOG_RECORD_H
#define TR_LOG_RECORD_H

#include <troupe/log.h>

/* With its line feed: what a pipe takes in one piece (PIPE_BUF), so that no line is ever half there. */
enum { TR_LOG_LINE = 4096, TR_LOG_TEXT = 2048, TR_LOG_NAME = 64 };

struct tr_log_record {
    int64_t time; /* ns since 1970 */
    enum troupe_level level;
    const char *path;
    const char *text;
    const struct troupe_log_field *fields; /* of addresses `text` is the path */
    size_t count;                          /* at most TROUPE_LOG_FIELDS are written */
    uint64_t node;                         /* 0: the keeper */
    int32_t pid;
};

/* Each returns the size of the line, which ends with a line feed and is not terminated. */
size_t tr_log_pretty(const struct tr_log_record *record, char line[TR_LOG_LINE]);
size_t tr_log_json(const struct tr_log_record *record, char line[TR_LOG_LINE]);

/* ---- What both need ---- */

/* "2026-11-24T02:03:31.120Z" */
enum { TR_LOG_TIME = 40 };
void tr_log_time(int64_t time, char text[TR_LOG_TIME]);
/* "warning", as it is written everywhere. What is no level is an error: a program's mistake, not to be
 * overlooked. */
const char *tr_log_level_name(enum troupe_level level);
/* At most TR_LOG_LINE - 1 bytes of a text, as valid UTF-8, terminated. NULL is empty. */
void tr_log_clean(const char *text, char clean[TR_LOG_LINE]);
/* A name as it may stand in a line, terminated. */
void tr_log_field_name(const char *name, char text[TR_LOG_NAME + 2]);
/* In as few digits as tell it from its neighbours, with a point, whatever the program's locale says. */
enum { TR_LOG_REAL = 40 };
void tr_log_real(double real, char text[TR_LOG_REAL]);
/* How many bytes of clean text the next character has. */
size_t tr_log_character(const char *at);
/* Is it a control character: those below a blank, delete, and U+0080 to U+009F? */
bool tr_log_is_control(const char *at);

#endif
