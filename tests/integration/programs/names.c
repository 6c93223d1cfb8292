/*
 * Names, wherever actors are. The director reads its orders from its arguments, "0 register x; d lookup x", and
 * has them carried out one after the other: by teller 0, 1, ..., or (d) by itself. What came of each it says on
 * standard output, "1 ok", a line each; at the end it shuts down. What is to be done:
 *
 *     register NAME, unregister NAME, spawn NAME    the status
 *     lookup NAME    the path of who is found, as far as the director knows it, "somebody", or "none"
 *     call NAME      (d) the path that whoever is found says of itself
 *     quit NAME      (d) whoever is found leaves; "gone" once nobody is found any more
 *     fail, die      the teller fails, or its process is killed
 *
 * Orders are carried out `times` times; then only the first that came out otherwise than before is said.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define ORDER(field) field(str, what) field(str, name)
TROUPE_MESSAGE(order, ORDER)
#define REPORT(field) field(str, result) field(address, found)
TROUPE_MESSAGE(report, REPORT)
#define DIRECT(field) field(str, orders) field(u32, times)
TROUPE_MESSAGE(direct, DIRECT)
TROUPE_MESSAGE_EMPTY(next)

enum { MOST = 64, TEXT = 128 };

/* ---- Who is spawned, and who tells ---- */

struct kid { char unused; };
TROUPE_ON(kid, order) {
    if (strcmp(msg->what, "quit") == 0) return troupe_exit(self);
    return troupe_reply(self, report, .result = troupe_self_path(self));
}
TROUPE_ACTOR(kid, TROUPE_HANDLES(kid, order))

static enum troupe_status spawn(troupe_self *self, const char *name) {
    struct troupe_spawn_options options = { .name = name };
    return troupe_spawn_actor(self, NULL, &kid_actor, &options, &troupe_none_message, &(struct troupe_none){ 0 });
}

/* NULL: it is nothing that anybody can do. */
static const char *carry_out(troupe_self *self, const char *what, const char *name) {
    if (strcmp(what, "register") == 0) return troupe_status_name(troupe_register(self, name));
    if (strcmp(what, "unregister") == 0) return troupe_status_name(troupe_unregister(self, name));
    if (strcmp(what, "spawn") == 0) return troupe_status_name(spawn(self, name));
    return NULL;
}

struct teller { char unused; };
TROUPE_ON(teller, order) {
    const char *result = carry_out(self, msg->what, msg->name);
    if (result != NULL) return troupe_reply(self, report, .result = result);
    if (strcmp(msg->what, "lookup") == 0)
        return troupe_reply(self, report, .result = "found", .found = troupe_lookup(self, msg->name));
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to");
    if (strcmp(msg->what, "die") == 0) raise(SIGKILL);
    return troupe_reply(self, report, .result = troupe_self_path(self));
}
TROUPE_ACTOR(teller, TROUPE_HANDLES(teller, order))

/* ---- The director ---- */

struct director {
    char orders[4096], first[MOST][TEXT];
    const char *at;
    uint32_t number, times, round, tellers;
    char who[8], what[16], name[96];
    bool quitting;
};

static void say(const char *format, unsigned number, const char *what) {
    char line[256];
    int size = snprintf(line, sizeof line, format, number, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

static void told(struct director *me, const char *result) {
    bool same = me->round > 0 && strcmp(me->first[me->number], result) == 0;
    if (!same) say("%u %s\n", me->number, result);
    if (me->round == 0) snprintf(me->first[me->number], TEXT, "%s", result);
    me->number++;
}

static troupe_address teller(troupe_self *self, const char *number) {
    char path[32];
    snprintf(path, sizeof path, "/teller/%.8s", number);
    return troupe_lookup(self, path);
}

static const char *path_of(troupe_self *self, const struct director *me, troupe_address who) {
    static char path[32];
    if (troupe_address_is_none(who)) return "none";
    if (troupe_address_equal(who, troupe_self_address(self))) return "/director";
    for (uint32_t i = 0; i < me->tellers; i++) {
        snprintf(path, sizeof path, "/teller/%u", (unsigned)i);
        if (troupe_address_equal(who, troupe_lookup(self, path))) return path;
    }
    return "somebody";
}

static bool next_order(struct director *me) {
    int used = 0;
    me->name[0] = '\0';
    if (sscanf(me->at, " %7s %15[a-z] %95[^;]%n", me->who, me->what, me->name, &used) < 3 &&
        sscanf(me->at, " %7s %15[a-z]%n", me->who, me->what, &used) < 2) return false;
    me->at += used;
    me->at += strspn(me->at, "; ");
    return true;
}

static enum troupe_status ask(troupe_self *self, struct director *me, troupe_address to) {
    return troupe_ask(self, to, order, 30 * TROUPE_SECOND, .what = me->what, .name = me->name);
}

/* True: it was done at once. */
static bool do_it(troupe_self *self, struct director *me) {
    const char *result = carry_out(self, me->what, me->name);
    if (strcmp(me->what, "lookup") == 0) result = path_of(self, me, troupe_lookup(self, me->name));
    if (result != NULL) told(me, result);
    return result != NULL;
}

static enum troupe_status refused(struct director *me, enum troupe_status status) {
    if (status != TROUPE_OK) told(me, troupe_status_name(status));
    return status;
}

static enum troupe_status go_on(troupe_self *self, struct director *me) {
    while (next_order(me)) {
        bool own = me->who[0] == 'd';
        if (own && do_it(self, me)) continue;
        if (refused(me, ask(self, me, own ? troupe_lookup(self, me->name) : teller(self, me->who))) == TROUPE_OK)
            return TROUPE_OK;
    }
    me->at = me->orders;
    me->number = 0;
    if (++me->round < me->times) return troupe_after_empty(self, NULL, 1, next);
    say("over%.0u%s\n", 0, "");
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_START(director, direct) {
    snprintf(me->orders, sizeof me->orders, "%s", args->orders);
    me->at = me->orders;
    me->times = args->times;
    me->tellers = troupe_count(self, "/teller");
    return go_on(self, me);
}

static enum troupe_status await_gone(troupe_self *self, struct director *me) {
    me->quitting = !troupe_address_is_none(troupe_lookup(self, me->name));
    if (me->quitting) return troupe_after_empty(self, NULL, TROUPE_MILLISECOND, next);
    told(me, "gone");
    return go_on(self, me);
}

TROUPE_ON(director, next) { return me->quitting ? await_gone(self, me) : go_on(self, me); }

/* For an actor that calls itself by its name. */
TROUPE_ON(director, order) { return troupe_reply(self, report, .result = troupe_self_path(self)); }

/* An order that met a process about to die is given again. */
TROUPE_ANSWER(director, order, report) {
    bool dies = strcmp(request->what, "die") == 0 || strcmp(request->what, "fail") == 0;
    if (strcmp(request->what, "quit") == 0) return await_gone(self, me);
    if (outcome != TROUPE_OK && !dies && me->who[0] != 'd')
        return ask(self, me, teller(self, me->who));
    if (outcome != TROUPE_OK) told(me, troupe_status_name(outcome));
    else if (strcmp(reply->result, "found") == 0) told(me, path_of(self, me, reply->found));
    else told(me, reply->result);
    return go_on(self, me);
}

TROUPE_ACTOR(director, TROUPE_STARTS(director, direct), TROUPE_HANDLES(director, next, order),
    TROUPE_ANSWERS(director, order, report))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &director_actor, &teller_actor, &kid_actor, NULL);
}
