/* The floor of a ping-pong on one worker: two mailboxes, one loop, a function call for each message.
 * Each message is allocated, pushed with one exchange, popped, handled and freed. */
#include <stdatomic.h>
#include <stddef.h>

#include "../bench.h"

struct message {
    _Atomic(struct message *) next;
    uint64_t left;
};

/* Many producers, one consumer; `stub` keeps it from being empty. */
struct mailbox {
    _Atomic(struct message *) head;
    struct message *tail;
    struct message stub;
};

struct actor {
    struct mailbox mailbox;
    void (*handle)(struct actor *me, struct message *message);
    struct actor *other;
};

static void mailbox_init(struct mailbox *m) {
    atomic_init(&m->stub.next, NULL);
    atomic_init(&m->head, &m->stub);
    m->tail = &m->stub;
}

static void mailbox_push(struct mailbox *m, struct message *message) {
    atomic_store_explicit(&message->next, NULL, memory_order_relaxed);
    struct message *before = atomic_exchange_explicit(&m->head, message, memory_order_acq_rel);
    atomic_store_explicit(&before->next, message, memory_order_release);
}

static struct message *mailbox_pop(struct mailbox *m) {
    struct message *tail = m->tail, *next = atomic_load_explicit(&tail->next, memory_order_acquire);
    if (tail == &m->stub) {
        if (next == NULL) return NULL;
        m->tail = tail = next;
        next = atomic_load_explicit(&tail->next, memory_order_acquire);
    }
    if (next == NULL) {
        if (tail != atomic_load_explicit(&m->head, memory_order_acquire)) return NULL;
        mailbox_push(m, &m->stub);
        next = atomic_load_explicit(&tail->next, memory_order_acquire);
        if (next == NULL) return NULL;
    }
    m->tail = next;
    return tail;
}

static void send_ball(struct actor *to, uint64_t left) {
    struct message *message = malloc(sizeof *message);
    if (message == NULL) abort();
    message->left = left;
    mailbox_push(&to->mailbox, message);
}

static void bounce(struct actor *me, struct message *message) {
    if (message->left > 0) send_ball(me->other, message->left - 1);
}

static int64_t play(struct actor *a, struct actor *b, uint64_t round_trips) {
    int64_t began = bench_now();
    send_ball(a, 2 * round_trips);
    for (struct actor *turn = a;; turn = turn->other) {
        struct message *message = mailbox_pop(&turn->mailbox);
        if (message == NULL) break;
        turn->handle(turn, message);
        free(message);
    }
    (void)b;
    return bench_now() - began;
}

int main(int argc, char **argv) {
    uint64_t n = bench_count(argc, argv, 5000000);
    struct actor a = { .handle = bounce }, b = { .handle = bounce };
    a.other = &b;
    b.other = &a;
    mailbox_init(&a.mailbox);
    mailbox_init(&b.mailbox);
    (void)play(&a, &b, n / 10 + 1);
    bench_latency("pingpong", "mailbox:mpsc", n, play(&a, &b, n));
    return 0;
}
