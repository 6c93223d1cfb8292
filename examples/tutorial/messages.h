/* What the actors of the station say to each other. */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <troupe.h>

/* A thermometer tells the logbook what it sees. */
#define READING(field) field(f64, degrees)
TROUPE_MESSAGE(reading, READING)

/* The display asks the logbook: report; the answer is a summary. */
TROUPE_MESSAGE_EMPTY(report)
#define SUMMARY(field) field(u64, readings) field(f64, lowest) field(f64, highest)
TROUPE_MESSAGE(summary, SUMMARY)

/* Nobody was told of such a reading before: published under "records". */
TROUPE_MESSAGE(record, READING)

#endif
