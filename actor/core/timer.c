/*
 * The wheel counts ticks, a number of eight digits to the base 64, and has one level of 64 slots for
 * each digit. A timer waits in the level of the highest digit in which its due tick differs from the
 * wheel's tick, in the slot of that digit. So:
 *
 *   - in level 0 a slot is one tick; what is in it is due when the wheel gets there;
 *   - in a higher level a slot is 64, 4096, ... ticks; when the wheel gets to its beginning, its timers
 *     are spread over the levels below, because they now agree with the wheel in that digit;
 *   - every slot in use lies after the wheel's own digit of its level (in level 0: on it or after it),
 *     and everything in a lower level comes before everything in a higher one. The next slot is the
 *     lowest bit of the first level that has any: no search.
 *
 * A timer moves down at most once for each level. Expiring jumps from slot to slot in use, so that a
 * sleep of hours costs no more than one of a millisecond.
 *
 * Order. Timers of one tick sit in one slot at any time, and both setting and spreading append: they
 * come out in the order they went in.
 *
 * Never early: the due tick is the due time rounded up, the tick of `now` is rounded down.
 */
#include "core/timer.h"

#include "base/assert.h"

enum {
    TR_TIMER_IN_LIST = TR_TIMER_LEVELS * TR_TIMER_SLOTS, /* `slot` of a timer that is due */
    LOOK_AT = 8, /* timers of a far slot that tr_timer_next compares before it settles for less */
};

static struct tr_timer *timer_of(struct tr_timer_link *link) {
    return (struct tr_timer *)(void *)link; /* its first member */
}

/* ---- Rings ---- */

static void ring_init(struct tr_timer_link *head) {
    head->next = head->previous = head;
}

static bool ring_empty(const struct tr_timer_link *head) {
    return head->next == head;
}

static void ring_append(struct tr_timer_link *head, struct tr_timer_link *link) {
    link->next = head;
    link->previous = head->previous;
    head->previous->next = link;
    head->previous = link;
}

static void ring_remove(struct tr_timer_link *link) {
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

/* ---- Ticks ---- */

static uint64_t tick_rounded_up(int64_t time) {
    if (time <= 0) return 0;
    return (uint64_t)(time / TR_TIMER_TICK) + (time % TR_TIMER_TICK != 0);
}

static uint64_t tick_rounded_down(int64_t time) {
    return time <= 0 ? 0 : (uint64_t)(time / TR_TIMER_TICK);
}

static int64_t time_of(uint64_t tick) {
    return tick > (uint64_t)(INT64_MAX / TR_TIMER_TICK) ? INT64_MAX : (int64_t)tick * TR_TIMER_TICK;
}

/* When it comes out: what is due already, now. */
static uint64_t tick_of(const struct tr_timer_wheel *wheel, const struct tr_timer *timer) {
    uint64_t tick = tick_rounded_up(timer->due);
    return tick > wheel->tick ? tick : wheel->tick;
}

static uint32_t level_of(uint64_t wheel_tick, uint64_t tick) {
    uint64_t differs = wheel_tick ^ tick;
    return differs == 0 ? 0 : (63u - (uint32_t)__builtin_clzll(differs)) / TR_TIMER_SLOT_BITS;
}

/* ---- Slots ---- */

static void place(struct tr_timer_wheel *wheel, struct tr_timer *timer) {
    uint64_t tick = tick_of(wheel, timer);
    uint32_t level = level_of(wheel->tick, tick);
    uint32_t slot = (uint32_t)(tick >> (level * TR_TIMER_SLOT_BITS)) % TR_TIMER_SLOTS;
    tr_assert(level < TR_TIMER_LEVELS);
    timer->slot = (uint16_t)(level * TR_TIMER_SLOTS + slot);
    ring_append(&wheel->slots[timer->slot], &timer->link);
    wheel->used[level] |= UINT64_C(1) << slot;
}

static void take_out(struct tr_timer_wheel *wheel, struct tr_timer *timer) {
    ring_remove(&timer->link);
    timer->set = false;
    if (timer->slot == TR_TIMER_IN_LIST || !ring_empty(&wheel->slots[timer->slot])) return;
    uint32_t level = timer->slot / TR_TIMER_SLOTS, slot = timer->slot % TR_TIMER_SLOTS;
    wheel->used[level] &= ~(UINT64_C(1) << slot);
}

/* The first slot in use: its level, its place in the level and its first tick. False: there is none. */
static bool first_used(const struct tr_timer_wheel *wheel, uint32_t *level, uint32_t *slot,
                       uint64_t *start) {
    uint32_t l = 0;
    while (l < TR_TIMER_LEVELS && wheel->used[l] == 0) l++;
    if (l == TR_TIMER_LEVELS) return false;
    uint32_t shift = l * TR_TIMER_SLOT_BITS;
    uint64_t higher = wheel->tick >> (shift + TR_TIMER_SLOT_BITS) << (shift + TR_TIMER_SLOT_BITS);
    *level = l;
    *slot = (uint32_t)__builtin_ctzll(wheel->used[l]);
    *start = higher | (uint64_t)*slot << shift;
    tr_assert(*start >= wheel->tick);
    return true;
}

/* ---- Expiring ---- */

/* The wheel is at the beginning of this slot of a higher level. */
static void spread(struct tr_timer_wheel *wheel, uint32_t level, uint32_t slot) {
    struct tr_timer_link *head = &wheel->slots[level * TR_TIMER_SLOTS + slot];
    struct tr_timer_link *link = head->next;
    ring_init(head);
    wheel->used[level] &= ~(UINT64_C(1) << slot);
    while (link != head) {
        struct tr_timer_link *next = link->next;
        place(wheel, timer_of(link));
        link = next;
    }
}

static size_t collect(struct tr_timer_wheel *wheel, uint32_t slot, struct tr_timer_list *list) {
    struct tr_timer_link *head = &wheel->slots[slot];
    size_t count = 0;
    while (!ring_empty(head)) {
        struct tr_timer *timer = timer_of(head->next);
        ring_remove(&timer->link);
        timer->slot = TR_TIMER_IN_LIST;
        ring_append(&list->head, &timer->link);
        count++;
    }
    wheel->used[0] &= ~(UINT64_C(1) << slot);
    return count;
}

size_t tr_timer_expire(struct tr_timer_wheel *wheel, int64_t now, struct tr_timer_list *list) {
    uint64_t until = tick_rounded_down(now), start;
    uint32_t level, slot;
    size_t count = 0;
    if (until < wheel->tick) until = wheel->tick;
    while (first_used(wheel, &level, &slot, &start) && start <= until) {
        wheel->tick = start;
        if (level == 0) count += collect(wheel, slot, list);
        else spread(wheel, level, slot);
    }
    wheel->tick = until;
    return count;
}

/* The earliest tick in a slot if it has only a few timers, else the slot's first tick. */
static uint64_t earliest(const struct tr_timer_wheel *wheel, const struct tr_timer_link *head,
                         uint64_t start) {
    uint64_t least = UINT64_MAX;
    const struct tr_timer_link *link = head->next;
    for (int i = 0; i < LOOK_AT && link != head; i++, link = link->next) {
        uint64_t tick = tick_of(wheel, (const struct tr_timer *)(const void *)link);
        if (tick < least) least = tick;
    }
    return link == head ? least : start;
}

int64_t tr_timer_next(const struct tr_timer_wheel *wheel) {
    uint32_t level, slot;
    uint64_t start;
    if (!first_used(wheel, &level, &slot, &start)) return INT64_MAX;
    if (level == 0) return time_of(start);
    return time_of(earliest(wheel, &wheel->slots[level * TR_TIMER_SLOTS + slot], start));
}

/* ---- Setting and cancelling ---- */

void tr_timer_wheel_init(struct tr_timer_wheel *wheel, int64_t now) {
    *wheel = (struct tr_timer_wheel){ .tick = tick_rounded_down(now) };
    for (uint32_t i = 0; i < TR_TIMER_LEVELS * TR_TIMER_SLOTS; i++) ring_init(&wheel->slots[i]);
}

void tr_timer_set(struct tr_timer_wheel *wheel, struct tr_timer *timer, int64_t due) {
    if (timer->set) take_out(wheel, timer);
    timer->due = due;
    timer->set = true;
    place(wheel, timer);
}

bool tr_timer_cancel(struct tr_timer_wheel *wheel, struct tr_timer *timer) {
    if (!timer->set) return false;
    take_out(wheel, timer);
    return true;
}

void tr_timer_list_init(struct tr_timer_list *list) {
    ring_init(&list->head);
}

struct tr_timer *tr_timer_list_pop(struct tr_timer_list *list) {
    if (ring_empty(&list->head)) return NULL;
    struct tr_timer *timer = timer_of(list->head.next);
    ring_remove(&timer->link);
    timer->set = false;
    return timer;
}
