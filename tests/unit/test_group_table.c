/* The table of groups: who is in what, what is shared stays as it was, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/group_table.h"

static troupe_address at(uint64_t node, uint32_t slot) { return (troupe_address){ node, slot, 1 }; }

static struct tr_group *made(struct tr_group_table *table, enum tr_group_space space, const char *name) {
    struct tr_group *group;
    assert_int_equal(tr_group_make(table, space, name, &group), TROUPE_OK);
    return group;
}

static void expect(const struct tr_roster *roster, const uint32_t *slots, uint32_t count) {
    assert_int_equal(tr_roster_count(roster), count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(roster->items[i].slot, slots[i]);
}

static void members_come_and_go_in_their_order(void **state) {
    struct tr_group_table table = { 0 };
    (void)state;
    struct tr_group *group = made(&table, TR_GROUP, "g");
    for (uint32_t i = 1; i <= 10; i++) assert_int_equal(tr_group_add(&table, group, true, at(1, i)), TROUPE_OK);
    assert_int_equal(tr_group_add(&table, group, true, at(1, 5)), TROUPE_EXISTS);
    assert_int_equal(tr_group_add(&table, group, false, at(2, 5)), TROUPE_OK);
    assert_true(tr_group_remove(&table, group, true, at(1, 1)));
    assert_true(tr_group_remove(&table, group, true, at(1, 5)));
    assert_true(tr_group_remove(&table, group, true, at(1, 10)));
    assert_false(tr_group_remove(&table, group, true, at(1, 5)));
    assert_false(tr_group_remove(&table, group, true, at(2, 5)));
    expect(group->here, (uint32_t[]){ 2, 3, 4, 6, 7, 8, 9 }, 7);
    expect(group->there, (uint32_t[]){ 5 }, 1);
    assert_int_equal(table.memberships, 8);
    tr_group_table_free(&table);
}

static void what_is_shared_stays_as_it_was(void **state) {
    struct tr_group_table table = { 0 };
    (void)state;
    struct tr_group *group = made(&table, TR_TOPIC, "t");
    for (uint32_t i = 1; i <= 3; i++) assert_int_equal(tr_group_add(&table, group, true, at(1, i)), TROUPE_OK);
    struct tr_roster *before = tr_roster_share(group->here);
    assert_true(tr_group_remove(&table, group, true, at(1, 2)));
    assert_ptr_not_equal(group->here, before);
    expect(before, (uint32_t[]){ 1, 2, 3 }, 3);
    expect(group->here, (uint32_t[]){ 1, 3 }, 2);
    struct tr_roster *later = tr_roster_share(group->here);
    assert_int_equal(tr_group_add(&table, group, true, at(1, 4)), TROUPE_OK);
    expect(later, (uint32_t[]){ 1, 3 }, 2);
    expect(group->here, (uint32_t[]){ 1, 3, 4 }, 3);
    tr_roster_drop(before);
    tr_roster_drop(later);
    struct tr_roster *alone = group->here;
    assert_true(tr_group_remove(&table, group, true, at(1, 3)));
    assert_ptr_equal(group->here, alone); /* nobody shares it: no copy */
    struct tr_roster *last = tr_roster_share(group->here);
    assert_true(tr_group_remove(&table, group, true, at(1, 1)));
    assert_true(tr_group_remove(&table, group, true, at(1, 4)));
    assert_null(group->here);
    expect(last, (uint32_t[]){ 1, 4 }, 2);
    tr_roster_drop(last);
    tr_group_tidy(&table, group);
    assert_int_equal(table.count, 0);
    tr_group_table_free(&table);
}

static uint32_t lost[8], lost_count;

static void note_gone(void *context, struct tr_group *group, troupe_address member) {
    assert_ptr_equal(context, group);
    lost[lost_count++] = member.slot;
}

static void a_node_goes_with_all_its_members(void **state) {
    struct tr_group_table table = { 0 };
    (void)state;
    struct tr_group *group = made(&table, TR_GROUP, "g");
    for (uint32_t i = 1; i <= 6; i++)
        assert_int_equal(tr_group_add(&table, group, false, at(2 + i % 2, i)), TROUPE_OK);
    struct tr_roster *before = tr_roster_share(group->there);
    tr_group_remove_node(&table, group, 3, note_gone, group);
    expect(before, (uint32_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
    expect(group->there, (uint32_t[]){ 2, 4, 6 }, 3);
    assert_int_equal(lost_count, 3);
    assert_true(lost[0] == 1 && lost[1] == 3 && lost[2] == 5);
    tr_group_remove_node(&table, group, 3, note_gone, group);
    assert_int_equal(lost_count, 3);
    tr_group_remove_node(&table, group, 2, note_gone, group);
    assert_null(group->there);
    assert_int_equal(table.memberships, 0);
    tr_roster_drop(before);
    tr_group_table_free(&table);
}

enum { MANY = 10000 };

static void many_groups_are_found_and_forgotten(void **state) {
    struct tr_group_table table = { 0 };
    char name[16];
    uint32_t seen = 0;
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "g%u", i);
        struct tr_group *group = made(&table, i % 2 == 0 ? TR_GROUP : TR_TOPIC, name);
        assert_int_equal(tr_group_add(&table, group, true, at(1, i + 1)), TROUPE_OK);
    }
    assert_null(tr_group_find(&table, TR_TOPIC, "g0"));
    assert_null(tr_group_find(&table, TR_GROUP, "g1"));
    for (struct tr_group *group = tr_group_next(&table, NULL), *next; group != NULL; group = next, seen++) {
        next = tr_group_next(&table, group);
        assert_true(tr_group_remove(&table, group, true, group->here->items[0]));
        tr_group_tidy(&table, group);
    }
    assert_int_equal(seen, MANY);
    assert_int_equal(table.count, 0);
    tr_group_table_free(&table);
}

static void there_is_an_end_to_groups_and_to_members(void **state) {
    struct tr_group_table table = { 0 };
    struct tr_group *group;
    char name[16];
    (void)state;
    for (uint32_t i = 0; i < TR_GROUPS_MAX; i++) {
        snprintf(name, sizeof name, "g%u", i);
        (void)made(&table, TR_GROUP, name);
    }
    assert_int_equal(tr_group_make(&table, TR_GROUP, "more", &group), TROUPE_LIMIT);
    assert_null(group);
    table.memberships = TR_MEMBERSHIPS_MAX;
    assert_int_equal(tr_group_add(&table, made(&table, TR_GROUP, "g1"), true, at(1, 1)), TROUPE_LIMIT);
    tr_group_table_free(&table);
}

/* Against a plain list: ten thousand random changes of one group, some of them while it is shared. */
static void as_a_plain_list(void **state) {
    struct tr_group_table table = { 0 };
    struct tr_roster *shared = NULL;
    uint32_t plain[64], count = 0, random = 1;
    (void)state;
    struct tr_group *group = made(&table, TR_GROUP, "g");
    for (uint32_t turn = 0; turn < MANY; turn++) {
        random = random * 1664525 + 1013904223;
        uint32_t slot = 1 + (random >> 8) % 40, place = 0;
        while (place < count && plain[place] != slot) place++;
        if (random >> 30 != 0) {
            enum troupe_status status = tr_group_add(&table, group, true, at(1, slot));
            assert_int_equal(status, place < count ? TROUPE_EXISTS : TROUPE_OK);
            if (place == count) plain[count++] = slot;
        } else {
            assert_int_equal(tr_group_remove(&table, group, true, at(1, slot)), place < count);
            for (uint32_t i = place; i + 1 < count; i++) plain[i] = plain[i + 1];
            if (place < count) count--;
        }
        expect(group->here, plain, count);
        if (turn % 7 == 0) {
            tr_roster_drop(shared);
            shared = turn % 2 == 0 ? tr_roster_share(group->here) : NULL;
        }
    }
    tr_roster_drop(shared);
    tr_group_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_and_go_in_their_order),
        cmocka_unit_test(what_is_shared_stays_as_it_was),
        cmocka_unit_test(a_node_goes_with_all_its_members),
        cmocka_unit_test(many_groups_are_found_and_forgotten),
        cmocka_unit_test(there_is_an_end_to_groups_and_to_members),
        cmocka_unit_test(as_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
