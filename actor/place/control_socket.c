/*
 * The socket under the control messages, and the outbox in front of it.
 *
 * The packets of a SEQPACKET socket are messages already: there is no framing to get wrong, and no
 * half message to keep. What does not fit goes to the outbox, in order; its limit is what one
 * process that does not read can cost the keeper.
 *
 * Failures. An empty packet cannot be told from the end of the socket, and counts as that. A peer
 * that leaves without having read everything resets the socket, but what it said before is still
 * read. A descriptor that nobody asked for is closed here, or never taken (the keeper offers no
 * room for one): a hostile process cannot fill the table of the other one.
 */
#include "place/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

int tr_control_pair(int sockets[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets);
}

/* Room for one descriptor, aligned as the kernel wants it. */
union one_descriptor {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static void attach(struct msghdr *header, union one_descriptor *room, int descriptor) {
    memset(room, 0, sizeof *room);
    header->msg_control = room->bytes;
    header->msg_controllen = sizeof room->bytes;
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
}

static enum tr_control_result send_bytes(int socket, uint8_t *bytes, size_t size, int descriptor) {
    struct iovec part = { .iov_base = bytes, .iov_len = size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    union one_descriptor room;
    if (descriptor >= 0) attach(&header, &room, descriptor);
    ssize_t sent;
    do {
        sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return TR_CONTROL_OK;
    if (errno == EAGAIN) return TR_CONTROL_AGAIN;
    return errno == EPIPE || errno == ECONNRESET ? TR_CONTROL_CLOSED : TR_CONTROL_BAD;
}

enum tr_control_result tr_control_send(int socket, const struct tr_control *message,
                                       int descriptor) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    size_t size = tr_control_encode(message, bytes);
    return size == 0 ? TR_CONTROL_BAD : send_bytes(socket, bytes, size, descriptor);
}

/* Takes the first descriptor and closes every other: alignment leaves room for a second one, which
 * counts as one that had no room. */
static int detach(struct msghdr *header) {
    int taken = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof descriptor, sizeof descriptor);
            if (taken < 0) {
                taken = descriptor;
            } else {
                close(descriptor);
                header->msg_flags |= MSG_CTRUNC;
            }
        }
    }
    return taken;
}

static ssize_t receive_packet(int socket, struct msghdr *header) {
    for (;;) {
        ssize_t size = recvmsg(socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        /* The reset is reported once; what had been said before comes next. */
        if (size >= 0 || (errno != EINTR && errno != ECONNRESET)) return size;
    }
}

static const char *check_descriptor(const struct tr_control *message, int flags, int descriptor) {
    bool wanted = tr_control_carries(message->type);
    if ((flags & MSG_CTRUNC) != 0) return "more descriptors than it may carry";
    if (wanted && descriptor < 0) return "its descriptor is missing";
    return !wanted && descriptor >= 0 ? "a descriptor that it may not carry" : NULL;
}

enum tr_control_result tr_control_receive(int socket, enum tr_control_way way,
                                          struct tr_control *message, int *descriptor,
                                          const char **error) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    union one_descriptor room;
    struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (way == TR_CONTROL_TO_NODE) {
        header.msg_control = room.bytes;
        header.msg_controllen = sizeof room.bytes;
    }
    *descriptor = -1;
    *error = NULL;
    ssize_t size = receive_packet(socket, &header);
    if (size < 0 && errno == EAGAIN) return TR_CONTROL_AGAIN;
    int received = size < 0 ? -1 : detach(&header);
    if (size <= 0) {
        if (received >= 0) close(received);
        return TR_CONTROL_CLOSED;
    }
    if ((header.msg_flags & MSG_TRUNC) != 0) {
        *error = "longer than any message";
    } else if (tr_control_decode(way, bytes, (size_t)size, message, error)) {
        *error = check_descriptor(message, header.msg_flags, received);
    }
    if (*error != NULL && received >= 0) close(received);
    if (*error == NULL) *descriptor = received;
    return *error == NULL ? TR_CONTROL_OK : TR_CONTROL_BAD;
}

/* ---- Outbox ---- */

struct tr_outbox_item {
    struct tr_outbox_item *next;
    int descriptor; /* a copy of our own, or -1 */
    size_t size;
    uint8_t bytes[];
};

static void drop_item(struct tr_outbox_item *item) {
    if (item->descriptor >= 0) close(item->descriptor);
    free(item);
}

static struct tr_outbox_item *make_item(const uint8_t *bytes, size_t size, int descriptor) {
    struct tr_outbox_item *item = malloc(sizeof *item + size);
    if (item == NULL) return NULL;
    *item = (struct tr_outbox_item){ .descriptor = -1, .size = size };
    memcpy(item->bytes, bytes, size);
    if (descriptor < 0) return item;
    item->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (item->descriptor >= 0) return item;
    free(item);
    return NULL;
}

static enum tr_control_result enqueue(struct tr_outbox *outbox, const uint8_t *bytes, size_t size,
                                      int descriptor) {
    if (outbox->count >= TR_CONTROL_OUTBOX_LIMIT) return TR_CONTROL_BAD;
    struct tr_outbox_item *item = make_item(bytes, size, descriptor);
    if (item == NULL) return TR_CONTROL_BAD;
    if (outbox->last != NULL) {
        outbox->last->next = item;
    } else {
        outbox->first = item;
    }
    outbox->last = item;
    outbox->count++;
    return TR_CONTROL_AGAIN;
}

enum tr_control_result tr_outbox_send(struct tr_outbox *outbox, int socket,
                                      const struct tr_control *message, int descriptor) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    size_t size = tr_control_encode(message, bytes);
    if (size == 0) return TR_CONTROL_BAD;
    if (outbox->first == NULL) {
        enum tr_control_result result = send_bytes(socket, bytes, size, descriptor);
        if (result != TR_CONTROL_AGAIN) return result;
    }
    return enqueue(outbox, bytes, size, descriptor);
}

static void drop_first(struct tr_outbox *outbox) {
    struct tr_outbox_item *item = outbox->first;
    tr_assert(outbox->count > 0);
    outbox->first = item->next;
    if (outbox->first == NULL) outbox->last = NULL;
    outbox->count--;
    drop_item(item);
}

enum tr_control_result tr_outbox_flush(struct tr_outbox *outbox, int socket) {
    while (outbox->first != NULL) {
        struct tr_outbox_item *item = outbox->first;
        enum tr_control_result result =
            send_bytes(socket, item->bytes, item->size, item->descriptor);
        if (result != TR_CONTROL_OK) return result;
        drop_first(outbox);
    }
    return TR_CONTROL_OK;
}

void tr_outbox_free(struct tr_outbox *outbox) {
    while (outbox->first != NULL) drop_first(outbox);
}
