/*
 * A counter owns the words whose hash leads to it, and counts them.
 *
 * How to make "at least once" exact. Delivery at_least_once means that the runtime delivers a batch
 * again when the counter died before the handler had returned. The handler may have done its work all
 * the same, and nobody outside can know: counting again might count twice, not counting might lose.
 * Two habits settle it, here and in any actor whose state must survive:
 *
 *     first the journal, then the state    A batch is written to the journal by one write() before it
 *                                          counts. So the journal is the truth: a successor replays it
 *                                          and has all that its predecessor had.
 *     every batch has a name               Reader and number. A batch that the journal has is skipped
 *                                          when it comes again, so that a second delivery is harmless.
 *
 * Killed before the write, the batch is not in the journal, comes again and is counted: once. Killed
 * after it, or in the midst of the counting: the replay counts it, the second delivery is skipped: once.
 * Killed during it, the torn record is cut off (journal.c), and it is as before the write.
 *
 * Batches of one reader arrive in order, so the last number of each reader is all there is to remember.
 *
 * Without a journal a counter that dies forgets; restarted, it counts what comes from then on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "messages.h"
#include "table.h"

enum { MAX_READERS = 256, MAX_TOP = 100 };

struct counter {
    struct table words;
    struct journal journal;
    uint64_t seen[MAX_READERS]; /* number of the last batch of each reader */
    uint64_t duplicates;        /* batches skipped */
    uint64_t replayed;          /* batches that came from the journal */
};

/* False: no memory. */
static bool count_words(struct counter *me, const struct batch *batch) {
    me->seen[batch->reader] = batch->id;
    for (uint32_t i = 0; i < batch->words.count; i++)
        if (!table_add(&me->words, batch->words.items[i], 1)) return false;
    return true;
}

static bool replay(void *context, const struct batch *batch) {
    struct counter *me = context;
    if (batch->reader >= MAX_READERS || batch->id <= me->seen[batch->reader]) return true;
    me->replayed++;
    return count_words(me, batch);
}

/* "DIRECTORY/counter-3-of-4": another number of counters shares the words out in another way, so it
 * must not find these files. */
static void journal_path(troupe_self *self, const char *directory, char *path, size_t size) {
    int n = snprintf(path, size, "%s", directory);
    size_t start = (size_t)n < size ? (size_t)n : size - 1;
    snprintf(path + start, size - start, "%s-of-%u", troupe_self_path(self), troupe_count(self, "/counter"));
    char *last = strrchr(path + start, '/');
    if (last != NULL && last != path + start) *last = '-';
}

TROUPE_START(counter, keep_count) {
    char path[4096], error[4400];
    if (args->journal[0] == '\0') return TROUPE_OK;
    journal_path(self, args->journal, path, sizeof path);
    if (!journal_open(&me->journal, path, replay, me, error, sizeof error))
        return TROUPE_FAIL(self, "%s", error);
    if (me->replayed > 0)
        troupe_log(self, TROUPE_INFO, "%llu batches from the journal", (unsigned long long)me->replayed);
    return TROUPE_OK;
}

TROUPE_STOP(counter) {
    journal_close(&me->journal);
    table_free(&me->words);
}

TROUPE_ON(counter, batch) {
    if (msg->reader >= MAX_READERS) return TROUPE_FAIL(self, "more than %d readers", MAX_READERS);
    if (msg->id <= me->seen[msg->reader]) {
        me->duplicates++;
        return TROUPE_OK;
    }
    if (!journal_append(&me->journal, msg)) return TROUPE_FAIL(self, "the journal: %s", strerror(errno));
    return count_words(me, msg) ? TROUPE_OK : TROUPE_FAIL(self, "out of memory");
}

TROUPE_ON(counter, flush) { return troupe_reply_empty(self, flushed); }

TROUPE_ON(counter, totals) {
    struct table_entry top[MAX_TOP];
    struct word_count items[MAX_TOP];
    size_t limit = msg->top < MAX_TOP ? (size_t)msg->top : MAX_TOP;
    uint32_t count = (uint32_t)table_top(&me->words, top, limit);
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct word_count){ .word = top[i].word, .n = top[i].n };
    return troupe_reply(self, counted, .top = { items, count }, .words = me->words.total,
                        .distinct = me->words.used, .duplicates = me->duplicates,
                        .replayed = me->replayed);
}

TROUPE_ACTOR(counter,
    TROUPE_STARTS(counter, keep_count), TROUPE_STOPS(counter),
    TROUPE_HANDLES(counter, batch, flush, totals))
