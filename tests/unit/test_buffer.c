/* core/buffer.h: who finds a buffer by which address, and when its memory goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "core/buffer.h"

static struct tr_buffers buffers;

static int begin(void **state) {
    (void)state;
    tr_buffers_init(&buffers);
    return 0;
}

static struct troupe_buffer_counts counts(void) {
    struct troupe_buffer_counts now;
    tr_buffers_count(&buffers, &now);
    return now;
}

/* Every test gives back what it took. */
static int end(void **state) {
    (void)state;
    assert_int_equal(counts().live, 0);
    assert_int_equal(counts().bytes, 0);
    tr_buffers_free(&buffers);
    return 0;
}

/* ---- Lists, as messages have them ---- */

enum { LIST = 4 };

static struct tr_shares *list_new(void) {
    struct tr_shares *list = malloc(sizeof *list + LIST * sizeof list->items[0]);
    *list = (struct tr_shares){ .buffers = &buffers };
    return list;
}

static void list_free(struct tr_shares *list) {
    tr_shares_release(list);
    free(list);
}

/* Whether a message that points there would share it. */
static bool is_shared(const void *data, size_t size) {
    struct tr_shares *list = list_new();
    bool shared = tr_shares_take(list, data, size) == data;
    assert_int_equal(list->count, 1);
    list_free(list);
    return shared;
}

/* ---- Addresses ---- */

static void every_address_within_is_known_and_none_beside(void **state) {
    enum { SIZE = 1000 };
    static char copy[3 * SIZE];
    (void)state;
    char *buffer = tr_buffers_make(&buffers, SIZE);
    memset(buffer, 1, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        assert_true(is_shared(buffer + i, 1));
        assert_true(is_shared(buffer + i, SIZE - i));
    }
    memcpy(copy, buffer, SIZE);
    assert_false(is_shared(copy, SIZE));
    assert_int_equal(tr_buffers_release(&buffers, copy), TROUPE_INVALID);
    assert_int_equal(tr_buffers_release(&buffers, buffer + SIZE), TROUPE_INVALID);
    assert_int_equal(tr_buffers_release(&buffers, buffer - 1), TROUPE_INVALID);
    assert_int_equal(tr_buffers_release(&buffers, buffer + SIZE - 1), TROUPE_OK);
}

static void a_buffer_of_nothing_has_an_address(void **state) {
    (void)state;
    void *a = tr_buffers_make(&buffers, 0), *b = tr_buffers_make(&buffers, 0);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    assert_int_equal(tr_buffers_release(&buffers, a), TROUPE_OK);
    assert_int_equal(tr_buffers_release(&buffers, b), TROUPE_OK);
}

static void what_no_memory_can_hold_is_refused(void **state) {
    (void)state;
    assert_null(tr_buffers_make(&buffers, SIZE_MAX));
    assert_null(tr_buffers_make(&buffers, SIZE_MAX / 2 + 1));
    assert_int_equal(counts().made, 0);
}

static void memory_is_aligned_for_any_type(void **state) {
    (void)state;
    for (size_t size = 1; size < 100; size++) {
        void *buffer = tr_buffers_make(&buffers, size);
        assert_int_equal((uintptr_t)buffer % _Alignof(max_align_t), 0);
        assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_OK);
    }
}

/* ---- References ---- */

static void a_message_keeps_what_the_program_gave_up(void **state) {
    (void)state;
    char *buffer = tr_buffers_make(&buffers, 100);
    struct tr_shares *list = list_new();
    strcpy(buffer, "still here");
    assert_ptr_equal(tr_shares_take(list, buffer, 11), buffer);
    assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_OK);
    assert_int_equal(counts().bytes, 100);
    assert_string_equal(buffer, "still here");
    assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_INVALID); /* the message's is not theirs */
    assert_string_equal(buffer, "still here");
    list_free(list);
}

static void what_a_handler_keeps_outlives_its_message(void **state) {
    (void)state;
    struct tr_shares *list = list_new();
    const char *text = tr_shares_take(list, "from elsewhere", 15);
    const char *kept = tr_buffers_keep(&buffers, text + 5, 10);
    assert_ptr_equal(kept, text + 5);
    list_free(list);
    assert_string_equal(kept, "elsewhere");
    assert_ptr_equal(tr_buffers_keep(&buffers, kept, 1), kept);
    assert_int_equal(tr_buffers_release(&buffers, kept), TROUPE_OK);
    assert_string_equal(kept, "elsewhere");
    assert_int_equal(tr_buffers_release(&buffers, kept + 3), TROUPE_OK);
}

static void what_is_in_no_buffer_is_copied_to_be_kept(void **state) {
    (void)state;
    char text[] = "on the stack";
    const char *kept = tr_buffers_keep(&buffers, text, sizeof text);
    assert_ptr_not_equal(kept, text);
    text[0] = 'O';
    assert_string_equal(kept, "on the stack");
    assert_int_equal(tr_buffers_release(&buffers, text), TROUPE_INVALID);
    assert_int_equal(tr_buffers_release(&buffers, kept), TROUPE_OK);
    const void *nothing = tr_buffers_keep(&buffers, NULL, 0);
    assert_non_null(nothing);
    assert_int_equal(tr_buffers_release(&buffers, nothing), TROUPE_OK);
    assert_int_equal(tr_buffers_release(&buffers, NULL), TROUPE_OK);
}

/* What nobody releases is not lost with the table: a leak checker watches. */
static void what_is_left_at_the_end_is_freed(void **state) {
    struct tr_buffers others;
    (void)state;
    tr_buffers_init(&others);
    for (size_t i = 0; i < 100; i++) assert_non_null(tr_buffers_make(&others, 1000));
    tr_buffers_free(&others);
}

/* ---- Many, whose lives overlap ---- */

struct held {
    uint8_t *at;
    size_t size;
    uint8_t mark;
};

static void check(const struct held *held) {
    for (size_t i = 0; i < held->size; i++) assert_int_equal(held->at[i], held->mark);
}

static void lives_that_overlap_do_not_meet(void **state) {
    enum { MANY = 300, STEPS = 20000 };
    static struct held all[MANY];
    struct tr_random random;
    (void)state;
    tr_random_seed(&random, 7);
    for (uint32_t step = 0; step < STEPS; step++) {
        struct held *held = &all[tr_random_below(&random, MANY)];
        if (held->at == NULL) {
            *held = (struct held){ .size = 1 + (size_t)tr_random_below(&random, 300), .mark = (uint8_t)step };
            held->at = tr_buffers_make(&buffers, held->size);
            memset(held->at, held->mark, held->size);
        } else {
            check(held);
            size_t inside = (size_t)tr_random_below(&random, held->size);
            assert_true(is_shared(held->at + inside, held->size - inside));
            assert_int_equal(tr_buffers_release(&buffers, held->at + inside), TROUPE_OK);
            held->at = NULL;
        }
    }
    uint64_t live = 0;
    for (uint32_t i = 0; i < MANY; i++) live += all[i].at != NULL;
    assert_int_equal(counts().live, live);
    for (uint32_t i = 0; i < MANY; i++)
        if (all[i].at != NULL) assert_int_equal(tr_buffers_release(&buffers, all[i].at), TROUPE_OK);
}

/* ---- Threads ---- */

enum { THREADS = 4, TURNS = 5000, SHARED = 4096 };

/* Each has a message that refers to the one buffer, passes it on to itself, and makes others meanwhile. */
static void *pass_on(void *data) {
    struct tr_shares *list = list_new();
    struct tr_random random;
    uintptr_t wrong = tr_shares_take(list, data, SHARED) != data;
    tr_random_seed(&random, (uintptr_t)&list);
    for (uint32_t i = 0; i < TURNS; i++) {
        struct tr_shares *next = list_new();
        wrong += tr_shares_take(next, data, SHARED) != data;
        uint8_t *own = tr_shares_make(next, 1 + (size_t)tr_random_below(&random, 5000));
        *own = (uint8_t)i;
        const uint8_t *kept = tr_buffers_keep(&buffers, own, 1);
        list_free(list);
        list = next;
        wrong += kept != own || *kept != (uint8_t)i || ((const uint8_t *)data)[i % SHARED] != 9;
        wrong += tr_buffers_release(&buffers, kept) != TROUPE_OK;
    }
    list_free(list);
    return (void *)wrong;
}

static void threads_share_and_part(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    void *data = tr_buffers_make(&buffers, SHARED);
    memset(data, 9, SHARED);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pass_on, data), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_int_equal(counts().live, 1);
    assert_int_equal(counts().made, 1 + THREADS * TURNS);
    assert_int_equal(tr_buffers_release(&buffers, data), TROUPE_OK);
}

enum { GRASPS = 300000 };

static pthread_barrier_t start_together;

static void *grasp(void *data) {
    struct tr_shares *list = list_new();
    uintptr_t wrong = 0;
    pthread_barrier_wait(&start_together);
    for (uint32_t i = 0; i < GRASPS; i++) {
        wrong += tr_shares_take(list, data, SHARED) != data;
        tr_shares_release(list);
    }
    list_free(list);
    return (void *)wrong;
}

/* At once and in no time: one that was lost would free the buffer, and make the last release one too many. */
static void no_reference_is_lost(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    void *data = tr_buffers_make(&buffers, SHARED);
    assert_int_equal(pthread_barrier_init(&start_together, NULL, THREADS), 0);
    for (uint32_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, grasp, data), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    pthread_barrier_destroy(&start_together);
    assert_int_equal(counts().live, 1);
    assert_int_equal(counts().made, 1);
    assert_int_equal(tr_buffers_release(&buffers, data), TROUPE_OK);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(every_address_within_is_known_and_none_beside),
        TEST(a_buffer_of_nothing_has_an_address),
        TEST(what_no_memory_can_hold_is_refused),
        TEST(memory_is_aligned_for_any_type),
        TEST(a_message_keeps_what_the_program_gave_up),
        TEST(what_a_handler_keeps_outlives_its_message),
        TEST(what_is_in_no_buffer_is_copied_to_be_kept),
        TEST(what_is_left_at_the_end_is_freed),
        TEST(lives_that_overlap_do_not_meet),
        TEST(threads_share_and_part),
        TEST(no_reference_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
