#include "config/value.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static unsigned digit_of(char c) {
    if (is_digit(c)) return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f') return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return (unsigned)(c - 'A') + 10;
    return 16;
}

/* Reads digits up to the first other character, where `*text` is left. */
static enum tr_value_result read_digits(const char **text, unsigned base, uint64_t *value) {
    const char *first = *text;
    bool too_big = false;
    *value = 0;
    for (; digit_of(**text) < base; (*text)++) {
        too_big |= __builtin_mul_overflow(*value, base, value);
        too_big |= __builtin_add_overflow(*value, digit_of(**text), value);
    }
    if (*text == first) return TR_VALUE_NOT_ONE;
    if (too_big) return TR_VALUE_TOO_BIG;
    return base == 10 && first[0] == '0' && *text - first > 1 ? TR_VALUE_ZERO : TR_VALUE_OK;
}

enum tr_value_result tr_value_integer(const char *text, struct tr_integer *value) {
    value->negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (hex) text += 2;
    enum tr_value_result result = read_digits(&text, hex ? 16 : 10, &value->magnitude);
    return *text != '\0' ? TR_VALUE_NOT_ONE : result;
}

/* From the largest on; ends with a NULL name. */
struct unit {
    const char *name;
    int64_t size;
};

static const struct unit durations[] = { /* ns */
    { "h", INT64_C(3600000000000) }, { "m", INT64_C(60000000000) }, { "s", INT64_C(1000000000) },
    { "ms", INT64_C(1000000) },      { "us", INT64_C(1000) },       { NULL, 0 }
};

static const struct unit sizes[] = { /* bytes */
    { "TiB", INT64_C(1) << 40 }, { "GiB", INT64_C(1) << 30 }, { "MiB", INT64_C(1) << 20 },
    { "KiB", INT64_C(1) << 10 }, { "B", 1 },                  { NULL, 0 }
};

static const struct unit *unit_named(const struct unit *units, const char *name) {
    while (units->name != NULL && strcmp(units->name, name) != 0) units++;
    return units->name == NULL ? NULL : units;
}

static enum tr_value_result read_measure(const struct unit *units, const char *text, int64_t *value) {
    uint64_t number;
    enum tr_value_result result = read_digits(&text, 10, &number);
    if (result == TR_VALUE_NOT_ONE) return result;
    if (*text == '\0') return TR_VALUE_NO_UNIT;
    const struct unit *unit = unit_named(units, text);
    if (unit == NULL) return TR_VALUE_BAD_UNIT;
    if (result != TR_VALUE_OK) return result;
    if (__builtin_mul_overflow(number, unit->size, value)) return TR_VALUE_TOO_BIG;
    return TR_VALUE_OK;
}

enum tr_value_result tr_value_duration(const char *text, int64_t *value) {
    return read_measure(durations, text, value);
}

enum tr_value_result tr_value_size(const char *text, int64_t *value) { return read_measure(sizes, text, value); }

static const char *print(const struct unit *unit, int64_t value, char text[TR_VALUE_DURATION_SIZE]) {
    while (unit[1].name != NULL && (value == 0 || value % unit->size != 0)) unit++;
    snprintf(text, TR_VALUE_DURATION_SIZE, "%" PRId64 "%s", value / unit->size, unit->name);
    return text;
}

const char *tr_value_print_duration(int64_t value, char text[TR_VALUE_DURATION_SIZE]) {
    return print(durations, value, text);
}

const char *tr_value_print_size(int64_t value, char text[TR_VALUE_DURATION_SIZE]) { return print(sizes, value, text); }

static const char *skip_digits(const char *text) {
    while (is_digit(*text)) text++;
    return text;
}

/* [+-] digits [. digits] [e [+-] digits] */
static bool looks_real(const char *text) {
    if (*text == '-' || *text == '+') text++;
    const char *whole = text;
    text = skip_digits(text);
    if (text == whole) return false;
    if (*text == '.') text = skip_digits(text + 1);
    if (*text != 'e' && *text != 'E') return *text == '\0';
    text++;
    if (*text == '-' || *text == '+') text++;
    return is_digit(*text) && *skip_digits(text) == '\0';
}

static bool read_special(const char *text, double *value) {
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    bool infinite = strcmp(text, ".inf") == 0;
    *value = !infinite ? (double)NAN : negative ? -HUGE_VAL : HUGE_VAL;
    return infinite || strcmp(text, ".nan") == 0;
}

enum tr_value_result tr_value_real(const char *text, double *value) {
    if (read_special(text, value)) return TR_VALUE_OK;
    if (!looks_real(text)) return TR_VALUE_NOT_ONE;
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) return TR_VALUE_NOT_ONE;
    *value = strtod_l(text, NULL, plain);
    freelocale(plain);
    return isinf(*value) ? TR_VALUE_TOO_BIG : TR_VALUE_OK;
}

const char *tr_value_name(const char *text) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (*text == '\0') return "is empty";
    if (text[strspn(text, letters)] != '\0') return "may have letters, digits, '_' and '-' only";
    if (strlen(text) > TR_VALUE_NAME_MAX) return "is longer than 64 characters";
    return NULL;
}
