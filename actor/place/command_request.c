/*
 * Requests for programs as bytes: a msgpack array of fixed order, whose texts are binaries that end with a NUL, since
 * neither arguments nor names of files need be UTF-8. Decoding copies nothing: the lists point into the packet.
 */
#include "place/command_request.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pack.h"

enum { FIELDS = 12 };

/* ---- Writing ---- */

static void pack_text(struct tr_bytes *out, const char *text) { tr_pack_bin(out, text, strlen(text) + 1); }

static void pack_list(struct tr_bytes *out, char *const *list) {
    uint32_t count = 0;
    while (list[count] != NULL) count++;
    tr_pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) pack_text(out, list[i]);
}

size_t tr_command_request_encode(const struct tr_command_request *request, uint8_t bytes[TR_COMMAND_REQUEST_SIZE]) {
    struct tr_bytes out = { .limit = TR_COMMAND_REQUEST_SIZE };
    tr_pack_array(&out, FIELDS);
    pack_list(&out, request->programs);
    pack_list(&out, request->arguments);
    pack_list(&out, request->environment);
    pack_text(&out, request->directory);
    tr_pack_bool(&out, request->enters);
    pack_text(&out, request->name);
    tr_pack_uint(&out, request->descriptors);
    tr_pack_int(&out, request->user);
    tr_pack_int(&out, request->group);
    tr_pack_bool(&out, request->detached);
    tr_pack_uint(&out, (uint64_t)request->signal);
    tr_pack_int(&out, request->grace);
    size_t size = out.failed ? 0 : out.size;
    if (size > 0) memcpy(bytes, out.data, size);
    tr_bytes_free(&out);
    return size;
}

/* ---- Reading ---- */

static char *read_text(struct tr_cursor *cursor) {
    uint32_t size = 0;
    const char *text = tr_read_bin(cursor, &size);
    if (!tr_cursor_ok(cursor)) return NULL;
    if (size > 0 && memchr(text, '\0', size) == text + size - 1) return (char *)text;
    tr_cursor_fail(cursor, "a text does not end where it should");
    return NULL;
}

/* Each item takes a byte at least: so the lists of a packet are no longer than it is. */
static char **read_list(struct tr_cursor *cursor, char ***room, uint32_t least) {
    char **list = *room;
    uint32_t count = tr_read_array(cursor);
    if (tr_cursor_ok(cursor) && count < least) tr_cursor_fail(cursor, "a list is empty");
    for (uint32_t i = 0; i < count && tr_cursor_ok(cursor); i++) *(*room)++ = read_text(cursor);
    *(*room)++ = NULL;
    return list;
}

static const char *what_is_wrong(const struct tr_command_request *request) {
    if (request->descriptors < 3 || request->descriptors > TR_COMMAND_DESCRIPTORS) return "too few or many descriptors";
    if (request->signal < 1 || request->signal >= NSIG) return "no such signal";
    return NULL;
}

static void read_fields(struct tr_cursor *cursor, struct tr_command_request *request, char **room) {
    if (tr_read_array(cursor) != FIELDS) tr_cursor_fail(cursor, "a field too few or too many");
    request->programs = read_list(cursor, &room, 1);
    request->arguments = read_list(cursor, &room, 1);
    request->environment = read_list(cursor, &room, 0);
    request->directory = read_text(cursor);
    request->enters = tr_read_bool(cursor);
    request->name = read_text(cursor);
    request->descriptors = (uint32_t)tr_read_uint(cursor, TR_COMMAND_DESCRIPTORS);
    request->user = tr_read_int(cursor, -1, UINT32_MAX);
    request->group = tr_read_int(cursor, -1, UINT32_MAX);
    request->detached = tr_read_bool(cursor);
    request->signal = (int)tr_read_uint(cursor, NSIG);
    request->grace = tr_read_int(cursor, 0, INT64_MAX);
    if (tr_cursor_ok(cursor) && tr_cursor_left(cursor) > 0) tr_cursor_fail(cursor, "bytes after the request");
    const char *wrong = tr_cursor_ok(cursor) ? what_is_wrong(request) : NULL;
    if (wrong != NULL) tr_cursor_fail(cursor, wrong);
}

struct tr_command_request *tr_command_request_decode(const uint8_t *bytes, size_t size, const char **error) {
    struct tr_cursor cursor;
    struct tr_command_request *request = malloc(sizeof *request + (size + 3) * sizeof(char *));
    *error = "no memory";
    if (request == NULL) return NULL;
    tr_cursor_init(&cursor, bytes, size);
    read_fields(&cursor, request, (char **)(void *)(request + 1));
    *error = cursor.error;
    if (tr_cursor_ok(&cursor)) return request;
    free(request);
    return NULL;
}

/* ---- Packets ---- */

union many_descriptors {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(TR_COMMAND_DESCRIPTORS * sizeof(int))];
};

bool tr_command_packet_send(int socket, const uint8_t *bytes, size_t size, const int *descriptors, uint32_t count) {
    union many_descriptors room = { .bytes = { 0 } };
    struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
    struct cmsghdr *carried = CMSG_FIRSTHDR(&header);
    carried->cmsg_level = SOL_SOCKET;
    carried->cmsg_type = SCM_RIGHTS;
    carried->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(carried), descriptors, count * sizeof(int));
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

static void take_descriptors(struct msghdr *header, int *descriptors, uint32_t *count) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t carried = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < carried; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof descriptor, sizeof descriptor);
            if (*count < TR_COMMAND_DESCRIPTORS) descriptors[(*count)++] = descriptor;
            else close(descriptor);
        }
    }
}

int64_t tr_command_packet_receive(int socket, uint8_t bytes[TR_COMMAND_REQUEST_SIZE],
                                  int descriptors[TR_COMMAND_DESCRIPTORS], uint32_t *count) {
    union many_descriptors room;
    struct iovec part = { .iov_base = bytes, .iov_len = TR_COMMAND_REQUEST_SIZE };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes,
                             .msg_controllen = sizeof room.bytes };
    ssize_t size;
    *count = 0;
    do {
        size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return -1;
    take_descriptors(&header, descriptors, count);
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return size;
    errno = EBADMSG;
    return -1;
}
