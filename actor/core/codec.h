/*
 * From struct to msgpack and back, driven by the field list of the message type.
 *
 * A message is an array of its fields, in order. Fewer items than fields: the rest is zero; more:
 * the rest is skipped (contract 9). Integers in the smallest form, str as str (valid UTF-8, no
 * NUL), bytes as bin, an address as an array of three, a nested message as an array, arrays as
 * arrays. What goes along with the bytes (attachments.h) is referred to: a descriptor by its place, a large
 * part by an ext of its place and where it is in that file.
 *
 * Decoding takes hostile bytes. It makes two passes over them: the first checks everything and adds
 * up the memory that strings and arrays need, the second fills one allocation of exactly that size,
 * in which every array, and the data of every bytes, begins at a multiple of 8. Large parts without
 * pointers are not in that allocation, but in buffers (include/troupe/buffer.h).
 */
#ifndef TR_CODEC_H
#define TR_CODEC_H

#include <troupe/message.h>

#include "base/bytes.h"
#include "core/attachments.h"
#include "core/buffer.h"

enum {
    TR_CODEC_MAX_DEPTH = 16,             /* messages nested in messages */
    TR_CODEC_MAX_SIZE = 16 * 1024 * 1024 /* bytes of one message, packed or not */
};

/* Where a message is wrong: "field" path and text, for a log line ("points[3].name: not valid
 * UTF-8"). Filled by the functions below when they return false; they may be given NULL instead. */
struct tr_codec_error {
    enum troupe_status status; /* INVALID, TOO_BIG, NO_MEMORY, LIMIT (of descriptors); MALFORMED for packed bytes */
    char text[160];
};

/* What a message takes in memory. */
struct tr_codec_size {
    size_t bytes;    /* of the allocation: the struct and what it points to, but for ... */
    uint32_t shared; /* ... so many parts, which are in buffers, ... */
    uint32_t descriptors; /* ... and so many descriptors: together the room in its list */
};

/* What no message of a type can make good: nested too deeply, too big even when empty. For the
 * moment a type becomes known; the functions below rely on it. */
bool tr_codec_check_type(const struct troupe_message_type *type, struct tr_codec_error *error);

/* Appends the packed message to `out`. Looks at nothing but the fields. False: a str is not UTF-8,
 * an array or bytes are NULL with a count, too big (for `out`, or unpacked), no memory, a descriptor; `out` is
 * then as it was before. */
bool tr_codec_pack(const struct troupe_message_type *type, const void *message,
                   struct tr_bytes *out, struct tr_codec_error *error);
/* The same with duplicates of its descriptors, and large parts as files, in `attachments`, which are empty (and are so
 * after a failure). NULL: there is no way for them. */
bool tr_codec_pack_with(const struct troupe_message_type *type, const void *message, struct tr_bytes *out,
                        struct tr_attachments *attachments, struct tr_codec_error *error);

/* Pass one over packed bytes: checks them all, exact end included, and gives the memory that the
 * struct and all it points to need (its alignment is that of max_align_t). `arrived` came along; NULL: nothing did. */
bool tr_codec_measure(const struct troupe_message_type *type, const uint8_t *data, size_t size,
                      const struct tr_arrived *arrived, struct tr_codec_size *needed, struct tr_codec_error *error);

/* Pass two: fills `memory` (as many bytes as measure said) and the empty list `shares` (with room for as
 * many; if that is none, it is not looked at) from the same bytes. False: no memory for a buffer, or a large part
 * is not what it should be; what is in the list by then is the caller's to release, as it is after success. */
bool tr_codec_unpack(const struct troupe_message_type *type, const uint8_t *data, size_t size,
                     const struct tr_arrived *arrived, void *memory, struct tr_shares *shares,
                     struct tr_codec_error *error);

/* The same pair for a copy inside a node: what memory a deep copy of `message` needs, and the
 * copy, which shares the large parts that are in buffers already. measure_copy checks what unpacking would check (UTF-8, sizes), so that no placement hides a
 * bug. For types without pointers both are trivial; callers may skip them. The copy fails with NO_MEMORY, INVALID (a
 * descriptor that is not open) or LIMIT (none left). */
bool tr_codec_measure_copy(const struct troupe_message_type *type, const void *message,
                           struct tr_codec_size *needed, struct tr_codec_error *error);
bool tr_codec_copy(const struct troupe_message_type *type, const void *message, void *memory,
                   struct tr_shares *shares, struct tr_codec_error *error);

/* What a schema of the other side means here. Compatible when one list of fields is the beginning
 * of the other's (nested messages included). */
bool tr_codec_compatible(const struct troupe_message_type *type, const char *schema);

#endif
