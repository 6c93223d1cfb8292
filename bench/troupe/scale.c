/* What a message costs with few and with many active actors: each of them has one ping under way, to one of
 * all at random, until it has sent its share. The addresses are in a table that all share, so that an
 * actor's own memory is what the framework needs for it. */
#include "bench_troupe.h"

#define SHARE_FIELDS(field) field(u64, left) field(u32, seed) field(address, starter)
TROUPE_MESSAGE(share, SHARE_FIELDS)
TROUPE_MESSAGE_EMPTY(go)
TROUPE_MESSAGE_EMPTY(query)
TROUPE_MESSAGE_EMPTY(response)
TROUPE_MESSAGE_EMPTY(finished)

static struct {
    troupe_address *items, starter;
    uint32_t count;
} all;

struct member {
    uint64_t left;
    uint32_t seed;
};
static enum troupe_status member_next(troupe_self *self, struct member *me) {
    if (me->left-- == 0) return troupe_send_empty(self, all.starter, finished);
    me->seed = me->seed * 69069u + 1u;
    return troupe_send_empty(self, all.items[(uint64_t)me->seed * all.count >> 32], query);
}
TROUPE_START(member, share) {
    me->left = args->left;
    me->seed = args->seed;
    return TROUPE_OK;
}
TROUPE_ON(member, go) { return member_next(self, me); }
TROUPE_ON(member, query) { return troupe_reply_empty(self, response); }
TROUPE_ON(member, response) { return member_next(self, me); }
TROUPE_ACTOR(member, TROUPE_STARTS(member, share), TROUPE_HANDLES(member, go, query, response))

struct starter {
    uint64_t n;
    uint32_t finished;
    int64_t began;
};
TROUPE_START(starter, bench_start) {
    uint64_t each = args->n / (2 * (uint64_t)all.count);
    if (each == 0) each = 1;
    me->n = 2 * each * all.count;
    all.starter = troupe_self_address(self);
    for (uint32_t i = 0; i < all.count; i++) {
        enum troupe_status status =
            troupe_spawn(self, &all.items[i], member, share, .left = each, .seed = i * 2654435761u);
        if (status != TROUPE_OK) return status;
    }
    me->began = bench_now();
    for (uint32_t i = 0; i < all.count; i++) {
        enum troupe_status status = troupe_send_empty(self, all.items[i], go);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, finished) {
    if (++me->finished < all.count) return TROUPE_OK;
    char params[64];
    (void)snprintf(params, sizeof params, "actors:%u,workers:auto", all.count);
    bench_latency("scale", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, finished))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &member_actor, NULL };
    all.count = bench_variant(argc, argv, 1000);
    all.items = calloc(all.count, sizeof *all.items);
    if (all.items == NULL) return 1;
    int code = bench_run_starter("scale", "auto", bench_count(argc, argv, 10000000), actors);
    free(all.items);
    return code;
}
