/* Who waits for room, and the order in which they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/waiters.h"

enum { MANY = 5000 };

static struct tr_waiters waiters;

static troupe_address address(uint32_t slot, uint32_t generation) {
    return (troupe_address){ 1, slot, generation };
}

static int set_up(void **state) {
    (void)state;
    tr_waiters_init(&waiters);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    tr_waiters_free(&waiters);
    return 0;
}

/* Takes so many, which must be those from `first` on, in their order, each waiting for this slot. */
static void expect(uint32_t slot, uint32_t most, uint32_t first, uint32_t count, bool others) {
    bool more;
    struct tr_waiter *waiter = tr_waiters_take(&waiters, slot, most, &more);
    for (uint32_t i = 0; i < count; i++) {
        assert_non_null(waiter);
        struct tr_waiter *next = waiter->next;
        assert_int_equal(waiter->who.slot, first + i);
        assert_int_equal(waiter->to.slot, slot);
        free(waiter);
        waiter = next;
    }
    assert_null(waiter);
    assert_int_equal(more, others);
}

static void first_come_first_told(void **state) {
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) assert_true(tr_waiters_add(&waiters, address(7, 1), address(100 + i, 1)));
    expect(7, 0, 0, 0, true);
    expect(7, 1, 100, 1, true);
    expect(7, MANY - 2, 101, MANY - 2, true);
    expect(7, 1, 100 + MANY - 1, 1, false);
    expect(7, UINT32_MAX, 0, 0, false);
}

static void each_pair_once(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < 300; i++) assert_true(tr_waiters_add(&waiters, address(7, 1), address(i, 1)));
    assert_true(tr_waiters_add(&waiters, address(7, 1), address(299, 1)));
    expect(7, UINT32_MAX, 0, 300, false);
    assert_true(tr_waiters_add(&waiters, address(7, 1), address(299, 1))); /* once told, it may wait again */
    expect(7, UINT32_MAX, 299, 1, false);
}

/* Slots that share a queue, and generations of one slot. */
static void each_slot_its_own(void **state) {
    (void)state;
    const uint32_t other = 7 + TR_WAITER_BUCKETS;
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(tr_waiters_add(&waiters, address(7, 1 + i % 2), address(i, 1)));
        assert_true(tr_waiters_add(&waiters, address(other, 1), address(50 + i, 1)));
    }
    expect(other, 3, 50, 3, true);
    expect(7, UINT32_MAX, 0, 10, false);
    expect(other, UINT32_MAX, 53, 7, false);
    assert_true(tr_waiters_add(&waiters, address(other, 1), address(60, 1))); /* the last was taken out */
    expect(7, UINT32_MAX, 0, 0, false);
    expect(other, 1, 60, 1, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_come_first_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_pair_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_slot_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
