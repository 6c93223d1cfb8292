/*
 * Structured logs: time, level, path of the actor, text, fields.
 *
 *     troupe_log_with(self, TROUPE_INFO, "read", troupe_text("file", path), troupe_number("bytes", size));
 *
 *     2026-11-24T02:03:31.120Z info    /reader: read  file=notes.txt bytes=4711         on a terminal
 *     {"time":"2026-11-24T02:03:31.120Z","level":"info","path":"/reader","text":"read","file":"notes.txt",
 *      "bytes":4711,"node":1,"pid":4242}                                                else: in one line
 *
 * The key `log` of the configuration says from which level on, and in which form (docs/configuration.md).
 * All processes hand their lines to the first one, which alone writes them: lines never mix, and what a process had
 * logged is written even if it was killed right after. A call waits a second at most for somebody to read them;
 * then lines are dropped, and how many is said with the next one. What is no UTF-8 becomes a question mark; control characters become blanks or are escaped,
 * so that no text can forge a line or command a terminal. troupe_log of actor.h is the form without fields.
 */
#ifndef TROUPE_LOG_H
#define TROUPE_LOG_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

enum troupe_log_kind {
    TROUPE_LOG_TEXT,
    TROUPE_LOG_INTEGER,
    TROUPE_LOG_REAL,
    TROUPE_LOG_FLAG,
    TROUPE_LOG_ADDRESS
};

/* Made by the functions below. `name`: letters, digits and _, at most 64; anything else in it becomes a _,
 * and what a line has by itself (time, level, path, text, node, pid, cut) gets a _ in front. Nothing is kept:
 * name and text are read within the call. */
struct troupe_log_field {
    const char *name;
    enum troupe_log_kind kind;
    const char *text;
    int64_t integer;
    double real;
    troupe_address address;
};

static inline struct troupe_log_field troupe_text(const char *name, const char *text) {
    struct troupe_log_field field = { name, TROUPE_LOG_TEXT, text, 0, 0, { 0, 0, 0 } };
    return field;
}
static inline struct troupe_log_field troupe_number(const char *name, int64_t integer) {
    struct troupe_log_field field = { name, TROUPE_LOG_INTEGER, NULL, integer, 0, { 0, 0, 0 } };
    return field;
}
/* In JSON "nan", "inf" and "-inf" are texts. */
static inline struct troupe_log_field troupe_real(const char *name, double real) {
    struct troupe_log_field field = { name, TROUPE_LOG_REAL, NULL, 0, real, { 0, 0, 0 } };
    return field;
}
static inline struct troupe_log_field troupe_flag(const char *name, bool flag) {
    struct troupe_log_field field = { name, TROUPE_LOG_FLAG, NULL, flag ? 1 : 0, 0, { 0, 0, 0 } };
    return field;
}
/* Written as the path of that actor. */
static inline struct troupe_log_field troupe_whom(const char *name, troupe_address address) {
    struct troupe_log_field field = { name, TROUPE_LOG_ADDRESS, NULL, 0, 0, address };
    return field;
}

enum { TROUPE_LOG_FIELDS = 16 };

/* One record, with up to TROUPE_LOG_FIELDS fields: more are left out. A line has at most 4 KiB: what does not
 * fit is cut off, and "cut" says so. A record below the configured level costs a comparison. */
#define troupe_log_with(self, level, text, ...)                                                    \
    troupe_log_fields((self), (level), (text), (const struct troupe_log_field[]){ __VA_ARGS__ },   \
                      sizeof((const struct troupe_log_field[]){ __VA_ARGS__ }) /                   \
                          sizeof(struct troupe_log_field))
void troupe_log_fields(troupe_self *self, enum troupe_level level, const char *text,
                       const struct troupe_log_field *fields, size_t count);

/* Where a program that owns its main takes the lines itself (struct troupe_options): a finished line with its
 * line feed, not terminated, JSON unless `log: { form: pretty }`. Called by any thread, one at a time; it must be
 * quick, and must not call Troupe. */
typedef void (*troupe_log_line)(void *context, enum troupe_level level, const char *line, size_t size);

#ifdef __cplusplus
}
#endif
#endif
