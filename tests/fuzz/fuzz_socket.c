/*
 * Whatever another process writes into its end of a socket pair, in whatever pieces, with whatever descriptors
 * beside it: frames within the limit, or an end; no byte beyond, and no descriptor left over.
 *
 * The input: steps of one byte, what there is to send with how many descriptors, and what is sent.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "transport/socket.h"

enum { MAX_FRAME = 3000, DESCRIPTORS = 100 };

static int nothing = -1; /* an open descriptor to send */

static int lowest_free(void) {
    int lowest = dup(nothing);
    tr_assert(lowest >= 0);
    close(lowest);
    return lowest;
}

/* As many as fit; the rest is lost, for nobody reads meanwhile. */
static void write_some(int end, const uint8_t *bytes, size_t size, unsigned count) {
    int descriptors[DESCRIPTORS];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof descriptors)];
    } control;
    struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > 0) {
        for (unsigned i = 0; i < count; i++) descriptors[i] = nothing;
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
    }
    (void)sendmsg(end, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void look_at(const struct tr_socket_frame *frame, bool take) {
    volatile uint8_t sum = 0;
    tr_assert(frame->size <= MAX_FRAME && frame->count <= TR_SOCKET_DESCRIPTORS);
    for (size_t i = 0; i < frame->size; i++) sum = (uint8_t)(sum + frame->bytes[i]);
    for (uint32_t i = 0; i < frame->count; i++) {
        tr_assert((frame->descriptors[i] >= 0) == frame->complete);
        if (frame->complete) tr_assert(fcntl(frame->descriptors[i], F_GETFD) == FD_CLOEXEC);
    }
    if (!take || frame->count == 0 || !frame->complete) return;
    close(frame->descriptors[0]);
    frame->descriptors[0] = -1;
}

/* False: nothing more will come. */
static bool read_all(struct tr_socket *socket, bool take) {
    struct tr_socket_frame frame;
    enum tr_socket_result result;
    while ((result = tr_socket_receive(socket, &frame)) == TR_SOCKET_OK) look_at(&frame, take);
    return result == TR_SOCKET_AGAIN;
}

static void run(struct tr_socket *socket, int end, const uint8_t *data, size_t size) {
    bool going = true;
    while (size > 1 && going) {
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        unsigned count = data[0] >> 3;
        write_some(end, data + 2, length, count == 31 ? DESCRIPTORS : count);
        if ((data[0] & 1) != 0) going = read_all(socket, (data[0] & 2) != 0);
        data += length + 2;
        size -= length + 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ends[2];
    if (nothing < 0) nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int before = lowest_free();
    tr_assert(tr_socket_pair(ends) == 0);
    struct tr_socket *socket = tr_socket_new(ends[0], MAX_FRAME);
    tr_assert(socket != NULL);
    run(socket, ends[1], data, size);
    close(ends[1]);
    tr_assert(!read_all(socket, false));
    tr_socket_free(socket);
    tr_assert(lowest_free() == before);
    return 0;
}
