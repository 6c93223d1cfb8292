/*
 * The auditor: when all tellers have finished a round, no money is on its way. It then asks every account what it
 * holds, prints the sum, and lets the tellers go on; after the last round it ends the program.
 *
 * A teller that died while it waited asks again, and so does one that died when it had heard the answer: whoever is
 * behind the audits is answered at once.
 */
#include <inttypes.h>

#include "messages.h"

struct auditor {
    uint64_t rounds, audited;
    int64_t total;
    uint32_t tellers, accounts;
    struct troupe_asker waiting[MAX_TELLERS];
    uint64_t round[MAX_TELLERS]; /* that it has finished, and waits to go on after; 0: it works */
    uint32_t left; /* accounts to hear of in the audit at hand; 0: there is none */
    int64_t sum;
};

TROUPE_START(auditor, audit) {
    *me = (struct auditor){ .rounds = args->rounds, .total = args->total, .tellers = troupe_count(self, "/teller"),
                            .accounts = troupe_count(self, "/account") };
    return me->tellers <= MAX_TELLERS ? TROUPE_OK : TROUPE_FAIL(self, "more than %d tellers", MAX_TELLERS);
}

static enum troupe_status count(troupe_self *self, uint32_t account) {
    enum troupe_status status =
        troupe_ask(self, numbered(self, "account", account), count_up, TROUPE_SECOND, .account = account);
    return status == TROUPE_OK ? TROUPE_OK : troupe_after(self, NULL, TROUPE_MILLISECOND, count_up, .account = account);
}

static enum troupe_status begin(troupe_self *self, struct auditor *me) {
    enum troupe_status status = TROUPE_OK;
    me->sum = 0;
    me->left = me->accounts;
    for (uint32_t i = 0; i < me->accounts && status == TROUPE_OK; i++) status = count(self, i);
    return status;
}

/* A teller is one round ahead of the others at most, and only of those that have not heard of the last audit. */
TROUPE_ON(auditor, round_over) {
    if (msg->teller >= me->tellers) return TROUPE_FAIL(self, "there is no teller %" PRIu32, msg->teller);
    if (msg->round <= me->audited) return troupe_reply_empty(self, go_on);
    me->waiting[msg->teller] = troupe_keep_asker(self);
    me->round[msg->teller] = msg->round;
    for (uint32_t i = 0; i < me->tellers; i++)
        if (me->round[i] < msg->round) return TROUPE_OK;
    return me->left == 0 ? begin(self, me) : TROUPE_OK;
}

static enum troupe_status end(troupe_self *self, struct auditor *me) {
    me->audited = me->round[0];
    printf("round %" PRIu64 ": %" PRIu32 " accounts hold %" PRId64 ", %s\n", me->audited, me->accounts, me->sum,
           me->sum == me->total ? "as they should" : "WHICH IS WRONG");
    fflush(stdout);
    if (me->audited >= me->rounds) troupe_shutdown(self);
    for (uint32_t i = 0; i < me->tellers && me->audited < me->rounds; i++) {
        me->round[i] = 0;
        (void)troupe_answer_later(self, me->waiting[i], go_on, 0); /* if it is gone, it will ask again */
    }
    return TROUPE_OK;
}

TROUPE_ANSWER(auditor, count_up, holding) {
    if (outcome != TROUPE_OK) return troupe_after(self, NULL, TROUPE_MILLISECOND, count_up, .account = request->account);
    if (me->round[0] >= me->rounds) printf("/account/%" PRIu32 " holds %" PRId64 "\n", request->account, reply->balance);
    me->sum += reply->balance;
    return --me->left == 0 ? end(self, me) : TROUPE_OK;
}

TROUPE_ON(auditor, count_up) { return count(self, msg->account); }

TROUPE_ACTOR(auditor, TROUPE_STARTS(auditor, audit), TROUPE_HANDLES(auditor, round_over, count_up),
             TROUPE_ANSWERS(auditor, count_up, holding))
