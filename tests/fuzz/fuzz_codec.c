/*
 * Bytes from nobody, through the codec. The first byte chooses the message type, the rest is the
 * message (or, from 0x80 on, the schema of another program).
 *
 * What measures as valid must unpack; what was unpacked must print, copy and pack; and packing once
 * makes it canonical: unpacked and packed again it is the same bytes.
 */
#include "base/assert.h"
#include "core/codec.h"
#include "lib/codec_messages.h"

#include <stdlib.h>
#include <string.h>

static const struct troupe_message_type *const types[] = {
    &count_message, &nothing_message,   &point_message,
    &all_message,   &old_shape_message, &new_shape_message,
};
enum { TYPES = sizeof types / sizeof types[0] };

static struct tr_buffers buffers;
static struct tr_shares *lists[8]; /* of the messages of one input */
static uint32_t list_count;

static struct tr_shares *list_new(uint32_t count) {
    struct tr_shares *list = malloc(sizeof *list + count * sizeof list->items[0]);
    tr_assert(list != NULL && list_count < sizeof lists / sizeof lists[0]);
    *list = (struct tr_shares){ .buffers = &buffers };
    return lists[list_count++] = list;
}

static void release_lists(void) {
    struct troupe_buffer_counts left;
    while (list_count > 0) {
        tr_shares_release(lists[--list_count]);
        free(lists[list_count]);
    }
    tr_buffers_count(&buffers, &left);
    tr_assert(left.live == 0);
}

/* NULL when the bytes are no message. */
static void *unpack(const struct troupe_message_type *type, const uint8_t *data, size_t size) {
    struct tr_codec_error error = { .text = "" };
    struct tr_codec_size needed;
    if (!tr_codec_measure(type, data, size, NULL, &needed, &error)) {
        tr_assert(error.text[0] != '\0' && error.text[0] != ':');
        tr_assert(error.status == TROUPE_MALFORMED || error.status == TROUPE_TOO_BIG);
        return NULL;
    }
    tr_assert(needed.bytes <= TR_CODEC_MAX_SIZE);
    void *memory = malloc(needed.bytes);
    tr_assert(memory != NULL);
    tr_assert(tr_codec_unpack(type, data, size, NULL, memory, list_new(needed.shared), &error));
    return memory;
}

static bool pack(const struct troupe_message_type *type, const void *message,
                 struct tr_bytes *out) {
    return tr_codec_pack(type, message, out, NULL);
}

static void check_copy(const struct troupe_message_type *type, const void *message,
                       const struct tr_bytes *packed) {
    struct tr_bytes again = { 0 };
    struct tr_codec_size needed;
    tr_assert(tr_codec_measure_copy(type, message, &needed, NULL));
    void *copy = malloc(needed.bytes);
    tr_assert(copy != NULL);
    tr_assert(tr_codec_copy(type, message, copy, list_new(needed.shared), NULL));
    tr_assert(pack(type, copy, &again));
    tr_assert(again.size == packed->size && memcmp(again.data, packed->data, again.size) == 0);
    tr_bytes_free(&again);
    free(copy);
}

static void check_again(const struct troupe_message_type *type, const struct tr_bytes *packed) {
    struct tr_bytes again = { 0 };
    void *message = unpack(type, packed->data, packed->size);
    tr_assert(message != NULL);
    tr_assert(pack(type, message, &again));
    tr_assert(again.size == packed->size && memcmp(again.data, packed->data, again.size) == 0);
    tr_bytes_free(&again);
    free(message);
}

static void run_message(const struct troupe_message_type *type, const uint8_t *data, size_t size) {
    char text[256];
    struct tr_bytes packed = { 0 };
    void *message = unpack(type, data, size);
    if (message == NULL) return;
    troupe_message_print(type, message, text, sizeof text);
    if (pack(type, message, &packed)) {
        check_copy(type, message, &packed);
        check_again(type, &packed);
    }
    tr_bytes_free(&packed);
    free(message);
    release_lists();
}

static void run_schema(const struct troupe_message_type *type, const uint8_t *data, size_t size) {
    char *schema = malloc(size + 1);
    tr_assert(schema != NULL);
    if (size != 0) memcpy(schema, data, size);
    schema[size] = '\0';
    (void)tr_codec_compatible(type, schema);
    free(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool ready;
    if (!ready) tr_buffers_init(&buffers); /* for good */
    ready = true;
    if (size == 0) return 0;
    const struct troupe_message_type *type = types[(data[0] & 0x7f) % TYPES];
    if (data[0] < 0x80)
        run_message(type, data + 1, size - 1);
    else
        run_schema(type, data + 1, size - 1);
    return 0;
}
