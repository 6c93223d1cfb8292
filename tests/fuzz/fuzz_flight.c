/*
 * The flight recorder of a process that wrote there what it liked before it died: what the keeper reads of it is
 * text that ends, and sums.
 *
 * The input: patches, each three bytes of place, one of length and its bytes.
 */
#include "base/assert.h"
#include "core/flight.h"

#include <string.h>

static struct tr_flight page;

static void patch(const uint8_t *data, size_t size) {
    while (size > 4) {
        size_t place = ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % sizeof page;
        size_t length = data[3] < size - 4 ? data[3] : size - 4;
        if (length > sizeof page - place) length = sizeof page - place;
        memcpy((char *)&page + place, data + 4, length);
        data += length + 4;
        size -= length + 4;
    }
}

static const char *path_of(void *context, uint32_t slot, uint32_t generation) {
    static char path[300];
    (void)context, (void)generation;
    memset(path, 'p', sizeof path - 1);
    return slot % 3 == 0 ? NULL : path + slot % 299;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t sizes[] = { 0, 1, 2, 100, 1024 };
    char text[1024];
    struct troupe_counts counts = { 0 };
    memset(&page, 0, sizeof page);
    patch(data, size);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(text, 'x', sizeof text);
        tr_flight_describe(&page, path_of, NULL, text, sizes[i]);
        tr_assert(sizes[i] == 0 || memchr(text, '\0', sizes[i]) != NULL);
        for (size_t k = sizes[i]; k < sizeof text; k++) tr_assert(text[k] == 'x');
    }
    tr_flight_close(&page);
    tr_flight_counts(&page, &counts);
    return 0;
}
