/* Two actors take turns at a word of shared memory: each waits for it to change, changes it, and notifies. They block,
 * on two threads or in two processes, or get messages. */
#include "bench_troupe.h"

#include <stdatomic.h>
#include <string.h>

static troupe_shared *region; /* made before there are processes: they inherit it */
static const char *params;
static bool by_messages;

static _Atomic uint32_t *turn(void) { return troupe_shared_data(region); }

static void pass_on(uint32_t now) {
    atomic_store(turn(), now + 1);
    troupe_shared_notify(region, 0, 1);
}

/* Even turns are ping's, odd ones pong's. */
struct player {
    uint32_t next, last;
    bool measures;
    int64_t began;
};

static void play(struct player *me) {
    for (; me->next < me->last; me->next += 2) {
        for (uint32_t now; (now = atomic_load(turn())) != me->next;) (void)troupe_shared_wait(region, 0, now, INT64_MAX);
        pass_on(me->next);
    }
}

static void finish(troupe_self *self, struct player *me) {
    if (me->measures) bench_latency("shared_wait", params, me->last / 2, bench_now() - me->began);
    if (me->measures) troupe_shutdown(self);
}

static enum troupe_status await_turn(troupe_self *self, struct player *me) {
    uint32_t now = atomic_load(turn());
    if (now == me->next && me->next < me->last) {
        pass_on(now);
        me->next += 2;
        now++;
    }
    if (me->next < me->last) return troupe_shared_await(self, NULL, region, 0, now, INT64_MAX);
    finish(self, me);
    return TROUPE_OK;
}

#define BEGIN(field) field(u64, n) field(u32, first)
TROUPE_MESSAGE(begin_play, BEGIN)
TROUPE_MESSAGE_EMPTY(go_on)

TROUPE_START(player, begin_play) {
    me->next = args->first;
    me->last = 2 * (uint32_t)args->n + args->first;
    me->measures = args->first == 0;
    me->began = bench_now();
    return troupe_send_empty(self, troupe_self_address(self), go_on);
}
TROUPE_ON(player, go_on) {
    if (by_messages) return await_turn(self, me);
    play(me);
    finish(self, me);
    return TROUPE_OK;
}
TROUPE_ON(player, troupe_shared_waited) { return await_turn(self, me); }
TROUPE_ACTOR(player, TROUPE_STARTS(player, begin_play), TROUPE_HANDLES(player, go_on, troupe_shared_waited))

/* Blocking, each has a thread of its own; in two processes, one of them below a supervisor that has a process. */
static const char tree[] =
    "{ threads: 1, spin: 0us, tree: { children: [\n"
    "    { name: apart, place: %s, children: [ { name: pong, actor: player, place: %s, args: { n: %llu, first: 1 } } ] },\n"
    "    { name: ping, actor: player, place: %s, args: { n: %llu } } ] } }\n";

/* shared_wait [N [threads|processes|messages]] */
int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &player_actor, NULL };
    const char *variant = argc > 2 ? argv[2] : "threads";
    bool processes = strcmp(variant, "processes") == 0;
    unsigned long long n = bench_count(argc, argv, 100000);
    by_messages = strcmp(variant, "messages") == 0;
    const char *place = by_messages ? "thread" : "{ thread: own }";
    params = processes     ? "placed_by:process,metric:block"
             : by_messages ? "placed_by:thread,metric:message"
                           : "placed_by:thread,metric:block";
    if (troupe_shared_new(64, &region) != TROUPE_OK) return 1;
    return bench_run("shared_wait", actors, tree, processes ? "process" : "thread", place, n, place, n);
}
