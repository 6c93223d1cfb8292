/*
 * The socket under the control messages, and the outbox in front of it.
 *
 * The packets of a SEQPACKET socket are messages already: there is no framing to get wrong, and no
 * half message to keep. What does not fit goes to the outbox, in order; its limit is what one
 * process that does not read can cost the keeper.
 *
 * Failures. An empty packet cannot be told from the end of the socket, and counts as that. A peer
 * that leaves without having read everything resets the socket, but what it said before is still
 * read. A descriptor that nobody asked for is closed here: a hostile process cannot fill the table of
 * the other one.
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

/* Room for the descriptors, aligned as the kernel wants it. */
union room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(TR_CONTROL_DESCRIPTORS * sizeof(int))];
};

static void attach(struct msghdr *header, union room *room, const int *descriptors, uint32_t count) {
    const size_t size = count * sizeof *descriptors;
    memset(room, 0, sizeof *room);
    header->msg_control = room->bytes;
    header->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), descriptors, size);
}

static enum tr_control_result send_bytes(int socket, uint8_t *bytes, size_t size, const int *descriptors,
                                         uint32_t count) {
    struct iovec part = { .iov_base = bytes, .iov_len = size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    union room room;
    if (count > 0) attach(&header, &room, descriptors, count);
    ssize_t sent;
    do {
        sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return TR_CONTROL_OK;
    if (errno == EAGAIN) return TR_CONTROL_AGAIN;
    return errno == EPIPE || errno == ECONNRESET ? TR_CONTROL_CLOSED : TR_CONTROL_BAD;
}

enum tr_control_result tr_control_send(int socket, const struct tr_control *message,
                                       const int *descriptors) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    size_t size = tr_control_encode(message, bytes);
    if (size == 0) return TR_CONTROL_BAD;
    return send_bytes(socket, bytes, size, descriptors, tr_control_carries(message));
}

static void close_all(int descriptors[TR_CONTROL_DESCRIPTORS]) {
    for (size_t i = 0; i < TR_CONTROL_DESCRIPTORS; i++) {
        if (descriptors[i] >= 0) close(descriptors[i]);
        descriptors[i] = -1;
    }
}

/* Takes them in, as many as there was room for. */
static uint32_t detach(struct msghdr *header, int descriptors[TR_CONTROL_DESCRIPTORS]) {
    uint32_t taken = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        uint32_t count = (uint32_t)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        tr_assert(taken + count <= TR_CONTROL_DESCRIPTORS);
        memcpy(descriptors + taken, CMSG_DATA(part), count * sizeof(int));
        taken += count;
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

static const char *check_descriptors(const struct tr_control *message, int flags, uint32_t taken) {
    uint32_t wanted = tr_control_carries(message);
    if ((flags & MSG_CTRUNC) != 0) return "more descriptors than it may carry";
    if (taken < wanted) return "its descriptor is missing";
    return taken > wanted ? "a descriptor that it may not carry" : NULL;
}

enum tr_control_result tr_control_receive(int socket, enum tr_control_way way,
                                          struct tr_control *message,
                                          int descriptors[TR_CONTROL_DESCRIPTORS], const char **error) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    union room room;
    struct iovec part = { .iov_base = bytes, .iov_len = sizeof bytes };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes,
                             .msg_controllen = sizeof room.bytes };
    for (size_t i = 0; i < TR_CONTROL_DESCRIPTORS; i++) descriptors[i] = -1;
    *error = NULL;
    ssize_t size = receive_packet(socket, &header);
    if (size < 0 && errno == EAGAIN) return TR_CONTROL_AGAIN;
    uint32_t taken = size < 0 ? 0 : detach(&header, descriptors);
    if (size <= 0) {
        close_all(descriptors);
        return TR_CONTROL_CLOSED;
    }
    if ((header.msg_flags & MSG_TRUNC) != 0) {
        *error = "longer than any message";
    } else if (tr_control_decode(way, bytes, (size_t)size, message, error)) {
        *error = check_descriptors(message, header.msg_flags, taken);
    }
    if (*error != NULL) close_all(descriptors);
    return *error == NULL ? TR_CONTROL_OK : TR_CONTROL_BAD;
}

/* ---- Outbox ---- */

struct tr_outbox_item {
    struct tr_outbox_item *next;
    int descriptors[TR_CONTROL_DESCRIPTORS]; /* copies of our own */
    uint32_t count;
    size_t size;
    uint8_t bytes[];
};

static void drop_item(struct tr_outbox_item *item) {
    for (uint32_t i = 0; i < item->count; i++) close(item->descriptors[i]);
    free(item);
}

static struct tr_outbox_item *make_item(const uint8_t *bytes, size_t size, const int *descriptors, uint32_t count) {
    struct tr_outbox_item *item = malloc(sizeof *item + size);
    if (item == NULL) return NULL;
    *item = (struct tr_outbox_item){ .size = size };
    memcpy(item->bytes, bytes, size);
    for (; item->count < count; item->count++) {
        int copy = fcntl(descriptors[item->count], F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            drop_item(item);
            return NULL;
        }
        item->descriptors[item->count] = copy;
    }
    return item;
}

static enum tr_control_result enqueue(struct tr_outbox *outbox, const uint8_t *bytes, size_t size,
                                      const int *descriptors, uint32_t count) {
    if (outbox->count >= TR_CONTROL_OUTBOX_LIMIT) return TR_CONTROL_BAD;
    struct tr_outbox_item *item = make_item(bytes, size, descriptors, count);
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
                                      const struct tr_control *message, const int *descriptors) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    uint32_t count = tr_control_carries(message);
    size_t size = tr_control_encode(message, bytes);
    if (size == 0) return TR_CONTROL_BAD;
    if (outbox->first == NULL) {
        enum tr_control_result result = send_bytes(socket, bytes, size, descriptors, count);
        if (result != TR_CONTROL_AGAIN) return result;
    }
    return enqueue(outbox, bytes, size, descriptors, count);
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
            send_bytes(socket, item->bytes, item->size, item->descriptors, item->count);
        if (result != TR_CONTROL_OK) return result;
        drop_first(outbox);
    }
    return TR_CONTROL_OK;
}

void tr_outbox_free(struct tr_outbox *outbox) {
    while (outbox->first != NULL) drop_first(outbox);
}
