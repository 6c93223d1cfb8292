#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/worker.h"

enum { FULL_MS = 1000 };

static const struct tr_logger standard = { .form = TR_LOG_PRETTY };

enum tr_log_form tr_log_form_of(enum tr_log_form form, int descriptor) {
    if (form != TR_LOG_AUTO) return form;
    return isatty(descriptor) ? TR_LOG_PRETTY : TR_LOG_JSON;
}

/* ---- Writing ---- */

/* Somebody has made it non-blocking: it is not ours to change. */
static bool is_only_full(int descriptor) {
    struct pollfd room = { .fd = descriptor, .events = POLLOUT };
    return errno == EAGAIN && poll(&room, 1, FULL_MS) == 1;
}

void tr_log_put(int descriptor, const char *text, size_t size) {
    while (size > 0) {
        ssize_t written = write(descriptor, text, size);
        if (written < 0 && errno != EINTR && !is_only_full(descriptor)) return; /* nobody is left to be told */
        if (written > 0) text += written;
        if (written > 0) size -= (size_t)written;
    }
}

static bool is_wanted(const struct tr_logger *logger, enum troupe_level level) {
    return (unsigned)level >= (unsigned)logger->level; /* what is no level is an error */
}

static int64_t time_of_day(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}

void tr_log_write(const struct tr_logger *logger, struct tr_log_record *record) {
    char line[TR_LOG_LINE];
    if (logger == NULL) logger = &standard;
    if (!is_wanted(logger, record->level)) return;
    record->time = time_of_day();
    record->pid = getpid();
    size_t size = logger->form == TR_LOG_JSON ? tr_log_json(record, line) : tr_log_pretty(record, line);
    if (logger->line != NULL) logger->line(logger->context, record->level, line, size);
    else tr_log_put(STDERR_FILENO, line, size);
}

static const struct tr_logger *logger_of(const struct tr_node *node) {
    return node->options.logger == NULL ? &standard : node->options.logger;
}

/* ---- Texts ---- */

static void say(const struct tr_logger *logger, const struct tr_log_record *record, const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));
static void say(const struct tr_logger *logger, const struct tr_log_record *record, const char *format,
                va_list list) {
    char text[TR_LOG_TEXT];
    struct tr_log_record whole = *record;
    if (!is_wanted(logger, record->level)) return;
    vsnprintf(text, sizeof text, format, list);
    whole.text = text;
    tr_log_write(logger, &whole);
}

void tr_log_say(const struct tr_logger *logger, enum troupe_level level, const char *path, const char *format,
                ...) {
    struct tr_log_record record = { .level = level, .path = path != NULL ? path : "keeper" };
    va_list list;
    va_start(list, format);
    say(logger == NULL ? &standard : logger, &record, format, list);
    va_end(list);
}

void tr_log_list(struct tr_node *node, enum troupe_level level, const char *path, const char *format,
                 va_list list) {
    char whom[32];
    struct tr_log_record record = { .level = level, .path = path, .node = node->id };
    snprintf(whom, sizeof whom, "node %llu", (unsigned long long)node->id);
    if (path == NULL) record.path = whom;
    say(logger_of(node), &record, format, list);
}

void tr_log(struct tr_node *node, enum troupe_level level, const char *path, const char *format, ...) {
    va_list list;
    va_start(list, format);
    tr_log_list(node, level, path, format, list);
    va_end(list);
}

/* ---- Fields ---- */

/* Addresses become paths. */
static size_t copy_fields(struct tr_node *node, struct troupe_log_field *copies,
                          char paths[][TR_PATH_SIZE], const struct troupe_log_field *fields, size_t count) {
    size_t some = fields == NULL ? 0 : count < TROUPE_LOG_FIELDS ? count : TROUPE_LOG_FIELDS;
    for (size_t i = 0; i < some; i++) {
        copies[i] = fields[i];
        if (fields[i].kind == TROUPE_LOG_ADDRESS)
            copies[i].text = tr_node_path(node, fields[i].address, paths[i], TR_PATH_SIZE);
    }
    return some;
}

void troupe_log_fields(troupe_self *self, enum troupe_level level, const char *text,
                       const struct troupe_log_field *fields, size_t count) {
    struct tr_node *node = self->worker->node;
    struct troupe_log_field copies[TROUPE_LOG_FIELDS];
    char paths[TROUPE_LOG_FIELDS][TR_PATH_SIZE];
    if (!is_wanted(logger_of(node), level)) return;
    struct tr_log_record record = { .level = level, .path = troupe_self_path(self), .text = text,
                                    .fields = copies, .count = count, .node = node->id };
    if (copy_fields(node, copies, paths, fields, count) == 0) record.count = 0;
    tr_log_write(logger_of(node), &record);
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
