#include "lib/peer_wires.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "transport/frame.h"

enum { RECORDED = 6 };

static uint64_t below(struct wires *wires, uint64_t bound) { return tr_random_below(wires->random, bound); }
static bool one_in(struct wires *wires, uint64_t n) { return tr_random_one_in(wires->random, n); }

/* ---- Queues ---- */

static int count(const struct wire_queue *queue) { return queue->end - queue->first; }

static void push(struct wire_queue *queue, const uint8_t *bytes, size_t size) {
    tr_assert(count(queue) < WIRE_FRAMES);
    struct wire_frame *frame = &queue->frames[queue->end++ % WIRE_FRAMES];
    frame->bytes = malloc(size + 1);
    tr_assert(frame->bytes != NULL);
    frame->size = size;
    frame->count = 0;
    frame->cut = false;
    memcpy(frame->bytes, bytes, size);
}

static void attach(struct wire_queue *queue, const int *descriptors, uint32_t count) {
    struct wire_frame *frame = &queue->frames[(queue->end - 1) % WIRE_FRAMES];
    frame->count = count;
    for (uint32_t i = 0; i < count; i++) frame->descriptors[i] = descriptors[i];
}

static struct wire_frame pop(struct wire_queue *queue) { return queue->frames[queue->first++ % WIRE_FRAMES]; }

static void drop_last(struct wire_queue *queue, int frames) {
    for (; frames > 0 && count(queue) > 0; frames--)
        free(queue->frames[--queue->end % WIRE_FRAMES].bytes);
}

static void drop(struct wire_queue *queue) { drop_last(queue, WIRE_FRAMES); }

/* ---- Life ---- */

void wires_open(struct wires *wires, struct tr_random *random) {
    memset(wires, 0, sizeof *wires);
    wires->random = random;
}

static void release(struct wire *wire) {
    drop(&wire->to[0]);
    drop(&wire->to[1]);
    tr_peer_free(wire->impostor);
    memset(wire, 0, sizeof *wire);
}

void wires_close(struct wires *wires) {
    for (int i = 0; i < WIRES; i++)
        release(&wires->all[i]);
    release(&wires->record);
}

static struct wire *make(struct wires *wires, enum wire_kind kind, int dialer,
                         const uint8_t token[TR_PEER_TOKEN_SIZE]) {
    struct wire *wire = wires->all;
    while (wire->used)
        tr_assert(++wire < wires->all + WIRES);
    if (wires->recorded == wire) wires->recorded = NULL; /* that one is gone */
    wire->used = wire->open[0] = wire->open[1] = true;
    wire->kind = kind;
    wire->dialer = dialer;
    wire->victim = -1;
    memcpy(wire->token, token, sizeof wire->token);
    return wire;
}

struct wire *wire_genuine(struct wires *wires, bool tampered, int dialer, const uint64_t run[2],
                          const uint8_t token[TR_PEER_TOKEN_SIZE]) {
    struct wire *wire = make(wires, tampered ? WIRE_TAMPERED : WIRE_GENUINE, dialer, token);
    wire->run[0] = run[0];
    wire->run[1] = run[1];
    int frame = (int)below(wires, 3); /* hello, welcome, proof */
    wire->tampered[0] = frame == 1 ? 1 - dialer : dialer;
    wire->tampered[1] = frame == 2 ? 1 : 0;
    if (!tampered && one_in(wires, 3)) {
        wires->recorded = wire;
        release(&wires->record);
    }
    return wire;
}

bool wire_is_strange(const struct wire *wire) { return wire->kind >= WIRE_REPLAYED; }

static bool is_empty(const struct wire *wire) { return !wire->open[0] && !wire->open[1]; }

void wire_let_go(struct wire *wire, int end, int lost) {
    wire->open[end] = false;
    if (wire->victim == end) wire->open[1 - end] = false; /* a stranger has no more business there */
    drop(&wire->to[end]);
    drop_last(&wire->to[1 - end], lost);
    if (is_empty(wire)) release(wire);
}

bool wire_is_over(const struct wire *wire, int to) { return !wire->open[1 - to] && count(&wire->to[to]) == 0; }

bool wire_has_room(const struct wire *wire, int from) { return count(&wire->to[1 - from]) < WIRE_FRAMES / 2; }

/* ---- What is said ---- */

static void record(struct wires *wires, const struct wire *wire, int from, const uint8_t *bytes, size_t size) {
    struct wire_queue *queue = &wires->record.to[1 - from];
    if (wires->recorded == wire && count(queue) < RECORDED) push(queue, bytes, size);
}

/* Says something that was said by the same side on another wire. */
static bool say_recorded(struct wires *wires, struct wire *wire, int from, int number) {
    const struct wire_queue *queue = &wires->record.to[1 - from];
    if (number >= count(queue)) return false;
    push(&wire->to[1 - from], queue->frames[number].bytes, queue->frames[number].size);
    return true;
}

static void tamper(struct wires *wires, struct wire *wire, int from, const uint8_t *bytes, size_t size) {
    struct wire_queue *queue = &wire->to[1 - from];
    bool said = one_in(wires, 2) && say_recorded(wires, wire, from, (int)below(wires, RECORDED));
    if (said && one_in(wires, 2)) return; /* instead */
    push(queue, bytes, size);
    if (said) return; /* before */
    uint8_t *changed = queue->frames[(queue->end - 1) % WIRE_FRAMES].bytes;
    changed[below(wires, size)] ^= (uint8_t)(1U << below(wires, 8));
}

void wire_say(struct wires *wires, struct wire *wire, int from, const uint8_t *bytes, size_t size,
              const int *descriptors, uint32_t count) {
    int number = wire->said[from]++;
    if (!wire->open[1 - from]) return;
    record(wires, wire, from, bytes, size);
    if (wire->kind == WIRE_TAMPERED && wire->tampered[0] == from && wire->tampered[1] == number) {
        tamper(wires, wire, from, bytes, size);
        return;
    }
    push(&wire->to[1 - from], bytes, size);
    attach(&wire->to[1 - from], descriptors, count);
}

/* The last of the descriptors do not arrive where there is no room for them. */
static void cut_some(struct wires *wires, struct wire_frame *frame) {
    if (frame->count == 0 || !one_in(wires, 10)) return;
    frame->count = (uint32_t)below(wires, frame->count);
    frame->cut = true;
}

bool wire_hear(struct wires *wires, struct wire *wire, int to, int64_t now, struct wire_frame *frame) {
    if (count(&wire->to[to]) == 0 || now < wire->stalled_until[to]) return false;
    *frame = pop(&wire->to[to]);
    cut_some(wires, frame);
    return true;
}

/* ---- Strangers ---- */

static void impostor_send(void *context, const uint8_t *bytes, size_t size, const int *descriptors, uint32_t count) {
    (void)descriptors;
    (void)count;
    struct wire *wire = context;
    push(&wire->to[wire->victim], bytes, size);
    wire->impostor_sending = true;
}
static void impostor_lost(void *context, const char *why) { (void)context, (void)why; }
static void impostor_timer(void *context, int64_t at) { (void)context, (void)at; }

/* It gets no further than the handshake, so it is never asked for anything else. */
static const struct tr_peer_io impostor_io = { .send = impostor_send, .lost = impostor_lost,
                                               .timer = impostor_timer };

struct wire *wire_strange(struct wires *wires, enum wire_kind kind, int victim, int dialer,
                          const uint8_t token[TR_PEER_TOKEN_SIZE], const struct tr_peer_options *options) {
    struct wire *wire = make(wires, kind, dialer, token);
    wire->victim = victim;
    if (options != NULL) {
        wire->impostor = tr_peer_new(options, &impostor_io, wire);
        tr_assert(wire->impostor != NULL);
        tr_peer_connected(wire->impostor, options->token, 0);
    }
    return wire;
}

/* What one would say who knows the numbers, but not the token. */
static void say_garbage(struct wires *wires, struct wire *wire) {
    uint8_t noise[TR_PROOF_SIZE];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)below(wires, 256);
    struct tr_entry entry = { .kind = (enum tr_entry_kind)below(wires, one_in(wires, 2) ? 3 : TR_ENTRY_KINDS),
                              .channel = (uint32_t)below(wires, 8),
                              .count = below(wires, 20),
                              .to = { (uint32_t)below(wires, 5), (uint32_t)below(wires, 3) },
                              .status = TROUPE_GONE,
                              .bytes = noise,
                              .size = (uint32_t)below(wires, sizeof noise),
                              .hello = { 1, 1, 11 - (uint64_t)wire->victim, below(wires, 1000),
                                         10 + (uint64_t)wire->victim, { 1 } } };
    memcpy(entry.proof, noise, sizeof noise);
    struct tr_bytes out = { 0 };
    tr_frame_put(&out, &entry);
    if (one_in(wires, 3)) out.data[below(wires, out.size)] ^= (uint8_t)(1U << below(wires, 8));
    push(&wire->to[wire->victim], out.data, out.size - (one_in(wires, 4) ? below(wires, out.size) : 0));
    tr_bytes_free(&out);
}

static void impostor_acts(struct wires *wires, struct wire *wire, int64_t now) {
    struct wire_frame frame;
    if (wire_hear(wires, wire, 1 - wire->victim, now, &frame)) {
        tr_peer_frame(wire->impostor, frame.bytes, frame.size, now);
        free(frame.bytes);
    }
    if (!wire->impostor_sending) return;
    wire->impostor_sending = false;
    tr_peer_sent(wire->impostor, now);
}

void wire_stranger_acts(struct wires *wires, struct wire *wire, int64_t now) {
    int self = 1 - wire->victim;
    if (!wire->open[self]) return;
    if (wire->kind != WIRE_IMPOSTOR) drop(&wire->to[self]);
    bool goes = one_in(wires, 12) || count(&wire->to[wire->victim]) > WIRE_FRAMES / 2;
    if (goes)
        wire_let_go(wire, self, (int)below(wires, 3));
    else if (wire->kind == WIRE_IMPOSTOR)
        impostor_acts(wires, wire, now);
    else if (wire->kind == WIRE_GARBAGE)
        say_garbage(wires, wire);
    else if (!say_recorded(wires, wire, self, wire->said[self]++))
        wire_let_go(wire, self, 0);
}
