/*
 * A router and its pool on virtual time: that there are as many members as were asked for last, also when some could
 * not be had at first, when the pool was gone for a while, or did not answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>

TROUPE_MESSAGE_EMPTY(job)
TROUPE_MESSAGE_EMPTY(done)

struct hand { char unused; };
TROUPE_ON(hand, job) { return troupe_reply_empty(self, done); }
TROUPE_ACTOR(hand, TROUPE_HANDLES(hand, job))

static const struct troupe_actor_type *const actors[] = { &hand_actor, NULL };

static const char tree[] =
    "{ tree: { restarts: 1000, within: 1s, children: ["
    "  { name: pool, strategy: dynamic, child: { actor: hand } },"
    "  { name: router, actor: troupe_router, args: { pool: /pool, size: 3 } } ] } }";

static troupe_test *begin(void) {
    troupe_test *kit = troupe_test_new(.actors = actors, .config = tree);
    assert_non_null(kit);
    return kit;
}

static uint32_t members(troupe_test *kit) {
    troupe_address router = troupe_test_lookup(kit, "/router");
    assert_int_equal(troupe_ask_empty(troupe_test_self(kit), router, troupe_count_members, TROUPE_MINUTE), TROUPE_OK);
    return troupe_test_expect_reply(kit, troupe_member_count)->count;
}

static uint32_t children(troupe_test *kit) {
    troupe_address pool = troupe_test_lookup(kit, "/pool");
    assert_int_equal(troupe_ask_empty(troupe_test_self(kit), pool, troupe_count_children, TROUPE_MINUTE), TROUPE_OK);
    return troupe_test_expect_reply(kit, troupe_child_counts)->active;
}

static void expect_members(troupe_test *kit, uint32_t count) {
    assert_int_equal(members(kit), count);
    assert_int_equal(children(kit), count);
}

static void resize(troupe_test *kit, uint32_t size) {
    troupe_address router = troupe_test_lookup(kit, "/router");
    assert_int_equal(troupe_ask(troupe_test_self(kit), router, troupe_resize, TROUPE_MINUTE, .size = size), TROUPE_OK);
}

static uint32_t times(const char *text, const char *what) {
    uint32_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text++) count++;
    return count;
}

/* ---- Size ---- */

/* What was asked for on behalf of the larger one still comes. */
static void the_last_size_counts(void **state) {
    troupe_test *kit = begin();
    (void)state;
    expect_members(kit, 3);
    resize(kit, 8);
    resize(kit, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(troupe_test_expect_reply(kit, troupe_member_count)->status, TROUPE_OK);
    expect_members(kit, 2);
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- What cannot be had ---- */

static void what_cannot_be_had_is_tried_again(void **state) {
    char path[32];
    troupe_test *kit = begin();
    (void)state;
    troupe_test_crash(kit, troupe_test_lookup(kit, "/router"), "begin anew");
    troupe_test_crash(kit, troupe_test_lookup(kit, "/pool"), "without children");
    for (int i = 1; i <= 5; i++) {
        snprintf(path, sizeof path, "/pool/%d", i);
        troupe_test_fail_starts(kit, path, 1, "the data base is down");
    }
    expect_members(kit, 0);
    (void)troupe_test_log(kit);
    troupe_test_advance(kit, 10 * TROUPE_SECOND);
    expect_members(kit, 3);
    assert_int_equal(times(troupe_test_log(kit), "the data base is down"), 2); /* one at a time */
    assert_int_equal(troupe_test_free(kit), 0);
}

/* It says so once, however often it tries. */
static void a_pool_that_is_full_is_asked_again(void **state) {
    troupe_test *kit = troupe_test_new(
        .actors = actors,
        .config = "{ tree: { children: [ { name: pool, strategy: dynamic, max_children: 2, child: { actor: hand } },"
                  "  { name: router, actor: troupe_router, args: { pool: /pool, size: 3 } } ] } }");
    (void)state;
    expect_members(kit, 2);
    troupe_test_advance(kit, TROUPE_MINUTE);
    expect_members(kit, 2);
    assert_int_equal(times(troupe_test_log(kit), "gives it no more"), 1);
    resize(kit, 2);
    assert_int_equal(troupe_test_expect_reply(kit, troupe_member_count)->count, 2);
    assert_int_equal(troupe_test_free(kit), 0);
}

/* Nothing came of what it asked: neither is it forgotten. */
static void a_pool_that_did_not_answer_is_asked_again(void **state) {
    troupe_test *kit = begin();
    (void)state;
    troupe_test_crash(kit, troupe_test_lookup(kit, "/router"), "begin anew");
    troupe_test_hold(kit, troupe_test_lookup(kit, "/pool"));
    troupe_test_advance(kit, 2 * TROUPE_MINUTE);
    assert_int_equal(members(kit), 0);
    troupe_test_release(kit, troupe_test_lookup(kit, "/pool"));
    troupe_test_advance(kit, 2 * TROUPE_SECOND);
    expect_members(kit, 3);
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Itself ---- */

static void a_router_is_no_member_of_itself(void **state) {
    troupe_test *kit = troupe_test_new(
        .actors = actors,
        .config = "{ tree: { children: [ { name: a, actor: hand }, "
                  "  { name: router, count: 1, actor: troupe_router, args: { children: /router } } ] } }");
    int code = 0;
    (void)state;
    assert_true(troupe_test_ended(kit, &code));
    assert_int_equal(code, 2);
    assert_non_null(strstr(troupe_test_log(kit), "no children /router"));
    assert_int_equal(troupe_test_free(kit), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_size_counts),
        cmocka_unit_test(what_cannot_be_had_is_tried_again),
        cmocka_unit_test(a_pool_that_is_full_is_asked_again),
        cmocka_unit_test(a_pool_that_did_not_answer_is_asked_again),
        cmocka_unit_test(a_router_is_no_member_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
