/*
 * The keys of supervisors, on real actors in virtual time: backoff, significant children, deadlines for being ready,
 * and actors that are ready later or have nothing to do. What the machine makes of all combinations is tried out in
 * test_supervision_*.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>

#define DEED_FIELDS(field) field(str, what)
TROUPE_MESSAGE(deed, DEED_FIELDS)
#define BIRTH_FIELDS(field) field(str, how)
TROUPE_MESSAGE(birth, BIRTH_FIELDS)

/* ---- Actors ---- */

struct worker {
    char unused;
};
TROUPE_START(worker, birth) {
    if (strcmp(args->how, "later") == 0) return troupe_start_later(self);
    if (strcmp(args->how, "ignore") == 0) return troupe_ignore(self);
    if (strcmp(args->how, "later, and now") == 0) {
        (void)troupe_start_later(self);
        troupe_started(self);
    }
    return TROUPE_OK;
}
TROUPE_ON(worker, deed) {
    if (strcmp(msg->what, "exit") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "ready") == 0) troupe_started(self);
    if (strcmp(msg->what, "ignore") == 0) return troupe_ignore(self);
    if (strcmp(msg->what, "later") == 0)
        return troupe_start_later(self) == TROUPE_INVALID ? TROUPE_OK : TROUPE_FAIL(self, "not in a start handler");
    return strcmp(msg->what, "fail") == 0 ? TROUPE_FAIL(self, "told to fail") : TROUPE_OK;
}
TROUPE_ACTOR(worker, TROUPE_STARTS(worker, birth), TROUPE_HANDLES(worker, deed))

static const struct troupe_actor_type *const actors[] = { &worker_actor, NULL };

static troupe_test *start(const char *tree) {
    troupe_test *kit = troupe_test_new(.actors = actors, .config = tree);
    assert_non_null(kit);
    return kit;
}

static void tell(troupe_test *kit, const char *who, const char *what) {
    troupe_address to = troupe_test_lookup(kit, who);
    assert_int_equal(troupe_send(troupe_test_self(kit), to, deed, .what = what), TROUPE_OK);
}

static void expect_life(troupe_test *kit, const char *expected) {
    assert_string_equal(troupe_test_life(kit), expected);
}

/* ---- Backoff ---- */

/* A tick of the clock more or less. */
static void expect_after(troupe_test *kit, int64_t wait, const char *expected) {
    troupe_test_advance(kit, wait - 2 * TROUPE_MILLISECOND);
    expect_life(kit, "");
    troupe_test_advance(kit, 4 * TROUPE_MILLISECOND);
    expect_life(kit, expected);
}

static void restarts_wait_longer_each_time(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { restarts: 100, within: 1h, children: [ { name: a, actor: worker } ],"
                             "backoff: { initial: 100ms, factor: 300, maximum: 500ms, reset: 10s } }");
    expect_life(kit, "+/ +/a");
    static const int64_t waits[] = { 100, 300, 500, 500 };
    for (int i = 0; i < 4; i++) {
        tell(kit, "/a", "fail");
        expect_life(kit, "failed/a");
        expect_after(kit, waits[i] * TROUPE_MILLISECOND, "+/a");
    }
    troupe_test_advance(kit, 11 * TROUPE_SECOND); /* that long, and it begins anew */
    tell(kit, "/a", "fail");
    expect_life(kit, "failed/a");
    expect_after(kit, 100 * TROUPE_MILLISECOND, "+/a");
    assert_int_equal(troupe_test_free(kit), 0);
}

static void a_group_waits_as_one(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { strategy: one_for_all, restarts: 100, within: 1h, backoff: { initial: 1s },"
                             "children: [ { name: a, actor: worker }, { name: b, actor: worker } ] }");
    expect_life(kit, "+/ +/a +/b");
    tell(kit, "/b", "fail");
    expect_life(kit, "failed/b stopped/a");
    expect_after(kit, TROUPE_SECOND, "+/a +/b");
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Significant children ---- */

static void the_end_of_one_may_be_the_end_of_all(void **state) {
    (void)state;
    int code = -1;
    troupe_test *kit = start("tree: { auto_shutdown: any_significant, children: ["
                             "{ name: a, actor: worker },"
                             "{ name: b, actor: worker, restart: transient, significant: true },"
                             "{ name: c, actor: worker, restart: transient } ] }");
    tell(kit, "/c", "exit");
    tell(kit, "/b", "fail"); /* it comes back, and is significant still */
    expect_life(kit, "+/ +/a +/b +/c done/c failed/b +/b");
    tell(kit, "/b", "exit");
    expect_life(kit, "done/b stopped/a done/");
    assert_true(troupe_test_ended(kit, &code));
    assert_int_equal(code, 0);
    assert_int_equal(troupe_test_free(kit), 0);
}

static void or_that_of_the_last_of_them(void **state) {
    (void)state;
    troupe_test *kit = start(
        "tree: { children: [ { name: s, restart: transient, auto_shutdown: all_significant, children: ["
        "{ name: a, actor: worker, restart: transient, significant: true },"
        "{ name: b, actor: worker, restart: temporary, significant: true }, { name: c, actor: worker } ] } ] }");
    troupe_test_life(kit);
    tell(kit, "/s/a", "exit");
    expect_life(kit, "done/s/a");
    tell(kit, "/s/b", "fail"); /* temporary: it does not come back */
    expect_life(kit, "failed/s/b stopped/s/c done/s");
    assert_false(troupe_test_ended(kit, NULL));
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Being ready ---- */

static void the_next_one_waits_for_it(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { children: [ { name: a, actor: worker, args: { how: later } },"
                             "{ name: s, children: [ { name: b, actor: worker, args: { how: \"later, and now\" } } ] },"
                             "{ name: c, actor: worker } ] }");
    expect_life(kit, "+/ +/a");
    tell(kit, "/a", "anything"); /* it has its messages meanwhile */
    tell(kit, "/a", "later");    /* too late for that */
    expect_life(kit, "");
    tell(kit, "/a", "ready");
    tell(kit, "/a", "ready");    /* once is enough */
    expect_life(kit, "+/s +/s/b +/c");
    tell(kit, "/a", "ignore");   /* too late, too: it is done */
    expect_life(kit, "done/a +/a");
    assert_int_equal(troupe_test_free(kit), 0);
}

static void not_for_longer_than_its_deadline(void **state) {
    (void)state;
    int code = 0;
    troupe_test *kit = start("tree: { children: [ { name: a, actor: worker, args: { how: later }, ready: 3s } ] }");
    expect_life(kit, "+/ +/a");
    troupe_test_advance(kit, 2 * TROUPE_SECOND);
    expect_life(kit, "");
    troupe_test_advance(kit, 2 * TROUPE_SECOND);
    expect_life(kit, "killed/a gave_up/");
    assert_true(troupe_test_ended(kit, &code));
    assert_int_equal(code, 2);
    assert_int_equal(troupe_test_free(kit), 2);
}

/* A restart that is not ready in time is a restart that failed: another one follows. */
static void a_late_restart_is_a_failed_one(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { restarts: 5, within: 1m, children: ["
                             "{ name: a, actor: worker, args: { how: later }, ready: 3s } ] }");
    tell(kit, "/a", "ready");
    tell(kit, "/a", "fail");
    expect_life(kit, "+/ +/a failed/a +/a");
    troupe_test_advance(kit, 4 * TROUPE_SECOND);
    expect_life(kit, "killed/a +/a");
    tell(kit, "/a", "ready");
    troupe_test_advance(kit, 10 * TROUPE_SECOND);
    expect_life(kit, "");
    assert_int_equal(troupe_test_free(kit), 0);
}

static void who_has_nothing_to_do_holds_nobody_up(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { children: [ { name: a, actor: worker, args: { how: ignore } },"
                             "{ name: b, actor: worker, args: { how: later } }, { name: c, actor: worker } ] }");
    expect_life(kit, "+/ +/a done/a +/b");
    tell(kit, "/b", "ignore");
    expect_life(kit, "done/b +/c");
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Dynamic ones ---- */

static const struct troupe_child *another(troupe_test *kit, const char *where) {
    troupe_address to = troupe_test_lookup(kit, where);
    assert_int_equal(troupe_ask_empty(troupe_test_self(kit), to, troupe_start_child, TROUPE_MINUTE), TROUPE_OK);
    return troupe_test_expect_reply(kit, troupe_child);
}

static void dynamic_children_stop_at_once(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { children: [ { name: s, strategy: dynamic, place: process, max_children: 2,"
                             "child: { actor: worker, restart: temporary } } ] }");
    assert_int_equal(another(kit, "/s")->status, TROUPE_OK);
    assert_int_equal(another(kit, "/s")->status, TROUPE_OK);
    assert_int_equal(another(kit, "/s")->status, TROUPE_LIMIT);
    expect_life(kit, "+/ +/s +/s/1 +/s/2");
    assert_int_equal(troupe_stop_actor(troupe_test_self(kit), troupe_test_lookup(kit, "/s")), TROUPE_OK);
    expect_life(kit, "stopped/s/1 stopped/s/2 stopped/s +/s"); /* permanent, and empty again */
    assert_int_equal(another(kit, "/s")->status, TROUPE_OK);
    assert_int_equal(troupe_test_free(kit), 0);
}

/* What code had added goes with its supervisor, however that ends, and its address with it. */
static void what_was_added_goes_with_its_supervisor(void **state) {
    (void)state;
    for (int kill = 0; kill < 2; kill++) {
        troupe_test *kit = start("tree: { restarts: 9, children: [ { name: s, restarts: 9, children: ["
                                 "{ name: a, actor: worker } ] } ] }");
        troupe_self *self = troupe_test_self(kit);
        troupe_address above = troupe_test_lookup(kit, "/s"), added[2];
        static const char *const hows[] = { "", "later" };
        for (int i = 0; i < 2; i++) {
            struct troupe_child_options options = { .name = hows[i][0] == '\0' ? "b" : "c" };
            enum troupe_status asked =
                troupe_ask_start_child(self, above, TROUPE_MINUTE, &options, worker, birth, .how = hows[i]);
            assert_int_equal(asked, TROUPE_OK);
        }
        added[0] = troupe_test_expect_reply(kit, troupe_child)->address;
        assert_int_equal(troupe_ask(self, above, troupe_which_children, TROUPE_MINUTE, .after = 2), TROUPE_OK);
        const struct troupe_children *last = troupe_test_expect_reply(kit, troupe_children);
        assert_int_equal(last->children.items[0].state, TROUPE_CHILD_STARTING); /* whoever asked for it still waits */
        added[1] = last->children.items[0].address;
        expect_life(kit, "+/ +/s +/s/a +/s/b +/s/c");
        if (kill) troupe_test_kill(kit, above);
        else troupe_test_crash(kit, above, "out of luck");
        troupe_test_run(kit);
        troupe_test_expect_outcome(kit, TROUPE_DIED);
        for (int i = 0; i < 2; i++) assert_false(troupe_test_lives(kit, added[i]));
        for (int i = 0; i < 2; i++) assert_int_equal(troupe_send_empty(self, added[i], troupe_none), TROUPE_GONE);
        assert_int_equal(troupe_ask_empty(self, above, troupe_count_children, TROUPE_MINUTE), TROUPE_OK);
        assert_int_equal(troupe_test_expect_reply(kit, troupe_child_counts)->specs, 1);
        assert_true(troupe_test_lives(kit, troupe_test_lookup(kit, "/s/a")));
        assert_int_equal(troupe_test_free(kit), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restarts_wait_longer_each_time),
        cmocka_unit_test(a_group_waits_as_one),
        cmocka_unit_test(the_end_of_one_may_be_the_end_of_all),
        cmocka_unit_test(or_that_of_the_last_of_them),
        cmocka_unit_test(the_next_one_waits_for_it),
        cmocka_unit_test(not_for_longer_than_its_deadline),
        cmocka_unit_test(a_late_restart_is_a_failed_one),
        cmocka_unit_test(who_has_nothing_to_do_holds_nobody_up),
        cmocka_unit_test(dynamic_children_stop_at_once),
        cmocka_unit_test(what_was_added_goes_with_its_supervisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
