/*
 * Frames on a unix stream socket.
 *
 * A frame is a head of eight bytes, its size and the number of its descriptors, both big-endian, and its bytes. The
 * descriptors go with the first byte of the head. The kernel hands them out with that byte, and never two frames'
 * at once: so a head that announces descriptors finds them there, and there is never a second set before it. A set of
 * which some could not be taken in (MSG_CTRUNC: this process has no room for more) is closed, and its frame says so.
 *
 * Sending tries at once; what the kernel does not take is copied, for the caller's bytes are valid during the call
 * only. Receiving reads as much as there is room for, and hands out frames from there: the room is allocated when
 * there is something to read, and given back when nothing of a frame is left in it, so that a connection without
 * traffic costs a few hundred bytes.
 *
 * Failures. The size of a frame is checked before room is made for it. The end of the other process resets the
 * connection if it had not read everything: what it had said before is still read. Descriptors that nobody takes
 * are closed with their frame, or with the socket.
 */
#include "transport/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"

enum {
    HEAD = 8,
    ROOM = 64 * 1024, /* to read into, unless a frame is larger */
    BUFFER = 512 * 1024 /* of the kernel's, for each way */
};

struct set {
    int descriptors[TR_SOCKET_DESCRIPTORS];
    uint32_t count;
    bool cut;
};

struct tr_socket {
    int descriptor;
    size_t max_frame;
    /* out: what the kernel has not taken yet */
    uint8_t *out;
    size_t out_size, out_done;
    int *out_descriptors; /* duplicates; NULL: none, or they have left */
    uint32_t out_count;
    bool late;
    /* in */
    uint8_t *in;
    size_t in_room, in_begin, in_end;
    struct set *come;  /* its head has not been read yet */
    struct set *given; /* with the frame that was handed out */
    bool closed;
};

int tr_socket_pair(int descriptors[2]) {
    const int size = BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, descriptors) != 0) return -1;
    for (int i = 0; i < 2; i++) /* or as much as the system allows */
        (void)setsockopt(descriptors[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return 0;
}

struct tr_socket *tr_socket_new(int descriptor, size_t max_frame) {
    struct tr_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) return NULL;
    tr_assert(max_frame <= UINT32_MAX);
    socket->descriptor = descriptor;
    socket->max_frame = max_frame;
    return socket;
}

/* ---- Descriptors ---- */

static void close_all(const int *descriptors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (descriptors[i] >= 0) close(descriptors[i]);
}

static void drop_set(struct set *set) {
    if (set == NULL) return;
    close_all(set->descriptors, set->count);
    free(set);
}

static void drop_out_descriptors(struct tr_socket *socket) {
    if (socket->out_descriptors == NULL) return;
    close_all(socket->out_descriptors, socket->out_count);
    free(socket->out_descriptors);
    socket->out_descriptors = NULL;
}

void tr_socket_free(struct tr_socket *socket) {
    if (socket == NULL) return;
    close(socket->descriptor);
    drop_set(socket->given);
    drop_set(socket->come);
    drop_out_descriptors(socket);
    free(socket->out);
    free(socket->in);
    free(socket);
}

/* ---- Sending ---- */

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(TR_SOCKET_DESCRIPTORS * sizeof(int))];
};

static void attach(struct msghdr *message, union control *control, const int *descriptors, uint32_t count) {
    const size_t size = count * sizeof *descriptors;
    memset(control, 0, sizeof *control);
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), descriptors, size);
}

/* As much as the kernel takes: -1 with errno. */
static ssize_t push(const struct tr_socket *socket, struct iovec *parts, size_t part_count, const int *descriptors,
                    uint32_t count) {
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = part_count };
    union control control;
    if (count > 0) attach(&message, &control, descriptors, count);
    ssize_t sent;
    do sent = sendmsg(socket->descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* After a failure of push. ETOOMANYREFS: too many descriptors are on their way, and nothing tells when there are
 * less; ENOBUFS, ENOMEM: nor is it told when there is memory again. */
static enum tr_socket_result why(struct tr_socket *socket) {
    socket->late = errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM;
    return errno == EAGAIN || socket->late ? TR_SOCKET_AGAIN : TR_SOCKET_CLOSED;
}

static bool keep_descriptors(struct tr_socket *socket, const int *descriptors, uint32_t count) {
    if (count == 0) return true;
    socket->out_descriptors = malloc(count * sizeof *descriptors);
    if (socket->out_descriptors == NULL) return false;
    for (socket->out_count = 0; socket->out_count < count; socket->out_count++) {
        int copy = fcntl(descriptors[socket->out_count], F_DUPFD_CLOEXEC, 3);
        if (copy < 0) break;
        socket->out_descriptors[socket->out_count] = copy;
    }
    if (socket->out_count == count) return true;
    drop_out_descriptors(socket);
    return false;
}

/* What is left of a frame of which `done` bytes are gone, the head counted. */
static bool keep(struct tr_socket *socket, const uint8_t *head, const uint8_t *bytes, size_t size, size_t done) {
    uint8_t *rest = malloc(HEAD + size - done);
    if (rest == NULL) return false;
    const size_t of_head = done < HEAD ? HEAD - done : 0;
    const size_t skipped = done > HEAD ? done - HEAD : 0;
    memcpy(rest, head + HEAD - of_head, of_head);
    if (size > skipped) memcpy(rest + of_head, bytes + skipped, size - skipped);
    socket->out = rest;
    socket->out_size = HEAD + size - done;
    socket->out_done = 0;
    return true;
}

static void write_number(uint8_t *at, uint32_t number) {
    for (int i = 3; i >= 0; i--, number >>= 8) at[i] = (uint8_t)number;
}

static uint32_t read_number(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

enum tr_socket_result tr_socket_send(struct tr_socket *socket, const uint8_t *bytes, size_t size,
                                     const int *descriptors, uint32_t count) {
    uint8_t head[HEAD];
    tr_assert(socket->out == NULL && size <= socket->max_frame && count <= TR_SOCKET_DESCRIPTORS);
    write_number(head, (uint32_t)size);
    write_number(head + 4, count);
    struct iovec parts[] = { { head, HEAD }, { (void *)(uintptr_t)bytes, size } };
    ssize_t sent = push(socket, parts, 2, descriptors, count);
    if (sent == (ssize_t)(HEAD + size)) return TR_SOCKET_OK;
    if (sent < 0 && why(socket) != TR_SOCKET_AGAIN) return TR_SOCKET_CLOSED;
    if (sent < 0 && !keep_descriptors(socket, descriptors, count)) return TR_SOCKET_BAD;
    if (keep(socket, head, bytes, size, sent < 0 ? 0 : (size_t)sent)) return TR_SOCKET_AGAIN;
    drop_out_descriptors(socket);
    return TR_SOCKET_BAD;
}

enum tr_socket_result tr_socket_flush(struct tr_socket *socket) {
    socket->late = false;
    while (socket->out != NULL && socket->out_done < socket->out_size) {
        struct iovec part = { socket->out + socket->out_done, socket->out_size - socket->out_done };
        const uint32_t count = socket->out_descriptors == NULL ? 0 : socket->out_count;
        ssize_t sent = push(socket, &part, 1, socket->out_descriptors, count);
        if (sent < 0) return why(socket);
        drop_out_descriptors(socket); /* with the first byte */
        socket->out_done += (size_t)sent;
    }
    free(socket->out);
    socket->out = NULL;
    return TR_SOCKET_OK;
}

bool tr_socket_is_late(const struct tr_socket *socket) { return socket->late; }

/* ---- Receiving ---- */

/* Moves what is there to the front, and makes room for a frame of `size`. */
static bool make_room(struct tr_socket *socket, size_t size) {
    const size_t kept = socket->in_end - socket->in_begin;
    const size_t room = size > ROOM ? size : ROOM;
    if (socket->in == NULL || room > socket->in_room) {
        uint8_t *larger = malloc(room);
        if (larger == NULL) return false;
        if (kept > 0) memcpy(larger, socket->in + socket->in_begin, kept);
        free(socket->in);
        socket->in = larger;
        socket->in_room = room;
    } else if (socket->in_begin > 0 && kept > 0) {
        memmove(socket->in, socket->in + socket->in_begin, kept);
    }
    socket->in_begin = 0;
    socket->in_end = kept;
    return true;
}

/* The descriptors of one part of a message: no more than there was room for. */
static void take_part(struct set *set, const struct cmsghdr *part) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return;
    const uint32_t count = (uint32_t)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    tr_assert(set->count + count <= TR_SOCKET_DESCRIPTORS);
    memcpy(set->descriptors + set->count, CMSG_DATA(part), count * sizeof(int));
    set->count += count;
}

/* False: one more before the head of the last one, or no memory. */
static bool take_set(struct tr_socket *socket, struct msghdr *message) {
    struct set taken = { .cut = (message->msg_flags & MSG_CTRUNC) != 0 };
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part))
        take_part(&taken, part);
    if (taken.count == 0 && !taken.cut) return true;
    struct set *set = socket->come == NULL ? malloc(sizeof *set) : NULL;
    if (set == NULL) {
        close_all(taken.descriptors, taken.count);
        return false;
    }
    *set = taken;
    socket->come = set;
    return true;
}

/* Reads once. */
static enum tr_socket_result pull(struct tr_socket *socket) {
    struct iovec part = { socket->in + socket->in_end, socket->in_room - socket->in_end };
    union control control;
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t size;
    do size = recvmsg(socket->descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && (errno == EINTR || errno == ECONNRESET)); /* a reset is told once, before what is left */
    if (size < 0) return errno == EAGAIN ? TR_SOCKET_AGAIN : TR_SOCKET_CLOSED;
    if (!take_set(socket, &message)) return TR_SOCKET_BAD;
    if (size == 0) return TR_SOCKET_CLOSED;
    socket->in_end += (size_t)size;
    return TR_SOCKET_OK;
}

/* What has come is of the frame at hand, if that announces any. */
static bool give_set(struct tr_socket *socket, uint32_t count, struct tr_socket_frame *frame) {
    struct set *set = count == 0 ? NULL : socket->come;
    frame->descriptors = NULL;
    frame->count = count;
    frame->complete = true;
    if (count == 0) return true;
    if (set == NULL || set->count > count || (set->count < count && !set->cut)) return false;
    socket->come = NULL;
    socket->given = set;
    if (set->cut) {
        close_all(set->descriptors, set->count);
        for (set->count = 0; set->count < count; set->count++) set->descriptors[set->count] = -1;
    }
    frame->descriptors = set->descriptors;
    frame->complete = !set->cut;
    return true;
}

/* The frame at the front, if it is whole: else AGAIN, with room for the rest of it. */
static enum tr_socket_result cut_frame(struct tr_socket *socket, struct tr_socket_frame *frame) {
    const size_t present = socket->in_end - socket->in_begin;
    if (present < HEAD) {
        const bool full = socket->in == NULL || socket->in_room - socket->in_begin < HEAD;
        return !full || make_room(socket, ROOM) ? TR_SOCKET_AGAIN : TR_SOCKET_BAD;
    }
    const uint8_t *head = socket->in + socket->in_begin;
    const uint32_t size = read_number(head), count = read_number(head + 4);
    if (size > socket->max_frame || count > TR_SOCKET_DESCRIPTORS) return TR_SOCKET_BAD;
    if (present < HEAD + (size_t)size) {
        const bool full = socket->in_room - socket->in_begin < HEAD + (size_t)size;
        return !full || make_room(socket, HEAD + (size_t)size) ? TR_SOCKET_AGAIN : TR_SOCKET_BAD;
    }
    if (!give_set(socket, count, frame)) return TR_SOCKET_BAD;
    frame->bytes = head + HEAD;
    frame->size = size;
    socket->in_begin += HEAD + (size_t)size;
    return TR_SOCKET_OK;
}

/* Nothing of a frame is left: the room is for others. */
static void rest(struct tr_socket *socket) {
    if (socket->in_begin < socket->in_end) return;
    free(socket->in);
    socket->in = NULL;
    socket->in_room = socket->in_begin = socket->in_end = 0;
}

enum tr_socket_result tr_socket_receive(struct tr_socket *socket, struct tr_socket_frame *frame) {
    drop_set(socket->given);
    socket->given = NULL;
    for (;;) {
        enum tr_socket_result result = cut_frame(socket, frame);
        if (result != TR_SOCKET_AGAIN) return result;
        if (socket->in_begin == socket->in_end) socket->in_begin = socket->in_end = 0;
        result = socket->closed ? TR_SOCKET_CLOSED : pull(socket);
        if (result == TR_SOCKET_CLOSED) socket->closed = true;
        if (result == TR_SOCKET_OK) continue;
        rest(socket);
        return result;
    }
}
