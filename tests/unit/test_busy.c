/* Who is found at work, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/busy.h"

static uint64_t cell(uint32_t slot, uint32_t generation) { return (uint64_t)slot << 32 | generation; }

static struct tr_busy *made(void) {
    struct tr_busy *busy = calloc(1, sizeof *busy);
    pthread_mutex_init(&busy->lock, NULL);
    return busy;
}
static void ended(struct tr_busy *busy) {
    pthread_mutex_destroy(&busy->lock);
    free(busy);
}

static void each_its_own(void **state) {
    (void)state;
    struct tr_busy *busy = made();
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t slot = 1; slot <= 1000; slot++) tr_busy_add(busy, cell(slot, 1), slot);
    for (uint32_t slot = 1; slot <= 1000; slot++) assert_int_equal(tr_busy_of(busy, cell(slot, 1)), 2 * slot);
    assert_int_equal(tr_busy_of(busy, cell(1001, 1)), 0);
    assert_int_equal(tr_busy_total(busy), 2 * 500500);
    ended(busy);
}

static void the_next_actor_begins_with_nothing(void **state) {
    (void)state;
    struct tr_busy *busy = made();
    tr_busy_add(busy, cell(7, 1), 10);
    assert_int_equal(tr_busy_of(busy, cell(7, 2)), 0);
    tr_busy_add(busy, cell(7, 2), 3);
    assert_int_equal(tr_busy_of(busy, cell(7, 2)), 3);
    assert_int_equal(tr_busy_of(busy, cell(7, 1)), 0);
    assert_int_equal(tr_busy_total(busy), 13);
    ended(busy);
}

/* Those that came first stay; all is in the sum. */
static void more_than_there_is_room_for(void **state) {
    (void)state;
    enum { MANY = 10 * TR_BUSY_CELLS };
    struct tr_busy *busy = made();
    for (uint32_t slot = 1; slot <= MANY; slot++) tr_busy_add(busy, cell(slot, 1), 1);
    for (uint32_t slot = 1; slot <= TR_BUSY_CELLS / 2; slot++) assert_int_equal(tr_busy_of(busy, cell(slot, 1)), 1);
    assert_int_equal(tr_busy_of(busy, cell(MANY, 1)), 0);
    tr_busy_add(busy, cell(5, 1), 1);
    assert_int_equal(tr_busy_of(busy, cell(5, 1)), 2);
    assert_int_equal(tr_busy_total(busy), MANY + 1);
    ended(busy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_its_own),
        cmocka_unit_test(the_next_actor_begins_with_nothing),
        cmocka_unit_test(more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
