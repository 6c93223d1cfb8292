/*
 * The mailbox queue: rules in one thread, then senders and a consumer that goes idle in real threads:
 * every link comes out once, those of each sender in their order, and exactly one push finds it idle.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/mailbox.h"

static void the_first_push_schedules_and_the_last_take_goes_idle(void **state) {
    struct tr_mailbox mailbox = { NULL };
    struct tr_mailbox_front front = { NULL };
    struct tr_link links[3] = { { .kind = TR_LINK_MESSAGE } };
    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_true(tr_mailbox_push(&mailbox, &front, &links[0]));
        assert_false(tr_mailbox_push(&mailbox, &front, &links[1]));
        assert_false(tr_mailbox_push(&mailbox, &front, &links[2]));
        assert_ptr_equal(front.head, &links[0]);
        assert_true(tr_mailbox_advance(&mailbox, &front));
        assert_ptr_equal(front.head, &links[1]);
        assert_true(tr_mailbox_advance(&mailbox, &front));
        assert_ptr_equal(front.head, &links[2]);
        assert_false(tr_mailbox_advance(&mailbox, &front)); /* empty, idle, holding nothing back */
    }
}

static void what_is_being_handled_keeps_it_from_being_idle(void **state) {
    struct tr_mailbox mailbox = { NULL };
    struct tr_mailbox_front front = { NULL };
    struct tr_link links[2] = { { .kind = TR_LINK_MESSAGE } };
    (void)state;
    assert_true(tr_mailbox_push(&mailbox, &front, &links[0]));
    assert_ptr_equal(front.head, &links[0]);
    assert_false(tr_mailbox_push(&mailbox, &front, &links[1])); /* while links[0] is handled */
    assert_true(tr_mailbox_advance(&mailbox, &front));
    assert_false(tr_mailbox_advance(&mailbox, &front));
    assert_true(tr_mailbox_push(&mailbox, &front, &links[0]));
}

/* ---- Threads ---- */

enum { SENDERS = 4, EACH = 50000 };

struct item {
    struct tr_link link; /* first: a link is cast to its item */
    uint32_t sender, n;
};

static struct {
    struct tr_mailbox mailbox;
    struct tr_mailbox_front front;
    sem_t scheduled; /* posted by the push that found it idle */
    struct item items[SENDERS][EACH];
    uint32_t seen[SENDERS]; /* of each sender, by the consumer */
    uint32_t wrong, idles;
    _Atomic uint32_t schedules;
} queue;

static void *send(void *context) {
    uint32_t sender = *(const uint32_t *)context;
    for (uint32_t n = 0; n < EACH; n++) {
        struct item *item = &queue.items[sender][n];
        item->sender = sender;
        item->n = n;
        if (!tr_mailbox_push(&queue.mailbox, &queue.front, &item->link)) continue;
        atomic_fetch_add(&queue.schedules, 1);
        sem_post(&queue.scheduled);
    }
    return NULL;
}

static void *consume(void *unused) {
    (void)unused;
    for (uint32_t total = 0; total < SENDERS * EACH;) {
        while (sem_wait(&queue.scheduled) != 0) {
        }
        bool more = true;
        while (more) {
            const struct item *item = (const struct item *)(const void *)queue.front.head;
            queue.wrong += item->n != queue.seen[item->sender]++;
            total++;
            more = tr_mailbox_advance(&queue.mailbox, &queue.front);
        }
        queue.idles++;
    }
    return NULL;
}

static void every_link_comes_out_once_and_in_order(void **state) {
    pthread_t senders[SENDERS], consumer;
    uint32_t numbers[SENDERS];
    (void)state;
    assert_int_equal(sem_init(&queue.scheduled, 0, 0), 0);
    assert_int_equal(pthread_create(&consumer, NULL, consume, NULL), 0);
    for (uint32_t i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&senders[i], NULL, send, &numbers[i]), 0);
    }
    for (uint32_t i = 0; i < SENDERS; i++) pthread_join(senders[i], NULL);
    pthread_join(consumer, NULL);
    assert_int_equal(queue.wrong, 0);
    for (uint32_t i = 0; i < SENDERS; i++) assert_int_equal(queue.seen[i], EACH);
    assert_int_equal(queue.idles, atomic_load(&queue.schedules));
    assert_null(atomic_load(&queue.mailbox.tail));
    sem_destroy(&queue.scheduled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_push_schedules_and_the_last_take_goes_idle),
        cmocka_unit_test(what_is_being_handled_keeps_it_from_being_idle),
        cmocka_unit_test(every_link_comes_out_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
