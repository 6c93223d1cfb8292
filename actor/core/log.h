/* Lines for people on standard error, each one write, so that lines of many processes do not mix. */
#ifndef TR_LOG_H
#define TR_LOG_H

#include <stdarg.h>

#include "core/node.h"

enum { TR_PATH_SIZE = 256, TR_LOG_LINE = 2048 };

/* `path`: whom the line is about; NULL: the node. `node` may be NULL: the keeper. */
void tr_log(struct tr_node *node, enum troupe_level level, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void tr_log_list(struct tr_node *node, enum troupe_level level, const char *path, const char *format,
                 va_list list) __attribute__((format(printf, 4, 0)));

/* The path of an address, here or elsewhere; something readable in any case. Returns `text`. */
const char *tr_node_path(struct tr_node *node, troupe_address address, char *text, size_t size);

#endif
