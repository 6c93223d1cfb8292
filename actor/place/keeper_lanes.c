/*
 * Lanes: who listens where, for whom.
 *
 * One node asks for a lane to another one. Between processes of this machine both are given an end of a
 * socket pair, which whoever carries out what is said here makes. Else the one asked for listens, under a name that
 * nobody has used before, and once it says that it does, the asker dials. From then on the lane is theirs: the
 * keeper forgets it, and keeps the ledger of the two incarnations alone, so that the next lane
 * between them counts on in the same one. A lane that breaks, or comes up dumb (a listener can be
 * silenced by a dialer that died), is replaced by asking again: a new number, name and token.
 *
 * Two nodes that ask for each other at the same time get one lane. What a listener asks before it
 * answers comes before the answer; and whoever asks says which lane it knows of: when it has been told of a newer
 * one meanwhile, that is the answer. So every crossing is seen here, and none makes a second lane.
 *
 * A lane waits for its listener to be ready, for as long as that takes; a listener that was told
 * has TR_KEEPER_LANE_PATIENCE. When both ends ask, both are evidently there, and nothing waits:
 * main, which starts the tree, and a node that it waits for, cannot wait for each other.
 *
 * Failures. The death of either end drops the lane and the ledger; the other end hears `down` and
 * asks again if it still wants to. What does not come to be is `refused`, to both ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "place/keeper_parts.h"

/* ---- Pairs ---- */

static unsigned end_of(const struct tr_pair *pair, const struct tr_member *member) {
    tr_assert(pair->ends[0] == member || pair->ends[1] == member);
    return pair->ends[1] == member ? 1 : 0;
}

static bool joins(const struct tr_pair *pair, const struct tr_member *member) {
    return pair->ends[0] == member || pair->ends[1] == member;
}

static struct tr_pair *find_pair(struct tr_keeper *keeper, const struct tr_member *a,
                                 const struct tr_member *b) {
    for (size_t i = 0; i < keeper->pair_count; i++) {
        if (joins(&keeper->pairs[i], a) && joins(&keeper->pairs[i], b)) return &keeper->pairs[i];
    }
    return NULL;
}

static struct tr_pair *new_pair(struct tr_keeper *keeper, struct tr_member *a,
                                struct tr_member *b) {
    if (keeper->pair_count == keeper->pair_room) {
        size_t room = keeper->pair_room == 0 ? 8 : 2 * keeper->pair_room;
        struct tr_pair *pairs = realloc(keeper->pairs, room * sizeof *pairs);
        if (pairs == NULL) return NULL;
        keeper->pairs = pairs;
        keeper->pair_room = room;
    }
    struct tr_pair *pair = &keeper->pairs[keeper->pair_count++];
    *pair = (struct tr_pair){ .ends = { a, b } };
    return pair;
}

static void quiet(struct tr_pair *pair) {
    pair->state = TR_PAIR_QUIET;
    pair->asked[0] = pair->asked[1] = false;
    pair->deadline = INT64_MAX;
    memset(pair->token, 0, sizeof pair->token);
}

/* ---- Opening ---- */

static enum tr_lane kind_of(const struct tr_pair *pair) {
    const struct tr_member *a = pair->ends[0], *b = pair->ends[1];
    if (a->process == b->process) return TR_LANE_INPROC;
    bool tcp = a->spec.lane == TR_LANE_TCP || b->spec.lane == TR_LANE_TCP;
    return tcp ? TR_LANE_TCP : TR_LANE_IPC;
}

static void name_lane(struct tr_keeper *keeper, struct tr_pair *pair) {
    uint64_t name[2];
    pair->kind = kind_of(pair);
    keeper->io->random(keeper->context, pair->token, sizeof pair->token);
    if (pair->kind == TR_LANE_TCP) {
        snprintf(pair->url, sizeof pair->url, "tcp://127.0.0.1:0");
        return;
    }
    if (pair->kind == TR_LANE_IPC) {
        snprintf(pair->url, sizeof pair->url, "socket:");
        return;
    }
    keeper->io->random(keeper->context, name, sizeof name);
    snprintf(pair->url, sizeof pair->url, "inproc://troupe-%016llx%016llx", (unsigned long long)name[0],
             (unsigned long long)name[1]);
}

static void send_half(struct tr_keeper *keeper, const struct tr_pair *pair, unsigned end,
                      enum tr_control_type type) {
    const struct tr_member *node = pair->ends[end], *peer = pair->ends[1 - end];
    struct tr_control message = { .type = type,
                                  .kind = pair->kind,
                                  .node = node->spec.id,
                                  .incarnation = node->incarnation,
                                  .peer = peer->spec.id,
                                  .peer_incarnation = peer->incarnation,
                                  .lane = pair->lane,
                                  .ledger = pair->ledger };
    memcpy(message.token, pair->token, sizeof message.token);
    memcpy(message.url, pair->url, sizeof message.url);
    tr_keeper_send(keeper, node->process, &message);
}

static bool listener_is_there(const struct tr_pair *pair) {
    const struct tr_member *listener = pair->ends[pair->listener];
    if (!tr_member_alive(listener) || listener->process->killed) return false;
    return listener->ready || (pair->asked[0] && pair->asked[1]);
}

static void try_to_open(struct tr_keeper *keeper, struct tr_pair *pair, int64_t now) {
    if (pair->state != TR_PAIR_WAITING || !listener_is_there(pair)) return;
    if (pair->ledger == 0) pair->ledger = ++keeper->last_ledger;
    pair->lane = ++keeper->last_lane;
    pair->state = TR_PAIR_OPENING;
    pair->deadline = tr_keeper_later(now, TR_KEEPER_LANE_PATIENCE);
    name_lane(keeper, pair);
    send_half(keeper, pair, pair->listener, TR_CONTROL_LISTEN);
    if (pair->kind != TR_LANE_IPC) return;
    send_half(keeper, pair, 1 - pair->listener, TR_CONTROL_DIAL);
    pair->given = pair->lane;
    quiet(pair);
}

const char *tr_lanes_connect(struct tr_keeper *keeper, struct tr_member *from, struct tr_member *to,
                             uint64_t known, int64_t now) {
    struct tr_control answer = { .node = from->spec.id, .peer = to->spec.id };
    if (to->state == TR_NODE_GONE) {
        answer = (struct tr_control){ .type = TR_CONTROL_GONE, .node = to->spec.id };
        tr_keeper_send(keeper, from->process, &answer);
        return NULL;
    }
    struct tr_pair *pair = find_pair(keeper, from, to);
    if (pair == NULL) pair = new_pair(keeper, from, to);
    if (pair == NULL) {
        answer.type = TR_CONTROL_REFUSED;
        tr_control_say(&answer, "the keeper has no memory for another lane");
        tr_keeper_send(keeper, from->process, &answer);
        return NULL;
    }
    if (pair->state == TR_PAIR_QUIET && known < pair->given) return NULL; /* that one is on its way */
    if (pair->state == TR_PAIR_QUIET) {
        quiet(pair);
        pair->state = TR_PAIR_WAITING;
        pair->listener = end_of(pair, to);
    }
    pair->asked[end_of(pair, from)] = true;
    try_to_open(keeper, pair, now);
    return NULL;
}

void tr_lanes_ready(struct tr_keeper *keeper, const struct tr_member *member, int64_t now) {
    for (size_t i = 0; i < keeper->pair_count; i++) {
        if (joins(&keeper->pairs[i], member)) try_to_open(keeper, &keeper->pairs[i], now);
    }
}

/* ---- Answers ---- */

/* A late answer to a lane that was dropped finds none. */
static struct tr_pair *find_lane(struct tr_keeper *keeper, uint64_t lane) {
    for (size_t i = 0; i < keeper->pair_count; i++) {
        struct tr_pair *pair = &keeper->pairs[i];
        if (pair->state == TR_PAIR_OPENING && pair->lane == lane) return pair;
    }
    return NULL;
}

static void refuse(struct tr_keeper *keeper, struct tr_pair *pair, const char *why) {
    for (unsigned end = 0; end < 2; end++) {
        if (!pair->asked[end] && end != pair->listener) continue;
        struct tr_control message = { .type = TR_CONTROL_REFUSED,
                                      .node = pair->ends[end]->spec.id,
                                      .peer = pair->ends[1 - end]->spec.id,
                                      .lane = pair->lane };
        tr_control_say(&message, "%s", why);
        tr_keeper_send(keeper, pair->ends[end]->process, &message);
    }
    quiet(pair);
}

static const char *foreign(const struct tr_pair *pair, const struct tr_member *process) {
    return pair->ends[pair->listener]->process == process
               ? NULL
               : "it answered for a lane that is not its own";
}

/* The listener may choose the port, and nothing else: a dialer must not be sent just anywhere. */
static bool take_port(struct tr_pair *pair, const char *url) {
    static const char prefix[] = "tcp://127.0.0.1:";
    size_t length = sizeof prefix - 1;
    if (pair->kind != TR_LANE_TCP) return true;
    if (strncmp(url, prefix, length) != 0) return false;
    size_t digits = strspn(url + length, "0123456789");
    if (digits < 1 || digits > 5 || url[length + digits] != '\0' || url[length] == '0')
        return false;
    memcpy(pair->url, url, length + digits + 1);
    return true;
}

const char *tr_lanes_listening(struct tr_keeper *keeper, const struct tr_member *process,
                               const struct tr_control *message) {
    struct tr_pair *pair = find_lane(keeper, message->lane);
    if (pair == NULL) return NULL;
    const char *error = foreign(pair, process);
    if (error != NULL) return error;
    if (!take_port(pair, message->url)) return "it listens somewhere else than it was told";
    send_half(keeper, pair, 1 - pair->listener, TR_CONTROL_DIAL);
    quiet(pair);
    return NULL;
}

const char *tr_lanes_failed(struct tr_keeper *keeper, const struct tr_member *process,
                            const struct tr_control *message) {
    struct tr_pair *pair = find_lane(keeper, message->lane);
    if (pair == NULL) return NULL;
    const char *error = foreign(pair, process);
    if (error == NULL) refuse(keeper, pair, message->text);
    return error;
}

/* ---- Ends ---- */

void tr_lanes_drop(struct tr_keeper *keeper, const struct tr_member *member) {
    for (size_t i = keeper->pair_count; i > 0; i--) {
        struct tr_pair *pair = &keeper->pairs[i - 1];
        if (!joins(pair, member)) continue;
        if (pair->ledger != 0) keeper->io->forget_ledger(keeper->context, pair->ledger);
        *pair = keeper->pairs[--keeper->pair_count];
    }
}

void tr_lanes_tick(struct tr_keeper *keeper, int64_t now) {
    for (size_t i = 0; i < keeper->pair_count; i++) {
        struct tr_pair *pair = &keeper->pairs[i];
        if (pair->state != TR_PAIR_OPENING || now < pair->deadline) continue;
        refuse(keeper, pair, "the other node did not answer in time");
    }
}

int64_t tr_lanes_deadline(const struct tr_keeper *keeper) {
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < keeper->pair_count; i++) {
        const struct tr_pair *pair = &keeper->pairs[i];
        if (pair->state == TR_PAIR_OPENING && pair->deadline < earliest) earliest = pair->deadline;
    }
    return earliest;
}
