/*
 * The log: what anybody here has to say to people, a record each.
 *
 * A logger decides what is said at all, in which form, and who takes the finished line: by default one write(2)
 * to standard error, so that lines of several threads do not mix.
 */
#ifndef TR_LOG_H
#define TR_LOG_H

#include <stdarg.h>

#include "base/rules.h"
#include "core/log_record.h"
#include "core/node.h"

enum { TR_PATH_SIZE = 256 };

/* Zero: pretty, everything, to standard error. */
struct tr_logger {
    enum tr_log_form form;   /* AUTO is pretty: see tr_log_form_of */
    enum troupe_level level; /* from this one on */
    /* Takes a finished line, from any thread. NULL: standard error. */
    void (*line)(void *context, enum troupe_level level, const char *line, size_t size);
    void *context;
};

/* Which form AUTO is for lines that go to this descriptor; any other is itself. */
enum tr_log_form tr_log_form_of(enum tr_log_form form, int descriptor);

/* `path`: whom the line is about; NULL: the node. Any thread. */
void tr_log(struct tr_node *node, enum troupe_level level, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tr_log_list(struct tr_node *node, enum troupe_level level, const char *path, const char *format,
                 va_list list) __attribute__((format(printf, 4, 0)));
/* What no node says; `path` NULL: the keeper. */
void tr_log_say(const struct tr_logger *logger, enum troupe_level level, const char *path, const char *format,
                ...) __attribute__((format(printf, 4, 5)));
/* Time and process are filled in. NULL is the logger that is all zero. */
void tr_log_write(const struct tr_logger *logger, struct tr_log_record *record);
/* All of `size` bytes, however many writes that takes; what cannot be written is lost. */
void tr_log_put(int descriptor, const char *text, size_t size);

/* The path of an address, here or elsewhere; something readable in any case. Returns `text`. */
const char *tr_node_path(struct tr_node *node, troupe_address address, char *text, size_t size);

#endif
