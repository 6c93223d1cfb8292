/* Ids for pointers: found while they are there, never mistaken for a later one in the same place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "core/ids.h"

static int values[1000];

static void what_is_added_is_found_until_it_is_removed(void **state) {
    struct tr_ids ids = { 0 };
    uint64_t given[1000];
    (void)state;
    assert_null(tr_ids_find(&ids, 0));
    assert_null(tr_ids_remove(&ids, 1));
    for (int i = 0; i < 1000; i++) {
        given[i] = tr_ids_add(&ids, &values[i]);
        assert_true(given[i] != 0);
    }
    assert_int_equal(ids.count, 1000);
    for (int i = 0; i < 1000; i++) assert_ptr_equal(tr_ids_find(&ids, given[i]), &values[i]);
    for (int i = 0; i < 1000; i++) assert_ptr_equal(tr_ids_remove(&ids, given[i]), &values[i]);
    for (int i = 0; i < 1000; i++) assert_null(tr_ids_find(&ids, given[i]));
    assert_null(tr_ids_remove(&ids, given[0]));
    assert_int_equal(ids.count, 0);
    tr_ids_free(&ids);
    assert_null(ids.entries);
}

static void a_late_id_is_known_as_late(void **state) {
    struct tr_ids ids = { 0 };
    (void)state;
    uint64_t old = tr_ids_add(&ids, &values[0]);
    tr_ids_remove(&ids, old);
    uint64_t next = tr_ids_add(&ids, &values[1]);
    assert_int_equal((uint32_t)old, (uint32_t)next); /* the same place */
    assert_true(old != next);
    assert_null(tr_ids_find(&ids, old));
    assert_null(tr_ids_remove(&ids, old));
    assert_ptr_equal(tr_ids_find(&ids, next), &values[1]);
    tr_ids_free(&ids);
}

static void serials_begin_where_they_are_told_to(void **state) {
    struct tr_ids ids = { .first_serial = 7 << 20 };
    (void)state;
    for (int i = 0; i < 20; i++) assert_true(tr_ids_add(&ids, &values[i]) >> 32 > 7 << 20);
    tr_ids_free(&ids);
}

static void strange_ids_are_nobodys(void **state) {
    struct tr_ids ids = { 0 };
    (void)state;
    uint64_t id = tr_ids_add(&ids, &values[0]);
    const uint64_t strange[] = { 0, id + 1, id + 100, id ^ UINT64_C(1) << 40, UINT64_MAX, (uint32_t)id };
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) assert_null(tr_ids_find(&ids, strange[i]));
    tr_ids_free(&ids);
}

/* Against a plain array of what should be there. */
static void it_agrees_with_a_simple_list(void **state) {
    struct tr_ids ids = { 0 };
    struct tr_random random;
    uint64_t there[200] = { 0 };
    (void)state;
    tr_random_seed(&random, 1);
    for (int step = 0; step < 100000; step++) {
        uint64_t at = tr_random_below(&random, 200);
        if (there[at] == 0) {
            there[at] = tr_ids_add(&ids, &values[at]);
        } else {
            assert_ptr_equal(tr_ids_find(&ids, there[at]), &values[at]);
            assert_ptr_equal(tr_ids_remove(&ids, there[at]), &values[at]);
            assert_null(tr_ids_find(&ids, there[at]));
            there[at] = 0;
        }
    }
    tr_ids_free(&ids);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_until_it_is_removed),
        cmocka_unit_test(a_late_id_is_known_as_late),
        cmocka_unit_test(serials_begin_where_they_are_told_to),
        cmocka_unit_test(strange_ids_are_nobodys),
        cmocka_unit_test(it_agrees_with_a_simple_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
