/* Raw NNG pair0, in the two ways its manual shows: blocking calls, and reused aios with callbacks. */
#ifndef TR_BENCH_NNG_PAIR_H
#define TR_BENCH_NNG_PAIR_H

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>

#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bench.h"

enum { BENCH_MESSAGE_SIZE = 64 };

/* A process that ends with its parent: what NNG does without one is to spin. */
static inline pid_t fork_child(void) {
    pid_t parent = getpid(), child = fork(); /* before NNG's first call: a fork after it is fatal */
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    return 0;
}

static inline void must(int code, const char *what) {
    if (code == 0) return;
    fprintf(stderr, "%s: %s\n", what, nng_strerror(code));
    exit(1);
}

static inline nng_socket pair_listen(const char *url) {
    nng_socket s;
    must(nng_pair0_open(&s), "open");
    must(nng_listen(s, url, NULL, 0), "listen");
    return s;
}

/* The other process may not listen yet: NNG goes on dialing. */
static inline nng_socket pair_dial(const char *url) {
    nng_socket s;
    must(nng_pair0_open(&s), "open");
    must(nng_socket_set_ms(s, NNG_OPT_RECONNMINT, 5), "reconnect time");
    must(nng_dial(s, url, NULL, NNG_FLAG_NONBLOCK), "dial");
    return s;
}

static inline nng_msg *pair_message(void) {
    nng_msg *message;
    must(nng_msg_alloc(&message, BENCH_MESSAGE_SIZE), "message");
    return message;
}

/* One end of a ping-pong with aios: what is received is sent back, `left` times. */
struct bouncer {
    nng_socket socket;
    nng_aio *send, *receive;
    uint64_t left;
    sem_t done;
};

static inline void bouncer_received(void *context) {
    struct bouncer *b = context;
    if (nng_aio_result(b->receive) != 0) return;
    nng_msg *message = nng_aio_get_msg(b->receive);
    if (b->left-- == 0) {
        nng_msg_free(message);
        sem_post(&b->done);
        return;
    }
    nng_aio_set_msg(b->send, message);
    nng_send_aio(b->socket, b->send);
}

static inline void bouncer_sent(void *context) {
    struct bouncer *b = context;
    if (nng_aio_result(b->send) == 0) nng_recv_aio(b->socket, b->receive);
}

static inline void bouncer_init(struct bouncer *b, nng_socket socket, uint64_t bounces) {
    b->socket = socket;
    b->left = bounces;
    sem_init(&b->done, 0, 0);
    must(nng_aio_alloc(&b->receive, bouncer_received, b), "aio");
    must(nng_aio_alloc(&b->send, bouncer_sent, b), "aio");
}

static inline void bouncer_serve(struct bouncer *b) {
    nng_msg *message = pair_message();
    nng_aio_set_msg(b->send, message);
    nng_send_aio(b->socket, b->send);
}

static inline void bouncer_fini(struct bouncer *b) {
    nng_aio_stop(b->send);
    nng_aio_stop(b->receive);
    nng_aio_free(b->send);
    nng_aio_free(b->receive);
    sem_destroy(&b->done);
}

/* n round trips with blocking calls. */
static inline void pair_ping(nng_socket s, uint64_t n) {
    nng_msg *message = pair_message();
    for (uint64_t i = 0; i < n; i++) {
        must(nng_sendmsg(s, message, 0), "send");
        must(nng_recvmsg(s, &message, 0), "receive");
    }
    nng_msg_free(message);
}

static inline void pair_pong(nng_socket s, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        nng_msg *message;
        must(nng_recvmsg(s, &message, 0), "receive");
        must(nng_sendmsg(s, message, 0), "send");
    }
}

#endif
