/*
 * The machine of monitors and links, word by word: what OTP's rules say, what nobody asked for, and what is too much. Its
 * races are the simulation's (sim_bonds.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/bonds.h"

static const troupe_address other = { 1, 7, 1 }, third = { 2, 8, 1 };

static char said[512];
static struct tr_bond *told;
static bool poor; /* no memory for others' bonds */
static uint32_t live;

static void note(const char *what, uint64_t id) {
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s%s %u", length == 0 ? "" : ", ", what, (unsigned)id);
}

static void expect(const char *text) {
    assert_string_equal(said, text);
    said[0] = '\0';
}

static struct tr_bond *new_bond(enum tr_bond_kind kind, troupe_address with, uint64_t id) {
    struct tr_bond *bond = calloc(1, sizeof *bond);
    assert_non_null(bond);
    *bond = (struct tr_bond){ .kind = (uint8_t)kind, .other = with, .id = id };
    live++;
    return bond;
}

static struct tr_bond *make(void *context, enum tr_bond_kind kind, troupe_address with, uint64_t id) {
    (void)context;
    return poor ? NULL : new_bond(kind, with, id);
}
static void drop(void *context, struct tr_bond *bond) {
    (void)context;
    if (told == bond) told = NULL;
    live--;
    free(bond);
}
static void part(void *context, struct tr_bond *bond, enum tr_bond_word word) {
    note(word == TR_WORD_END ? "end" : word == TR_WORD_UNLINK ? "unlink" : "unwatch", bond->id);
    drop(context, bond);
}
static void withdraw(void *context, const struct tr_bond *bond, enum tr_bond_word word) {
    (void)context;
    note(word == TR_WORD_UNLINK ? "withdraw link" : "withdraw watch", bond->id);
}
static void refuse(void *context, troupe_address with, uint64_t id, enum troupe_status status) {
    (void)context;
    (void)with;
    note(status == TROUPE_LIMIT ? "too many" : "refused", id);
}
static void tell(void *context, struct tr_bond *bond, const void *reason) {
    (void)context;
    (void)reason;
    told = bond;
    note(bond->kind == TR_BOND_LINK ? "exited" : "down", bond->id);
}
static void end(void *context, troupe_address with, const void *reason) {
    (void)context;
    (void)reason;
    note("ends by", with.slot);
}

static const struct tr_bonds_io io = { make, drop, part, withdraw, refuse, tell, end };

static struct tr_bonds bonds;

static int setup(void **state) {
    (void)state;
    tr_bonds_init(&bonds, &io);
    said[0] = '\0';
    told = NULL;
    poor = false;
    return 0;
}

static int nothing_is_left(void **state) {
    (void)state;
    tr_bonds_end(&bonds);
    tr_bonds_free(&bonds);
    assert_int_equal(live, 0);
    return 0;
}

static void add(enum tr_bond_kind kind, troupe_address with, uint64_t id) {
    struct tr_bond *bond = new_bond(kind, with, id);
    bond->ours = true;
    assert_int_equal(tr_bonds_room(&bonds, 1), TROUPE_OK);
    tr_bonds_add(&bonds, bond);
}

static void word(enum tr_bond_word what, troupe_address from, uint64_t id) {
    tr_bonds_word(&bonds, what, from, id, false, NULL);
}

static void a_monitor_tells_once(void **state) {
    (void)state;
    add(TR_BOND_WATCHES, other, 1);
    word(TR_WORD_END, other, 1);
    expect("down 1");
    word(TR_WORD_END, other, 1);
    expect("");
    tr_bonds_handled(&bonds, told);
    assert_null(tr_bonds_watch(&bonds, 1));
    word(TR_WORD_END, other, 1);
    expect("");
}

static void what_is_taken_back_is_silent(void **state) {
    (void)state;
    add(TR_BOND_WATCHES, other, 1);
    add(TR_BOND_WATCHES, other, 2);
    tr_bonds_unwatch(&bonds, tr_bonds_watch(&bonds, 1));
    expect("unwatch 1");
    word(TR_WORD_END, other, 1);
    expect("");
    word(TR_WORD_END, other, 2);
    expect("down 2");
    tr_bonds_unwatch(&bonds, tr_bonds_watch(&bonds, 2)); /* its message waits: there is nobody to tell */
    expect("");
    assert_null(told);
}

static void a_link_ends_both(void **state) {
    (void)state;
    add(TR_BOND_LINK, other, 1);
    assert_true(tr_bonds_is_linked(&bonds, other));
    tr_bonds_word(&bonds, TR_WORD_END, other, 1, true, NULL);
    expect("");
    assert_false(tr_bonds_is_linked(&bonds, other));
    add(TR_BOND_LINK, other, 2);
    word(TR_WORD_END, other, 2);
    expect("ends by 7");
}

static void who_traps_is_told(void **state) {
    (void)state;
    bonds.traps = true;
    add(TR_BOND_LINK, other, 1);
    tr_bonds_word(&bonds, TR_WORD_END, other, 1, true, NULL);
    expect("exited 1");
    assert_false(tr_bonds_is_linked(&bonds, other));
    add(TR_BOND_LINK, other, 2); /* the message of the one before waits meanwhile */
    assert_true(tr_bonds_unlink(&bonds, other));
    expect("unlink 2");
    assert_null(told);
    assert_false(tr_bonds_unlink(&bonds, other));
}

static void both_make_a_link(void **state) {
    (void)state;
    bonds.traps = true;
    add(TR_BOND_LINK, other, 1);
    word(TR_WORD_LINK, other, 2);
    word(TR_WORD_END, other, 2);
    expect("unlink 1, exited 2");
    word(TR_WORD_END, other, 1);
    expect("");
    tr_bonds_handled(&bonds, told);
    add(TR_BOND_LINK, other, 3);
    word(TR_WORD_LINK, other, 4);
    assert_true(tr_bonds_unlink(&bonds, other));
    assert_int_equal(bonds.count, 0);
    word(TR_WORD_END, other, 4);
}

/* A link that was made again is another: an end that was on its way is that of the one before. */
static void unlinked_and_linked_again(void **state) {
    (void)state;
    add(TR_BOND_LINK, other, 1);
    tr_bonds_unlink(&bonds, other);
    add(TR_BOND_LINK, other, 2);
    word(TR_WORD_END, other, 1);
    word(TR_WORD_UNLINK, other, 1);
    expect("unlink 1");
    assert_true(tr_bonds_is_linked(&bonds, other));
}

static void all_are_told_of_the_end(void **state) {
    (void)state;
    word(TR_WORD_WATCH, other, 1);
    word(TR_WORD_LINK, third, 2);
    add(TR_BOND_WATCHES, third, 3);
    word(TR_WORD_WATCH, third, 4);
    word(TR_WORD_UNWATCH, third, 4);
    tr_bonds_end(&bonds);
    expect("end 1, end 2, unwatch 3");
}

static void a_node_dies(void **state) {
    (void)state;
    bonds.traps = true;
    add(TR_BOND_WATCHES, other, 1);
    add(TR_BOND_LINK, other, 2);
    word(TR_WORD_LINK, third, 3);
    word(TR_WORD_WATCH, other, 4);
    word(TR_WORD_LOST, other, 1);
    word(TR_WORD_LOST, other, 2);
    word(TR_WORD_LOST, third, 3);
    word(TR_WORD_LOST, other, 4);
    expect("withdraw watch 1, down 1, withdraw link 2, exited 2, exited 3");
    word(TR_WORD_LOST, other, 1);
    expect("");
}

/* Whoever has found out an id is still not the one it is with; and words that fit nothing change nothing. */
static void words_are_not_believed(void **state) {
    (void)state;
    add(TR_BOND_WATCHES, other, 1);
    add(TR_BOND_LINK, other, 2);
    word(TR_WORD_WATCH, other, 3);
    for (enum tr_bond_word what = TR_WORD_WATCH; what <= TR_WORD_LOST; what++) {
        if (what == TR_WORD_WATCH || what == TR_WORD_LINK) continue;
        for (uint64_t id = 0; id < 10; id++) word(what, third, id);
    }
    word(TR_WORD_UNWATCH, other, 1);
    word(TR_WORD_UNLINK, other, 1);
    word(TR_WORD_UNWATCH, other, 2);
    word(TR_WORD_UNLINK, other, 3);
    expect("");
    assert_int_equal(bonds.count, 3);
}

static void without_memory_and_beyond_the_limit(void **state) {
    (void)state;
    poor = true;
    word(TR_WORD_LINK, other, 1);
    expect("refused 1");
    poor = false;
    for (uint64_t id = 2; id < TR_BONDS_MAX + 2; id++) word(TR_WORD_WATCH, other, id);
    expect("");
    word(TR_WORD_WATCH, other, 1);
    expect("too many 1");
    assert_int_equal(tr_bonds_room(&bonds, 1), TROUPE_LIMIT);
    for (uint64_t id = 2; id < TR_BONDS_MAX + 2; id++) word(TR_WORD_UNWATCH, other, id);
    assert_int_equal(bonds.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nothing_is_left)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_monitor_tells_once),      TEST(what_is_taken_back_is_silent), TEST(a_link_ends_both),
        TEST(who_traps_is_told),         TEST(both_make_a_link),             TEST(unlinked_and_linked_again),
        TEST(all_are_told_of_the_end),   TEST(a_node_dies),                  TEST(words_are_not_believed),
        TEST(without_memory_and_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
