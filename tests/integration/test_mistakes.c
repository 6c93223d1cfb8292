/*
 * Mistakes of a program that no compiler finds: each call is refused with a code, and the log says where and
 * why. Nothing comes of it but that.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DO(field) field(str, what)
TROUPE_MESSAGE(task, DO)
#define LOAD(field) field(str, text) field(bytes, data)
TROUPE_MESSAGE(load, LOAD)
TROUPE_MESSAGE_EMPTY(tick)
TROUPE_MESSAGE_EMPTY(stranger)

enum { MANY = 1000 };

struct clumsy { char unused; };
TROUPE_ACTOR_DECLARE(clumsy)

/* ---- An actor that makes them; each result is noted ---- */

static void note(const char *what, enum troupe_status status) {
    board_note("%s:%s", what, troupe_status_name(status));
}

static void set_timers(troupe_self *self) {
    note("no handler", troupe_after_empty(self, NULL, 1, stranger));
    note("negative", troupe_after_empty(self, NULL, -1, tick));
    note("no interval", troupe_every_empty(self, NULL, 0, tick));
    note("too long", troupe_every_empty(self, NULL, INT64_MAX, tick));
    note("no text", troupe_after(self, NULL, 1, load, .text = "\xff"));
    note("no timer", troupe_cancel(self, (troupe_timer){ UINT64_MAX }));
}

static void use_names(troupe_self *self) {
    struct troupe_spawn_options options = { .name = "a/b" };
    static const char *const names[] = { NULL, "", "a/b", "a\nb", "\xff" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) note("name", troupe_register(self, names[i]));
    note("unregister", troupe_unregister(self, NULL));
    note("one", troupe_register(self, "one"));
    note("another", troupe_register(self, "another"));
    note("unregister", troupe_unregister(self, NULL));
    note("spawn", troupe_spawn_actor(self, NULL, &clumsy_actor, &options, &troupe_none_message,
                                     &(const struct troupe_none){ 0 }));
}

static void send_to_many(troupe_self *self) {
    static char data[17 * 1024 * 1024];
    static troupe_address to[MANY];
    for (uint32_t i = 0; i < MANY; i++) to[i] = troupe_self_address(self);
    note("nobody", troupe_send_many_empty(self, NULL, 0, NULL, tick));
    note("no addresses", troupe_send_many_empty(self, NULL, 3, NULL, tick));
    note("no text", troupe_send_many(self, to, MANY, NULL, load, .text = "\xff"));
    note("too big", troupe_send_many(self, to, MANY, NULL, load, .data = { data, sizeof data }));
}

static void watch(troupe_self *self) {
    troupe_watcher watcher;
    int fd = eventfd(0, EFD_CLOEXEC);
    note("watch", troupe_watch(self, &watcher, fd, TROUPE_READABLE));
    note("events", troupe_watch_events(self, watcher, TROUPE_READABLE | TROUPE_HANGUP));
    note("unwatch", troupe_unwatch(self, watcher));
    note("events", troupe_watch_events(self, watcher, UINT32_MAX));
    note("gone", troupe_watch_events(self, watcher, TROUPE_READABLE));
    close(fd);
}

static void use_nothing(troupe_self *self) {
    note("mailbox", troupe_mailbox(self, troupe_self_address(self), NULL));
    note("keep", troupe_buffer_keep(self, NULL, 5) == NULL ? TROUPE_OK : TROUPE_FAILED);
    note("receive", troupe_receive(self, 0));
    troupe_log(self, (enum troupe_level)99, "at level 99");
}

TROUPE_ON(clumsy, task) {
    if (strcmp(msg->what, "timers") == 0) set_timers(self);
    if (strcmp(msg->what, "names") == 0) use_names(self);
    if (strcmp(msg->what, "many") == 0) send_to_many(self);
    if (strcmp(msg->what, "watch") == 0) watch(self);
    if (strcmp(msg->what, "nothing") == 0) use_nothing(self);
    board_note("done");
    return TROUPE_OK;
}
TROUPE_ON(clumsy, tick) { return TROUPE_FAIL(self, "a tick"); }
TROUPE_ON(clumsy, load) { return TROUPE_FAIL(self, "a load"); }
TROUPE_ON(clumsy, troupe_descriptor) { return TROUPE_FAIL(self, "a descriptor"); }
TROUPE_ACTOR(clumsy, TROUPE_HANDLES(clumsy, task, tick, load, troupe_descriptor))

static const struct troupe_actor_type *const actors[] = { &clumsy_actor, NULL };
static const char tree[] = "{ threads: 2, log: { form: pretty }, tree: { restarts: 0, children: [ { name: oaf, actor: clumsy } ] } }";

/* ---- What they lead to ---- */

static char log_text[64 * 1024];

/* Has the actor make its mistakes; what the log says meanwhile is in log_text. */
static void make_mistakes(const char *what, const char *results) {
    FILE *file = tmpfile();
    troupe_system *system = system_start(tree, actors);
    int saved = dup(STDERR_FILENO);
    assert_true(file != NULL && saved >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "oaf"), task, .what = what),
                     TROUPE_OK);
    board_await("done");
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    system_end(system, 0, NULL);
    rewind(file);
    log_text[fread(log_text, 1, sizeof log_text - 1, file)] = '\0';
    fclose(file);
    board_expect(results);
}

static uint32_t times_in_log(const char *text) {
    uint32_t times = 0;
    for (const char *at = log_text; (at = strstr(at, text)) != NULL; at++) times++;
    return times;
}

static void timers(void **state) {
    (void)state;
    make_mistakes("timers", "no handler:invalid negative:invalid no interval:invalid too long:invalid "
                            "no text:invalid no timer:gone done");
    assert_int_equal(times_in_log("/oaf: no timer: stranger: the actor does not handle it"), 1);
    assert_int_equal(times_in_log("/oaf: no timer: tick: its delay is less than 0"), 1);
    assert_int_equal(times_in_log("/oaf: no timer: tick: its interval is not more than 0"), 1);
    assert_int_equal(times_in_log("/oaf: no timer: tick: its interval is more than 73 years"), 1);
    assert_int_equal(times_in_log("/oaf: no timer: load: text: not valid UTF-8"), 1);
}

static void names(void **state) {
    (void)state;
    make_mistakes("names", "name:invalid name:invalid name:invalid name:invalid name:invalid "
                           "unregister:not_found one:ok another:invalid unregister:not_found spawn:invalid done");
    assert_int_equal(times_in_log("/oaf: not registered: a name has 1 to 64 bytes"), 5);
    assert_int_equal(times_in_log("/oaf: not registered: the actor has another name"), 1);
    assert_int_equal(times_in_log("not spawned: clumsy: a name has 1 to 64 bytes"), 1);
}

static void messages_to_many(void **state) {
    (void)state;
    make_mistakes("many", "nobody:ok no addresses:invalid no text:invalid too big:too_big done");
    assert_int_equal(times_in_log("/oaf: not sent: tick: it is to many, but there are no addresses"), 1);
    assert_int_equal(times_in_log("/oaf: not sent: load: text: not valid UTF-8"), 1);
    assert_int_equal(times_in_log("/oaf: not sent: load: data: larger than a message may be"), 1);
}

static void events(void **state) {
    (void)state;
    make_mistakes("watch", "watch:ok events:invalid unwatch:ok events:invalid gone:gone done");
    assert_int_equal(times_in_log("/oaf: not watched: descriptor "), 2);
    assert_int_equal(times_in_log(": events other than READABLE and WRITABLE"), 2);
}

static void nothing_where_something_should_be(void **state) {
    (void)state;
    make_mistakes("nothing", "mailbox:invalid keep:ok receive:invalid done");
    assert_int_equal(times_in_log("/oaf: nothing received: the actor has no thread of its own"), 1);
    assert_int_equal(times_in_log("error   /oaf: at level 99"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers),           cmocka_unit_test(names),
        cmocka_unit_test(messages_to_many), cmocka_unit_test(events),
        cmocka_unit_test(nothing_where_something_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
