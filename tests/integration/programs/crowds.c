/*
 * Groups and topics over processes. Each member brings a crowd, of which everybody joins a group and subscribes to a
 * topic. Watchers say how large the crowd is whenever it has changed: "/watcher/0 crowd 300". The publisher publishes
 * a number again and again; each member says the first that it hears: "/member/0 hears".
 */
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>
#include <unistd.h>

#define BRING(field) field(u32, crowd)
TROUPE_MESSAGE(bring, BRING)
#define NEWS(field) field(u64, n)
TROUPE_MESSAGE(news, NEWS)
TROUPE_MESSAGE_EMPTY(tick)

static void say(troupe_self *self, const char *what, long long number) {
    char line[128];
    int size = snprintf(line, sizeof line, "%s %s %lld\n", troupe_self_path(self), what, number);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

struct one {
    uint64_t last;
};
TROUPE_START(one, troupe_none) {
    enum troupe_status status = troupe_join(self, "crowd");
    return status == TROUPE_OK ? troupe_subscribe(self, "news") : status;
}
TROUPE_ON(one, news) {
    if (msg->n <= me->last) return TROUPE_FAIL(self, "not in the order published");
    me->last = msg->n;
    return TROUPE_OK;
}
TROUPE_ACTOR(one, TROUPE_STARTS(one, troupe_none), TROUPE_HANDLES(one, news))

struct member {
    bool heard;
};
TROUPE_START(member, bring) {
    enum troupe_status status = troupe_subscribe(self, "news");
    for (uint32_t i = 0; i < args->crowd && status == TROUPE_OK; i++) status = troupe_spawn_empty(self, NULL, one);
    return status;
}
TROUPE_ON(member, news) {
    if (!me->heard) say(self, "hears", 0);
    me->heard = true;
    return TROUPE_OK;
}
TROUPE_ACTOR(member, TROUPE_STARTS(member, bring), TROUPE_HANDLES(member, news))

struct watcher {
    long long crowd;
};
TROUPE_START(watcher, troupe_none) { return troupe_group_watch(self, "crowd"); }
TROUPE_ON(watcher, troupe_joined) {
    me->crowd += msg->members.count;
    say(self, "crowd", me->crowd);
    return TROUPE_OK;
}
TROUPE_ON(watcher, troupe_left) {
    me->crowd -= msg->members.count;
    say(self, "crowd", me->crowd);
    return TROUPE_OK;
}
TROUPE_ACTOR(watcher, TROUPE_STARTS(watcher, troupe_none), TROUPE_HANDLES(watcher, troupe_joined, troupe_left))

struct publisher {
    uint64_t n;
};
TROUPE_START(publisher, troupe_none) { return troupe_every_empty(self, NULL, 5 * TROUPE_MILLISECOND, tick); }
TROUPE_ON(publisher, tick) {
    enum troupe_status status = troupe_publish(self, "news", news, .n = ++me->n);
    return status == TROUPE_FULL ? TROUPE_OK : status;
}
TROUPE_ACTOR(publisher, TROUPE_STARTS(publisher, troupe_none), TROUPE_HANDLES(publisher, tick))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &member_actor, &one_actor, &watcher_actor, &publisher_actor, NULL);
}
