/*
 * A bank in which everybody crashes all the time, and no money is lost or made.
 *
 *     teller/0 --take--> account/2, --give--> account/0        auditor: what do all accounts hold together?
 *     teller/1 --take--> account/0, --give--> account/1        chaos:   strikes somebody
 *
 * How that works is said in account.c and teller.c; where everybody runs, in threads.yaml and processes.yaml.
 */
#include "messages.h"

/* Strikes accounts and tellers in turn; what became of that is no business of his. */
struct chaos {
    uint32_t strikes;
};
TROUPE_START(chaos, trouble) { return troupe_every_empty(self, NULL, args->every_us * 1000, act); }
TROUPE_ON(chaos, act) {
    const char *kind = me->strikes % 2 == 0 ? "account" : "teller";
    char path[64];
    snprintf(path, sizeof path, "/%s", kind);
    uint32_t count = troupe_count(self, path), number = me->strikes++ / 2 % count;
    (void)troupe_send_empty(self, numbered(self, kind, number), strike);
    return TROUPE_OK;
}
TROUPE_ACTOR(chaos, TROUPE_STARTS(chaos, trouble), TROUPE_HANDLES(chaos, act))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &account_actor, &teller_actor, &auditor_actor, &chaos_actor, NULL);
}
