/*
 * A play whose every line is known beforehand, for contract 8: whoever reads its trace must not be able
 * to tell where the actors ran.
 *
 * The director gives each player its lines, then asks it a question, and goes on when it has the answer.
 * A player forwards each line to an extra that it has spawned, which answers it; it fails at the line that
 * says so, and its successor finds the extra again by its name. Every message has its answer before the
 * director ends the program, so that nothing is under way then.
 *
 * What an actor sends to another depends on nothing but what that other has sent to it: messages from
 * different senders may arrive in any order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>

#define PLAY(field) field(u64, acts) field(u64, lines)
TROUPE_MESSAGE(play, PLAY)
#define LINE(field) field(u64, act) field(u64, n) field(str, text) field(bool, fatal)
TROUPE_MESSAGE(line, LINE)
#define HEARD(field) field(u64, n)
TROUPE_MESSAGE(heard, HEARD)
#define QUESTION(field) field(u64, act) field(bool, fatal)
TROUPE_MESSAGE(question, QUESTION)
#define REPLY(field) field(u64, act) field(array(u64), numbers)
TROUPE_MESSAGE(response, REPLY)
#define REPEAT(field) field(u64, n)
TROUPE_MESSAGE(repeat, REPEAT)
TROUPE_MESSAGE_EMPTY(curtain)

/* ---- Spawned by players ---- */

struct extra {
    uint64_t repeated;
};
TROUPE_ON(extra, repeat) {
    me->repeated++;
    return troupe_reply(self, heard, .n = msg->n);
}
TROUPE_ACTOR(extra, TROUPE_HANDLES(extra, repeat))

/* ---- Players ---- */

struct player {
    troupe_address extra;
    struct troupe_asker asker; /* of the question that waits for the extra */
    uint64_t act, heard;
};

static const char *extra_name(troupe_self *self, char *name, size_t size) {
    const char *path = troupe_self_path(self);
    snprintf(name, size, "extra of %s", strrchr(path, '/') + 1);
    return name;
}

TROUPE_START(player, troupe_none) {
    char name[64];
    extra_name(self, name, sizeof name);
    me->extra = troupe_lookup(self, name);
    if (!troupe_address_is_none(me->extra)) return TROUPE_OK;
    const struct troupe_spawn_options options = { .name = name };
    return troupe_spawn_with(self, &me->extra, &options, extra, troupe_none, 0);
}

TROUPE_ON(player, line) {
    if (msg->fatal) return TROUPE_FAIL(self, "the line of act %u", (unsigned)msg->act);
    return troupe_reply(self, heard, .n = msg->n);
}

/* Answered when the extra has repeated it. */
TROUPE_ON(player, question) {
    if (msg->fatal) return TROUPE_FAIL(self, "the question of act %u", (unsigned)msg->act);
    me->asker = troupe_keep_asker(self);
    me->act = msg->act;
    return troupe_send(self, me->extra, repeat, .n = msg->act);
}

TROUPE_ON(player, heard) {
    const uint64_t numbers[] = { msg->n, me->act, msg->n * me->act };
    return troupe_answer_later(self, me->asker, response, .act = me->act, .numbers = { numbers, 3 });
}

TROUPE_ON(player, curtain) { return troupe_exit(self); }

TROUPE_ACTOR(player, TROUPE_STARTS(player, troupe_none),
    TROUPE_HANDLES(player, line, question, heard, curtain))

/* ---- The director ---- */

struct director {
    uint64_t acts, lines, act;
    uint32_t players, heard, answered, left;
    troupe_timer pause;
};

static troupe_address player_at(troupe_self *self, uint32_t index) {
    char path[32];
    snprintf(path, sizeof path, "/player/%u", (unsigned)index);
    return troupe_lookup(self, path);
}

/* One line in the middle of every second act brings its player down. */
static enum troupe_status direct(troupe_self *self, struct director *me, uint32_t player) {
    troupe_address to = player_at(self, player);
    bool fatal_act = me->act % 2 == 1;
    for (uint64_t n = 0; n < me->lines; n++) {
        enum troupe_status status = troupe_send(self, to, line, .act = me->act, .n = n, .text = "to be",
                                                .fatal = fatal_act && n == me->lines / 2);
        if (status != TROUPE_OK) return status;
    }
    return troupe_ask(self, to, question, 60 * TROUPE_SECOND, .act = me->act,
                      .fatal = me->act % 4 == 3);
}

static enum troupe_status begin_act(troupe_self *self, struct director *me) {
    me->answered = 0;
    for (uint32_t i = 0; i < me->players; i++) {
        enum troupe_status status = direct(self, me, i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

TROUPE_START(director, play) {
    me->acts = args->acts;
    me->lines = args->lines;
    me->players = troupe_count(self, "/player");
    enum troupe_status status = troupe_register(self, "director");
    return status == TROUPE_OK ? begin_act(self, me) : status;
}

TROUPE_ON(director, heard) {
    me->heard++;
    return TROUPE_OK;
}

TROUPE_ON(director, line) { return begin_act(self, me); } /* the pause is over */

static enum troupe_status one_left(troupe_self *self, struct director *me) {
    if (++me->left < me->players) return TROUPE_OK;
    printf("heard %u\n", (unsigned)me->heard);
    fflush(stdout);
    troupe_shutdown(self);
    return TROUPE_OK;
}

/* Players are transient: after the curtain they stay away. An ask of one that is gone says so: at once
 * where that is known, else in its answer. */
static enum troupe_status end_play(troupe_self *self, struct director *me) {
    for (uint32_t i = 0; i < me->players; i++) {
        enum troupe_status status = troupe_send_empty(self, player_at(self, i), curtain);
        if (status == TROUPE_OK)
            status = troupe_ask(self, player_at(self, i), curtain, 60 * TROUPE_SECOND, 0);
        if (status == TROUPE_GONE) status = one_left(self, me);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

TROUPE_ANSWER(director, question, response) {
    bool expected = request->fatal ? outcome == TROUPE_DIED
                                   : outcome == TROUPE_OK && reply->numbers.count == 3;
    if (!expected) return TROUPE_FAIL(self, "act %u ended with %s", (unsigned)me->act,
                                      troupe_status_name(outcome));
    if (++me->answered < me->players) return TROUPE_OK;
    if (++me->act == me->acts) return end_play(self, me);
    return troupe_after(self, &me->pause, TROUPE_MILLISECOND, line, .act = me->act);
}

TROUPE_ANSWER(director, curtain, heard) {
    if (outcome != TROUPE_GONE) return TROUPE_FAIL(self, "a player stays: %s", troupe_status_name(outcome));
    return one_left(self, me);
}

TROUPE_ACTOR(director, TROUPE_STARTS(director, play), TROUPE_HANDLES(director, heard, line),
    TROUPE_ANSWERS(director, question, response), TROUPE_ANSWERS(director, curtain, heard))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &director_actor, &player_actor, &extra_actor, NULL);
}
