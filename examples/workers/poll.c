/* receiveMessageOnPort: an actor with a thread of its own takes its messages when it wants to, within one handler. */
#include <stdio.h>

#include "workers.h"

struct poller { uint32_t lines; };

TROUPE_ON(poller, line) {
    me->lines++;
    return TROUPE_OK;
}

TROUPE_ON(poller, poll_them) {
    while (me->lines < msg->messages)
        if (troupe_receive(self, 5 * TROUPE_SECOND) != TROUPE_OK) return TROUPE_FAIL(self, "no line came");
    bool more = troupe_receive(self, 0) == TROUPE_OK; /* only looks */
    printf("%s: took %u lines, and there is %s\n", troupe_self_path(self), me->lines, more ? "one more" : "no other");
    fflush(stdout);
    return troupe_reply_empty(self, over);
}

TROUPE_ACTOR(poller, TROUPE_HANDLES(poller, line, poll_them))
