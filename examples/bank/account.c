/*
 * An account: a balance that survives all crashes.
 *
 *     first the journal, then the balance, then the answer    What was answered is in the journal, and the next run
 *                                                             begins by reading that.
 *     each transfer has a name                                A teller that has heard nothing asks again, and must:
 *                                                             this run may have died before it did anything. If it
 *                                                             died just before its answer, the next run knows the
 *                                                             name, does nothing, and answers as it was decided.
 *
 * A teller has one transfer under way and asks for the next when both halves of it are answered, so the latest of each
 * teller is all there is to remember. A refusal is a decision too, and is in the journal with the amount 0.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

struct account {
    int64_t balance;
    struct move latest[MAX_TELLERS];
    int journal;
    bool struck;
};

static void apply(void *actor, const struct move *entry) {
    struct account *me = actor;
    if (entry->teller >= MAX_TELLERS) return;
    me->latest[entry->teller] = *entry;
    me->balance += entry->amount;
}

TROUPE_START(account, open_account) {
    me->balance = args->balance;
    me->journal = journal_open(self, args->journal, apply, me);
    return me->journal >= 0 ? TROUPE_OK : TROUPE_FAIL(self, "its journal: %s", strerror(errno));
}

TROUPE_STOP(account) {
    if (me->journal > 0) close(me->journal);
}

TROUPE_ON(account, move) {
    if (msg->teller >= MAX_TELLERS) return TROUPE_FAIL(self, "more than %d tellers", MAX_TELLERS);
    struct move decided = *msg;
    const struct move *latest = &me->latest[msg->teller];
    if (me->balance + msg->amount < 0) decided.amount = 0;
    if (msg->id > latest->id) {
        if (!journal_append(me->journal, &decided)) return TROUPE_FAIL(self, "its journal: %s", strerror(errno));
        apply(me, &decided);
    }
    if (me->struck) return TROUPE_FAIL(self, "struck when it had moved the money, and told nobody yet");
    return troupe_reply(self, moved, .done = latest->id == msg->id && latest->amount != 0);
}

TROUPE_ON(account, count_up) { return troupe_reply(self, holding, .balance = me->balance); }

TROUPE_ON(account, strike) {
    me->struck = true;
    return TROUPE_OK;
}

TROUPE_ACTOR(account, TROUPE_STARTS(account, open_account), TROUPE_STOPS(account),
             TROUPE_HANDLES(account, move, count_up, strike))
