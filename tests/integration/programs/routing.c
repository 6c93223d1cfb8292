/* Asks 60 times, half of them through a router that takes turns, half through one that goes by a key, and prints how
 * each ended, and in which process. The 20th kills whoever gets it. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <troupe.h>
#include <unistd.h>

#define JOB(field) field(u32, n)
TROUPE_MESSAGE(job, JOB)
#define DONE(field) field(i64, pid)
TROUPE_MESSAGE(done, DONE)
TROUPE_MESSAGE_EMPTY(tick)

enum { ASKS = 60, DEADLY = 20 };

struct worker { char unused; };
TROUPE_START(worker, troupe_none) { return troupe_join(self, "workers"); }
TROUPE_ON(worker, job) {
    if (msg->n == DEADLY) raise(SIGKILL);
    return troupe_reply(self, done, .pid = getpid());
}
TROUPE_ACTOR(worker, TROUPE_STARTS(worker, troupe_none), TROUPE_HANDLES(worker, job))

struct boss { uint32_t asked, open; };
TROUPE_START(boss, troupe_none) { return troupe_every_empty(self, NULL, 10 * TROUPE_MILLISECOND, tick); }

/* Begins once all are there: who is in a group is known a moment after. */
TROUPE_ON(boss, tick) {
    troupe_address members[8], router = troupe_lookup(self, me->asked % 2 == 0 ? "byturn" : "bykey");
    if (me->asked == 0 && troupe_members(self, "workers", members, 8) < 3) return TROUPE_OK;
    if (me->asked == ASKS && me->open == 0) troupe_shutdown(self);
    if (me->asked == ASKS) return TROUPE_OK;
    if (troupe_ask(self, router, job, TROUPE_MINUTE, .n = me->asked++) == TROUPE_OK) me->open++;
    return TROUPE_OK;
}
TROUPE_ANSWER(boss, job, done) {
    me->open--;
    printf("%u %s %" PRId64 "\n", request->n, troupe_status_name(outcome), reply == NULL ? 0 : reply->pid);
    fflush(stdout);
    return TROUPE_OK;
}
TROUPE_ACTOR(boss, TROUPE_STARTS(boss, troupe_none), TROUPE_HANDLES(boss, tick), TROUPE_ANSWERS(boss, job, done))

int main(int argc, char **argv) { return troupe_main(argc, argv, &worker_actor, &boss_actor, NULL); }
