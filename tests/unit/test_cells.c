/* The table of cells: cells never move, slots are used again, old generations are told from new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/cell.h"

enum { RESERVED = 10, MANY = 5000 };

static void cells_stay_where_they_are(void **state) {
    struct tr_cells cells;
    static struct tr_cell *taken[MANY];
    enum troupe_status status;
    (void)state;
    tr_cells_init(&cells, RESERVED, RESERVED + MANY, 1 << 16);
    assert_null(tr_cells_at(&cells, 0));
    for (uint32_t i = 0; i < MANY; i++) {
        taken[i] = tr_cells_take(&cells, NULL, &status);
        assert_non_null(taken[i]);
        assert_int_equal(taken[i]->slot, RESERVED + i);
        assert_true(atomic_load(&taken[i]->generation) > 1 << 16);
    }
    for (uint32_t i = 0; i < MANY; i++) assert_ptr_equal(tr_cells_at(&cells, RESERVED + i), taken[i]);
    assert_null(tr_cells_at(&cells, UINT32_MAX));
    assert_null(tr_cells_take(&cells, NULL, &status));
    assert_int_equal(status, TROUPE_LIMIT);
    tr_cells_free(&cells);
}

static void a_released_slot_is_taken_again(void **state) {
    struct tr_cells cells;
    enum troupe_status status;
    (void)state;
    tr_cells_init(&cells, 0, 2, 0);
    struct tr_cell *one = tr_cells_take(&cells, NULL, &status), *two = tr_cells_take(&cells, NULL, &status);
    assert_true(one != two);
    tr_cells_release(&cells, NULL, one);
    assert_ptr_equal(tr_cells_take(&cells, NULL, &status), one);
    assert_null(tr_cells_take(&cells, NULL, &status));
    tr_cells_free(&cells);
}

static void a_worker_keeps_some_at_hand_and_gives_back_the_rest(void **state) {
    struct tr_cells cells;
    struct tr_slots slots = { 0 };
    static struct tr_cell *taken[MANY];
    enum troupe_status status;
    (void)state;
    tr_cells_init(&cells, 0, MANY, 0);
    for (uint32_t i = 0; i < MANY; i++) taken[i] = tr_cells_take(&cells, &slots, &status);
    for (uint32_t i = 0; i < MANY; i++) tr_cells_release(&cells, &slots, taken[i]);
    assert_true(slots.count <= TR_SLOTS_AT_HAND);
    assert_int_equal(slots.count + cells.free_count, MANY);
    for (uint32_t i = 0; i < MANY; i++) assert_non_null(tr_cells_take(&cells, &slots, &status));
    assert_null(tr_cells_take(&cells, &slots, &status));
    tr_cells_free(&cells);
}

static void reserved_cells_are_made_on_demand_and_never_taken(void **state) {
    struct tr_cells cells;
    enum troupe_status status;
    uint32_t slot = 0;
    (void)state;
    tr_cells_init(&cells, RESERVED, 1000, 0);
    struct tr_cell *bound = tr_cells_make(&cells, 3);
    assert_int_equal(bound->slot, 3);
    assert_ptr_equal(tr_cells_make(&cells, 3), bound);
    assert_null(tr_cells_make(&cells, 100000));
    struct tr_cell *taken = tr_cells_take(&cells, NULL, &status);
    assert_int_equal(taken->slot, RESERVED);
    atomic_store(&bound->generation, TR_BOUND_GENERATION);
    assert_ptr_equal(tr_cells_next(&cells, &slot), bound);
    assert_ptr_equal(tr_cells_next(&cells, &slot), taken);
    assert_null(tr_cells_next(&cells, &slot));
    tr_cells_free(&cells);
}

static void a_life_goes_along_its_table(void **state) {
    struct tr_cells cells;
    enum troupe_status status;
    (void)state;
    tr_cells_init(&cells, 0, 10, 0);
    struct tr_cell *cell = tr_cells_take(&cells, NULL, &status);
    static const enum tr_life way[] = { TR_LIFE_DOWN, TR_LIFE_RUNNING, TR_LIFE_DOWN, TR_LIFE_EMPTY,
                                        TR_LIFE_RUNNING, TR_LIFE_EMPTY };
    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        tr_cell_move(cell, way[i]);
        assert_int_equal(cell->life, way[i]);
    }
    tr_cells_free(&cells);
}

static void a_start_notice_has_copies_of_its_strings(void **state) {
    char path[] = "/a/path", name[] = "name";
    (void)state;
    struct tr_notice *notice = tr_notice_start(NULL, &(struct tr_run_spec){ .path = path, .name = name, .run = 7 }, 5);
    path[0] = name[0] = '?';
    assert_string_equal(tr_order_of(notice)->start.path, "/a/path");
    assert_string_equal(tr_order_of(notice)->start.name, "name");
    assert_int_equal(tr_order_of(notice)->start.run, 7);
    assert_int_equal(notice->generation, 5);
    tr_notice_free(NULL, notice);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_stay_where_they_are),
        cmocka_unit_test(a_released_slot_is_taken_again),
        cmocka_unit_test(a_worker_keeps_some_at_hand_and_gives_back_the_rest),
        cmocka_unit_test(reserved_cells_are_made_on_demand_and_never_taken),
        cmocka_unit_test(a_life_goes_along_its_table),
        cmocka_unit_test(a_start_notice_has_copies_of_its_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
