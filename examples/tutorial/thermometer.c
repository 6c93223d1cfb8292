/* A thermometer: looks every so often, and tells the logbook. It has a flaw that can be switched on: its
 * n-th reading is nonsense. */
#include "messages.h"

/* What it is started with: `args` in the configuration. */
#define MEASURE(field) field(u32, every_ms) field(f64, around) field(u32, wrong_at)
TROUPE_MESSAGE(measure, MEASURE)
TROUPE_MESSAGE_EMPTY(look)

struct thermometer {
    troupe_address logbook;
    double around;
    uint32_t looks, wrong_at;
};

TROUPE_START(thermometer, measure) {
    if (args->every_ms == 0) return TROUPE_FAIL(self, "every_ms is missing");
    me->logbook = troupe_lookup(self, "/logbook");
    me->around = args->around;
    me->wrong_at = args->wrong_at;
    return troupe_every_empty(self, NULL, args->every_ms * TROUPE_MILLISECOND, look);
}

TROUPE_ON(thermometer, look) {
    double degrees = me->around + (double)(++me->looks % 10) / 10;
    if (me->looks == me->wrong_at) degrees = -300;
    enum troupe_status status = troupe_send(self, me->logbook, reading, .degrees = degrees);
    if (status != TROUPE_OK) troupe_log(self, TROUPE_WARNING, "a reading was refused: %s",
                                        troupe_status_text(status));
    return TROUPE_OK;
}

/* One of its readings will never be in the book. */
TROUPE_ON(thermometer, troupe_undelivered) {
    troupe_log(self, TROUPE_WARNING, "a %s was lost: %s", msg->message,
               troupe_status_text((enum troupe_status)msg->reason));
    return TROUPE_OK;
}

TROUPE_ACTOR(thermometer, TROUPE_STARTS(thermometer, measure),
             TROUPE_HANDLES(thermometer, look, troupe_undelivered))
