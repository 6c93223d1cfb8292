/* Actor types that contradict themselves or each other are told, one line each. */
#include "lib/config_test.h"

#include <troupe/behaviour.h>

struct twice {
    int n;
};
TROUPE_START(twice, tick) {
    return TROUPE_OK;
}
TROUPE_START(twice, point) {
    return TROUPE_OK;
}
TROUPE_ON(twice, tick) {
    return TROUPE_OK;
}
TROUPE_STOP(twice) {
}
TROUPE_ANSWER(twice, tick, point) {
    return TROUPE_OK;
}
TROUPE_ACTOR(twice, TROUPE_STARTS(twice, tick), TROUPE_HANDLES(twice, tick), TROUPE_STOPS(twice),
             TROUPE_ANSWERS(twice, tick, point), TROUPE_STARTS(twice, point),
             TROUPE_HANDLES(twice, tick), TROUPE_STOPS(twice), TROUPE_ANSWERS(twice, tick, point),
             TROUPE_HANDLES(twice, tick))

/* Handling, asking and starting with one message do not get in each other's way. */
struct busy {
    int n;
};
TROUPE_START(busy, tick) {
    return TROUPE_OK;
}
TROUPE_ON(busy, tick) {
    return TROUPE_OK;
}
TROUPE_ANSWER(busy, tick, tick) {
    return TROUPE_OK;
}
TROUPE_STOP(busy) {
}
TROUPE_ACTOR(busy, TROUPE_STARTS(busy, tick), TROUPE_STOPS(busy), TROUPE_HANDLES(busy, tick),
             TROUPE_ANSWERS(busy, tick, tick))

/* Behaviours that contradict themselves. */
struct moody {
    int n;
};
TROUPE_START(moody, tick) {
    return TROUPE_OK;
}
TROUPE_ON(moody, tick) {
    return TROUPE_OK;
}
TROUPE_ON_AS(moody, sad, tick) {
    return TROUPE_OK;
}
TROUPE_BEHAVIOUR(moody, sad, TROUPE_HANDLES_AS(moody, sad, tick), TROUPE_HANDLES(moody, tick),
                 TROUPE_STARTS(moody, tick))
TROUPE_ACTOR(moody, TROUPE_HANDLES(moody, tick), TROUPE_BECOMES(moody, sad), TROUPE_BECOMES(moody, sad))

static bool check(const struct troupe_actor_type *const *actors) {
    test_lines[0] = '\0';
    return tr_actors_check(actors, test_report, NULL);
}

static void right_ones(void **state) {
    (void)state;
    const struct troupe_actor_type *const none[] = { NULL };
    const struct troupe_actor_type *const some[] = { &busy_actor, &counter_actor, &reader_actor,
                                                     NULL };
    assert_true(check(none));
    assert_true(check(some));
    assert_string_equal(test_lines, "");
}

static void entries_for_the_same_thing(void **state) {
    (void)state;
    const struct troupe_actor_type *const actors[] = { &twice_actor, NULL };
    assert_false(check(actors));
    assert_string_equal(
        test_lines, "actor 'twice': error: it has two TROUPE_STARTS entries, the second for point\n"
                    "actor 'twice': error: it has two TROUPE_HANDLES entries for tick\n"
                    "actor 'twice': error: it has two TROUPE_STOPS entries\n"
                    "actor 'twice': error: it has two TROUPE_ANSWERS entries for the request tick\n"
                    "actor 'twice': error: it has two TROUPE_HANDLES entries for tick\n");
}

static void behaviours(void **state) {
    (void)state;
    const struct troupe_actor_type *const actors[] = { &moody_actor, NULL };
    assert_false(check(actors));
    assert_string_equal(
        test_lines,
        "actor 'moody': error: its behaviour sad has two TROUPE_HANDLES entries for tick\n"
        "actor 'moody': error: its behaviour sad may have TROUPE_HANDLES and TROUPE_HANDLES_AS only\n"
        "actor 'moody': error: it has two TROUPE_BECOMES entries for sad\n");
}

static void names(void **state) {
    (void)state;
    struct troupe_actor_type other = counter_actor, odd = counter_actor;
    odd.name = "a b";
    const struct troupe_actor_type *const actors[] = { &counter_actor, &reader_actor, &other,
                                                       &reader_actor,  &odd,          NULL };
    assert_false(check(actors));
    assert_string_equal(
        test_lines, "actor 'counter': error: another actor type has the same name\n"
                    "actor 'reader': error: it is given twice\n"
                    "actor 'a b': error: its name may have letters, digits, '_' and '-' only\n");
}

static void loading_begins_with_it(void **state) {
    (void)state;
    const struct troupe_actor_type *const actors[] = { &counter_actor, &counter_actor, NULL };
    struct tr_config_input input = { .text = "", .actors = actors };
    test_lines[0] = '\0';
    assert_null(tr_config_load(&input, test_report, NULL));
    assert_string_equal(test_lines, "actor 'counter': error: it is given twice\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones),
        cmocka_unit_test(entries_for_the_same_thing),
        cmocka_unit_test(behaviours),
        cmocka_unit_test(names),
        cmocka_unit_test(loading_begins_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
