/*
 * Bytes from nobody that refer to descriptors which came along: a sealed file of text, one of zeros, one that is not
 * sealed and a pipe. The first byte chooses the message type and how many of them come, the rest is the message.
 *
 * Whatever the bytes are, every descriptor is closed once: after each input the lowest free number is what it was.
 * What was unpacked must print and copy.
 */
#include "base/assert.h"
#include "core/descriptor.h"
#include "core/message.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES_FIELDS(field) \
    field(u32, n) field(descriptor, one) field(array(descriptor), more) field(str, name) field(descriptor, last)
TROUPE_MESSAGE(files, FILES_FIELDS)
#define LARGE_FIELDS(field) \
    field(bytes, bytes) field(str, str) field(array(f64), reals) field(array(bool), flags) field(descriptor, file)
TROUPE_MESSAGE(large, LARGE_FIELDS)
#define OUTER_FIELDS(field) field(message(files), files) field(array(message(large)), list) field(array(str), texts)
TROUPE_MESSAGE(outer, OUTER_FIELDS)

enum { COUNT = 4, SIZE = 1 << 17 };

static const struct troupe_message_type *const types[] = { &files_message, &large_message, &outer_message };
static struct tr_buffers buffers;
static int kept[COUNT];

static int file_of(char fill, bool sealed) {
    static char contents[SIZE];
    memset(contents, fill, SIZE - 1);
    int file = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    tr_assert(file >= 0 && write(file, contents, SIZE) == SIZE);
    if (sealed) tr_assert(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
    return file;
}

static void prepare(void) {
    int ends[2];
    tr_buffers_init(&buffers); /* for good */
    tr_assert(pipe(ends) == 0);
    close(ends[1]);
    kept[0] = file_of('a', true);
    kept[1] = file_of('\0', true);
    kept[2] = file_of('b', false);
    kept[3] = ends[0];
}

static int lowest_free(void) {
    int number = dup(kept[0]);
    close(number);
    return number;
}

static void look_at(struct tr_message *message) {
    char text[256];
    enum troupe_status status;
    struct tr_codec_error error;
    struct tr_memory memory = { .buffers = &buffers };
    troupe_message_print(message->type, tr_message_body(message), text, sizeof text);
    struct tr_message *copy = tr_message_new(memory, message->type, tr_message_body(message), &status, &error);
    tr_assert(copy != NULL);
    tr_message_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool ready;
    if (!ready) prepare();
    ready = true;
    if (size == 0) return 0;
    int numbers[COUNT], free_before = lowest_free();
    const struct tr_arrived arrived = { numbers, data[0] / 16U % (COUNT + 1) };
    enum troupe_status status = TROUPE_OK;
    struct tr_codec_error error;
    for (uint32_t i = 0; i < arrived.count; i++) numbers[i] = tr_descriptor_duplicate(kept[i], &status);
    struct tr_message *message = tr_message_unpack_with((struct tr_memory){ .buffers = &buffers }, types[data[0] % 3],
                                                        data + 1, size - 1, &arrived, &status, &error);
    tr_assert(message != NULL || (status == TROUPE_MALFORMED || status == TROUPE_TOO_BIG));
    if (message != NULL) look_at(message);
    tr_message_free(message);
    tr_descriptors_close(numbers, arrived.count);
    tr_assert(lowest_free() == free_before);
    return 0;
}
