/* The ring: keys are spread evenly, and only those move that must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/hash_ring.h"

enum { KEYS = 20000 };

static struct tr_hash_ring ring;

static troupe_address at(uint32_t slot) { return (troupe_address){ 1, slot, 1 }; }

static void members(uint32_t count) {
    ring.count = 0;
    for (uint32_t i = 1; i <= count; i++) tr_ring_add(&ring, at(i));
}

static void nobody_has_the_keys_of_an_empty_ring(void **state) {
    (void)state;
    members(0);
    assert_true(troupe_address_is_none(tr_ring_find(&ring, 1)));
    members(1);
    for (uint64_t key = 0; key < 100; key++) assert_true(troupe_address_equal(tr_ring_find(&ring, key), at(1)));
}

static void keys_are_spread(void **state) {
    uint32_t has[11] = { 0 };
    (void)state;
    members(10);
    for (uint64_t key = 0; key < KEYS; key++) has[tr_ring_find(&ring, key).slot]++;
    for (uint32_t i = 1; i <= 10; i++) {
        assert_true(has[i] > KEYS / 10 / 2);
        assert_true(has[i] < KEYS / 10 * 2);
    }
}

/* One more of n: about one in n + 1 keys, and all of them to the new one. One less: its own, and no other. */
static void only_one_share_moves(void **state) {
    static troupe_address before[KEYS];
    (void)state;
    for (uint32_t n = 1; n <= 30; n++) {
        uint32_t moved = 0;
        members(n);
        for (uint64_t key = 0; key < KEYS; key++) before[key] = tr_ring_find(&ring, key);
        tr_ring_add(&ring, at(n + 1));
        for (uint64_t key = 0; key < KEYS; key++) {
            troupe_address now = tr_ring_find(&ring, key);
            if (troupe_address_equal(now, before[key])) continue;
            assert_true(troupe_address_equal(now, at(n + 1)));
            moved++;
        }
        assert_true(moved > 0 && moved < 2 * KEYS / (n + 1));
        tr_ring_remove(&ring, at(n + 1));
        for (uint64_t key = 0; key < KEYS; key++)
            assert_true(troupe_address_equal(tr_ring_find(&ring, key), before[key]));
    }
}

/* In whatever order they came. */
static void all_see_the_same_ring(void **state) {
    static troupe_address before[KEYS];
    (void)state;
    members(20);
    for (uint64_t key = 0; key < KEYS; key++) before[key] = tr_ring_find(&ring, key);
    ring.count = 0;
    for (uint32_t i = 20; i >= 1; i--) tr_ring_add(&ring, at(i));
    for (uint64_t key = 0; key < KEYS; key++)
        assert_true(troupe_address_equal(tr_ring_find(&ring, key), before[key]));
}

static void as_many_as_there_may_be(void **state) {
    (void)state;
    members(TR_RING_MEMBERS);
    assert_int_equal(ring.count, TR_RING_MEMBERS * TR_RING_POINTS);
    assert_false(troupe_address_is_none(tr_ring_find(&ring, 7)));
    for (uint32_t i = 1; i <= TR_RING_MEMBERS; i++) tr_ring_remove(&ring, at(i));
    assert_int_equal(ring.count, 0);
}

#define INNER(field) field(u8, n)
TROUPE_MESSAGE(inner, INNER)
#define KEYED(field)                                                                                                   \
    field(i8, a) field(u16, b) field(i32, c) field(u64, d) field(bool, e) field(f64, f) field(str, g) field(bytes, h)  \
    field(address, i) field(message(inner), j) field(array(u8), k)
TROUPE_MESSAGE(keyed, KEYED)

static void any_plain_field_is_a_key(void **state) {
    static const char *const plain[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
    struct keyed one = { .g = "x", .h = { "yz", 2 } }, same = one, other = { 1, 1, 1, 1, true, 1, "w", { "yy", 2 }, { 1, 1, 1 }, { 0 }, { NULL, 0 } };
    uint64_t first, second;
    char text[] = "x";
    same.g = text; /* the same text elsewhere */
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        assert_true(tr_ring_key(&keyed_message, &one, plain[i], &first));
        assert_true(tr_ring_key(&keyed_message, &same, plain[i], &second));
        assert_true(first == second);
        assert_true(tr_ring_key(&keyed_message, &other, plain[i], &second));
        assert_true(first != second);
    }
    assert_false(tr_ring_key(&keyed_message, &one, "j", &first));
    assert_false(tr_ring_key(&keyed_message, &one, "k", &first));
    assert_false(tr_ring_key(&keyed_message, &one, "l", &first));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_the_keys_of_an_empty_ring),
        cmocka_unit_test(keys_are_spread),
        cmocka_unit_test(only_one_share_moves),
        cmocka_unit_test(all_see_the_same_ring),
        cmocka_unit_test(as_many_as_there_may_be),
        cmocka_unit_test(any_plain_field_is_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
