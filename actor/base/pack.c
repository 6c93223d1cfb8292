/*
 * The one file that names msgpack: what the library writes goes into a tr_bytes. Its packers never
 * fail here, because the callback always says yes: failure is kept by the buffer itself.
 */
#include "base/pack.h"

#include <msgpack.h>

static int write_bytes(void *out, const char *data, size_t size) {
    tr_bytes_append((struct tr_bytes *)out, data, size);
    return 0;
}

/* Two words on the stack: made anew for each value, and optimised away. */
static inline msgpack_packer packer(struct tr_bytes *out) {
    return (msgpack_packer){ .data = out, .callback = write_bytes };
}

void tr_pack_nil(struct tr_bytes *out) {
    msgpack_packer to = packer(out);
    msgpack_pack_nil(&to);
}

void tr_pack_bool(struct tr_bytes *out, bool value) {
    msgpack_packer to = packer(out);
    if (value)
        msgpack_pack_true(&to);
    else
        msgpack_pack_false(&to);
}

void tr_pack_uint(struct tr_bytes *out, uint64_t value) {
    msgpack_packer to = packer(out);
    msgpack_pack_uint64(&to, value);
}

void tr_pack_int(struct tr_bytes *out, int64_t value) {
    msgpack_packer to = packer(out);
    msgpack_pack_int64(&to, value);
}

void tr_pack_f64(struct tr_bytes *out, double value) {
    msgpack_packer to = packer(out);
    msgpack_pack_double(&to, value);
}

/* msgpack counts in 32 bits; a length beyond that must fail, not wrap. */
void tr_pack_str(struct tr_bytes *out, const char *text, size_t size) {
    msgpack_packer to = packer(out);
    if (size > UINT32_MAX) {
        out->failed = true;
        return;
    }
    msgpack_pack_str(&to, size);
    msgpack_pack_str_body(&to, text, size);
}

void tr_pack_bin(struct tr_bytes *out, const void *data, size_t size) {
    msgpack_packer to = packer(out);
    if (size > UINT32_MAX) {
        out->failed = true;
        return;
    }
    msgpack_pack_bin(&to, size);
    msgpack_pack_bin_body(&to, data, size);
}

void tr_pack_array(struct tr_bytes *out, uint32_t count) {
    msgpack_packer to = packer(out);
    msgpack_pack_array(&to, count);
}

void tr_pack_ext(struct tr_bytes *out, int8_t type, const void *data, uint8_t size) {
    msgpack_packer to = packer(out);
    msgpack_pack_ext(&to, size, type);
    msgpack_pack_ext_body(&to, data, size);
}
