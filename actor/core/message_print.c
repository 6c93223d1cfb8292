/*
 * Messages as people read them, for traces and log lines:
 *
 *     count{word: "the", n: 3, at: point{x: -1, ok: true}, raw: 0x00ff, from: 1/7/2, ws: ["a"]}
 *
 * One line whatever is in it: control characters are escaped. Bytes show their first 32.
 */
#include "base/text.h"
#include "core/codec_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 32 };

static void print_message(struct tr_text *to, const struct troupe_message_type *type,
                          const uint8_t *from);

static void print_escaped(struct tr_text *to, unsigned char byte) {
    switch (byte) {
    case '\n': tr_text_add(to, "\\n"); break;
    case '\r': tr_text_add(to, "\\r"); break;
    case '\t': tr_text_add(to, "\\t"); break;
    case '"': tr_text_add(to, "\\\""); break;
    case '\\': tr_text_add(to, "\\\\"); break;
    default: tr_text_format(to, "\\x%02x", byte);
    }
}

static bool is_plain(char byte) {
    unsigned char value = (unsigned char)byte;
    return value >= ' ' && value != 0x7f && value != '"' && value != '\\';
}

static void print_str(struct tr_text *to, const uint8_t *from) {
    const char *text;
    memcpy(&text, from, sizeof text);
    if (text == NULL) text = "";
    tr_text_add(to, "\"");
    while (*text != '\0') {
        size_t plain = 0;
        while (text[plain] != '\0' && is_plain(text[plain]))
            plain++;
        tr_text_add_part(to, text, plain);
        text += plain;
        if (*text != '\0') print_escaped(to, (unsigned char)*text++);
    }
    tr_text_add(to, "\"");
}

static void print_bytes(struct tr_text *to, const uint8_t *from) {
    struct troupe_bytes bytes;
    memcpy(&bytes, from, sizeof bytes);
    const uint8_t *data = bytes.data;
    tr_text_add(to, "0x");
    for (uint32_t i = 0; data != NULL && i < bytes.size && i < SHOWN_BYTES; i++)
        tr_text_format(to, "%02x", data[i]);
    if (bytes.size > SHOWN_BYTES) tr_text_format(to, "... (%" PRIu32 " bytes)", bytes.size);
}

static void print_address(struct tr_text *to, const uint8_t *from) {
    struct troupe_address address;
    memcpy(&address, from, sizeof address);
    tr_text_format(to, "%" PRIu64 "/%" PRIu32 "/%" PRIu32, address.node, address.slot,
                   address.generation);
}

/* The shortest of the usual precisions that reads back as the same number. */
static void print_f64(struct tr_text *to, const uint8_t *from) {
    double value;
    char digits[40];
    memcpy(&value, from, sizeof value);
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    tr_text_add(to, digits);
}

/* A number is loaded with the type it has in the struct, then shown with the widest of its sign. */
#define PRINT_NUMBER(to, from, type, wide, format)                                                 \
    do {                                                                                           \
        type value;                                                                                \
        memcpy(&value, (from), sizeof value);                                                      \
        tr_text_format((to), "%" format, (wide)value);                                             \
    } while (0)

static void print_bool(struct tr_text *to, const uint8_t *from) {
    bool value;
    memcpy(&value, from, sizeof value);
    tr_text_add(to, value ? "true" : "false");
}

static void print_value(struct tr_text *to, const struct troupe_field *field, const uint8_t *from) {
    switch (field->kind) {
    case TROUPE_KIND_I8: PRINT_NUMBER(to, from, int8_t, int64_t, PRId64); break;
    case TROUPE_KIND_I16: PRINT_NUMBER(to, from, int16_t, int64_t, PRId64); break;
    case TROUPE_KIND_I32: PRINT_NUMBER(to, from, int32_t, int64_t, PRId64); break;
    case TROUPE_KIND_I64: PRINT_NUMBER(to, from, int64_t, int64_t, PRId64); break;
    case TROUPE_KIND_U8: PRINT_NUMBER(to, from, uint8_t, uint64_t, PRIu64); break;
    case TROUPE_KIND_U16: PRINT_NUMBER(to, from, uint16_t, uint64_t, PRIu64); break;
    case TROUPE_KIND_U32: PRINT_NUMBER(to, from, uint32_t, uint64_t, PRIu64); break;
    case TROUPE_KIND_U64: PRINT_NUMBER(to, from, uint64_t, uint64_t, PRIu64); break;
    case TROUPE_KIND_BOOL: print_bool(to, from); break;
    case TROUPE_KIND_F64: print_f64(to, from); break;
    case TROUPE_KIND_STR: print_str(to, from); break;
    case TROUPE_KIND_BYTES: print_bytes(to, from); break;
    case TROUPE_KIND_ADDRESS: print_address(to, from); break;
    case TROUPE_KIND_MESSAGE: print_message(to, field->nested, from); break;
    case TROUPE_KIND_DESCRIPTOR: PRINT_NUMBER(to, from, int, int64_t, PRId64); break;
    case TROUPE_KIND_COUNT: break;
    }
}

static void print_array(struct tr_text *to, const struct troupe_field *field, const uint8_t *from) {
    struct tr_any_array array;
    memcpy(&array, from, sizeof array);
    const uint8_t *item = array.items;
    tr_text_add(to, "[");
    for (uint32_t i = 0; item != NULL && i < array.count; i++, item += tr_codec_item_size(field)) {
        if (i > 0) tr_text_add(to, ", ");
        print_value(to, field, item);
    }
    tr_text_add(to, "]");
}

static void print_message(struct tr_text *to, const struct troupe_message_type *type,
                          const uint8_t *from) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    tr_text_add(to, type->name);
    tr_text_add(to, "{");
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (i > 0) tr_text_add(to, ", ");
        tr_text_add(to, fields[i].name);
        tr_text_add(to, ": ");
        if (fields[i].array)
            print_array(to, &fields[i], from + fields[i].offset);
        else
            print_value(to, &fields[i], from + fields[i].offset);
    }
    tr_text_add(to, "}");
}

size_t troupe_message_print(const struct troupe_message_type *type, const void *message, char *text,
                            size_t size) {
    struct tr_text to = tr_text_begin(text, size);
    print_message(&to, type, message);
    return to.length;
}
