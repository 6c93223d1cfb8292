/*
 * The wire over real transports: what it promises about frames, ends and leftovers. Each test runs over
 * inproc and tcp, unless it is about tcp alone.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "transport/wire.h"

enum { DEADLINE_S = 20, MIB = 1024 * 1024, MAX_FRAME = 4 * MIB, ROUNDS = 500 };

/* ---- One end of a wire, and what was told about it ---- */

struct side {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tr_wire *wire;
    unsigned ups, downs, sent, failed, frames;
    struct tr_wire_frame *frame; /* told, not taken by the test yet */
    bool telling;                /* up, frame or down is running */
    const char *wrong;           /* what broke the contract of the events */
};

static void side_init(struct side *side) {
    memset(side, 0, sizeof *side);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&side->lock, NULL);
    pthread_cond_init(&side->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void side_enter(struct side *side) {
    pthread_mutex_lock(&side->lock);
    if (side->telling) side->wrong = "events overlap";
    if (side->downs > 0) side->wrong = "an event after down";
    side->telling = true;
    pthread_mutex_unlock(&side->lock);
}

/* Keeps the lock for the change that follows. */
static void side_leave(struct side *side) {
    pthread_mutex_lock(&side->lock);
    side->telling = false;
}

static void side_done(struct side *side) {
    pthread_cond_broadcast(&side->changed);
    pthread_mutex_unlock(&side->lock);
}

static void on_up(void *context) {
    struct side *side = context;
    side_enter(side);
    side_leave(side);
    if (side->frames > 0) side->wrong = "a frame before up";
    if (side->ups++ > 0) side->wrong = "up twice";
    side_done(side);
}

static void on_frame(void *context, struct tr_wire_frame *frame) {
    struct side *side = context;
    side_enter(side);
    side_leave(side);
    if (side->frame != NULL) side->wrong = "a frame without next";
    side->frame = frame;
    side->frames++;
    side_done(side);
}

static void on_sent(void *context, bool ok) {
    struct side *side = context;
    pthread_mutex_lock(&side->lock);
    if (ok) side->sent++;
    else side->failed++;
    side_done(side);
}

static void on_down(void *context) {
    struct side *side = context;
    side_enter(side);
    side_leave(side);
    side->downs++;
    side_done(side);
}

static const struct tr_wire_events events = { on_up, on_frame, on_sent, on_down };

/* ---- Waiting ---- */

static struct timespec after_ms(long ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static bool is_up(const struct side *side) { return side->ups > 0; }
static bool is_down(const struct side *side) { return side->downs > 0; }
static bool has_frame(const struct side *side) { return side->frame != NULL; }

static unsigned sends_over(struct side *side) {
    pthread_mutex_lock(&side->lock);
    unsigned over = side->sent + side->failed;
    pthread_mutex_unlock(&side->lock);
    return over;
}

static void wait_for(struct side *side, bool (*holds)(const struct side *)) {
    const struct timespec deadline = after_ms(DEADLINE_S * 1000L);
    pthread_mutex_lock(&side->lock);
    int late = 0;
    while (!holds(side) && late == 0)
        late = pthread_cond_timedwait(&side->changed, &side->lock, &deadline);
    bool held = holds(side);
    pthread_mutex_unlock(&side->lock);
    assert_true(held);
}

/* Waits until `count` sends are over; false when that does not happen in time. */
static bool wait_sends(struct side *side, unsigned count, long ms) {
    const struct timespec deadline = after_ms(ms);
    pthread_mutex_lock(&side->lock);
    int late = 0;
    while (side->sent + side->failed < count && late == 0)
        late = pthread_cond_timedwait(&side->changed, &side->lock, &deadline);
    bool over = side->sent + side->failed >= count;
    pthread_mutex_unlock(&side->lock);
    return over;
}

/* ---- Opening and closing ---- */

struct lane {
    const char *url;
    bool numbered; /* the URL needs something unique behind it */
};

static struct lane inproc = { "inproc://test-wire", true };
static struct lane tcp = { "tcp://127.0.0.1:0", false };

static void new_url(const struct lane *lane, char url[128]) {
    static unsigned number;
    if (lane->numbered) (void)snprintf(url, 128, "%s-%d-%u", lane->url, (int)getpid(), ++number);
    else (void)snprintf(url, 128, "%s", lane->url);
}

static struct tr_wire_options options_of(const char *url, size_t max_frame, struct side *side) {
    return (struct tr_wire_options){ .url = url, .max_frame = max_frame, .events = &events, .context = side };
}

static void listen_at(struct side *side, const struct lane *lane, size_t max_frame, char bound[128]) {
    char url[128], error[256] = "";
    new_url(lane, url);
    side_init(side);
    const struct tr_wire_options options = options_of(url, max_frame, side);
    enum troupe_status status =
        tr_wire_listen(&options, &side->wire, bound, 128, error, sizeof error);
    if (status != TROUPE_OK) print_error("%s\n", error);
    assert_int_equal(status, TROUPE_OK);
}

static void dial_to(struct side *side, const char *url) {
    char error[256] = "";
    side_init(side);
    const struct tr_wire_options options = options_of(url, MAX_FRAME, side);
    assert_int_equal(tr_wire_dial(&options, &side->wire, error, sizeof error), TROUPE_OK);
}

static void connect_pair(struct side *listener, struct side *dialer, const struct lane *lane,
                         size_t max_frame) {
    char bound[128];
    listen_at(listener, lane, max_frame, bound);
    dial_to(dialer, bound);
    wait_for(listener, is_up);
    wait_for(dialer, is_up);
}

static void close_side(struct side *side) {
    tr_wire_close(side->wire);
    tr_wire_frame_free(side->frame);
    if (side->wrong != NULL) print_error("%s\n", side->wrong);
    assert_null(side->wrong);
    assert_true(side->downs <= 1);
    pthread_cond_destroy(&side->changed);
    pthread_mutex_destroy(&side->lock);
}

/* ---- Frames ---- */

static uint8_t *pattern(size_t size, unsigned seed) {
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i * 31 + (i >> 8) + seed);
    return bytes;
}

static void send_frame(struct side *from, size_t size, unsigned seed) {
    uint8_t *bytes = pattern(size, seed);
    unsigned over = sends_over(from);
    assert_int_equal(tr_wire_send(from->wire, bytes, size), TROUPE_OK);
    free(bytes);
    assert_true(wait_sends(from, over + 1, DEADLINE_S * 1000L));
}

static struct tr_wire_frame *take_frame(struct side *at) {
    wait_for(at, has_frame);
    pthread_mutex_lock(&at->lock);
    struct tr_wire_frame *frame = at->frame;
    at->frame = NULL;
    pthread_mutex_unlock(&at->lock);
    return frame;
}

static void check_frame(struct tr_wire_frame *frame, size_t size, unsigned seed) {
    uint8_t *expected = pattern(size, seed);
    size_t found;
    const uint8_t *bytes = tr_wire_frame_bytes(frame, &found);
    assert_int_equal(found, size);
    if (size > 0) assert_memory_equal(bytes, expected, size);
    free(expected);
    tr_wire_frame_free(frame);
}

static void expect_frame(struct side *at, size_t size, unsigned seed) {
    struct tr_wire_frame *frame = take_frame(at);
    tr_wire_next(at->wire);
    check_frame(frame, size, seed);
}

/* Sends large frames to a reader that reads none, until one stays with the transport. */
static unsigned send_until_stuck(struct side *from) {
    uint8_t *bytes = pattern(MIB, 0);
    unsigned count = 0;
    do {
        assert_int_equal(tr_wire_send(from->wire, bytes, MIB), TROUPE_OK);
        assert_true(++count < 1000);
    } while (wait_sends(from, count, 200));
    free(bytes);
    return count;
}

static bool has_frame_or_is_down(const struct side *side) { return has_frame(side) || is_down(side); }

/* While a frame is unread nobody reads, and the end of the connection is not seen. */
static void read_until_down(struct side *at) {
    for (;;) {
        wait_for(at, has_frame_or_is_down);
        pthread_mutex_lock(&at->lock);
        struct tr_wire_frame *frame = at->frame;
        at->frame = NULL;
        pthread_mutex_unlock(&at->lock);
        if (frame == NULL) return;
        tr_wire_frame_free(frame);
        tr_wire_next(at->wire);
    }
}

/* ---- What the process holds ---- */

static unsigned entries(const char *path) {
    unsigned count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

/* The transport's reaper closes descriptors behind the back of nng_close: allow it to finish. */
static void expect_entries(const char *path, unsigned count) {
    const time_t deadline = time(NULL) + DEADLINE_S;
    while (entries(path) > count && time(NULL) < deadline) sched_yield();
    assert_true(entries(path) <= count);
}

/* ---- Tests over every lane ---- */

static void frames_go_both_ways_in_order(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    for (unsigned i = 0; i < 200; i++) {
        send_frame(&dialer, i % 7, i);
        expect_frame(&listener, i % 7, i);
        send_frame(&listener, 1 + i, i);
        expect_frame(&dialer, 1 + i, i);
    }
    close_side(&dialer);
    close_side(&listener);
}

static void large_frames_arrive_whole(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    const size_t sizes[] = { 64 * 1024, MIB, MAX_FRAME };
    for (unsigned i = 0; i < 3; i++) {
        send_frame(&dialer, sizes[i], i);
        expect_frame(&listener, sizes[i], i);
        send_frame(&listener, sizes[i], i + 7);
        expect_frame(&dialer, sizes[i], i + 7);
    }
    close_side(&listener);
    close_side(&dialer);
}

static void a_frame_past_the_limit_closes_unread(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, 1000);
    send_frame(&dialer, 1000, 1);
    expect_frame(&listener, 1000, 1);
    send_frame(&dialer, 1001, 2);
    wait_for(&listener, is_down);
    wait_for(&dialer, is_down);
    assert_int_equal(listener.frames, 1);
    close_side(&dialer);
    close_side(&listener);
}

static void down_when_the_listener_closes(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    close_side(&listener);
    wait_for(&dialer, is_down);
    assert_int_equal(tr_wire_send(dialer.wire, (const uint8_t *)"x", 1), TROUPE_UNREACHABLE);
    tr_wire_next(dialer.wire);
    close_side(&dialer);
}

static void down_when_the_dialer_closes(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    close_side(&dialer);
    wait_for(&listener, is_down);
    assert_int_equal(tr_wire_send(listener.wire, (const uint8_t *)"x", 1), TROUPE_UNREACHABLE);
    close_side(&listener);
}

static void a_second_connection_is_turned_away(void **state) {
    struct side listener, dialer, second;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    dial_to(&dialer, bound);
    wait_for(&listener, is_up);
    dial_to(&second, bound);
    wait_for(&second, is_down);
    send_frame(&dialer, 10, 1);
    expect_frame(&listener, 10, 1);
    assert_int_equal(dialer.downs, 0);
    close_side(&dialer);
    wait_for(&listener, is_down);
    close_side(&second);
    dial_to(&second, bound); /* not even after the first has gone */
    wait_for(&second, is_down);
    assert_int_equal(listener.ups, 1);
    close_side(&second);
    close_side(&listener);
}

static void closes_before_it_connects(void **state) {
    struct side listener;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    assert_int_equal(tr_wire_send(listener.wire, (const uint8_t *)"x", 1), TROUPE_OK);
    close_side(&listener);
    assert_int_equal(listener.failed, 1);
    assert_int_equal(listener.ups + listener.downs, 0);
}

static void down_where_nobody_listens(void **state) {
    struct side listener, dialer;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    close_side(&listener);
    dial_to(&dialer, bound);
    unsigned sends = tr_wire_send(dialer.wire, (const uint8_t *)"x", 1) == TROUPE_OK;
    wait_for(&dialer, is_down);
    assert_true(wait_sends(&dialer, sends, DEADLINE_S * 1000L));
    assert_int_equal(tr_wire_send(dialer.wire, (const uint8_t *)"x", 1), TROUPE_UNREACHABLE);
    close_side(&dialer);
    assert_int_equal(dialer.failed, sends);
    assert_int_equal(dialer.ups, 0);
}

static void what_is_sent_early_waits_for_the_connection(void **state) {
    struct side listener, dialer;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    assert_int_equal(tr_wire_send(listener.wire, (const uint8_t *)"x", 1), TROUPE_OK);
    dial_to(&dialer, bound);
    assert_true(wait_sends(&listener, 1, DEADLINE_S * 1000L));
    struct tr_wire_frame *frame = take_frame(&dialer);
    size_t size;
    assert_int_equal(tr_wire_frame_bytes(frame, &size)[0], 'x');
    assert_int_equal(size, 1);
    tr_wire_frame_free(frame);
    close_side(&listener);
    close_side(&dialer);
}

static void closes_while_it_sends(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    unsigned count = send_until_stuck(&dialer);
    close_side(&dialer);
    assert_int_equal(dialer.sent + dialer.failed, count); /* a slow machine may still have got rid of the last */
    assert_true(dialer.failed <= 1);
    read_until_down(&listener);
    close_side(&listener);
}

static void a_send_ends_when_the_reader_closes(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    unsigned count = send_until_stuck(&listener);
    close_side(&dialer);
    wait_for(&listener, is_down);
    assert_true(wait_sends(&listener, count, DEADLINE_S * 1000L));
    close_side(&listener);
    assert_int_equal(listener.sent + listener.failed, count);
}

static void a_frame_outlives_its_wire(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    send_frame(&dialer, 64 * 1024, 5);
    struct tr_wire_frame *frame = take_frame(&listener); /* no next: */
    send_frame(&dialer, 100, 6);                         /* this one stays with the transport */
    close_side(&listener);
    wait_for(&dialer, is_down);
    close_side(&dialer);
    check_frame(frame, 64 * 1024, 5);
}

static void closes_in_a_race_with_everything(void **state) {
    for (unsigned round = 0; round < 200; round++) {
        struct side listener, dialer;
        char bound[128];
        listen_at(&listener, *state, MAX_FRAME, bound);
        dial_to(&dialer, bound);
        assert_int_equal(tr_wire_send(listener.wire, (const uint8_t *)"x", 1), TROUPE_OK);
        (void)tr_wire_send(dialer.wire, (const uint8_t *)"y", 1);
        if (round % 3 == 1) wait_for(&listener, is_up);
        if (round % 3 == 2) wait_for(&dialer, is_up);
        close_side(round % 2 == 0 ? &listener : &dialer);
        close_side(round % 2 == 0 ? &dialer : &listener);
        assert_int_equal(listener.sent + listener.failed, 1);
    }
}

static void rounds_leave_nothing(void **state) {
    struct side listener, dialer;
    connect_pair(&listener, &dialer, *state, MAX_FRAME);
    close_side(&listener);
    close_side(&dialer);
    unsigned threads = entries("/proc/self/task");
    for (unsigned round = 0; round < ROUNDS; round++) {
        connect_pair(&listener, &dialer, *state, MAX_FRAME);
        if (round % 4 == 0) {
            send_frame(&dialer, 10, round);
            expect_frame(&listener, 10, round);
        }
        close_side(round % 2 == 0 ? &listener : &dialer);
        close_side(round % 2 == 0 ? &dialer : &listener);
    }
    assert_int_equal(entries("/proc/self/task"), threads);
}

/* ---- Callbacks that act ---- */

struct talker {
    struct side side;
    _Atomic unsigned left;
};

static void talk(struct talker *talker) {
    if (talker->left > 0 && talker->side.wire != NULL) {
        talker->left--;
        (void)tr_wire_send(talker->side.wire, (const uint8_t *)"talk", 4);
    }
}

static void on_talker_sent(void *context, bool ok) {
    struct talker *talker = context;
    if (ok) talk(talker);
    on_sent(&talker->side, ok);
}

static void on_talker_frame(void *context, struct tr_wire_frame *frame) {
    struct talker *talker = context;
    tr_wire_frame_free(frame);
    tr_wire_next(talker->side.wire);
}

static void on_talker_up(void *context) { on_up(&((struct talker *)context)->side); }
static void on_talker_down(void *context) { on_down(&((struct talker *)context)->side); }

static void callbacks_may_send_while_it_closes(void **state) {
    static const struct tr_wire_events talker_events = { on_talker_up, on_talker_frame, on_talker_sent,
                                                         on_talker_down };
    char bound[128], error[256];
    for (unsigned round = 0; round < 30; round++) {
        struct talker talker = { .left = 100000 };
        struct side reader;
        char url[128];
        new_url(*state, url);
        side_init(&talker.side);
        struct tr_wire_options options = options_of(url, MAX_FRAME, NULL);
        options.events = &talker_events;
        options.context = &talker;
        assert_int_equal(tr_wire_listen(&options, &talker.side.wire, bound, sizeof bound, error,
                                        sizeof error), TROUPE_OK);
        dial_to(&reader, bound);
        wait_for(&talker.side, is_up);
        talk(&talker);
        for (unsigned i = 0; i < round; i++) {
            tr_wire_frame_free(take_frame(&reader));
            tr_wire_next(reader.wire);
        }
        close_side(&talker.side);
        assert_true(talker.left < 100000); /* it did talk */
        close_side(&reader);
    }
}

/* ---- Tcp ---- */

static int plain_socket(const char *url) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    address.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* What pair0 says first on a stream. */
static const uint8_t greeting[8] = { 0, 'S', 'P', 0, 0, 16, 0, 0 };

static void strangers_do_not_stop_a_listener(void **state) {
    struct side listener, dialer;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    for (unsigned i = 0; i < 50; i++) {
        int stranger = plain_socket(bound);
        assert_true(stranger >= 0);
        if (i % 3 == 1) assert_int_equal(send(stranger, greeting, i % 8, MSG_NOSIGNAL), i % 8);
        if (i % 3 == 2) assert_int_equal(send(stranger, "GET / HTTP/1.1", 14, MSG_NOSIGNAL), 14);
        close(stranger);
    }
    dial_to(&dialer, bound);
    wait_for(&listener, is_up);
    send_frame(&dialer, 10, 0);
    expect_frame(&listener, 10, 0);
    close_side(&dialer);
    close_side(&listener);
}

/* The head of a frame that lies about its size, by much and by little. */
static void a_false_head_is_down(void **state) {
    static const uint8_t heads[2][8] = { { 255, 255, 255, 255, 255, 255, 255, 255 },
                                         { 0, 0, 0, 0, MAX_FRAME >> 24, MAX_FRAME >> 16 & 255, MAX_FRAME >> 8 & 255,
                                           (MAX_FRAME & 255) + 1 } };
    for (unsigned i = 0; i < 2; i++) {
        struct side listener;
        char bound[128];
        listen_at(&listener, *state, MAX_FRAME, bound);
        int stranger = plain_socket(bound);
        assert_int_equal(send(stranger, greeting, sizeof greeting, MSG_NOSIGNAL), sizeof greeting);
        assert_int_equal(send(stranger, heads[i], sizeof heads[i], MSG_NOSIGNAL), sizeof heads[i]);
        wait_for(&listener, is_down);
        assert_int_equal(listener.frames, 0);
        close_side(&listener);
        close(stranger);
    }
}

/* Frames in pieces of one byte, and many in one piece. */
static void bytes_may_come_in_any_pieces(void **state) {
    struct side listener;
    char bound[128];
    listen_at(&listener, *state, MAX_FRAME, bound);
    int stranger = plain_socket(bound);
    uint8_t bytes[8 + 3 * 11] = { 0 };
    memcpy(bytes, greeting, 8);
    for (unsigned i = 0; i < 3; i++) {
        bytes[8 + i * 11 + 7] = 3;
        memcpy(bytes + 8 + i * 11 + 8, "abc", 3);
    }
    for (size_t i = 0; i < 8 + 2 * 11; i++) assert_int_equal(send(stranger, bytes + i, 1, MSG_NOSIGNAL), 1);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(send(stranger, bytes + 8, 33, MSG_NOSIGNAL), 33);
    for (unsigned i = 0; i < 122; i++) {
        struct tr_wire_frame *frame = take_frame(&listener);
        tr_wire_next(listener.wire);
        size_t size;
        assert_memory_equal(tr_wire_frame_bytes(frame, &size), "abc", 3);
        assert_int_equal(size, 3);
        tr_wire_frame_free(frame);
    }
    close(stranger);
    wait_for(&listener, is_down);
    close_side(&listener);
}

/* ---- The rest ---- */

static void mistakes_are_said(void **state) {
    (void)state;
    struct side side;
    struct tr_wire *wire = NULL;
    char bound[128], error[256];
    side_init(&side);
    struct tr_wire_options options = options_of("carrier-pigeon://coop", MAX_FRAME, &side);
    assert_int_equal(tr_wire_dial(&options, &wire, error, sizeof error), TROUPE_INVALID);
    assert_non_null(strstr(error, "carrier-pigeon://coop"));
    options = options_of("inproc://x", 0, &side);
    assert_int_equal(tr_wire_dial(&options, &wire, error, sizeof error), TROUPE_INVALID);
    options = options_of("tcp://127.0.0.1:0", MAX_FRAME, &side);
    assert_int_equal(tr_wire_listen(&options, &wire, bound, 8, error, sizeof error), TROUPE_INVALID);
    close_side(&side);
    assert_null(wire);
}

static void a_name_in_use_is_said(void **state) {
    struct side first, second;
    char bound[128], again[128], error[256];
    listen_at(&first, *state, MAX_FRAME, bound);
    side_init(&second);
    struct tr_wire_options options = options_of(bound, MAX_FRAME, &second);
    assert_int_equal(tr_wire_listen(&options, &second.wire, again, sizeof again, error, sizeof error),
                     TROUPE_SYSTEM);
    assert_non_null(strstr(error, bound));
    assert_non_null(strstr(error, "in use"));
    close_side(&second);
    close_side(&first);
}

/* Signals sent to the process must reach the threads that expect them. */
static void its_threads_take_no_signals(void **state) {
    (void)state;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    unsigned seen = 0;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[64], line[256] = "";
        unsigned long long blocked = 0;
        bool named = false;
        (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/status", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (file == NULL) continue;
        while (fgets(line, sizeof line, file) != NULL) {
            if (strncmp(line, "Name:\tnng:", 10) == 0) named = true;
            if (sscanf(line, "SigBlk: %llx", &blocked) == 1) break;
        }
        fclose(file);
        if (!named) continue;
        seen++;
        const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE };
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
            assert_true(blocked >> (signals[i] - 1) & 1);
    }
    closedir(tasks);
    assert_true(seen > 0);
}

/* The thread sanitizer talks to a symbolizer, even for what is suppressed: descriptors of its own. */
#if defined(__SANITIZE_THREAD__)
static const bool symbolizes = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
static const bool symbolizes = true;
#else
static const bool symbolizes = false;
#endif
#else
static const bool symbolizes = false;
#endif

/* NNG counts references with atomics that the thread sanitizer cannot see in an uninstrumented library,
 * so whoever drops the last one seems to destroy a lock too early. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race_top:pthread_mutex_destroy\n";
}

#define OVER(lane, test) { #test " (" #lane ")", test, NULL, NULL, &lane }
#define OVER_EACH(test) OVER(inproc, test), OVER(tcp, test)

static void *nothing(void *unused) { return unused; }

/* A sanitizer starts a thread of its own with the first one of the program: before anything is counted. */
static void start_helpers(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0) pthread_join(thread, NULL);
}

int main(void) {
    start_helpers();
    unsigned descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    const struct CMUnitTest tests[] = {
        OVER_EACH(frames_go_both_ways_in_order),
        OVER_EACH(large_frames_arrive_whole),
        OVER_EACH(a_frame_past_the_limit_closes_unread),
        OVER_EACH(down_when_the_listener_closes),
        OVER_EACH(down_when_the_dialer_closes),
        OVER_EACH(a_second_connection_is_turned_away),
        OVER_EACH(closes_before_it_connects),
        OVER_EACH(down_where_nobody_listens),
        OVER_EACH(what_is_sent_early_waits_for_the_connection),
        OVER_EACH(closes_while_it_sends),
        OVER_EACH(a_send_ends_when_the_reader_closes),
        OVER_EACH(a_frame_outlives_its_wire),
        OVER_EACH(closes_in_a_race_with_everything),
        OVER_EACH(callbacks_may_send_while_it_closes),
        OVER_EACH(rounds_leave_nothing),
        OVER_EACH(a_name_in_use_is_said),
        OVER(tcp, strangers_do_not_stop_a_listener),
        OVER(tcp, a_false_head_is_down),
        OVER(tcp, bytes_may_come_in_any_pieces),
        cmocka_unit_test(mistakes_are_said),
        cmocka_unit_test(its_threads_take_no_signals),
    };
    int failed = cmocka_run_group_tests_name("wire", tests, NULL, NULL);
    tr_wire_fini();
    expect_entries("/proc/self/task", threads);
    if (!symbolizes) expect_entries("/proc/self/fd", descriptors);
    return failed;
}
