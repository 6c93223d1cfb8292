/*
 * A pipeline that is as fast as its slowest part, and holds no more than it may: how many steps does each number take
 * to 1, if even ones are halved and odd ones become three times as much and one?
 *
 *     source --number--> stage/0 --steps--> sink
 *                        stage/1 --steps-->
 *
 * What to look at:
 *
 *     the source    has so many numbers under way at each stage and no more: each is an ask, and the end of one is the
 *                   leave to begin the next. So the speed of the sink goes back through the stages to the source. An
 *                   ask ends exactly once: no number is forgotten, whoever dies. It may come twice.
 *     a stage       tells the sink, and answers the source when the sink has answered. If there is no room in the
 *                   sink's mailbox (FULL) it becomes another: it puts aside what comes, until troupe_ready.
 *     the sink      is slow (`slow_us`): it has a thread of its own, so it may. Its mailbox has a limit, in the
 *                   configuration. Twice the same number counts once. What it has counted dies with it: how that would
 *                   survive is to be seen in examples/bank.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <troupe.h>

enum { WINDOW = 8 };
static const int64_t patience = 60 * TROUPE_SECOND;

#define MAKE(field) field(u64, numbers)
TROUPE_MESSAGE(make, MAKE)
#define TAKE(field) field(u64, numbers) field(u32, slow_us)
TROUPE_MESSAGE(take, TAKE)

/* Source to stage: `slot` is which of the WINDOW numbers under way at that stage it is. */
#define NUMBER(field) field(u64, n) field(u32, stage) field(u32, slot)
TROUPE_MESSAGE(number, NUMBER)
/* Stage to sink, which answers with `taken`, and so does the stage then. */
#define STEPS(field) field(u64, n) field(u64, steps) field(u32, slot)
TROUPE_MESSAGE(steps, STEPS)
TROUPE_MESSAGE_EMPTY(taken)
/* Source to sink: all were taken. */
#define OVER(field) field(u64, numbers) field(u32, most) field(u64, repeated)
TROUPE_MESSAGE(over, OVER)

/* ---- Source ---- */

struct source {
    uint64_t numbers, asked, taken, repeated;
    uint32_t under_way, most;
};

static enum troupe_status ask_later(troupe_self *self, const struct number *number) {
    return troupe_after(self, NULL, TROUPE_MILLISECOND, number, .n = number->n, .stage = number->stage,
                        .slot = number->slot);
}

static enum troupe_status ask(troupe_self *self, const struct number *number) {
    char path[32];
    snprintf(path, sizeof path, "/stage/%" PRIu32, number->stage);
    enum troupe_status status = troupe_ask(self, troupe_lookup(self, path), number, patience, .n = number->n,
                                           .stage = number->stage, .slot = number->slot);
    return status == TROUPE_OK ? TROUPE_OK : ask_later(self, number);
}

static enum troupe_status ask_next(troupe_self *self, struct source *me, uint32_t stage, uint32_t slot) {
    if (me->asked == me->numbers) return TROUPE_OK;
    me->under_way++;
    if (me->under_way > me->most) me->most = me->under_way;
    return ask(self, &(struct number){ .n = ++me->asked, .stage = stage, .slot = slot });
}

TROUPE_START(source, make) {
    me->numbers = args->numbers;
    uint32_t stages = troupe_count(self, "/stage");
    enum troupe_status status = TROUPE_OK;
    if (stages == 0 || me->numbers == 0) return TROUPE_FAIL(self, "a stage, and a number, are needed");
    for (uint32_t i = 0; i < stages * WINDOW && status == TROUPE_OK; i++)
        status = ask_next(self, me, i % stages, i / stages);
    return status;
}

TROUPE_ANSWER(source, number, taken) {
    if (outcome != TROUPE_OK) {
        me->repeated++;
        return ask_later(self, request);
    }
    me->under_way--;
    if (++me->taken == 1) troupe_log(self, TROUPE_INFO, "the first number has come through");
    if (me->taken < me->numbers) return ask_next(self, me, request->stage, request->slot);
    return troupe_send(self, troupe_lookup(self, "/sink"), over, .numbers = me->numbers, .most = me->most,
                       .repeated = me->repeated);
}

TROUPE_ON(source, number) { return ask(self, msg); }

TROUPE_ACTOR(source, TROUPE_STARTS(source, make), TROUPE_HANDLES(source, number), TROUPE_ANSWERS(source, number, taken))

/* ---- Stage ---- */

struct stage {
    struct troupe_asker askers[WINDOW];
};
TROUPE_BEHAVIOUR_DECLARE(stage, waiting)

static uint64_t steps_of(uint64_t n) {
    uint64_t steps = 0;
    for (; n > 1; steps++) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return steps;
}

static enum troupe_status wait_for_room(troupe_self *self) {
    enum troupe_status status = troupe_stash(self);
    return status == TROUPE_OK ? troupe_become(self, stage, waiting) : status;
}

TROUPE_ON(stage, number) {
    if (msg->slot >= WINDOW) return TROUPE_FAIL(self, "there is no slot %" PRIu32, msg->slot);
    enum troupe_status status = troupe_ask(self, troupe_lookup(self, "/sink"), steps, patience, .n = msg->n,
                                           .steps = steps_of(msg->n), .slot = msg->slot);
    if (status == TROUPE_FULL) return wait_for_room(self);
    if (status == TROUPE_OK) me->askers[msg->slot] = troupe_keep_asker(self);
    return status;
}

TROUPE_ON_AS(stage, waiting, number) { return troupe_stash(self); }

TROUPE_ON(stage, troupe_ready) {
    troupe_unstash(self);
    return troupe_become_first(self);
}

/* If the sink has not taken it, this run ends, and with it all asks that it has not answered: the source asks again. */
TROUPE_ANSWER(stage, steps, taken) {
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "the sink: %s", troupe_status_text(outcome));
    return troupe_answer_later(self, me->askers[request->slot], taken, 0);
}

TROUPE_BEHAVIOUR(stage, waiting, TROUPE_HANDLES_AS(stage, waiting, number), TROUPE_HANDLES(stage, troupe_ready))
TROUPE_ACTOR(stage, TROUPE_HANDLES(stage, number, troupe_ready), TROUPE_ANSWERS(stage, steps, taken),
             TROUPE_BECOMES(stage, waiting))

/* ---- Sink ---- */

struct sink {
    bool *seen;
    uint64_t numbers, steps, twice, longest, longest_steps;
    uint32_t slow_us;
};

TROUPE_START(sink, take) {
    me->numbers = args->numbers;
    me->slow_us = args->slow_us;
    me->seen = calloc(args->numbers + 1, sizeof *me->seen);
    return me->seen == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

TROUPE_STOP(sink) { free(me->seen); }

static void count(struct sink *me, const struct steps *msg) {
    me->twice += me->seen[msg->n];
    if (me->seen[msg->n]) return;
    me->seen[msg->n] = true;
    me->steps += msg->steps;
    if (msg->steps < me->longest_steps || (msg->steps == me->longest_steps && msg->n > me->longest)) return;
    me->longest = msg->n;
    me->longest_steps = msg->steps;
}

TROUPE_ON(sink, steps) {
    if (msg->n > me->numbers) return TROUPE_FAIL(self, "%" PRIu64 " is none of the numbers", msg->n);
    nanosleep(&(struct timespec){ .tv_nsec = (long)me->slow_us % 1000000 * 1000 }, NULL);
    count(me, msg);
    return troupe_reply_empty(self, taken);
}

TROUPE_ON(sink, over) {
    struct troupe_mailbox_info mailbox;
    (void)troupe_mailbox(self, troupe_self_address(self), &mailbox);
    printf("%" PRIu64 " numbers take %" PRIu64 " steps, the longest is %" PRIu64 " with %" PRIu64 "\n", msg->numbers,
           me->steps, me->longest, me->longest_steps);
    printf("# under_way=%" PRIu32 " in_mailbox=%" PRIu32 " refused=%" PRIu32 " repeated=%" PRIu64 " twice=%" PRIu64 "\n",
           msg->most, mailbox.high_water, mailbox.refused, msg->repeated, me->twice);
    fflush(stdout);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(sink, TROUPE_STARTS(sink, take), TROUPE_STOPS(sink), TROUPE_HANDLES(sink, steps, over))

int main(int argc, char **argv) { return troupe_main(argc, argv, &source_actor, &stage_actor, &sink_actor, NULL); }
