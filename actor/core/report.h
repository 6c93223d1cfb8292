/* What a cell tells its supervisor: ordinary messages, so that the supervisor may live anywhere. */
#ifndef TR_REPORT_H
#define TR_REPORT_H

#include <troupe/death.h>

/* The start handler of this run has returned OK. */
#define TR_STARTED_FIELDS(field) field(u64, key) field(u32, run)
TROUPE_MESSAGE(tr_started, TR_STARTED_FIELDS)

/* The run is over. ignored: before it was ready, for there was nothing to do. */
#define TR_EXITED_FIELDS(field)                                                                    \
    field(u64, key) field(u32, run) field(message(troupe_death), death) field(bool, ignored)
TROUPE_MESSAGE(tr_exited, TR_EXITED_FIELDS)

/* What the next run is to begin with; no type: nothing. */
#define TR_SAVE_FIELDS(field) field(u64, key) field(u32, run) field(str, type) field(bytes, data)
TROUPE_MESSAGE(tr_save, TR_SAVE_FIELDS)

/* For an actor that handles it, a stop is not the end but this message: it stops what it must and ends
 * itself. A supervisor's children stop first. When it is killed instead, its stop handler is called all the
 * same, to have the others killed, too. */
TROUPE_MESSAGE_EMPTY(tr_stopping)

#endif
