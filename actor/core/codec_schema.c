/*
 * Schemas: written out of a type, hashed, and compared with that of another program.
 *
 *     schema = name "(" [ field { "," field } ] ")"
 *     field  = name ":" kind | name ":[" kind "]"
 *     kind   = "i8" ... "address" | schema
 *
 * The comparison walks the type along the text of the other side. Lists of fields may differ in
 * length, at any depth: where the text ends first, the other side is older; where the type ends
 * first, it is newer, and its further fields are passed over up to the parenthesis that closes
 * them. Nothing recurses on the text, so that hostile text costs a scan.
 */
#include "base/hash.h"
#include "base/text.h"
#include "core/codec_internal.h"

#include <string.h>

struct sink {
    void (*add)(struct sink *sink, const char *text);
    struct tr_text text;
    uint64_t hash;
};

static void add_text(struct sink *sink, const char *text) { tr_text_add(&sink->text, text); }

static void add_hash(struct sink *sink, const char *text) {
    sink->hash = tr_hash_add(sink->hash, text, strlen(text));
}

static const char *kind_name(enum troupe_kind kind) {
    static const char *const names[TROUPE_KIND_COUNT] = {
        [TROUPE_KIND_I8] = "i8",           [TROUPE_KIND_I16] = "i16",
        [TROUPE_KIND_I32] = "i32",         [TROUPE_KIND_I64] = "i64",
        [TROUPE_KIND_U8] = "u8",           [TROUPE_KIND_U16] = "u16",
        [TROUPE_KIND_U32] = "u32",         [TROUPE_KIND_U64] = "u64",
        [TROUPE_KIND_BOOL] = "bool",       [TROUPE_KIND_F64] = "f64",
        [TROUPE_KIND_STR] = "str",         [TROUPE_KIND_BYTES] = "bytes",
        [TROUPE_KIND_ADDRESS] = "address", [TROUPE_KIND_MESSAGE] = "message",
        [TROUPE_KIND_DESCRIPTOR] = "descriptor",
    };
    return names[kind];
}

static void write_type(struct sink *sink, const struct troupe_message_type *type);

static void write_field(struct sink *sink, const struct troupe_field *field) {
    sink->add(sink, field->name);
    sink->add(sink, field->array ? ":[" : ":");
    if (field->nested != NULL)
        write_type(sink, field->nested);
    else
        sink->add(sink, kind_name(field->kind));
    if (field->array) sink->add(sink, "]");
}

static void write_type(struct sink *sink, const struct troupe_message_type *type) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    sink->add(sink, type->name);
    sink->add(sink, "(");
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0) sink->add(sink, ",");
        write_field(sink, &fields[i]);
    }
    sink->add(sink, ")");
}

size_t troupe_message_schema(const struct troupe_message_type *type, char *text, size_t size) {
    struct sink sink = { .add = add_text, .text = tr_text_begin(text, size) };
    write_type(&sink, type);
    return sink.text.length;
}

uint64_t troupe_message_fingerprint(const struct troupe_message_type *type) {
    struct sink sink = { .add = add_hash, .hash = TR_HASH_START };
    write_type(&sink, type);
    return sink.hash;
}

/* Moves past `expected`, if it is there. */
static bool eat(const char **at, const char *expected) {
    size_t length = strlen(expected);
    if (strncmp(*at, expected, length) != 0) return false;
    *at += length;
    return true;
}

/* From within a list of fields to just behind its closing parenthesis. */
static bool eat_rest(const char **at) {
    size_t open = 1;
    for (; **at != '\0'; ++*at) {
        if (**at == '(') open++;
        if (**at == ')' && --open == 0) {
            ++*at;
            return true;
        }
    }
    return false;
}

static bool match_type(const char **at, const struct troupe_message_type *type);

static bool match_field(const char **at, const struct troupe_field *field) {
    if (!eat(at, field->name) || !eat(at, field->array ? ":[" : ":")) return false;
    bool kind = field->nested != NULL ? match_type(at, field->nested)
                                      : eat(at, kind_name(field->kind));
    return kind && (!field->array || eat(at, "]"));
}

/* Names and kinds end where a parenthesis, a comma or a bracket follows: "u1" is not the beginning
 * of "u16" here, for whatever comes next must be one of those. */
static bool match_type(const char **at, const struct troupe_message_type *type) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    if (!eat(at, type->name) || !eat(at, "(")) return false;
    if (eat(at, ")")) return true;
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!match_field(at, &fields[i])) return false;
        if (eat(at, ")")) return true;
        if (!eat(at, ",")) return false;
    }
    return eat_rest(at);
}

bool tr_codec_compatible(const struct troupe_message_type *type, const char *schema) {
    const char *at = schema;
    return match_type(&at, type) && *at == '\0';
}
