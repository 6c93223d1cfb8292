/*
 * Two machines and what is between them, from a seed: everything that may happen between two nodes, in any
 * order, and what must hold nevertheless.
 *
 * Each machine has endpoints with mailboxes, workers that handle one message at a time, and a peer. The book
 * (lib/peer_book.h) knows of every message what the contracts say about it; the wires (lib/peer_wires.h)
 * lose, delay and stall frames, and strangers get hold of them.
 *
 * First anything happens at random: messages are sent, frames travel or wait, wires break at one end or
 * both and are made anew, one machine reads from the old one while the other is on the new one, machines
 * crash, one or both, and come back as a new run, some messages crash whoever handles them, endpoints go
 * away, and strangers call. Then nothing breaks any more:
 *
 *   fair      a receiver that handles nothing is flooded. What is for others still arrives in time,
 *             however large, and no more waits for that receiver than its window.
 *   rest      everything settles.
 *   quiet     nobody says anything but beats, as many as agreed, and the wire stays.
 *   silence   nothing arrives any more: both sides notice in time, and find each other again.
 *
 *   sim_peer [--seed N] [--seeds COUNT]     a failing seed is printed and can be replayed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "lib/peer_book.h"
#include "lib/peer_wires.h"
#include "transport/frame.h"
#include "transport/peer.h"

enum {
    SEEDS = 5000,
    SEEDS_SANITIZED = 1000,
    ENDPOINTS = 5,
    WORKERS = 2,
    MESSAGES = 160, /* in the random part; a flood has more */
    FLOOD = 2500,
    CHANNELS = 256,
    STEPS = 1200,
    REST_ROUNDS = 6000,
    FAIR_ROUNDS = 120,
    FAIR_DELAY = 60, /* ms: what is not for the one that is flooded has settled */
    HEARTBEAT = 100, /* ms */
    PATIENCE = 400,
    QUIET = 2000
};

struct item {
    struct book_message *message;
    uint32_t channel, epoch;
    uint64_t sequence;
    bool dead; /* dropped on arrival; in line so that settling stays in order */
};

struct endpoint {
    uint32_t generation;
    bool there, at_least_once, survives, busy;
    struct item *mailbox;
    size_t first, end, room;
    int last_handled; /* a message's number */
};

struct channel {
    bool open;
    uint32_t epoch;
    int endpoint;
    uint64_t settled, received;
    uint64_t told;     /* settled, and said so on this wire */
    uint64_t handling; /* 0: nothing */
    bool dead[TR_PEER_WINDOW]; /* by sequence, of those that are settled */
};

struct machine {
    int self;
    bool alive, sending, buried;
    bool reading_stranger; /* within tr_peer_frame, for a frame of somebody who proved nothing */
    bool cut;              /* of the frame at hand, some descriptors did not arrive */
    uint64_t run;
    uint64_t known;        /* the other one's run, as of the last `up` */
    bool known_dead;
    struct tr_peer *peer;
    struct wire *wire;     /* NULL: none */
    struct wire *offer;    /* one that it may join */
    int64_t timer, heard_at;
    int frames_said;
    uint32_t defined;
    uint64_t unsettled;
    struct endpoint endpoints[ENDPOINTS];
    struct channel channels[CHANNELS], ledger[CHANNELS];
    struct item work[WORKERS];
    int working[WORKERS];  /* the endpoint + 1; 0: idle */
    struct book_message *doubted[WORKERS];
    int in_doubt;
};

static struct world {
    uint64_t seed;
    struct tr_random random;
    int64_t now;
    bool orderly;   /* nothing breaks any more */
    bool one_token; /* for all wires */
    bool flood;
    bool poisoned;  /* little breaks, but for those who handle certain messages */
    bool trial;     /* slot 0 handles nothing, others must not notice */
    int sent;       /* in the random part */
    struct machine machines[2];
    struct wires wires;
    struct book book;
} world;

static struct totals {
    uint64_t messages, handled, dead, in_doubt, lost_with_sender, poison, crashes, ups;
    uint64_t silences, strangers, tampered, windows_full, trials;
} totals;

static void check(bool holds, const char *what) { book_check(&world.book, holds, what, NULL); }
static void check_for(const struct book_message *message, bool holds, const char *what) {
    book_check(&world.book, holds, what, message);
}
static uint64_t below(uint64_t bound) { return tr_random_below(&world.random, bound); }
static bool one_in(uint64_t n) { return tr_random_one_in(&world.random, n); }
static struct machine *other(struct machine *machine) { return &world.machines[1 - machine->self]; }
static bool has_ledger(void) { return world.book.knowledge == BOOK_WITH_LEDGER; }

static void believed(const struct machine *machine) {
    check(!machine->reading_stranger, "a stranger was believed");
}

/* ---- Wires ---- */

/* Nobody at the other end is to be believed: a stranger, or a run that this machine knows to have ended. */
static bool is_strange(const struct machine *machine) {
    const struct wire *wire = machine->wire;
    uint64_t run = wire->run[1 - machine->self];
    return wire_is_strange(wire) || run < machine->known || (run == machine->known && machine->known_dead);
}

/* The run at the other end has ended, whether this machine knows it or not. */
static bool is_late(struct machine *machine) {
    return machine->wire->run[1 - machine->self] < other(machine)->run || !other(machine)->alive;
}

/* `lost`: of what it said last. */
static void leave(struct machine *machine, int lost) {
    if (machine->wire != NULL) wire_let_go(machine->wire, machine->self, lost);
    machine->wire = NULL;
    machine->sending = false;
}

static void refuse_offer(struct machine *machine) {
    if (machine->offer != NULL) wire_let_go(machine->offer, machine->self, 0);
    machine->offer = NULL;
}

static void disconnect(struct machine *machine) {
    if (machine->wire == NULL) return;
    tr_peer_disconnected(machine->peer);
    leave(machine, (int)below(4));
}

static void join(struct machine *machine) {
    struct wire *wire = machine->offer;
    disconnect(machine);
    machine->offer = NULL;
    machine->wire = wire;
    machine->defined = 0;
    machine->heard_at = world.now;
    for (int i = 0; i < CHANNELS; i++)
        machine->channels[i].told = 0;
    tr_peer_set_dialer(machine->peer, wire->dialer == machine->self);
    tr_peer_connected(machine->peer, wire->token, world.now);
}

static const uint8_t *make_token(void) {
    static uint8_t token[TR_PEER_TOKEN_SIZE];
    token[0] = 7;
    token[1] = world.one_token ? 0 : (uint8_t)below(256);
    return token;
}

static void offer_wire(bool tampered) {
    struct machine *machines = world.machines;
    const uint64_t run[2] = { machines[0].run, machines[1].run };
    for (int i = 0; i < 2; i++)
        refuse_offer(&machines[i]);
    struct wire *wire = wire_genuine(&world.wires, tampered, (int)below(2), run, make_token());
    machines[0].offer = machines[1].offer = wire;
    totals.tampered += tampered;
}

/* Who proves to know the token, but is of a run that this machine knows to have ended. */
static bool ghost(const struct machine *machine, struct tr_peer_options *options) {
    if (machine->known == 0) return false;
    options->incarnation = 1 + below(machine->known);
    return options->incarnation < machine->known || machine->known_dead;
}

static void offer_stranger(struct machine *machine) {
    enum wire_kind kind = (enum wire_kind)(WIRE_REPLAYED + (int)below(WIRE_KINDS - WIRE_REPLAYED));
    int dialer = (int)below(2);
    const uint8_t *token = make_token();
    struct tr_peer_options options = { .node = 11 - (uint64_t)machine->self,
                                       .incarnation = 1 + below(other(machine)->run + 3),
                                       .remote_node = 10 + (uint64_t)machine->self,
                                       .dialer = dialer != machine->self,
                                       .nonce_seed = { world.seed, below(UINT64_MAX) } };
    memcpy(options.token, token, sizeof options.token);
    if (one_in(2) || !ghost(machine, &options)) options.token[31] = 1;
    refuse_offer(machine);
    machine->offer = wire_strange(&world.wires, kind, machine->self, dialer, token,
                                  kind == WIRE_IMPOSTOR ? &options : NULL);
    totals.strangers++;
    join(machine);
}

/* ---- What the peers call ---- */

/* Looks into what a machine says. */
static void overhear(struct machine *machine, const uint8_t *bytes, size_t size) {
    struct tr_cursor cursor;
    struct tr_entry entry;
    tr_cursor_init(&cursor, bytes, size);
    while (tr_cursor_left(&cursor) > 0) {
        check(tr_frame_next(&cursor, &entry), "says what cannot be read");
        if (entry.kind == TR_ENTRY_DATA || entry.kind == TR_ENTRY_DATA_WITH)
            book_transmitted(&world.book, book_recognise(&world.book, entry.bytes, entry.size));
        if (entry.kind == TR_ENTRY_ACK || entry.kind == TR_ENTRY_DEAD)
            machine->channels[entry.channel].told = entry.count;
        bool greets = entry.kind <= TR_ENTRY_PROOF;
        check(greets || !is_strange(machine), "says more than a greeting to a stranger");
    }
}

static void on_send(void *context, const uint8_t *bytes, size_t size, const int *descriptors, uint32_t count) {
    struct machine *machine = context;
    check(!machine->sending, "two frames with the transport");
    check(size <= TR_PEER_MAX_FRAME || size < BOOK_LARGE + 64, "a frame that is too large");
    overhear(machine, bytes, size);
    machine->sending = true;
    machine->frames_said++;
    wire_say(&world.wires, machine->wire, machine->self, bytes, size, descriptors, count);
}

static void on_up(void *context, uint64_t remote_incarnation) {
    struct machine *machine = context;
    believed(machine);
    check(machine->wire->kind == WIRE_GENUINE, "up, though somebody changed what was said");
    check(remote_incarnation == machine->wire->run[1 - machine->self], "up with another run");
    machine->known = remote_incarnation;
    machine->known_dead = false;
    totals.ups++;
}

static void on_lost(void *context, const char *why) {
    struct machine *machine = context;
    bool silent = strstr(why, "silent") != NULL || strstr(why, "handshake") != NULL;
    bool late = strstr(why, "incarnation") != NULL && is_late(machine);
    bool ordered = strstr(why, "died") != NULL || strstr(why, "given up") != NULL;
    if (silent)
        check(world.now - machine->heard_at >= PATIENCE * TROUPE_MILLISECOND, "lost too early");
    else if (machine->wire->kind == WIRE_GENUINE && !late && !ordered)
        check(false, why);
    totals.silences += silent;
    leave(machine, 0);
}

static const uint8_t *on_definition(void *context, uint32_t index, size_t *size) {
    static const uint8_t definitions[BOOK_DEFINITIONS] = { 0, 1, 2, 3, 4, 5 };
    (void)context;
    check(index < BOOK_DEFINITIONS, "a definition that is not there");
    *size = 1;
    return definitions + index;
}

static bool on_defined(void *context, uint32_t index, const uint8_t *bytes, size_t size) {
    struct machine *machine = context;
    believed(machine);
    check(size == 1 && bytes[0] == index, "a definition that differs");
    machine->defined = index + 1;
    return true;
}

static enum troupe_status on_opened(void *context, uint32_t number, struct tr_endpoint to,
                                    enum tr_delivery *delivery) {
    struct machine *machine = context;
    believed(machine);
    check(number < CHANNELS && !machine->channels[number].open, "a channel that is open");
    struct endpoint *endpoint = &machine->endpoints[to.slot];
    if (!endpoint->there || endpoint->generation != to.generation) return TROUPE_GONE;
    *delivery = endpoint->at_least_once ? TR_AT_LEAST_ONCE : TR_AT_MOST_ONCE;
    struct channel *channel = &machine->channels[number];
    uint32_t epoch = channel->epoch + 1;
    *channel = (struct channel){ .open = true, .epoch = epoch, .endpoint = (int)to.slot };
    return TROUPE_OK;
}

static void put_in_mailbox(struct endpoint *endpoint, struct item item) {
    if (endpoint->end == endpoint->room) {
        endpoint->room = endpoint->room == 0 ? 64 : endpoint->room * 2;
        endpoint->mailbox = realloc(endpoint->mailbox, endpoint->room * sizeof *endpoint->mailbox);
        assert_non_null(endpoint->mailbox);
    }
    endpoint->mailbox[endpoint->end++] = item;
}

static enum troupe_status on_deliver(void *context, uint32_t number, uint64_t sequence,
                                     const struct tr_payload *arrived) {
    const uint8_t *payload = arrived->bytes;
    size_t size = arrived->size;
    struct machine *machine = context;
    struct channel *channel = &machine->channels[number];
    believed(machine);
    struct book_message *message = book_recognise(&world.book, payload, size);
    check_for(message, channel->open, "a payload for a closed channel");
    check_for(message, sequence == ++channel->received, "a sequence number that is not the next");
    check_for(message, sequence - channel->settled <= TR_PEER_WINDOW, "more than the window");
    check_for(message, payload[4] <= machine->defined, "a payload before its definition");
    totals.windows_full += sequence - channel->settled == TR_PEER_WINDOW;
    book_arrived(&world.book, message, machine->run);
    check_for(message, !arrived->missing || machine->cut, "descriptors are missing, though all arrived");
    book_take(&world.book, message, arrived);
    bool dead = arrived->missing || one_in(25);
    put_in_mailbox(&machine->endpoints[channel->endpoint],
                   (struct item){ message, number, channel->epoch, sequence, dead });
    return dead ? TROUPE_FULL : TROUPE_OK;
}

static uint64_t on_settled_count(void *context, uint32_t number) {
    struct machine *machine = context;
    check(machine->channels[number].open, "asked about a closed channel");
    return machine->channels[number].settled;
}

static void on_closed(void *context, uint32_t number) {
    struct machine *machine = context;
    check(machine->channels[number].open, "closed twice");
    machine->channels[number].open = false;
}

static void on_settled(void *context, struct tr_parcel *parcel, enum troupe_status status, bool counted_there) {
    struct machine *machine = context;
    struct book_message *message = (struct book_message *)parcel;
    believed(machine);
    book_settled(&world.book, message, machine->self, status, counted_there);
    machine->unsettled--;
    if (status == TROUPE_IN_DOUBT) machine->in_doubt++;
    bool in_time = world.now - message->sent_at <= FAIR_DELAY * TROUPE_MILLISECOND;
    check_for(message, !world.trial || message->parcel.to.slot == 0 || in_time, "held up by another's receiver");
}

static enum tr_fate on_fate(void *context, uint32_t number, uint64_t sequence) {
    const struct channel *record = &other(context)->ledger[number];
    if (sequence <= record->settled)
        return record->dead[sequence % TR_PEER_WINDOW] ? TR_FATE_DEAD : TR_FATE_HANDLED;
    return sequence == record->handling ? TR_FATE_IN_DOUBT : TR_FATE_UNHANDLED;
}

static void on_timer(void *context, int64_t at) {
    struct machine *machine = context;
    machine->timer = at == INT64_MAX || at < machine->timer ? at : machine->timer;
}

/* ---- Machines ---- */

static void boot(struct machine *machine) {
    struct tr_peer_io io = { on_send, on_up, on_lost, on_definition, on_defined, on_opened, on_deliver,
                             on_settled_count, on_closed, on_settled, has_ledger() ? on_fate : NULL, on_timer };
    struct tr_peer_options options = { .node = 10 + (uint64_t)machine->self,
                                       .incarnation = ++machine->run,
                                       .remote_node = 11 - (uint64_t)machine->self,
                                       .nonce_seed = { world.seed, machine->run },
                                       .heartbeat = HEARTBEAT * TROUPE_MILLISECOND,
                                       .patience = PATIENCE * TROUPE_MILLISECOND };
    machine->peer = tr_peer_new(&options, &io, machine);
    assert_non_null(machine->peer);
    machine->alive = true;
    machine->buried = machine->known_dead = false;
    machine->known = machine->unsettled = 0;
    machine->timer = INT64_MAX;
}

static void make_endpoint(struct endpoint *endpoint) {
    *endpoint = (struct endpoint){ .generation = endpoint->generation + 1,
                                   .there = true,
                                   .at_least_once = one_in(2),
                                   .survives = !one_in(4),
                                   .mailbox = endpoint->mailbox,
                                   .room = endpoint->room,
                                   .last_handled = -1 };
}

static void suspect(const struct machine *dead) {
    world.book.crashes_told[1 - dead->self]++;
    for (int i = 0; i < WORKERS; i++) {
        struct book_message *message = dead->doubted[i];
        if (message != NULL && message->run == world.machines[message->from].run) book_suspected(message);
    }
}

/* The other machine learns of it now, later when this one comes back, or from the handshake. */
static void tell_death(struct machine *dead) {
    struct machine *machine = other(dead);
    if (dead->buried || !machine->alive || world.book.knowledge == BOOK_UNNOTICED) return;
    bool crashed = !one_in(world.poisoned ? 12 : 3);
    dead->buried = true;
    machine->in_doubt = 0;
    machine->known_dead = machine->known == dead->run;
    if (crashed) suspect(dead);
    tr_peer_died(machine->peer, crashed);
    check(!has_ledger() || machine->in_doubt <= WORKERS, "too many in doubt");
    check(machine->wire == NULL, "a wire to a dead machine");
    book_told_of_death(&world.book, machine->self);
}

static struct channel *channel_of(struct machine *machine, const struct item *item);

static void lose_memory(struct machine *machine) {
    for (int i = 0; i < WORKERS; i++) {
        bool doubted = machine->working[i] != 0 && channel_of(machine, &machine->work[i]) != NULL;
        machine->doubted[i] = doubted ? machine->work[i].message : NULL;
        if (doubted) book_doubted(machine->doubted[i]);
        machine->working[i] = 0;
    }
    for (int i = 0; i < ENDPOINTS; i++) {
        struct endpoint *endpoint = &machine->endpoints[i];
        endpoint->first = endpoint->end = 0;
        endpoint->busy = false;
        if (!has_ledger() && endpoint->at_least_once) endpoint->last_handled = -1;
        if (!endpoint->survives) endpoint->there = false;
    }
}

static void crash(struct machine *machine) {
    memcpy(machine->ledger, machine->channels, sizeof machine->ledger);
    lose_memory(machine);
    tr_peer_abandon(machine->peer, TROUPE_SENDER_DIED);
    check(tr_peer_held(machine->peer) == 0 && machine->unsettled == 0, "held after abandon");
    tr_peer_free(machine->peer);
    machine->peer = NULL;
    leave(machine, (int)below(4));
    refuse_offer(machine);
    machine->alive = false;
    world.book.crashes++;
    if (one_in(2)) tell_death(machine);
}

static void restart(struct machine *machine) {
    tell_death(machine);
    for (int i = 0; i < ENDPOINTS; i++)
        if (!machine->endpoints[i].there && one_in(2)) make_endpoint(&machine->endpoints[i]);
    boot(machine);
}

/* ---- Sending, handling ---- */

static struct book_message *submit(struct machine *machine, uint32_t slot, uint32_t size, bool plain) {
    const struct endpoint *to = &other(machine)->endpoints[slot];
    bool stale = !plain && one_in(20);
    struct tr_endpoint at = { slot, to->generation - (stale ? 1 : 0) };
    struct book_message *message =
        book_send(&world.book, machine->self, at, size, (uint8_t)below(BOOK_DEFINITIONS + 1));
    message->run = machine->run;
    message->sent_at = world.now;
    message->wants_again = to->at_least_once && !stale;
    message->poisonous = !plain && one_in(world.poisoned ? 30 : 200);
    message->parcel.once = !plain && one_in(10);
    message->parcel.mortal = !plain && one_in(10);
    if (!plain && one_in(8)) book_attach(message, 1 + (uint32_t)below(one_in(3) ? TR_PEER_DESCRIPTORS : 3));
    if (message->parcel.mortal && tr_peer_is_up(machine->peer)) message->meant_for = machine->known;
    machine->unsettled++;
    tr_peer_submit(machine->peer, &message->parcel);
    return message;
}

static void send_some(struct machine *machine) {
    bool flood = world.flood && machine->self == 0 && one_in(4);
    int count = flood ? 200 : 1;
    for (int i = 0; i < count && world.sent < (world.flood ? FLOOD : MESSAGES); i++) {
        uint32_t size = one_in(60) ? BOOK_LARGE : one_in(8) ? 20000 : BOOK_PAYLOAD + (uint32_t)below(60);
        submit(machine, flood ? 0 : (uint32_t)below(ENDPOINTS), flood ? BOOK_PAYLOAD : size, flood);
        world.sent++;
    }
}

/* NULL: the channel of the item is closed. */
static struct channel *channel_of(struct machine *machine, const struct item *item) {
    struct channel *channel = &machine->channels[item->channel];
    return channel->open && channel->epoch == item->epoch ? channel : NULL;
}

static void settle_item(struct machine *machine, const struct item *item, bool dead) {
    struct channel *channel = channel_of(machine, item);
    if (channel == NULL) return;
    check_for(item->message, ++channel->settled == item->sequence, "settled out of order");
    channel->dead[item->sequence % TR_PEER_WINDOW] = dead;
    channel->handling = 0;
}

/* Counted now, not on arrival: a crash in between would have it counted by both sides. */
static void settle_dead(struct machine *machine, const struct item *item) {
    item->message->dead_there++;
    settle_item(machine, item, true);
}

static void kill_message(struct machine *machine, const struct item *item, enum troupe_status why) {
    if (channel_of(machine, item) != NULL)
        tr_peer_refused(machine->peer, item->channel, item->sequence, why);
    settle_dead(machine, item);
}

/* Says what is settled. When half a window is, it is said at once, if the transport is free. */
static void progress(struct machine *machine) {
    bool free = tr_peer_is_up(machine->peer) && !machine->sending;
    tr_peer_progress(machine->peer, world.now);
    for (int i = 0; free && i < CHANNELS; i++) {
        const struct channel *channel = &machine->channels[i];
        check(!channel->open || channel->settled < channel->told + TR_PEER_WINDOW / 2, "an ack that waits");
    }
}

static void begin_work(struct machine *machine, int worker) {
    int number = (int)below(ENDPOINTS);
    struct endpoint *endpoint = &machine->endpoints[number];
    if (endpoint->busy || endpoint->first == endpoint->end || (world.trial && number == 0)) return;
    struct item item = endpoint->mailbox[endpoint->first++];
    if (item.dead) {
        settle_dead(machine, &item);
        progress(machine);
        return;
    }
    endpoint->busy = true;
    machine->working[worker] = number + 1;
    machine->work[worker] = item;
    struct channel *channel = channel_of(machine, &item);
    if (channel == NULL) return;
    channel->handling = item.sequence;
    book_begun(&world.book, item.message);
}

static void count_handled(struct endpoint *endpoint, const struct item *item) {
    check_for(item->message, item->message->number > endpoint->last_handled, "out of order");
    endpoint->last_handled = item->message->number;
    book_handled(&world.book, item->message);
}

static void end_work(struct machine *machine, int worker) {
    struct endpoint *endpoint = &machine->endpoints[machine->working[worker] - 1];
    const struct item *item = &machine->work[worker];
    if (item->message->poisonous && !world.orderly) {
        crash(machine);
        return;
    }
    machine->working[worker] = 0;
    endpoint->busy = false;
    if (one_in(20)) {
        kill_message(machine, item, TROUPE_FAILED);
    } else {
        count_handled(endpoint, item);
        settle_item(machine, item, false);
    }
    if (world.orderly || !one_in(4)) progress(machine);
}

static void work(struct machine *machine) {
    int worker = (int)below(WORKERS);
    if (machine->working[worker] == 0)
        begin_work(machine, worker);
    else
        end_work(machine, worker);
}

static void change_endpoint(struct machine *machine) {
    int number = (int)below(ENDPOINTS);
    struct endpoint *endpoint = &machine->endpoints[number];
    if (endpoint->busy) return;
    if (!endpoint->there) {
        make_endpoint(endpoint);
        return;
    }
    bool first = one_in(2);
    endpoint->there = false;
    struct tr_endpoint gone = { (uint32_t)number, endpoint->generation };
    if (first) tr_peer_endpoint_gone(machine->peer, gone);
    while (endpoint->first < endpoint->end) {
        struct item item = endpoint->mailbox[endpoint->first++];
        if (item.dead)
            settle_dead(machine, &item);
        else
            kill_message(machine, &item, TROUPE_FLUSHED);
    }
    if (!first) tr_peer_endpoint_gone(machine->peer, gone);
    progress(machine);
}

/* ---- Steps ---- */

static void receive(struct machine *machine) {
    struct wire_frame frame;
    if (machine->wire == NULL) return;
    if (wire_is_over(machine->wire, machine->self)) {
        disconnect(machine);
        return;
    }
    if (!wire_hear(&world.wires, machine->wire, machine->self, world.now, &frame)) return;
    machine->heard_at = world.now;
    machine->reading_stranger = is_strange(machine);
    machine->cut = frame.cut;
    tr_peer_frame_with(machine->peer, frame.bytes, frame.size, frame.descriptors, frame.count, world.now);
    machine->reading_stranger = false;
    free(frame.bytes);
}

static void sent(struct machine *machine) {
    if (!machine->sending || !wire_has_room(machine->wire, machine->self)) return;
    machine->sending = false;
    tr_peer_sent(machine->peer, world.now);
}

static void tick(struct machine *machine) {
    if (world.now < machine->timer) return;
    machine->timer = INT64_MAX;
    tr_peer_tick(machine->peer, world.now);
    bool patient = world.now - machine->heard_at < PATIENCE * TROUPE_MILLISECOND;
    check(machine->wire == NULL || patient, "does not notice that nobody is there");
}

static void step_machine(struct machine *machine) {
    switch (below(10)) {
    case 0: send_some(machine); break;
    case 1: tr_peer_flush(machine->peer, world.now); break;
    case 2:
    case 3: receive(machine); break;
    case 4:
    case 5: sent(machine); break;
    case 6: tick(machine); break;
    case 7: progress(machine); break;
    default: work(machine); break;
    }
}

static void stall(struct machine *machine) {
    if (machine->wire == NULL) return;
    int64_t until = world.now + (int64_t)below(2000 * TROUPE_MILLISECOND);
    bool both = one_in(2);
    for (int i = 0; i < 2; i++)
        if (both || i == machine->self) machine->wire->stalled_until[i] = until;
}

static void break_something(struct machine *machine) {
    switch (below(12)) {
    case 0:
    case 1: crash(machine); break;
    case 2:
    case 3: disconnect(machine); break;
    case 4:
    case 5: stall(machine); break;
    case 6:
    case 7: offer_stranger(machine); break;
    default: change_endpoint(machine); break;
    }
}

/* A machine without a wire calls the other one sooner or later, one with a wire seldom. */
static void connect_some(struct machine *machine) {
    if (machine->offer != NULL)
        join(machine);
    else if (other(machine)->alive && (machine->wire == NULL || one_in(20)))
        offer_wire(one_in(12));
}

static void step(void) {
    struct machine *machine = &world.machines[below(2)];
    world.now += (int64_t)below(2 * TROUPE_MILLISECOND);
    if (machine->wire != NULL && wire_is_strange(machine->wire))
        wire_stranger_acts(&world.wires, machine->wire, world.now);
    if (!machine->alive) {
        if (one_in(10)) restart(machine);
    } else if (one_in(world.poisoned ? 800 : 80)) {
        break_something(machine);
    } else if (one_in(20)) {
        connect_some(machine);
    } else {
        step_machine(machine);
    }
    check(!machine->alive || tr_peer_held(machine->peer) == machine->unsettled, "holds more than is unsettled");
}

/* ---- When nothing breaks any more ---- */

static bool are_connected(void) {
    const struct machine *machines = world.machines;
    return machines[0].wire != NULL && machines[0].wire == machines[1].wire &&
           machines[0].wire->kind == WIRE_GENUINE;
}

static void connect_both(void) {
    offer_wire(false);
    for (int i = 0; i < 2; i++)
        join(&world.machines[i]);
}

/* What each machine does in a millisecond. */
static void one_round(void) {
    for (int i = 0; i < 2; i++)
        if (!world.machines[i].alive) restart(&world.machines[i]);
    if (!are_connected()) connect_both();
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &world.machines[i];
        tr_peer_flush(machine->peer, world.now);
        receive(machine);
        sent(machine);
        tick(machine);
        for (int k = 0; k < 20; k++)
            work(machine);
    }
    world.now += TROUPE_MILLISECOND;
}

static void become_orderly(void) {
    world.orderly = true;
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &world.machines[i];
        if (machine->alive) tr_peer_progress(machine->peer, world.now); /* it may have kept it to itself */
        if (machine->wire != NULL) machine->wire->stalled_until[0] = machine->wire->stalled_until[1] = 0;
    }
}

static bool is_idle(const struct machine *machine) {
    if (!machine->alive || tr_peer_held(machine->peer) > 0) return false;
    for (int i = 0; i < WORKERS; i++)
        if (machine->working[i] != 0) return false;
    for (int i = 0; i < ENDPOINTS; i++)
        if (machine->endpoints[i].first < machine->endpoints[i].end) return false;
    return true;
}

static void come_to_rest(void) {
    for (int rounds = 0; !is_idle(&world.machines[0]) || !is_idle(&world.machines[1]); rounds++) {
        check(rounds < REST_ROUNDS, "does not come to rest");
        one_round();
    }
}

/* Slot 0 of machine 1 handles nothing and gets more than its window, or more than fits into many frames. */
static void flood(void) {
    struct machine *machine = &world.machines[0];
    bool large = one_in(2);
    int count = large ? 450 : TR_PEER_WINDOW + 300;
    if (!world.machines[1].endpoints[0].there) make_endpoint(&world.machines[1].endpoints[0]);
    for (int i = 0; i < count && world.book.count < BOOK_MESSAGES - 2 * FAIR_ROUNDS - 100; i++)
        submit(machine, 0, large ? 20000 : BOOK_PAYLOAD, true);
}

static void be_fair(void) {
    come_to_rest();
    world.trial = true;
    flood();
    for (int i = 0; i < FAIR_ROUNDS; i++) {
        for (int k = 0; k < 2 && i < FAIR_ROUNDS - FAIR_DELAY; k++) {
            uint32_t size = i % 20 == 10 ? BOOK_LARGE : BOOK_PAYLOAD;
            submit(&world.machines[k], 1 + (uint32_t)below(ENDPOINTS - 1), size, true);
        }
        one_round();
    }
    for (int i = 0; i < world.book.count; i++) {
        const struct book_message *message = &world.book.messages[i];
        check_for(message, message->settled || message->parcel.to.slot == 0, "held up by another's receiver");
    }
    world.trial = false;
    totals.trials++;
}

static void be_quiet(void) {
    for (int i = 0; i < 50; i++) /* late acks, closed channels, a wire that was lost just now */
        one_round();
    check(are_connected(), "no wire, though nothing breaks");
    const struct wire *wire = world.machines[0].wire;
    world.machines[0].frames_said = world.machines[1].frames_said = 0;
    for (int i = 0; i < QUIET; i += 5, world.now += 4 * TROUPE_MILLISECOND)
        one_round();
    check(are_connected() && world.machines[0].wire == wire, "a wire that works was lost");
    for (int i = 0; i < 2; i++)
        check(world.machines[i].frames_said <= QUIET / HEARTBEAT + 1, "more than beats");
}

/* The same wire, but nothing comes through. */
static void be_silent(void) {
    struct machine *machines = world.machines;
    machines[0].wire->stalled_until[0] = machines[0].wire->stalled_until[1] = INT64_MAX;
    for (int i = 0; i < PATIENCE + HEARTBEAT; i++, world.now += TROUPE_MILLISECOND)
        for (int k = 0; k < 2; k++) {
            sent(&machines[k]);
            tick(&machines[k]);
        }
    check(machines[0].wire == NULL && machines[1].wire == NULL, "does not notice that nothing comes through");
    for (int i = 0; i < 50; i++)
        one_round();
    check(tr_peer_is_up(machines[0].peer) && tr_peer_is_up(machines[1].peer), "do not find each other again");
}

/* ---- At the end ---- */

static void add_up(const struct book_message *message) {
    totals.messages++;
    if (message->outcome == TROUPE_SENDER_DIED)
        totals.lost_with_sender++;
    else if (message->outcome == TROUPE_OK)
        totals.handled++;
    else if (message->outcome == TROUPE_IN_DOUBT)
        totals.in_doubt++;
    else
        totals.dead++;
    totals.poison += message->outcome == TROUPE_POISON;
}

static void judge(void) {
    for (int i = 0; i < world.book.count; i++) {
        const struct book_message *message = &world.book.messages[i];
        struct tr_endpoint to = message->parcel.to;
        const struct endpoint *endpoint = &world.machines[1 - message->from].endpoints[to.slot];
        book_judge(&world.book, message, endpoint->there && endpoint->generation == to.generation);
        add_up(message);
    }
}

static void stop(struct machine *machine) {
    disconnect(machine);
    refuse_offer(machine);
    tr_peer_abandon(machine->peer, TROUPE_STOPPING);
    for (int k = 0; k < CHANNELS; k++)
        check(!machine->channels[k].open, "a channel that stayed open");
    tr_peer_free(machine->peer);
    for (int k = 0; k < ENDPOINTS; k++)
        free(machine->endpoints[k].mailbox);
}

static void begin(uint64_t seed) {
    tr_random_seed(&world.random, seed);
    world.seed = seed;
    world.now = TROUPE_SECOND;
    world.sent = 0;
    world.orderly = world.trial = false;
    world.one_token = one_in(2);
    world.flood = one_in(16);
    world.poisoned = one_in(4);
    book_open(&world.book, seed, (enum book_knowledge)below(BOOK_KNOWLEDGES));
    wires_open(&world.wires, &world.random);
    memset(world.machines, 0, sizeof world.machines);
    for (int i = 0; i < 2; i++) {
        world.machines[i].self = i;
        for (int k = 0; k < ENDPOINTS; k++)
            make_endpoint(&world.machines[i].endpoints[k]);
        boot(&world.machines[i]);
    }
}

static void run(uint64_t seed) {
    begin(seed);
    for (int i = 0; i < STEPS; i++)
        step();
    become_orderly();
    if (one_in(16)) be_fair();
    come_to_rest();
    be_quiet();
    be_silent();
    judge();
    for (int i = 0; i < 2; i++)
        stop(&world.machines[i]);
    totals.crashes += world.book.crashes;
    wires_close(&world.wires);
    book_close(&world.book);
}

static uint64_t first_seed = 1, seed_count;

static void print_totals(void) {
#define NUMBER(name) (unsigned long long)totals.name
    print_message("%llu seeds, %llu crashes, %llu times up, %llu silences, %llu strangers, %llu wires tampered "
                  "with, %llu messages: %llu handled, %llu dead, %llu in doubt, %llu lost with their sender; "
                  "%llu poison; %llu trials of fairness, %llu times a window full\n",
                  (unsigned long long)seed_count, NUMBER(crashes), NUMBER(ups), NUMBER(silences),
                  NUMBER(strangers), NUMBER(tampered), NUMBER(messages), NUMBER(handled), NUMBER(dead),
                  NUMBER(in_doubt), NUMBER(lost_with_sender), NUMBER(poison), NUMBER(trials),
                  NUMBER(windows_full));
#undef NUMBER
}

static void seeds(void **state) {
    (void)state;
    for (uint64_t i = 0; i < seed_count; i++)
        run(first_seed + i);
    print_totals();
    assert_int_equal(totals.messages,
                     totals.handled + totals.dead + totals.in_doubt + totals.lost_with_sender);
    if (seed_count < 1000) return;
    assert_true(totals.crashes > 0 && totals.in_doubt > 0 && totals.dead > 0 && totals.poison > 0);
    assert_true(totals.silences > 2 * seed_count && totals.strangers > 0 && totals.tampered > 0);
    assert_true(totals.trials > 0 && totals.windows_full > 0);
}

int main(int argc, char **argv) {
    const char *sanitizers = getenv("TROUPE_SANITIZE"); /* as the build has them: some are slow */
    seed_count = sanitizers == NULL || sanitizers[0] == '\0' ? SEEDS : SEEDS_SANITIZED;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) {
            first_seed = value;
            seed_count = 1;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            seed_count = value;
        }
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
