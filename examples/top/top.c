/* A workshop that looks at itself: so often, `top` asks for the tree, then each actor in it for what it is doing, and
 * prints a line for each. Everything it knows came by messages (troupe/inspect.h), wherever the workers run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>

#define JOB(field) field(u32, n)
TROUPE_MESSAGE(job, JOB)
TROUPE_MESSAGE_EMPTY(next)
#define LOOK(field) field(u32, every_ms) field(u32, times)
TROUPE_MESSAGE(look_around, LOOK)

/* ---- Somebody to look at: a boss gives workers jobs, of which every 50th is too much for them ---- */

struct worker { uint32_t jobs; };
TROUPE_ON(worker, job) {
    me->jobs++;
    return msg->n % 50 == 49 ? TROUPE_FAIL(self, "job %u was too much", msg->n) : TROUPE_OK;
}
TROUPE_ACTOR(worker, TROUPE_HANDLES(worker, job))

struct boss { uint32_t jobs; };
TROUPE_START(boss, troupe_none) {
    (void)me;
    return troupe_every_empty(self, NULL, 10 * TROUPE_MILLISECOND, next);
}
TROUPE_ON(boss, next) {
    char path[64];
    uint32_t workers = troupe_count(self, "/workshop/worker");
    snprintf(path, sizeof path, "/workshop/worker/%u", me->jobs % workers);
    (void)troupe_send(self, troupe_lookup(self, path), job, .n = me->jobs++);
    return TROUPE_OK;
}
TROUPE_ACTOR(boss, TROUPE_STARTS(boss, troupe_none), TROUPE_HANDLES(boss, next))

/* ---- Who looks ---- */

struct line {
    struct troupe_tree_item item;
    char path[128], actor[64], failure[64];
    struct troupe_actor_info info;
};
struct top {
    struct line *lines;
    uint32_t count, missing, left;
};

TROUPE_START(top, look_around) {
    me->left = args->times;
    return troupe_every_empty(self, NULL, args->every_ms * TROUPE_MILLISECOND, next);
}
TROUPE_STOP(top) { free(me->lines); }

TROUPE_ON(top, next) {
    if (me->missing > 0) return TROUPE_OK; /* the last look is not over */
    return troupe_ask_empty(self, troupe_observer(troupe_self_address(self)), troupe_inspect_tree, 10 * TROUPE_SECOND);
}

static void print(const struct top *me) {
    printf("%-24s %-18s %-9s %8s %9s %8s %8s %5s  %s\n", "PATH", "ACTOR", "STATE", "RESTARTS", "NODE", "HANDLED",
           "WAITING", "HIGH", "LAST FAILURE");
    for (uint32_t i = 0; i < me->count; i++) {
        const struct line *line = &me->lines[i];
        printf("%-24s %-18s %-9s %8" PRIu64 " %9" PRIu64, line->path, line->actor,
               troupe_child_state_name((enum troupe_child_state)line->item.state), line->item.restarts,
               line->item.address.node);
        if (line->info.whole) printf(" %8u %8u %5u", line->info.handled, line->info.waiting, line->info.high_water);
        printf("%s%s\n", line->failure[0] == '\0' ? "" : "  ", line->failure);
    }
    printf("\n");
    fflush(stdout);
}

static enum troupe_status finish(troupe_self *self, struct top *me) {
    if (me->missing > 0) return TROUPE_OK;
    print(me);
    if (me->left > 0 && --me->left == 0) troupe_shutdown(self);
    return TROUPE_OK;
}

static void take(troupe_self *self, struct top *me, const struct troupe_tree_item *item) {
    struct line *line = &me->lines[me->count++];
    *line = (struct line){ .item = *item };
    snprintf(line->path, sizeof line->path, "%s", item->path);
    snprintf(line->actor, sizeof line->actor, "%s", item->actor);
    snprintf(line->failure, sizeof line->failure, "%s", item->failure); /* its beginning will do */
    enum troupe_status status = troupe_ask(self, troupe_observer(item->address), troupe_inspect_actor,
                                           5 * TROUPE_SECOND, .actor = item->address);
    if (status == TROUPE_OK) me->missing++;
}

TROUPE_ANSWER(top, troupe_inspect_tree, troupe_tree_info) {
    (void)request;
    if (outcome != TROUPE_OK || me->missing > 0) return TROUPE_OK;
    free(me->lines);
    me->count = 0;
    me->lines = calloc(reply->items.count + 1, sizeof *me->lines);
    if (me->lines == NULL) return TROUPE_NO_MEMORY;
    for (uint32_t i = 0; i < reply->items.count; i++) take(self, me, &reply->items.items[i]);
    return finish(self, me);
}

TROUPE_ANSWER(top, troupe_inspect_actor, troupe_actor_info) {
    me->missing--;
    for (uint32_t i = 0; reply != NULL && i < me->count; i++)
        if (troupe_address_equal(me->lines[i].item.address, request->actor)) me->lines[i].info = *reply;
    return finish(self, me);
}

TROUPE_ACTOR(top, TROUPE_STARTS(top, look_around), TROUPE_STOPS(top), TROUPE_HANDLES(top, next),
             TROUPE_ANSWERS(top, troupe_inspect_tree, troupe_tree_info),
             TROUPE_ANSWERS(top, troupe_inspect_actor, troupe_actor_info))

int main(int argc, char **argv) { return troupe_main(argc, argv, &worker_actor, &boss_actor, &top_actor, NULL); }
