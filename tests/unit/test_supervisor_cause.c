/*
 * Why a tree gave up: whoever reads the last line of the log is told what failed at first, however many supervisors are
 * above it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>

TROUPE_MESSAGE_EMPTY(job)

struct worker { char unused; };
TROUPE_ON(worker, job) { return TROUPE_FAIL(self, "out of paper"); }
TROUPE_ACTOR(worker, TROUPE_HANDLES(worker, job))

static const struct troupe_actor_type *const actors[] = { &worker_actor, NULL };

/* Deep enough for a text of 511 bytes to overflow, if each told of all below it. */
static const char deep[] =
    "tree: { restarts: 0, children: [ { name: one, restarts: 0, children: [ { name: two, restarts: 0, children: ["
    "{ name: three, restarts: 0, children: [ { name: four, restarts: 0, children: [ { name: five, restarts: 0, children: ["
    "{ name: six, restarts: 0, children: [ { name: worker, actor: worker } ] } ] } ] } ] } ] } ] } ] }";
#define WORKER "/one/two/three/four/five/six/worker"

static void the_first_of_all_failures_is_told(void **state) {
    troupe_test *kit = troupe_test_new(.actors = actors, .config = deep);
    (void)state;
    assert_int_equal(troupe_send_empty(troupe_test_self(kit), troupe_test_lookup(kit, WORKER), job), TROUPE_OK);
    const struct troupe_death *one = troupe_test_expect_death(kit, "/one");
    assert_int_equal(one->kind, TROUPE_DEATH_GAVE_UP);
    assert_memory_equal(one->cause, WORKER " failed: out of paper", strlen(WORKER " failed: out of paper"));
    const char *last = strstr(troupe_test_log(kit), "main gives up: ");
    assert_non_null(last);
    assert_non_null(strstr(last, "because " WORKER " failed: out of paper"));
    assert_int_equal(troupe_test_free(kit), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_all_failures_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
