/*
 * Members who all know each other: each greets every other one, over and over, so that there is a connection for each
 * pair, and always something on its way. A run that has been answered by all of them for the first time says so on
 * standard output: "PATH knows all, pid PID", in one write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>
#include <unistd.h>

TROUPE_MESSAGE_EMPTY(meet)
#define GREETING(field) field(u64, whom)
TROUPE_MESSAGE(greet, GREETING)
TROUPE_MESSAGE_EMPTY(greeted)
TROUPE_MESSAGE(turn, GREETING)

enum { MOST = 16 };

struct member {
    uint32_t unknown;
    bool knows[MOST];
    troupe_address others[MOST];
};

static enum troupe_status later(troupe_self *self, uint64_t whom) {
    return troupe_after(self, NULL, TROUPE_MILLISECOND, turn, .whom = whom);
}

TROUPE_START(member, meet) {
    char path[32];
    uint32_t count = troupe_count(self, "/member");
    (void)args;
    for (uint32_t i = 0; i < count && i < MOST; i++) {
        snprintf(path, sizeof path, "/member/%u", (unsigned)i);
        me->others[i] = troupe_lookup(self, path);
        if (troupe_address_equal(me->others[i], troupe_self_address(self))) continue;
        me->unknown++;
        enum troupe_status status = later(self, i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

TROUPE_ON(member, turn) {
    enum troupe_status status = troupe_ask(self, me->others[msg->whom], greet, TROUPE_SECOND, .whom = msg->whom);
    return status == TROUPE_OK ? TROUPE_OK : later(self, msg->whom);
}
TROUPE_ON(member, greet) {
    (void)msg;
    return troupe_reply_empty(self, greeted);
}

static void say_so(const troupe_self *self) {
    char line[64];
    int size = snprintf(line, sizeof line, "%s knows all, pid %d\n", troupe_self_path(self), (int)getpid());
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

TROUPE_ANSWER(member, greet, greeted) {
    if (outcome == TROUPE_OK && !me->knows[request->whom]) {
        me->knows[request->whom] = true;
        if (--me->unknown == 0) say_so(self);
    }
    return later(self, request->whom);
}

TROUPE_ACTOR(member, TROUPE_STARTS(member, meet), TROUPE_HANDLES(member, turn, greet), TROUPE_ANSWERS(member, greet, greeted))

int main(int argc, char **argv) { return troupe_main(argc, argv, &member_actor, NULL); }
