/* The display: asks the logbook for a summary once a second and prints it. */
#include <inttypes.h>
#include <stdio.h>

#include "messages.h"

/* 0 reports: as many as there is time for. */
#define SHOW(field) field(u32, reports)
TROUPE_MESSAGE(show, SHOW)
TROUPE_MESSAGE_EMPTY(refresh)

struct display {
    troupe_address logbook;
    uint32_t reports, shown;
};

TROUPE_START(display, show) {
    me->logbook = troupe_lookup(self, "/logbook");
    me->reports = args->reports;
    return troupe_every_empty(self, NULL, TROUPE_SECOND, refresh);
}

TROUPE_ON(display, refresh) {
    return troupe_ask_empty(self, me->logbook, report, 5 * TROUPE_SECOND);
}

TROUPE_ANSWER(display, report, summary) {
    if (outcome == TROUPE_OK)
        printf("%3" PRIu64 " readings, from %.1f to %.1f degrees\n", reply->readings, reply->lowest,
               reply->highest);
    else
        printf("no report: %s\n", troupe_status_text(outcome));
    fflush(stdout);
    if (++me->shown == me->reports) troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(display, TROUPE_STARTS(display, show), TROUPE_HANDLES(display, refresh),
             TROUPE_ANSWERS(display, report, summary))
