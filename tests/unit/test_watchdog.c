/* What the watchdog makes of what it sees, on time that is a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "place/watchdog.h"

#define SECOND INT64_C(1000000000)
#define PATIENCE (10 * SECOND)

static struct tr_flight page;
static struct tr_watchdog dog;
static int64_t now;

static int begin(void **state) {
    (void)state;
    memset(&page, 0, sizeof page);
    now = 1000;
    tr_watchdog_reset(&dog, PATIENCE, now);
    assert_int_equal(dog.usual, SECOND);
    return 0;
}

static void handles(uint32_t worker, uint32_t serial) {
    atomic_store(&page.workers[worker].current_serial, serial);
    atomic_store(&page.workers[worker].current_type, 4711);
}

static void rests(uint32_t worker) { atomic_store(&page.workers[worker].current_type, 0); }

static enum tr_watchdog_verdict look_after(int64_t time, bool stopped) {
    int64_t lasted;
    now += time;
    return tr_watchdog_look(&dog, &page, 2, stopped, now, &lasted);
}

static void look_well(int times) {
    for (int i = 0; i < times; i++) assert_int_equal(look_after(SECOND, false), TR_WATCHDOG_FINE);
}

static void who_does_nothing_is_fine(void **state) {
    (void)state;
    look_well(100);
}

static void who_gets_on_is_fine(void **state) {
    (void)state;
    for (uint32_t serial = 1; serial < 100; serial++) {
        handles(0, serial);
        look_well(5);
    }
    handles(0, 100);
    look_well(9);
    rests(0); /* the same serial, but nothing is at work */
    look_well(20);
    handles(0, 101);
    look_well(10);
}

static void one_handler_for_too_long(void **state) {
    (void)state;
    int64_t lasted;
    handles(0, 1);
    handles(1, 7);
    look_well(5);
    handles(0, 2);
    look_well(5); /* the first one has begun another; the second one was first seen at the first look */
    now += SECOND;
    assert_int_equal(tr_watchdog_look(&dog, &page, 2, false, now, &lasted), TR_WATCHDOG_STUCK);
    assert_int_equal(lasted, PATIENCE);
    assert_int_equal(tr_watchdog_look(&dog, &page, 1, false, now, &lasted), TR_WATCHDOG_FINE);
}

/* Threads of single actors come after those of the pool: nobody asks for them. */
static void who_has_a_thread_of_his_own_may_block(void **state) {
    (void)state;
    handles(2, 1);
    handles(TR_MAX_POOL, 1);
    look_well(100);
}

static void a_process_that_is_stopped(void **state) {
    (void)state;
    for (int i = 0; i < 9; i++) assert_int_equal(look_after(SECOND, true), TR_WATCHDOG_FINE);
    assert_int_equal(look_after(SECOND, true), TR_WATCHDOG_STOPPED);
    look_well(1); /* it goes on */
    assert_int_equal(look_after(SECOND, true), TR_WATCHDOG_FINE);
}

/* The keeper could not look: perhaps it was stopped itself, and everybody with it. */
static void time_that_nobody_saw_does_not_count(void **state) {
    (void)state;
    handles(0, 1);
    look_well(2);
    assert_int_equal(look_after(1000 * SECOND, false), TR_WATCHDOG_FINE);
    look_well(6);
    assert_int_equal(look_after(SECOND, false), TR_WATCHDOG_STUCK);
}

static void the_next_incarnation_begins_anew(void **state) {
    (void)state;
    handles(0, 1);
    look_well(10);
    tr_watchdog_reset(&dog, PATIENCE, now);
    look_well(10);
    assert_int_equal(look_after(SECOND, false), TR_WATCHDOG_STUCK);
}

static void it_looks_four_times_at_least(void **state) {
    (void)state;
    tr_watchdog_reset(&dog, SECOND / 10, now);
    assert_int_equal(dog.usual, SECOND / 40);
    tr_watchdog_reset(&dog, 1, now);
    assert_int_equal(dog.usual, SECOND / 100);
    tr_watchdog_reset(&dog, 3600 * SECOND, now);
    assert_int_equal(dog.usual, SECOND);
}

int main(void) {
#define RULE(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        RULE(who_does_nothing_is_fine),
        RULE(who_gets_on_is_fine),
        RULE(one_handler_for_too_long),
        RULE(who_has_a_thread_of_his_own_may_block),
        RULE(a_process_that_is_stopped),
        RULE(time_that_nobody_saw_does_not_count),
        RULE(the_next_incarnation_begins_anew),
        RULE(it_looks_four_times_at_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
