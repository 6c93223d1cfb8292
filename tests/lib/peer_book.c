#include "lib/peer_book.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const char *outcome_name(const struct book_message *message) {
    static const char *const names[] = {
#define NAME(code, name, text) name,
        TROUPE_STATUS_LIST(NAME)
#undef NAME
    };
    return message->settled ? names[message->outcome] : "none";
}

void book_check(const struct book *book, bool holds, const char *what, const struct book_message *message) {
    if (holds) return;
    print_error("seed=%llu: %s (knowledge %d)\n", (unsigned long long)book->seed, what, (int)book->knowledge);
    if (message != NULL)
        print_error("  message %d from %d to slot %u: outcome %s, counted there %d, wants again %d, once %d, "
                    "mortal %d, handled %d, dead there %d, suspected %u\n",
                    message->number, message->from, (unsigned)message->parcel.to.slot, outcome_name(message),
                    message->counted_there, message->wants_again, message->parcel.once,
                    message->parcel.mortal, message->handled, message->dead_there, message->suspected);
    fail();
}

void book_open(struct book *book, uint64_t seed, enum book_knowledge knowledge) {
    book->seed = seed;
    book->knowledge = knowledge;
    book->count = 0;
    book->crashes = book->crashes_told[0] = book->crashes_told[1] = 0;
}

void book_close(struct book *book) {
    for (int i = 0; i < book->count; i++)
        free(book->messages[i].bytes);
    book->count = 0;
}

static uint8_t last_byte(int number) { return (uint8_t)(number * 7 + 1); }

struct book_message *book_send(struct book *book, int from, struct tr_endpoint to, uint32_t size,
                               uint8_t definitions) {
    book_check(book, book->count < BOOK_MESSAGES && size >= BOOK_PAYLOAD, "the book is full", NULL);
    struct book_message *message = &book->messages[book->count];
    *message = (struct book_message){ .number = book->count++, .from = from };
    message->crashes_before = book->crashes_told[from];
    message->bytes = calloc(1, size);
    assert_non_null(message->bytes);
    memcpy(message->bytes, &message->number, sizeof message->number);
    message->bytes[4] = definitions;
    message->bytes[size - 1] = last_byte(message->number);
    message->parcel = (struct tr_parcel){
        .to = to, .definitions = definitions, .size = size, .bytes = message->bytes
    };
    return message;
}

void book_attach(struct book_message *message, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        message->descriptors[i] = message->number * TR_PEER_DESCRIPTORS + (int)i;
    message->parcel.descriptors = message->descriptors;
    message->parcel.descriptor_count = count;
}

void book_take(const struct book *book, const struct book_message *message, const struct tr_payload *payload) {
    uint32_t sent = message->parcel.descriptor_count, come = payload->descriptor_count;
    book_check(book, payload->missing ? come < sent : come == sent, "another number of descriptors", message);
    for (uint32_t i = 0; i < come; i++) {
        book_check(book, payload->descriptors[i] == message->descriptors[i], "another's descriptor", message);
        payload->descriptors[i] = -1;
    }
}

struct book_message *book_recognise(struct book *book, const uint8_t *payload, size_t size) {
    int number = -1;
    if (size >= BOOK_PAYLOAD) memcpy(&number, payload, sizeof number);
    bool known = number >= 0 && number < book->count;
    book_check(book, known, "a payload that nobody sent", NULL);
    struct book_message *message = &book->messages[number];
    book_check(book, size == message->parcel.size && payload[size - 1] == last_byte(number),
               "a payload that differs", message);
    return message;
}

/* ---- While things happen ---- */

static bool is_wanted_again(const struct book_message *message) {
    return message->wants_again && !message->parcel.once && !message->parcel.mortal;
}

void book_transmitted(struct book *book, struct book_message *message) {
    book_check(book, !message->settled, "transmitted after it was settled", message);
    message->transmitted = true;
}

void book_arrived(struct book *book, struct book_message *message, uint64_t run) {
    bool first = message->arrived_at == 0 || message->arrived_at == run;
    book_check(book, first || is_wanted_again(message), "at a second run", message);
    book_check(book, message->meant_for == 0 || message->meant_for == run, "at a run that it was not meant for",
               message);
    message->arrived_at = run;
}

void book_begun(struct book *book, struct book_message *message) {
    bool exact = book->knowledge == BOOK_WITH_LEDGER && is_wanted_again(message);
    book_check(book, !exact || message->suspected < TR_PEER_POISON_LIMIT, "handled though it is poison", message);
}

void book_handled(struct book *book, struct book_message *message) {
    bool may_repeat = is_wanted_again(message) && book->knowledge != BOOK_WITH_LEDGER;
    message->handled++;
    book_check(book, message->handled == 1 || may_repeat, "handled twice", message);
}

void book_doubted(struct book_message *message) { message->doubted = true; }

void book_suspected(struct book_message *message) {
    if (!message->settled && is_wanted_again(message)) message->suspected++;
}

void book_settled(struct book *book, struct book_message *message, int at, enum troupe_status status,
                  bool counted_there) {
    book_check(book, !message->settled, "settled twice", message);
    book_check(book, message->from == at, "settled at the wrong machine", message);
    message->settled = true;
    message->outcome = status;
    message->counted_there = counted_there;
}

void book_told_of_death(const struct book *book, int machine) {
    for (int i = 0; i < book->count; i++) {
        const struct book_message *message = &book->messages[i];
        if (message->from == machine && message->parcel.mortal)
            book_check(book, message->settled, "mortal, and outlives its run", message);
    }
}

/* ---- At the end ---- */

static void judge_poison(const struct book *book, const struct book_message *message) {
    unsigned crashes = book->crashes_told[message->from] - message->crashes_before;
    bool right = book->knowledge == BOOK_WITH_LEDGER ? message->suspected == TR_PEER_POISON_LIMIT
                                                     : crashes >= TR_PEER_POISON_LIMIT;
    book_check(book, right && is_wanted_again(message), "poison, but not of three crashes", message);
}

static void judge_doubt(const struct book *book, const struct book_message *message) {
    book_check(book, book->crashes > 0, "in doubt without a crash", message);
    book_check(book, book->knowledge != BOOK_WITH_LEDGER || message->doubted,
               "in doubt, but nobody handled it", message);
}

/* Neither handled nor dead over there, as far as its sender knows. */
static void judge_dead_here(const struct book *book, const struct book_message *message, bool exact, bool there) {
    book_check(book, !exact || message->handled + message->dead_there == 0, "dead here and there", message);
    book_check(book, message->outcome == TROUPE_GONE || message->outcome == TROUPE_NODE_DIED, "reason", message);
    bool waits = !message->transmitted && !message->parcel.mortal;
    book_check(book, !there || message->outcome == TROUPE_GONE || !waits, "never transmitted, and lost", message);
    book_check(book, !there || message->outcome == TROUPE_NODE_DIED, "gone, but it is there", message);
}

/* Without a ledger a message may have been handled, and nobody knows. */
void book_judge(const struct book *book, const struct book_message *message, bool there) {
    bool exact = book->knowledge == BOOK_WITH_LEDGER || !is_wanted_again(message);
    int counted = message->handled + message->dead_there;
    book_check(book, message->settled, "never settled", message);
    book_check(book, !exact || counted <= 1, "counted twice", message);
    if (message->outcome == TROUPE_SENDER_DIED) return;
    if (message->outcome == TROUPE_OK || message->counted_there) {
        int as_said = message->counted_there ? message->dead_there : message->handled;
        book_check(book, counted > 0, "settled, but neither handled nor dead", message);
        book_check(book, as_said > 0, "handled is not dead", message);
        return;
    }
    if (message->outcome == TROUPE_POISON) {
        judge_poison(book, message);
        return;
    }
    book_check(book, !there || !is_wanted_again(message), "wanted again, and lost", message);
    if (message->outcome == TROUPE_IN_DOUBT)
        judge_doubt(book, message);
    else
        judge_dead_here(book, message, exact, there);
}
