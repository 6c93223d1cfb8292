/* Requests for external programs: there and back, and what is refused of those that nobody vouches for. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pack.h"
#include "place/command_request.h"

static char *programs[] = { "/bin/a", "/usr/bin/a", NULL }, *arguments[] = { "a", "", "\xff\x01", NULL };
static char *environment[] = { "A=1", "B=\xc3", NULL };

static struct tr_command_request request_of(void) {
    return (struct tr_command_request){ .programs = programs, .arguments = arguments, .environment = environment,
                                        .directory = "/tmp", .enters = true, .name = "a", .descriptors = 4, .user = -1, .group = 100,
                                        .detached = true, .signal = SIGINT, .grace = INT64_MAX };
}

static uint8_t bytes[TR_COMMAND_REQUEST_SIZE];

static void there_and_back(void **state) {
    (void)state;
    struct tr_command_request request = request_of();
    const char *error;
    size_t size = tr_command_request_encode(&request, bytes);
    struct tr_command_request *read = tr_command_request_decode(bytes, size, &error);
    assert_null(error);
    for (int i = 0; i < 3; i++) assert_string_equal(read->arguments[i], arguments[i]);
    assert_null(read->arguments[3]);
    assert_string_equal(read->programs[1], "/usr/bin/a");
    assert_null(read->programs[2]);
    assert_string_equal(read->environment[1], "B=\xc3");
    assert_string_equal(read->directory, "/tmp");
    assert_true(read->enters);
    assert_string_equal(read->name, "a");
    assert_int_equal(read->descriptors, 4);
    assert_int_equal(read->user, -1);
    assert_int_equal(read->group, 100);
    assert_true(read->detached);
    assert_int_equal(read->signal, SIGINT);
    assert_int_equal(read->grace, INT64_MAX);
    free(read);
}

/* Each shorter packet is none, nor is one with a byte behind it. */
static void no_other_length(void **state) {
    (void)state;
    struct tr_command_request request = request_of();
    const char *error;
    size_t size = tr_command_request_encode(&request, bytes);
    for (size_t less = 0; less < size; less++) assert_null(tr_command_request_decode(bytes, less, &error));
    bytes[size] = 0;
    assert_null(tr_command_request_decode(bytes, size + 1, &error));
    assert_string_equal(error, "bytes after the request");
}

static const char *error_of(const struct tr_command_request *request) {
    const char *error;
    size_t size = tr_command_request_encode(request, bytes);
    struct tr_command_request *read = tr_command_request_decode(bytes, size, &error);
    assert_null(read);
    return error;
}

static void what_makes_no_sense(void **state) {
    (void)state;
    static char *none[] = { NULL };
    struct tr_command_request request = request_of();
    request.programs = none;
    assert_string_equal(error_of(&request), "a list is empty");
    request = request_of();
    request.arguments = none;
    assert_string_equal(error_of(&request), "a list is empty");
    request = request_of();
    request.descriptors = 2;
    assert_string_equal(error_of(&request), "too few or many descriptors");
    request = request_of();
    request.signal = 0;
    assert_string_equal(error_of(&request), "no such signal");
    request = request_of();
    request.grace = -1;
    assert_non_null(error_of(&request));
}

/* A text without its end, or with one in the middle, would be read beyond, or be two. */
static void texts_end_once(void **state) {
    (void)state;
    static const struct { const char *data; size_t size; } texts[] = { { "abc", 3 }, { "a\0b", 4 }, { "", 0 } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tr_bytes out = { .limit = 1000 };
        const char *error;
        tr_pack_array(&out, 12);
        tr_pack_array(&out, 1);
        tr_pack_bin(&out, texts[i].data, texts[i].size);
        for (int rest = 0; rest < 10; rest++) tr_pack_nil(&out);
        assert_null(tr_command_request_decode((const uint8_t *)out.data, out.size, &error));
        assert_string_equal(error, "a text does not end where it should");
        tr_bytes_free(&out);
    }
}

static void one_that_is_too_large(void **state) {
    (void)state;
    struct tr_command_request request = request_of();
    char *huge = malloc(TR_COMMAND_REQUEST_SIZE);
    memset(huge, 'x', TR_COMMAND_REQUEST_SIZE - 1);
    huge[TR_COMMAND_REQUEST_SIZE - 1] = '\0';
    char *list[] = { huge, NULL };
    request.arguments = list;
    assert_int_equal(tr_command_request_encode(&request, bytes), 0);
    free(huge);
}

static void descriptors_go_along(void **state) {
    (void)state;
    int sockets[2], sent[3], got[TR_COMMAND_DESCRIPTORS];
    uint32_t count;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
    for (int i = 0; i < 3; i++) sent[i] = open("/dev/null", O_RDWR);
    assert_int_equal(tr_command_packet_receive(sockets[1], bytes, got, &count), -1);
    assert_int_equal(errno, EAGAIN);
    assert_true(tr_command_packet_send(sockets[0], (const uint8_t *)"abc", 3, sent, 3));
    assert_int_equal(tr_command_packet_receive(sockets[1], bytes, got, &count), 3);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
        close(got[i]);
        close(sent[i]);
    }
    close(sockets[0]);
    assert_int_equal(tr_command_packet_receive(sockets[1], bytes, got, &count), 0);
    close(sockets[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),        cmocka_unit_test(no_other_length),
        cmocka_unit_test(what_makes_no_sense),   cmocka_unit_test(texts_end_once),
        cmocka_unit_test(one_that_is_too_large), cmocka_unit_test(descriptors_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
