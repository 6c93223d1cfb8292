/*
 * The pool of message memory: sizes, reuse, what goes through the depot, bounds; then two real threads, one
 * that takes and one that gives, as a sender and a receiver do.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/pool.h"

static struct tr_depot depot;

static int begin(void **state) {
    (void)state;
    tr_depot_init(&depot);
    return 0;
}

static int end(void **state) {
    (void)state;
    tr_depot_free(&depot);
    return 0;
}

/* Under the sanitizer of addresses all memory is plain. */
static bool is_off(void) {
    struct tr_pool pool = { .depot = &depot };
    uint8_t kind;
    free(tr_pool_take(&pool, 1, &kind));
    return kind == 0;
}

static void every_size_is_there_to_its_last_byte(void **state) {
    struct tr_pool pool = { .depot = &depot };
    (void)state;
    for (size_t size = 1; size < 600; size++) {
        uint8_t kind;
        void *block = tr_pool_take(size % 2 == 0 ? &pool : NULL, size, &kind);
        assert_non_null(block);
        memset(block, 0xA5, size);
        if (size % 2 == 1 || size > 256) assert_int_equal(kind, 0);
        tr_pool_give(&pool, block, kind);
    }
    tr_pool_free(&pool);
}

static void what_was_given_is_taken_again(void **state) {
    struct tr_pool pool = { .depot = &depot };
    uint8_t kind;
    (void)state;
    if (is_off()) skip();
    void *block = tr_pool_take(&pool, 100, &kind);
    tr_pool_give(&pool, block, kind);
    assert_ptr_equal(tr_pool_take(&pool, 128, &kind), block); /* of the same size */
    void *other = tr_pool_take(&pool, 90, &kind);
    assert_ptr_not_equal(other, block);
    free(block); /* any block may simply be freed */
    free(other);
    tr_pool_free(&pool);
}

static void what_one_gives_another_takes(void **state) {
    static void *blocks[8 * TR_POOL_PIECE];
    struct tr_pool giver = { .depot = &depot }, taker = { .depot = &depot };
    uint8_t kind;
    uint32_t again = 0;
    (void)state;
    if (is_off()) skip();
    for (uint32_t i = 0; i < 8 * TR_POOL_PIECE; i++) blocks[i] = tr_pool_take(&giver, 96, &kind);
    for (uint32_t i = 0; i < 8 * TR_POOL_PIECE; i++) tr_pool_give(&giver, blocks[i], 1);
    assert_int_equal(depot.count[0], 6); /* two pieces stay with the giver */
    for (uint32_t i = 0; i < 6 * TR_POOL_PIECE; i++) {
        void *block = tr_pool_take(&taker, 96, &kind);
        for (uint32_t b = 0; b < 8 * TR_POOL_PIECE; b++) again += blocks[b] == block;
        tr_pool_give(&giver, block, kind);
    }
    assert_int_equal(again, 6 * TR_POOL_PIECE);
    tr_pool_free(&giver);
    tr_pool_free(&taker);
}

static void the_depot_is_bounded(void **state) {
    struct tr_pool pool = { .depot = &depot };
    (void)state;
    if (is_off()) skip();
    for (uint32_t i = 0; i < (TR_POOL_PIECES + 10) * TR_POOL_PIECE; i++)
        tr_pool_give(&pool, malloc(96), 1); /* the sanitizer of leaks looks at the end */
    assert_int_equal(depot.count[0], TR_POOL_PIECES);
    tr_pool_free(&pool);
}

/* ---- Real threads ---- */

enum { BLOCKS = 200000, ON_THE_WAY = 4096 };

static struct {
    _Atomic(uint32_t *) slots[ON_THE_WAY];
    uint32_t wrong;
} way;

static void *take_and_send(void *unused) {
    struct tr_pool pool = { .depot = &depot };
    (void)unused;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint8_t kind;
        uint32_t *block = tr_pool_take(&pool, 64 + i % 192, &kind);
        block[0] = i;
        block[1] = kind;
        while (atomic_load(&way.slots[i % ON_THE_WAY]) != NULL) sched_yield();
        atomic_store(&way.slots[i % ON_THE_WAY], block);
    }
    tr_pool_free(&pool);
    return NULL;
}

static void *receive_and_give(void *unused) {
    struct tr_pool pool = { .depot = &depot };
    (void)unused;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint32_t *block;
        while ((block = atomic_exchange(&way.slots[i % ON_THE_WAY], NULL)) == NULL) sched_yield();
        way.wrong += block[0] != i;
        tr_pool_give(&pool, block, (uint8_t)block[1]);
    }
    tr_pool_free(&pool);
    return NULL;
}

static void no_block_is_two_messages_at_once(void **state) {
    pthread_t sender, receiver;
    (void)state;
    assert_int_equal(pthread_create(&sender, NULL, take_and_send, NULL), 0);
    assert_int_equal(pthread_create(&receiver, NULL, receive_and_give, NULL), 0);
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
    assert_int_equal(way.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_size_is_there_to_its_last_byte, begin, end),
        cmocka_unit_test_setup_teardown(what_was_given_is_taken_again, begin, end),
        cmocka_unit_test_setup_teardown(what_one_gives_another_takes, begin, end),
        cmocka_unit_test_setup_teardown(the_depot_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(no_block_is_two_messages_at_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
