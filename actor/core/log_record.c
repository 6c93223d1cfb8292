/* What the two forms of a line have in common. */
#include "core/log_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

void tr_log_time(int64_t time, char text[TR_LOG_TIME]) {
    time_t seconds = (time_t)(time / TROUPE_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t used = strftime(text, TR_LOG_TIME, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, TR_LOG_TIME - used, ".%03dZ", (int)(time % TROUPE_SECOND / TROUPE_MILLISECOND));
}

const char *tr_log_level_name(enum troupe_level level) {
    static const char *const names[] = { "debug", "info", "warning", "error" };
    return (unsigned)level > (unsigned)TROUPE_ERROR ? "error" : names[level];
}

void tr_log_clean(const char *text, char clean[TR_LOG_LINE]) {
    size_t size = text == NULL ? 0 : strnlen(text, TR_LOG_LINE - 1);
    if (size > 0) memcpy(clean, text, size);
    clean[size] = '\0';
    tr_utf8_mend(clean);
}

static bool is_taken(const char *name) {
    static const char *const taken[] = { "time", "level", "path", "text", "node", "pid", "cut" };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0) return true;
    return false;
}

static bool is_plain(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_';
}

void tr_log_field_name(const char *name, char text[TR_LOG_NAME + 2]) {
    const char *from = name == NULL || *name == '\0' ? "_" : name;
    snprintf(text, TR_LOG_NAME + 2, "%.*s", TR_LOG_NAME, from);
    if (is_taken(text)) snprintf(text, TR_LOG_NAME + 2, "_%.*s", TR_LOG_NAME, from);
    for (char *at = text; *at != '\0'; at++)
        if (!is_plain(*at)) *at = '_';
}

size_t tr_log_character(const char *at) {
    unsigned char first = (unsigned char)*at;
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

bool tr_log_is_control(const char *at) {
    unsigned char first = (unsigned char)at[0];
    if (first == 0xC2) return (unsigned char)at[1] < 0xA0;
    return first < ' ' || first == 0x7F;
}

void tr_log_real(double real, char text[TR_LOG_REAL]) {
    int digits = 15;
    do {
        snprintf(text, TR_LOG_REAL, "%.*g", digits, real);
    } while (digits++ < 17 && isfinite(real) && strtod(text, NULL) != real);
    char *comma = strchr(text, ',');
    if (comma != NULL) *comma = '.';
}
