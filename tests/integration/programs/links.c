/*
 * Monitors and links, wherever actors are. The director reads its orders from its arguments, "0 monitor 1; 1 fail;
 * 0 hears", and has them carried out one after the other by player 0, 1, ..., or (d) by itself. What came of each it
 * says on standard output, "2 down /player/1 failed", a line each; at the end it shuts down. What is to be done:
 *
 *     monitor X, demonitor, link X, unlink X, trap, untrap, stop X    the status; X: a player, or the last kid
 *     spawn, spawnlink, spawnmonitor    a kid of the player's, not supervised
 *     burst X    500 words to X, then the player fails
 *     fail, exit, die, sleep    the player fails, is done, has its process killed; is told to fail when it wakes up
 * Whoever is told of a bond has heard of it when the next order is carried out, wherever it is.
 *
 *     hears    waits for what the player is told: an end, of whom, how, by whom, and how many words were there before
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define ORDER(field) field(str, what) field(address, whom) field(address, director) field(u32, number)
TROUPE_MESSAGE(order, ORDER)
#define REPORT(field) field(str, result) field(address, kid)
TROUPE_MESSAGE(report, REPORT)
#define NOTE(field) field(u32, number) field(str, text)
TROUPE_MESSAGE(note, NOTE)
#define DIRECT(field) field(str, orders)
TROUPE_MESSAGE(direct, DIRECT)
TROUPE_MESSAGE_EMPTY(word)
TROUPE_MESSAGE_EMPTY(meet)
TROUPE_MESSAGE_EMPTY(met)
#define DOOM(field) field(str, what) field(address, whom)
TROUPE_MESSAGE(doom, DOOM)

enum { PLAYERS = 8, NOTES = 64, TEXT = 128, WORDS = 500 };

/* ---- What people are told ---- */

static const char *describe(char *text, size_t size, const char *what, const struct troupe_death *death, uint32_t words) {
    int length = snprintf(text, size, "%s %s %s", what, death->path[0] == '/' && death->path[1] == 'p' ? death->path : "kid",
                          troupe_death_name((enum troupe_death_kind)death->kind));
    if (death->signal != 0) length += snprintf(text + length, size - (size_t)length, " %d", (int)death->signal);
    if (strncmp(death->by, "/p", 2) == 0) length += snprintf(text + length, size - (size_t)length, " by %s", death->by);
    if (words > 0) snprintf(text + length, size - (size_t)length, " after %u", (unsigned)words);
    return text;
}

/* ---- Players ---- */

struct player {
    troupe_address director;
    troupe_monitor_id monitor;
    uint32_t number, words;
    struct troupe_asker asker;
    enum troupe_status status; /* for the asker, once the other was met */
};

struct kid { char unused; };
TROUPE_ON(kid, order) {
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to");
    return troupe_exit(self);
}
TROUPE_ACTOR(kid, TROUPE_HANDLES(kid, order))

static enum troupe_status spawn(troupe_self *self, struct player *me, const char *what) {
    troupe_address kid = { 0 };
    struct troupe_spawn_options options = { .link = strcmp(what, "spawnlink") == 0 };
    if (strcmp(what, "spawnmonitor") == 0) options.monitor = &me->monitor;
    enum troupe_status status =
        troupe_spawn_actor(self, &kid, &kid_actor, &options, &troupe_none_message, &(struct troupe_none){ 0 });
    return troupe_reply(self, report, .result = troupe_status_name(status), .kid = kid);
}

static enum troupe_status burst(troupe_self *self, troupe_address to) {
    for (int i = 0; i < WORDS; i++)
        if (troupe_send_empty(self, to, word) != TROUPE_OK) abort();
    return TROUPE_FAIL(self, "told to");
}

/* Its order has been answered, and that answer is on its way. */
TROUPE_ON(player, doom) {
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "told to");
    return strcmp(msg->what, "burst") == 0 ? burst(self, msg->whom) : troupe_exit(self);
}

static enum troupe_status end(troupe_self *self, const struct order *msg) {
    return troupe_reply(self, report, .result = troupe_status_name(troupe_send(
                                          self, troupe_self_address(self), doom, .what = msg->what, .whom = msg->whom)));
}

TROUPE_ON(player, meet) { return troupe_reply_empty(self, met); }

static enum troupe_status answer(troupe_self *self, struct player *me) {
    return troupe_answer_later(self, me->asker, report, .result = troupe_status_name(me->status));
}

TROUPE_ANSWER(player, meet, met) { return answer(self, me); }

/* What it has been told before is there when it answers. */
static enum troupe_status meet_first(troupe_self *self, struct player *me, troupe_address whom) {
    me->asker = troupe_keep_asker(self);
    return troupe_ask_empty(self, whom, meet, 30 * TROUPE_SECOND) == TROUPE_OK ? TROUPE_OK : answer(self, me);
}

static enum troupe_status carry_out(troupe_self *self, struct player *me, const struct order *msg) {
    const char *what = msg->what;
    if (strcmp(what, "monitor") == 0) return troupe_monitor(self, msg->whom, &me->monitor);
    if (strcmp(what, "demonitor") == 0) return troupe_demonitor(self, me->monitor);
    if (strcmp(what, "link") == 0) return troupe_link(self, msg->whom);
    if (strcmp(what, "unlink") == 0) return troupe_unlink(self, msg->whom);
    if (strcmp(what, "stop") == 0) return troupe_stop_actor(self, msg->whom);
    if (strcmp(what, "trap") == 0) return troupe_trap(self, true);
    if (strcmp(what, "greet") == 0) return TROUPE_OK;
    return strcmp(what, "untrap") == 0 ? troupe_trap(self, false) : TROUPE_NOT_FOUND;
}

TROUPE_ON(player, order) {
    me->director = msg->director;
    me->number = msg->number;
    if (strcmp(msg->what, "die") == 0) raise(SIGKILL);
    if (strncmp(msg->what, "spawn", 5) == 0) return spawn(self, me, msg->what);
    if (strcmp(msg->what, "fail") == 0 || strcmp(msg->what, "exit") == 0 || strcmp(msg->what, "burst") == 0)
        return end(self, msg);
    me->status = carry_out(self, me, msg);
    if (!troupe_address_is_none(msg->whom)) return meet_first(self, me, msg->whom);
    return troupe_reply(self, report, .result = troupe_status_name(me->status));
}
TROUPE_ON(player, word) {
    me->words++;
    return TROUPE_OK;
}

static enum troupe_status tell(troupe_self *self, const struct player *me, const char *what,
                               const struct troupe_death *death) {
    char text[TEXT];
    return troupe_send(self, me->director, note, .number = me->number,
                       .text = describe(text, sizeof text, what, death, me->words));
}
TROUPE_ON(player, troupe_down) {
    if (msg->monitor == 0) return TROUPE_FAIL(self, "no monitor");
    return tell(self, me, "down", &msg->death);
}
TROUPE_ON(player, troupe_exited) { return tell(self, me, "exited", &msg->death); }
TROUPE_ACTOR(player, TROUPE_HANDLES(player, order, word, doom, meet, troupe_down, troupe_exited),
             TROUPE_ANSWERS(player, meet, met))

/* ---- The director ---- */

struct director {
    char orders[4096];
    const char *at;
    uint32_t number;
    char who[16], what[16], whom[16];
    troupe_address kid;
    char notes[PLAYERS + 1][NOTES][TEXT]; /* the last: the director's own */
    uint32_t come[PLAYERS + 1], heard[PLAYERS + 1];
    bool hears;
};

static void say(struct director *me, const char *what) {
    char line[256];
    int size = snprintf(line, sizeof line, "%u %s\n", (unsigned)me->number++, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

static troupe_address player(troupe_self *self, const struct director *me, const char *number) {
    char path[32];
    if (strcmp(number, "kid") == 0) return me->kid;
    snprintf(path, sizeof path, "/player/%.8s", number);
    return troupe_lookup(self, path);
}

static bool next_order(struct director *me) {
    int used = 0;
    me->whom[0] = '\0';
    if (sscanf(me->at, " %7s %15[a-z] %15[a-z0-9]%n", me->who, me->what, me->whom, &used) < 3 &&
        sscanf(me->at, " %7s %15[a-z]%n", me->who, me->what, &used) < 2) return false;
    me->at += used;
    me->at += strspn(me->at, "; ");
    return true;
}

static uint32_t index_of(const struct director *me) {
    return me->who[0] == 'd' ? PLAYERS : (uint32_t)strtoul(me->who, NULL, 10) % PLAYERS;
}

static bool hear(struct director *me) {
    uint32_t index = index_of(me);
    me->hears = me->heard[index] == me->come[index];
    if (!me->hears) say(me, me->notes[index][me->heard[index]++]);
    return !me->hears;
}

static enum troupe_status ask(troupe_self *self, const struct director *me) {
    troupe_address to = strcmp(me->who, "kid") == 0 ? me->kid : player(self, me, me->who);
    return troupe_ask(self, to, order, 30 * TROUPE_SECOND, .what = me->what, .whom = player(self, me, me->whom),
                      .director = troupe_self_address(self), .number = index_of(me));
}

/* The player says ok, when it has heard of the monitor. */
static enum troupe_status monitor(troupe_self *self, struct director *me) {
    troupe_monitor_id monitor;
    enum troupe_status status = troupe_monitor(self, player(self, me, me->whom), &monitor);
    snprintf(me->who, sizeof me->who, "%s", me->whom);
    snprintf(me->what, sizeof me->what, "greet");
    return status == TROUPE_OK ? ask(self, me) : TROUPE_FAIL(self, "no monitor");
}

static enum troupe_status go_on(troupe_self *self, struct director *me) {
    for (;;) {
        if (!next_order(me)) {
            troupe_shutdown(self);
            return TROUPE_OK;
        }
        if (strcmp(me->what, "hears") == 0) {
            if (!hear(me)) return TROUPE_OK;
        } else {
            return me->who[0] == 'd' ? monitor(self, me) : ask(self, me);
        }
    }
}

static enum troupe_status noted(troupe_self *self, struct director *me, uint32_t index, const char *text) {
    if (index > PLAYERS || me->come[index] == NOTES) return TROUPE_FAIL(self, "who says so?");
    snprintf(me->notes[index][me->come[index]++], TEXT, "%s", text);
    if (!me->hears || index != index_of(me)) return TROUPE_OK;
    (void)hear(me);
    return go_on(self, me);
}

TROUPE_START(director, direct) {
    snprintf(me->orders, sizeof me->orders, "%s", args->orders);
    me->at = me->orders;
    return go_on(self, me);
}
TROUPE_ON(director, note) { return noted(self, me, msg->number, msg->text); }
TROUPE_ON(director, troupe_down) {
    char text[TEXT];
    return noted(self, me, PLAYERS, describe(text, sizeof text, "down", &msg->death, 0));
}
TROUPE_ANSWER(director, order, report) {
    if (outcome == TROUPE_OK && !troupe_address_is_none(reply->kid)) me->kid = reply->kid;
    say(me, outcome == TROUPE_OK ? reply->result : troupe_status_name(outcome));
    return go_on(self, me);
}
TROUPE_ACTOR(director, TROUPE_STARTS(director, direct), TROUPE_HANDLES(director, note, troupe_down),
             TROUPE_ANSWERS(director, order, report))

int main(int argc, char **argv) { return troupe_main(argc, argv, &director_actor, &player_actor, &kid_actor, NULL); }
