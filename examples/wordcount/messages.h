/* What the actors of the word count say to each other. */
#ifndef WORDCOUNT_MESSAGES_H
#define WORDCOUNT_MESSAGES_H

#include <troupe.h>

/* ---- What starts them: `args:` in the configuration ---- */

/* A reader: the files, or globs, that all readers share, and how often to count them (0: once). */
#define READ_FILES(field) field(array(str), files) field(u64, passes)
TROUPE_MESSAGE(read_files, READ_FILES)

/* A counter: the directory of its journal; "" for none. */
#define KEEP_COUNT(field) field(str, journal)
TROUPE_MESSAGE(keep_count, KEEP_COUNT)

/* The collector: how many of the most frequent words to print (0: 20). */
#define COLLECT(field) field(u64, top)
TROUPE_MESSAGE(collect, COLLECT)

/* ---- Reader to itself: go on reading; ask a counter once more ---- */

TROUPE_MESSAGE_EMPTY(next)

#define ASK_AGAIN(field) field(u64, counter)
TROUPE_MESSAGE(ask_again, ASK_AGAIN)

/* ---- Reader to counter ---- */

/* Words that belong to this counter. `id` counts the batches from this reader to this counter: 1, 2, 3.
 * The same files make the same batches, so that id and reader name a batch for good. */
#define BATCH(field) field(u64, reader) field(u64, id) field(array(str), words)
TROUPE_MESSAGE(batch, BATCH)

/* "Have you handled all that I sent?": answered in order, so the answer itself says yes. */
#define FLUSH(field) field(u64, counter)
TROUPE_MESSAGE(flush, FLUSH)
TROUPE_MESSAGE_EMPTY(flushed)

/* ---- Reader to collector ---- */

#define PROGRESS(field) field(u64, reader) field(u64, bytes) field(u64, of_bytes)
TROUPE_MESSAGE(progress, PROGRESS)

#define DONE(field)                                                                                \
    field(u64, reader) field(u64, words) field(u64, batches) field(u64, undelivered) field(u64, waits)
TROUPE_MESSAGE(done, DONE)

/* ---- Collector to itself, and to counters ---- */

TROUPE_MESSAGE_EMPTY(draw)

#define TOTALS(field) field(u64, counter) field(u64, top)
TROUPE_MESSAGE(totals, TOTALS)

#define WORD_COUNT(field) field(str, word) field(u64, n)
TROUPE_MESSAGE(word_count, WORD_COUNT)

/* A word lives at one counter alone, so the most frequent of all are among the most frequent of each. */
#define COUNTED(field)                                                                             \
    field(array(message(word_count)), top) field(u64, words) field(u64, distinct)                  \
    field(u64, duplicates) field(u64, replayed)
TROUPE_MESSAGE(counted, COUNTED)

/* ---- The cast ---- */

TROUPE_ACTOR_DECLARE(reader)
TROUPE_ACTOR_DECLARE(counter)
TROUPE_ACTOR_DECLARE(collector)

#endif
