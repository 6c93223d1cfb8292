/*
 * The collector waits until every reader is done, asks every counter what it has, and reports:
 *
 *     standard output   the most frequent words, a line each, in the form of `uniq -c`, and one line
 *                       "# key=value ...", among them how many words the readers read and how many the
 *                       counters counted
 *     standard error    a bar while the work goes on, if it is a terminal
 *
 * Then it ends the program. It lives as long as the job; it keeps nothing that a restart could find
 * again, so it is best left in the main process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "messages.h"
#include "table.h"

enum { DEFAULT_TOP = 20, MAX_TOP = 100, BAR = 40 };

#define TRY_AGAIN (50 * TROUPE_MILLISECOND)
#define TOTALS_TIMEOUT (30 * TROUPE_SECOND)
#define DRAW_INTERVAL (100 * TROUPE_MILLISECOND)

/* What is known of one reader. */
struct seat {
    uint64_t bytes, of_bytes;
    bool is_done;
};

struct collector {
    struct seat *seats;
    uint32_t readers, readers_done, counters, counters_done;
    uint64_t limit;            /* how many words to print */
    int64_t started, finished; /* first sign of a reader, last `done` */
    struct done sum;           /* of what the readers report */
    struct counted counted;    /* of what the counters report, but for `top`, which is in `best` */
    struct table best;
};

TROUPE_START(collector, collect) {
    me->limit = args->top == 0 ? DEFAULT_TOP : args->top;
    me->readers = troupe_count(self, "/reader");
    me->counters = troupe_count(self, "/counter");
    if (me->limit > MAX_TOP) return TROUPE_FAIL(self, "top: at most %d", MAX_TOP);
    if (me->readers == 0 || me->counters == 0) return TROUPE_FAIL(self, "no readers, or no counters");
    me->seats = calloc(me->readers, sizeof *me->seats);
    if (me->seats == NULL) return TROUPE_FAIL(self, "out of memory");
    return isatty(STDERR_FILENO) ? troupe_every_empty(self, NULL, DRAW_INTERVAL, draw) : TROUPE_OK;
}

TROUPE_STOP(collector) {
    free(me->seats);
    table_free(&me->best);
}

/* ---- While the readers read ---- */

TROUPE_ON(collector, progress) {
    if (msg->reader >= me->readers) return TROUPE_OK;
    if (me->started == 0) me->started = troupe_now(self);
    me->seats[msg->reader].bytes = msg->bytes;
    me->seats[msg->reader].of_bytes = msg->of_bytes;
    return TROUPE_OK;
}

TROUPE_ON(collector, draw) {
    uint64_t bytes = 0, of_bytes = 0;
    for (uint32_t i = 0; i < me->readers; i++) {
        bytes += me->seats[i].bytes;
        of_bytes += me->seats[i].of_bytes;
    }
    if (of_bytes == 0 || me->finished != 0) return TROUPE_OK;
    int filled = (int)((double)bytes / (double)of_bytes * BAR);
    fprintf(stderr, "\r[%-*.*s] %3.0f %%", BAR, filled, "########################################",
            100.0 * (double)bytes / (double)of_bytes);
    return TROUPE_OK;
}

/* ---- When they are done ---- */

static enum troupe_status ask_for_totals(troupe_self *self, struct collector *me, uint64_t counter) {
    char path[32];
    snprintf(path, sizeof path, "/counter/%u", (unsigned)counter);
    enum troupe_status status = troupe_ask(self, troupe_lookup(self, path), totals, TOTALS_TIMEOUT,
                                           .counter = counter, .top = me->limit);
    if (status == TROUPE_OK || status == TROUPE_STOPPING) return TROUPE_OK;
    if (status == TROUPE_GONE) return TROUPE_FAIL(self, "%s is gone", path);
    return troupe_after(self, NULL, TRY_AGAIN, ask_again, .counter = counter);
}

TROUPE_ON(collector, ask_again) { return ask_for_totals(self, me, msg->counter); }

TROUPE_ON(collector, done) {
    if (msg->reader >= me->readers || me->seats[msg->reader].is_done) return TROUPE_OK;
    me->seats[msg->reader].is_done = true;
    me->sum.words += msg->words;
    me->sum.batches += msg->batches;
    me->sum.undelivered += msg->undelivered;
    me->sum.waits += msg->waits;
    if (++me->readers_done < me->readers) return TROUPE_OK;
    me->finished = troupe_now(self);
    for (uint32_t i = 0; i < me->counters; i++) {
        enum troupe_status status = ask_for_totals(self, me, i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

/* ---- The report ---- */

static void print_words(const struct collector *me) {
    struct table_entry top[MAX_TOP];
    size_t count = table_top(&me->best, top, (size_t)me->limit);
    for (size_t i = 0; i < count; i++) printf("%7" PRIu64 " %s\n", top[i].n, top[i].word);
}

static void print_summary(const struct collector *me) {
    double seconds = me->started == 0 ? 0 : (double)(me->finished - me->started) / 1e9;
    printf("# words=%" PRIu64 " counted=%" PRIu64 " distinct=%" PRIu64 " batches=%" PRIu64
           " undelivered=%" PRIu64 " duplicates=%" PRIu64 " replayed=%" PRIu64 " waits=%" PRIu64
           " seconds=%.3f words_per_second=%.0f\n",
           me->sum.words, me->counted.words, me->counted.distinct, me->sum.batches,
           me->sum.undelivered, me->counted.duplicates, me->counted.replayed, me->sum.waits, seconds,
           seconds > 0 ? (double)me->sum.words / seconds : 0);
}

static void print_report(const struct collector *me) {
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    print_words(me);
    print_summary(me);
    fflush(stdout);
}

TROUPE_ANSWER(collector, totals, counted) {
    if (outcome == TROUPE_GONE)
        return TROUPE_FAIL(self, "counter %u is gone", (unsigned)request->counter);
    if (outcome != TROUPE_OK)
        return troupe_after(self, NULL, TRY_AGAIN, ask_again, .counter = request->counter);
    for (uint32_t i = 0; i < reply->top.count; i++)
        if (!table_add(&me->best, reply->top.items[i].word, reply->top.items[i].n))
            return TROUPE_FAIL(self, "out of memory");
    me->counted.words += reply->words;
    me->counted.distinct += reply->distinct;
    me->counted.duplicates += reply->duplicates;
    me->counted.replayed += reply->replayed;
    if (++me->counters_done < me->counters) return TROUPE_OK;
    print_report(me);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(collector,
    TROUPE_STARTS(collector, collect), TROUPE_STOPS(collector),
    TROUPE_HANDLES(collector, progress, draw, done, ask_again),
    TROUPE_ANSWERS(collector, totals, counted))
