/* The timer wheel: single rules, a comparison with a sorted list over many seeds, a million timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/random.h"
#include "core/timer.h"

#define MS TR_TIMER_TICK
#define YEAR (INT64_C(365) * 24 * 3600 * 1000 * MS)

struct fixture {
    struct tr_timer_wheel wheel;
    struct tr_timer_list due;
};

static void begin(struct fixture *f, int64_t now) {
    tr_timer_wheel_init(&f->wheel, now);
    tr_timer_list_init(&f->due);
}

static size_t expire(struct fixture *f, int64_t now) {
    return tr_timer_expire(&f->wheel, now, &f->due);
}

static void an_empty_wheel_has_nothing_next(void **state) {
    struct fixture f;
    (void)state;
    begin(&f, 5 * MS);
    assert_true(tr_timer_next(&f.wheel) == INT64_MAX);
    assert_int_equal(expire(&f, 100 * YEAR), 0);
    assert_null(tr_timer_list_pop(&f.due));
}

static void a_timer_is_never_early_and_at_most_a_tick_late(void **state) {
    struct fixture f;
    struct tr_timer timer = { .set = false };
    (void)state;
    begin(&f, 0);
    tr_timer_set(&f.wheel, &timer, 10 * MS + 1);
    assert_int_equal(expire(&f, 10 * MS), 0);
    assert_int_equal(expire(&f, 11 * MS - 1), 0);
    assert_true(tr_timer_next(&f.wheel) == 11 * MS);
    assert_int_equal(expire(&f, 11 * MS), 1);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &timer);
    assert_false(timer.set);
}

static void what_was_due_already_comes_at_once(void **state) {
    struct fixture f;
    struct tr_timer past = { .set = false }, now = { .set = false }, before = { .set = false };
    (void)state;
    begin(&f, 500 * MS);
    tr_timer_set(&f.wheel, &past, 3 * MS);
    tr_timer_set(&f.wheel, &now, 500 * MS);
    tr_timer_set(&f.wheel, &before, INT64_MIN);
    assert_true(tr_timer_next(&f.wheel) <= 500 * MS);
    assert_int_equal(expire(&f, 500 * MS), 3);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &past);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &now);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &before);
}

static void a_clock_that_goes_back_does_no_harm(void **state) {
    struct fixture f;
    struct tr_timer timer = { .set = false };
    (void)state;
    begin(&f, 0);
    assert_int_equal(expire(&f, 100 * MS), 0);
    tr_timer_set(&f.wheel, &timer, 150 * MS);
    assert_int_equal(expire(&f, 50 * MS), 0);
    assert_int_equal(expire(&f, 150 * MS), 1);
}

static void setting_again_moves_and_cancelling_takes_out(void **state) {
    struct fixture f;
    struct tr_timer timer = { .set = false };
    (void)state;
    begin(&f, 0);
    assert_false(tr_timer_cancel(&f.wheel, &timer));
    tr_timer_set(&f.wheel, &timer, 10 * MS);
    tr_timer_set(&f.wheel, &timer, 5000 * MS);
    assert_int_equal(expire(&f, 4999 * MS), 0);
    assert_true(tr_timer_cancel(&f.wheel, &timer));
    assert_false(tr_timer_cancel(&f.wheel, &timer));
    assert_true(tr_timer_next(&f.wheel) == INT64_MAX);
    assert_int_equal(expire(&f, YEAR), 0);
}

static void one_that_is_collected_can_still_be_cancelled_or_set(void **state) {
    struct fixture f;
    struct tr_timer timers[3] = { { .set = false } };
    (void)state;
    begin(&f, 0);
    for (int i = 0; i < 3; i++) tr_timer_set(&f.wheel, &timers[i], MS);
    assert_int_equal(expire(&f, MS), 3);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &timers[0]);
    assert_true(tr_timer_cancel(&f.wheel, &timers[1]));
    tr_timer_set(&f.wheel, &timers[2], 2 * MS);
    assert_null(tr_timer_list_pop(&f.due));
    assert_int_equal(expire(&f, 2 * MS), 1);
    assert_ptr_equal(tr_timer_list_pop(&f.due), &timers[2]);
}

static void one_far_timer_wakes_a_sleeper_once(void **state) {
    static const int64_t dues[] = { 3 * MS, 64 * MS, 4097 * MS, 3600000 * MS, YEAR + 17, 100 * YEAR,
                                    INT64_MAX - MS };
    (void)state;
    for (size_t i = 0; i < sizeof dues / sizeof *dues; i++) {
        struct fixture f;
        struct tr_timer timer = { .set = false };
        begin(&f, 123 * MS);
        tr_timer_set(&f.wheel, &timer, 123 * MS + (dues[i] < 100 * YEAR ? dues[i] : dues[i] - 200 * MS));
        int64_t next = tr_timer_next(&f.wheel);
        assert_true(next >= timer.due && next < timer.due + MS);
        assert_int_equal(expire(&f, next - 1), 0);
        assert_int_equal(expire(&f, next), 1);
    }
}

static void many_far_timers_wake_a_sleeper_once_a_level(void **state) {
    struct fixture f;
    struct tr_timer timers[100] = { { .set = false } };
    int wakes = 0;
    (void)state;
    begin(&f, 77 * MS);
    for (int i = 0; i < 100; i++) tr_timer_set(&f.wheel, &timers[i], YEAR);
    while (expire(&f, tr_timer_next(&f.wheel)) == 0) wakes++;
    assert_true(wakes < TR_TIMER_LEVELS);
}

static void never_is_never(void **state) {
    struct fixture f;
    struct tr_timer timer = { .set = false };
    (void)state;
    begin(&f, 0);
    tr_timer_set(&f.wheel, &timer, INT64_MAX);
    assert_true(tr_timer_next(&f.wheel) == INT64_MAX);
    assert_int_equal(expire(&f, INT64_MAX - MS), 0);
    assert_true(tr_timer_cancel(&f.wheel, &timer));
}

/* ---- Against a sorted list ---- */

enum { SEEDS = 200, TIMERS = 60, STEPS = 400 };

struct entry {
    uint32_t id;
    int64_t tick; /* the first at which it may come out */
};

/* Sorted by tick; those of one tick in the order of setting. */
struct oracle {
    struct entry entries[TIMERS];
    size_t count;
    int64_t tick;
};

static bool oracle_remove(struct oracle *o, uint32_t id) {
    size_t at = 0;
    while (at < o->count && o->entries[at].id != id) at++;
    if (at == o->count) return false;
    o->count--;
    for (; at < o->count; at++) o->entries[at] = o->entries[at + 1];
    return true;
}

static void oracle_insert(struct oracle *o, uint32_t id, int64_t due) {
    int64_t tick = due / MS + (due % MS > 0);
    if (tick < o->tick) tick = o->tick;
    size_t at = o->count++;
    for (; at > 0 && o->entries[at - 1].tick > tick; at--) o->entries[at] = o->entries[at - 1];
    o->entries[at] = (struct entry){ id, tick };
}

/* From nothing to a century, as many small steps as large ones. */
static int64_t random_span(struct tr_random *random) {
    return (int64_t)tr_random_below(random, UINT64_C(1) << tr_random_below(random, 62));
}

static void compare_expire(struct fixture *f, struct oracle *o, struct tr_timer *timers, int64_t now) {
    o->tick = now / MS;
    size_t count = expire(f, now), expected = 0;
    while (o->count > 0 && o->entries[0].tick <= o->tick) {
        assert_ptr_equal(tr_timer_list_pop(&f->due), &timers[o->entries[0].id]);
        oracle_remove(o, o->entries[0].id);
        expected++;
    }
    assert_null(tr_timer_list_pop(&f->due));
    assert_int_equal(count, expected);
}

static void compare_next(struct fixture *f, const struct oracle *o) {
    int64_t next = tr_timer_next(&f->wheel);
    if (o->count == 0) assert_true(next == INT64_MAX);
    else assert_true(next / MS <= o->entries[0].tick);
}

static void compare_seed(uint64_t seed) {
    struct fixture f;
    struct tr_random random;
    struct tr_timer timers[TIMERS] = { { .set = false } };
    tr_random_seed(&random, seed);
    int64_t now = random_span(&random) / 4;
    struct oracle o = { .count = 0, .tick = now / MS };
    begin(&f, now);
    for (int i = 0; i < STEPS; i++) {
        uint32_t id = (uint32_t)tr_random_below(&random, TIMERS);
        uint64_t what = tr_random_below(&random, 10);
        bool was = oracle_remove(&o, id);
        if (what < 2) {
            assert_int_equal(tr_timer_cancel(&f.wheel, &timers[id]), was);
        } else {
            int64_t span = random_span(&random) / 4, due = now + span;
            if (what == 2) due = now > span ? now - span : 0;
            tr_timer_set(&f.wheel, &timers[id], due);
            oracle_insert(&o, id, due);
        }
        compare_next(&f, &o);
        if (what < 6) continue;
        int64_t next = tr_timer_next(&f.wheel);
        if (what == 9 && next != INT64_MAX && next > now) now = next;
        else now += random_span(&random) / 64 / 64 / STEPS;
        compare_expire(&f, &o, timers, now);
    }
}

static void it_agrees_with_a_sorted_list(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) compare_seed(seed);
}

/* ---- A million ---- */

enum {
    MILLION = 1000000,
    STRIDE = 514229, /* has no divisor in common with a million */
};

static int64_t clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t print_cost(const char *what, int64_t since) {
    int64_t now = clock_now();
    print_message("  %s: %.1f ns a timer\n", what, (double)(now - since) / MILLION);
    return clock_now();
}

static void a_million_timers(void **state) {
    static struct fixture f;
    struct tr_timer *timers = calloc(MILLION, sizeof *timers);
    int64_t *dues = calloc(MILLION, sizeof *dues);
    struct tr_random random;
    (void)state;
    assert_true(timers != NULL && dues != NULL);
    tr_random_seed(&random, 1);
    for (int i = 0; i < MILLION; i++) dues[i] = (int64_t)tr_random_below(&random, 60000) * MS;
    begin(&f, 0);
    int64_t since = clock_now();
    for (int i = 0; i < MILLION; i++) tr_timer_set(&f.wheel, &timers[i], dues[i]);
    since = print_cost("set", since);
    for (int64_t i = 0; i < MILLION; i++) tr_timer_cancel(&f.wheel, &timers[i * STRIDE % MILLION]);
    since = print_cost("cancel, all over the memory", since);
    assert_true(tr_timer_next(&f.wheel) == INT64_MAX);
    for (int i = 0; i < MILLION; i++) tr_timer_set(&f.wheel, &timers[i], dues[i]);
    since = print_cost("set again", since);
    size_t count = 0;
    for (int64_t now = 0; now < 60000 * MS; now += MS) count += expire(&f, now);
    print_cost("expire over a minute, tick by tick", since);
    assert_int_equal(count, MILLION);
    free(timers);
    free(dues);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_wheel_has_nothing_next),
        cmocka_unit_test(a_timer_is_never_early_and_at_most_a_tick_late),
        cmocka_unit_test(what_was_due_already_comes_at_once),
        cmocka_unit_test(a_clock_that_goes_back_does_no_harm),
        cmocka_unit_test(setting_again_moves_and_cancelling_takes_out),
        cmocka_unit_test(one_that_is_collected_can_still_be_cancelled_or_set),
        cmocka_unit_test(one_far_timer_wakes_a_sleeper_once),
        cmocka_unit_test(many_far_timers_wake_a_sleeper_once_a_level),
        cmocka_unit_test(never_is_never),
        cmocka_unit_test(it_agrees_with_a_sorted_list),
        cmocka_unit_test(a_million_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
