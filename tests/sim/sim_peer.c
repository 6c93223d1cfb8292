/*
 * Two machines and a wire, from a seed: everything that may happen between two nodes, in any order,
 * and what must hold nevertheless.
 *
 * Each machine has endpoints with mailboxes, workers that handle one message at a time, and a peer.
 * In the first part of a run anything happens at random: messages are sent, frames travel or wait,
 * connections break (with all that is on its way), machines crash and come back with a new
 * incarnation, endpoints go away. In the second part nothing breaks any more, and everything must
 * come to rest.
 *
 * A crash is seen by the other machine in one of three ways, one for each seed: with a ledger (what
 * was settled and what was being handled survives), without one, or not at all (the handshake shows
 * it).
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
#include "transport/peer.h"

enum {
    ENDPOINTS = 5,
    WORKERS = 2,
    MESSAGES = 160,
    CHANNELS = 256,
    FRAMES = 64,
    STEPS = 1200,
    REST_ROUNDS = 4000,
    DEFINITIONS = 6,
    LARGE = 70 * 1024
};

enum knowledge { WITH_LEDGER, WITHOUT_LEDGER, UNNOTICED, KNOWLEDGES };

struct message {
    struct tr_parcel parcel;
    uint8_t *bytes;
    int from;
    bool at_least_once;
    bool settled, counted_there, sender_died;
    enum troupe_status outcome;
    int handled, dead_there;
};

struct frame {
    uint8_t *bytes;
    size_t size;
};

struct item {
    int message;
    uint32_t channel, epoch;
    uint64_t sequence;
    bool dead; /* dropped on arrival; in line so that settling stays in order */
};

struct endpoint {
    uint32_t generation;
    bool there, at_least_once, survives, busy;
    struct item mailbox[MESSAGES * 4];
    int first, end;
    int last_handled; /* a message's number */
};

struct channel {
    bool open;
    uint32_t epoch;
    int endpoint;
    uint64_t settled, received;
    uint64_t handling; /* 0: nothing */
    bool dead[TR_PEER_WINDOW]; /* by sequence, of those that are settled */
};

struct machine {
    int self;
    bool alive, connected, sending, buried;
    uint64_t incarnation;
    struct tr_peer *peer;
    int64_t timer;
    uint32_t defined;
    struct endpoint endpoints[ENDPOINTS];
    struct channel channels[CHANNELS], ledger[CHANNELS];
    struct item work[WORKERS];
    int working[WORKERS]; /* the endpoint + 1; 0: idle */
    struct frame frames[FRAMES]; /* on their way to this machine */
    int frames_first, frames_end;
    int in_doubt;
};

static struct world {
    uint64_t seed;
    struct tr_random random;
    enum knowledge knowledge;
    int64_t now;
    bool breaking; /* a connection is lost for one side */
    bool orderly;  /* the second part */
    bool connected;
    struct machine machines[2];
    struct message messages[MESSAGES];
    int message_count;
    uint64_t crashes;
} world;

static struct totals {
    uint64_t messages, handled, dead, in_doubt, lost_with_sender, poison, crashes, connections;
} totals;

static const char *outcome_name(int message) {
    static const char *const names[] = {
#define NAME(code, name, text) name,
        TROUPE_STATUS_LIST(NAME)
#undef NAME
    };
    return world.messages[message].settled ? names[world.messages[message].outcome] : "none";
}

static void check(bool holds, const char *what, int message) {
    if (holds) return;
    print_error("seed=%llu: %s (message %d, knowledge %d)\n", (unsigned long long)world.seed, what,
                message, (int)world.knowledge);
    if (message >= 0)
        print_error("  outcome %s, counted there %d, at least once %d, handled %d, dead there %d\n",
                    outcome_name(message), world.messages[message].counted_there,
                    world.messages[message].at_least_once, world.messages[message].handled,
                    world.messages[message].dead_there);
    fail();
}

static uint64_t below(uint64_t bound) { return tr_random_below(&world.random, bound); }
static bool one_in(uint64_t n) { return tr_random_one_in(&world.random, n); }
static struct machine *other(struct machine *machine) { return &world.machines[1 - machine->self]; }

/* ---- What the peers call ---- */

static void on_send(void *context, const uint8_t *bytes, size_t size) {
    struct machine *machine = context, *to = other(machine);
    check(!machine->sending, "two frames with the transport", -1);
    check(size <= TR_PEER_MAX_FRAME || size < LARGE + 64, "a frame that is too large", -1);
    machine->sending = true;
    check(to->frames_end - to->frames_first < FRAMES, "too many frames on their way", -1);
    struct frame *frame = &to->frames[to->frames_end++ % FRAMES];
    frame->bytes = malloc(size);
    frame->size = size;
    memcpy(frame->bytes, bytes, size);
}

static void on_up(void *context, uint64_t remote_incarnation) {
    struct machine *machine = context;
    check(remote_incarnation == other(machine)->incarnation, "up with another incarnation", -1);
    totals.connections++;
}

static void on_lost(void *context, const char *why) {
    struct machine *machine = context;
    bool expected = strstr(why, "silent") || strstr(why, "handshake") || strstr(why, "died") ||
                    strstr(why, "given up");
    if (!expected) print_error("lost: %s\n", why);
    check(expected, "lost for a reason that cannot be", -1);
    machine->connected = false;
    world.breaking = true;
}

static const uint8_t *on_definition(void *context, uint32_t index, size_t *size) {
    static const uint8_t definitions[DEFINITIONS] = { 0, 1, 2, 3, 4, 5 };
    (void)context;
    check(index < DEFINITIONS, "a definition that is not there", -1);
    *size = 1;
    return definitions + index;
}

static bool on_defined(void *context, uint32_t index, const uint8_t *bytes, size_t size) {
    struct machine *machine = context;
    check(size == 1 && bytes[0] == index, "a definition that differs", -1);
    machine->defined = index + 1;
    return true;
}

static enum troupe_status on_opened(void *context, uint32_t number, struct tr_endpoint to,
                                    enum tr_delivery *delivery) {
    struct machine *machine = context;
    check(number < CHANNELS && !machine->channels[number].open, "a channel that is open", -1);
    struct endpoint *endpoint = &machine->endpoints[to.slot];
    if (!endpoint->there || endpoint->generation != to.generation) return TROUPE_GONE;
    *delivery = endpoint->at_least_once ? TR_AT_LEAST_ONCE : TR_AT_MOST_ONCE;
    struct channel *channel = &machine->channels[number];
    uint32_t epoch = channel->epoch + 1;
    *channel = (struct channel){ .open = true, .epoch = epoch, .endpoint = (int)to.slot };
    return TROUPE_OK;
}

static enum troupe_status on_deliver(void *context, uint32_t number, uint64_t sequence,
                                     const uint8_t *payload, size_t size) {
    struct machine *machine = context;
    struct channel *channel = &machine->channels[number];
    struct endpoint *endpoint = &machine->endpoints[channel->endpoint];
    int message;
    check(channel->open, "a payload for a closed channel", -1);
    check(sequence == ++channel->received, "a sequence number that is not the next", -1);
    check(size >= 8, "a payload of another size", -1);
    memcpy(&message, payload, sizeof message);
    check(payload[4] <= machine->defined, "a payload before its definition", message);
    check(size == world.messages[message].parcel.size && payload[size - 1] == (uint8_t)message,
          "a payload that differs", message);
    bool dead = one_in(25);
    endpoint->mailbox[endpoint->end++] =
        (struct item){ message, number, channel->epoch, sequence, dead };
    return dead ? TROUPE_FULL : TROUPE_OK;
}

static uint64_t on_settled_count(void *context, uint32_t number) {
    struct machine *machine = context;
    check(machine->channels[number].open, "asked about a closed channel", -1);
    return machine->channels[number].settled;
}

static void on_closed(void *context, uint32_t number) {
    struct machine *machine = context;
    check(machine->channels[number].open, "closed twice", -1);
    machine->channels[number].open = false;
}

static void on_settled(void *context, struct tr_parcel *parcel, enum troupe_status status,
                       bool counted_there) {
    struct machine *machine = context;
    struct message *message = (struct message *)parcel;
    int number = (int)(message - world.messages);
    check(!message->settled, "settled twice", number);
    check(message->from == machine->self, "settled at the wrong machine", number);
    message->settled = true;
    message->outcome = status;
    message->counted_there = counted_there;
    message->sender_died = status == TROUPE_SENDER_DIED;
    if (status == TROUPE_IN_DOUBT) machine->in_doubt++;
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
    struct tr_peer_io io = { on_send, on_up, on_lost, on_definition, on_defined, on_opened,
                             on_deliver, on_settled_count, on_closed, on_settled,
                             world.knowledge == WITH_LEDGER ? on_fate : NULL, on_timer };
    struct tr_peer_options options = { .node = 10 + (uint64_t)machine->self,
                                       .incarnation = ++machine->incarnation,
                                       .remote_node = 11 - (uint64_t)machine->self,
                                       .dialer = machine->self == 0,
                                       .nonce_seed = { world.seed, machine->incarnation },
                                       .heartbeat = 100 * TROUPE_MILLISECOND,
                                       .patience = 400 * TROUPE_MILLISECOND };
    machine->peer = tr_peer_new(&options, &io, machine);
    assert_non_null(machine->peer);
    machine->alive = true;
    machine->buried = false;
    machine->timer = INT64_MAX;
}

static void make_endpoint(struct endpoint *endpoint) {
    uint32_t generation = endpoint->generation + 1;
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->generation = generation;
    endpoint->there = true;
    endpoint->at_least_once = one_in(2);
    endpoint->survives = !one_in(4);
    endpoint->last_handled = -1;
}

static void drop_frames(struct machine *machine) {
    while (machine->frames_first < machine->frames_end)
        free(machine->frames[machine->frames_first++ % FRAMES].bytes);
    machine->sending = false;
}

static void disconnect(void) {
    world.connected = world.breaking = false;
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &world.machines[i];
        drop_frames(machine);
        if (machine->alive && machine->connected) tr_peer_disconnected(machine->peer);
        machine->connected = false;
    }
}

/* The other machine learns of it now, later when this one comes back, or from the handshake. */
static void tell_death(struct machine *dead) {
    struct machine *machine = other(dead);
    if (dead->buried || !machine->alive || world.knowledge == UNNOTICED) return;
    dead->buried = true;
    machine->in_doubt = 0;
    tr_peer_died(machine->peer, !one_in(3));
    check(world.knowledge != WITH_LEDGER || machine->in_doubt <= WORKERS, "too many in doubt", -1);
    machine->connected = false;
}

static void lose_memory(struct machine *machine) {
    memset(machine->working, 0, sizeof machine->working);
    for (int i = 0; i < ENDPOINTS; i++) {
        struct endpoint *endpoint = &machine->endpoints[i];
        endpoint->first = endpoint->end = 0;
        endpoint->busy = false;
        if (world.knowledge != WITH_LEDGER && endpoint->at_least_once) endpoint->last_handled = -1;
        if (!endpoint->survives) endpoint->there = false;
    }
}

static void crash(struct machine *machine) {
    if (!other(machine)->alive) return; /* one at a time */
    memcpy(machine->ledger, machine->channels, sizeof machine->ledger);
    tr_peer_abandon(machine->peer, TROUPE_SENDER_DIED);
    check(tr_peer_held(machine->peer) == 0, "held after abandon", -1);
    tr_peer_free(machine->peer);
    machine->alive = machine->connected = false;
    lose_memory(machine);
    world.crashes++;
    if (one_in(2)) tell_death(machine);
    disconnect();
}

static void restart(struct machine *machine) {
    tell_death(machine);
    for (int i = 0; i < ENDPOINTS; i++)
        if (!machine->endpoints[i].there && one_in(2)) make_endpoint(&machine->endpoints[i]);
    boot(machine);
    disconnect();
}

static void connect_both(void) {
    uint8_t token[TR_PEER_TOKEN_SIZE] = { 7, (uint8_t)below(256) };
    disconnect();
    world.connected = true;
    for (int i = 0; i < 2; i++) {
        struct machine *machine = &world.machines[i];
        machine->connected = true;
        machine->defined = 0;
        tr_peer_connected(machine->peer, token, world.now);
    }
}

/* ---- Sending, handling ---- */

static void send_message(struct machine *machine) {
    if (world.message_count == MESSAGES) return;
    int number = world.message_count++;
    struct message *message = &world.messages[number];
    uint32_t slot = (uint32_t)below(ENDPOINTS);
    const struct endpoint *to = &other(machine)->endpoints[slot];
    uint32_t size = one_in(60) ? LARGE : one_in(8) ? 20000 : 8 + (uint32_t)below(60);
    memset(message, 0, sizeof *message);
    message->from = machine->self;
    message->at_least_once = to->at_least_once;
    message->bytes = malloc(size);
    memset(message->bytes, number, size);
    memcpy(message->bytes, &number, sizeof number);
    message->bytes[4] = (uint8_t)below(DEFINITIONS + 1);
    bool stale = one_in(20);
    message->parcel = (struct tr_parcel){ .to = { slot, to->generation - (stale ? 1 : 0) },
                                          .definitions = message->bytes[4],
                                          .size = size,
                                          .bytes = message->bytes,
                                          .once = one_in(10) };
    if (message->parcel.once) message->at_least_once = false;
    tr_peer_submit(machine->peer, &message->parcel);
}

/* NULL: the channel of the item is closed. */
static struct channel *channel_of(struct machine *machine, const struct item *item) {
    struct channel *channel = &machine->channels[item->channel];
    return channel->open && channel->epoch == item->epoch ? channel : NULL;
}

static void settle_item(struct machine *machine, const struct item *item, bool dead) {
    struct channel *channel = channel_of(machine, item);
    if (channel == NULL) return;
    check(++channel->settled == item->sequence, "settled out of order", item->message);
    channel->dead[item->sequence % TR_PEER_WINDOW] = dead;
    channel->handling = 0;
}

/* Counted now, not on arrival: a crash in between would have it counted by both sides. */
static void settle_dead(struct machine *machine, const struct item *item) {
    world.messages[item->message].dead_there++;
    settle_item(machine, item, true);
}

static void kill_message(struct machine *machine, const struct item *item, enum troupe_status why) {
    if (channel_of(machine, item) != NULL)
        tr_peer_refused(machine->peer, item->channel, item->sequence, why);
    settle_dead(machine, item);
}

static void begin_work(struct machine *machine, int worker) {
    int number = (int)below(ENDPOINTS);
    struct endpoint *endpoint = &machine->endpoints[number];
    if (endpoint->busy || endpoint->first == endpoint->end) return;
    struct item item = endpoint->mailbox[endpoint->first++];
    if (item.dead) {
        settle_dead(machine, &item);
        tr_peer_progress(machine->peer, world.now);
        return;
    }
    endpoint->busy = true;
    machine->working[worker] = number + 1;
    machine->work[worker] = item;
    struct channel *channel = channel_of(machine, &item);
    if (channel != NULL) channel->handling = item.sequence;
}

static void count_handled(struct endpoint *endpoint, const struct item *item) {
    struct message *message = &world.messages[item->message];
    check(item->message > endpoint->last_handled, "out of order", item->message);
    endpoint->last_handled = item->message;
    message->handled++;
    bool may_repeat = message->at_least_once && world.knowledge != WITH_LEDGER;
    check(message->handled == 1 || may_repeat, "handled twice", item->message);
}

static void end_work(struct machine *machine, int worker) {
    struct endpoint *endpoint = &machine->endpoints[machine->working[worker] - 1];
    const struct item *item = &machine->work[worker];
    machine->working[worker] = 0;
    endpoint->busy = false;
    if (one_in(20)) {
        kill_message(machine, item, TROUPE_FAILED);
    } else {
        count_handled(endpoint, item);
        settle_item(machine, item, false);
    }
    if (world.orderly || !one_in(4)) tr_peer_progress(machine->peer, world.now);
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
    tr_peer_progress(machine->peer, world.now);
}

/* ---- The wire ---- */

static void receive(struct machine *machine) {
    if (!machine->connected || machine->frames_first == machine->frames_end) return;
    struct frame frame = machine->frames[machine->frames_first++ % FRAMES];
    tr_peer_frame(machine->peer, frame.bytes, frame.size, world.now);
    free(frame.bytes);
}

static void sent(struct machine *machine) {
    if (!machine->connected || !machine->sending) return;
    if (other(machine)->frames_end - other(machine)->frames_first >= FRAMES / 2) return;
    machine->sending = false;
    tr_peer_sent(machine->peer, world.now);
}

static void tick(struct machine *machine) {
    if (world.now < machine->timer) return;
    machine->timer = INT64_MAX;
    tr_peer_tick(machine->peer, world.now);
}

static void step_machine(struct machine *machine) {
    switch (below(10)) {
    case 0: send_message(machine); break;
    case 1: tr_peer_flush(machine->peer, world.now); break;
    case 2:
    case 3: receive(machine); break;
    case 4:
    case 5: sent(machine); break;
    case 6: tick(machine); break;
    case 7: tr_peer_progress(machine->peer, world.now); break;
    default: work(machine); break;
    }
}

static void break_something(struct machine *machine) {
    switch (below(8)) {
    case 0:
    case 1: crash(machine); break;
    case 2:
    case 3:
    case 4: disconnect(); break;
    default: change_endpoint(machine); break;
    }
}

static void step(void) {
    struct machine *machine = &world.machines[below(2)];
    world.now += (int64_t)below(2 * TROUPE_MILLISECOND);
    if (world.breaking && one_in(3)) disconnect();
    if (!machine->alive) {
        if (one_in(10)) restart(machine);
    } else if (!world.orderly && one_in(80)) {
        break_something(machine);
    } else if (!world.connected && other(machine)->alive && one_in(20)) {
        connect_both();
    } else {
        step_machine(machine);
    }
}

/* ---- At the end ---- */

static bool is_idle(const struct machine *machine) {
    if (!machine->alive || tr_peer_held(machine->peer) > 0) return false;
    for (int i = 0; i < WORKERS; i++)
        if (machine->working[i] != 0) return false;
    for (int i = 0; i < ENDPOINTS; i++)
        if (machine->endpoints[i].first < machine->endpoints[i].end) return false;
    return true;
}

static void come_to_rest(void) {
    int rounds = 0;
    world.orderly = true;
    for (int i = 0; i < 2; i++) /* step() may have kept it to itself */
        if (world.machines[i].alive) tr_peer_progress(world.machines[i].peer, world.now);
    while (!is_idle(&world.machines[0]) || !is_idle(&world.machines[1])) {
        check(rounds++ < REST_ROUNDS, "does not come to rest", -1);
        for (int i = 0; i < 2; i++) {
            struct machine *machine = &world.machines[i];
            if (!machine->alive) restart(machine);
            if (world.breaking) disconnect();
            if (!world.connected && other(machine)->alive) connect_both();
            tr_peer_flush(machine->peer, world.now);
            receive(machine);
            sent(machine);
            tick(machine);
            work(machine);
        }
        world.now += TROUPE_MILLISECOND;
    }
}

/* Without a ledger a message may have been handled, and nobody knows. */
static void check_message(const struct message *message, int number) {
    bool exact = world.knowledge == WITH_LEDGER || !message->at_least_once;
    bool there = message->handled + message->dead_there > 0;
    check(message->settled, "never settled", number);
    if (message->sender_died) return;
    check(!exact || message->handled + message->dead_there <= 1, "counted twice", number);
    if (message->outcome == TROUPE_OK || message->counted_there) {
        check(there, "settled, but neither handled nor dead", number);
        int as_said = message->counted_there ? message->dead_there : message->handled;
        check(as_said > 0, "handled is not dead", number);
    } else if (message->outcome == TROUPE_IN_DOUBT || message->outcome == TROUPE_POISON) {
        check(world.crashes > 0, "in doubt without a crash", number);
        check(message->outcome != TROUPE_IN_DOUBT || !message->at_least_once ||
              !world.machines[1 - message->from].endpoints[message->parcel.to.slot].there ||
              world.machines[1 - message->from].endpoints[message->parcel.to.slot].generation !=
                  message->parcel.to.generation, "in doubt, but wanted again", number);
    } else {
        check(!exact || !there, "dead here and there", number);
        check(message->outcome == TROUPE_GONE || message->outcome == TROUPE_NODE_DIED, "reason",
              number);
    }
}

static void add_up(const struct message *message) {
    totals.messages++;
    if (message->sender_died)
        totals.lost_with_sender++;
    else if (message->outcome == TROUPE_OK)
        totals.handled++;
    else if (message->outcome == TROUPE_IN_DOUBT)
        totals.in_doubt++;
    else
        totals.dead++;
    totals.poison += message->outcome == TROUPE_POISON;
}

static void finish(void) {
    for (int i = 0; i < world.message_count; i++) {
        check_message(&world.messages[i], i);
        add_up(&world.messages[i]);
        free(world.messages[i].bytes);
    }
    disconnect();
    for (int i = 0; i < 2; i++) {
        tr_peer_abandon(world.machines[i].peer, TROUPE_STOPPING);
        for (int k = 0; k < CHANNELS; k++)
            check(!world.machines[i].channels[k].open, "a channel that stayed open", -1);
        tr_peer_free(world.machines[i].peer);
    }
    totals.crashes += world.crashes;
}

static void run(uint64_t seed) {
    for (int i = 0; i < 2; i++)
        memset(&world.machines[i], 0, sizeof world.machines[i]);
    world.seed = seed;
    tr_random_seed(&world.random, seed);
    world.knowledge = (enum knowledge)below(KNOWLEDGES);
    world.now = TROUPE_SECOND;
    world.message_count = 0;
    world.breaking = world.orderly = world.connected = false;
    world.crashes = 0;
    for (int i = 0; i < 2; i++) {
        world.machines[i].self = i;
        for (int k = 0; k < ENDPOINTS; k++)
            make_endpoint(&world.machines[i].endpoints[k]);
        boot(&world.machines[i]);
    }
    for (int i = 0; i < STEPS; i++)
        step();
    come_to_rest();
    finish();
}

static uint64_t first_seed = 1, seed_count = 10000;

static void seeds(void **state) {
    (void)state;
    for (uint64_t i = 0; i < seed_count; i++)
        run(first_seed + i);
    print_message("%llu seeds, %llu crashes, %llu connections, %llu messages: %llu handled, "
                  "%llu dead, %llu in doubt, %llu lost with their sender; %llu poison\n",
                  (unsigned long long)seed_count, (unsigned long long)totals.crashes,
                  (unsigned long long)totals.connections, (unsigned long long)totals.messages,
                  (unsigned long long)totals.handled, (unsigned long long)totals.dead,
                  (unsigned long long)totals.in_doubt, (unsigned long long)totals.lost_with_sender,
                  (unsigned long long)totals.poison);
    assert_int_equal(totals.messages, totals.handled + totals.dead + totals.in_doubt +
                                          totals.lost_with_sender);
    if (seed_count < 1000) return;
    assert_true(totals.crashes > 0 && totals.in_doubt > 0 && totals.dead > 0 && totals.poison > 0);
}

int main(int argc, char **argv) {
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
