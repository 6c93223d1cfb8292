/*
 * Senders at full speed, receivers that are killed. Who sent and handled what is written to memory that a test has made and
 * that outlives them all: a table for each pair of a sender and a receiver (struct pair), with a byte for each number,
 * which counts how often it was handled.
 *
 * A sender numbers what it sends to each receiver from 0 on, run after run: a number is taken before it is sent, so that
 * no two runs send the same one, and is not used if its sender is killed just then. It sends until the gate is opened,
 * and counts what comes back. When the gate is open it asks each receiver whether it is done; the last one that
 * has heard of all ends the program.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <troupe.h>
#include <unistd.h>

#define RECEIVE(field) field(str, memory)
TROUPE_MESSAGE(receive, RECEIVE)
TROUPE_MESSAGE(supply, RECEIVE)
#define NUMBER(field) field(u32, sender) field(u32, n)
TROUPE_MESSAGE(number, NUMBER)
#define SETTLE(field) field(u32, receiver)
TROUPE_MESSAGE(settle, SETTLE)
TROUPE_MESSAGE_EMPTY(settled)
#define GO_ON(field) field(u32, receiver)
TROUPE_MESSAGE(go_on, GO_ON)

enum { SENDERS = 4, RECEIVERS = 4, REASONS = 64, AT_ONCE = 64, NUMBERS = 1 << 24 };

/* storm.py reads these: all fields are 64 bits wide. */
struct pair {
    _Atomic uint64_t next;     /* number to be sent; the sender's */
    _Atomic uint64_t taken;    /* how many were; the sender's */
    _Atomic uint64_t last;     /* handled, + 1; the receiver's */
    _Atomic uint64_t disorder; /* handled after a later one; the receiver's */
};
struct books {
    _Atomic uint64_t gate;          /* the test's: 1: send no more */
    _Atomic uint64_t ended;         /* senders that have heard of all receivers */
    _Atomic uint64_t full;          /* numbers that there is no room for */
    _Atomic uint64_t back[REASONS]; /* undelivered, by reason */
    struct pair pairs[SENDERS][RECEIVERS];
    uint8_t handled[SENDERS][RECEIVERS][NUMBERS];
};

static void add(_Atomic uint64_t *counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

static struct books *open_books(const char *path) {
    int memory = open(path, O_RDWR | O_CLOEXEC);
    void *books = memory < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct books), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (memory >= 0) close(memory);
    return books == MAP_FAILED ? NULL : books;
}

/* The number at the end of its path. */
static unsigned number_of(const troupe_self *self) {
    return (unsigned)strtoul(strrchr(troupe_self_path(self), '/') + 1, NULL, 10);
}

/* ---- Receivers ---- */

struct receiver {
    unsigned own;
    struct books *books;
};

TROUPE_START(receiver, receive) {
    me->own = number_of(self);
    me->books = open_books(args->memory);
    return me->books == NULL ? TROUPE_FAIL(self, "%s: cannot be opened", args->memory) : TROUPE_OK;
}
TROUPE_STOP(receiver) {
    if (me->books != NULL) munmap(me->books, sizeof(struct books));
}
/* About as long as all the rest of a message takes: so that every other kill or so falls into a handler. */
static void take_time(volatile uint32_t steps) {
    for (steps = 300; steps > 0; steps--) continue;
}

TROUPE_ON(receiver, number) {
    struct pair *pair = &me->books->pairs[msg->sender][me->own];
    (void)self;
    if (msg->n + 1 < atomic_load(&pair->last)) add(&pair->disorder);
    me->books->handled[msg->sender][me->own][msg->n]++;
    atomic_store(&pair->last, msg->n + 1);
    take_time(msg->n);
    return TROUPE_OK;
}
TROUPE_ON(receiver, settle) {
    (void)msg;
    return troupe_reply_empty(self, settled);
}
TROUPE_ACTOR(receiver, TROUPE_STARTS(receiver, receive), TROUPE_STOPS(receiver), TROUPE_HANDLES(receiver, number, settle))

/* ---- Senders ---- */

struct sender {
    unsigned own;
    struct books *books;
    troupe_address to[RECEIVERS];
    uint32_t settled;
    bool asked;
    bool holds[RECEIVERS]; /* this number was refused, and is not used yet: */
    uint32_t held[RECEIVERS];
};

TROUPE_START(sender, supply) {
    char path[32];
    me->own = number_of(self);
    me->books = open_books(args->memory);
    if (me->books == NULL) return TROUPE_FAIL(self, "%s: cannot be opened", args->memory);
    for (uint32_t i = 0; i < RECEIVERS; i++) {
        snprintf(path, sizeof path, "/receiver/%u", (unsigned)i);
        me->to[i] = troupe_lookup(self, path);
        enum troupe_status status = troupe_send(self, troupe_self_address(self), go_on, .receiver = i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_STOP(sender) {
    if (me->books != NULL) munmap(me->books, sizeof(struct books));
}

static enum troupe_status ask(troupe_self *self, const struct sender *me, uint32_t receiver) {
    enum troupe_status status = troupe_ask(self, me->to[receiver], settle, 20 * TROUPE_SECOND, .receiver = receiver);
    return status == TROUPE_OK ? TROUPE_OK
                               : troupe_after(self, NULL, 10 * TROUPE_MILLISECOND, settle, .receiver = receiver);
}

static enum troupe_status ask_all(troupe_self *self, struct sender *me) {
    enum troupe_status status = TROUPE_OK;
    if (me->asked) return TROUPE_OK;
    me->asked = true;
    for (uint32_t i = 0; i < RECEIVERS && status == TROUPE_OK; i++) status = ask(self, me, i);
    return status;
}

static enum troupe_status send_one(troupe_self *self, struct sender *me, uint32_t to) {
    struct pair *pair = &me->books->pairs[me->own][to];
    if (!me->holds[to]) me->held[to] = (uint32_t)atomic_fetch_add(&pair->next, 1);
    me->holds[to] = true;
    if (me->held[to] >= NUMBERS) {
        add(&me->books->full);
        return TROUPE_FULL;
    }
    enum troupe_status status = troupe_send(self, me->to[to], number, .sender = me->own, .n = me->held[to]);
    if (status != TROUPE_OK) return status;
    me->holds[to] = false;
    add(&pair->taken);
    return TROUPE_OK;
}

/* To one receiver, until it is full: then its troupe_ready goes on. */
static enum troupe_status send_some(troupe_self *self, struct sender *me, uint32_t to) {
    if (atomic_load(&me->books->gate) != 0) return ask_all(self, me);
    for (int i = 0; i < AT_ONCE; i++) {
        enum troupe_status status = send_one(self, me, to);
        if (status != TROUPE_OK) return status == TROUPE_FULL ? TROUPE_OK : status;
    }
    return troupe_send(self, troupe_self_address(self), go_on, .receiver = to);
}

TROUPE_ON(sender, go_on) { return send_some(self, me, msg->receiver); }
TROUPE_ON(sender, settle) { return ask(self, me, msg->receiver); }
TROUPE_ON(sender, troupe_ready) {
    for (uint32_t i = 0; i < RECEIVERS; i++)
        if (troupe_address_equal(me->to[i], msg->to)) return send_some(self, me, i);
    return TROUPE_OK;
}
TROUPE_ON(sender, troupe_undelivered) {
    (void)self;
    if (strcmp(msg->message, "number") == 0) add(&me->books->back[msg->reason]);
    return TROUPE_OK;
}
TROUPE_ANSWER(sender, settle, settled) {
    if (outcome != TROUPE_OK) return ask(self, me, request->receiver);
    if (++me->settled < RECEIVERS) return TROUPE_OK;
    if (atomic_fetch_add(&me->books->ended, 1) + 1 == SENDERS) troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(sender, TROUPE_STARTS(sender, supply), TROUPE_STOPS(sender),
    TROUPE_HANDLES(sender, go_on, settle, troupe_ready, troupe_undelivered), TROUPE_ANSWERS(sender, settle, settled))

int main(int argc, char **argv) { return troupe_main(argc, argv, &sender_actor, &receiver_actor, NULL); }
