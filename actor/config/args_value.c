#include "config/args_value.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "config/check.h"
#include "config/value.h"

static const struct kind {
    const char *name;
    size_t size;
    int64_t min;  /* of integers */
    uint64_t max; /* of integers; 0: not an integer */
} kinds[TROUPE_KIND_COUNT] = {
    [TROUPE_KIND_I8] = { "i8", 1, INT8_MIN, INT8_MAX },
    [TROUPE_KIND_I16] = { "i16", 2, INT16_MIN, INT16_MAX },
    [TROUPE_KIND_I32] = { "i32", 4, INT32_MIN, INT32_MAX },
    [TROUPE_KIND_I64] = { "i64", 8, INT64_MIN, INT64_MAX },
    [TROUPE_KIND_U8] = { "u8", 1, 0, UINT8_MAX },
    [TROUPE_KIND_U16] = { "u16", 2, 0, UINT16_MAX },
    [TROUPE_KIND_U32] = { "u32", 4, 0, UINT32_MAX },
    [TROUPE_KIND_U64] = { "u64", 8, 0, UINT64_MAX },
    [TROUPE_KIND_BOOL] = { "bool", sizeof(bool), 0, 0 },
    [TROUPE_KIND_F64] = { "f64", sizeof(double), 0, 0 },
    [TROUPE_KIND_STR] = { "str", sizeof(const char *), 0, 0 },
    [TROUPE_KIND_BYTES] = { "bytes", sizeof(struct troupe_bytes), 0, 0 },
    [TROUPE_KIND_ADDRESS] = { "address", sizeof(struct troupe_address), 0, 0 },
    [TROUPE_KIND_DESCRIPTOR] = { "descriptor", sizeof(int), 0, 0 },
};

size_t tr_args_size(enum troupe_kind kind) {
    tr_assert(kind < TROUPE_KIND_COUNT && kind != TROUPE_KIND_MESSAGE);
    return kinds[kind].size;
}

static void tell_range(struct tr_mistakes *mistakes, const struct troupe_field *field,
                       const struct tr_yaml *node) {
    const struct kind *kind = &kinds[field->kind];
    tr_mistake(mistakes, node->where,
               "%s: %s is out of range for %s; allowed: %" PRId64 " to %" PRIu64, field->name,
               tr_mistakes_quote(mistakes, node->text), kind->name, kind->min, kind->max);
}

static bool fits(const struct kind *kind, struct tr_integer value) {
    if (!value.negative) return value.magnitude <= kind->max;
    return value.magnitude <= (uint64_t)0 - (uint64_t)kind->min;
}

/* Two's complement: the low bytes are right for every width. */
static void store_integer(void *at, size_t size, struct tr_integer value) {
    uint64_t bits = value.negative ? (uint64_t)0 - value.magnitude : value.magnitude;
    uint8_t bits8 = (uint8_t)bits;
    uint16_t bits16 = (uint16_t)bits;
    uint32_t bits32 = (uint32_t)bits;
    if (size == 1) memcpy(at, &bits8, 1);
    if (size == 2) memcpy(at, &bits16, 2);
    if (size == 4) memcpy(at, &bits32, 4);
    if (size == 8) memcpy(at, &bits, 8);
}

static void read_integer(struct tr_mistakes *mistakes, const struct troupe_field *field,
                         const struct tr_yaml *node, void *at) {
    const struct kind *kind = &kinds[field->kind];
    struct tr_integer value;
    enum tr_value_result result = tr_value_integer(node->text, &value);
    if (!node->plain || result == TR_VALUE_NOT_ONE) {
        tr_check_expected(mistakes, node, field->name, "a whole number");
    } else if (result == TR_VALUE_ZERO) {
        tr_mistake(mistakes, node->where, "%s: %s begins with a zero", field->name,
                   tr_mistakes_quote(mistakes, node->text));
    } else if (result == TR_VALUE_TOO_BIG || !fits(kind, value)) {
        tell_range(mistakes, field, node);
    } else {
        store_integer(at, kind->size, value);
    }
}

static void read_bool(struct tr_mistakes *mistakes, const struct troupe_field *field,
                      const struct tr_yaml *node, void *at) {
    bool value = strcmp(node->text, "true") == 0;
    if (node->plain && (value || strcmp(node->text, "false") == 0)) {
        memcpy(at, &value, sizeof value);
    } else {
        tr_check_expected(mistakes, node, field->name, "true or false");
    }
}

static void read_real(struct tr_mistakes *mistakes, const struct troupe_field *field,
                      const struct tr_yaml *node, void *at) {
    double value;
    enum tr_value_result result = tr_value_real(node->text, &value);
    if (!node->plain || result == TR_VALUE_NOT_ONE) {
        tr_check_expected(mistakes, node, field->name, "a number");
    } else if (result == TR_VALUE_TOO_BIG) {
        tr_mistake(mistakes, node->where, "%s: %s is out of range for f64", field->name,
                   tr_mistakes_quote(mistakes, node->text));
    } else {
        memcpy(at, &value, sizeof value);
    }
}

static void store_bytes(const struct tr_yaml *node, void *at) {
    struct troupe_bytes bytes = { node->text, (uint32_t)strlen(node->text) };
    memcpy(at, &bytes, sizeof bytes);
}

/* Whatever a scalar looks like, it is a text too; but nothing is not. */
static void read_text(struct tr_mistakes *mistakes, const struct troupe_field *field,
                      const struct tr_yaml *node, void *at) {
    if (tr_yaml_is_null(node)) {
        tr_mistake(mistakes, node->where,
                   "%s: expected a text, found nothing; write \"\" for an empty one", field->name);
    } else if (field->kind == TROUPE_KIND_STR) {
        memcpy(at, &node->text, sizeof node->text);
    } else {
        store_bytes(node, at);
    }
}

static void read_scalar(struct tr_mistakes *mistakes, const struct troupe_field *field,
                        const struct tr_yaml *node, void *at) {
    if (kinds[field->kind].max > 0) {
        read_integer(mistakes, field, node, at);
    } else if (field->kind == TROUPE_KIND_BOOL) {
        read_bool(mistakes, field, node, at);
    } else if (field->kind == TROUPE_KIND_F64) {
        read_real(mistakes, field, node, at);
    } else {
        read_text(mistakes, field, node, at);
    }
}

static const char *wanted(enum troupe_kind kind) {
    if (kinds[kind].max > 0) return "a whole number";
    if (kind == TROUPE_KIND_BOOL) return "true or false";
    return kind == TROUPE_KIND_F64 ? "a number" : "a text";
}

void tr_args_value(struct tr_mistakes *mistakes, const struct troupe_field *field,
                   const struct tr_yaml *node, void *at) {
    tr_assert(field->kind < TROUPE_KIND_COUNT && field->kind != TROUPE_KIND_MESSAGE);
    if (field->kind == TROUPE_KIND_ADDRESS) {
        tr_mistake(mistakes, node->where, "%s: an address cannot be given in a configuration",
                   field->name);
    } else if (field->kind == TROUPE_KIND_DESCRIPTOR) {
        tr_mistake(mistakes, node->where,
                   "%s: a descriptor cannot be given in a configuration; give a path, and open it when the actor starts",
                   field->name);
    } else if (node->kind != TR_YAML_SCALAR) {
        tr_check_expected(mistakes, node, field->name, wanted(field->kind));
    } else {
        read_scalar(mistakes, field, node, at);
    }
}
