/* Threads have the stacks that the limit of their process says, also where that has changed since the program began. */
#include "lib/system_test.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

TROUPE_MESSAGE_EMPTY(measure)

struct gauge { char unused; };
TROUPE_ON(gauge, measure) {
    pthread_attr_t attributes;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return TROUPE_FAIL(self, "no attributes");
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    board_note("%s has %zu KiB", troupe_self_path(self), size / 1024);
    return TROUPE_OK;
}
TROUPE_ACTOR(gauge, TROUPE_HANDLES(gauge, measure))

static const struct troupe_actor_type *const actors[] = { &gauge_actor, NULL };
static const char tree[] = "{ threads: 1, tree: { children: [ { name: pool, actor: gauge }, "
                           "{ name: own, actor: gauge, place: { thread: own } } ] } }";

static void limit_stacks(rlim_t size) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_STACK, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_STACK, &limit), 0);
}

static void expect_stacks(uint32_t kib) {
    static const char *const names[] = { "pool", "own" };
    char line[64];
    limit_stacks((rlim_t)kib * 1024);
    troupe_system *system = system_start(tree, actors);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(troupe_system_send_empty(system, troupe_system_lookup(system, names[i]), measure), TROUPE_OK);
        snprintf(line, sizeof line, "/%s has %u KiB", names[i], kib);
        board_await(line);
    }
    system_end(system, 0, NULL);
}

static void they_are_as_the_limit_says(void **state) {
    struct rlimit before;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    expect_stacks(1024);
    expect_stacks(3 * 1024);
    limit_stacks(before.rlim_cur);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(they_are_as_the_limit_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
