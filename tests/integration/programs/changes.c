/*
 * Actors that change, put messages aside, wait for silence and hand messages on, in whatever place each is.
 *
 * A customer gives numbered letters to an office, which is closed at first: it puts them aside. When it opens it
 * forwards the odd ones to a clerk and answers the even ones itself; after a silence it says what it has seen.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>

enum { LETTERS = 40, OPENED_AT = 20 };

#define LETTER(field) field(u32, n)
TROUPE_MESSAGE(letter, LETTER)
#define RECEIPT(field) field(u32, n) field(str, by)
TROUPE_MESSAGE(receipt, RECEIPT)
TROUPE_MESSAGE_EMPTY(opening)
#define SCENE(field) field(bool, crash)
TROUPE_MESSAGE(scene, SCENE)

/* ---- The office ---- */

TROUPE_BEHAVIOUR_DECLARE(office, opened)
struct office { uint32_t aside, seen; };

TROUPE_ON(office, letter) {
    me->aside++;
    return troupe_stash(self);
}
TROUPE_ON(office, opening) {
    printf("opened %" PRIu32 " of %" PRIu32 "\n", troupe_unstash(self), me->aside);
    fflush(stdout);
    enum troupe_status status = troupe_become(self, office, opened);
    return status == TROUPE_OK ? troupe_idle_after(self, 30 * TROUPE_MILLISECOND) : status;
}
TROUPE_ON_AS(office, opened, letter) {
    me->seen++;
    if (msg->n % 2 == 1) return troupe_forward(self, troupe_lookup(self, "/clerk"));
    return troupe_reply(self, receipt, .n = msg->n, .by = "office");
}
TROUPE_ON(office, troupe_idle) {
    printf("silence after %" PRIu32 "\n", me->seen);
    fflush(stdout);
    (void)self;
    return TROUPE_OK;
}
TROUPE_BEHAVIOUR(office, opened, TROUPE_HANDLES_AS(office, opened, letter), TROUPE_HANDLES(office, troupe_idle))
TROUPE_ACTOR(office, TROUPE_HANDLES(office, letter, opening), TROUPE_BECOMES(office, opened))

/* ---- The clerk: dies of the first letter if it is told to, and starts again ---- */

struct clerk { bool crash; };
TROUPE_START(clerk, scene) {
    me->crash = args->crash && troupe_self_run(self) == 0;
    return TROUPE_OK;
}
TROUPE_ON(clerk, letter) {
    if (me->crash) abort();
    return troupe_reply(self, receipt, .n = msg->n, .by = "clerk");
}
TROUPE_ACTOR(clerk, TROUPE_STARTS(clerk, scene), TROUPE_HANDLES(clerk, letter))

/* ---- The customer ---- */

struct customer { uint32_t last[2], ok, died; };

TROUPE_START(customer, scene) {
    troupe_address office = troupe_lookup(self, "/office");
    (void)me;
    (void)args;
    for (uint32_t n = 0; n < LETTERS; n++) {
        enum troupe_status status = troupe_ask(self, office, letter, TROUPE_MINUTE, .n = n);
        if (status == TROUPE_OK && n == OPENED_AT) status = troupe_send_empty(self, office, opening);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ON(customer, opening) { /* a while after the last receipt */
    (void)me;
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ANSWER(customer, letter, receipt) {
    uint32_t whom = request->n % 2;
    if (outcome == TROUPE_DIED) me->died++;
    else if (outcome != TROUPE_OK) return outcome;
    else me->ok++;
    if (reply != NULL && (reply->n != request->n || reply->by[0] != "oc"[whom])) return TROUPE_FAIL(self, "not its");
    if (reply != NULL && me->last[whom] > reply->n) return TROUPE_FAIL(self, "out of order");
    if (reply != NULL) me->last[whom] = reply->n;
    if (me->ok + me->died < LETTERS) return TROUPE_OK;
    printf("ok %" PRIu32 " died %" PRIu32 "\n", me->ok, me->died);
    fflush(stdout);
    return troupe_after_empty(self, NULL, 200 * TROUPE_MILLISECOND, opening);
}
TROUPE_ACTOR(customer, TROUPE_STARTS(customer, scene), TROUPE_HANDLES(customer, opening),
             TROUPE_ANSWERS(customer, letter, receipt))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &customer_actor, &office_actor, &clerk_actor, NULL);
}
