/* What a thief takes from another worker, and when. No threads, and a clock of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/worker.h"

enum { LATE = 10000 };

static struct tr_run_link links[16];

struct pair {
    struct tr_node node;
    struct tr_worker *workers, *victim, *thief;
};

static void make(struct pair *pair) {
    size_t size = 2 * sizeof(struct tr_worker);
    memset(pair, 0, sizeof *pair);
    pair->workers = aligned_alloc(128, (size + 127) / 128 * 128);
    assert_non_null(pair->workers);
    memset(pair->workers, 0, size);
    pair->node.workers = pair->workers;
    pair->node.worker_count = 2;
    for (uint32_t i = 0; i < 2; i++) pair->workers[i].node = &pair->node;
    pair->workers[1].index = 1;
    pair->victim = &pair->workers[0];
    pair->thief = &pair->workers[1];
}

static void queue(struct pair *pair, uint32_t from, uint32_t count) {
    for (uint32_t i = from; i < from + count; i++)
        assert_true(tr_runqueue_push(&pair->victim->queue, &links[i]));
}

static void begin_turn(struct pair *pair) {
    atomic_fetch_add(&pair->victim->ticks, 1);
}

static void what_has_not_been_seen_for_long_is_left(void **state) {
    struct pair pair;
    (void)state;
    make(&pair);
    queue(&pair, 0, 4);
    assert_null(tr_steal_late(pair.thief, 10 * LATE));          /* the first look */
    assert_null(tr_steal_late(pair.thief, 10 * LATE + LATE - 1));
    queue(&pair, 4, 4);
    assert_ptr_equal(tr_steal_late(pair.thief, 11 * LATE), &links[0]);
    assert_int_equal(tr_runqueue_size(&pair.thief->queue), 3);  /* the four that were seen */
    assert_null(tr_steal_late(pair.thief, 12 * LATE - 1));
    assert_ptr_equal(tr_steal_late(pair.thief, 12 * LATE), &links[4]);
    free(pair.workers);
}

static void the_rest_of_what_was_seen_is_taken_at_once(void **state) {
    struct pair pair;
    (void)state;
    make(&pair);
    queue(&pair, 0, 8);
    assert_null(tr_steal_late(pair.thief, 10 * LATE));
    assert_ptr_equal(tr_steal_late(pair.thief, 11 * LATE), &links[0]);
    assert_ptr_equal(tr_steal_late(pair.thief, 11 * LATE + 1), &links[4]);
    assert_ptr_equal(tr_steal_late(pair.thief, 11 * LATE + 2), &links[6]);
    assert_ptr_equal(tr_steal_late(pair.thief, 11 * LATE + 3), &links[7]);
    assert_null(tr_steal_late(pair.thief, 11 * LATE + 4));
    free(pair.workers);
}

static void the_slot_of_a_worker_that_goes_on_is_left(void **state) {
    struct pair pair;
    (void)state;
    make(&pair);
    begin_turn(&pair); /* the one in which the slot was filled */
    atomic_store(&pair.victim->next, &links[0]);
    assert_null(tr_steal_late(pair.thief, 10 * LATE));
    begin_turn(&pair);
    assert_null(tr_steal_late(pair.thief, 11 * LATE));
    assert_null(tr_steal_late(pair.thief, 12 * LATE - 1));
    assert_ptr_equal(tr_steal_late(pair.thief, 12 * LATE), &links[0]); /* the same turn all the time */
    assert_null(atomic_load(&pair.victim->next));
    free(pair.workers);
}

static void before_it_sleeps_a_thief_takes_anything(void **state) {
    struct pair pair;
    (void)state;
    make(&pair);
    assert_null(tr_steal(pair.thief));
    queue(&pair, 0, 1);
    atomic_store(&pair.victim->next, &links[1]);
    assert_ptr_equal(tr_steal(pair.thief), &links[0]);
    assert_ptr_equal(tr_steal(pair.thief), &links[1]);
    assert_null(tr_steal(pair.thief));
    free(pair.workers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_not_been_seen_for_long_is_left),
        cmocka_unit_test(the_rest_of_what_was_seen_is_taken_at_once),
        cmocka_unit_test(the_slot_of_a_worker_that_goes_on_is_left),
        cmocka_unit_test(before_it_sleeps_a_thief_takes_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
