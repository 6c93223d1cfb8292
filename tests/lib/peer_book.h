/*
 * The book of a simulated pair of machines: an account of every message, kept apart from the peers,
 * by which contracts 1 to 3 of docs/guarantees.md are checked while things happen and at the end.
 *
 *   at most once      it arrives at one run of its receiver's machine, and is handled once
 *   at least once     it is handled, a dead letter over there, or poison, as long as its endpoint is there
 *   order             each endpoint handles what one machine sent in the order sent
 *   nothing lost      each is settled once, as what it is: handled, dead here, dead there, in doubt
 *   in doubt          only what was being handled in a crash, at most one for each worker
 *   poison            three crashes while it was being handled, no fewer and no more
 *   mortal            what was meant for one run gets to no other
 */
#ifndef TESTS_PEER_BOOK_H
#define TESTS_PEER_BOOK_H

#include "transport/peer.h"

enum {
    BOOK_MESSAGES = 4096,
    BOOK_DEFINITIONS = 6,
    BOOK_LARGE = 70 * 1024,
    BOOK_PAYLOAD = 8 /* the least: number, definitions, kind */
};

/* How a machine learns of the other's crash: with a ledger (what was settled and what was being handled
 * survives), without one, or not at all (the next handshake shows it). */
enum book_knowledge { BOOK_WITH_LEDGER, BOOK_WITHOUT_LEDGER, BOOK_UNNOTICED, BOOK_KNOWLEDGES };

struct book_message {
    struct tr_parcel parcel; /* first: so the peer hands it back */
    uint8_t *bytes;
    int descriptors[TR_PEER_DESCRIPTORS]; /* numbers */
    int number;              /* in the book: the order sent */
    int from;                /* a machine */
    uint64_t run;            /* of that machine */
    int64_t sent_at;
    bool wants_again;        /* its receiver wants at least once */
    bool poisonous;          /* whoever handles it crashes */
    uint64_t meant_for;      /* mortal: the one run of the other machine that may get it; 0: not known */
    unsigned crashes_before; /* of the other machine's, told when it was sent */
    bool transmitted;
    uint64_t arrived_at;     /* the last run of the other machine at which it arrived; 0: none */
    bool doubted;            /* it was being handled in a crash */
    unsigned suspected;      /* crashes told while it was */
    bool settled, counted_there;
    enum troupe_status outcome;
    int handled, dead_there;
};

struct book {
    uint64_t seed;
    enum book_knowledge knowledge;
    struct book_message messages[BOOK_MESSAGES];
    int count;
    unsigned crashes_told[2]; /* to that machine */
    unsigned crashes;
};

/* Prints the seed and the message (NULL: none is meant) and fails the test. */
void book_check(const struct book *book, bool holds, const char *what, const struct book_message *message);

void book_open(struct book *book, uint64_t seed, enum book_knowledge knowledge);
/* Frees all payloads. */
void book_close(struct book *book);

/* A message of so many bytes, not yet submitted. Its payload names it. */
struct book_message *book_send(struct book *book, int from, struct tr_endpoint to, uint32_t size,
                               uint8_t definitions);
/* So many descriptors go along. */
void book_attach(struct book_message *message, uint32_t count);
/* Those of a payload, or as many as there was room for (`missing`), are its own, in order; they are taken. */
void book_take(const struct book *book, const struct book_message *message, const struct tr_payload *payload);
/* Which one a payload is; it must be as it was sent. */
struct book_message *book_recognise(struct book *book, const uint8_t *payload, size_t size);

void book_transmitted(struct book *book, struct book_message *message);
void book_arrived(struct book *book, struct book_message *message, uint64_t run);
void book_begun(struct book *book, struct book_message *message);
void book_handled(struct book *book, struct book_message *message);
/* The machine of its receiver has crashed meanwhile / and its sender's was told so. */
void book_doubted(struct book_message *message);
void book_suspected(struct book_message *message);
void book_settled(struct book *book, struct book_message *message, int at, enum troupe_status status,
                  bool counted_there);
/* `machine` was told that the other one died: what was mortal is settled. */
void book_told_of_death(const struct book *book, int machine);

/* At the end. `there`: its endpoint is still there. */
void book_judge(const struct book *book, const struct book_message *message, bool there);

#endif
