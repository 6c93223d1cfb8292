/* What the actors of the bank say to each other. */
#ifndef BANK_MESSAGES_H
#define BANK_MESSAGES_H

#include <stdio.h>
#include <troupe.h>

/* ---- What starts them: `args:` in the configuration ---- */

/* `journal`: the directory of its journal. */
#define OPEN_ACCOUNT(field) field(i64, balance) field(str, journal)
TROUPE_MESSAGE(open_account, OPEN_ACCOUNT)
#define WORK(field) field(u64, per_round) field(str, journal)
TROUPE_MESSAGE(work, WORK)
#define AUDIT(field) field(u64, rounds) field(i64, total)
TROUPE_MESSAGE(audit, AUDIT)
#define TROUBLE(field) field(i64, every_us)
TROUPE_MESSAGE(trouble, TROUBLE)

/* ---- Teller to account ---- */

/* One half of a transfer: less than 0 is taken from the account. Teller and id name the transfer for good. */
#define MOVE(field) field(u32, account) field(u32, teller) field(u64, id) field(i64, amount)
TROUPE_MESSAGE(move, MOVE)
#define MOVED(field) field(bool, done)
TROUPE_MESSAGE(moved, MOVED)

/* ---- Teller to auditor: a round is over; answered when its audit is ---- */

#define ROUND_OVER(field) field(u32, teller) field(u64, round)
TROUPE_MESSAGE(round_over, ROUND_OVER)
TROUPE_MESSAGE_EMPTY(go_on)

/* ---- Auditor to account ---- */

#define COUNT_UP(field) field(u32, account)
TROUPE_MESSAGE(count_up, COUNT_UP)
#define HOLDING(field) field(i64, balance)
TROUPE_MESSAGE(holding, HOLDING)

/* ---- Chaos to itself, and to accounts and tellers: fail, at the worst moment that you know ---- */

TROUPE_MESSAGE_EMPTY(act)
TROUPE_MESSAGE_EMPTY(strike)

/* ---- The cast ---- */

TROUPE_ACTOR_DECLARE(account)
TROUPE_ACTOR_DECLARE(teller)
TROUPE_ACTOR_DECLARE(auditor)
TROUPE_ACTOR_DECLARE(chaos)

enum { MAX_TELLERS = 64 };

/* "/account/3" */
static inline troupe_address numbered(troupe_self *self, const char *name, uint32_t number) {
    char path[64];
    snprintf(path, sizeof path, "/%s/%u", name, number);
    return troupe_lookup(self, path);
}

#endif
