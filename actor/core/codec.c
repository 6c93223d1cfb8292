/*
 * What the directions of the codec have in common. Packing is in codec_pack.c, unpacking in
 * codec_unpack.c, copying inside a node in codec_copy.c, schemas in codec_schema.c.
 *
 * An error begins as ": reason" where it is found; each level that it passes on its way out puts
 * its part of the path in front: "[3]", then "points", or ".name" by the level below. So the code
 * that finds nothing wrong keeps no path at all. A path that outgrows the text begins with "...".
 */
#include "core/codec_internal.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct tr_any_array) == sizeof(struct troupe_u8_array), "arrays are alike");
_Static_assert(sizeof(struct tr_any_array) == sizeof(struct troupe_str_array), "arrays are alike");
_Static_assert(_Alignof(max_align_t) >= TR_CODEC_ALIGNMENT, "an allocation is aligned enough");
_Static_assert((int)TR_CODEC_ALIGNMENT >= (int)_Alignof(struct troupe_address),
               "no kind is stricter");

const char tr_codec_too_big[] = "larger than a message may be";
const char tr_codec_too_deep[] = "nested too deeply";

size_t tr_codec_item_size(const struct troupe_field *field) {
    static const uint8_t sizes[TROUPE_KIND_COUNT] = {
        [TROUPE_KIND_I8] = sizeof(int8_t),
        [TROUPE_KIND_I16] = sizeof(int16_t),
        [TROUPE_KIND_I32] = sizeof(int32_t),
        [TROUPE_KIND_I64] = sizeof(int64_t),
        [TROUPE_KIND_U8] = sizeof(uint8_t),
        [TROUPE_KIND_U16] = sizeof(uint16_t),
        [TROUPE_KIND_U32] = sizeof(uint32_t),
        [TROUPE_KIND_U64] = sizeof(uint64_t),
        [TROUPE_KIND_BOOL] = sizeof(bool),
        [TROUPE_KIND_F64] = sizeof(double),
        [TROUPE_KIND_STR] = sizeof(const char *),
        [TROUPE_KIND_BYTES] = sizeof(struct troupe_bytes),
        [TROUPE_KIND_ADDRESS] = sizeof(struct troupe_address),
        [TROUPE_KIND_DESCRIPTOR] = sizeof(int),
    };
    return field->kind == TROUPE_KIND_MESSAGE ? field->nested->size : sizes[field->kind];
}

bool tr_codec_is_flat(const struct troupe_field *field) {
    if (field->kind == TROUPE_KIND_MESSAGE) return !field->nested->has_pointers;
    return field->kind != TROUPE_KIND_STR && field->kind != TROUPE_KIND_BYTES && field->kind != TROUPE_KIND_DESCRIPTOR;
}

bool tr_codec_fail(struct tr_codec_error *error, enum troupe_status status, const char *reason) {
    if (error == NULL) return false;
    error->status = status;
    snprintf(error->text, sizeof error->text, ": %s", reason);
    return false;
}

bool tr_codec_fail_descriptor(struct tr_codec_error *error, enum troupe_status status) {
    return tr_codec_fail(error, status, status == TROUPE_INVALID ? "not an open descriptor"
                                        : status == TROUPE_LIMIT ? "this process has no descriptors left"
                                                                 : "more descriptors than a message may have");
}

bool tr_codec_check_descriptor(int descriptor, uint32_t *count, struct tr_codec_error *error) {
    if (descriptor < 0) return true;
    if (descriptor == 0)
        return tr_codec_fail(error, TROUPE_INVALID,
                             "0, as when it is left out: say -1 for none, or send a dup(2) of standard input");
    if (*count == TROUPE_MAX_DESCRIPTORS) return tr_codec_fail_descriptor(error, TROUPE_TOO_BIG);
    ++*count;
    return true;
}

/* Three bytes stay free for the dots, so that they always fit. */
static void put_in_front(struct tr_codec_error *error, const char *part) {
    enum { DOTS = 3 };
    size_t size = strlen(part);
    size_t length = strlen(error->text);
    if (strncmp(error->text, "...", DOTS) == 0) return;
    if (size + length + DOTS >= sizeof error->text) {
        part = "...";
        size = DOTS;
    }
    memmove(error->text + size, error->text, length + 1);
    memcpy(error->text, part, size);
}

bool tr_codec_fail_in_field(struct tr_codec_error *error, const char *name) {
    if (error == NULL) return false;
    if (error->text[0] != ':' && error->text[0] != '[') put_in_front(error, ".");
    put_in_front(error, name);
    return false;
}

bool tr_codec_fail_in_item(struct tr_codec_error *error, uint32_t index) {
    char part[16];
    if (error == NULL) return false;
    snprintf(part, sizeof part, "[%u]", (unsigned)index);
    if (error->text[0] != ':' && error->text[0] != '[') put_in_front(error, ".");
    put_in_front(error, part);
    return false;
}

bool tr_codec_fail_at_top(struct tr_codec_error *error) {
    if (error != NULL && error->text[0] == ':') put_in_front(error, "message");
    return false;
}

static bool check_depth(const struct troupe_message_type *type, int depth,
                        struct tr_codec_error *error) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    if (depth > TR_CODEC_MAX_DEPTH) return tr_codec_fail(error, TROUPE_INVALID, tr_codec_too_deep);
    for (uint32_t i = 0; i < type->field_count; i++)
        if (fields[i].nested != NULL && !check_depth(fields[i].nested, depth + 1, error))
            return tr_codec_fail_in_field(error, fields[i].name);
    return true;
}

bool tr_codec_check_type(const struct troupe_message_type *type, struct tr_codec_error *error) {
    if (!check_depth(type, 0, error)) return tr_codec_fail_at_top(error);
    if (type->size <= TR_CODEC_MAX_SIZE) return true;
    tr_codec_fail(error, TROUPE_TOO_BIG, tr_codec_too_big);
    return tr_codec_fail_at_top(error);
}
