/* 1 MiB over an abstract unix socket from one process to another, filled anew for each message. The receiver looks
 * at every page and answers. First one message at a time, then eight under way. With aios. */
#include "pair.h"

enum { PAYLOAD = 1024 * 1024, PAGE = 4096, UNDER_WAY = 8 };

static int value_of(uint64_t number) { return (int)(number % 251) + 1; }

static nng_msg *make(size_t size, int value) {
    nng_msg *message;
    must(nng_msg_alloc(&message, size), "message");
    memset(nng_msg_body(message), value, size);
    return message;
}

/* ---- The receiver: an aio to receive, one to answer ---- */

struct sink {
    nng_socket socket;
    nng_aio *receive, *send;
};

static void sink_received(void *context) {
    struct sink *sink = context;
    if (nng_aio_result(sink->receive) != 0) return;
    nng_msg *message = nng_aio_get_msg(sink->receive);
    const uint8_t *bytes = nng_msg_body(message);
    uint64_t sum = 0;
    for (size_t i = 0; i < nng_msg_len(message); i += PAGE) sum += bytes[i];
    nng_msg_free(message);
    message = make(sizeof sum, 0);
    memcpy(nng_msg_body(message), &sum, sizeof sum);
    nng_aio_set_msg(sink->send, message);
    nng_send_aio(sink->socket, sink->send);
}

static void sink_sent(void *context) {
    struct sink *sink = context;
    if (nng_aio_result(sink->send) == 0) nng_recv_aio(sink->socket, sink->receive);
}

static void child_main(const char *url) {
    struct sink sink = { .socket = pair_dial(url) };
    must(nng_aio_alloc(&sink.receive, sink_received, &sink), "aio");
    must(nng_aio_alloc(&sink.send, sink_sent, &sink), "aio");
    nng_recv_aio(sink.socket, sink.receive);
    for (;;) pause(); /* its parent ends it */
}

/* ---- The sender: an aio for each that may be under way ---- */

struct source {
    nng_socket socket;
    nng_aio *receive, *sends[UNDER_WAY];
    uint64_t n, sent, answered;
    sem_t done;
};

/* When an answer has come its message has left: so has the one `under_way` messages ago. */
static void push(struct source *source) {
    nng_aio *aio = source->sends[source->sent % UNDER_WAY];
    nng_aio_wait(aio);
    nng_aio_set_msg(aio, make(PAYLOAD, value_of(source->sent++)));
    nng_send_aio(source->socket, aio);
}

static void source_received(void *context) {
    struct source *source = context;
    if (nng_aio_result(source->receive) != 0) return;
    nng_msg *message = nng_aio_get_msg(source->receive);
    uint64_t sum;
    memcpy(&sum, nng_msg_body(message), sizeof sum);
    nng_msg_free(message);
    if (sum != (uint64_t)value_of(source->answered) * (PAYLOAD / PAGE)) must(NNG_EINTERNAL, "other bytes than were sent");
    if (++source->answered == source->n) {
        sem_post(&source->done);
        return;
    }
    if (source->sent < source->n) push(source);
    nng_recv_aio(source->socket, source->receive); /* last: the next callback may run at once, on another thread */
}

static void measure(struct source *source, uint64_t under_way, const char *params) {
    source->sent = source->answered = 0;
    int64_t began = bench_now();
    for (uint64_t i = 0; i < under_way && i < source->n; i++) push(source);
    nng_recv_aio(source->socket, source->receive); /* from here on its callback pushes */
    while (sem_wait(&source->done) != 0) continue;
    bench_latency("payload_processes", params, source->n, bench_now() - began);
}

static void parent_main(const char *url, uint64_t n) {
    static struct source source;
    source.socket = pair_listen(url);
    source.n = n;
    sem_init(&source.done, 0, 0);
    must(nng_aio_alloc(&source.receive, source_received, &source), "aio");
    for (int i = 0; i < UNDER_WAY; i++) must(nng_aio_alloc(&source.sends[i], NULL, NULL), "aio");
    measure(&source, 1, "api:aio,metric:one");
    measure(&source, UNDER_WAY, "api:aio,metric:eight");
}

int main(int argc, char **argv) {
    char url[64];
    (void)snprintf(url, sizeof url, "abstract://bench-payload-%d", (int)getpid());
    pid_t child = fork_child();
    if (child == 0) child_main(url);
    parent_main(url, bench_count(argc, argv, 2000));
    kill(child, SIGKILL);
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}
