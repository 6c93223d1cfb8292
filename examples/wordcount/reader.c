/*
 * A reader cuts its share of the files into words and sends each word to the one counter that owns it.
 *
 * The happy path: `next` reads a chunk, puts its words into a batch for each counter, sends the batches
 * that are full, and ends by sending itself another `next`: a handler that returns soon lets others
 * work. When the files are used up the rest is sent, then every counter is asked to `flush`. Messages
 * from one actor to another arrive in order, so the answer says that all batches before it were handled.
 * With the last answer the collector hears `done`, and the reader's work is over.
 *
 * Back-pressure: a send to a full counter is refused, nothing is lost. The reader stays where it is,
 * the refused batch in its hands, and goes on when `troupe_ready` says that there is room.
 *
 * Failures: a counter's process may die at any time. What delivery promises is configuration: with
 * at_least_once the runtime delivers again what was not handled; with at_most_once lost batches come
 * back as `troupe_undelivered` notices, which are counted and reported. A flush whose answer is lost is
 * asked again. If a reader itself dies, its successor starts over; it makes the same batches with the
 * same numbers, and the counters skip those that they have (counter.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "table.h"
#include "words.h"

enum { BATCH_WORDS = 256, BATCH_BYTES = 64 * 1024 };

#define TRY_AGAIN (50 * TROUPE_MILLISECOND)
#define FLUSH_TIMEOUT (30 * TROUPE_SECOND)
#define PROGRESS_INTERVAL (100 * TROUPE_MILLISECOND)

/* The batch being filled for one counter. */
struct outbox {
    troupe_address to;
    uint64_t id;                  /* of the last batch that was sent */
    char *text;                   /* the words, one after the other */
    size_t size, capacity;        /* of `text` */
    uint32_t starts[BATCH_WORDS]; /* where each begins */
    uint32_t count;
};

struct reader {
    uint64_t index; /* of all readers */
    struct words words;
    struct outbox *outboxes;
    uint32_t counters;
    struct outbox *full;         /* to be sent before anything else; NULL: none */
    troupe_address waiting_for;  /* whose mailbox was full */
    troupe_address collector;
    int64_t told;                /* when the collector last heard of our progress */
    uint32_t flushed;            /* counters that have answered */
    struct done done;            /* what we shall report */
};

/* ---- Starting and stopping ---- */

static bool find_counters(troupe_self *self, struct reader *me) {
    uint32_t count = troupe_count(self, "/counter");
    me->outboxes = calloc(count + 1, sizeof *me->outboxes);
    if (me->outboxes == NULL) return false;
    for (me->counters = 0; me->counters < count; me->counters++) {
        char path[32];
        snprintf(path, sizeof path, "/counter/%u", me->counters);
        me->outboxes[me->counters].to = troupe_lookup(self, path);
    }
    return count > 0;
}

/* "/reader/3" is number 3, "/reader" number 0. */
static uint64_t own_index(troupe_self *self) {
    return strtoull(strrchr(troupe_self_path(self), '/') + 1, NULL, 10);
}

TROUPE_START(reader, read_files) {
    uint64_t passes = args->passes > 0 ? args->passes : 1;
    me->index = own_index(self);
    me->collector = troupe_lookup(self, "/collector");
    if (!find_counters(self, me)) return TROUPE_FAIL(self, "there is no counter");
    if (!words_open(&me->words, args->files.items, args->files.count, me->index,
                    troupe_count(self, "/reader"), passes))
        return TROUPE_FAIL(self, "%s", me->words.error);
    return troupe_send_empty(self, troupe_self_address(self), next);
}

TROUPE_STOP(reader) {
    for (uint32_t i = 0; i < me->counters; i++) free(me->outboxes[i].text);
    free(me->outboxes);
    words_close(&me->words);
}

/* ---- Batches ---- */

/* False: no memory. */
static bool put(struct reader *me, const char *word) {
    struct outbox *box = &me->outboxes[table_hash(word) % me->counters];
    size_t length = strlen(word) + 1;
    if (box->size + length > box->capacity) {
        size_t capacity = 2 * (box->size + length);
        char *text = realloc(box->text, capacity);
        if (text == NULL) return false;
        box->text = text;
        box->capacity = capacity;
    }
    memcpy(box->text + box->size, word, length);
    box->starts[box->count++] = (uint32_t)box->size;
    box->size += length;
    me->done.words++;
    if (box->count == BATCH_WORDS || box->size >= BATCH_BYTES) me->full = box;
    return true;
}

static enum troupe_status send_batch(troupe_self *self, struct reader *me, struct outbox *box) {
    const char *words[BATCH_WORDS];
    for (uint32_t i = 0; i < box->count; i++) words[i] = box->text + box->starts[i];
    enum troupe_status status = troupe_send(self, box->to, batch, .reader = me->index,
                                            .id = box->id + 1, .words = { words, box->count });
    if (status != TROUPE_OK) return status;
    box->id++;
    box->count = 0;
    box->size = 0;
    me->done.batches++;
    return TROUPE_OK;
}

/* What to do about a message that was not taken: nothing of it is lost, we still have it. */
static enum troupe_status refused(troupe_self *self, struct reader *me, troupe_address by,
                                  enum troupe_status status) {
    switch (status) {
    case TROUPE_FULL:
        me->waiting_for = by;
        me->done.waits++;
        return TROUPE_OK;
    case TROUPE_UNREACHABLE: return troupe_after_empty(self, NULL, TRY_AGAIN, next);
    case TROUPE_STOPPING: return TROUPE_OK;
    default: return TROUPE_FAIL(self, "a message was refused: %s", troupe_status_text(status));
    }
}

/* ---- When all is read ---- */

static struct outbox *one_with_words(struct reader *me) {
    for (uint32_t i = 0; i < me->counters; i++)
        if (me->outboxes[i].count > 0) return &me->outboxes[i];
    return NULL;
}

static enum troupe_status ask_to_flush(troupe_self *self, struct reader *me, uint64_t counter) {
    enum troupe_status status =
        troupe_ask(self, me->outboxes[counter].to, flush, FLUSH_TIMEOUT, .counter = counter);
    if (status == TROUPE_OK || status == TROUPE_STOPPING) return TROUPE_OK;
    if (status == TROUPE_GONE) return TROUPE_FAIL(self, "counter %u is gone", (unsigned)counter);
    return troupe_after(self, NULL, TRY_AGAIN, ask_again, .counter = counter);
}

static enum troupe_status ask_all_to_flush(troupe_self *self, struct reader *me) {
    for (uint32_t i = 0; i < me->counters; i++) {
        enum troupe_status status = ask_to_flush(self, me, i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

static enum troupe_status report(troupe_self *self, struct reader *me) {
    me->done.reader = me->index;
    enum troupe_status status = troupe_send_message(self, me->collector, &done_message, &me->done);
    return status == TROUPE_OK ? troupe_exit(self) : refused(self, me, me->collector, status);
}

TROUPE_ON(reader, ask_again) { return ask_to_flush(self, me, msg->counter); }

TROUPE_ANSWER(reader, flush, flushed) {
    if (outcome == TROUPE_GONE)
        return TROUPE_FAIL(self, "counter %u is gone", (unsigned)request->counter);
    if (outcome != TROUPE_OK)
        return troupe_after(self, NULL, TRY_AGAIN, ask_again, .counter = request->counter);
    return ++me->flushed == me->counters ? report(self, me) : TROUPE_OK;
}

/* ---- Working ---- */

/* A drawing that comes late is no loss: a refusal is ignored. */
static void tell_progress(troupe_self *self, struct reader *me) {
    int64_t now = troupe_now(self);
    if (me->told != 0 && now - me->told < PROGRESS_INTERVAL) return;
    me->told = now;
    (void)troupe_send(self, me->collector, progress, .reader = me->index, .bytes = me->words.bytes,
                      .of_bytes = me->words.of_bytes);
}

static enum troupe_status pause_reading(troupe_self *self, struct reader *me) {
    troupe_address own = troupe_self_address(self);
    tell_progress(self, me);
    enum troupe_status status = troupe_send_empty(self, own, next);
    return status == TROUPE_OK ? TROUPE_OK : refused(self, me, own, status);
}

/* Goes on where it stopped, for one chunk. */
static enum troupe_status work(troupe_self *self, struct reader *me) {
    for (;;) {
        const char *word;
        if (me->full != NULL) {
            enum troupe_status status = send_batch(self, me, me->full);
            if (status != TROUPE_OK) return refused(self, me, me->full->to, status);
            me->full = NULL;
        }
        switch (words_next(&me->words, &word)) {
        case WORDS_ONE:
            if (!put(me, word)) return TROUPE_FAIL(self, "out of memory");
            break;
        case WORDS_PAUSE: return pause_reading(self, me);
        case WORDS_ERROR: return TROUPE_FAIL(self, "%s", me->words.error);
        case WORDS_END:
            me->full = one_with_words(me);
            if (me->full == NULL) return ask_all_to_flush(self, me);
        }
    }
}

/* Everything but the report is sent from `work`; the report follows the last flush. */
static enum troupe_status go_on(troupe_self *self, struct reader *me) {
    return me->flushed == me->counters ? report(self, me) : work(self, me);
}

TROUPE_ON(reader, next) { return go_on(self, me); }

TROUPE_ON(reader, troupe_ready) {
    if (!troupe_address_equal(msg->to, me->waiting_for)) return TROUPE_OK;
    me->waiting_for = (troupe_address){ 0 };
    return go_on(self, me);
}

TROUPE_ON(reader, troupe_undelivered) {
    if (strcmp(msg->message, "batch") == 0) me->done.undelivered++;
    return TROUPE_OK;
}

TROUPE_ACTOR(reader,
    TROUPE_STARTS(reader, read_files), TROUPE_STOPS(reader),
    TROUPE_HANDLES(reader, next, ask_again, troupe_ready, troupe_undelivered),
    TROUPE_ANSWERS(reader, flush, flushed))
