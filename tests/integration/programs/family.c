/*
 * Families: members, which say where and how often they start and stop, and who count what they are asked, over all
 * their runs, and a watcher, which asks those that it is
 * told to, over and over, and says what it hears. What it adopts, it adds to a supervisor by request, and again
 * whenever that is gone. A line each on standard output, in one write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define BORN(field) field(u64, fails) field(bool, never)
TROUPE_MESSAGE(born, BORN)
#define WATCH(field) field(array(str), paths) field(str, adopts)
TROUPE_MESSAGE(watch, WATCH)
#define PING(field) field(str, path)
TROUPE_MESSAGE(ping, PING)
#define PONG(field) field(i64, pid) field(u32, run) field(u64, count)
#define SEEN(field) field(u64, count)
TROUPE_MESSAGE(seen, SEEN)
TROUPE_MESSAGE(pong, PONG)
TROUPE_MESSAGE_EMPTY(look)

enum { MOST = 8, PATIENCE = 2 /* seconds */ };

static void say(const char *line) {
    size_t size = strlen(line);
    if (write(STDOUT_FILENO, line, size) != (ssize_t)size) abort();
}

/* ---- Members ---- */

struct member {
    uint64_t count;
};

static void say_of(const troupe_self *self, const char *what) {
    char line[256];
    snprintf(line, sizeof line, "%s %s pid %d run %u\n", what, troupe_self_path(self), (int)getpid(),
             (unsigned)troupe_self_run(self));
    say(line);
}

TROUPE_START(member, born) {
    const struct seen *before = troupe_saved(self, seen);
    if (before != NULL) me->count = before->count;
    say_of(self, "start");
    if (args->never) return troupe_start_later(self);
    return troupe_self_run(self) < args->fails ? TROUPE_FAIL(self, "not yet") : TROUPE_OK;
}
TROUPE_STOP(member) { say_of(self, "stop"); }
TROUPE_ON(member, ping) {
    if (strcmp(msg->path, "fail") == 0) return TROUPE_FAIL(self, "told to fail");
    enum troupe_status status = troupe_save(self, seen, .count = ++me->count);
    if (status != TROUPE_OK && status != TROUPE_FULL) return status;
    return troupe_reply(self, pong, .pid = getpid(), .run = troupe_self_run(self), .count = me->count);
}
TROUPE_ACTOR(member, TROUPE_STARTS(member, born), TROUPE_STOPS(member), TROUPE_HANDLES(member, ping))

/* ---- The watcher ---- */

struct watcher {
    char paths[MOST][64], adopts[64];
    uint32_t count, waiting;
    troupe_address adopted;
};

TROUPE_START(watcher, watch) {
    me->count = args->paths.count < MOST ? args->paths.count : MOST;
    for (uint32_t i = 0; i < me->count; i++) snprintf(me->paths[i], sizeof me->paths[i], "%s", args->paths.items[i]);
    snprintf(me->adopts, sizeof me->adopts, "%s", args->adopts);
    return troupe_after_empty(self, NULL, 0, look);
}

static void say_answer(const char *path, enum troupe_status status, const struct pong *pong) {
    char line[256];
    snprintf(line, sizeof line, "%s %s pid %lld run %u count %llu\n", path, troupe_status_name(status),
             pong == NULL ? 0LL : (long long)pong->pid, pong == NULL ? 0 : (unsigned)pong->run,
             pong == NULL ? 0ULL : (unsigned long long)pong->count);
    say(line);
}

static void ask(troupe_self *self, struct watcher *me, troupe_address who, const char *path) {
    enum troupe_status status = troupe_ask(self, who, ping, PATIENCE * TROUPE_SECOND, .path = path);
    if (status == TROUPE_OK) me->waiting++;
    else say_answer(path, status, NULL);
}

static void adopt(troupe_self *self, struct watcher *me) {
    struct troupe_child_options options = { .name = "adopted" };
    if (troupe_ask_start_child(self, troupe_lookup(self, me->adopts), PATIENCE * TROUPE_SECOND, &options, member, born,
                               .fails = 0) == TROUPE_OK)
        me->waiting++;
}

static enum troupe_status rest(troupe_self *self, struct watcher *me) {
    if (me->waiting > 0) return TROUPE_OK;
    return troupe_after_empty(self, NULL, 10 * TROUPE_MILLISECOND, look);
}

TROUPE_ON(watcher, look) {
    for (uint32_t i = 0; i < me->count; i++) ask(self, me, troupe_lookup(self, me->paths[i]), me->paths[i]);
    if (me->adopts[0] != '\0' && troupe_address_is_none(me->adopted)) adopt(self, me);
    if (!troupe_address_is_none(me->adopted)) ask(self, me, me->adopted, "adopted");
    return rest(self, me);
}

TROUPE_ANSWER(watcher, ping, pong) {
    me->waiting--;
    say_answer(request->path, outcome, reply);
    if (outcome == TROUPE_GONE && strcmp(request->path, "adopted") == 0) me->adopted = (troupe_address){ 0 };
    return rest(self, me);
}

TROUPE_ANSWER(watcher, troupe_start_child, troupe_child) {
    me->waiting--;
    if (outcome == TROUPE_OK) me->adopted = reply->address;
    return rest(self, me);
}

TROUPE_ACTOR(watcher, TROUPE_STARTS(watcher, watch), TROUPE_HANDLES(watcher, look),
             TROUPE_ANSWERS(watcher, ping, pong), TROUPE_ANSWERS(watcher, troupe_start_child, troupe_child))

int main(int argc, char **argv) { return troupe_main(argc, argv, &member_actor, &watcher_actor, NULL); }
