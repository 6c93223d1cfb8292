/*
 * The log of systems in this process: what the program's own log is given, from which level on, in which form;
 * lines of several threads one at a time; and where standard error leads when nobody asked otherwise.
 */
#include "lib/system_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAY(field) field(str, text) field(u32, level) field(u32, times)
TROUPE_MESSAGE(say, SAY)

struct speaker { char unused; };
TROUPE_ON(speaker, say) {
    (void)me;
    for (uint32_t i = 0; i < msg->times; i++)
        troupe_log_with(self, (enum troupe_level)msg->level, msg->text, troupe_number("i", i),
                        troupe_whom("me", troupe_self_address(self)));
    troupe_log(self, (enum troupe_level)msg->level, "done: %s", msg->text);
    board_note("done");
    return TROUPE_OK;
}
TROUPE_ACTOR(speaker, TROUPE_HANDLES(speaker, say))

static const struct troupe_actor_type *const actors[] = { &speaker_actor, NULL };
#define TREE "tree: { children: [ { name: one, actor: speaker }, { name: two, actor: speaker } ] } }"

/* ---- A log of the program's own ---- */

static struct {
    pthread_mutex_t lock;
    char text[1 << 20];
    size_t used;
    uint32_t lines;
} taken = { .lock = PTHREAD_MUTEX_INITIALIZER };
static _Atomic int inside;
static _Atomic bool together;

static void take(void *context, enum troupe_level level, const char *line, size_t size) {
    assert_ptr_equal(context, &taken);
    (void)level;
    if (atomic_fetch_add(&inside, 1) != 0) atomic_store(&together, true);
    sched_yield();
    pthread_mutex_lock(&taken.lock);
    if (size < sizeof taken.text - taken.used) {
        memcpy(taken.text + taken.used, line, size);
        taken.used += size;
        taken.text[taken.used] = '\0';
        taken.lines++;
    }
    pthread_mutex_unlock(&taken.lock);
    atomic_fetch_sub(&inside, 1);
}

static troupe_system *start(const char *config, troupe_log_line log) {
    struct troupe_options options = { .actors = actors, .config_text = config, .log = log,
                                      .log_context = log == NULL ? NULL : &taken };
    taken.used = taken.lines = 0;
    return system_start_with(&options);
}

static void tell(troupe_system *system, const char *who, const char *text, enum troupe_level level,
                 uint32_t times) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, who), say, .text = text,
                                        .level = level, .times = times),
                     TROUPE_OK);
}

static bool was_taken(const char *part) {
    pthread_mutex_lock(&taken.lock);
    bool found = taken.used > 0 && strstr(taken.text, part) != NULL;
    pthread_mutex_unlock(&taken.lock);
    return found;
}

static void the_program_takes_lines(void **state) {
    (void)state;
    troupe_system *system = start("{ " TREE, take);
    tell(system, "/one", "he said \"hm\"\n", TROUPE_WARNING, 1);
    tell(system, "/two", "unheard", TROUPE_DEBUG, 3);
    board_await_times("done", 2);
    system_end(system, 0, NULL);
    assert_true(was_taken("\"level\":\"warning\",\"path\":\"/one\",\"text\":\"he said \\\"hm\\\"\\n\",\"i\":0,"
                          "\"me\":\"/one\",\"node\":1,\"pid\":"));
    assert_true(was_taken("\"text\":\"done: he said"));
    assert_false(was_taken("unheard"));
}

static void from_the_level_that_is_configured(void **state) {
    (void)state;
    troupe_system *system = start("{ log: { level: debug, form: pretty }, " TREE, take);
    tell(system, "/one", "heard", TROUPE_DEBUG, 1);
    board_await("done");
    system_end(system, 0, NULL);
    assert_true(was_taken("Z debug   /one: heard  i=0 me=/one\n"));
    system = start("{ log: { level: error }, " TREE, take);
    tell(system, "/one", "too little", TROUPE_WARNING, 1);
    tell(system, "/one", "enough", TROUPE_ERROR, 0);
    tell(system, "/one", "no level", (enum troupe_level)77, 0);
    board_await_times("done", 3);
    system_end(system, 0, NULL);
    assert_false(was_taken("too little"));
    assert_true(was_taken("\"level\":\"error\",\"path\":\"/one\",\"text\":\"done: enough\""));
    assert_true(was_taken("\"level\":\"error\",\"path\":\"/one\",\"text\":\"done: no level\""));
}

static void one_line_at_a_time(void **state) {
    (void)state;
    enum { EACH = 2000 };
    troupe_system *system = start("{ threads: 2, log: { form: pretty }, " TREE, take);
    tell(system, "/one", "a", TROUPE_INFO, EACH);
    tell(system, "/two", "b", TROUPE_INFO, EACH);
    board_await_times("done", 2);
    uint32_t lines = taken.lines;
    system_end(system, 0, NULL);
    assert_true(lines >= 2 * (EACH + 1));
    assert_false(atomic_load(&together));
    print_message("%u lines\n", lines);
}

/* ---- Standard error, which is a pipe here ---- */

static void standard_error_that_is_no_terminal(void **state) {
    (void)state;
    int ends[2], before = dup(STDERR_FILENO);
    char text[4096];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    troupe_system *system = start("{ " TREE, NULL);
    tell(system, "/one", "x", TROUPE_INFO, 0);
    board_await("done");
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    ssize_t got = read(ends[0], text, sizeof text - 1);
    system_end(system, 0, NULL); /* which counts descriptors */
    close(ends[0]);
    close(ends[1]);
    close(before);
    assert_true(got > 0);
    text[got] = '\0';
    assert_non_null(strstr(text, "{\"time\":\""));
    assert_non_null(strstr(text, "\"path\":\"/one\",\"text\":\"done: x\",\"node\":1,"));
}

static void a_level_that_is_none(void **state) {
    (void)state;
    const char *error = system_fails(TROUPE_INVALID, "{ log: { level: loud, frm: json }, " TREE, actors);
    assert_non_null(strstr(error, "level: 'loud' is not known; allowed: debug, info, warning, error"));
    assert_non_null(strstr(error, "did you mean 'form'"));
    error = system_fails(TROUPE_INVALID, "{ log: json, " TREE, actors);
    assert_non_null(strstr(error, "the log"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_program_takes_lines),
        cmocka_unit_test(from_the_level_that_is_configured),
        cmocka_unit_test(one_line_at_a_time),
        cmocka_unit_test(standard_error_that_is_no_terminal),
        cmocka_unit_test(a_level_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
