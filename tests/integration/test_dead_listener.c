/*
 * A guest that hangs up at once. Before NNG 1.6 that stops a listener of NNG's own sockets for good, without a
 * word, and later guests dial and send with success (its issue 1518): at the time that the guest hangs up,
 * NNG takes the end of the guest for the end of the listener. Here the guest is shown to do that to NNG, where it is
 * old enough, and then to do nothing to a wire, whatever NNG is.
 *
 * Between processes of one machine nobody listens: the keeper makes both ends (transport/socket.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "transport/wire.h"

enum { GUESTS = 20, ROUNDS = 30, SILENCE_MS = 1000, DEADLINE_S = 20 };

/* ---- Guests ---- */

/* `how`: 0 closes, 1 resets, 2 says half a greeting before. */
static void visit(const struct sockaddr *at, socklen_t size, int how) {
    const struct linger reset = { 1, 0 };
    int guest = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(guest >= 0);
    if (how == 1) assert_int_equal(setsockopt(guest, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    if (connect(guest, at, size) == 0 && how == 2) (void)send(guest, "\0SP", 3, MSG_NOSIGNAL);
    close(guest);
}

static void visit_name(const char *name, int how) {
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    memcpy(at.sun_path + 1, name, strlen(name));
    visit((const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)), how);
}

static void visit_port(int port, int how) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    at.sin_port = htons((uint16_t)port);
    visit((const struct sockaddr *)&at, sizeof at, how);
}

/* ---- NNG ---- */

static bool is_old(void) { return strncmp(nng_version(), "1.", 2) == 0 && atoi(nng_version() + 2) < 6; }

/* Somebody dials and sends, with success: does it arrive? */
static bool is_silent(nng_socket listener, const char *url) {
    nng_socket dialer;
    char got[8];
    size_t size = sizeof got;
    assert_int_equal(nng_pair0_open(&dialer), 0);
    assert_int_equal(nng_socket_set_ms(dialer, NNG_OPT_SENDTIMEO, SILENCE_MS), 0);
    bool said = nng_dial(dialer, url, NULL, 0) == 0 && nng_send(dialer, (void *)(uintptr_t) "hi", 2, 0) == 0;
    bool silent = said && nng_recv(listener, got, &size, 0) == NNG_ETIMEDOUT;
    assert_int_equal(nng_close(dialer), 0);
    return silent;
}

static void it_stops_a_listener_of_old_nng(void **state) {
    char name[64], url[80];
    nng_socket listener;
    bool silent = false;
    (void)state;
    snprintf(name, sizeof name, "troupe-test-%d", (int)getpid());
    snprintf(url, sizeof url, "abstract://%s", name);
    assert_int_equal(nng_pair0_open(&listener), 0);
    assert_int_equal(nng_socket_set_ms(listener, NNG_OPT_RECVTIMEO, SILENCE_MS), 0);
    assert_int_equal(nng_listen(listener, url, NULL, 0), 0);
    for (int round = 0; round < ROUNDS && !silent; round++) {
        for (int i = 0; i < GUESTS; i++) visit_name(name, i % 3);
        silent = is_silent(listener, url);
        if (!is_old()) break;
    }
    assert_int_equal(nng_close(listener), 0);
    print_message("NNG %s: its listener is %s\n", nng_version(), silent ? "silent" : "well");
    assert_int_equal(silent, is_old());
}

/* ---- A wire ---- */

static sem_t arrived;

static void on_up(void *context) { (void)context; }
static void on_sent(void *context, bool ok) { (void)context, (void)ok; }
static void on_down(void *context) { (void)context; }
static void on_frame(void *context, struct tr_wire_frame *frame) {
    (void)context;
    tr_wire_frame_free(frame);
    sem_post(&arrived);
}

static const struct tr_wire_events events = { on_up, on_frame, on_sent, on_down };

static void expect_arrival(void) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    assert_int_equal(sem_timedwait(&arrived, &deadline), 0);
}

static void it_does_nothing_to_a_wire(void **state) {
    char bound[128], error[256] = "";
    struct tr_wire *listener, *dialer;
    struct tr_wire_options options = { .url = "tcp://127.0.0.1:0", .max_frame = 1000, .events = &events };
    (void)state;
    sem_init(&arrived, 0, 0);
    assert_int_equal(tr_wire_listen(&options, &listener, bound, sizeof bound, error, sizeof error), TROUPE_OK);
    for (int i = 0; i < ROUNDS * GUESTS; i++) visit_port(atoi(strrchr(bound, ':') + 1), i % 3);
    options.url = bound;
    assert_int_equal(tr_wire_dial(&options, &dialer, error, sizeof error), TROUPE_OK);
    assert_int_equal(tr_wire_send(dialer, (const uint8_t *)"hi", 2), TROUPE_OK);
    expect_arrival();
    tr_wire_close(dialer);
    tr_wire_close(listener);
    sem_destroy(&arrived);
}

/* What the listener of old NNG had for its guests is not always freed with it. (What wires leave is looked at by the
 * test of wires.) */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libnng\n"; }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stops_a_listener_of_old_nng),
        cmocka_unit_test(it_does_nothing_to_a_wire),
    };
    int failed = cmocka_run_group_tests_name("dead listener", tests, NULL, NULL);
    tr_wire_fini();
    return failed;
}
