/*
 * From struct to msgpack.
 *
 * While it packs, it adds up the memory that unpacking will need, with the layout of
 * codec_unpack.c, and gives up as soon as either is over the limit: a message that can be packed
 * can be unpacked. Whatever goes wrong, the buffer ends as it began.
 *
 * A large part goes as a file where it can, and where one is to be had, else in line.
 */
#include "base/pack.h"
#include "base/utf8.h"
#include "core/codec_internal.h"

#include <string.h>

struct packer {
    struct tr_bytes *out;
    size_t start; /* of this message in `out` */
    struct tr_layout layout;
    struct tr_attachments *attachments; /* NULL: there is no way for any */
    bool trial;                         /* of its size alone */
    uint32_t descriptors;
    struct tr_codec_error *error;
};

static bool pack_message(struct packer *packer, const struct troupe_message_type *type,
                         const uint8_t *from, int depth);

static bool reserve(struct packer *packer, uint64_t size, size_t alignment) {
    uint8_t *nowhere;
    if (tr_layout_reserve(&packer->layout, size, alignment, &nowhere)) return true;
    return tr_codec_fail(packer->error, TROUPE_TOO_BIG, tr_codec_too_big);
}

static uint8_t *put_number(uint8_t *to, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    return to + size;
}

/* False: it is to be packed in line. */
static bool attach(struct packer *packer, const void *data, uint64_t size) {
    uint64_t offset;
    uint8_t part[TR_CODEC_PART_SIZE];
    if (size < TROUPE_SHARED_SIZE || packer->attachments == NULL) return false;
    uint32_t place = tr_attach_part(packer->attachments, data, (size_t)size, &offset);
    if (place == UINT32_MAX) return false;
    uint8_t *at = put_number(part, place, 1);
    at = put_number(at, offset, 8);
    put_number(at, size, 4);
    tr_pack_ext(packer->out, TR_CODEC_PART, part, sizeof part);
    return true;
}

static bool pack_str(struct packer *packer, const uint8_t *from) {
    const char *text;
    memcpy(&text, from, sizeof text);
    if (text == NULL) text = "";
    size_t size = strlen(text);
    if (!reserve(packer, (uint64_t)size + 1, 1)) return false;
    if (!tr_utf8_valid(text, size))
        return tr_codec_fail(packer->error, TROUPE_INVALID, "not valid UTF-8");
    if (!attach(packer, text, (uint64_t)size + 1)) tr_pack_str(packer->out, text, size);
    return true;
}

static bool pack_bytes(struct packer *packer, const uint8_t *from) {
    struct troupe_bytes bytes;
    memcpy(&bytes, from, sizeof bytes);
    if (bytes.data == NULL && bytes.size != 0)
        return tr_codec_fail(packer->error, TROUPE_INVALID, "NULL with a size");
    if (!reserve(packer, bytes.size, TR_CODEC_ALIGNMENT)) return false;
    if (!attach(packer, bytes.data, bytes.size)) tr_pack_bin(packer->out, bytes.data, bytes.size);
    return true;
}

static bool pack_address(struct packer *packer, const uint8_t *from) {
    struct troupe_address address;
    memcpy(&address, from, sizeof address);
    tr_pack_array(packer->out, 3);
    tr_pack_uint(packer->out, address.node);
    tr_pack_uint(packer->out, address.slot);
    tr_pack_uint(packer->out, address.generation);
    return true;
}

static const char no_way[] = "a descriptor goes to actors of this node and of other processes here: not by tcp or "
                             "inproc, saved, described or published";

static bool pack_descriptor(struct packer *packer, const uint8_t *from) {
    int descriptor;
    enum troupe_status status;
    memcpy(&descriptor, from, sizeof descriptor);
    if (!tr_codec_check_descriptor(descriptor, &packer->descriptors, packer->error)) return false;
    if (descriptor < 0 || packer->trial) {
        tr_pack_nil(packer->out);
        return true;
    }
    if (packer->attachments == NULL) return tr_codec_fail(packer->error, TROUPE_INVALID, no_way);
    uint32_t place = tr_attach_descriptor(packer->attachments, descriptor, &status);
    if (place == UINT32_MAX) return tr_codec_fail_descriptor(packer->error, status);
    tr_pack_uint(packer->out, place);
    return true;
}

/* A number, loaded with the type it has in the struct. */
#define DEFINE_LOAD(name, type)                                                                    \
    static inline type load_##name(const uint8_t *from) {                                          \
        type value;                                                                                \
        memcpy(&value, from, sizeof value);                                                        \
        return value;                                                                              \
    }
DEFINE_LOAD(i8, int8_t)
DEFINE_LOAD(i16, int16_t)
DEFINE_LOAD(i32, int32_t)
DEFINE_LOAD(i64, int64_t)
DEFINE_LOAD(u8, uint8_t)
DEFINE_LOAD(u16, uint16_t)
DEFINE_LOAD(u32, uint32_t)
DEFINE_LOAD(u64, uint64_t)
DEFINE_LOAD(bool, bool)
DEFINE_LOAD(f64, double)

static bool pack_value(struct packer *packer, const struct troupe_field *field, const uint8_t *from,
                       int depth) {
    struct tr_bytes *out = packer->out;
    switch (field->kind) {
    case TROUPE_KIND_I8: tr_pack_int(out, load_i8(from)); return true;
    case TROUPE_KIND_I16: tr_pack_int(out, load_i16(from)); return true;
    case TROUPE_KIND_I32: tr_pack_int(out, load_i32(from)); return true;
    case TROUPE_KIND_I64: tr_pack_int(out, load_i64(from)); return true;
    case TROUPE_KIND_U8: tr_pack_uint(out, load_u8(from)); return true;
    case TROUPE_KIND_U16: tr_pack_uint(out, load_u16(from)); return true;
    case TROUPE_KIND_U32: tr_pack_uint(out, load_u32(from)); return true;
    case TROUPE_KIND_U64: tr_pack_uint(out, load_u64(from)); return true;
    case TROUPE_KIND_BOOL: tr_pack_bool(out, load_bool(from)); return true;
    case TROUPE_KIND_F64: tr_pack_f64(out, load_f64(from)); return true;
    case TROUPE_KIND_STR: return pack_str(packer, from);
    case TROUPE_KIND_BYTES: return pack_bytes(packer, from);
    case TROUPE_KIND_ADDRESS: return pack_address(packer, from);
    case TROUPE_KIND_MESSAGE: return pack_message(packer, field->nested, from, depth + 1);
    case TROUPE_KIND_DESCRIPTOR: return pack_descriptor(packer, from);
    case TROUPE_KIND_COUNT: break;
    }
    return tr_codec_fail(packer->error, TROUPE_INVALID, "of an unknown kind");
}

/* What has been packed so far is checked here and not per value: between two checks at most one
 * item, or the fields of one message, can be added. */
static bool check_packed(struct packer *packer) {
    if (packer->out->failed && packer->out->limit == 0)
        return tr_codec_fail(packer->error, TROUPE_NO_MEMORY, "out of memory");
    if (packer->out->failed || packer->out->size - packer->start > TR_CODEC_MAX_SIZE)
        return tr_codec_fail(packer->error, TROUPE_TOO_BIG, tr_codec_too_big);
    return true;
}

/* Items that are the same bytes in every program on a machine; of a message it may know other fields. */
static bool is_plain(const struct troupe_field *field) { return field->nested == NULL && tr_codec_is_flat(field); }

static bool pack_array(struct packer *packer, const struct troupe_field *field, const uint8_t *from,
                       int depth) {
    struct tr_any_array array;
    size_t size = tr_codec_item_size(field);
    memcpy(&array, from, sizeof array);
    if (array.items == NULL && array.count != 0)
        return tr_codec_fail(packer->error, TROUPE_INVALID, "NULL with a count");
    if (!reserve(packer, (uint64_t)array.count * size, TR_CODEC_ALIGNMENT)) return false;
    const uint8_t *item = array.items;
    if (is_plain(field) && attach(packer, item, (uint64_t)array.count * size)) return true;
    tr_pack_array(packer->out, array.count);
    for (uint32_t i = 0; i < array.count; i++, item += size)
        if (!pack_value(packer, field, item, depth) || !check_packed(packer))
            return tr_codec_fail_in_item(packer->error, i);
    return true;
}

static bool pack_message(struct packer *packer, const struct troupe_message_type *type,
                         const uint8_t *from, int depth) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    if (depth > TR_CODEC_MAX_DEPTH)
        return tr_codec_fail(packer->error, TROUPE_INVALID, tr_codec_too_deep);
    tr_pack_array(packer->out, type->field_count);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct troupe_field *field = &fields[i];
        bool packed = field->array ? pack_array(packer, field, from + field->offset, depth)
                                   : pack_value(packer, field, from + field->offset, depth);
        if (!packed) return tr_codec_fail_in_field(packer->error, field->name);
    }
    return check_packed(packer);
}

static bool run(struct packer *packer, const struct troupe_message_type *type, const void *message) {
    struct tr_bytes *out = packer->out;
    bool failed_before = out->failed;
    packer->start = out->size;
    packer->layout.used = type->size;
    if (pack_message(packer, type, message, 0)) return true;
    out->size = packer->start;
    out->failed = failed_before;
    if (packer->attachments != NULL) tr_attachments_close(packer->attachments);
    return tr_codec_fail_at_top(packer->error);
}

bool tr_codec_pack_with(const struct troupe_message_type *type, const void *message, struct tr_bytes *out,
                        struct tr_attachments *attachments, struct tr_codec_error *error) {
    struct packer packer = { .out = out, .attachments = attachments, .error = error };
    return run(&packer, type, message);
}

bool tr_codec_pack(const struct troupe_message_type *type, const void *message, struct tr_bytes *out,
                   struct tr_codec_error *error) {
    return tr_codec_pack_with(type, message, out, NULL, error);
}

bool tr_codec_pack_trial(const struct troupe_message_type *type, const void *message, struct tr_bytes *out,
                         struct tr_codec_error *error) {
    struct packer packer = { .out = out, .trial = true, .error = error };
    return run(&packer, type, message);
}
