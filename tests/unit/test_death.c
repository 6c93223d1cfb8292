/*
 * Deaths: the report that a supervisor gets of each kind of end, in a bare node, and the line that people read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <troupe/death.h>

#include "core/buffer.h"
#include "core/death.h"
#include "core/report.h"
#include "core/send.h"

#define ORDER(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(order, ORDER)

/* Ends as it is told to. */
struct mortal { char unused; };
static enum troupe_status obey(troupe_self *self, const struct order *order) {
    if (strcmp(order->what, "fail") == 0) return TROUPE_FAIL(self, "a count of %u", order->n);
    if (strcmp(order->what, "full") == 0) return TROUPE_FULL;
    if (strcmp(order->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(order->what, "receive") == 0 && troupe_receive(self, INT64_MAX) == TROUPE_OK) return TROUPE_FULL;
    return strcmp(order->what, "memory") == 0 ? TROUPE_NO_MEMORY : TROUPE_OK;
}
TROUPE_START(mortal, order) {
    (void)me;
    return obey(self, args);
}
TROUPE_ON(mortal, order) { return obey(self, msg); }
TROUPE_ACTOR(mortal, TROUPE_STARTS(mortal, order), TROUPE_HANDLES(mortal, order))

static const struct troupe_actor_type *const actors[] = { &mortal_actor, NULL };

enum { SLOT = 2, KEY = 77, RUN = 3 };
static const troupe_address who = { 1, SLOT, TR_BOUND_GENERATION };

/* ---- A node, and a native cell that is told of the end as a supervisor is ---- */

static void cell_ended(struct tr_node *node, struct tr_cell *cell) {
    (void)node;
    (void)cell;
}
static const char *path_of(struct tr_node *node, troupe_address address) {
    (void)node;
    return address.slot == SLOT ? "/mortal" : address.slot == TR_AGENT_SLOT ? "/agent" : NULL;
}
static const struct tr_hooks hooks = { .cell_ended = cell_ended, .path_of = path_of };

static struct tr_classes classes;
static struct tr_buffers buffers;
static _Atomic(struct tr_message *) told;

static void handle(void *context, struct tr_worker *worker, struct tr_link *link) {
    struct tr_message *message = tr_message_of(link);
    (void)context;
    (void)worker;
    if (message->type == &tr_exited_message) atomic_store(&told, message);
    else tr_message_free(message);
}
static void flush(void *context, struct tr_worker *worker) {
    (void)context;
    (void)worker;
}
static const struct tr_native owner = { .handle = handle, .flush = flush };

static struct tr_message *make_order(const char *what, uint32_t n) {
    enum troupe_status status;
    struct tr_codec_error error;
    const struct order body = { .what = what, .n = n };
    struct tr_message *message = tr_message_new((struct tr_memory){ 0 }, &order_message, &body, &status, &error);
    assert_non_null(message);
    return message;
}

static struct tr_node *start(const char *what, bool own_thread) {
    assert_true(tr_classes_init(&classes, actors));
    tr_buffers_init(&buffers);
    const struct tr_node_options options = { .id = 1, .incarnation = 1, .workers = 1, .classes = &classes,
                                             .hooks = &hooks, .trace = -1, .buffers = &buffers,
                                             .reserved_slots = SLOT + 1, .blocked = INT64_MAX };
    struct tr_node *node = tr_node_new(&options);
    assert_non_null(node);
    atomic_store(&told, NULL);
    struct tr_cell *cell = tr_native_new(node, &owner, NULL);
    assert_non_null(cell);
    struct tr_run_spec spec = { .class = tr_class_of(&classes, &mortal_actor), .path = "/mortal",
                                .owner = { 1, cell->slot, atomic_load(&cell->generation) }, .key = KEY, .run = RUN,
                                .own_thread = own_thread };
    assert_true(tr_bind(node, SLOT, &spec));
    spec.args = make_order(what, 5);
    assert_int_equal(tr_start(node, NULL, tr_cells_at(&node->cells, SLOT), TR_BOUND_GENERATION, &spec), TROUPE_OK);
    return node;
}

static void tell(struct tr_node *node, const char *what, uint32_t n) {
    const struct order body = { .what = what, .n = n };
    const struct tr_outgoing outgoing = { .to = who, .type = &order_message, .body = &body };
    assert_int_equal(tr_send(node, NULL, &outgoing), TROUPE_OK);
}

/* What every report has. Freed with the node. */
static const struct troupe_death *await_death(void) {
    for (uint32_t i = 0; i < 20000 && atomic_load(&told) == NULL; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    struct tr_message *message = atomic_load(&told);
    assert_non_null(message);
    const struct tr_exited *exited = tr_message_body(message);
    const struct troupe_death *death = &exited->death;
    assert_int_equal(exited->key, KEY);
    assert_int_equal(exited->run, RUN);
    assert_true(troupe_address_equal(death->who, who));
    assert_string_equal(death->path, "/mortal");
    assert_string_equal(death->actor, "mortal");
    assert_int_equal(death->run, RUN);
    assert_true(death->uptime >= 0 && death->uptime < TROUPE_MINUTE);
    assert_true(death->at > 0 && death->at <= tr_death_time());
    assert_string_equal(death->cause, "");
    return death;
}

static void end(struct tr_node *node) {
    tr_node_halt(node);
    tr_node_drain(node);
    struct tr_message *message = atomic_load(&told);
    if (message != NULL) tr_message_free(message);
    tr_node_free(node);
    tr_buffers_free(&buffers);
    tr_classes_free(&classes);
}

static void expect(const struct troupe_death *death, enum troupe_death_kind kind, enum troupe_status status,
                   const char *message, const char *by, bool starting) {
    assert_string_equal(troupe_death_name((enum troupe_death_kind)death->kind), troupe_death_name(kind));
    assert_string_equal(troupe_status_name((enum troupe_status)death->status), troupe_status_name(status));
    assert_string_equal(death->message, message);
    assert_string_equal(death->by, by);
    assert_int_equal(death->starting, starting);
}

/* ---- Ends ---- */

static void a_failure_says_where_and_in_which_message(void **state) {
    struct tr_node *node = start("", false);
    (void)state;
    tell(node, "fail", 9);
    const struct troupe_death *death = await_death();
    expect(death, TROUPE_DEATH_FAILED, TROUPE_FAILED, "order{what: \"fail\", n: 9}", "", false);
    assert_ptr_equal(strstr(death->text, "a count of 9 (test_death.c:"), death->text);
    end(node);
}

static void another_code_is_told_in_its_words(void **state) {
    struct tr_node *node = start("", false);
    (void)state;
    tell(node, "full", 1);
    const struct troupe_death *death = await_death();
    expect(death, TROUPE_DEATH_FAILED, TROUPE_FULL, "order{what: \"full\", n: 1}", "", false);
    assert_string_equal(death->text, troupe_status_text(TROUPE_FULL));
    end(node);
    node = start("", false);
    tell(node, "memory", 1);
    expect(await_death(), TROUPE_DEATH_NO_MEMORY, TROUPE_NO_MEMORY, "order{what: \"memory\", n: 1}", "", false);
    end(node);
}

static void a_start_that_fails_was_not_ready(void **state) {
    struct tr_node *node = start("fail", false);
    (void)state;
    const struct troupe_death *death = await_death();
    expect(death, TROUPE_DEATH_FAILED, TROUPE_FAILED, "", "", true);
    assert_ptr_equal(strstr(death->text, "a count of 5 (test_death.c:"), death->text);
    end(node);
}

static void work_that_is_done(void **state) {
    struct tr_node *node = start("", false);
    (void)state;
    tell(node, "exit", 1);
    const struct troupe_death *death = await_death();
    expect(death, TROUPE_DEATH_DONE, TROUPE_OK, "", "", false);
    assert_string_equal(death->text, "");
    end(node);
}

static void a_stop_and_a_kill_say_by_whom(void **state) {
    const troupe_address agent = { 1, TR_AGENT_SLOT, TR_BOUND_GENERATION };
    struct tr_node *node = start("", false);
    (void)state;
    assert_int_equal(tr_stop(node, NULL, who, TR_STOP_ORDERLY, agent), TROUPE_OK);
    expect(await_death(), TROUPE_DEATH_STOPPED, TROUPE_STOPPING, "", "/agent", false);
    end(node);
    node = start("", false);
    assert_int_equal(tr_stop(node, NULL, who, TR_STOP_KILL, (troupe_address){ 0 }), TROUPE_OK);
    expect(await_death(), TROUPE_DEATH_KILLED, TROUPE_STOPPING, "", "", false);
    end(node);
}

/* Once others have asked for so many stops, it is not said that one of them did it. */
static void who_asked_is_forgotten_and_never_mistaken(void **state) {
    const troupe_address agent = { 1, TR_AGENT_SLOT, TR_BOUND_GENERATION };
    struct tr_node *node = start("exit", false);
    (void)state;
    expect(await_death(), TROUPE_DEATH_DONE, TROUPE_OK, "", "", false);
    assert_int_equal(tr_stop(node, NULL, who, TR_STOP_ORDERLY, agent), TROUPE_OK); /* number 0 */
    assert_true(troupe_address_equal(tr_stopped_by(node, 0), agent));
    for (uint32_t i = 0; i < TR_STOPPERS; i++)
        assert_int_equal(tr_stop(node, NULL, who, TR_STOP_ORDERLY, who), TROUPE_OK);
    assert_true(troupe_address_is_none(tr_stopped_by(node, 0)));
    assert_true(troupe_address_equal(tr_stopped_by(node, 1), who));
    end(node);
}

/* The handler around it makes something else of it. */
static void within_troupe_receive_the_inner_failure_counts(void **state) {
    struct tr_node *node = start("", true);
    (void)state;
    tell(node, "receive", 1);
    tell(node, "fail", 2);
    const struct troupe_death *death = await_death();
    expect(death, TROUPE_DEATH_FAILED, TROUPE_FAILED, "order{what: \"fail\", n: 2}", "", false);
    assert_ptr_equal(strstr(death->text, "a count of 2 (test_death.c:"), death->text);
    end(node);
}

/* ---- Texts ---- */

static void as_people_read_it(void **state) {
    char text[512];
    struct troupe_death death = { .path = "/counter/3", .kind = TROUPE_DEATH_FAILED,
                                  .text = "a count of zero (counter.c:12)", .message = "count{n: 0}",
                                  .uptime = 1234 * TROUPE_MILLISECOND, .run = 2 };
    static const char line[] =
        "/counter/3 failed: a count of zero (counter.c:12); message count{n: 0}; up 1.234 s; restart 2";
    (void)state;
    assert_int_equal(troupe_death_print(&death, text, sizeof text), strlen(line));
    assert_string_equal(text, line);
    assert_int_equal(tr_death_say(&death, text, sizeof text), strlen(line) - strlen("/counter/3 "));
    assert_int_equal(troupe_death_print(&death, text, 20), strlen(line));
    assert_int_equal(strlen(text), 19);
    death = (struct troupe_death){ .path = "/s", .kind = TROUPE_DEATH_GAVE_UP, .text = "more than 1 restart",
                                   .cause = "/s/a failed: so", .starting = true };
    troupe_death_print(&death, text, sizeof text);
    assert_string_equal(text, "/s gave up: more than 1 restart; not ready yet; because /s/a failed: so");
    death = (struct troupe_death){ .kind = TROUPE_DEATH_KILLED, .by = "/s" };
    troupe_death_print(&death, text, sizeof text);
    assert_string_equal(text, "somebody killed: it was killed; by /s");
}

static void every_kind_has_a_name_and_a_text(void **state) {
    (void)state;
    for (uint32_t i = 0; i < TROUPE_DEATH_COUNT; i++) {
        assert_string_not_equal(troupe_death_name((enum troupe_death_kind)i), "unknown");
        assert_string_not_equal(troupe_death_text((enum troupe_death_kind)i), "unknown");
    }
    assert_string_equal(troupe_death_name(TROUPE_DEATH_COUNT), "unknown");
    assert_string_equal(troupe_death_text(TROUPE_DEATH_COUNT), "unknown");
    assert_false(troupe_death_is_failure(TROUPE_DEATH_DONE));
    assert_false(troupe_death_is_failure(TROUPE_DEATH_STOPPED));
    assert_true(troupe_death_is_failure(TROUPE_DEATH_FAILED));
    assert_true(troupe_death_is_failure(TROUPE_DEATH_COUNT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_says_where_and_in_which_message),
        cmocka_unit_test(another_code_is_told_in_its_words),
        cmocka_unit_test(a_start_that_fails_was_not_ready),
        cmocka_unit_test(work_that_is_done),
        cmocka_unit_test(a_stop_and_a_kill_say_by_whom),
        cmocka_unit_test(who_asked_is_forgotten_and_never_mistaken),
        cmocka_unit_test(within_troupe_receive_the_inner_failure_counts),
        cmocka_unit_test(as_people_read_it),
        cmocka_unit_test(every_kind_has_a_name_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
