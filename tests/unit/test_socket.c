/* The socket between two processes of one machine, both ends of it here. */
#include "transport/socket.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX = 4 * 1024 * 1024 };

static struct tr_socket *ends[2];
static int raw[2]; /* their descriptors */
static int descriptors_before;

static int count_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int open_both(void **state) {
    (void)state;
    descriptors_before = count_descriptors();
    assert_int_equal(tr_socket_pair(raw), 0);
    for (int i = 0; i < 2; i++) assert_non_null(ends[i] = tr_socket_new(raw[i], MAX));
    return 0;
}

static int close_both(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) tr_socket_free(ends[i]);
    assert_int_equal(count_descriptors(), descriptors_before);
    return 0;
}

static void close_end(int i) {
    tr_socket_free(ends[i]);
    ends[i] = NULL;
}

static struct tr_socket_frame expect_frame(int at, const void *bytes, size_t size) {
    struct tr_socket_frame frame;
    assert_int_equal(tr_socket_receive(ends[at], &frame), TR_SOCKET_OK);
    assert_int_equal(frame.size, size);
    if (size > 0) assert_memory_equal(frame.bytes, bytes, size);
    return frame;
}

static void expect_result(int at, enum tr_socket_result result) {
    struct tr_socket_frame frame;
    assert_int_equal(tr_socket_receive(ends[at], &frame), result);
}

static void frames_both_ways(void **state) {
    (void)state;
    expect_result(1, TR_SOCKET_AGAIN);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"one", 3, NULL, 0), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], NULL, 0, NULL, 0), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[1], (const uint8_t *)"back", 4, NULL, 0), TR_SOCKET_OK);
    expect_frame(1, "one", 3);
    expect_frame(1, "", 0);
    expect_result(1, TR_SOCKET_AGAIN);
    expect_frame(0, "back", 4);
}

/* Larger than the kernel takes at once, in pieces of any size, with small ones behind. */
static void a_large_frame(void **state) {
    (void)state;
    uint8_t *large = malloc(MAX);
    struct tr_socket_frame frame;
    assert_non_null(large);
    for (size_t i = 0; i < MAX; i++) large[i] = (uint8_t)(i * 31 >> 3);
    enum tr_socket_result sent = tr_socket_send(ends[0], large, MAX, NULL, 0);
    assert_int_equal(sent, TR_SOCKET_AGAIN);
    assert_false(tr_socket_is_late(ends[0]));
    bool got = false;
    for (int i = 0; i < 10000 && !(got && sent == TR_SOCKET_OK); i++) {
        enum tr_socket_result received = tr_socket_receive(ends[1], &frame);
        assert_true(received == TR_SOCKET_AGAIN || received == TR_SOCKET_OK);
        if (received == TR_SOCKET_OK) {
            assert_int_equal(frame.size, MAX);
            assert_memory_equal(frame.bytes, large, MAX);
            got = true;
        }
        sent = tr_socket_flush(ends[0]);
    }
    assert_true(got);
    assert_int_equal(tr_socket_send(ends[0], large, 10, NULL, 0), TR_SOCKET_OK);
    expect_frame(1, large, 10);
    free(large);
}

/* Byte by byte, as a stream may deliver it. */
static void frames_in_pieces(void **state) {
    (void)state;
    static const uint8_t bytes[] = { 0, 0, 0, 2, 0, 0, 0, 0, 'h', 'i', 0, 0, 0, 1, 0, 0, 0, 0, '!' };
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(write(raw[0], bytes + i, 1), 1);
        if (i == 9) expect_frame(1, "hi", 2);
        else if (i == 18) expect_frame(1, "!", 1);
        else expect_result(1, TR_SOCKET_AGAIN);
    }
}

static void what_was_said_before_the_end_is_read(void **state) {
    (void)state;
    assert_int_equal(tr_socket_send(ends[1], (const uint8_t *)"unread", 6, NULL, 0), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"last", 4, NULL, 0), TR_SOCKET_OK);
    close_end(0); /* with something unread: the connection is reset */
    assert_int_equal(tr_socket_send(ends[1], (const uint8_t *)"x", 1, NULL, 0), TR_SOCKET_CLOSED);
    expect_frame(1, "last", 4);
    expect_result(1, TR_SOCKET_CLOSED);
    expect_result(1, TR_SOCKET_CLOSED);
}

static void heads_that_are_none(void **state) {
    (void)state;
    static const uint8_t too_large[] = { 0, 0x40, 0, 1, 0, 0, 0, 0 };
    static const uint8_t too_many[] = { 0, 0, 0, 1, 0, 0, 0, 65, 'x' };
    static const uint8_t missing[] = { 0, 0, 0, 1, 0, 0, 0, 1, 'x' };
    assert_int_equal(write(raw[0], too_large, sizeof too_large), sizeof too_large);
    expect_result(1, TR_SOCKET_BAD);
    assert_int_equal(write(raw[1], too_many, sizeof too_many), sizeof too_many);
    expect_result(0, TR_SOCKET_BAD);
    close_end(0);
    close_end(1);
    open_both(NULL);
    assert_int_equal(write(raw[0], missing, sizeof missing), sizeof missing);
    expect_result(1, TR_SOCKET_BAD);
}

/* ---- Descriptors ---- */

static bool is_null_device(int fd) {
    struct stat there, null;
    assert_int_equal(stat("/dev/null", &null), 0);
    assert_int_equal(fstat(fd, &there), 0);
    return there.st_rdev == null.st_rdev;
}

static void descriptors_go_with_their_frames(void **state) {
    (void)state;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), sent[2] = { null, raw[0] };
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"none", 4, NULL, 0), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"two", 3, sent, 2), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"one", 3, sent, 1), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"end", 3, NULL, 0), TR_SOCKET_OK);
    assert_int_equal(expect_frame(1, "none", 4).count, 0);
    struct tr_socket_frame two = expect_frame(1, "two", 3);
    assert_int_equal(two.count, 2);
    assert_true(two.complete && is_null_device(two.descriptors[0]) && !is_null_device(two.descriptors[1]));
    assert_int_equal(fcntl(two.descriptors[0], F_GETFD), FD_CLOEXEC);
    int taken = two.descriptors[0];
    two.descriptors[0] = -1;
    struct tr_socket_frame one = expect_frame(1, "one", 3);
    assert_true(one.count == 1 && is_null_device(one.descriptors[0]) && one.descriptors[0] != taken);
    assert_int_equal(expect_frame(1, "end", 3).count, 0);
    assert_true(is_null_device(taken)); /* it was taken; the others are closed with the next frame */
    close(taken);
    close(null);
}

/* What waits here keeps copies of its own. */
static void descriptors_of_a_frame_that_waits(void **state) {
    (void)state;
    uint8_t *large = calloc(1, MAX);
    struct tr_socket_frame frame;
    assert_non_null(large);
    while (tr_socket_send(ends[0], large, 60000, NULL, 0) == TR_SOCKET_OK) {
    }
    while (tr_socket_flush(ends[0]) != TR_SOCKET_OK) assert_int_equal(tr_socket_receive(ends[1], &frame), TR_SOCKET_OK);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    enum tr_socket_result sent = tr_socket_send(ends[0], large, MAX, &null, 1);
    assert_int_equal(sent, TR_SOCKET_AGAIN);
    close(null);
    for (frame.count = 0; frame.count == 0;) {
        enum tr_socket_result received = tr_socket_receive(ends[1], &frame);
        if (received == TR_SOCKET_AGAIN) frame.count = 0;
        if (sent == TR_SOCKET_AGAIN) sent = tr_socket_flush(ends[0]);
    }
    assert_int_equal(frame.size, MAX);
    assert_true(is_null_device(frame.descriptors[0]));
    free(large);
}

/* A process whose table is full is told that they are lost, and of which frame. */
static void no_room_for_descriptors(void **state) {
    (void)state;
    struct rlimit before, low;
    int sent[2] = { raw[0], raw[1] };
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"lost", 4, sent, 2), TR_SOCKET_OK);
    assert_int_equal(tr_socket_send(ends[0], (const uint8_t *)"next", 4, sent, 1), TR_SOCKET_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct tr_socket_frame lost = expect_frame(1, "lost", 4);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(lost.count, 2);
    assert_false(lost.complete);
    assert_int_equal(lost.descriptors[0], -1);
    struct tr_socket_frame next = expect_frame(1, "next", 4);
    assert_true(next.complete && next.count == 1 && next.descriptors[0] > 2);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void) {
    const struct CMUnitTest tests[] = {
        RULE(frames_both_ways), RULE(a_large_frame), RULE(frames_in_pieces),
        RULE(what_was_said_before_the_end_is_read), RULE(heads_that_are_none),
        RULE(descriptors_go_with_their_frames), RULE(descriptors_of_a_frame_that_waits),
        RULE(no_room_for_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
