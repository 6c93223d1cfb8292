/* Requests for programs that nobody vouches for: what is accepted can be written, and is read again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "place/command_request.h"

static void same_list(char *const *a, char *const *b) {
    for (; *a != NULL && *b != NULL; a++, b++) tr_assert(strcmp(*a, *b) == 0);
    tr_assert(*a == NULL && *b == NULL);
}

static void round_trip(const struct tr_command_request *request) {
    uint8_t *bytes = malloc(TR_COMMAND_REQUEST_SIZE);
    const char *error;
    if (bytes == NULL) return;
    size_t size = tr_command_request_encode(request, bytes);
    tr_assert(size > 0);
    struct tr_command_request *again = tr_command_request_decode(bytes, size, &error);
    tr_assert(again != NULL);
    same_list(request->programs, again->programs);
    same_list(request->arguments, again->arguments);
    same_list(request->environment, again->environment);
    tr_assert(strcmp(request->directory, again->directory) == 0 && strcmp(request->name, again->name) == 0);
    tr_assert(request->user == again->user && request->group == again->group && request->grace == again->grace);
    tr_assert(request->signal == again->signal && request->descriptors == again->descriptors);
    tr_assert(request->detached == again->detached && request->enters == again->enters);
    free(again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *error;
    if (size > TR_COMMAND_REQUEST_SIZE) return 0; /* no packet is longer */
    struct tr_command_request *request = tr_command_request_decode(data, size, &error);
    tr_assert((request != NULL) == (error == NULL));
    if (request == NULL) return 0;
    tr_assert(request->programs[0] != NULL && request->arguments[0] != NULL);
    round_trip(request);
    free(request);
    return 0;
}
