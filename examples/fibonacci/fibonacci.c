/* Fibonacci numbers of several inputs, each computed by one of several workers with a thread of its own, or a process:
 * the configuration decides. The gatherer asks them all at once and prints the results in the order of the inputs when
 * the last has come, whatever became of each: Node's Promise.allSettled over Workers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>

#define GATHER(field) field(array(u32), inputs)
TROUPE_MESSAGE(gather, GATHER)
#define COMPUTE(field) field(u32, n) field(u32, place)
TROUPE_MESSAGE(compute, COMPUTE)
#define COMPUTED(field) field(u64, number)
TROUPE_MESSAGE(computed, COMPUTED)

enum { MOST = 45 }; /* beyond it this way takes too long */

/* ---- A worker ---- */

struct worker { char unused; };

static uint64_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

TROUPE_ON(worker, compute) {
    if (msg->n > MOST) return TROUPE_FAIL(self, "more than fibonacci(%d) is asked for: %u", MOST, msg->n);
    return troupe_reply(self, computed, .number = fibonacci(msg->n));
}
TROUPE_ACTOR(worker, TROUPE_HANDLES(worker, compute))

/* ---- The gatherer ---- */

struct result {
    uint32_t n;
    enum troupe_status outcome;
    uint64_t number;
};

struct gatherer {
    struct result *results; /* as many as there are inputs */
    uint32_t count, missing;
};

static enum troupe_status ask(troupe_self *self, uint32_t n, uint32_t place) {
    char name[32];
    snprintf(name, sizeof name, "worker/%u", place % troupe_count(self, "/worker"));
    return troupe_ask(self, troupe_lookup(self, name), compute, TROUPE_MINUTE, .n = n, .place = place);
}

TROUPE_START(gatherer, gather) {
    me->count = me->missing = args->inputs.count;
    me->results = calloc(me->count, sizeof *me->results);
    if (me->results == NULL) return TROUPE_FAIL(self, "no inputs, or no memory");
    for (uint32_t i = 0; i < me->count; i++) {
        enum troupe_status status = ask(self, args->inputs.items[i], i);
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "input %u: %s", i, troupe_status_text(status));
    }
    return TROUPE_OK;
}

static void print(const struct result *result) {
    if (result->outcome == TROUPE_OK) printf("fibonacci(%u) = %" PRIu64 "\n", result->n, result->number);
    else printf("fibonacci(%u): %s\n", result->n, troupe_status_text(result->outcome));
}

TROUPE_ANSWER(gatherer, compute, computed) {
    me->results[request->place] = (struct result){ request->n, outcome, reply == NULL ? 0 : reply->number };
    if (--me->missing > 0) return TROUPE_OK;
    for (uint32_t i = 0; i < me->count; i++) print(&me->results[i]);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_STOP(gatherer) { free(me->results); }
TROUPE_ACTOR(gatherer, TROUPE_STARTS(gatherer, gather), TROUPE_STOPS(gatherer), TROUPE_ANSWERS(gatherer, compute, computed))

int main(int argc, char **argv) { return troupe_main(argc, argv, &worker_actor, &gatherer_actor, NULL); }
