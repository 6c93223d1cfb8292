/* Savina's "chameneos": 100 creatures meet in pairs in a mall, one mailbox for all, n times. The one that
 * waits is told of the one that comes, changes its colour, and tells that one its new colour. */
#include "bench_troupe.h"

#define CREATURE_FIELDS(field) field(u32, colour) field(address, mall)
#define MEET_FIELDS(field) field(u32, colour) field(address, who)
#define CHANGE_FIELDS(field) field(u32, colour)
#define MEETINGS_FIELDS(field) field(u64, n)
TROUPE_MESSAGE(creature_start, CREATURE_FIELDS)
TROUPE_MESSAGE(meet, MEET_FIELDS)
TROUPE_MESSAGE(change, CHANGE_FIELDS)
TROUPE_MESSAGE(meetings, MEETINGS_FIELDS)
TROUPE_MESSAGE_EMPTY(closed)

enum { CREATURES = 100, COLOURS = 3 };

struct creature {
    uint32_t colour;
    uint64_t meetings;
    troupe_address mall;
};
static enum troupe_status creature_enter(troupe_self *self, struct creature *me) {
    return troupe_send(self, me->mall, meet, .colour = me->colour, .who = troupe_self_address(self));
}
/* The same colour stays; of two different ones both become the third. */
static uint32_t complement(uint32_t a, uint32_t b) { return a == b ? a : COLOURS - a - b; }

TROUPE_START(creature, creature_start) {
    me->colour = args->colour;
    me->mall = args->mall;
    return creature_enter(self, me);
}
TROUPE_ON(creature, meet) {
    me->colour = complement(me->colour, msg->colour);
    me->meetings++;
    enum troupe_status status = troupe_send(self, msg->who, change, .colour = me->colour);
    return status == TROUPE_OK ? creature_enter(self, me) : status;
}
TROUPE_ON(creature, change) {
    me->colour = msg->colour;
    me->meetings++;
    return creature_enter(self, me);
}
TROUPE_ON(creature, closed) { return troupe_send(self, me->mall, meetings, .n = me->meetings); }
TROUPE_ACTOR(creature, TROUPE_STARTS(creature, creature_start),
             TROUPE_HANDLES(creature, meet, change, closed))

struct starter {
    uint64_t n, left, sum;
    unsigned counted;
    int64_t began;
    troupe_address waiting;
};
TROUPE_START(starter, bench_start) {
    me->n = me->left = args->n;
    me->began = bench_now();
    for (uint32_t i = 0; i < CREATURES; i++) {
        troupe_address address;
        enum troupe_status status = troupe_spawn(self, &address, creature, creature_start,
                                                 .colour = i % COLOURS,
                                                 .mall = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, meet) {
    if (me->left == 0) return troupe_send_empty(self, msg->who, closed);
    if (troupe_address_is_none(me->waiting)) {
        me->waiting = msg->who;
        return TROUPE_OK;
    }
    troupe_address first = me->waiting;
    me->waiting = (troupe_address){ 0 };
    me->left--;
    return troupe_send(self, first, meet, .colour = msg->colour, .who = msg->who);
}
TROUPE_ON(starter, meetings) {
    me->sum += msg->n;
    if (++me->counted < CREATURES) return TROUPE_OK;
    if (me->sum != 2 * me->n) return TROUPE_FAIL(self, "%llu halves", (unsigned long long)me->sum);
    bench_rate("chameneos", "creatures:100,workers:auto", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, meet, meetings))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &creature_actor, NULL };
    return bench_run_starter("chameneos", "auto", bench_count(argc, argv, 500000), actors);
}
