/*
 * A teller: transfers money from account to account, one transfer after the other, and asks for each half of it until
 * it is answered. Its journal has those that are finished. One that was under way when it died is done again by its
 * next run: which it is follows from its number, and the accounts know what they have done of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

struct teller {
    uint32_t number, accounts;
    uint64_t finished, per_round;
    int journal;
    bool struck;
};

static uint32_t mix(uint32_t x) { return (x ^ x >> 15) * 0x2c1b3c6du; }

/* The transfer at hand: each half names an account and an amount. */
static struct move half(const struct teller *me, bool to) {
    uint64_t id = me->finished + 1;
    uint32_t dice = mix(mix((uint32_t)id * 64 + me->number));
    uint32_t from = dice % me->accounts, other = (from + 1 + (dice >> 8) % (me->accounts - 1)) % me->accounts;
    int64_t amount = 1 + (dice >> 16) % 50;
    return (struct move){ .account = to ? other : from, .teller = me->number, .id = id,
                          .amount = to ? amount : -amount };
}

/* What cannot be asked now, or had no answer, is asked again in a millisecond. */
static enum troupe_status ask_again(troupe_self *self, const struct move *move) {
    return troupe_after(self, NULL, TROUPE_MILLISECOND, move, .account = move->account, .teller = move->teller,
                        .id = move->id, .amount = move->amount);
}

static enum troupe_status ask(troupe_self *self, const struct move *move) {
    enum troupe_status status =
        troupe_ask(self, numbered(self, "account", move->account), move, TROUPE_SECOND, .account = move->account,
                   .teller = move->teller, .id = move->id, .amount = move->amount);
    return status == TROUPE_OK ? TROUPE_OK : ask_again(self, move);
}

static enum troupe_status transfer(troupe_self *self, struct teller *me) {
    struct move from = half(me, false);
    return ask(self, &from);
}

static enum troupe_status report(troupe_self *self, struct teller *me) {
    return troupe_ask(self, troupe_lookup(self, "/auditor"), round_over, 10 * TROUPE_SECOND, .teller = me->number,
                      .round = me->finished / me->per_round);
}

static void remember(void *actor, const struct move *entry) {
    struct teller *me = actor;
    me->finished = entry->id;
}

static enum troupe_status finish(troupe_self *self, struct teller *me, const struct move *move) {
    if (!journal_append(me->journal, move)) return TROUPE_FAIL(self, "its journal: %s", strerror(errno));
    me->finished++;
    return me->finished % me->per_round == 0 ? report(self, me) : transfer(self, me);
}

TROUPE_START(teller, work) {
    me->number = (uint32_t)strtoul(strrchr(troupe_self_path(self), '/') + 1, NULL, 10);
    me->accounts = troupe_count(self, "/account");
    me->per_round = args->per_round;
    if (me->accounts < 2 || me->per_round == 0) return TROUPE_FAIL(self, "two accounts, and per_round, are needed");
    me->journal = journal_open(self, args->journal, remember, me);
    if (me->journal < 0) return TROUPE_FAIL(self, "its journal: %s", strerror(errno));
    return me->finished > 0 && me->finished % me->per_round == 0 ? report(self, me) : transfer(self, me);
}

TROUPE_STOP(teller) {
    if (me->journal > 0) close(me->journal);
}

TROUPE_ON(teller, move) { return ask(self, msg); }

TROUPE_ANSWER(teller, move, moved) {
    if (outcome != TROUPE_OK) return ask_again(self, request);
    if (me->struck) return TROUPE_FAIL(self, "struck in the midst of a transfer");
    bool is_first = request->amount < 0;
    struct move last = *request, to = half(me, true);
    if (is_first && reply->done) return ask(self, &to);
    if (is_first) last.amount = 0; /* refused: nothing was moved */
    return finish(self, me, &last);
}

TROUPE_ANSWER(teller, round_over, go_on) { return outcome == TROUPE_OK ? transfer(self, me) : report(self, me); }

TROUPE_ON(teller, strike) {
    me->struck = true;
    return TROUPE_OK;
}

TROUPE_ACTOR(teller, TROUPE_STARTS(teller, work), TROUPE_STOPS(teller), TROUPE_HANDLES(teller, move, strike),
             TROUPE_ANSWERS(teller, move, moved), TROUPE_ANSWERS(teller, round_over, go_on))
