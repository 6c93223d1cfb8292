/*
 * A stranger on a listening wire of tcp: whatever it says, in whatever pieces, it gets the end of the connection,
 * and nothing that it sent is handed over but whole frames within the limit. Then the wire closes in time.
 *
 * The input: pieces, each a byte of length and its bytes. A byte of 255 first: the greeting is said before.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "transport/wire.h"

enum { MAX_FRAME = 2000, PATIENCE_MS = 8000 };

static const uint8_t greeting[8] = { 0, 'S', 'P', 0, 0, 16, 0, 0 };

static _Atomic(struct tr_wire *) listener; /* known before anybody calls */

static void on_up(void *context) { (void)context; }
static void on_sent(void *context, bool ok) { (void)context, (void)ok; }
static void on_down(void *context) { (void)context; }

static void on_frame(void *context, struct tr_wire_frame *frame) {
    size_t size;
    volatile uint8_t sum = 0;
    const uint8_t *bytes = tr_wire_frame_bytes(frame, &size);
    (void)context;
    tr_assert(size <= MAX_FRAME);
    for (size_t i = 0; i < size; i++) sum = (uint8_t)(sum + bytes[i]);
    tr_wire_frame_free(frame);
    tr_wire_next(atomic_load(&listener));
}

static const struct tr_wire_events events = { on_up, on_frame, on_sent, on_down };

static int call(const char *url) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    to.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct linger none = { 1, 0 }; /* closed at once, so that ports do not run out */
    tr_assert(stranger >= 0 && connect(stranger, (struct sockaddr *)&to, sizeof to) == 0);
    setsockopt(stranger, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    return stranger;
}

static void say(int stranger, const uint8_t *data, size_t size) {
    if (size > 0 && data[0] == 255) (void)send(stranger, greeting, sizeof greeting, MSG_NOSIGNAL);
    while (size > 1) {
        size_t length = data[0] < size - 1 ? data[0] : size - 1;
        (void)send(stranger, data + 1, length, MSG_NOSIGNAL);
        data += length + 1;
        size -= length + 1;
    }
    (void)shutdown(stranger, SHUT_WR);
}

/* The fuzzer's own alarm interrupts. */
static void await(int stranger) {
    struct pollfd ready = { .fd = stranger, .events = POLLIN };
    int found;
    do found = poll(&ready, 1, PATIENCE_MS);
    while (found < 0 && errno == EINTR);
    tr_assert(found == 1);
}

/* Until the listener has let go. */
static void hear_out(int stranger) {
    char bytes[64];
    do await(stranger);
    while (recv(stranger, bytes, sizeof bytes, 0) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tr_wire *wire = NULL;
    char bound[128], error[256] = "";
    const struct tr_wire_options options = { .url = "tcp://127.0.0.1:0", .max_frame = MAX_FRAME,
                                             .events = &events };
    tr_assert(tr_wire_listen(&options, &wire, bound, sizeof bound, error, sizeof error) == TROUPE_OK);
    atomic_store(&listener, wire);
    int stranger = call(bound);
    say(stranger, data, size);
    hear_out(stranger);
    close(stranger);
    tr_wire_close(wire);
    return 0;
}
