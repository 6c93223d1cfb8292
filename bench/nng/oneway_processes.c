/* Frames in one direction over an abstract unix socket, one message each: blocking, then with aios. */
#include "pair.h"

enum { BUFFERED = 128 };

struct flow {
    nng_socket socket;
    nng_aio *aio;
    uint64_t left;
    int64_t began;
    sem_t done;
};

static void flow_next_send(struct flow *f) {
    nng_aio_set_msg(f->aio, pair_message());
    nng_send_aio(f->socket, f->aio);
}

static void flow_sent(void *context) {
    struct flow *f = context;
    if (nng_aio_result(f->aio) == 0 && --f->left > 0) flow_next_send(f);
}

static void flow_received(void *context) {
    struct flow *f = context;
    if (nng_aio_result(f->aio) != 0) return;
    nng_msg_free(nng_aio_get_msg(f->aio));
    if (f->began == 0) f->began = bench_now();
    if (--f->left > 0) nng_recv_aio(f->socket, f->aio);
    else sem_post(&f->done);
}

/* So that each side has something to do while the other one sleeps: the blocking calls gain most by it. */
static void set_buffers(nng_socket s) {
    must(nng_socket_set_int(s, NNG_OPT_SENDBUF, BUFFERED), "send buffer");
    must(nng_socket_set_int(s, NNG_OPT_RECVBUF, BUFFERED), "receive buffer");
}

static void child_main(const char *url, uint64_t n, bool aio) {
    static struct flow f;
    f.socket = pair_dial(url);
    set_buffers(f.socket);
    f.left = n;
    if (aio) {
        must(nng_aio_alloc(&f.aio, flow_sent, &f), "aio");
        flow_next_send(&f);
    } else {
        for (uint64_t i = 0; i < n; i++) must(nng_sendmsg(f.socket, pair_message(), 0), "send");
    }
    for (;;) pause(); /* its parent ends it */
}

static void receive_calls(nng_socket s, uint64_t n) {
    int64_t began = 0;
    for (uint64_t i = 0; i < n; i++) {
        nng_msg *message;
        must(nng_recvmsg(s, &message, 0), "receive");
        nng_msg_free(message);
        if (i == 0) began = bench_now();
    }
    bench_rate("oneway_processes", "api:calls,size:64", n, bench_now() - began);
}

static void receive_aio(nng_socket s, uint64_t n) {
    static struct flow f;
    f.socket = s;
    f.left = n;
    sem_init(&f.done, 0, 0);
    must(nng_aio_alloc(&f.aio, flow_received, &f), "aio");
    nng_recv_aio(s, f.aio);
    while (sem_wait(&f.done) != 0) continue;
    bench_rate("oneway_processes", "api:aio,size:64", n, bench_now() - f.began);
}

static int run(uint64_t n, bool aio) {
    char url[64];
    (void)snprintf(url, sizeof url, "abstract://bench-oneway-%d", (int)getpid());
    pid_t child = fork_child();
    if (child == 0) child_main(url, n, aio);
    nng_socket s = pair_listen(url);
    set_buffers(s);
    if (aio) receive_aio(s, n);
    else receive_calls(s, n);
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

int main(int argc, char **argv) {
    uint64_t n = bench_count(argc, argv, 200000);
    for (int aio = 0; aio < 2; aio++) {
        pid_t one = fork(); /* a fork after NNG's first call is fatal to it */
        int status;
        if (one == 0) _exit(run(n, aio != 0));
        if (one < 0 || waitpid(one, &status, 0) != one || status != 0) return 1;
    }
    return 0;
}
