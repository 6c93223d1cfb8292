/* What a message costs with few and with many active actors: each of them has one ping under way until it
 * has sent its share. `scale N 1000:any`: to one of all at random, so that with many of them hardly anything
 * that a message touches is in a cache. `scale N 1000:partner`: to the one spawned before or after it.
 *
 * The addresses are in a table that all share, so that an actor's own memory is what the framework needs for
 * it. The clock begins when each has had a message: what memory costs that is used for the first time is
 * another work (memory). */
#include <string.h>

#include "bench_troupe.h"

#define SHARE_FIELDS(field) field(u64, left) field(u32, number)
TROUPE_MESSAGE(share, SHARE_FIELDS)
TROUPE_MESSAGE_EMPTY(warm)
TROUPE_MESSAGE_EMPTY(go)
TROUPE_MESSAGE_EMPTY(query)
TROUPE_MESSAGE_EMPTY(response)
TROUPE_MESSAGE_EMPTY(finished)

static struct {
    troupe_address *items, starter;
    uint32_t count;
    bool partner;
} all;

struct member {
    uint64_t left;
    uint32_t memory; /* its number, or the state of a generator */
};

static uint32_t member_target(struct member *me) {
    if (all.partner) return me->memory ^ 1;
    me->memory = me->memory * 69069u + 1u;
    return (uint32_t)((uint64_t)me->memory * all.count >> 32);
}

static enum troupe_status member_next(troupe_self *self, struct member *me) {
    if (me->left-- == 0) return troupe_send_empty(self, all.starter, finished);
    return troupe_send_empty(self, all.items[member_target(me)], query);
}
TROUPE_START(member, share) {
    me->left = args->left;
    me->memory = all.partner ? args->number : args->number * 2654435761u;
    return TROUPE_OK;
}
TROUPE_ON(member, warm) { return troupe_reply_empty(self, finished); }
TROUPE_ON(member, go) { return member_next(self, me); }
TROUPE_ON(member, query) { return troupe_reply_empty(self, response); }
TROUPE_ON(member, response) { return member_next(self, me); }
TROUPE_ACTOR(member, TROUPE_STARTS(member, share), TROUPE_HANDLES(member, warm, go, query, response))

struct starter {
    uint64_t n;
    uint32_t finished;
    int64_t began; /* 0: warming up */
};
TROUPE_START(starter, bench_start) {
    uint64_t each = args->n / (2 * (uint64_t)all.count);
    if (each == 0) each = 1;
    me->n = 2 * each * all.count;
    all.starter = troupe_self_address(self);
    for (uint32_t i = 0; i < all.count; i++) {
        enum troupe_status status =
            troupe_spawn(self, &all.items[i], member, share, .left = each, .number = i);
        if (status != TROUPE_OK) return status;
    }
    for (uint32_t i = 0; i < all.count; i++) {
        enum troupe_status status = troupe_send_empty(self, all.items[i], warm);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
static enum troupe_status starter_go(troupe_self *self, struct starter *me) {
    me->finished = 0;
    me->began = bench_now();
    for (uint32_t i = 0; i < all.count; i++) {
        enum troupe_status status = troupe_send_empty(self, all.items[i], go);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(starter, finished) {
    if (++me->finished < all.count) return TROUPE_OK;
    if (me->began == 0) return starter_go(self, me);
    char params[64];
    (void)snprintf(params, sizeof params, "actors:%u,to:%s,workers:auto", all.count,
                   all.partner ? "partner" : "any");
    bench_latency("scale", params, me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(starter, TROUPE_STARTS(starter, bench_start), TROUPE_HANDLES(starter, finished))

/* An even number of them, for partners. */
int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &starter_actor, &member_actor, NULL };
    all.count = bench_variant(argc, argv, 1000) & ~1u;
    all.partner = argc > 2 && strstr(argv[2], ":partner") != NULL;
    all.items = calloc(all.count, sizeof *all.items);
    if (all.items == NULL) return 1;
    int code = bench_run_starter("scale", "auto", bench_count(argc, argv, 10000000), actors);
    free(all.items);
    return code;
}
