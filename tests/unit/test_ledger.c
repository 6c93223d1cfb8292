/*
 * The ledger: what a reader finds there about each message after the death of its writer.
 */
#include "place/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHANNEL = 7 };

static int new_half(void **state) {
    *state = calloc(1, sizeof(struct tr_ledger_half));
    return *state == NULL ? -1 : 0;
}

static int free_half(void **state) {
    free(*state);
    return 0;
}

/* As a receiver does: the mark first, then the count. */
static void settle(struct tr_ledger_half *half, uint64_t sequence, bool dead) {
    tr_ledger_mark(half, CHANNEL, sequence, dead);
    atomic_store(&half->settled[CHANNEL], sequence);
}

static void each_message_has_its_fate(void **state) {
    struct tr_ledger_half *half = *state;
    tr_ledger_open(half, CHANNEL);
    settle(half, 1, false);
    settle(half, 2, true);
    atomic_store(&half->current[3], (uint64_t)(CHANNEL + 1) << TR_LEDGER_SEQUENCE_BITS | 3);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 1), TR_FATE_HANDLED);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 2), TR_FATE_DEAD);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 3), TR_FATE_IN_DOUBT);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 4), TR_FATE_UNHANDLED);
    assert_int_equal(tr_ledger_fate(half, CHANNEL + 1, 1), TR_FATE_UNHANDLED);
}

/* Killed between the two: it was still at hand, or waiting. */
static void a_mark_without_its_count_says_nothing(void **state) {
    struct tr_ledger_half *half = *state;
    tr_ledger_open(half, CHANNEL);
    tr_ledger_mark(half, CHANNEL, 1, true);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 1), TR_FATE_UNHANDLED);
}

static void a_whole_window_of_marks(void **state) {
    struct tr_ledger_half *half = *state;
    const uint64_t first = 5 * TR_PEER_WINDOW + 17;
    tr_ledger_open(half, CHANNEL);
    for (uint64_t n = 1; n < first; n++) settle(half, n, n % 3 != 0);
    for (uint64_t n = first; n < first + TR_PEER_WINDOW; n++) settle(half, n, n % 3 == 0);
    for (uint64_t n = first; n < first + TR_PEER_WINDOW; n++)
        assert_int_equal(tr_ledger_fate(half, CHANNEL, n), n % 3 == 0 ? TR_FATE_DEAD : TR_FATE_HANDLED);
}

static void a_new_channel_begins_without_marks(void **state) {
    struct tr_ledger_half *half = *state;
    tr_ledger_open(half, CHANNEL);
    for (uint64_t n = 1; n <= TR_PEER_WINDOW; n++) settle(half, n, true);
    tr_ledger_mark(half, CHANNEL + 1, 1, true);
    tr_ledger_open(half, CHANNEL);
    assert_int_equal(tr_ledger_fate(half, CHANNEL, 1), TR_FATE_UNHANDLED);
    for (uint64_t n = 1; n <= TR_PEER_WINDOW; n++) assert_false(tr_ledger_is_dead(half, CHANNEL, n));
    assert_true(tr_ledger_is_dead(half, CHANNEL + 1, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_half, free_half)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_message_has_its_fate),
        TEST(a_mark_without_its_count_says_nothing),
        TEST(a_whole_window_of_marks),
        TEST(a_new_channel_begins_without_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
