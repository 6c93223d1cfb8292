#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "debug", "info", "warning", "error" };

static size_t put_time(char *line, size_t size) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return used + (size_t)snprintf(line + used, size - used, ".%03ldZ", now.tv_nsec / 1000000);
}

/* Other control characters than the end of the line would let a message forge lines. */
static void tame(char *text) {
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ') *text = ' ';
}

void tr_log_list(struct tr_node *node, enum troupe_level level, const char *path, const char *format,
                 va_list list) {
    char line[TR_LOG_LINE];
    size_t used = put_time(line, sizeof line);
    char whom[32] = "keeper";
    if ((unsigned)level > (unsigned)TROUPE_ERROR) level = TROUPE_ERROR; /* a program's mistake: not to be overlooked */
    if (node != NULL) snprintf(whom, sizeof whom, "node %llu", (unsigned long long)node->id);
    used += (size_t)snprintf(line + used, sizeof line - used, " %-7s %.255s: ", level_names[level],
                             path != NULL ? path : whom);
    vsnprintf(line + used, sizeof line - used - 1, format, list);
    tame(line);
    used = strlen(line);
    line[used] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used + 1);
    (void)written; /* nobody is left to be told */
}

void tr_log(struct tr_node *node, enum troupe_level level, const char *path, const char *format, ...) {
    va_list list;
    va_start(list, format);
    tr_log_list(node, level, path, format, list);
    va_end(list);
}

const char *tr_node_path(struct tr_node *node, troupe_address address, char *text, size_t size) {
    const char *path = node->options.hooks->path_of(node, address);
    struct tr_cell *cell =
        address.node == node->id ? tr_cells_at(&node->cells, address.slot) : NULL;
    const struct tr_class *class = cell == NULL ? NULL : atomic_load(&cell->class);
    if (troupe_address_is_none(address)) snprintf(text, size, "outside");
    else if (path != NULL) snprintf(text, size, "%s", path);
    else
        snprintf(text, size, "/%s/%llu.%u.%u", class == NULL ? "actor" : class->type->name,
                 (unsigned long long)address.node, address.slot, address.generation);
    return text;
}
