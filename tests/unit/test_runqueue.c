/*
 * The run queues: rules in one thread, then an owner, thieves and outsiders in real threads: every item
 * is seen exactly once.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/inject.h"
#include "core/runqueue.h"

static struct tr_run_link links[2 * TR_RUNQUEUE_SIZE];

static void fill(struct tr_runqueue *queue, uint32_t from, uint32_t count) {
    for (uint32_t i = from; i < from + count; i++) assert_true(tr_runqueue_push(queue, &links[i]));
}

static void expect_links(struct tr_runqueue *queue, uint32_t from, uint32_t count) {
    assert_int_equal(tr_runqueue_size(queue), count);
    for (uint32_t i = from; i < from + count; i++) assert_ptr_equal(tr_runqueue_pop(queue), &links[i]);
    assert_null(tr_runqueue_pop(queue));
}

/* Whatever there is. */
static struct tr_run_link *steal(struct tr_runqueue *from, struct tr_runqueue *into) {
    return tr_runqueue_steal(from, into, tr_runqueue_end(from));
}

/* ---- One thread ---- */

static void first_in_is_first_out(void **state) {
    struct tr_runqueue queue = { .head = 0 };
    (void)state;
    assert_null(tr_runqueue_pop(&queue));
    for (int round = 0; round < 10; round++) { /* around the ring, too */
        fill(&queue, 0, 100);
        expect_links(&queue, 0, 100);
    }
}

static void a_full_queue_takes_no_more(void **state) {
    struct tr_runqueue queue = { .head = 0 };
    (void)state;
    fill(&queue, 0, TR_RUNQUEUE_SIZE);
    assert_false(tr_runqueue_push(&queue, &links[TR_RUNQUEUE_SIZE]));
    assert_ptr_equal(tr_runqueue_pop(&queue), &links[0]);
    fill(&queue, TR_RUNQUEUE_SIZE, 1);
    expect_links(&queue, 1, TR_RUNQUEUE_SIZE);
}

static void counts_wrap_around(void **state) {
    struct tr_runqueue queue = { .head = UINT32_MAX - 50, .tail = UINT32_MAX - 50 };
    struct tr_runqueue thief = { .head = UINT32_MAX - 10, .tail = UINT32_MAX - 10 };
    (void)state;
    fill(&queue, 0, TR_RUNQUEUE_SIZE);
    assert_false(tr_runqueue_push(&queue, &links[TR_RUNQUEUE_SIZE]));
    assert_ptr_equal(steal(&queue, &thief), &links[0]);
    expect_links(&thief, 1, TR_RUNQUEUE_SIZE / 2 - 1);
    expect_links(&queue, TR_RUNQUEUE_SIZE / 2, TR_RUNQUEUE_SIZE / 2);
}

static void a_thief_takes_the_older_half(void **state) {
    (void)state;
    for (uint32_t size = 1; size <= TR_RUNQUEUE_SIZE; size++) {
        struct tr_runqueue queue = { .head = 0 }, thief = { .head = 0 };
        uint32_t half = (size + 1) / 2;
        fill(&queue, 0, size);
        assert_ptr_equal(steal(&queue, &thief), &links[0]);
        expect_links(&thief, 1, half - 1);
        expect_links(&queue, half, size - half);
    }
}

static void the_owner_spills_the_oldest(void **state) {
    struct tr_run_link *first, *last;
    (void)state;
    for (uint32_t size = 1; size <= TR_RUNQUEUE_SIZE; size++) {
        struct tr_runqueue queue = { .head = UINT32_MAX - 50, .tail = UINT32_MAX - 50 };
        uint32_t few = size < TR_RUNQUEUE_SPILL ? size : TR_RUNQUEUE_SPILL, seen = 0;
        fill(&queue, 0, size);
        assert_int_equal(tr_runqueue_spill(&queue, &first, &last), few);
        last->next = NULL;
        for (; first != NULL; first = first->next) assert_ptr_equal(first, &links[seen++]);
        assert_int_equal(seen, few);
        expect_links(&queue, few, size - few);
        assert_int_equal(tr_runqueue_spill(&queue, &first, &last), 0);
    }
}

static void a_thief_takes_nothing_from_an_empty_queue(void **state) {
    struct tr_runqueue queue = { .head = 0 }, thief = { .head = 0 };
    (void)state;
    assert_null(steal(&queue, &thief));
    assert_int_equal(tr_runqueue_size(&thief), 0);
}

static void a_thief_takes_no_more_than_it_has_room_for(void **state) {
    struct tr_runqueue queue = { .head = 0 }, thief = { .head = 0 };
    (void)state;
    fill(&queue, 0, 20);
    fill(&thief, TR_RUNQUEUE_SIZE, TR_RUNQUEUE_SIZE - 3);
    assert_ptr_equal(steal(&queue, &thief), &links[0]);
    assert_int_equal(tr_runqueue_size(&thief), TR_RUNQUEUE_SIZE);
    assert_int_equal(tr_runqueue_size(&queue), 16);
    assert_ptr_equal(steal(&queue, &thief), &links[4]); /* only what it runs at once */
    expect_links(&queue, 5, 15);
}

static void a_thief_leaves_what_came_after_its_look(void **state) {
    struct tr_runqueue queue = { .head = UINT32_MAX - 2, .tail = UINT32_MAX - 2 }, thief = { .head = 0 };
    (void)state;
    fill(&queue, 0, 3);
    uint32_t end = tr_runqueue_end(&queue);
    fill(&queue, 3, 17);
    assert_ptr_equal(tr_runqueue_steal(&queue, &thief, end), &links[0]); /* not half of all */
    expect_links(&thief, 1, 2);
    assert_null(tr_runqueue_steal(&queue, &thief, end));
    expect_links(&queue, 3, 17);
    assert_null(tr_runqueue_steal(&queue, &thief, end)); /* a look of long ago */
}

static void the_shared_queue_is_first_in_first_out(void **state) {
    struct tr_inject inject;
    uint32_t count;
    (void)state;
    tr_inject_init(&inject);
    assert_null(tr_inject_pop(&inject));
    tr_inject_push(&inject, &links[0]);
    for (int i = 1; i < 4; i++) links[i].next = &links[i + 1];
    tr_inject_push_batch(&inject, &links[1], &links[4], 4);
    assert_int_equal(tr_inject_size(&inject), 5);
    assert_ptr_equal(tr_inject_pop(&inject), &links[0]);
    struct tr_run_link *chain = tr_inject_pop_batch(&inject, 3, &count);
    assert_int_equal(count, 3);
    assert_ptr_equal(chain, &links[1]);
    assert_ptr_equal(chain->next->next, &links[3]);
    assert_null(chain->next->next->next);
    assert_ptr_equal(tr_inject_pop_batch(&inject, 0, &count), NULL);
    assert_ptr_equal(tr_inject_pop_batch(&inject, 9, &count), &links[4]);
    assert_int_equal(count, 1);
    assert_ptr_equal(tr_inject_pop_batch(&inject, 9, &count), NULL);
    assert_int_equal(count, 0);
    tr_inject_destroy(&inject);
}

/* ---- Real threads ---- */

enum { THIEVES = 3, ITEMS = 2000000 };

struct item {
    struct tr_run_link link; /* the first member */
    uint32_t seen;           /* plain: a second reader would be a data race, too */
};

struct stress {
    struct tr_runqueue owner;
    struct tr_runqueue thieves[THIEVES];
    struct tr_inject inject;
    struct item *items;
    _Atomic uint32_t seen;
    _Atomic uint32_t stolen;
    _Atomic uint32_t spilled;
};

struct thief {
    struct stress *stress;
    struct tr_runqueue *own;
};

static bool see(struct stress *stress, struct tr_run_link *link) {
    if (link == NULL) return false;
    ((struct item *)(void *)link)->seen++;
    atomic_fetch_add_explicit(&stress->seen, 1, memory_order_relaxed);
    return true;
}

static bool steal_something(struct thief *thief) {
    struct stress *stress = thief->stress;
    struct tr_run_link *link = steal(&stress->owner, thief->own);
    for (int i = 0; i < THIEVES && link == NULL; i++)
        if (&stress->thieves[i] != thief->own) link = steal(&stress->thieves[i], thief->own);
    if (link != NULL) atomic_fetch_add_explicit(&stress->stolen, 1, memory_order_relaxed);
    return see(stress, link);
}

static bool drain_shared(struct stress *stress) {
    uint32_t count;
    struct tr_run_link *link = tr_inject_pop_batch(&stress->inject, 16, &count);
    while (link != NULL) {
        struct tr_run_link *next = link->next;
        see(stress, link);
        link = next;
    }
    return count > 0;
}

static void *thief_main(void *context) {
    struct thief *thief = context;
    while (atomic_load_explicit(&thief->stress->seen, memory_order_relaxed) < ITEMS) {
        bool found = see(thief->stress, tr_runqueue_pop(thief->own)) || steal_something(thief) ||
                     drain_shared(thief->stress);
        if (!found) sched_yield();
    }
    return NULL;
}

/* Pushes everything, pops some in between; what does not fit goes to the shared queue. */
static void own(struct stress *stress) {
    for (uint32_t i = 0; i < ITEMS; i++) {
        while (!tr_runqueue_push(&stress->owner, &stress->items[i].link)) {
            struct tr_run_link *first, *last;
            uint32_t count = tr_runqueue_spill(&stress->owner, &first, &last);
            if (count > 0) tr_inject_push_batch(&stress->inject, first, last, count);
            atomic_fetch_add_explicit(&stress->spilled, count, memory_order_relaxed);
            sched_yield(); /* there may be fewer cores than threads */
        }
        if (i % 3 == 0) see(stress, tr_runqueue_pop(&stress->owner));
    }
    while (see(stress, tr_runqueue_pop(&stress->owner))) {
    }
}

static void every_item_is_seen_exactly_once(void **state) {
    static struct stress stress;
    pthread_t threads[THIEVES];
    struct thief thieves[THIEVES];
    (void)state;
    stress.items = calloc(ITEMS, sizeof *stress.items);
    assert_non_null(stress.items);
    tr_inject_init(&stress.inject);
    for (int i = 0; i < THIEVES; i++) {
        thieves[i] = (struct thief){ &stress, &stress.thieves[i] };
        assert_int_equal(pthread_create(&threads[i], NULL, thief_main, &thieves[i]), 0);
    }
    own(&stress);
    for (int i = 0; i < THIEVES; i++) pthread_join(threads[i], NULL);
    print_message("  %u thefts, %u spilled\n", atomic_load(&stress.stolen), atomic_load(&stress.spilled));
    assert_int_equal(atomic_load(&stress.seen), ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++) assert_int_equal(stress.items[i].seen, 1);
    assert_true(atomic_load(&stress.stolen) > 0);
    tr_inject_destroy(&stress.inject);
    free(stress.items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_is_first_out),
        cmocka_unit_test(a_full_queue_takes_no_more),
        cmocka_unit_test(counts_wrap_around),
        cmocka_unit_test(a_thief_takes_the_older_half),
        cmocka_unit_test(the_owner_spills_the_oldest),
        cmocka_unit_test(a_thief_takes_nothing_from_an_empty_queue),
        cmocka_unit_test(a_thief_takes_no_more_than_it_has_room_for),
        cmocka_unit_test(a_thief_leaves_what_came_after_its_look),
        cmocka_unit_test(the_shared_queue_is_first_in_first_out),
        cmocka_unit_test(every_item_is_seen_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
