/*
 * Timers: a hierarchical wheel. Pure: time is an argument, nothing is allocated, and a timer is a node
 * that its owner embeds. One thread; a worker has one wheel.
 *
 * Times are nanoseconds from 0 on; the wheel counts in ticks of a millisecond. A timer is never early,
 * and at most one tick late. Setting and cancelling cost the same for any due time and any number of
 * timers.
 */
#ifndef TR_TIMER_H
#define TR_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TR_TIMER_TICK INT64_C(1000000) /* ns */

enum {
    TR_TIMER_SLOT_BITS = 6,
    TR_TIMER_SLOTS = 1 << TR_TIMER_SLOT_BITS, /* in each level */
    TR_TIMER_LEVELS = 8,                      /* 48 bits of ticks: more than INT64_MAX ns */
};

/* A ring through timers; its head is a link, too. */
struct tr_timer_link {
    struct tr_timer_link *next, *previous;
};

/* Zero-initialised is not set. Must not move while it is set. */
struct tr_timer {
    struct tr_timer_link link; /* in a slot, or in a list of due ones */
    int64_t due;               /* ns, as given to tr_timer_set */
    uint16_t slot;             /* level * TR_TIMER_SLOTS + slot, or TR_TIMER_IN_LIST */
    bool set;                  /* in a slot or a list */
};

/* Timers that are due, the earliest first. */
struct tr_timer_list {
    struct tr_timer_link head;
};

/* About 8 KB. Must not move. */
struct tr_timer_wheel {
    uint64_t tick; /* everything before this tick has been expired */
    uint64_t used[TR_TIMER_LEVELS]; /* a bit for each slot that is not empty */
    struct tr_timer_link slots[TR_TIMER_LEVELS * TR_TIMER_SLOTS];
};

void tr_timer_wheel_init(struct tr_timer_wheel *wheel, int64_t now);

/* Sets the timer, or moves one that is set or in a list of due ones. What is due already, or was, is
 * collected by the next expire. A due time of INT64_MAX is as good as never. */
void tr_timer_set(struct tr_timer_wheel *wheel, struct tr_timer *timer, int64_t due);

/* Takes the timer out of the wheel, or out of the list of due ones it is in. False: it was in none. */
bool tr_timer_cancel(struct tr_timer_wheel *wheel, struct tr_timer *timer);

/* Before this time tr_timer_expire collects nothing; INT64_MAX: there is no timer. Exact but where many
 * timers share the slot that comes next and it is far: then it is early, by less than that slot is wide,
 * and a thread that sleeps until then wakes once for each level in between, at most. */
int64_t tr_timer_next(const struct tr_timer_wheel *wheel);

/* Appends the timers that are due at `now` to the list: by due tick, those of one tick in the order they
 * were set. Timers that were set when they were due already count as due at that moment. Returns how
 * many. A `now` before an earlier one counts as the earlier one. */
size_t tr_timer_expire(struct tr_timer_wheel *wheel, int64_t now, struct tr_timer_list *list);

void tr_timer_list_init(struct tr_timer_list *list);
/* Takes the first one; it may be set again at once. NULL: the list is empty. */
struct tr_timer *tr_timer_list_pop(struct tr_timer_list *list);

#endif
