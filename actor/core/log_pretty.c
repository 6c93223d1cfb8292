/* A record for people: time, level, path, text, and then the fields, NAME=VALUE. */
#include "core/log_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Kept free for what a line ends with. */
static const char cut_off[] = " ... (cut)\n";
enum { ROOM = TR_LOG_LINE - (int)sizeof cut_off };

struct line {
    char *text;
    size_t used;
    bool cut;
};

/* As far as it fits, whole characters only; control characters become a blank. */
static void add(struct line *line, const char *clean) {
    for (const char *at = clean; *at != '\0' && !line->cut;) {
        size_t size = tr_log_character(at);
        line->cut = line->used + size > ROOM;
        if (line->cut) return;
        memcpy(line->text + line->used, tr_log_is_control(at) ? " " : at, tr_log_is_control(at) ? 1 : size);
        line->used += tr_log_is_control(at) ? 1 : size;
        at += size;
    }
}

static void add_unclean(struct line *line, const char *text) {
    char clean[TR_LOG_LINE];
    tr_log_clean(text, clean);
    add(line, clean);
}

/* In quotes where it would not be seen where it ends. */
static void add_value(struct line *line, const char *text) {
    char clean[TR_LOG_LINE];
    tr_log_clean(text, clean);
    bool plain = *clean != '\0' && strpbrk(clean, " \"=\t\n\r") == NULL;
    if (!plain) add(line, "\"");
    for (char *at = clean; *at != '\0' && !plain; at++)
        if (*at == '"') *at = '\'';
    add(line, clean);
    if (!plain) add(line, "\"");
}

static void add_field(struct line *line, const struct troupe_log_field *field) {
    char name[TR_LOG_NAME + 2], number[TR_LOG_REAL];
    tr_log_field_name(field->name, name);
    add(line, " ");
    add(line, name);
    add(line, "=");
    switch (field->kind) {
    case TROUPE_LOG_INTEGER: snprintf(number, sizeof number, "%" PRId64, field->integer); break;
    case TROUPE_LOG_REAL: tr_log_real(field->real, number); break;
    case TROUPE_LOG_FLAG: snprintf(number, sizeof number, "%s", field->integer != 0 ? "true" : "false"); break;
    case TROUPE_LOG_TEXT:
    case TROUPE_LOG_ADDRESS:
    default: add_value(line, field->text); return;
    }
    add(line, number);
}

size_t tr_log_pretty(const struct tr_log_record *record, char text[TR_LOG_LINE]) {
    struct line line = { .text = text };
    char time[TR_LOG_TIME], begin[TR_LOG_TIME + 16];
    tr_log_time(record->time, time);
    snprintf(begin, sizeof begin, "%s %-7s ", time, tr_log_level_name(record->level));
    add(&line, begin);
    add_unclean(&line, record->path);
    add(&line, ": ");
    add_unclean(&line, record->text);
    size_t count = record->count < TROUPE_LOG_FIELDS ? record->count : TROUPE_LOG_FIELDS;
    if (count > 0) add(&line, " ");
    for (size_t i = 0; i < count; i++) add_field(&line, &record->fields[i]);
    const char *end = line.cut || count < record->count ? cut_off : "\n";
    memcpy(text + line.used, end, strlen(end));
    return line.used + strlen(end);
}
