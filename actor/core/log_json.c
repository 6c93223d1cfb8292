/*
 * A record for programs: one object in one line (RFC 8259).
 *
 * Cutting keeps it whole: room for the end, node and process is set aside, a text is cut between two
 * characters, and a field that has no room for its name and an empty value is left out.
 */
#include "core/log_record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ,"node":18446744073709551615,"pid":-2147483648,"cut":true} and the line feed */
enum { END = 60, ROOM = TR_LOG_LINE - END, ESCAPED = 8 };

struct object {
    char *text;
    size_t used;
    bool cut;
};

static void put(struct object *object, const char *text, size_t size) {
    memcpy(object->text + object->used, text, size);
    object->used += size;
}

/* All or nothing; `more` bytes are to stay free behind it. */
static bool add(struct object *object, const char *text, size_t more) {
    size_t size = strlen(text);
    if (object->used + size + more > ROOM) {
        object->cut = true;
        return false;
    }
    put(object, text, size);
    return true;
}

/* Of a control character, which has one byte or (U+0080 to U+009F) two. */
static unsigned code_of(const char *at) {
    return (unsigned char)at[0] == 0xC2 ? (unsigned char)at[1] : (unsigned char)at[0];
}

/* The next character as it is written within quotes. Returns how many bytes of the text it has. */
static size_t escape(const char *at, char written[ESCAPED]) {
    size_t size = tr_log_character(at);
    if (*at == '"' || *at == '\\') snprintf(written, ESCAPED, "\\%c", *at);
    else if (*at == '\n') snprintf(written, ESCAPED, "\\n");
    else if (*at == '\t') snprintf(written, ESCAPED, "\\t");
    else if (tr_log_is_control(at)) snprintf(written, ESCAPED, "\\u%04x", code_of(at));
    else snprintf(written, ESCAPED, "%.*s", (int)size, at);
    return size;
}

/* Room for both quotes is there. */
static void put_string(struct object *object, const char *text) {
    char clean[TR_LOG_LINE], written[ESCAPED];
    bool fits = true;
    tr_log_clean(text, clean);
    put(object, "\"", 1);
    for (const char *at = clean; *at != '\0' && fits;) {
        at += escape(at, written);
        fits = add(object, written, 1);
    }
    put(object, "\"", 1);
}

/* `name` is plain. */
static void add_string(struct object *object, const char *name, const char *text) {
    char key[TR_LOG_NAME + 8];
    snprintf(key, sizeof key, "%s\"%s\":", object->used > 1 ? "," : "", name);
    if (add(object, key, 2)) put_string(object, text);
}

static void add_plain(struct object *object, const char *name, const char *value) {
    char member[TR_LOG_NAME + 64];
    snprintf(member, sizeof member, ",\"%s\":%s", name, value);
    add(object, member, 0);
}

/* JSON has no words for what is no number. */
static void add_real(struct object *object, const char *name, double real) {
    char number[TR_LOG_REAL];
    if (isfinite(real)) {
        tr_log_real(real, number);
        add_plain(object, name, number);
    } else {
        add_string(object, name, isnan(real) ? "nan" : real > 0 ? "inf" : "-inf");
    }
}

static void add_field(struct object *object, const struct troupe_log_field *field) {
    char name[TR_LOG_NAME + 2], number[TR_LOG_REAL];
    tr_log_field_name(field->name, name);
    switch (field->kind) {
    case TROUPE_LOG_INTEGER:
        snprintf(number, sizeof number, "%" PRId64, field->integer);
        add_plain(object, name, number);
        break;
    case TROUPE_LOG_REAL: add_real(object, name, field->real); break;
    case TROUPE_LOG_FLAG: add_plain(object, name, field->integer != 0 ? "true" : "false"); break;
    case TROUPE_LOG_TEXT:
    case TROUPE_LOG_ADDRESS:
    default: add_string(object, name, field->text); break;
    }
}

/* Into what was set aside for it. */
static void put_end(struct object *object, const struct tr_log_record *record) {
    char end[END];
    int size = snprintf(end, sizeof end, ",\"node\":%" PRIu64 ",\"pid\":%" PRId32 "%s}\n", record->node,
                        record->pid, object->cut ? ",\"cut\":true" : "");
    put(object, end, (size_t)size);
}

size_t tr_log_json(const struct tr_log_record *record, char line[TR_LOG_LINE]) {
    struct object object = { .text = line };
    char time[TR_LOG_TIME];
    tr_log_time(record->time, time);
    put(&object, "{", 1);
    add_string(&object, "time", time);
    add_string(&object, "level", tr_log_level_name(record->level));
    add_string(&object, "path", record->path);
    add_string(&object, "text", record->text);
    size_t count = record->count < TROUPE_LOG_FIELDS ? record->count : TROUPE_LOG_FIELDS;
    for (size_t i = 0; i < count; i++) add_field(&object, &record->fields[i]);
    object.cut = object.cut || count < record->count;
    put_end(&object, record);
    return object.used;
}
