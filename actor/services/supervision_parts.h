/*
 * The insides of the supervisor machine, shared by its files alone. supervision.c has the essay.
 */
#ifndef TR_SUPERVISION_PARTS_H
#define TR_SUPERVISION_PARTS_H

#include <stddef.h>

#include "base/assert.h"
#include "base/random.h"
#include "services/supervision.h"

enum tr_phase {
    TR_PHASE_NEW,
    TR_PHASE_OPENING,     /* the first start, from left to right */
    TR_PHASE_SUPERVISING, /* judging, or nothing to do */
    TR_PHASE_CLEARING,    /* stopping a group, from right to left */
    TR_PHASE_BACKING,     /* a group is down, and waits for the backoff of its origin */
    TR_PHASE_RESTARTING,  /* starting a group, from left to right */
    TR_PHASE_ENDING,      /* stopping all, for good */
    TR_PHASE_OVER,
};

/* Children are found by what is due first, or by who is leftmost: each is an order of its own. */
enum tr_heap_kind {
    TR_HEAP_DUE,    /* by deadline: to be ready, to be stopped, or of the backoff */
    TR_HEAP_ENDED,  /* from the left, as the others: who waits to be judged */
    TR_HEAP_CAUSES, /* whose end may make a group restart (where there are groups) */
    TR_HEAP_KEPT,   /* who rests, and may still be brought back by a sibling */
    TR_HEAPS,
};

struct tr_supervised;

struct tr_heap {
    struct tr_supervised **items;
    uint32_t count, space;
};

/* A request that waits for a child's end. */
struct tr_asker {
    struct tr_asker *next;
    uint64_t request;
};

struct tr_supervised {
    tr_child_id id;
    struct tr_child_rules rules;
    enum tr_child_state state;
    enum tr_exit why;       /* ENDED */
    bool failed_start;      /* ENDED before it was ready */
    bool counted;           /* ENDED of a cause that was counted already */
    bool late;              /* KILLING because it was not ready in time */
    bool asked_down;        /* someone wants it down: its end is not judged */
    bool fresh;             /* never ready since it was launched: forgotten if it fails */
    bool flush;             /* its next start is because of a sibling */
    uint64_t run;           /* starts so far */
    uint64_t order;         /* rises from left to right */
    uint64_t downed;        /* the last group at whose time it was asked down: that one leaves it down */
    int64_t since, due;     /* of the state; INT64_MAX: no deadline */
    int64_t backoff;        /* the last one, without jitter; 0: none, or long ago */
    uint64_t starter;       /* the request that its start answers; 0: none */
    struct tr_asker *askers, *last_asker;
    struct tr_supervised *left, *right;              /* in order; free entries by `right` */
    struct tr_supervised *cause_left, *cause_right;  /* a ring of those ENDED by one cause */
    uint32_t place[TR_HEAPS];                        /* + 1; 0: is not in it */
};

struct tr_supervision {
    struct tr_supervision_io io;
    void *context;
    struct tr_supervision_rules rules;
    struct tr_random random;
    enum tr_phase phase;
    enum tr_over over;
    int64_t now, timer;               /* timer: what was asked for last */
    /* The children. */
    struct tr_supervised **segments, *free, *leftmost, *rightmost;
    uint32_t segment_count, count, living, significant; /* significant: that neither rest nor are gone */
    uint64_t orders;                  /* given out so far */
    struct tr_heap heaps[TR_HEAPS];
    /* The work at hand. */
    struct tr_supervised *cursor;     /* how far it has come; NULL: beyond the last */
    struct tr_supervised *origin;     /* whose end made the group restart, until it is ready again; or NULL */
    uint64_t first, groups;           /* the group: children of this order and above; groups so far */
    int64_t delay;                    /* before it is started again */
    bool all_asked;                   /* dynamic: all were asked to stop */
    uint32_t asker_count;
    /* Restarts within the period, a ring. */
    int64_t *times;
    uint32_t time_first, time_count, time_space;
    uint64_t steps;                   /* children looked at: for the test of how it scales */
};

static inline bool tr_has_groups(const struct tr_supervision *s) {
    return s->rules.strategy == TR_ONE_FOR_ALL || s->rules.strategy == TR_REST_FOR_ONE;
}

static inline bool tr_is_ending(const struct tr_supervision *s) {
    return s->phase == TR_PHASE_ENDING || s->phase == TR_PHASE_OVER;
}

/* Of the group at hand. */
static inline bool tr_in_group(const struct tr_supervision *s, const struct tr_supervised *child) {
    return child->order >= s->first;
}

/* ---- supervision_heap.c ---- */

/* Room for so many. False: no memory. */
bool tr_heap_reserve(struct tr_supervision *s, uint32_t count);
/* In or out; nothing if it is so already. */
void tr_heap_set(struct tr_supervision *s, enum tr_heap_kind kind, struct tr_supervised *child, bool in);
struct tr_supervised *tr_heap_first(const struct tr_supervision *s, enum tr_heap_kind kind);

/* ---- supervision_children.c ---- */

bool tr_child_lives(const struct tr_supervised *child);
void tr_child_move(struct tr_supervision *s, struct tr_supervised *child, enum tr_child_state to);
/* NULL: unknown. */
struct tr_supervised *tr_child_find(const struct tr_supervision *s, tr_child_id id);
/* DOWN, at the right end. NULL: no memory. */
struct tr_supervised *tr_child_new(struct tr_supervision *s, const struct tr_child_rules *rules);
/* With all that it has; to be followed by nothing that touches it. No action. */
void tr_child_drop(struct tr_supervision *s, struct tr_supervised *child);
void tr_children_free(struct tr_supervision *s);

/* ---- supervision_time.c ---- */

void tr_set_due(struct tr_supervision *s, struct tr_supervised *child, int64_t in);
void tr_set_timer(struct tr_supervision *s);
/* Counts a restart now. False: it is one more than allowed. */
bool tr_count_restart(struct tr_supervision *s);
/* How long the child waits for this restart; 0: not at all. */
int64_t tr_next_backoff(struct tr_supervision *s, struct tr_supervised *child);

/* ---- supervision_judge.c ---- */

/* Those of one cause are one restart. */
void tr_cause_join(struct tr_supervised *child, struct tr_supervised *other);
/* The child does not run any more, and is not started again by itself: it rests or is forgotten. */
void tr_put_aside(struct tr_supervision *s, struct tr_supervised *child);
void tr_forget_for_good(struct tr_supervision *s, struct tr_supervised *child);
/* Tells of those that rest and that no sibling can bring back any more. */
void tr_tell_resting(struct tr_supervision *s);
/* The leftmost that has ended. False: there is none. */
bool tr_judge_next(struct tr_supervision *s);

/* ---- supervision_group.c ---- */

void tr_turn(struct tr_supervision *s, enum tr_phase to);
void tr_start_child_now(struct tr_supervision *s, struct tr_supervised *child);
void tr_stop_child_now(struct tr_supervision *s, struct tr_supervised *child);
void tr_kill_child_now(struct tr_supervision *s, struct tr_supervised *child);
/* This child makes its group restart. */
void tr_restart_group(struct tr_supervision *s, struct tr_supervised *origin, int64_t delay);
void tr_start_group(struct tr_supervision *s);
/* Its origin will not come back: the others of the group stay down. */
void tr_give_up_group(struct tr_supervision *s);
void tr_end_all(struct tr_supervision *s, enum tr_over over);
/* Takes steps until one has to wait; then the timer. Ends every event and request. */
void tr_advance(struct tr_supervision *s);

/* ---- supervision_request.c ---- */

void tr_answer_start(struct tr_supervision *s, struct tr_supervised *child, enum tr_answer answer);
void tr_answer_askers(struct tr_supervision *s, struct tr_supervised *child, enum tr_answer answer);

#endif
