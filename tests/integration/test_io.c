/*
 * Watched descriptors: what is ready is told, to whom it should be, once at a time; what is refused; nothing of
 * a watch after its end, and nothing is left of it.
 */
#include "lib/system_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 0, TICKS = 1, BYTES = 2, ROUNDS = 3, PASSED = 4 };

#define ORDER(field) field(str, what) field(i32, fd) field(u32, n)
TROUPE_MESSAGE(order, ORDER)
TROUPE_MESSAGE_EMPTY(tick)

/* ---- An actor that does what it is told ---- */

struct io {
    troupe_watcher watch, other;
    bool reads, leaves, cancels;
    troupe_timer timer;
};

static const char *name_of(enum troupe_status status) { return troupe_status_name(status); }

static void close_and_forget(int fd) {
    if (close(fd) != 0) board_note("not open any more: %d", fd);
}

TROUPE_ON(io, order) {
    const char *what = msg->what;
    if (strcmp(what, "watch") == 0 || strcmp(what, "watch it") == 0) {
        me->reads = strcmp(what, "watch") == 0;
        enum troupe_status status = troupe_watch(self, &me->watch, msg->fd, msg->n);
        board_note("watch %s", name_of(status));
    }
    if (strcmp(what, "watch twice") == 0) {
        me->cancels = true;
        (void)troupe_watch(self, &me->watch, msg->fd, TROUPE_READABLE);
        (void)troupe_watch(self, &me->other, msg->fd, TROUPE_READABLE);
        board_note("twice");
    }
    if (strcmp(what, "watch many") == 0) {
        me->reads = true;
        for (uint32_t i = 0; i < msg->n; i++)
            if (troupe_watch(self, NULL, msg->fd + (int)i, TROUPE_READABLE) != TROUPE_OK)
                return TROUPE_FAIL(self, "descriptor %u is not watched", i);
        board_note("many");
    }
    if (strcmp(what, "events") == 0)
        board_note("events %s", name_of(troupe_watch_events(self, me->watch, msg->n)));
    if (strcmp(what, "unwatch") == 0) board_note("unwatch %s", name_of(troupe_unwatch(self, me->watch)));
    if (strcmp(what, "close") == 0) close_and_forget(msg->fd);
    if (strcmp(what, "leave") == 0) me->leaves = true;
    if (strcmp(what, "gate") == 0) gate_pass();
    if (strcmp(what, "note") == 0) board_note("note %u", msg->n);
    if (strcmp(what, "pass") == 0) board_add(PASSED, 1);
    if (strcmp(what, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    if (strcmp(what, "exit") == 0) {
        (void)troupe_exit(self);
        board_note("watch %s", name_of(troupe_watch(self, NULL, msg->fd, TROUPE_READABLE)));
    }
    if (strcmp(what, "time") == 0) (void)troupe_every_empty(self, &me->timer, TROUPE_MILLISECOND, tick);
    if (strcmp(what, "no time") == 0) (void)troupe_cancel(self, me->timer);
    return TROUPE_OK;
}

static void read_all(int fd) {
    char bytes[64];
    for (ssize_t size; (size = read(fd, bytes, sizeof bytes)) > 0;) board_add(BYTES, size);
}

TROUPE_ON(io, troupe_descriptor) {
    board_add(EVENTS, 1);
    if (me->cancels) {
        bool first = msg->watch == me->watch.id;
        enum troupe_status other = troupe_unwatch(self, first ? me->other : me->watch);
        enum troupe_status own = troupe_unwatch(self, first ? me->watch : me->other);
        if (other != TROUPE_OK || own != TROUPE_OK) return TROUPE_FAIL(self, "a watch that was gone");
        read_all(msg->fd);
        board_add(ROUNDS, 1);
        return TROUPE_OK;
    }
    if (me->reads) read_all(msg->fd);
    if (me->reads)
        board_note("ready %d%s%s%s%s%s", msg->fd, (msg->events & TROUPE_READABLE) != 0 ? " readable" : "",
                   (msg->events & TROUPE_WRITABLE) != 0 ? " writable" : "",
                   (msg->events & TROUPE_HANGUP) != 0 ? " hangup" : "",
                   (msg->events & TROUPE_FAULT) != 0 ? " fault" : "",
                   msg->watch == me->watch.id ? "" : ", of another watch");
    if (me->leaves || (msg->events & (TROUPE_HANGUP | TROUPE_FAULT | TROUPE_WRITABLE)) != 0)
        return troupe_unwatch(self, (troupe_watcher){ msg->watch });
    return TROUPE_OK;
}
TROUPE_ON(io, tick) {
    board_add(TICKS, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(io, TROUPE_HANDLES(io, order, troupe_descriptor, tick))

struct deaf { char unused; };
TROUPE_ON(deaf, order) {
    board_note("deaf %s", name_of(troupe_watch(self, NULL, msg->fd, TROUPE_READABLE)));
    return TROUPE_OK;
}
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, order))

static const struct troupe_actor_type *const actors[] = { &io_actor, &deaf_actor, NULL };
static const char tree[] = "{ threads: 3, tree: { restarts: 10, children: [ { name: a, actor: io }, "
                           "{ name: b, actor: io }, { name: own, actor: io, place: { thread: own } }, "
                           "{ name: clock, actor: io }, { name: deaf, actor: deaf } ] } }";

static void tell(troupe_system *system, const char *who, const char *what, int fd, uint32_t n) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), order, .what = what, .fd = fd,
                                        .n = n),
                     TROUPE_OK);
}

/* Lets the clock tick so many milliseconds. */
static void pass_time(troupe_system *system, int64_t ticks) {
    tell(system, "clock", "time", 0, 0);
    board_await_tally(TICKS, board_tally(TICKS) + ticks);
    tell(system, "clock", "no time", 0, 0);
}

/* ---- Pipes and the like, not blocking ---- */

static void make_pipe(int ends[2]) { assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0); }

static void put(int fd) { assert_int_equal(write(fd, "x", 1), 1); }

static char *ready_line(int fd, const char *how) {
    static char line[64];
    snprintf(line, sizeof line, "ready %d%s", fd, how);
    return line;
}

/* ---- Tests ---- */

static void each_kind_is_told(void **state) {
    int ends[2], pair[2];
    const uint64_t one = 1;
    troupe_system *system = system_start(tree, actors);
    (void)state;
    int counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    make_pipe(ends);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    tell(system, "a", "watch", ends[0], TROUPE_READABLE);
    board_await("watch ok");
    for (uint32_t i = 1; i <= 100; i++) {
        put(ends[1]);
        board_await_times(ready_line(ends[0], " readable"), i);
    }
    tell(system, "a", "unwatch", 0, 0);
    tell(system, "a", "watch", pair[0], TROUPE_READABLE);
    put(pair[1]);
    board_await(ready_line(pair[0], " readable"));
    tell(system, "a", "unwatch", 0, 0);
    tell(system, "a", "watch", counter, TROUPE_READABLE);
    assert_int_equal(write(counter, &one, sizeof one), sizeof one);
    board_await(ready_line(counter, " readable"));
    tell(system, "b", "watch", pair[0], TROUPE_WRITABLE);
    board_await(ready_line(pair[0], " writable"));
    assert_int_equal(board_tally(EVENTS), 103);
    close(ends[0]), close(ends[1]), close(pair[0]), close(pair[1]), close(counter);
    system_end(system, 0, NULL);
}

static void hangup_and_fault_are_told_with_what_was_asked(void **state) {
    int in[2], out[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(in);
    make_pipe(out);
    tell(system, "a", "watch", in[0], TROUPE_READABLE);
    put(in[1]);
    board_await(ready_line(in[0], " readable"));
    close(in[1]);
    board_await(ready_line(in[0], " readable hangup"));
    close(out[0]);
    tell(system, "b", "watch", out[1], TROUPE_WRITABLE);
    board_await(ready_line(out[1], " writable fault"));
    pass_time(system, 5);
    assert_int_equal(board_tally(EVENTS), 3); /* both were unwatched, and are not told again */
    close(in[0]), close(out[1]);
    system_end(system, 0, NULL);
}

/* The thread of its own sleeps where its descriptors are: it is woken by them, and by messages too. */
static void an_actor_with_its_own_thread(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    uint32_t descriptors = process_descriptors();
    for (uint32_t round = 1; round <= 3; round++) {
        tell(system, "own", "watch", ends[0], TROUPE_READABLE);
        board_await_times("watch ok", round);
        for (uint32_t i = 1; i <= 20; i++) {
            put(ends[1]);
            board_await_tally(BYTES, 20 * (round - 1) + i);
            tell(system, "own", "note", 0, 20 * round + i);
            char line[32];
            snprintf(line, sizeof line, "note %u", 20 * round + i);
            board_await(line);
        }
        tell(system, "own", round < 3 ? "fail" : "unwatch", 0, 0);
        tell(system, "own", "note", 0, round);
        char line[32];
        snprintf(line, sizeof line, "note %u", round);
        board_await(line);
        assert_int_equal(process_descriptors(), descriptors);
    }
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

static void what_cannot_be_watched_is_refused(void **state) {
    int ends[2];
    struct rlimit before, few;
    troupe_system *system = system_start(tree, actors);
    (void)state;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    make_pipe(ends);
    close(ends[1]);
    tell(system, "a", "watch", file, TROUPE_READABLE);
    board_await_times("watch invalid", 1);
    tell(system, "a", "watch", ends[1], TROUPE_READABLE);
    board_await_times("watch invalid", 2);
    tell(system, "a", "watch", -1, TROUPE_READABLE);
    board_await_times("watch invalid", 3);
    tell(system, "a", "watch", ends[0], TROUPE_HANGUP);
    board_await_times("watch invalid", 4);
    tell(system, "a", "unwatch", 0, 0);
    tell(system, "a", "events", 0, TROUPE_READABLE);
    tell(system, "a", "events", 0, 64);
    board_await("events invalid");
    assert_int_equal(board_times("unwatch gone") + board_times("events gone"), 2);
    tell(system, "deaf", "", ends[0], 0);
    board_await("deaf invalid");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ 4, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    tell(system, "a", "watch", ends[0], TROUPE_READABLE);
    board_await("watch limit");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    tell(system, "a", "exit", ends[0], 0);
    board_await("watch stopping");
    assert_int_equal(board_tally(EVENTS), 0);
    close(ends[0]), close(file);
    system_end(system, 0, NULL);
}

/* Two watches of one descriptor become ready together: the first that is told of unwatches the other, whose
 * message waits by then. */
static void nothing_is_handled_after_unwatch(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    uint32_t descriptors = process_descriptors();
    for (uint32_t i = 1; i <= 200; i++) {
        put(ends[1]);
        tell(system, "a", "watch twice", ends[0], 0);
        board_await_tally(ROUNDS, i);
    }
    pass_time(system, 5);
    assert_int_equal(board_tally(EVENTS), 200);
    assert_int_equal(process_descriptors(), descriptors);
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

static void nothing_reaches_the_next_run(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    put(ends[1]); /* and nobody reads it: it is always ready */
    uint32_t descriptors = process_descriptors();
    for (uint32_t i = 1; i <= 20; i++) {
        tell(system, "a", "watch it", ends[0], TROUPE_READABLE);
        board_await_tally(EVENTS, board_tally(EVENTS) + 3);
        tell(system, i % 2 == 0 ? "a" : "b", "note", 0, 0);
        tell(system, "a", i < 8 ? "fail" : "unwatch", 0, 0);
        tell(system, "a", "note", 0, i);
        char line[32];
        snprintf(line, sizeof line, "note %u", i);
        board_await(line);
        int64_t events = board_tally(EVENTS);
        pass_time(system, 2);
        assert_int_equal(board_tally(EVENTS), events);
        assert_int_equal(process_descriptors(), descriptors);
    }
    tell(system, "a", "watch it", ends[0], TROUPE_READABLE); /* it is left to the end */
    board_await_tally(EVENTS, board_tally(EVENTS) + 3);
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

static void a_slow_actor_is_not_flooded(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    put(ends[1]);
    gate_close();
    tell(system, "a", "watch it", ends[0], TROUPE_READABLE);
    board_await_tally(EVENTS, 100); /* told again and again, with other messages in between */
    tell(system, "a", "note", 0, 1);
    board_await("note 1");
    tell(system, "a", "gate", 0, 0);
    gate_await(1);
    int64_t before = board_tally(EVENTS);
    pass_time(system, 20);
    tell(system, "a", "unwatch", 0, 0);
    assert_int_equal(board_tally(EVENTS), before);
    gate_open();
    board_await("unwatch ok");
    assert_true(board_tally(EVENTS) - before <= 1); /* the one that waited */
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

static void a_paused_watch_is_silent(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    tell(system, "a", "watch", ends[0], 0);
    put(ends[1]);
    close(ends[1]);
    pass_time(system, 5);
    assert_int_equal(board_tally(EVENTS), 0);
    tell(system, "a", "events", 0, TROUPE_READABLE);
    board_await("events ok");
    board_await(ready_line(ends[0], " readable hangup"));
    close(ends[0]);
    make_pipe(ends);
    tell(system, "b", "watch it", ends[0], TROUPE_READABLE);
    put(ends[1]);
    board_await_tally(EVENTS, 10);
    tell(system, "b", "events", 0, 0);
    board_await_times("events ok", 2);
    int64_t before = board_tally(EVENTS);
    pass_time(system, 5);
    assert_int_equal(board_tally(EVENTS), before);
    tell(system, "b", "events", 0, TROUPE_READABLE);
    board_await_tally(EVENTS, before + 10);
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

/* Closed without unwatch: its number is used again by another file, which another actor watches. */
static void a_number_used_again_is_not_mixed_up(void **state) {
    int old[2], new[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(old);
    tell(system, "a", "watch", old[0], TROUPE_READABLE);
    board_await("watch ok");
    close(old[0]);
    make_pipe(new);
    assert_int_equal(new[0], old[0]);
    tell(system, "b", "watch", new[0], TROUPE_READABLE);
    board_await_times("watch ok", 2);
    put(new[1]);
    board_await(ready_line(new[0], " readable"));
    tell(system, "a", "unwatch", 0, 0); /* takes nothing from b */
    board_await("unwatch ok");
    put(new[1]);
    board_await_times(ready_line(new[0], " readable"), 2);
    assert_int_equal(board_tally(EVENTS), 2);
    close(new[0]), close(new[1]), close(old[1]);
    system_end(system, 0, NULL);
}

static void two_actors_may_watch_one(void **state) {
    int ends[2];
    troupe_system *system = system_start(tree, actors);
    (void)state;
    make_pipe(ends);
    tell(system, "a", "watch it", ends[0], TROUPE_READABLE);
    tell(system, "b", "watch it", ends[0], TROUPE_READABLE);
    tell(system, "a", "leave", 0, 0);
    tell(system, "b", "leave", 0, 0);
    tell(system, "b", "note", 0, 1);
    tell(system, "a", "note", 0, 1);
    board_await_times("note 1", 2);
    put(ends[1]);
    board_await_tally(EVENTS, 2);
    pass_time(system, 3);
    assert_int_equal(board_tally(EVENTS), 2);
    close(ends[0]), close(ends[1]);
    system_end(system, 0, NULL);
}

enum { MANY = 3000, FIRST = 1000 };

static void thousands(void **state) {
    const uint64_t one = 1;
    struct rlimit before, most;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    most = (struct rlimit){ before.rlim_max, before.rlim_max };
    assert_true(before.rlim_max > FIRST + 3 * MANY);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &most), 0);
    troupe_system *system = system_start(tree, actors);
    for (int i = 0; i < MANY; i++) {
        int counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_int_equal(dup3(counter, FIRST + i, O_CLOEXEC), FIRST + i);
        close(counter);
    }
    tell(system, "a", "watch many", FIRST, MANY);
    board_await("many");
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < MANY; i++)
            assert_int_equal(write(FIRST + i, &one, sizeof one), sizeof one);
        board_await_tally(BYTES, (int64_t)round * MANY * 8);
        tell(system, "a", "pass", 0, 0); /* the last handler may be looking for more to read yet */
        board_await_tally(PASSED, round);
        assert_int_equal(board_tally(EVENTS), round * MANY);
    }
    for (int i = 0; i < MANY; i++) close(FIRST + i);
    system_end(system, 0, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- Cells that move between workers, and take their watches down and up again wherever they are ---- */

enum { RING = 8, LAPS = 50 };

static atomic_bool running;

#define PLACE(field) field(i32, in) field(i32, out)
TROUPE_MESSAGE(place, PLACE)
TROUPE_MESSAGE_EMPTY(work)

struct runner {
    int in, out;
    uint32_t turns;
    troupe_watcher watch;
};
TROUPE_START(runner, place) {
    me->in = args->in;
    me->out = args->out;
    board_note("placed");
    (void)troupe_send_empty(self, troupe_self_address(self), work);
    return troupe_watch(self, &me->watch, me->in, TROUPE_READABLE);
}
/* Load, for as long as the ring runs: so there is always something to steal. */
TROUPE_ON(runner, work) {
    bool more = atomic_load(&running);
    return more ? troupe_send_empty(self, troupe_self_address(self), work) : TROUPE_OK;
}
TROUPE_ON(runner, troupe_descriptor) {
    char byte;
    if (read(msg->fd, &byte, 1) != 1) return TROUPE_OK;
    if (!atomic_load(&running)) {
        board_note("ended");
        return troupe_exit(self);
    }
    if (++me->turns % 3 == 0) {
        enum troupe_status gone = troupe_unwatch(self, me->watch);
        enum troupe_status back = troupe_watch(self, &me->watch, me->in, TROUPE_READABLE);
        if (gone != TROUPE_OK || back != TROUPE_OK) return TROUPE_FAIL(self, "not watched again");
    } else if (me->turns % 3 == 1) {
        (void)troupe_watch_events(self, me->watch, 0);
        (void)troupe_watch_events(self, me->watch, TROUPE_READABLE);
    }
    board_add(ROUNDS, 1);
    return write(me->out, &byte, 1) == 1 ? TROUPE_OK : TROUPE_FAIL(self, "not passed on");
}
TROUPE_ACTOR(runner, TROUPE_STARTS(runner, place), TROUPE_HANDLES(runner, work, troupe_descriptor))

/* Each reads one byte more. Nobody uses the pipes after that. */
static void end_runners(int (*pipes)[2], uint32_t count) {
    atomic_store(&running, false);
    for (uint32_t i = 0; i < count; i++) put(pipes[i][1]);
    board_await_times("ended", count);
    for (uint32_t i = 0; i < count; i++) close(pipes[i][0]), close(pipes[i][1]);
}

static void watches_move_with_their_actors(void **state) {
    static const struct troupe_actor_type *const runners[] = { &runner_actor, NULL };
    int pipes[RING][2];
    atomic_store(&running, true);
    troupe_system *system = system_start("{ threads: 3 }", runners);
    (void)state;
    for (int i = 0; i < RING; i++) make_pipe(pipes[i]);
    for (int i = 0; i < RING; i++)
        assert_int_equal(troupe_system_spawn(system, NULL, runner, place, .in = pipes[i][0],
                                             .out = pipes[(i + 1) % RING][1]),
                         TROUPE_OK);
    board_await_times("placed", RING);
    put(pipes[0][1]);
    put(pipes[RING / 2][1]);
    board_await_tally(ROUNDS, RING * LAPS);
    end_runners(pipes, RING);
    system_end(system, 0, NULL);
}

/* ---- Back-pressure: a writer that watches only while its socket is full, a reader that rests ---- */

enum { BULK = 1 << 20, CHUNK = 4096 };

struct writer {
    int fd;
    uint32_t sent, waits;
    troupe_watcher watch;
};
static enum troupe_status write_on(troupe_self *self, struct writer *me) {
    uint8_t chunk[CHUNK];
    while (me->sent < BULK) {
        for (uint32_t i = 0; i < CHUNK; i++) chunk[i] = (uint8_t)((me->sent + i) * 31 >> 4);
        ssize_t size = write(me->fd, chunk, BULK - me->sent < CHUNK ? BULK - me->sent : CHUNK);
        if (size < 0 && errno == EAGAIN) {
            me->waits++;
            return troupe_watch_events(self, me->watch, TROUPE_WRITABLE);
        }
        if (size < 0) return TROUPE_FAIL(self, "%s", strerror(errno));
        me->sent += (uint32_t)size;
    }
    board_note(me->waits > 10 ? "written, with pauses" : "written at once");
    return troupe_watch_events(self, me->watch, 0);
}
TROUPE_START(writer, place) {
    me->fd = args->out;
    enum troupe_status status = troupe_watch(self, &me->watch, me->fd, 0);
    return status != TROUPE_OK ? status : write_on(self, me);
}
TROUPE_ON(writer, troupe_descriptor) { return write_on(self, me); }
TROUPE_ACTOR(writer, TROUPE_STARTS(writer, place), TROUPE_HANDLES(writer, troupe_descriptor))

struct rester {
    int fd;
    uint32_t got;
    troupe_watcher watch;
};
TROUPE_START(rester, place) {
    me->fd = args->in;
    return troupe_watch(self, &me->watch, me->fd, TROUPE_READABLE);
}
TROUPE_ON(rester, troupe_descriptor) {
    uint8_t bytes[CHUNK];
    ssize_t size = read(me->fd, bytes, sizeof bytes);
    if (size <= 0) return TROUPE_FAIL(self, "told, but nothing was there");
    for (ssize_t i = 0; i < size; i++)
        if (bytes[i] != (uint8_t)((me->got + (uint32_t)i) * 31 >> 4)) return TROUPE_FAIL(self, "a wrong byte");
    me->got += (uint32_t)size;
    board_add(BYTES, size);
    if (me->got % 3 != 0) return TROUPE_OK;
    (void)troupe_watch_events(self, me->watch, 0);
    return troupe_after_empty(self, NULL, TROUPE_MICROSECOND, tick);
}
TROUPE_ON(rester, tick) { return troupe_watch_events(self, me->watch, TROUPE_READABLE); }
TROUPE_ACTOR(rester, TROUPE_STARTS(rester, place), TROUPE_HANDLES(rester, troupe_descriptor, tick))

static void a_writer_waits_for_room(void **state) {
    static const struct troupe_actor_type *const both[] = { &writer_actor, &rester_actor, NULL };
    int pair[2], small = 8192;
    troupe_system *system = system_start("{ threads: 3 }", both);
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    assert_int_equal(troupe_system_spawn(system, NULL, rester, place, .in = pair[1], .out = -1), TROUPE_OK);
    assert_int_equal(troupe_system_spawn(system, NULL, writer, place, .in = -1, .out = pair[0]), TROUPE_OK);
    board_await("written, with pauses");
    board_await_tally(BYTES, BULK);
    close(pair[0]), close(pair[1]);
    system_end(system, 0, NULL);
}

/* A worker that always has something to run looks at its descriptors nevertheless. */
static void a_busy_worker_does_not_forget_them(void **state) {
    static const struct troupe_actor_type *const runners[] = { &runner_actor, NULL };
    int pipes[2][2];
    atomic_store(&running, true);
    troupe_system *system = system_start("{ threads: 1 }", runners);
    (void)state;
    make_pipe(pipes[0]);
    make_pipe(pipes[1]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(troupe_system_spawn(system, NULL, runner, place, .in = pipes[i][0],
                                             .out = pipes[1 - i][1]),
                         TROUPE_OK);
    put(pipes[0][1]);
    board_await_tally(ROUNDS, 100);
    end_runners(pipes, 2);
    system_end(system, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told),
        cmocka_unit_test(hangup_and_fault_are_told_with_what_was_asked),
        cmocka_unit_test(an_actor_with_its_own_thread),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
        cmocka_unit_test(nothing_is_handled_after_unwatch),
        cmocka_unit_test(nothing_reaches_the_next_run),
        cmocka_unit_test(a_slow_actor_is_not_flooded),
        cmocka_unit_test(a_paused_watch_is_silent),
        cmocka_unit_test(a_number_used_again_is_not_mixed_up),
        cmocka_unit_test(two_actors_may_watch_one),
        cmocka_unit_test(thousands),
        cmocka_unit_test(watches_move_with_their_actors),
        cmocka_unit_test(a_writer_waits_for_room),
        cmocka_unit_test(a_busy_worker_does_not_forget_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
