/*
 * Streams: what comes, what leaves, and each way in which one ends; what is refused; and nothing is left of it. The
 * other end is the test's, a plain socket.
 */
#include "lib/system_test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BYTES = 0, SUM = 1, DRAINED = 2, WRITTEN = 3 };

#define ORDER(field) field(str, what) field(i32, fd) field(u64, n) field(str, text)
TROUPE_MESSAGE(order, ORDER)

/* ---- An actor that does what it is told ---- */

struct talker {
    troupe_stream stream;
    bool echoes, notes, finishes;
};

static const char *name_of(enum troupe_status status) { return troupe_status_name(status); }

static void write_many(troupe_self *self, struct talker *me, uint64_t n) {
    static char block[10000];
    memset(block, 'x', sizeof block);
    enum troupe_status status = TROUPE_OK;
    for (uint64_t i = 0; i < n && status == TROUPE_OK; i++) {
        status = troupe_stream_write(self, me->stream, block, sizeof block);
        if (status == TROUPE_OK) board_add(WRITTEN, sizeof block);
    }
    board_note("wrote %s", name_of(status));
}

static void make(troupe_self *self, struct talker *me, const struct order *msg) {
    struct troupe_stream_options options = { 0 };
    if (strcmp(msg->text, "idle") == 0) options.idle = (int64_t)msg->n * TROUPE_MILLISECOND;
    if (strcmp(msg->text, "read") == 0) options.read = (int64_t)msg->n * TROUPE_MILLISECOND;
    if (strcmp(msg->text, "write") == 0) options.write = (int64_t)msg->n * TROUPE_MILLISECOND;
    if (strcmp(msg->text, "paused") == 0) options.paused = true;
    if (strcmp(msg->text, "limit") == 0) options.write_limit = (uint32_t)msg->n;
    if (strcmp(msg->text, "wrong") == 0) options.idle = -1;
    board_note("adopt %s", name_of(troupe_stream_adopt(self, msg->fd, &options, &me->stream)));
}

TROUPE_ON(talker, order) {
    const char *what = msg->what;
    if (strcmp(what, "adopt") == 0) make(self, me, msg);
    if (strcmp(what, "connect") == 0) board_note("connect %s", name_of(troupe_stream_connect(self, msg->text, NULL, &me->stream)));
    if (strcmp(what, "echo") == 0) me->echoes = true;
    if (strcmp(what, "note data") == 0) me->notes = true;
    if (strcmp(what, "finish on data") == 0) me->finishes = true;
    if (strcmp(what, "write") == 0) board_note("write %s", name_of(troupe_stream_write(self, me->stream, msg->text, strlen(msg->text))));
    if (strcmp(what, "write many") == 0) write_many(self, me, msg->n);
    if (strcmp(what, "finish") == 0) board_note("finish %s", name_of(troupe_stream_finish(self, me->stream)));
    if (strcmp(what, "close") == 0) board_note("close %s", name_of(troupe_stream_close(self, me->stream)));
    if (strcmp(what, "pause") == 0) board_note("pause %s", name_of(troupe_stream_pause(self, me->stream)));
    if (strcmp(what, "resume") == 0) board_note("resume %s", name_of(troupe_stream_resume(self, me->stream)));
    if (strcmp(what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(what, "note") == 0) board_note("%s", msg->text);
    if (strcmp(what, "info") == 0) {
        struct troupe_stream_facts info;
        enum troupe_status status = troupe_stream_info(self, me->stream, &info);
        board_note("info %s received %" PRIu64 " sent %" PRIu64 " waits %zu", name_of(status), info.received, info.sent,
                   info.waits);
    }
    if (strcmp(what, "release") == 0) {
        int fd;
        enum troupe_status status = troupe_stream_release(self, me->stream, &fd);
        board_note("release %s", name_of(status));
        if (status == TROUPE_OK) board_note("again %s", name_of(troupe_stream_adopt(self, fd, NULL, &me->stream)));
    }
    return TROUPE_OK;
}

TROUPE_ON(talker, troupe_stream_data) {
    const uint8_t *bytes = msg->bytes.data;
    int64_t sum = 0;
    for (uint32_t i = 0; i < msg->bytes.size; i++) sum += bytes[i];
    board_add(SUM, sum);
    board_add(BYTES, msg->bytes.size);
    if (msg->stream != me->stream.id) board_note("another stream");
    if (me->notes) board_note("data %.*s", (int)msg->bytes.size, (const char *)msg->bytes.data);
    if (me->echoes) return troupe_stream_write(self, me->stream, msg->bytes.data, msg->bytes.size);
    if (!me->finishes) return TROUPE_OK;
    (void)troupe_stream_write(self, me->stream, "bye", 3);
    return troupe_stream_finish(self, me->stream);
}
TROUPE_ON(talker, troupe_stream_connected) {
    board_note("connected%s", msg->stream == me->stream.id ? "" : ": another");
    return TROUPE_OK;
}
TROUPE_ON(talker, troupe_stream_drained) {
    (void)msg;
    (void)self;
    (void)me;
    board_add(DRAINED, 1);
    board_note("drained");
    return TROUPE_OK;
}
TROUPE_ON(talker, troupe_stream_closed) {
    static const char *const ends[] = { "finished", "ended", "reset", "refused", "timeout" };
    (void)self;
    (void)me;
    board_note("closed %s", ends[msg->end]);
    board_note("closed after %" PRIu64 " and %" PRIu64, msg->received, msg->sent);
    board_note("because %s", msg->text);
    return TROUPE_OK;
}
TROUPE_START(talker, troupe_none) {
    *me = (struct talker){ 0 };
    board_note("begun");
    (void)self;
    return TROUPE_OK;
}
TROUPE_ACTOR(talker, TROUPE_STARTS(talker, troupe_none),
             TROUPE_HANDLES(talker, order, troupe_stream_data, troupe_stream_connected, troupe_stream_drained,
                            troupe_stream_closed))

/* One that hears of the end of what comes, and goes on writing. */
struct polite { troupe_stream stream; };
TROUPE_START(polite, troupe_none) { (void)self; (void)me; return TROUPE_OK; }
TROUPE_ON(polite, order) {
    if (strcmp(msg->what, "adopt") == 0) board_note("adopt %s", name_of(troupe_stream_adopt(self, msg->fd, NULL, &me->stream)));
    if (strcmp(msg->what, "finish") == 0) return troupe_stream_finish(self, me->stream);
    return TROUPE_OK;
}
TROUPE_ON(polite, troupe_stream_data) { (void)self; (void)me; board_add(BYTES, msg->bytes.size); return TROUPE_OK; }
TROUPE_ON(polite, troupe_stream_ended) {
    (void)msg;
    board_note("ended");
    return troupe_stream_write(self, me->stream, "late", 4);
}
TROUPE_ON(polite, troupe_stream_closed) { (void)self; (void)me; board_note("closed %u", msg->end); return TROUPE_OK; }
TROUPE_ACTOR(polite, TROUPE_STARTS(polite, troupe_none),
             TROUPE_HANDLES(polite, order, troupe_stream_data, troupe_stream_ended, troupe_stream_closed))

/* One that listens, and gives each connection to an actor of its own. */
struct server {
    troupe_listener listener;
    bool keeps, refuses;
};
TROUPE_START(server, troupe_none) { (void)self; (void)me; return TROUPE_OK; }
TROUPE_ON(server, order) {
    struct troupe_listen_options options = { .paused = strcmp(msg->text, "paused") == 0 };
    char address[TROUPE_STREAM_ADDRESS];
    const char *where = msg->text[0] != '\0' && !options.paused ? msg->text : "127.0.0.1:0";
    if (strcmp(msg->what, "listen") == 0) {
        troupe_listener made;
        enum troupe_status status = troupe_listen(self, where, &options, &made);
        if (status == TROUPE_OK) me->listener = made;
        if (troupe_listener_address(self, me->listener, address) == TROUPE_OK) board_note("at %s", address);
        board_note("listen %s", name_of(status));
    }
    if (strcmp(msg->what, "listen on") == 0)
        board_note("listen %s", name_of(troupe_listen_on(self, msg->fd, &options, &me->listener)));
    if (strcmp(msg->what, "refuse") == 0) me->refuses = true;
    if (strcmp(msg->what, "pause") == 0) board_note("pause %s", name_of(troupe_listen_pause(self, me->listener)));
    if (strcmp(msg->what, "resume") == 0) board_note("resume %s", name_of(troupe_listen_resume(self, me->listener)));
    if (strcmp(msg->what, "unlisten") == 0) board_note("unlisten %s", name_of(troupe_unlisten(self, me->listener)));
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    return TROUPE_OK;
}
struct session { troupe_stream stream; };
TROUPE_START(session, troupe_connection) {
    return troupe_stream_adopt(self, troupe_take_descriptor(&args->socket), NULL, &me->stream);
}
TROUPE_ON(session, troupe_stream_data) { return troupe_stream_write(self, me->stream, msg->bytes.data, msg->bytes.size); }
TROUPE_ON(session, troupe_stream_closed) {
    (void)me;
    board_note("session closed %u", msg->end);
    return troupe_exit(self);
}
TROUPE_ACTOR(session, TROUPE_STARTS(session, troupe_connection),
             TROUPE_HANDLES(session, troupe_stream_data, troupe_stream_closed))
TROUPE_ON(server, troupe_connection) {
    troupe_address talker;
    board_add(DRAINED, 1);
    if (msg->listener != me->listener.id) board_note("another listener");
    if (me->refuses) return TROUPE_OK;
    return troupe_spawn(self, &talker, session, troupe_connection, .socket = msg->socket, .peer = msg->peer);
}
TROUPE_ACTOR(server, TROUPE_STARTS(server, troupe_none), TROUPE_HANDLES(server, order, troupe_connection))

/* One that does not handle what it must. */
struct deaf { char unused; };
TROUPE_START(deaf, troupe_none) { (void)self; (void)me; return TROUPE_OK; }
TROUPE_ON(deaf, order) {
    troupe_stream stream;
    (void)me;
    board_note("deaf %s", name_of(troupe_stream_adopt(self, msg->fd, NULL, &stream)));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_STARTS(deaf, troupe_none), TROUPE_HANDLES(deaf, order))

/* ---- The system and the other end ---- */

static const struct troupe_actor_type *const actors[] = { &talker_actor, &polite_actor, &server_actor,
                                                          &session_actor, &deaf_actor, NULL };
static const char config[] = "threads: 2\n"
                             "tree:\n"
                             "  restarts: 100\n"
                             "  children:\n"
                             "    - { name: talker, actor: talker }\n"
                             "    - { name: polite, actor: polite }\n"
                             "    - { name: server, actor: server }\n"
                             "    - { name: deaf, actor: deaf }\n";

static troupe_system *the_system;
static int ours; /* the other end */

static int begin(void **state) {
    (void)state;
    the_system = system_start(config, actors);
    board_await("begun");
    board_clear();
    ours = -1;
    return 0;
}

static int end(void **state) {
    (void)state;
    if (ours >= 0) close(ours);
    system_end(the_system, 0, NULL);
    return 0;
}

static void tell(const char *who, const char *what, int fd, uint64_t n, const char *text) {
    const struct order order = { .what = what, .fd = fd, .n = n, .text = text };
    assert_int_equal(troupe_system_send_message(the_system, troupe_system_lookup(the_system, who), &order_message, &order),
                     TROUPE_OK);
}

static void adopt(const char *who, const char *option, uint64_t n) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ours = ends[0];
    tell(who, "adopt", ends[1], n, option);
    board_await("adopt ok");
}

static void say(const char *text) { assert_int_equal(send(ours, text, strlen(text), MSG_NOSIGNAL), strlen(text)); }

/* Exactly this, and then, if `ends`, the end. */
static void hear(const char *text, bool ends) {
    char bytes[256];
    size_t size = 0, wanted = strlen(text);
    struct pollfd wait = { .fd = ours, .events = POLLIN };
    while (size < wanted) {
        assert_int_equal(poll(&wait, 1, 10000), 1);
        ssize_t got = recv(ours, bytes + size, wanted - size, 0);
        assert_true(got > 0);
        size += (size_t)got;
    }
    assert_memory_equal(bytes, text, wanted);
    if (!ends) return;
    assert_int_equal(poll(&wait, 1, 10000), 1);
    assert_int_equal(recv(ours, bytes, 1, 0), 0);
}

static void swallow(size_t size) {
    static char bytes[65536];
    struct pollfd wait = { .fd = ours, .events = POLLIN };
    while (size > 0) {
        assert_int_equal(poll(&wait, 1, 10000), 1);
        ssize_t got = recv(ours, bytes, size < sizeof bytes ? size : sizeof bytes, 0);
        assert_true(got > 0);
        size -= (size_t)got;
    }
}

/* ---- Bytes ---- */

static void an_echo(void **state) {
    (void)state;
    tell("talker", "echo", 0, 0, "");
    adopt("talker", "", 0);
    for (int i = 0; i < 1000; i++) {
        say("hello");
        hear("hello", false);
    }
    close(ours);
    ours = -1;
    board_await("closed ended");
    board_await("closed after 5000 and 5000");
}

/* What came before it was adopted, and more than one turn takes. */
static void much_at_once(void **state) {
    (void)state;
    int ends[2], size = 4 * 1024 * 1024;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    uint8_t *bytes = malloc(3000000);
    assert_non_null(bytes);
    int64_t sum = 0;
    for (int i = 0; i < 3000000; i++) sum += bytes[i] = (uint8_t)(i * 7);
    ours = ends[0];
    size_t sent = (size_t)send(ours, bytes, 100000, MSG_NOSIGNAL);
    tell("talker", "adopt", ends[1], 0, "");
    while (sent < 3000000) {
        ssize_t more = send(ours, bytes + sent, 3000000 - sent, MSG_NOSIGNAL);
        assert_true(more > 0);
        sent += (size_t)more;
    }
    board_await_tally(BYTES, 3000000);
    assert_int_equal(board_tally(SUM), sum);
    free(bytes);
}

/* Data and the end at once: both are told, in this order. */
static void data_and_the_end(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        board_clear();
        tell("talker", "note data", 0, 0, "");
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_int_equal(send(ends[0], "last", 4, MSG_NOSIGNAL), 4);
        close(ends[0]);
        tell("talker", "adopt", ends[1], 0, "");
        board_await("because the other side has ended it");
        board_expect("adopt ok data last closed ended closed after 4 and 0 because the other side has ended it");
    }
}

static void a_slow_reader(void **state) {
    (void)state;
    adopt("talker", "limit", 100000);
    tell("talker", "write many", 0, 1000, "");
    board_await("wrote full");
    int64_t written = board_tally(WRITTEN);
    assert_int_equal(board_tally(DRAINED), 0);
    tell("talker", "info", 0, 0, "");
    swallow((size_t)written);
    board_await("drained");
    tell("talker", "write", 0, 0, "more");
    hear("more", false);
    char *large = malloc(100002);
    assert_non_null(large);
    memset(large, 'y', 100001);
    large[100001] = '\0';
    tell("talker", "write", 0, 0, large);
    board_await("write too_big");
    free(large);
}

static void paused_and_resumed(void **state) {
    (void)state;
    tell("talker", "note data", 0, 0, "");
    adopt("talker", "paused", 0);
    say("one");
    tell("talker", "note", 0, 0, "still");
    board_await("still");
    tell("talker", "resume", 0, 0, "");
    board_await("data one");
    tell("talker", "pause", 0, 0, "");
    board_await("pause ok");
    say("two");
    shutdown(ours, SHUT_WR);
    tell("talker", "resume", 0, 0, "");
    board_await("because the other side has ended it");
    board_expect("adopt ok still resume ok data one pause ok resume ok data two closed ended closed after 6 and 0 "
                 "because the other side has ended it");
}

/* ---- Ends ---- */

static void finished_by_us(void **state) {
    (void)state;
    adopt("talker", "", 0);
    tell("talker", "write", 0, 0, "bye");
    tell("talker", "finish", 0, 0, "");
    tell("talker", "write", 0, 0, "too late");
    hear("bye", true);
    board_await("closed finished");
    board_await("closed after 0 and 3");
}

/* With something unread, closing would reset the connection and might lose the last bytes. */
static void finished_while_more_comes(void **state) {
    (void)state;
    adopt("talker", "paused", 0);
    say("unread");
    tell("talker", "write", 0, 0, "bye");
    tell("talker", "finish", 0, 0, "");
    hear("bye", true);
    board_await("finish ok");
    tell("talker", "info", 0, 0, "");
    board_await("info ok received 0 sent 3 waits 0");
    close(ours);
    ours = -1;
    board_await("closed finished");
}

static void finished_in_the_handler(void **state) {
    (void)state;
    tell("talker", "finish on data", 0, 0, "");
    adopt("talker", "", 0);
    say("go");
    hear("bye", true);
    board_await("closed finished");
}

static void finishing_waits_for_the_reader(void **state) {
    (void)state;
    adopt("talker", "", 0);
    tell("talker", "write many", 0, 80, "");
    tell("talker", "finish", 0, 0, "");
    board_await("finish ok");
    assert_int_equal(board_times("closed finished"), 0);
    swallow(800000);
    board_await("closed finished");
    board_await("closed after 0 and 800000");
}

static void closed_by_us_tells_nothing(void **state) {
    (void)state;
    adopt("talker", "", 0);
    tell("talker", "close", 0, 0, "");
    hear("", true);
    tell("talker", "close", 0, 0, "");
    board_await("close gone");
    tell("talker", "write", 0, 0, "x");
    board_await("write gone");
    board_expect("adopt ok close ok close gone write gone");
}

static void the_other_side_is_gone(void **state) {
    (void)state;
    adopt("talker", "limit", 100000);
    tell("talker", "write many", 0, 1000, "");
    board_await("wrote full");
    close(ours); /* with much unread: a reset */
    ours = -1;
    board_await("closed reset");
}

static void half_closed(void **state) {
    (void)state;
    adopt("polite", "", 0);
    say("x");
    shutdown(ours, SHUT_WR);
    hear("late", false);
    board_await("ended");
    tell("polite", "finish", 0, 0, "");
    hear("", true);
    board_await("closed 0");
}

static void a_failure_closes_it(void **state) {
    (void)state;
    adopt("talker", "", 0);
    tell("talker", "fail", 0, 0, "");
    hear("", true);
    board_await("begun");
}

static void released_and_adopted_again(void **state) {
    (void)state;
    tell("talker", "note data", 0, 0, "");
    adopt("talker", "paused", 0);
    say("kept");
    tell("talker", "release", 0, 0, "");
    board_await("data kept");
    board_expect("adopt ok release ok again ok data kept");
}

static void busy_streams_are_not_released(void **state) {
    (void)state;
    adopt("talker", "limit", 100000);
    tell("talker", "write many", 0, 1000, "");
    board_await("wrote full");
    tell("talker", "release", 0, 0, "");
    board_await("release busy");
}

/* ---- Times ---- */

static void silence_ends_it(void **state) {
    (void)state;
    static const char *const kinds[] = { "idle", "read" };
    for (int i = 0; i < 2; i++) {
        board_clear();
        adopt("talker", kinds[i], 30);
        board_await("closed timeout");
        close(ours);
        ours = -1;
    }
}

static void a_reader_that_does_not_read(void **state) {
    (void)state;
    adopt("talker", "write", 30);
    tell("talker", "note", 0, 0, "nothing waits");
    board_await("nothing waits");
    tell("talker", "write many", 0, 100, "");
    board_await("closed timeout");
}

static void talk_puts_it_off(void **state) {
    (void)state;
    tell("talker", "echo", 0, 0, "");
    adopt("talker", "idle", 200);
    struct pollfd pause = { .fd = -1 };
    for (int i = 0; i < 10; i++) {
        (void)poll(&pause, 0, 50); /* less than the limit each time, more than twice of it together */
        say("x");
        hear("x", false);
    }
    assert_int_equal(board_times("closed timeout"), 0);
    board_await("closed timeout");
    board_await("closed after 10 and 10");
}

/* ---- Connecting ---- */

static int listen_at(char text[64]) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(text, 64, "127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void connects(void **state) {
    (void)state;
    char address[64];
    int listener = listen_at(address);
    tell("talker", "note data", 0, 0, "");
    tell("talker", "connect", 0, 0, address);
    tell("talker", "write", 0, 0, "first"); /* perhaps before it is connected */
    ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(ours >= 0);
    hear("first", false);
    board_await("connected");
    say("second");
    board_await("data second");
    close(listener);
}

static void connects_to_nobody(void **state) {
    (void)state;
    char address[64];
    close(listen_at(address));
    tell("talker", "connect", 0, 0, address);
    board_await("closed refused");
    board_await("because Connection refused");
    tell("talker", "connect", 0, 0, "unix:/nowhere/at/all");
    board_await("because No such file or directory");
}

static void what_is_refused(void **state) {
    (void)state;
    int ends[2], file = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    tell("talker", "adopt", -1, 0, "");
    tell("talker", "adopt", file, 0, "");
    tell("talker", "adopt", ends[0], 0, "wrong");
    tell("talker", "connect", 0, 0, "localhost:80");
    board_await("connect invalid");
    tell("deaf", "adopt", ends[0], 0, "");
    board_await("deaf invalid");
    assert_int_equal(board_times("adopt invalid"), 3);
    close(ends[0]); /* still ours */
    close(ends[1]);
    close(file);
}

/* ---- Listening ---- */

static int connect_to(const char *address) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    return -1;
}

static const char *listening_at(const char *text) {
    tell("server", "listen", 0, 0, text);
    board_await("listen ok");
    return board_lines("at ") + 3;
}

static void a_server(void **state) {
    (void)state;
    char address[TROUPE_STREAM_ADDRESS];
    snprintf(address, sizeof address, "%s", listening_at(""));
    int others[100];
    for (int i = 0; i < 100; i++) assert_true((others[i] = connect_to(address)) >= 0);
    for (int i = 0; i < 100; i++) {
        ours = others[i];
        say("hello");
    }
    for (int i = 0; i < 100; i++) {
        ours = others[i];
        hear("hello", false);
        close(ours);
    }
    ours = -1;
    board_await_times("session closed 1", 100);
    assert_int_equal(board_tally(DRAINED), 100);
    tell("server", "unlisten", 0, 0, "");
    board_await("unlisten ok");
    assert_int_equal(connect_to(address), -1);
}

static void who_is_not_wanted_is_hung_up_on(void **state) {
    (void)state;
    tell("server", "refuse", 0, 0, "");
    ours = connect_to(listening_at(""));
    hear("", true);
}

static void a_listener_may_rest(void **state) {
    (void)state;
    ours = connect_to(listening_at("paused")); /* the kernel takes it */
    assert_true(ours >= 0);
    say("early");
    assert_int_equal(board_tally(DRAINED), 0);
    tell("server", "resume", 0, 0, "");
    hear("early", false);
}

static void a_listener_ends_with_its_run(void **state) {
    (void)state;
    char address[TROUPE_STREAM_ADDRESS];
    snprintf(address, sizeof address, "%s", listening_at(""));
    tell("server", "fail", 0, 0, "");
    tell("server", "listen", 0, 0, address);
    board_await_times("listen ok", 2);
    ours = connect_to(address);
    say("x");
    hear("x", false);
}

static void a_unix_socket(void **state) {
    (void)state;
    char path[] = "/tmp/troupe-streams-XXXXXX", address[64];
    assert_non_null(mkdtemp(path));
    snprintf(address, sizeof address, "unix:%s/s", path);
    for (int round = 0; round < 2; round++) { /* the second finds a file that nobody listens at */
        board_clear();
        assert_string_equal(listening_at(address), address);
        tell("server", "listen", 0, 0, address);
        board_await("listen exists");
        tell("talker", "note data", 0, 0, "");
        tell("talker", "connect", 0, 0, address);
        board_await("connected");
        tell("talker", "write", 0, 0, "over there");
        board_await("data over there");
        tell("talker", "close", 0, 0, "");
        board_await("session closed 1");
        if (round == 1) break;
        tell("server", "fail", 0, 0, "");
        board_await_times("session closed 1", 1);
        int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        snprintf(at.sun_path, sizeof at.sun_path, "%s/s", path);
        while (bind(stale, (struct sockaddr *)&at, sizeof at) != 0) assert_int_equal(errno, EADDRINUSE);
        close(stale);
    }
    tell("server", "unlisten", 0, 0, "");
    board_await("unlisten ok");
    assert_int_equal(rmdir(path), 0); /* its file is gone */
}

static void where_it_cannot_listen(void **state) {
    (void)state;
    tell("server", "listen", 0, 0, "localhost:80");
    board_await("listen invalid");
    tell("server", "listen", 0, 0, "192.0.2.1:80");
    board_await("listen system");
    tell("server", "listen on", 1, 0, "");
    board_await_times("listen invalid", 2);
    tell("server", "pause", 0, 0, "");
    board_await("pause gone");
}

/* No descriptor is left for the next connection: it waits, and comes when there is one again. */
static void without_descriptors(void **state) {
    (void)state;
    struct rlimit before, low;
    char address[TROUPE_STREAM_ADDRESS];
    snprintf(address, sizeof address, "%s", listening_at(""));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    tell("talker", "note", 0, 0, "time passes");
    board_await("time passes");
    assert_int_equal(board_tally(DRAINED), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    ours = fd;
    say("late");
    hear("late", false);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        RULE(an_echo), RULE(much_at_once), RULE(data_and_the_end), RULE(a_slow_reader), RULE(paused_and_resumed),
        RULE(finished_by_us), RULE(finished_while_more_comes), RULE(finished_in_the_handler),
        RULE(finishing_waits_for_the_reader), RULE(closed_by_us_tells_nothing), RULE(the_other_side_is_gone),
        RULE(half_closed), RULE(a_failure_closes_it), RULE(released_and_adopted_again),
        RULE(busy_streams_are_not_released), RULE(silence_ends_it), RULE(a_reader_that_does_not_read),
        RULE(talk_puts_it_off), RULE(connects), RULE(connects_to_nobody), RULE(what_is_refused), RULE(a_server),
        RULE(who_is_not_wanted_is_hung_up_on), RULE(a_listener_may_rest), RULE(a_listener_ends_with_its_run),
        RULE(a_unix_socket), RULE(where_it_cannot_listen), RULE(without_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
