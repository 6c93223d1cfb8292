/*
 * Control messages: every type there and back, everything that is wrong with bytes, descriptors,
 * the end of a socket, and the outbox.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pack.h"
#include "base/rules.h"
#include "place/control.h"

static enum tr_control_way way_of(enum tr_control_type type) {
    return type < TR_CONTROL_START_NODE ? TR_CONTROL_TO_KEEPER : TR_CONTROL_TO_NODE;
}

/* Every field at its largest, so that it is also the largest message of its type. */
static struct tr_control full(enum tr_control_type type) {
    struct tr_control message = { .type = type,
                                  .kind = TR_LANE_TCP,
                                  .cause = TR_CAUSE_KILLED,
                                  .node = UINT64_MAX,
                                  .incarnation = UINT64_MAX - 1,
                                  .peer = UINT64_MAX - 2,
                                  .peer_incarnation = UINT64_MAX - 3,
                                  .lane = UINT64_MAX - 4,
                                  .ledger = UINT64_MAX - 5,
                                  .within = TR_INFINITY,
                                  .signal = 64,
                                  .status = INT32_MAX,
                                  .times = UINT32_MAX,
                                  .taken = true };
    memset(message.token, 0xa5, sizeof message.token);
    memset(message.url, 'u', sizeof message.url - 1);
    memset(message.text, 't', sizeof message.text - 1);
    return message;
}

static void every_type_there_and_back(void **state) {
    (void)state;
    for (int type = TR_CONTROL_READY; type < TR_CONTROL_TYPES; type++) {
        struct tr_control message = full((enum tr_control_type)type), first, second;
        enum tr_control_way way = way_of((enum tr_control_type)type);
        uint8_t bytes[TR_CONTROL_MAX_SIZE], again[TR_CONTROL_MAX_SIZE];
        const char *error;
        size_t size = tr_control_encode(&message, bytes);
        assert_true(size > 0);
        assert_true(tr_control_decode(way, bytes, size, &first, &error));
        assert_null(error);
        assert_int_equal(first.type, type);
        assert_int_equal(tr_control_encode(&first, again), size);
        assert_memory_equal(bytes, again, size);
        assert_true(tr_control_decode(way, again, size, &second, &error));
        assert_memory_equal(&first, &second, sizeof first);
        assert_false(
            tr_control_decode(way == TR_CONTROL_TO_NODE ? TR_CONTROL_TO_KEEPER : TR_CONTROL_TO_NODE,
                              bytes, size, &second, &error));
        assert_string_equal(error, "no such type of message");
        assert_string_not_equal(tr_control_name((enum tr_control_type)type), "unknown");
    }
    assert_string_equal(tr_control_name(TR_CONTROL_TYPES), "unknown");
}

static void the_fields_arrive(void **state) {
    (void)state;
    struct tr_control sent = full(TR_CONTROL_LISTEN), got;
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    const char *error;
    size_t size = tr_control_encode(&sent, bytes);
    assert_true(tr_control_decode(TR_CONTROL_TO_NODE, bytes, size, &got, &error));
    sent.text[0] = '\0'; /* listen has no text, cause or deadline */
    memset(sent.text, 0, sizeof sent.text);
    sent.cause = TR_CAUSE_STOPPED;
    sent.within = 0;
    sent.signal = 0;
    sent.status = 0;
    sent.times = 0;
    sent.taken = false;
    assert_memory_equal(&sent, &got, sizeof got);
}

/* Every cut of a message, and every single flipped bit, is refused or is a message again. */
static void damaged_bytes(void **state) {
    (void)state;
    for (int type = TR_CONTROL_READY; type < TR_CONTROL_TYPES; type++) {
        struct tr_control message = full((enum tr_control_type)type), got;
        enum tr_control_way way = way_of((enum tr_control_type)type);
        uint8_t bytes[TR_CONTROL_MAX_SIZE + 1], again[TR_CONTROL_MAX_SIZE];
        const char *error;
        size_t size = tr_control_encode(&message, bytes);
        for (size_t cut = 0; cut < size; cut++) {
            assert_false(tr_control_decode(way, bytes, cut, &got, &error));
            assert_non_null(error);
        }
        bytes[size] = 0xc0;
        assert_false(tr_control_decode(way, bytes, size + 1, &got, &error));
        assert_string_equal(error, "bytes after the message");
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (tr_control_decode(way, bytes, size, &got, &error)) {
                assert_true(tr_control_encode(&got, again) > 0);
            } else {
                assert_non_null(error);
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static const char *error_of(enum tr_control_way way, struct tr_bytes *bytes) {
    struct tr_control message;
    const char *error = NULL;
    assert_false(bytes->failed);
    tr_control_decode(way, bytes->data, bytes->size, &message, &error);
    tr_bytes_free(bytes);
    memset(bytes, 0, sizeof *bytes);
    return error != NULL ? error : "none";
}

static void wrong_values(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    char longest[TR_CONTROL_TEXT_SIZE];
    memset(longest, 'x', sizeof longest);
    tr_pack_array(&bytes, 2);
    tr_pack_uint(&bytes, TR_CONTROL_GAVE_UP);
    tr_pack_str(&bytes, longest, sizeof longest);
    assert_string_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "a text is too long");
    tr_pack_array(&bytes, 3);
    tr_pack_uint(&bytes, TR_CONTROL_LISTENING);
    tr_pack_uint(&bytes, 1);
    tr_pack_str(&bytes, "tcp://a b", 9);
    assert_string_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "a URL is empty or not printable");
    tr_pack_array(&bytes, 3);
    tr_pack_uint(&bytes, TR_CONTROL_LISTENING);
    tr_pack_uint(&bytes, 1);
    tr_pack_str(&bytes, "", 0);
    assert_string_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "a URL is empty or not printable");
    tr_pack_array(&bytes, 1);
    tr_pack_uint(&bytes, TR_CONTROL_READY);
    assert_string_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "a field too few or too many");
    tr_pack_array(&bytes, 3);
    tr_pack_uint(&bytes, TR_CONTROL_STOP);
    tr_pack_uint(&bytes, 1);
    tr_pack_int(&bytes, -1);
    assert_string_not_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "none");
    for (uint64_t signal = 0; signal <= 65; signal += 65) {
        tr_pack_array(&bytes, 3);
        tr_pack_uint(&bytes, TR_CONTROL_SIGNAL);
        tr_pack_uint(&bytes, signal);
        tr_pack_uint(&bytes, 1);
        assert_string_not_equal(error_of(TR_CONTROL_TO_NODE, &bytes), "none");
    }
    tr_pack_array(&bytes, 1);
    tr_pack_uint(&bytes, UINT64_MAX);
    assert_string_equal(error_of(TR_CONTROL_TO_KEEPER, &bytes), "no such type of message");
}

static void texts_are_mended(void **state) {
    (void)state;
    struct tr_control message = { .type = TR_CONTROL_GAVE_UP };
    tr_control_say(&message, "a\x1b[2J\n\xff\xc3\x28 \xc2\x9b \xc3\xa9 \xed\xa0\x80 %d%%", 100);
    assert_string_equal(message.text, "a?[2J??"
                                      "?( ?? \xc3\xa9 ??"
                                      "? 100%");
    /* A character of two and one of four bytes that do not fit are dropped whole. */
    for (size_t room = 0; room < 5; room++) {
        char text[TR_CONTROL_TEXT_SIZE + 8] = { 0 };
        memset(text, 'x', TR_CONTROL_TEXT_SIZE - 1 - room);
        strcat(text, "\xf0\x9f\x8e\xad");
        tr_control_say(&message, "%s", text);
        assert_int_equal(strlen(message.text), TR_CONTROL_TEXT_SIZE - 1 - (room < 4 ? room : 0));
        assert_null(strchr(message.text, '?'));
    }
    /* What somebody else wrote is mended when it is read. */
    struct tr_bytes bytes = { 0 };
    const char *error;
    tr_pack_array(&bytes, 2);
    tr_pack_uint(&bytes, TR_CONTROL_GAVE_UP);
    tr_pack_str(&bytes, "red \x1b[31m", 9);
    assert_true(tr_control_decode(TR_CONTROL_TO_KEEPER, bytes.data, bytes.size, &message, &error));
    assert_string_equal(message.text, "red ?[31m");
    tr_bytes_free(&bytes);
}

/* ---- Sockets ---- */

struct sockets {
    int keeper, node;
};

static int count_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    assert_non_null(directory);
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static int descriptors_before;

static int open_pair(void **state) {
    static struct sockets sockets;
    int pair[2];
    descriptors_before = count_descriptors();
    assert_int_equal(tr_control_pair(pair), 0);
    sockets = (struct sockets){ pair[0], pair[1] };
    *state = &sockets;
    return 0;
}

static int close_pair(void **state) {
    struct sockets *sockets = *state;
    if (sockets->keeper >= 0) close(sockets->keeper);
    if (sockets->node >= 0) close(sockets->node);
    assert_int_equal(count_descriptors(), descriptors_before);
    return 0;
}

static const struct tr_control ready = { .type = TR_CONTROL_READY, .node = 7 };
static const struct tr_control started = { .type = TR_CONTROL_START_NODE,
                                           .node = 7,
                                           .incarnation = 1 };
static const struct tr_control gone = { .type = TR_CONTROL_GONE, .node = 7 };

/* The second descriptor comes with lanes alone. */
static enum tr_control_result receive(int socket, enum tr_control_way way,
                                      struct tr_control *message, int *descriptor,
                                      const char **error) {
    int descriptors[TR_CONTROL_DESCRIPTORS];
    enum tr_control_result result = tr_control_receive(socket, way, message, descriptors, error);
    assert_int_equal(descriptors[1], -1);
    *descriptor = descriptors[0];
    return result;
}

/* With as many descriptors as the sender likes, up to three. */
static void send_with(int socket, const struct tr_control *message, unsigned count) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } control = { 0 };
    struct iovec part = { bytes, tr_control_encode(message, bytes) };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), (int[]){ 1, 1, 1 }, count * sizeof(int));
    }
    assert_true(sendmsg(socket, &header, 0) > 0);
}

static void messages_and_descriptors(void **state) {
    const struct sockets *sockets = *state;
    struct tr_control message;
    const char *error;
    int descriptor, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct stat sent, got;
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_AGAIN);
    assert_int_equal(tr_control_send(sockets->node, &ready, NULL), TR_CONTROL_OK);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_OK);
    assert_int_equal(message.node, 7);
    assert_int_equal(descriptor, -1);
    assert_int_equal(tr_control_send(sockets->keeper, &started, &null), TR_CONTROL_OK);
    assert_int_equal(receive(sockets->node, TR_CONTROL_TO_NODE, &message, &descriptor, &error),
                     TR_CONTROL_OK);
    assert_int_equal(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(null, &sent), 0);
    assert_int_equal(fstat(descriptor, &got), 0);
    assert_int_equal(sent.st_rdev, got.st_rdev);
    close(descriptor);
    close(null);
}

static void descriptors_that_nobody_asked_for(void **state) {
    const struct sockets *sockets = *state;
    struct tr_control message;
    const char *error;
    int descriptor;
    send_with(sockets->node, &ready, 1);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_BAD);
    assert_string_equal(error, "a descriptor that it may not carry");
    send_with(sockets->keeper, &gone, 1);
    assert_int_equal(receive(sockets->node, TR_CONTROL_TO_NODE, &message, &descriptor, &error),
                     TR_CONTROL_BAD);
    assert_string_equal(error, "a descriptor that it may not carry");
    send_with(sockets->keeper, &started, 0);
    assert_int_equal(receive(sockets->node, TR_CONTROL_TO_NODE, &message, &descriptor, &error),
                     TR_CONTROL_BAD);
    assert_string_equal(error, "its descriptor is missing");
    assert_int_equal(descriptor, -1);
}

/* Two and three at once, with a message that may carry one: none stays open. */
static void a_handful_of_descriptors(void **state) {
    const struct sockets *sockets = *state;
    static const char *const errors[] = { "a descriptor that it may not carry", "more descriptors than it may carry" };
    struct tr_control message;
    const char *error;
    int descriptor;
    for (unsigned count = 2; count <= 3; count++) {
        send_with(sockets->keeper, &started, count);
        assert_int_equal(receive(sockets->node, TR_CONTROL_TO_NODE, &message, &descriptor, &error),
                         TR_CONTROL_BAD);
        assert_string_equal(error, errors[count - 2]);
    }
}

/* The ledger and an end of a socket pair; a lane of another kind has the ledger alone. */
static void lanes_carry_two(void **state) {
    const struct sockets *sockets = *state;
    struct tr_control message, lane = full(TR_CONTROL_DIAL);
    const int both[] = { STDOUT_FILENO, STDERR_FILENO };
    int got[TR_CONTROL_DESCRIPTORS];
    const char *error;
    lane.kind = TR_LANE_IPC;
    assert_int_equal(tr_control_send(sockets->keeper, &lane, both), TR_CONTROL_OK);
    assert_int_equal(tr_control_receive(sockets->node, TR_CONTROL_TO_NODE, &message, got, &error), TR_CONTROL_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(got[i] > 2);
        close(got[i]);
    }
    send_with(sockets->keeper, &lane, 1);
    assert_int_equal(tr_control_receive(sockets->node, TR_CONTROL_TO_NODE, &message, got, &error), TR_CONTROL_BAD);
    assert_string_equal(error, "its descriptor is missing");
    lane.kind = TR_LANE_TCP;
    send_with(sockets->keeper, &lane, 2);
    assert_int_equal(tr_control_receive(sockets->node, TR_CONTROL_TO_NODE, &message, got, &error), TR_CONTROL_BAD);
    assert_string_equal(error, "a descriptor that it may not carry");
}

static void packets_that_are_not_messages(void **state) {
    const struct sockets *sockets = *state;
    uint8_t large[TR_CONTROL_MAX_SIZE + 1] = { 0x92 };
    struct tr_control message;
    const char *error;
    int descriptor;
    assert_int_equal(send(sockets->node, large, sizeof large, 0), sizeof large);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_BAD);
    assert_string_equal(error, "longer than any message");
    assert_int_equal(send(sockets->node, large, 1, 0), 1);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_BAD);
    assert_int_equal(send(sockets->node, large, 0, 0), 0);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_CLOSED);
}

/* The last words of a process that did not read everything are heard. */
static void the_end_comes_after_the_last_words(void **state) {
    struct sockets *sockets = *state;
    struct tr_control message;
    const char *error;
    int descriptor;
    tr_control_send(sockets->keeper, &gone, NULL);
    tr_control_send(sockets->node, &ready, NULL);
    close(sockets->node);
    sockets->node = -1;
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_OK);
    assert_int_equal(receive(sockets->keeper, TR_CONTROL_TO_KEEPER, &message, &descriptor, &error),
                     TR_CONTROL_CLOSED);
    assert_int_equal(tr_control_send(sockets->keeper, &gone, NULL), TR_CONTROL_CLOSED);
}

/* ---- Outbox ---- */

static void the_outbox_keeps_order_and_limit(void **state) {
    const struct sockets *sockets = *state;
    struct tr_outbox outbox = { 0 };
    struct tr_control message;
    const char *error;
    int descriptor, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    uint64_t sent = 0, got = 0;
    enum tr_control_result result = TR_CONTROL_OK;
    for (; result != TR_CONTROL_BAD; sent++) {
        struct tr_control next = { .type = TR_CONTROL_START_NODE, .node = sent, .incarnation = 1 };
        if (outbox.count == 100) break;
        result = tr_outbox_send(&outbox, sockets->keeper, &next, &null);
        assert_true(result == TR_CONTROL_OK || result == TR_CONTROL_AGAIN);
    }
    close(null);
    while (got < sent) {
        enum tr_control_result flushed = tr_outbox_flush(&outbox, sockets->keeper);
        assert_true(flushed == TR_CONTROL_OK || flushed == TR_CONTROL_AGAIN);
        assert_int_equal(receive(sockets->node, TR_CONTROL_TO_NODE, &message, &descriptor, &error),
                         TR_CONTROL_OK);
        assert_int_equal(message.node, got++);
        assert_int_equal(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
        close(descriptor);
    }
    assert_int_equal(outbox.count, 0);
    do {
        result = tr_outbox_send(&outbox, sockets->keeper, &gone, NULL);
    } while (result != TR_CONTROL_BAD);
    assert_int_equal(outbox.count, TR_CONTROL_OUTBOX_LIMIT);
    tr_outbox_free(&outbox);
    assert_int_equal(outbox.count, 0);
}

#define WITH_SOCKETS(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_there_and_back),
        cmocka_unit_test(the_fields_arrive),
        cmocka_unit_test(damaged_bytes),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(texts_are_mended),
        WITH_SOCKETS(messages_and_descriptors),
        WITH_SOCKETS(descriptors_that_nobody_asked_for),
        WITH_SOCKETS(a_handful_of_descriptors),
        WITH_SOCKETS(lanes_carry_two),
        WITH_SOCKETS(packets_that_are_not_messages),
        WITH_SOCKETS(the_end_comes_after_the_last_words),
        WITH_SOCKETS(the_outbox_keeps_order_and_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
