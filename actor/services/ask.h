/* Asks as other services use them: what an answer is waited for, whoever gives it. */
#ifndef TR_ASK_H
#define TR_ASK_H

#include "core/alarm.h"

struct tr_ask {
    struct tr_alarm alarm;             /* first: an alarm is cast to its ask; its id is the ask's */
    const struct troupe_entry *entry;  /* the answer handler */
    struct tr_message *request;        /* a copy; lives as long as the alarm */
};

/* Opens an ask of the actor at hand: its deadline is set. `reply`: what its answer handler must take; NULL:
 * whatever it takes. NULL: `*status` says why, the log if it is not obvious. */
struct tr_ask *tr_ask_open(troupe_self *self, const struct troupe_message_type *type,
                           const struct troupe_message_type *reply, const void *message, int64_t timeout,
                           enum troupe_status *status);

/* It came to nothing: the answer handler does not run. */
void tr_ask_close(troupe_self *self, struct tr_ask *ask);

#endif
