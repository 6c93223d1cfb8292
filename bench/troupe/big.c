/* Savina's "big": 120 actors; each has one ping under way, to one of all at random, until it has sent its
 * share. */
#include "bench_troupe.h"

#define SHARE_FIELDS(field) field(u64, n) field(u32, seed) field(address, starter)
#define NEIGHBOURS_FIELDS(field) field(array(address), all)
TROUPE_MESSAGE(share, SHARE_FIELDS)
TROUPE_MESSAGE(neighbours, NEIGHBOURS_FIELDS)
TROUPE_MESSAGE_EMPTY(query)
TROUPE_MESSAGE_EMPTY(response)
TROUPE_MESSAGE_EMPTY(finished)

enum { ACTORS = 120 };

struct member {
    uint64_t left;
    uint32_t seed;
    troupe_address starter, all[ACTORS];
};
static enum troupe_status member_next(troupe_self *self, struct member *me) {
    if (me->left-- == 0) return troupe_send_empty(self, me->starter, finished);
    return troupe_send_empty(self, me->all[bench_random(&me->seed) % ACTORS], query);
}
TROUPE_START(member, share) {
    me->left = args->n;
    me->seed = args->seed;
    me->starter = args->starter;
    return TROUPE_OK;
}
TROUPE_ON(member, neighbours) {
    for (unsigned i = 0; i < ACTORS; i++) me->all[i] = msg->all.items[i];
    return member_next(self, me);
}
TROUPE_ON(member, query) { return troupe_reply_empty(self, response); }
TROUPE_ON(member, response) { return member_next(self, me); }
TROUPE_ACTOR(member, TROUPE_STARTS(member, share), TROUPE_HANDLES(member, neighbours, query, response))

struct starter {
    uint64_t n;
    unsigned finished;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    troupe_address all[ACTORS];
    uint64_t each = args->n / ACTORS;
    me->n = each * ACTORS;
    for (uint32_t i = 0; i < ACTORS; i++) {
        enum troupe_status status = troupe_spawn(self, &all[i], member, share, .n = each, .seed = i,
                                                 .starter = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
    }
    me->began = bench_now();
    for (uint32_t i = 0; i < ACTORS; i++) {
        enum troupe_status status = troupe_send(self, all[i], neighbours, .all = { all, ACTORS });
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, finished) {
    if (++me->finished < ACTORS) return TROUPE_OK;
    bench_rate("big", "actors:120,workers:auto", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, finished))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &member_actor, NULL };
    return bench_run_starter("big", "auto", bench_count(argc, argv, 1200000), actors);
}
