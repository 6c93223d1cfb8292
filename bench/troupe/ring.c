/* A thousand actors in a ring; one token goes round it, first one lap to warm up. */
#include "bench_troupe.h"

#define PLACE_FIELDS(field) field(address, next) field(address, starter)
#define TOKEN_FIELDS(field) field(u64, left)
TROUPE_MESSAGE(place, PLACE_FIELDS)
TROUPE_MESSAGE(token, TOKEN_FIELDS)
TROUPE_MESSAGE_EMPTY(finished)

enum { ACTORS = 1000 };

struct member {
    troupe_address next, starter;
};
TROUPE_START(member, place) {
    me->next = args->next;
    me->starter = args->starter;
    return TROUPE_OK;
}
TROUPE_ON(member, place) { /* the first one learns of the last */
    me->next = msg->next;
    return TROUPE_OK;
}
TROUPE_ON(member, token) {
    if (msg->left == 0) return troupe_send_empty(self, me->starter, finished);
    return troupe_send(self, me->next, token, .left = msg->left - 1);
}
TROUPE_ACTOR(member, TROUPE_STARTS(member, place), TROUPE_HANDLES(member, place, token))

struct starter {
    uint64_t n;
    int64_t began;
    troupe_address first;
};
TROUPE_START(starter, bench_start) {
    troupe_address next = { 0 };
    me->n = args->n;
    for (unsigned i = 0; i < ACTORS; i++) {
        enum troupe_status status = troupe_spawn(self, &next, member, place, .next = next,
                                                 .starter = troupe_self_address(self));
        if (status != TROUPE_OK) return status;
        if (i == 0) me->first = next;
    }
    enum troupe_status status = troupe_send(self, me->first, place, .next = next);
    return status == TROUPE_OK ? troupe_send(self, me->first, token, .left = ACTORS) : status;
}
TROUPE_ON(starter, finished) {
    if (me->began == 0) {
        me->began = bench_now();
        return troupe_send(self, me->first, token, .left = me->n);
    }
    bench_latency("ring", "actors:1000,workers:auto", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, finished))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &member_actor, NULL };
    return bench_run_starter("ring", "auto", bench_count(argc, argv, 1000000), actors);
}
