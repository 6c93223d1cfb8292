/* Two actors, in processes of their own, ask each other without a pause, while a third one holds up a worker of main
 * again and again. Prints the longest time that an answer took, in milliseconds. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <troupe.h>

TROUPE_MESSAGE_EMPTY(block)
TROUPE_MESSAGE_EMPTY(blocked)
TROUPE_MESSAGE_EMPTY(ping)
TROUPE_MESSAGE_EMPTY(pong)

enum { BLOCKS = 8, BLOCK_MS = 600, PINGS_BETWEEN = 200 };

struct blocker { char unused; };
TROUPE_START(blocker, troupe_none) { return TROUPE_OK; }
TROUPE_ON(blocker, block) {
    (void)poll(NULL, 0, BLOCK_MS); /* what no handler should do */
    return troupe_reply_empty(self, blocked);
}
TROUPE_ACTOR(blocker, TROUPE_STARTS(blocker, troupe_none), TROUPE_HANDLES(blocker, block))

struct echo { char unused; };
TROUPE_START(echo, troupe_none) { return TROUPE_OK; }
TROUPE_ON(echo, ping) { return troupe_reply_empty(self, pong); }
TROUPE_ACTOR(echo, TROUPE_STARTS(echo, troupe_none), TROUPE_HANDLES(echo, ping))

struct asker {
    int64_t asked, longest;
    uint32_t pings, blocks;
    bool blocking;
};
static enum troupe_status ask_again(troupe_self *self, struct asker *me) {
    me->asked = troupe_now(self);
    return troupe_ask_empty(self, troupe_lookup(self, "echo"), ping, TROUPE_MINUTE);
}
TROUPE_START(asker, troupe_none) { return ask_again(self, me); }
TROUPE_ANSWER(asker, ping, pong) {
    int64_t took = troupe_now(self) - me->asked;
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "no answer: %s", troupe_status_name(outcome));
    if (took > me->longest) me->longest = took;
    if (!me->blocking && ++me->pings % PINGS_BETWEEN == 0) {
        me->blocking = true;
        enum troupe_status status = troupe_ask_empty(self, troupe_lookup(self, "blocker"), block, TROUPE_MINUTE);
        if (status != TROUPE_OK) return status;
    }
    return ask_again(self, me);
}
TROUPE_ANSWER(asker, block, blocked) {
    me->blocking = false;
    if (++me->blocks < BLOCKS) return TROUPE_OK;
    printf("longest %" PRId64 " ms, %u pings, blocked for %d ms at a time\n", me->longest / TROUPE_MILLISECOND,
           me->pings, BLOCK_MS);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(asker, TROUPE_STARTS(asker, troupe_none), TROUPE_ANSWERS(asker, ping, pong),
             TROUPE_ANSWERS(asker, block, blocked))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &blocker_actor, &echo_actor, &asker_actor, NULL);
}
