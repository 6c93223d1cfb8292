/* 1 MiB between two actors of one node: first passed to and fro, then made anew for each message. */
#include "bench_troupe.h"

#include <string.h>

enum { PAYLOAD = 1024 * 1024, FORWARDS = 10 /* for each message that is made */ };

#define PASSED_FIELDS(field) field(bytes, data) field(u64, left)
TROUPE_MESSAGE(passed, PASSED_FIELDS)
#define MADE_FIELDS(field) field(bytes, data)
TROUPE_MESSAGE(made, MADE_FIELDS)
#define SEEN_FIELDS(field) field(u64, sum)
TROUPE_MESSAGE(seen, SEEN_FIELDS)

/* ---- The other one: passes on, or looks ---- */

struct pong {
    char unused;
};
TROUPE_ON(pong, passed) { return troupe_reply(self, passed, .data = msg->data, .left = msg->left - 1); }
TROUPE_ON(pong, made) {
    const uint8_t *bytes = msg->data.data;
    return troupe_reply(self, seen, .sum = (uint64_t)bytes[0] + bytes[msg->data.size - 1]);
}
TROUPE_ACTOR(pong, TROUPE_HANDLES(pong, passed, made))

/* ---- The one that measures ---- */

struct ping {
    uint64_t n, left;
    int64_t began;
    troupe_address pong;
};

static uint8_t *fill(troupe_self *self, int value) {
    uint8_t *data = troupe_buffer(self, PAYLOAD);
    return data == NULL ? NULL : memset(data, value, PAYLOAD);
}

static enum troupe_status make(troupe_self *self, struct ping *me) {
    uint8_t *data = fill(self, (int)(me->left & 0xff));
    if (data == NULL) return TROUPE_NO_MEMORY;
    enum troupe_status status = troupe_send(self, me->pong, made, .data = { data, PAYLOAD });
    (void)troupe_buffer_release(self, data);
    return status;
}

TROUPE_START(ping, bench_start) {
    me->n = me->left = args->n;
    me->pong = troupe_lookup(self, "pong");
    uint8_t *data = fill(self, 1);
    if (data == NULL) return TROUPE_NO_MEMORY;
    me->began = bench_now();
    enum troupe_status status = troupe_send(self, me->pong, passed, .data = { data, PAYLOAD },
                                            .left = FORWARDS * me->n);
    (void)troupe_buffer_release(self, data);
    return status;
}

TROUPE_ON(ping, passed) {
    if (msg->left > 1) return troupe_send(self, me->pong, passed, .data = msg->data, .left = msg->left - 1);
    bench_latency("payload", "workers:1,metric:pass_on", FORWARDS * me->n, bench_now() - me->began);
    me->began = bench_now();
    return make(self, me);
}

TROUPE_ON(ping, seen) {
    if (msg->sum != 2 * (me->left & 0xff)) return TROUPE_FAIL(self, "other bytes than were sent");
    if (--me->left > 0) return make(self, me);
    bench_latency("payload", "workers:1,metric:make", me->n, bench_now() - me->began);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(ping, TROUPE_STARTS(ping, bench_start), TROUPE_HANDLES(ping, passed, seen))

int main(int argc, char **argv) {
    static const struct troupe_actor_type *const actors[] = { &pong_actor, &ping_actor, NULL };
    return bench_run("payload", actors,
                     "name: bench\nthreads: 1\ntree:\n  children:\n"
                     "    - { name: pong, actor: pong }\n"
                     "    - { name: ping, actor: ping, args: { n: %llu } }\n",
                     (unsigned long long)bench_count(argc, argv, 20000));
}
