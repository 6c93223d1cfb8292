/* One value of a table's key: its text, its range, and what to say when it is wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/check.h"
#include "config/value.h"

static const struct tr_word *word_of(const struct tr_key *row, const char *text) {
    for (const struct tr_word *word = row->words; word != NULL && word->text != NULL; word++) {
        if (strcmp(word->text, text) == 0) return word;
    }
    return NULL;
}

static bool in_range(const struct tr_key *row, int64_t value) {
    return value >= row->min && value <= row->max;
}

static enum tr_value_result parse_number(const struct tr_key *row, const char *text,
                                         int64_t *value) {
    struct tr_integer integer;
    enum tr_value_result result = tr_value_integer(text, &integer);
    if (result != TR_VALUE_OK) return result;
    if (integer.magnitude > INT64_MAX) return TR_VALUE_TOO_BIG;
    *value = integer.negative ? -(int64_t)integer.magnitude : (int64_t)integer.magnitude;
    return in_range(row, *value) ? TR_VALUE_OK : TR_VALUE_TOO_BIG;
}

static enum tr_value_result parse_duration(const struct tr_key *row, const char *text,
                                           int64_t *value) {
    enum tr_value_result result = tr_value_duration(text, value);
    if (result != TR_VALUE_OK) return result;
    return in_range(row, *value) ? TR_VALUE_OK : TR_VALUE_TOO_BIG;
}

static enum tr_value_result parse_size(const struct tr_key *row, const char *text, int64_t *value) {
    enum tr_value_result result = tr_value_size(text, value);
    if (result != TR_VALUE_OK) return result;
    return in_range(row, *value) ? TR_VALUE_OK : TR_VALUE_TOO_BIG;
}

static enum tr_value_result parse_flag(const char *text, int64_t *value) {
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0 ? TR_VALUE_OK : TR_VALUE_NOT_ONE;
}

static enum tr_value_result parse(const struct tr_key *row, const char *text, int64_t *value) {
    const struct tr_word *word = word_of(row, text);
    if (word != NULL) {
        *value = word->value;
        return TR_VALUE_OK;
    }
    switch (row->kind) {
    case TR_KEY_NUMBER:
        return parse_number(row, text, value);
    case TR_KEY_DURATION:
        return parse_duration(row, text, value);
    case TR_KEY_SIZE:
        return parse_size(row, text, value);
    case TR_KEY_FLAG:
        return parse_flag(text, value);
    default:
        return TR_VALUE_NOT_ONE;
    }
}

static const char *what_is_wrong(const struct tr_key *row, enum tr_value_result result) {
    switch (result) {
    case TR_VALUE_ZERO:
        return "begins with a zero";
    case TR_VALUE_TOO_BIG:
        return "is out of range";
    case TR_VALUE_NO_UNIT:
        return "has no unit";
    case TR_VALUE_BAD_UNIT:
        return "has an unknown unit";
    default:
        break;
    }
    if (row->kind == TR_KEY_NUMBER) return "is not a whole number";
    if (row->kind == TR_KEY_DURATION) return "is not a duration";
    if (row->kind == TR_KEY_SIZE) return "is not a size";
    return "is not known";
}

/* NULL: that is out of range, too. */
static const char *in_seconds(struct tr_mistakes *mistakes, const struct tr_key *row, const char *text) {
    int64_t value;
    if (strlen(text) >= 16) return NULL;
    const char *seconds = tr_arena_print(mistakes->arena, "%ss", text);
    return parse_duration(row, seconds, &value) == TR_VALUE_OK ? seconds : NULL;
}

static void suggest_for(struct tr_mistakes *mistakes, const struct tr_key *row, const char *text,
                        enum tr_value_result result, struct tr_suggest *suggest) {
    tr_suggest_start(suggest, text);
    if (result == TR_VALUE_NO_UNIT && row->kind == TR_KEY_DURATION) suggest->best = in_seconds(mistakes, row, text);
    if (result != TR_VALUE_NOT_ONE) return;
    for (const struct tr_word *word = row->words; word != NULL && word->text != NULL; word++) {
        tr_suggest_consider(suggest, word->text);
    }
}

static void tell(struct tr_mistakes *mistakes, const struct tr_key *row, const struct tr_yaml *node,
                 enum tr_value_result result) {
    char allowed[TR_KEYS_ALLOWED_SIZE];
    struct tr_suggest suggest;
    suggest_for(mistakes, row, node->text, result, &suggest);
    tr_keys_allowed(row, allowed);
    const char *units = row->kind == TR_KEY_SIZE ? "B, KiB, MiB, GiB, TiB" : "us, ms, s, m, h";
    tr_mistake_suggest(
        mistakes, node->where, &suggest, result == TR_VALUE_BAD_UNIT ? units : allowed, "%s: %s %s",
        row->key, tr_mistakes_quote(mistakes, node->text), what_is_wrong(row, result));
}

/* Numbers and flags in quotes are texts; durations, sizes and words are texts anyway. */
static bool is_of_kind(const struct tr_key *row, const struct tr_yaml *node) {
    if (node->kind != TR_YAML_SCALAR || tr_yaml_is_null(node)) return false;
    return node->plain || row->kind == TR_KEY_DURATION || row->kind == TR_KEY_SIZE || row->kind == TR_KEY_WORD;
}

static int64_t standard_of(const struct tr_key *row) {
    int64_t value = 0;
    if (row->standard == NULL) return 0;
    enum tr_value_result result = parse(row, row->standard, &value);
    tr_assert(result == TR_VALUE_OK);
    return value;
}

int64_t tr_check_value(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                       const struct tr_yaml *map, const char *key) {
    const struct tr_key *row = tr_keys_row(keys, key);
    const struct tr_yaml *node = tr_yaml_get(map, key);
    tr_assert(row != NULL && row->kind != TR_KEY_OTHER && row->kind != TR_KEY_NAME);
    if (node == NULL) return standard_of(row);
    if (!is_of_kind(row, node)) {
        char allowed[TR_KEYS_ALLOWED_SIZE];
        tr_check_expected(mistakes, node, key, tr_keys_allowed(row, allowed));
        return standard_of(row);
    }
    int64_t value = 0;
    enum tr_value_result result = parse(row, node->text, &value);
    if (result == TR_VALUE_OK) return value;
    tell(mistakes, row, node, result);
    return standard_of(row);
}
